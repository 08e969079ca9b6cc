package golang

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A namer gives all declarations of a package their Go names. Where two things
// of an architecture would have the same, one of them keeps it on all
// architectures, and the other has an X before its C name, as cgo -godefs has
// it: IFLA_MAX and X__IFLA_MAX. What keeps the name depends on the two alone:
// what the user names so; then constants, then functions, then structs and unions, then
// typedefs, then the types of members, then offsets; and among these what C
// spells with fewer underscores in front, then with fewer capitals, then what
// is shorter, then what is first in the alphabet. A constant that C spells as Go does comes before all
// others. The type of a member that gives way has an underscore before the
// name of the member.
type namer struct {
	arches  []string
	decls   []model.Decls     // by architecture
	rename  map[string]string // by the user
	strip   []string          // prefixes
	bare    map[string]bool   // what has lost its prefix, as in types, or constKey
	tables  []typeTable       // by architecture
	asked   overrides
	consts  map[string]string                // Go names, by C name
	funcs   map[string]string                // Go names of macros, by C name
	calls   map[string]string                // Go names of the functions of ioctls, by C name
	types   map[string]string                // Go names that are not the usual, by what they are of
	records map[string]map[string][]goStruct // by architecture and C name
	named   map[string]map[string]goNamed    // likewise
	apart   model.Remarks
	leftOut model.Remarks
}

