package golang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// Hand-made models say what C would say: names, types and order. modelsOn gives
// them the sizes and offsets of an architecture, by GCC's rules. A model with
// an Align is packed to it.

func cInt(c string, size int64) model.Type  { return model.Type{Kind: model.Int, C: c, Size: size} }
func cUint(c string, size int64) model.Type { return model.Type{Kind: model.Uint, C: c, Size: size} }

var (
	u8, u16, u32, u64 = cUint("__u8", 1), cUint("__u16", 2), cUint("__u32", 4), cUint("__u64", 8)
	s8, s32, s64      = cInt("__s8", 1), cInt("__s32", 4), cInt("__s64", 8)
	aligned64         = cUint("__aligned_u64", 8) // aligned to 8 bytes on 386 too
	char              = model.Type{Kind: model.Char, C: "char", Size: 1}
	boolean           = model.Type{Kind: model.Bool, C: "_Bool", Size: 1}
	pointer           = model.Type{Kind: model.Pointer, C: "void *"}
	function          = model.Type{Kind: model.FuncPointer, C: "void (*)(int)"}
	long              = model.Type{Kind: model.Int, C: "long"}
)

func cArray(elem model.Type, n int64) model.Type {
	return model.Type{Kind: model.Array, C: fmt.Sprintf("%s[%d]", elem.C, n), Elem: &elem, Len: n}
}

func cRecord(name string) model.Type { return model.Type{Kind: model.Record, C: name, Record: name} }
func cInline(s model.Struct) model.Type {
	return model.Type{Kind: model.Record, C: "struct", Inline: &s}
}
func cUnion(f ...model.Field) model.Type           { return cInline(model.Struct{Union: true, Fields: f}) }
func cStruct(f ...model.Field) model.Type          { return cInline(model.Struct{Fields: f}) }
func cField(name string, t model.Type) model.Field { return model.Field{Name: name, Type: t} }

func cBits(name string, t model.Type, width int64) model.Field {
	return model.Field{Name: name, Type: t, Bits: &model.Bits{Width: width}}
}

func cFlexible(name string, elem model.Type) model.Field {
	return model.Field{Name: name, Type: model.Type{Kind: model.Array, C: elem.C + "[]", Elem: &elem}, Flexible: true}
}

// modelsOn returns the structs as they are on a, with a position for everything.
func modelsOn(a model.Arch, structs ...model.Struct) []model.Struct {
	l := cLayout{a, map[string]model.Struct{}, 0}
	var out []model.Struct
	for _, s := range structs {
		s = l.layOut(s)
		l.structs[s.Name] = s
		out = append(out, s)
	}
	return out
}

type cLayout struct {
	arch    model.Arch
	structs map[string]model.Struct
	line    int
}

func (l *cLayout) pos() model.Pos {
	l.line++
	return model.Pos{File: "linux/tool.h", Line: l.line}
}

func (l *cLayout) layOut(s model.Struct) model.Struct {
	s.Pos = l.pos()
	pack, size := s.Align, int64(0) // size in bits
	s.Align = 1
	s.Fields = slices.Clone(s.Fields)
	for i := range s.Fields {
		f := &s.Fields[i]
		f.Pos = l.pos()
		f.Type = l.layOutType(f.Type)
		align := f.Type.Align
		if pack > 0 {
			align = min(align, pack)
		}
		start := size
		if s.Union {
			start = 0
		}
		switch {
		case f.Bits == nil:
			start = roundedUp(start, 8*align)
			f.Offset = start / 8
			size = max(size, start+8*f.Type.Size)
		default:
			if unit := 8 * f.Type.Size; f.Bits.Width == 0 || pack == 0 && start%unit+f.Bits.Width > unit {
				start = roundedUp(start, 8*align)
			}
			f.Bits = &model.Bits{Offset: start, Width: f.Bits.Width}
			f.Offset = start / 8
			size = max(size, start+f.Bits.Width)
			if f.Name == "" {
				align = 1
			}
		}
		s.Align = max(s.Align, align)
	}
	s.Size = roundedUp(size, 8*s.Align) / 8
	return s
}

func (l *cLayout) layOutType(t model.Type) model.Type {
	word := int64(l.arch.Bits / 8)
	switch {
	case t.Kind == model.Array:
		elem := l.layOutType(*t.Elem)
		t.Elem, t.Size, t.Align = &elem, elem.Size*t.Len, elem.Align
	case t.Inline != nil:
		s := l.layOut(*t.Inline)
		t.Inline, t.Size, t.Align = &s, s.Size, s.Align
	case t.Kind == model.Record:
		s := l.structs[t.Record]
		t.Size, t.Align = s.Size, max(s.Align, 1)
	case t.Size == 0: // a long or a pointer
		t.Size, t.Align = word, word
	case t.Size == 8 && l.arch.GOARCH == "386" && !strings.Contains(t.C, "aligned"):
		t.Align = 4
	default:
		t.Align = t.Size
	}
	return t
}

// unitsOf are the units of a group on architectures.
func unitsOf(on []model.Arch, group string, consts func(model.Arch) []model.Const, structs ...model.Struct) []model.Unit {
	var units []model.Unit
	for _, a := range on {
		u := model.Unit{Arch: a.GOARCH, Group: model.Group{Name: group, Headers: []model.Header{{Path: "linux/tool.h"}}}, Structs: modelsOn(a, structs...)}
		if consts != nil {
			u.Consts = consts(a)
		}
		units = append(units, u)
	}
	return units
}

// generate merges and renders.
func generate(pkg string, units []model.Unit) ([]File, error) {
	m, err := Merge(units, Options{})
	if err != nil {
		return nil, err
	}
	return Render(m, pkg, "7.3.4")
}

func roundedUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
