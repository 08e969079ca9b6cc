package golang

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"

	"github.com/go-clone3/clone3/gen/internal/model"
	"github.com/go-clone3/clone3/gen/internal/parallel"
)

// A Package is the input of Render: what a run has read, split by what
// architectures share, with everything that Go needs to know of it.
type Package struct {
	model.Merged
	Apart   model.Remarks // names that two things have, and what Go calls them
	LeftOut model.Remarks // what Go cannot have, and why
	Plain   model.Remarks // typedefs and enums that have no type in Go, for nobody asks for them
	Unused  model.Remarks // what is asked for and not there

	names    map[string]string                // of constants, by their C names
	funcs    map[string]string                // of functions, by their C names
	calls    map[string]string                // of the functions of ioctls, by their C names
	licences map[string]map[string]string     // of headers with comments, by group
	records  map[string]map[string][]goStruct // by architecture and C name
	named    map[string]map[string]goNamed    // likewise
	typed    map[string]map[string]string     // the types of constants, likewise
}

// Merge joins the units of a run: every group on every architecture. What Go
// writes alike on all of them is common. For the rest, the architectures that
// agree on everything in a group share a set. A declaration that two groups
// have belongs to the first.
//
// Two things that would have one name are told apart, see tellApart and
// namer. A C name in the options may be the tag alone.
func Merge(units []model.Unit, o Options) (Package, error) {
	arches, groups, err := tabulate(units)
	if err != nil {
		return Package{}, err
	}
	p := Package{Merged: model.Merged{Arches: arches}}
	if err := tellApart(groups, &p.Apart); err != nil {
		return Package{}, err
	}
	p.licences = map[string]map[string]string{}
	for i, g := range groups {
		groups[i] = agreeOnWords(g)
		for _, u := range g {
			if len(u.Licences) > 0 {
				p.licences[u.Group.Name] = u.Licences
			}
		}
	}
	p.LeftOut.AddAll(distinctFuncs(groups))
	t, err := typeUp(arches, groups, o)
	if err != nil {
		return Package{}, err
	}
	n := newNamer(arches, groups, t)
	if err := n.resolve(); err != nil {
		return Package{}, err
	}
	p.names, p.funcs, p.calls, p.records, p.named, p.typed = n.consts, n.funcs, n.calls, n.records, n.named, n.typesOfConsts()
	p.Apart.AddAll(n.apart)
	p.LeftOut.AddAll(t.leftOut)
	p.Plain.AddAll(t.plain)
	p.LeftOut.AddAll(n.leftOut)
	p.Unused.AddAll(n.unused())
	p.Unused.AddAll(t.unused())
	p.Groups = make([]model.MergedGroup, len(groups))
	parallel.Each(len(groups), func(at int) {
		g := groups[at]
		for i, arch := range arches {
			g[i].Consts = slices.Clone(g[i].Consts)
			for j := range g[i].Consts {
				if c := &g[i].Consts[j]; c.Arg != "" && p.records[arch][c.Arg] == nil {
					c.Arg = "" // which is told
				}
			}
			g[i].Structs = slices.DeleteFunc(slices.Clone(g[i].Structs), func(s model.Struct) bool { return p.records[arch][s.Name] == nil })
			g[i].Types = slices.DeleteFunc(slices.Clone(g[i].Types), func(t model.NamedType) bool { return p.named[arch][t.Name].Name == "" })
		}
		p.Groups[at] = p.mergeGroup(g)
	})
	return p, nil
}

// An errorList collects what is wrong, each once.
type errorList []error

func (l *errorList) add(err error) {
	for _, err := range model.Separate(err) {
		same := func(old error) bool { return old.Error() == err.Error() }
		if !slices.ContainsFunc(*l, same) {
			*l = append(*l, err)
		}
	}
}

func (l errorList) join() error {
	return errors.Join(l...)
}

// tabulate returns the architectures of a run in order, and for each group its
// units in that order.
func tabulate(units []model.Unit) (arches []string, groups [][]model.Unit, err error) {
	var names []string
	table := map[[2]string]model.Unit{}
	for _, u := range units {
		key := [2]string{u.Group.Name, u.Arch}
		if _, ok := table[key]; ok {
			return nil, nil, fmt.Errorf("group %s: read twice for %s; two groups cannot have the same name", u.Group.Name, u.Arch)
		}
		table[key] = u
		if !slices.Contains(names, u.Group.Name) {
			names = append(names, u.Group.Name)
		}
		if !slices.Contains(arches, u.Arch) {
			arches = append(arches, u.Arch)
		}
	}
	slices.Sort(arches)
	for _, name := range names {
		var group []model.Unit
		for _, arch := range arches {
			u, ok := table[[2]string{name, arch}]
			if !ok {
				return nil, nil, fmt.Errorf("group %s: not read for %s, but other groups were; a run needs every group for every architecture", name, arch)
			}
			group = append(group, u)
		}
		groups = append(groups, group)
	}
	return arches, groups, nil
}