func newNamer(arches []string, groups [][]model.Unit, t *typist) *namer {
	n := &namer{
		arches: arches, decls: make([]model.Decls, len(arches)), rename: t.Rename, strip: slices.Clone(t.Strip), tables: t.tables,
		asked:  overrides{list: t.Types, used: t.used},
		consts: map[string]string{}, funcs: map[string]string{}, calls: map[string]string{}, types: map[string]string{}, bare: map[string]bool{},
		records: map[string]map[string][]goStruct{}, named: map[string]map[string]goNamed{},
	}
	slices.SortFunc(n.strip, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, g := range groups {
		for i, u := range g {
			n.decls[i].Consts = append(n.decls[i].Consts, u.Consts...)
			n.decls[i].Structs = append(n.decls[i].Structs, u.Structs...)
			n.decls[i].Types = append(n.decls[i].Types, u.Types...)
			n.decls[i].Funcs = append(n.decls[i].Funcs, u.Funcs...)
		}
	}
	return n
}

// A claim is what wants a Go name.
type claim struct {
	key  string // what it is, as in namer.types; constKey of a constant
	c    string // the C name, or that of the member
	what string // for a person
	pos  model.Pos
	kind claimKind
}

type claimKind uint8

const (
	byUser claimKind = iota
	asInC
	constantName
	functionName
	recordName
	typedefName
	callName
	memberTypeName
	offsetName
)

// before orders claims by which keeps the name.
func (a claim) before(b claim) bool {
	under := func(c string) int { return len(c) - len(strings.TrimLeft(c, "_")) }
	return cmp.Or(
		cmp.Compare(a.kind, b.kind),
		cmp.Compare(under(a.c), under(b.c)),
		cmp.Compare(capitals(a.c), capitals(b.c)),
		cmp.Compare(len(a.c), len(b.c)),
		strings.Compare(a.c, b.c),
		strings.Compare(a.key, b.key),
	) < 0
}

// capitals counts the capitals in c.
func capitals(c string) (n int) {
	for i := range len(c) {
		if 'A' <= c[i] && c[i] <= 'Z' {
			n++
		}
	}
	return n
}

// maxRounds is how often names are tried. Each round settles all that collide
// then; names that give way seldom meet others.
const maxRounds = 20

// resolve finds the names and lays out the structs.
func (n *namer) resolve() error {
	taken := map[string]bool{}
	for _, d := range n.decls {
		for _, c := range d.Consts {
			taken[c.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		to := constName(name)
		if to != name && taken[to] { // of whichever architecture
			to = "X" + name
		}
		if bare, ok := n.stripped(name, strings.HasPrefix); ok && n.rename[name] == "" {
			if bare = constName(bare); !taken[bare] {
				to, n.bare[constKey(name)] = bare, true
			} else {
				n.apart.Add(fmt.Sprintf("-strip: constant %s keeps its prefix, for there is a constant %s", cName(name), bare), "")
			}
		}
		n.consts[name] = cmp.Or(n.rename[name], to)
	}
	for i, d := range n.decls {
		for _, c := range d.Consts {
			if c.Arg != "" {
				n.calls[c.Name] = callNameOf(c.Name)
			}
		}
		for _, f := range d.Funcs {
			n.funcs[f.Name] = cmp.Or(n.rename[f.Name], constName(f.Name))
			if bare, ok := n.stripped(f.Name, strings.HasPrefix); ok && n.rename[f.Name] == "" && !taken[constName(bare)] {
				n.funcs[f.Name], n.bare[funcKey(f.Name)] = constName(bare), true
			}
		}
		for _, s := range d.Structs {
			n.nameType(s.Name, "")
		}
		for _, t := range d.Types {
			n.nameType(t.Name, n.tables[i].made[t.Name].user)
		}
	}
	for range maxRounds {
		n.leftOut = model.Remarks{}
		losers := map[string]claim{}
		for i, arch := range n.arches {
			l, err := goRecords(arch, n.decls[i].Structs, n.types, n.tables[i], &n.asked)
			if err != nil {
				return err
			}
			n.records[arch] = map[string][]goStruct{}
			for c, r := range l.records {
				if r.err == nil {
					n.records[arch][c] = r.types
				}
			}
			for _, s := range n.decls[i].Structs {
				n.leftOut.AddError(l.records[s.Name].err, arch)
			}
			named, errs := l.goNamedTypes(n.consts)
			n.named[arch] = named
			for _, t := range n.decls[i].Types {
				n.leftOut.AddError(errs[t.Name], arch)
			}
			if err := n.collide(i, losers); err != nil {
				return err
			}
		}
		if len(losers) == 0 {
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(losers)) {
			n.giveWay(losers[key])
		}
	}
	return fmt.Errorf("the Go names of these headers collide without end; give some of them others with -rename")
}

// nameType notes the name of a type that is not the usual: that of the user, or
// what is left of it without a prefix, in capitals or not.
func (n *namer) nameType(key, user string) {
	to := cmp.Or(user, n.renamed(key))
	if to == "" {
		bare, ok := n.stripped(identifier(key), func(name, prefix string) bool {
			return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
		})
		if !ok {
			return
		}
		to, n.bare[key] = camelCase(bare)+groupSuffix(key), true
	}
	n.types[key] = to
}

// stripped is a C name without the longest of the prefixes that it has, if
// anything is left.
func (n *namer) stripped(c string, has func(name, prefix string) bool) (string, bool) {
	for _, prefix := range n.strip {
		if !has(c, prefix) {
			continue
		}
		n.asked.used["-strip "+prefix] = true
		if bare := c[len(prefix):]; strings.Trim(cName(bare), "_") != "" {
			return bare, true
		}
	}
	return "", false
}

// renamed is the name that the user gives a struct, by its name or its tag.
func (n *namer) renamed(c string) string {
	return cmp.Or(n.rename[c], n.rename[identifier(c)])
}

// unused lists the names of C that the user gives others, and that there are
// not.
func (n *namer) unused() (list model.Remarks) {
	has := map[string]bool{}
	for _, d := range n.decls {
		for _, c := range d.Consts {
			has[c.Name] = true
		}
		for _, s := range d.Structs {
			has[s.Name], has[identifier(s.Name)] = true, true
		}
		for _, t := range d.Types {
			has[t.Name], has[identifier(t.Name)] = true, true
		}
		for _, f := range d.Funcs {
			has[f.Name] = true
		}
	}
	for _, prefix := range n.strip {
		if flag := "-strip " + prefix; !n.asked.used[flag] {
			list.Add(flag+": no name begins so", "")
		}
	}
	for _, c := range slices.Sorted(maps.Keys(n.rename)) {
		if !has[c] {
			list.Add(fmt.Sprintf("-rename %s=%s: the headers have no %[1]s", c, n.rename[c]), "")
		}
	}
	return list
}

// collide finds the claims of an architecture that lose their names.
func (n *namer) collide(arch int, losers map[string]claim) error {
	table := map[string]claim{}
	var errs errorList
	add := func(name string, c claim) {
		old, ok := table[name]
		if ok && old.key != c.key {
			if old.kind == byUser && c.kind == byUser {
				errs.add(fmt.Errorf("-rename: %s and %s would both be %s", c.what, old.what, name))
			}
			keeps, loses := old, c
			if c.before(old) {
				keeps, loses = c, old
			}
			if _, ok := losers[loses.key]; !ok {
				losers[loses.key] = loses
				n.apart.Add(fmt.Sprintf("%s: in Go, %s gives way to %s (%s), which is %s", loses.pos, loses.what, keeps.what, keeps.pos, name), "")
			}
			c = keeps
		}
		table[name] = c
	}
	d := n.decls[arch]
	for _, c := range d.Consts {
		kind := constantName
		switch name := n.consts[c.Name]; {
		case n.rename[c.Name] != "":
			kind = byUser
		case name == c.Name:
			kind = asInC
		}
		add(n.consts[c.Name], claim{constKey(c.Name), c.Name, "constant " + cName(c.Name), c.Pos, kind})
	}
	for _, c := range d.Consts {
		if c.Arg != "" {
			add(n.calls[c.Name], claim{callKey(c.Name), c.Name, "the call of " + cName(c.Name), c.Pos, callName})
		}
	}
	for _, f := range d.Funcs {
		kind := functionName
		if n.rename[f.Name] != "" {
			kind = byUser
		}
		add(n.funcs[f.Name], claim{funcKey(f.Name), f.Name, "macro " + f.Name, f.Pos, kind})
	}
	for _, s := range d.Structs {
		for i, t := range n.records[n.arches[arch]][s.Name] {
			kind, c := memberTypeName, t.Name
			switch {
			case i == 0 && n.renamed(s.Name) != "":
				kind = byUser
			case i == 0 && !strings.Contains(s.Name, " "):
				kind = typedefName
			case i == 0:
				kind = recordName
			}
			if i == 0 {
				c = identifier(s.Name)
			}
			add(t.Name, claim{t.key, c, t.C, t.Pos, kind})
			for _, o := range t.Offsets {
				add(o.Name, claim{o.key, o.Name, fmt.Sprintf("the offset of %s in %s", o.C, t.C), t.Pos, offsetName})
			}
		}
	}
	for _, t := range d.Types {
		named, ok := n.named[n.arches[arch]][t.Name]
		if !ok {
			continue
		}
		kind := typedefName
		switch {
		case n.tables[arch].made[t.Name].user != "" || n.renamed(t.Name) != "":
			kind = byUser
		case strings.Contains(t.Name, " "):
			kind = recordName
		}
		add(named.Name, claim{t.Name, identifier(t.Name), named.C, named.Pos, kind})
	}
	return errs.join()
}

// giveWay gives a claim that has lost its name another.
func (n *namer) giveWay(l claim) {
	name, isConst := strings.CutPrefix(l.key, constKey(""))
	if n.bare[l.key] { // with its prefix, it may have another name
		delete(n.bare, l.key)
		if fn, ok := strings.CutPrefix(l.key, funcKey("")); ok {
			n.funcs[fn] = constName(fn)
		} else if isConst {
			n.consts[name] = constName(name)
		} else {
			delete(n.types, l.key)
		}
		return
	}
	if isConst {
		n.consts[name] = otherName(n.consts[name], "X"+cName(name)+groupSuffix(name))
		return
	}
	if name, ok := strings.CutPrefix(l.key, callKey("")); ok {
		n.calls[name] = otherName(n.calls[name], "X"+n.calls[name])
		return
	}
	if name, ok := strings.CutPrefix(l.key, funcKey("")); ok {
		n.funcs[name] = otherName(n.funcs[name], "X"+name)
		return
	}
	switch l.kind {
	case recordName, typedefName, byUser:
		n.types[l.key] = otherName(n.types[l.key], "X"+l.c+groupSuffix(l.key))
	default: // the layout knows what else there is to call it
		n.types[l.key] = otherName(n.types[l.key], apartName)
	}
}

// otherName is name, or if that was it already, the old one and an underscore.
func otherName(old, name string) string {
	if strings.TrimRight(old, "_") == strings.TrimRight(name, "_") {
		return old + "_"
	}
	return name
}

// apartName stands in namer.types for the usual name, with an underscore
// before the name of the member; for each more there is one more.
const apartName = "_"
