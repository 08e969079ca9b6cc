package main

import (
	"fmt"
	"slices"
	"strings"
)

// Hand-made models say what C would say: names, types and order. modelsOn gives
// them the sizes and offsets of an architecture, by GCC's rules. A model with
// an Align is packed to it.

func cInt(c string, size int64) Type  { return Type{Kind: Int, C: c, Size: size} }
func cUint(c string, size int64) Type { return Type{Kind: Uint, C: c, Size: size} }

var (
	u8, u16, u32, u64 = cUint("__u8", 1), cUint("__u16", 2), cUint("__u32", 4), cUint("__u64", 8)
	s8, s32, s64      = cInt("__s8", 1), cInt("__s32", 4), cInt("__s64", 8)
	aligned64         = cUint("__aligned_u64", 8) // aligned to 8 bytes on 386 too
	char              = Type{Kind: Char, C: "char", Size: 1}
	boolean           = Type{Kind: Bool, C: "_Bool", Size: 1}
	pointer           = Type{Kind: Pointer, C: "void *"}
	function          = Type{Kind: FuncPointer, C: "void (*)(int)"}
	long              = Type{Kind: Int, C: "long"}
)

func cArray(elem Type, n int64) Type {
	return Type{Kind: Array, C: fmt.Sprintf("%s[%d]", elem.C, n), Elem: &elem, Len: n}
}

func cRecord(name string) Type         { return Type{Kind: Record, C: name, Record: name} }
func cInline(s Struct) Type            { return Type{Kind: Record, C: "struct", Inline: &s} }
func cUnion(f ...Field) Type           { return cInline(Struct{Union: true, Fields: f}) }
func cStruct(f ...Field) Type          { return cInline(Struct{Fields: f}) }
func cField(name string, t Type) Field { return Field{Name: name, Type: t} }

func cBits(name string, t Type, width int64) Field {
	return Field{Name: name, Type: t, Bits: &Bits{Width: width}}
}

func cFlexible(name string, elem Type) Field {
	return Field{Name: name, Type: Type{Kind: Array, C: elem.C + "[]", Elem: &elem}, Flexible: true}
}

// modelsOn returns the structs as they are on a, with a position for everything.
func modelsOn(a Arch, structs ...Struct) []Struct {
	l := cLayout{a, map[string]Struct{}, 0}
	var out []Struct
	for _, s := range structs {
		s = l.layOut(s)
		l.structs[s.Name] = s
		out = append(out, s)
	}
	return out
}

type cLayout struct {
	arch    Arch
	structs map[string]Struct
	line    int
}

func (l *cLayout) pos() Pos {
	l.line++
	return Pos{"linux/tool.h", l.line}
}

func (l *cLayout) layOut(s Struct) Struct {
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
			start = roundUp(start, 8*align)
			f.Offset = start / 8
			size = max(size, start+8*f.Type.Size)
		default:
			if unit := 8 * f.Type.Size; f.Bits.Width == 0 || pack == 0 && start%unit+f.Bits.Width > unit {
				start = roundUp(start, 8*align)
			}
			f.Bits = &Bits{start, f.Bits.Width}
			f.Offset = start / 8
			size = max(size, start+f.Bits.Width)
			if f.Name == "" {
				align = 1
			}
		}
		s.Align = max(s.Align, align)
	}
	s.Size = roundUp(size, 8*s.Align) / 8
	return s
}

func (l *cLayout) layOutType(t Type) Type {
	word := int64(l.arch.Bits / 8)
	switch {
	case t.Kind == Array:
		elem := l.layOutType(*t.Elem)
		t.Elem, t.Size, t.Align = &elem, elem.Size*t.Len, elem.Align
	case t.Inline != nil:
		s := l.layOut(*t.Inline)
		t.Inline, t.Size, t.Align = &s, s.Size, s.Align
	case t.Kind == Record:
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
func unitsOf(on []Arch, group string, consts func(Arch) []Const, structs ...Struct) []Unit {
	var units []Unit
	for _, a := range on {
		u := Unit{Arch: a.GOARCH, Group: Group{Name: group, Headers: []Header{{Path: "linux/tool.h"}}}, Structs: modelsOn(a, structs...)}
		if consts != nil {
			u.Consts = consts(a)
		}
		units = append(units, u)
	}
	return units
}

// generate merges and renders.
func generate(pkg string, units []Unit) ([]File, error) {
	m, err := Merge(units)
	if err != nil {
		return nil, err
	}
	return Render(m, pkg, "7.3.4")
}