// mergeGroup splits what a group declares into what is common and what each
// set of architectures has.
func (p Package) mergeGroup(units []model.Unit) model.MergedGroup {
	tables := make([]declTable, len(units))
	for i, u := range units {
		tables[i] = newDeclTable(u, p)
	}
	common := map[string]bool{}
	for _, key := range tables[0].keys {
		common[key] = !slices.ContainsFunc(tables, func(t declTable) bool { return !t.same(tables[0], key) })
	}
	var sets [][]declTable
	for _, t := range tables {
		i := slices.IndexFunc(sets, func(set []declTable) bool { return t.agrees(set[0], common) })
		if i < 0 {
			i = len(sets)
			sets = append(sets, nil)
		}
		sets[i] = append(sets[i], t)
	}
	m := model.MergedGroup{Group: units[0].Group}
	m.Common = mergeDecls(tables, func(key string) bool { return common[key] })
	for _, set := range sets {
		s := model.ArchSet{Decls: mergeDecls(set, func(key string) bool { return !common[key] })}
		for _, t := range set {
			s.Arches = append(s.Arches, t.Arch)
		}
		if !s.Decls.Empty() {
			m.Sets = append(m.Sets, s)
		}
	}
	return m
}

// A declTable finds the declarations of a unit.
type declTable struct {
	model.Unit
	keys    []string
	consts  map[string]model.Const
	structs map[string]model.Struct
	types   map[string]model.NamedType
	funcs   map[string]model.Func
	records map[string][]goStruct // what Go makes of the structs
	named   map[string]goNamed    // and of the types
	typed   map[string]string     // the types of constants
}

func newDeclTable(u model.Unit, p Package) declTable {
	t := declTable{
		u, nil, map[string]model.Const{}, map[string]model.Struct{}, map[string]model.NamedType{}, map[string]model.Func{},
		p.records[u.Arch], p.named[u.Arch], p.typed[u.Arch],
	}
	for _, c := range u.Consts {
		t.keys = append(t.keys, constKey(c.Name))
		t.consts[constKey(c.Name)] = c
	}
	for _, s := range u.Structs {
		t.keys = append(t.keys, s.Name)
		t.structs[s.Name] = s
	}
	for _, n := range u.Types {
		t.keys = append(t.keys, n.Name)
		t.types[n.Name] = n
	}
	for _, f := range u.Funcs {
		t.keys = append(t.keys, funcKey(f.Name))
		t.funcs[funcKey(f.Name)] = f
	}
	return t
}

// constKey tells constants from structs: a macro may have the name of a typedef.
func constKey(name string) string { return "constant " + name }

// funcKey tells functions from all others.
func funcKey(name string) string { return "function " + name }

// same reports whether Go writes the declaration alike for both.
func (t declTable) same(u declTable, key string) bool {
	if a, ok := t.consts[key]; ok {
		b, ok := u.consts[key]
		return ok && model.SameValue(a.Value, b.Value) && a.Arg == b.Arg && t.typed[a.Name] == u.typed[b.Name]
	}
	if f, ok := t.funcs[key]; ok {
		g, ok := u.funcs[key]
		f.Pos, g.Pos = model.Pos{}, model.Pos{}
		return ok && reflect.DeepEqual(f, g)
	}
	if _, ok := t.types[key]; ok {
		_, ok := u.types[key]
		return ok && reflect.DeepEqual(t.named[key].unplaced(), u.named[key].unplaced())
	}
	_, here := t.structs[key]
	_, there := u.structs[key]
	return here && there && slices.EqualFunc(t.records[key], u.records[key], func(a, b goStruct) bool {
		a.Pos, b.Pos = model.Pos{}, model.Pos{}
		return reflect.DeepEqual(a, b)
	})
}

// agrees reports whether t and u have the same declarations that are not common.
func (t declTable) agrees(u declTable, common map[string]bool) bool {
	return len(t.keys) == len(u.keys) && !slices.ContainsFunc(t.keys, func(key string) bool {
		return !common[key] && !t.same(u, key)
	})
}

// mergeDecls returns the wanted declarations of tables that agree on them.
func mergeDecls(tables []declTable, wanted func(key string) bool) model.Decls {
	var d model.Decls
	for _, c := range tables[0].Consts {
		if wanted(constKey(c.Name)) {
			for _, t := range tables[1:] {
				c.Pos = mergePos(t.Group, c.Pos, t.consts[constKey(c.Name)].Pos)
			}
			d.Consts = append(d.Consts, c)
		}
	}
	for _, s := range tables[0].Structs {
		if wanted(s.Name) {
			pos := s.Pos
			for _, t := range tables[1:] {
				pos = mergePos(t.Group, pos, t.structs[s.Name].Pos)
			}
			if pos != s.Pos {
				s = s.At(pos)
			}
			d.Structs = append(d.Structs, s)
		}
	}
	for _, n := range tables[0].Types {
		if wanted(n.Name) {
			for _, t := range tables[1:] {
				n.Pos = mergePos(t.Group, n.Pos, t.types[n.Name].Pos)
			}
			d.Types = append(d.Types, n)
		}
	}
	for _, f := range tables[0].Funcs {
		if wanted(funcKey(f.Name)) {
			for _, t := range tables[1:] {
				f.Pos = mergePos(t.Group, f.Pos, t.funcs[funcKey(f.Name)].Pos)
			}
			d.Funcs = append(d.Funcs, f)
		}
	}
	return d
}

// mergePos is the place of a declaration that stands at a and b: the header of
// the group that leads there, if the files differ.
func mergePos(g model.Group, a, b model.Pos) model.Pos {
	if a == b {
		return a
	}
	if a.File == b.File {
		return model.Pos{File: a.File}
	}
	i := slices.IndexFunc(g.Headers, func(h model.Header) bool { return path.Base(h.Path) == path.Base(a.File) })
	return model.Pos{File: g.Headers[max(i, 0)].Path}
}
