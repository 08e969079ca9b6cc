package golang

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A goStruct is the Go type of a C record on one architecture. Size and offsets
// are those of C. The alignment may be smaller: Go aligns nothing to more than
// 8 bytes, and on 32-bit machines to more than 4.
//
// What Go cannot have as a field becomes bytes with methods: members that Go
// would align otherwise, as in packed structs, bit-fields, and unions, which
// are an array of the size of the union. An array without a length is left
// out, for it would make the Go type larger; a constant tells its offset.
//
// A pointer is a uintptr, like the addresses that newer structs keep in a
// __u64. As an unsafe.Pointer it would be hidden from the garbage collector in
// a union, and elsewhere a number that the kernel puts there could crash it.
// Whoever stores one keeps its target alive and in place until the system call
// is over: with runtime.Pinner, or in memory that Go does not manage.
type goStruct struct {
	key  string // for namer.types
	Name string
	C    string // "struct clone_args"; "the member test of union bpf_attr" if C has no name for it
	Pos  model.Pos
	model.Words
	Size      int64
	Aligned   int64 // to what C aligns it, if no Go type can be, else 0
	Fields    []goField
	Accessors []goAccessor
	Offsets   []goOffset
	Own       []goOwn
}

// A goOwn is a type of the user's that a member has, which must be of that size,
// and aligned to no more, unless that is 0.
type goOwn struct {
	Type        string
	Size, Align int64
}

// A goField is a field of a goStruct. Padding is named _.
type goField struct {
	Name string
	Type string
	C    string // the C type, if the Go type does not tell it
	model.Words
	Offset int64
	size   int64
}

// A goAccessor stands for the methods of a member that is no field.
type goAccessor struct {
	Kind   accessorKind
	Name   string
	Member string
	C      string // the member with its type
	model.Words
	Type    string
	Size    int64      // of Type
	Storage string     // the field that holds the member
	Offset  int64      // in Storage
	Length  int64      // of Storage
	Bytes   bool       // Storage is an array of bytes
	Bits    []bitPiece // of a bit-field, in bytes of Storage
	Width   int64      // of a bit-field
}

type accessorKind uint8

const (
	pointerAccessor accessorKind = iota // a method that returns a pointer to the member
	copyAccessor                        // a getter and a setter
	bitAccessor                         // the same, for a bit-field
)

// A goOffset is the offset of an array that has no length.
type goOffset struct {
	key  string // for namer.types
	Name string
	C    string // the array with its type
	model.Words
	Offset int64
}

// A goRecord is the Go type of a record, and behind it those of its members
// that have no name in C.
type goRecord struct {
	types  []goStruct
	align  int64 // of the Go type
	scalar int64 // the size of the largest number in it
	err    error
}

// goRecords lays out the records of one architecture, by their C names. Those
// that Go cannot have, and all that contain them, have an error. The names are
// those that are not the usual, as in namer.types.
func goRecords(goarch string, structs []model.Struct, names map[string]string, types typeTable, asked *overrides) (goLayout, error) {
	arch, ok := model.ArchByName(goarch)
	if !ok {
		return goLayout{}, fmt.Errorf("%s is no GOARCH of linux", goarch)
	}
	l := goLayout{arch, map[string]model.Struct{}, map[string]*goRecord{}, names, types, asked}
	for _, s := range structs {
		l.structs[s.Name] = s
	}
	for _, s := range structs {
		l.record(s.Name)
	}
	return l, asked.errs.join()
}

// A goLayout finds the Go types of the records of an architecture.
type goLayout struct {
	arch    model.Arch
	structs map[string]model.Struct
	records map[string]*goRecord
	names   map[string]string // as in namer.types
	types   typeTable
	asked   *overrides
}

func (l goLayout) record(c string) *goRecord {
	if r := l.records[c]; r != nil {
		return r
	}
	r := &goRecord{err: fmt.Errorf("%s: %s contains itself", l.structs[c].Pos, cName(c))} // until known better
	l.records[c] = r
	*r = l.layout(l.structs[c], l.typeName(c), c, identifier(c))
	return r
}

// typeName is the Go name of a record that has one in C.
func (l goLayout) typeName(c string) string { return cmp.Or(l.names[c], typeName(c)) }

// memberTypeName is the Go name of what belongs to a member: its type, or its
// offset. The key tells it from others, for namer.types.
func (l goLayout) memberTypeName(key, outer, member string) string {
	return outer + l.names[key] + member
}

// wordAlign is the alignment of the 8-byte types.
func (l goLayout) wordAlign() int64 {
	return int64(l.arch.Bits / 8)
}

// A goType is a Go type with its alignment and the size of the largest number
// in it.
type goType struct {
	text   string
	align  int64
	scalar int64
	own    bool // the user's
}

// typeOf finds the Go type of t, which is that of the member f or of an element
// of it. A record without a name in C gets one, and is added to r.
func (r *recordLayout) typeOf(t model.Type, f model.Field) (goType, error) {
	g, err := r.plainType(t, f)
	if err != nil {
		return g, err
	}
	if text, ok := r.ofTypedef(t); ok {
		g.text, g.own = text, true
	} else if name := r.named(t); name != "" {
		g.text = name
	}
	return g, nil
}

