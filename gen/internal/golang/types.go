package golang

import (
	"cmp"
	"fmt"
	"go/constant"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A goNamed is a Go type that is no struct, on one architecture.
type goNamed struct {
	Name string
	C    string // "enum pid_type", "the typedef pid_t", "the constants CLONE_*"
	Pos  model.Pos
	model.Words
	Type   string       // what it is
	Alias  bool         // another name of a type that has a name
	Set    setOf        // whether it has constants
	Values []namedValue // of a set, in the order of the headers
}

type setOf uint8

const (
	noSet setOf = iota
	enumSet
	flagSet
)

// A namedValue is a constant that has the type.
type namedValue struct {
	Name  string // in Go
	C     string
	Value *big.Int // as the type has it
}

// A typeTable is what has a Go type of its own on one architecture, by the names
// of C; a set of constants that is no enum of C has a key instead.
type typeTable struct {
	made     map[string]madeType
	typedefs map[string]model.NamedType // all that there are, made or not
	consts   map[string]string          // the keys of constants, or the text of their types
}

// A madeType is a type before it has its name.
type madeType struct {
	model.NamedType
	user   string // its name, if that is the user's
	set    setOf
	under  string // the integer of a set
	match  []string
	values []model.Const
}

// setKey is what a set of constants is called that is no enum of C.
func setKey(name string) string { return "type " + name }

// A typist finds what has a type of its own.
type typist struct {
	Options
	arches  []string
	groups  [][]model.Unit // by architecture
	tables  []typeTable    // by architecture
	used    map[string]bool
	leftOut model.Remarks
	plain   model.Remarks // what nobody asks for
	errs    errorList
}

// typeUp finds the types that the user asks for, and gives constants the values
// that they have in these. Groups then have the types that are made.
func typeUp(arches []string, groups [][]model.Unit, o Options) (*typist, error) {
	t := &typist{Options: o, arches: arches, groups: groups, used: map[string]bool{}}
	for range arches {
		t.tables = append(t.tables, typeTable{map[string]madeType{}, map[string]model.NamedType{}, map[string]string{}})
	}
	for i := range arches {
		t.enumsAndTypedefs(i)
	}
	t.unsign()
	t.families()
	if len(t.Sets)+len(t.Types) > 0 {
		for i := range arches {
			t.constants(i)
		}
		t.fitFamilies()
		t.convert()
	}
	for i := range arches {
		t.place(i)
	}
	return t, t.errs.join()
}

// matches reports whether a pattern is the name of C, or its tag.
func matches(pattern, c string) bool {
	return model.Matches(pattern, cName(c)) || model.Matches(pattern, identifier(c))
}

// unsign makes those constants positive that C has as negative numbers because
// they have the highest bit of an int: 1<<31. It does so only where the header
// writes bits, and not -1, and in no enum that has its type.
func (t *typist) unsign() {
	for _, pattern := range t.Unsigned {
		for _, g := range t.groups {
			for i, u := range g {
				arch, _ := model.ArchByName(t.arches[i])
				for j := range u.Consts {
					c := &u.Consts[j]
					if !model.Matches(pattern, cName(c.Name)) || c.Value.Kind() != constant.Int {
						continue
					}
					t.used["-unsigned "+pattern] = true
					bits := map[string]int{"int": 32, "long": arch.Bits, "long long": 64}[c.Type]
					if bits > 0 && t.tables[i].made[c.Enum].set == noSet && c.Base == model.Hex && constant.Sign(c.Value) < 0 {
						if v, ok := convert(c.Value, fmt.Sprint("uint", bits)); ok {
							c.Value = v
						}
					}
				}
			}
		}
	}
}

// enumsAndTypedefs finds which of those that C has are made.
func (t *typist) enumsAndTypedefs(arch int) {
	table := t.tables[arch]
	structs := map[string]bool{}
	for _, g := range t.groups {
		for _, s := range g[arch].Structs {
			structs[s.Name] = true
		}
	}
	for _, g := range t.groups {
		for _, n := range g[arch].Types {
			if old, ok := table.typedefs[n.Name]; ok {
				if old.Type.Kind != n.Type.Kind || old.Type.Size != n.Type.Size {
					t.leftOut.Add(fmt.Sprintf("%s: %s is another than that of %s, which has the type in Go", n.Pos, n.Name, old.Pos), t.arches[arch])
				}
				continue
			}
			table.typedefs[n.Name] = n
			made := madeType{NamedType: n}
			if n.IsEnum() {
				for _, s := range t.Sets {
					if s.Match != "" || !matches(s.Name, n.Name) {
						continue
					}
					t.used[s.String()] = true
					if made.set != noSet && (made.set != kindOf(s) || made.under != cmp.Or(s.Type, made.under)) {
						t.errs.add(fmt.Errorf("%s: it has a type already, by another -enum or -flags", s))
					}
					made.set, made.under = kindOf(s), s.Type
				}
				if made.set != noSet {
					made.under = cmp.Or(made.under, integer(n.Type.Size, made.set == flagSet || n.Type.Kind == model.Uint))
					table.made[n.Name] = made
					continue
				}
			}
			if t.typedef(n, structs, arch) {
				table.made[n.Name] = made
			}
			if !t.asked(n.Name) && !ofItself(n) {
				what := cName(n.Name)
				if !strings.HasPrefix(what, "enum ") {
					what = fmt.Sprintf("typedef %s of %s", what, withoutGroup(n.Type.C))
				}
				t.plain.Add(fmt.Sprintf("%s: %s", n.Pos, what), t.arches[arch])
			}
		}
	}
}

// typedef reports whether a typedef, or an enum whose constants have no type,
// is made.
func (t *typist) typedef(n model.NamedType, structs map[string]bool, arch int) bool {
	if !t.asked(n.Name) {
		return false
	}
	in := n.Type.Innermost()
	switch {
	case in.Inline != nil:
		t.leftOut.Add(fmt.Sprintf("%s: %s: a typedef of what has no name itself", n.Pos, n.Name), t.arches[arch])
		return false
	case in.Record != "" && !structs[in.Record]:
		t.leftOut.Add(fmt.Sprintf("%s: %s: there is no Go type for %s", n.Pos, n.Name, in.Record), t.arches[arch])
		return false
	}
	return !ofItself(n)
}

// ofItself tells typedefs like struct s s and enum e e, whose names are one in Go.
func ofItself(n model.NamedType) bool {
	of := cmp.Or(n.Type.Record, n.Type.Enum)
	return of != "" && of != n.Name && typeName(of) == typeName(n.Name)
}

// asked reports whether -typedef names a typedef or an enum.
func (t *typist) asked(name string) (yes bool) {
	for _, p := range t.Typedefs {
		if matches(p, name) {
			t.used["-typedef "+p] = true
			yes = true
		}
	}
	return yes
}

func kindOf(s Set) setOf {
	if s.Flags {
		return flagSet
	}
	return enumSet
}

func integer(size int64, unsigned bool) string {
	if unsigned {
		return fmt.Sprint("uint", 8*size)
	}
	return fmt.Sprint("int", 8*size)
}

// families makes the types of constants that the user puts together.
func (t *typist) families() {
	for _, s := range t.Sets {
		if s.Match == "" {
			continue
		}
		for i := range t.arches {
			key := setKey(s.Name)
			made := t.tables[i].made[key]
			if made.set != noSet && (made.set != kindOf(s) || s.Type != "" && made.under != "" && made.under != s.Type) {
				t.errs.add(fmt.Errorf("%s: %s is another type already", s, s.Name))
			}
			made.Name, made.user, made.set, made.under = key, s.Name, kindOf(s), cmp.Or(made.under, s.Type)
			made.match = append(made.match, s.Match)
			t.tables[i].made[key] = made
		}
	}
}

// constants finds the types of the constants. What -type names has that type; a
// pattern comes before an enum of C, and a longer pattern before a shorter one.
func (t *typist) constants(arch int) {
	table := t.tables[arch]
	for _, g := range t.groups {
		for _, c := range g[arch].Consts {
			if text, ok := t.override(cName(c.Name)); ok {
				table.consts[c.Name] = text
				continue
			}
			if c.Value.Kind() != constant.Int {
				continue
			}
			key := ""
			if made := table.made[c.Enum]; made.set != noSet {
				key = c.Enum
			}
			var best Set
			most := 0
			for _, s := range t.Sets {
				if s.Match == "" {
					continue
				}
				d, ok := s.has(cName(c.Name))
				if !ok {
					continue
				}
				t.used[s.String()] = true
				switch {
				case best.Match == "" || d > most:
					best, most = s, d
				case d == most && s.Name != best.Name:
					t.errs.add(fmt.Errorf("%s: constant %s is in %s as well", s, cName(c.Name), best))
				}
			}
			if best.Match != "" {
				key = setKey(best.Name)
			}
			if key == "" {
				continue
			}
			made := table.made[key]
			if made.Pos == (model.Pos{}) {
				made.Pos = c.Pos
			}
			made.values = append(made.values, c)
			table.made[key] = made
			table.consts[c.Name] = key
		}
	}
	for key, made := range table.made {
		if made.user != "" && len(made.values) == 0 {
			delete(table.made, key)
		}
	}
}

// override is the type that -type gives constants of that name.
func (t *typist) override(c string) (string, bool) {
	for _, o := range t.Types {
		if !strings.Contains(o.C, ".") && model.Matches(o.C, c) {
			t.used[o.String()] = true
			return o.Go, true
		}
	}
	return "", false
}

// fitFamilies finds the integers of sets that are no enums of C: the same on all
// architectures, of 32 bits if all of the values fit there and none is a long
// long.
func (t *typist) fitFamilies() {
	for _, key := range t.keys() {
		wide, negative, flags := false, false, false
		for _, table := range t.tables {
			flags = flags || table.made[key].set == flagSet
			for _, c := range table.made[key].values {
				negative = negative || constant.Sign(c.Value) < 0
			}
		}
		unsigned := flags || !negative
		for _, table := range t.tables {
			for _, c := range table.made[key].values {
				_, ok := convert(c.Value, integer(4, unsigned))
				wide = wide || !ok || strings.HasSuffix(c.Type, "long long")
			}
		}
		size := int64(4)
		if wide {
			size = 8
		}
		for _, table := range t.tables {
			if made, ok := table.made[key]; ok && made.under == "" {
				made.under = integer(size, unsigned)
				table.made[key] = made
			}
		}
	}
}

// keys are those of the types that are made on some architecture.
func (t *typist) keys() []string {
	keys := map[string]bool{}
	for _, table := range t.tables {
		for key := range table.made {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// convert gives the constants that have a type the values that they have there.
func (t *typist) convert() {
	for _, g := range t.groups {
		for i := range g {
			for j := range g[i].Consts {
				c := &g[i].Consts[j]
				typ, hint := t.tables[i].consts[c.Name], ""
				if made, ok := t.tables[i].made[typ]; ok {
					typ, hint = made.under, fmt.Sprintf(", like %s; choose another: %[1]s:int64", cmp.Or(made.user, identifier(made.Name)))
				}
				if c.Value.Kind() != constant.Int || !slices.Contains(integers, typ) {
					continue
				}
				v, ok := convert(c.Value, typ)
				if !ok {
					t.errs.add(fmt.Errorf("%s: constant %s is %s, which is no %s%s", c.Pos, cName(c.Name), c.Value, typ, hint))
				}
				c.Value = v
			}
		}
	}
	for _, table := range t.tables {
		for key, made := range table.made {
			for i, c := range made.values {
				if v, ok := convert(c.Value, made.under); ok {
					made.values[i].Value = v
				}
			}
			table.made[key] = made
		}
	}
}

// place leaves in the groups the types that are made: each in the first group
// that has it, or its first constant.
func (t *typist) place(arch int) {
	table, done := t.tables[arch], map[string]bool{}
	for _, g := range t.groups {
		u := &g[arch]
		var types []model.NamedType
		for _, n := range u.Types {
			if _, ok := table.made[n.Name]; ok && !done[n.Name] {
				done[n.Name] = true
				types = append(types, n)
			}
		}
		for _, c := range u.Consts {
			if key := table.consts[c.Name]; table.made[key].user != "" && !done[key] {
				done[key] = true
				types = append(types, model.NamedType{Name: key, Pos: table.made[key].Pos})
			}
		}
		u.Types = types
	}
	// An enum of one header can have constants that no group asks for.
	for key := range table.made {
		if !done[key] {
			delete(table.made, key)
		}
	}
}

// unused lists what was asked for and is not there.
func (t *typist) unused() (list model.Remarks) {
	var consts, enums, typedefs []string
	for i := range t.arches {
		for _, g := range t.groups {
			for _, c := range g[i].Consts {
				consts = append(consts, cName(c.Name))
			}
		}
		for name, n := range t.tables[i].typedefs {
			if typedefs = append(typedefs, name); n.IsEnum() {
				enums = append(enums, identifier(name))
			}
		}
	}
	tell := func(flag, what, name string, names []string) {
		if t.used[flag] {
			return
		}
		if like := model.Nearest(name, names); like != "" {
			what += "; did you mean " + like + "?"
		}
		list.Add(flag+": "+what, "")
	}
	for _, s := range t.Sets {
		if s.Match == "" {
			what := "the headers have no such enum"
			if isPrefixOf(s.Name, consts) {
				what += ", but constants: choose a name for their type, NAME=" + s.Name
			}
			tell(s.String(), what, s.Name, enums)
		} else {
			tell(s.String(), "no number of the headers matches", s.patterns()[0], consts)
		}
	}
	for _, p := range t.Typedefs {
		tell("-typedef "+p, "the headers have no such typedef", p, typedefs)
	}
	for _, p := range t.Unsigned {
		tell("-unsigned "+p, "no number of the headers matches", p, consts)
	}
	for _, o := range t.Types {
		tell(o.String(), "the headers have no such member, typedef or constant that can have a type of its own", o.C, slices.Concat(typedefs, consts))
	}
	return list
}

// isPrefixOf reports whether one of names matches the pattern, or begins so.
func isPrefixOf(pattern string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return model.Matches(strings.TrimRight(pattern, "*")+"*", name) })
}
