package golang

import (
	"fmt"
	"go/constant"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// FuzzRender makes models of bytes: C that a compiler laid out, and if damage
// is set, layouts that no compiler makes. What Merge and Render accept must
// compile on every architecture and have the layout of the model.
func FuzzRender(f *testing.F) {
	f.Add(false, []byte("a struct of some numbers and an array of them"))
	f.Add(false, []byte("1012000100011")) // two structs for one name in Go
	f.Add(true, []byte{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5})
	f.Add(false, []byte{2, 0, 8, 9, 1, 0, 3, 9, 2, 1, 4, 9, 3, 5, 7, 11, 10, 3, 6, 12, 1, 9, 30, 21, 17, 8, 7, 33, 12, 60, 7})
	f.Fuzz(func(t *testing.T, damage bool, data []byte) {
		m := modelMaker{data: data}
		units := m.units()
		if damage {
			m.damage(units)
		}
		p, err := Merge(units, Options{})
		if err != nil {
			return
		}
		files, err := Render(p, "p", "7.3.4")
		if err != nil {
			return
		}
		if p.Apart.Empty() && p.LeftOut.Empty() && !membersCollide(p) {
			checkAll(t, files, units)
			return
		}
		for _, u := range units { // under which names is for other tests
			pkg, err := compile(t, u.Arch, files)
			if err != nil {
				t.Fatalf("%s: %v", u.Arch, err)
			}
			for _, s := range u.Structs {
				types := p.records[u.Arch][s.Name]
				if types == nil {
					continue // left out
				}
				obj := pkg.Scope().Lookup(types[0].Name)
				if obj == nil {
					t.Fatalf("%s: %s is not there as %s", u.Arch, s.Name, types[0].Name)
				}
			}
		}
	})
}

// membersCollide reports whether a member has not the usual name.
func membersCollide(p Package) bool {
	for _, records := range p.records {
		for _, types := range records {
			for _, t := range types {
				for _, a := range t.Accessors {
					if strings.HasPrefix(a.Name, "X") {
						return true
					}
				}
				for _, f := range t.Fields {
					if strings.HasPrefix(f.Name, "X") {
						return true
					}
				}
			}
		}
	}
	return false
}

// A modelMaker makes models of bytes.
type modelMaker struct {
	data  []byte
	names int
	known []string     // structs so far
	plain []model.Type // besides the usual
}

// pick returns a number below n.
func (m *modelMaker) pick(n int) int {
	if len(m.data) == 0 {
		return 0
	}
	b := int(m.data[0])
	m.data = m.data[1:]
	return b % n
}

// name is seldom one that was there before.
func (m *modelMaker) name() string {
	forms := []string{"a_%d", "a%d", "__a_%d", "A_%d", "a_%d_1", "set_a_%d", "type%d", "_%d"}
	if m.pick(16) > 0 {
		m.names++
	}
	return fmt.Sprintf(forms[m.pick(len(forms))], m.names)
}

func (m *modelMaker) units() []model.Unit {
	var structs []model.Struct
	for range 1 + m.pick(3) {
		s := m.record(3)
		s.Name = []string{"struct ", "union ", ""}[m.pick(3)] + m.name()
		structs = append(structs, s)
		m.known = append(m.known, s.Name)
	}
	consts := m.consts()
	odd := model.Arches[m.pick(len(model.Arches))].GOARCH
	return unitsOf(model.Arches, "p", func(a model.Arch) []model.Const {
		if a.GOARCH == odd {
			return consts[1:]
		}
		return consts
	}, structs...)
}

func (m *modelMaker) consts() []model.Const {
	var consts []model.Const
	for i := range 1 + m.pick(4) {
		c := model.Const{Name: m.name(), Value: constant.MakeInt64(int64(m.pick(256)-128) << m.pick(57)), Base: model.Base(m.pick(3)), Gap: m.pick(2) > 0, Pos: model.Pos{File: "linux/tool.h", Line: i}}
		if m.pick(4) == 0 {
			n := m.pick(20)
			c.Value = constant.MakeString(string(m.data[:min(n, len(m.data))]))
		}
		consts = append(consts, c)
	}
	return consts
}

func (m *modelMaker) record(depth int) model.Struct {
	s := model.Struct{Union: m.pick(4) == 0}
	if m.pick(3) == 0 {
		s.Align = 1 << m.pick(4)
	}
	for range m.pick(6) {
		f := cField(m.name(), m.typ(depth))
		switch kind := f.Type.Kind; {
		case f.Type.Inline != nil && m.pick(2) == 0:
			f.Name = ""
		case kind >= model.Bool && kind <= model.Uint && f.Type.Size <= 8 && f.Type.Size > 0 && m.pick(3) == 0:
			most := 8 * int(f.Type.Size)
			if kind == model.Bool {
				most = 1
			}
			f.Bits = &model.Bits{Width: int64(m.pick(most + 1))}
			if f.Bits.Width == 0 || m.pick(8) == 0 {
				f.Name = ""
			}
		case kind == model.Array && m.pick(4) == 0:
			f.Type.Len, f.Flexible = 0, true
		}
		s.Fields = append(s.Fields, f)
	}
	return s
}

func (m *modelMaker) typ(depth int) model.Type {
	plain := []model.Type{u8, u16, u32, u64, s8, s32, s64, aligned64, char, boolean, pointer, function, long,
		cUint("__u128", 16), {Kind: model.Float, C: "double", Size: 8}, {Kind: model.Float, C: "long double", Size: 16}}
	plain = append(plain, m.plain...)
	switch n := m.pick(len(plain) + 8); {
	case n < len(plain):
		return plain[n]
	case depth == 0:
		return u32
	case n < len(plain)+3:
		return cArray(m.typ(depth-1), int64(m.pick(5)))
	case n < len(plain)+6 || len(m.known) == 0:
		return cInline(m.record(depth - 1))
	}
	return cRecord(m.known[m.pick(len(m.known))])
}

// damage changes numbers of a layout, on all architectures or on one.
func (m *modelMaker) damage(units []model.Unit) {
	for len(m.data) > 0 {
		u := &units[m.pick(len(units))]
		if len(u.Structs) == 0 {
			return
		}
		m.damageRecord(&u.Structs[m.pick(len(u.Structs))])
	}
}

func (m *modelMaker) damageRecord(s *model.Struct) {
	numbers := []*int64{&s.Size, &s.Align}
	if len(s.Fields) > 0 {
		f := &s.Fields[m.pick(len(s.Fields))]
		if f.Type.Inline != nil && m.pick(2) == 0 {
			m.damageRecord(f.Type.Inline)
			return
		}
		numbers = append(numbers, &f.Offset, &f.Type.Size, &f.Type.Align, &f.Type.Len)
		if f.Bits != nil {
			numbers = append(numbers, &f.Bits.Offset, &f.Bits.Width)
		}
	}
	n := numbers[m.pick(len(numbers))]
	*n = []int64{-1, 0, 1, *n + 1, *n - 1, *n * 2, 1 << 62, -1 << 63, 3}[m.pick(9)]
}
