package model

import (
	"fmt"
	"go/constant"
	"slices"
)

// A Pos is the place of a declaration, named as #include names the header.
// Line counts as in the installed header, where the kernel's own parts are
// cut out. The zero Line means that the place differs between architectures.
type Pos struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
}

func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// A Base is how the header writes a number, so that Go can write it alike.
type Base uint8

const (
	Decimal Base = iota
	Hex          // hexadecimal literals, shifts to the left, ioctl numbers
	Octal
)

// A Const is an object-like macro or an enumerator with its value at the end
// of the translation unit.
type Const struct {
	Name  string
	Value constant.Value // Int or String
	Type  string         // the C type: "int", "unsigned long long", "char[]" for a string
	Base  Base
	Enum  string // the enum of an enumerator: "enum pid_type", the typedef's name when there is no tag, or "enum"; "" for a macro
	Gap   bool   // set apart from the constant before it in the header
	Arg   string // of an ioctl that Group.Ioctls asks for, the Struct.Name of its argument
	Words
	Pos Pos
}

// Words is what to say of a declaration for a person: with which release it
// came, as in Origins, which of a member is said if it differs from that of its
// struct; and the comments of the header on it.
type Words struct {
	Since string `json:"since,omitempty"`
	Doc   string `json:"-"` // on the declaration
	Above string `json:"-"` // above it and others that follow
}

// A Kind is what a C type is to Go.
type Kind uint8

const (
	Invalid Kind = iota
	Bool
	Char // plain char, whose sign differs between architectures
	Int  // any signed integer or enum
	Uint // any unsigned integer or enum
	Float
	Pointer
	FuncPointer
	Array
	Record // struct or union
)

// A Type is a C object type with its size and alignment in bytes on one
// architecture.
type Type struct {
	Kind   Kind    `json:"kind"`
	C      string  `json:"c"` // as C spells it, typedefs kept: "__aligned_u64", "struct timespec *"
	Size   int64   `json:"size"`
	Align  int64   `json:"align"`
	Elem   *Type   `json:"elem,omitempty"`   // of an Array
	Len    int64   `json:"len,omitempty"`    // of an Array
	Record string  `json:"record,omitempty"` // the Struct.Name of a struct or union that stands on its own
	Enum   string  `json:"enum,omitempty"`   // the NamedType.Name of an enum
	Inline *Struct `json:"inline,omitempty"` // a struct or union without a name, which exists only here
}

// A Field is a member of a struct or union.
type Field struct {
	Name     string `json:"name,omitempty"`     // "" for an anonymous struct or union member
	Type     Type   `json:"type"`               // of a bit-field, its declared type
	Offset   int64  `json:"offset"`             // in bytes; of a bit-field, the first byte that it touches
	Flexible bool   `json:"flexible,omitempty"` // a trailing array without a length of its own: T x[] or T x[0]
	Bits     *Bits  `json:"bits,omitempty"`     // nil unless this is a bit-field
	Words
	Pos Pos `json:"pos"`
}

// Bits locates a bit-field. Offset counts bits from the start of the record
// in the order in which C allocates them: from the least significant bit of
// each byte on little-endian machines, from the most significant on
// big-endian ones.
type Bits struct {
	Offset int64 `json:"offset"`
	Width  int64 `json:"width"`
}

// A Struct is a struct or union with its layout on one architecture.
type Struct struct {
	Name   string  `json:"name,omitempty"` // "struct clone_args", "union bpf_attr", or the typedef's name when there is no tag; "" if inline
	Union  bool    `json:"union,omitempty"`
	Size   int64   `json:"size"`
	Align  int64   `json:"align"`
	Fields []Field `json:"fields"`
	Words
	Pos Pos `json:"pos"`
}

// A NamedType is a typedef, or an enum that has a name, on one architecture. A
// typedef of a struct or union without a tag is none, for that is a Struct.
type NamedType struct {
	Name string `json:"name"` // of the typedef; "enum pid_type", or the typedef's name when there is no tag
	Type Type   `json:"type"` // what a typedef stands for; of an enum, the integer
	Words
	Pos Pos `json:"pos"`
}

// IsEnum reports whether t is an enum, and no typedef of one.
func (t NamedType) IsEnum() bool { return t.Type.Enum == t.Name }

// A Skip is a name that got no declaration, and why.
type Skip struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Pos    Pos    `json:"pos"`
}

// A Header is one header of a Group and the names wanted from it.
type Header struct {
	Path string // as #include names it: "linux/sched.h"
	// Prefixes keeps the constants whose names begin with one of them, and
	// the structs whose tags do, upper and lower case alike. All are kept if
	// Names is empty too.
	Prefixes []string
	// Names keeps exactly these constants, besides those that Prefixes keeps.
	Names []string
}

// A Group is the headers that make one set of output files. They are read in
// this order as one translation unit.
type Group struct {
	Name    string // names the files: z<name>.go and so on
	Headers []Header
	Exclude []string // patterns of names that are left out
	Define  []string // macros that are defined before all headers: "NAME VALUE"
	Include []string // headers that are read before all others
	Table   string   // a Go variable with the constants of the group, if one is wanted
	// Comments are wanted: those of the headers, in Words.
	Comments bool
	Funcs    []FuncWish
	Ioctls   []string // patterns of the ioctls whose arguments are wanted
}

// A Behind is a header behind those of a group that has names with a prefix that
// the group asks for.
type Behind struct {
	Prefix, File string
	Names        int
}

// A Unit is what one Group declares on one architecture. Consts and Structs
// follow the order of the headers and of the lines in them; a struct of
// another header that a field needs comes before those of the Group.
type Unit struct {
	Arch    string // GOARCH
	Group   Group
	Consts  []Const
	Structs []Struct
	Types   []NamedType // in the order of the headers and of the lines in them
	Funcs   []Func      // macros that Group.Funcs asks for
	Skips   []Skip
	Behind  []Behind // where else the prefixes of the group lead
	Before  []string // headers read before those of the Group, which use names of theirs without including them
	// Licences of the headers whose comments are in Words, by name.
	Licences map[string]string
}

// Reasons of skips that are no loss.
const (
	SkipEmpty        = "empty"
	SkipFunctionLike = "function-like macro"
	SkipExcluded     = "left out by -exclude"
)

// At returns s with all its positions replaced.
func (s Struct) At(p Pos) Struct {
	s.Pos = p
	s.Fields = slices.Clone(s.Fields)
	for i := range s.Fields {
		f := &s.Fields[i]
		f.Pos = p
		f.Type = f.Type.At(p)
	}
	return s
}

// At returns t with all positions in it replaced.
func (t Type) At(p Pos) Type {
	if t.Inline != nil {
		inline := t.Inline.At(p)
		t.Inline = &inline
	}
	if t.Elem != nil {
		elem := t.Elem.At(p)
		t.Elem = &elem
	}
	return t
}

// Innermost is what arrays of arrays consist of.
func (t Type) Innermost() Type {
	for t.Kind == Array && t.Elem != nil {
		t = *t.Elem
	}
	return t
}

// SameValue reports whether a and b are equal, as numbers or as strings.
func SameValue(a, b constant.Value) bool {
	return a.Kind() == b.Kind() && a.ExactString() == b.ExactString()
}