// plainType is typeOf for a type that has no name of its own in Go.
func (r *recordLayout) plainType(t model.Type, f model.Field) (goType, error) {
	number := func(text string) (goType, error) {
		return goType{text: text, align: min(t.Size, r.wordAlign()), scalar: t.Size}, nil
	}
	declared, ok := r.structs[t.Record]
	power := t.Size == 1 || t.Size == 2 || t.Size == 4 || t.Size == 8
	switch {
	case t.Kind == model.Bool && t.Size == 1:
		return number("bool")
	case t.Kind == model.Char && t.Size == 1:
		return number("byte") // so that it has the same sign everywhere
	case t.Kind == model.Int && power:
		return number(fmt.Sprintf("int%d", 8*t.Size))
	case t.Kind == model.Uint && power:
		return number(fmt.Sprintf("uint%d", 8*t.Size))
	case (t.Kind == model.Int || t.Kind == model.Uint) && t.Size == 16:
		return goType{text: "[2]uint64", align: r.wordAlign(), scalar: 8}, nil
	case t.Kind == model.Float && (t.Size == 4 || t.Size == 8):
		return number(fmt.Sprintf("float%d", 8*t.Size))
	case t.Kind == model.Float && t.Size > 0:
		return goType{text: fmt.Sprintf("[%d]byte", t.Size), align: 1, scalar: 1}, nil
	case (t.Kind == model.Pointer || t.Kind == model.FuncPointer) && t.Size == int64(r.arch.Bits/8):
		return number("uintptr")
	case t.Kind == model.Array && t.Elem != nil && t.Elem.Size > 0 && t.Size == t.Elem.Size*t.Len && t.Len <= maxSize:
		elem, err := r.typeOf(*t.Elem, f)
		elem.text = fmt.Sprintf("[%d]%s", t.Len, elem.text)
		return elem, err
	case t.Kind == model.Record && t.Inline != nil && t.Inline.Size == t.Size:
		key := fmt.Sprintf("the member %s of %s", f.Name, r.out.key)
		name := r.memberTypeName(key, r.out.Name, memberName(f.Name, r.siblings))
		inline := r.layout(*t.Inline, name, key, r.path+"."+f.Name)
		r.inner = append(r.inner, inline.types...)
		return goType{text: name, align: inline.align, scalar: inline.scalar}, inline.err
	case t.Kind == model.Record && t.Inline == nil && ok && t.Size == declared.Size:
		record := r.record(t.Record)
		return goType{text: r.typeName(t.Record), align: record.align, scalar: record.scalar}, record.err
	}
	return goType{}, r.errorf(f.Pos, "member %s: there is no Go type for %s of %d bytes", f.Name, t.C, t.Size)
}

// plainTypes are the C types that the Go type of a field tells.
var plainTypes = []string{
	"_Bool", "bool", "char", "signed char", "unsigned char",
	"short", "unsigned short", "int", "unsigned int", "long long", "unsigned long long",
	"__s8", "__u8", "__s16", "__u16", "__s32", "__u32", "__s64", "__u64", "__aligned_s64", "__aligned_u64",
	"int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t",
}

// tellingType is the C type of a field if it says more than Go's does: what a
// pointer points at, the names of an enum, the byte order of a __be32.
func tellingType(t model.Type) string {
	t = t.Innermost()
	if t.Kind == model.Record || slices.Contains(plainTypes, t.C) {
		return ""
	}
	return t.C
}

// telling is tellingType of a member whose Go type may have a name from C.
func (r *recordLayout) telling(m member) string {
	if !m.own && r.named(m.Type.Innermost()) != "" {
		return ""
	}
	return tellingType(m.Type)
}

// withType names a member for a comment, with its C type if that has a name.
func withType(f model.Field) string {
	switch {
	case f.Type.Innermost().Inline != nil:
		return f.Name
	case f.Bits != nil:
		return fmt.Sprintf("%s (%s:%d)", f.Name, f.Type.C, f.Bits.Width)
	}
	return fmt.Sprintf("%s (%s)", f.Name, f.Type.C)
}

// A bitPiece is the part of a bit-field that one byte holds: the bits of Mask.
// Bit n of the byte is bit n+Shift of the value.
type bitPiece struct {
	Byte  int64
	Mask  byte
	Shift int64
}

// bitPieces splits a bit-field into the bytes that hold it, which are counted
// like its Offset.
func bitPieces(b model.Bits, bigEndian bool) []bitPiece {
	var pieces []bitPiece
	end := b.Offset + b.Width
	for i := b.Offset / 8; 8*i < end; i++ {
		first, last := max(b.Offset-8*i, 0), min(end-8*i, 8)
		p := bitPiece{Byte: i, Mask: byte(0xff<<first) & byte(0xff>>(8-last)), Shift: 8*i - b.Offset}
		if bigEndian { // the first bit is the highest, of the byte and of the value
			p.Mask, p.Shift = bits.Reverse8(p.Mask), end-8*(i+1)
		}
		pieces = append(pieces, p)
	}
	return pieces
}
