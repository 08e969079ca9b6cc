package golang

import (
	"fmt"
	"go/constant"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// FuzzTypes makes models with enums and typedefs of bytes, and asks for types
// of all kinds. What Merge and Render accept must compile on every architecture,
// and a name that a type has must be the type.
func FuzzTypes(f *testing.F) {
	f.Add([]byte("enums, typedefs and structs that have them"))
	f.Add([]byte("1012000100011"))
	f.Add([]byte{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5})
	f.Add([]byte{2, 0, 8, 9, 1, 0, 3, 9, 2, 1, 4, 9, 3, 5, 7, 11, 10, 3, 6, 12, 1, 9, 30, 21, 17, 8, 7, 33, 12, 60, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := modelMaker{data: data}
		o := m.options()
		units := m.typedUnits()
		p, err := Merge(units, o)
		if err != nil {
			if strings.Contains(err.Error(), "without end") {
				t.Fatal(err)
			}
			return
		}
		files, err := Render(p, "p", "7.3.4")
		if err != nil {
			if err != ErrNothing {
				t.Fatal(err)
			}
			return
		}
		for _, u := range units {
			pkg, err := compile(t, u.Arch, files)
			if err != nil {
				t.Fatalf("%+v\n%s: %v", o, u.Arch, err)
			}
			for c, n := range p.named[u.Arch] {
				obj := pkg.Scope().Lookup(n.Name)
				if obj == nil {
					t.Fatalf("%s: %s is not there as %s", u.Arch, c, n.Name)
				}
				for _, v := range n.Values {
					if got := pkg.Scope().Lookup(v.Name).Type(); got != obj.Type() {
						t.Errorf("%s: %s is of type %s, not %s", u.Arch, v.Name, got, n.Name)
					}
				}
			}
		}
	})
}

// options asks for types and names.
func (m *modelMaker) options() (o Options) {
	patterns := []string{"*", "a*", "*_1", "__a_?", "A_*", "type?", "E_*-E_1", "E_*", "e_*"}
	pattern := func() string { return patterns[m.pick(len(patterns))] }
	for range m.pick(4) {
		s := Set{Name: pattern(), Flags: m.pick(2) == 0}
		if m.pick(2) == 0 {
			s.Name, s.Match = fmt.Sprint("T", m.pick(3)), pattern()
		}
		if m.pick(4) == 0 {
			s.Type = integers[m.pick(len(integers))]
			s.Flags = s.Flags && s.Type[0] == 'u'
		}
		o.Sets = append(o.Sets, s)
	}
	for range m.pick(2) {
		o.Typedefs = append(o.Typedefs, pattern())
	}
	for range m.pick(3) {
		o.Strip = append(o.Strip, []string{"a_", "A", "E_", "_", "e_", "type"}[m.pick(6)])
	}
	for range m.pick(2) {
		o.Unsigned = append(o.Unsigned, pattern())
	}
	return o
}

// typedUnits are units with enums, typedefs and members that have their types.
func (m *modelMaker) typedUnits() []model.Unit {
	var types []model.NamedType
	var enumerators []model.Const
	pos := model.Pos{File: "linux/tool.h", Line: 3}
	for range m.pick(4) {
		t := []model.Type{u8, u32, s32, u64, s64, u16}[m.pick(6)]
		name := fmt.Sprint("enum e_", m.pick(3))
		if slices.ContainsFunc(types, func(t model.NamedType) bool { return t.Name == name }) {
			continue
		}
		t.C, t.Enum, t.Align = name, name, t.Size
		types = append(types, model.NamedType{Name: name, Type: t, Pos: pos})
		for range m.pick(5) {
			v := int64(m.pick(100))
			if t.Kind == model.Int {
				v -= 50
			}
			enumerators = append(enumerators, model.Const{Name: fmt.Sprint("E_", len(enumerators)), Value: constant.MakeInt64(v), Type: "int", Enum: name, Pos: pos})
		}
	}
	for range m.pick(4) {
		name := m.name()
		t := []model.Type{u8, s32, u64, pointer, cArray(u16, 3), boolean}[m.pick(6)]
		if len(types) > 0 && m.pick(2) == 0 {
			if old := types[m.pick(len(types))]; old.Type.Kind != model.Array {
				t = old.Type
				t.C = old.Name
			}
		}
		if slices.ContainsFunc(types, func(t model.NamedType) bool { return t.Name == name }) {
			continue
		}
		types = append(types, model.NamedType{Name: name, Type: t, Pos: pos})
	}
	for _, t := range types {
		named := t.Type
		named.C = t.Name
		m.plain = append(m.plain, named)
	}
	units := m.units()
	for i := range units {
		a, _ := model.ArchByName(units[i].Arch)
		l := cLayout{a, map[string]model.Struct{}, 0}
		for _, t := range types {
			if slices.ContainsFunc(units[i].Structs, func(s model.Struct) bool { return s.Name == t.Name }) {
				continue // which no header has
			}
			t.Type = l.layOutType(t.Type)
			units[i].Types = append(units[i].Types, t)
		}
		known := map[string]bool{}
		for _, c := range units[i].Consts {
			known[c.Name] = true
		}
		for _, c := range enumerators {
			if !known[c.Name] {
				units[i].Consts = append(units[i].Consts, c)
			}
		}
	}
	return units
}
