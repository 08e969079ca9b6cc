package model

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Origins tells with which release of Linux names came, by architecture: "7.1",
// or "6.13 to 7.1" where all that is known is that it was one of these, or "to 7.1"
// where an architecture is known from 7.1 on. What has always been there, as far
// as is known, is not in it. The name is that of a constant or a struct in C, or
// a FieldName.
type Origins map[string]map[string]string

// Set notes when an architecture got a name.
func (o Origins) Set(arch, name, since string) {
	if o[arch] == nil {
		o[arch] = map[string]string{}
	}
	o[arch][name] = since
}

// FieldName names a member of a struct: "struct bpf_attr.prog_flags". Members
// of members without a name are those of the struct, as in C; u.x is a member of
// a member u whose type has no name, and u[].x if that is an array.
func FieldName(record, path string) string { return record + "." + path }

// Names calls do with the names of everything that u declares.
func (u Unit) Names(do func(name string)) {
	u.EachWords(func(name string, _ *Words) { do(name) })
}

// EachWords calls do with the names of everything that u declares, and with
// what there is to say of it.
func (u Unit) EachWords(do func(name string, w *Words)) {
	for i := range u.Consts {
		do(u.Consts[i].Name, &u.Consts[i].Words)
	}
	for i := range u.Structs {
		s := &u.Structs[i]
		do(s.Name, &s.Words)
		eachField(s.Name, "", s.Fields, func(name string, f *Field) { do(name, &f.Words) })
	}
	for i := range u.Types {
		do(u.Types[i].Name, &u.Types[i].Words)
	}
	for i := range u.Funcs {
		do(FuncName(u.Funcs[i].Name), &u.Funcs[i].Words)
	}
}

// FuncName tells a macro that takes arguments from one that takes none.
func FuncName(name string) string { return name + "()" }

// Clone copies u so far that its names may be given other words.
func (u Unit) Clone() Unit {
	u.Consts, u.Structs = slices.Clone(u.Consts), slices.Clone(u.Structs)
	u.Types, u.Funcs = slices.Clone(u.Types), slices.Clone(u.Funcs)
	for i := range u.Structs {
		u.Structs[i].Fields = cloneFields(u.Structs[i].Fields)
	}
	return u
}

// Silent returns s without what its header and older kernels say of it.
func (s Struct) Silent() Struct {
	s.Words = Words{}
	s.Fields = silentFields(s.Fields)
	return s
}

func silentFields(fields []Field) []Field {
	fields = cloneFields(fields)
	for i := range fields {
		f := &fields[i]
		f.Words = Words{}
		for t := &f.Type; t != nil; t = t.Elem {
			if t.Inline != nil {
				inline := t.Inline.Silent()
				t.Inline = &inline
			}
		}
	}
	return fields
}

// Mark returns u with what o knows of its names. A member says something only
// if its struct was there before it.
func (u Unit) Mark(o Origins) Unit {
	since := o[u.Arch]
	if len(since) == 0 {
		return u
	}
	u = u.Clone()
	u.EachWords(func(name string, w *Words) {
		w.Since = since[name]
		if record, _, ok := strings.Cut(name, "."); ok && w.Since == since[record] && !strings.HasPrefix(w.Since, "to ") {
			w.Since = ""
		}
	})
	return u
}

// eachField calls do with the fields that have a name, and those of the types
// in them that have none.
func eachField(record, prefix string, fields []Field, do func(name string, f *Field)) {
	for i := range fields {
		f, inner := &fields[i], prefix
		t := &f.Type
		if f.Name != "" {
			do(FieldName(record, prefix+f.Name), f)
			inner += f.Name
			for ; t.Kind == Array && t.Elem != nil; t = t.Elem {
				inner += "[]"
			}
			inner += "."
		}
		if t.Inline != nil {
			eachField(record, inner, t.Inline.Fields, do)
		}
	}
}

// cloneFields copies fields and the types in them that have no name.
func cloneFields(fields []Field) []Field {
	fields = slices.Clone(fields)
	for i := range fields {
		fields[i].Type = fields[i].Type.clone()
	}
	return fields
}

func (t Type) clone() Type {
	if t.Inline != nil {
		inline := *t.Inline
		inline.Fields = cloneFields(inline.Fields)
		t.Inline = &inline
	}
	if t.Elem != nil {
		elem := t.Elem.clone()
		t.Elem = &elem
	}
	return t
}

// lastMinors are the last releases with these first numbers.
var lastMinors = map[int]int{2: 6, 3: 19, 4: 20, 5: 19, 6: 19}

// ReleaseRange says with which releases something can have come that absent
// lacks and present has. Without absent, it is all up to that.
func ReleaseRange(absent, present string) string {
	if absent == "" {
		return "to " + present
	}
	first := absent
	if major, minor, ok := splitRelease(absent); ok {
		if last, ok := lastMinors[major]; ok && minor >= last {
			major, minor = major+1, -1
		}
		first = fmt.Sprintf("%d.%d", major, minor+1)
	}
	if first == present {
		return present
	}
	return first + " to " + present
}

// splitRelease takes 7.1 apart.
func splitRelease(release string) (major, minor int, ok bool) {
	a, b, _ := strings.Cut(release, ".")
	major, err1 := strconv.Atoi(a)
	minor, err2 := strconv.Atoi(b)
	return major, minor, err1 == nil && err2 == nil
}

// JoinOrigins is what to say of a name that architectures have got with the
// releases that since tells, "" for those that have always had it: nothing, or
// "since Linux 7.1", or where they differ "since Linux 6.6 on arm64; 6.8 on
// riscv64". An architecture that is not known for so long says nothing against
// the others.
func JoinOrigins(since map[string]string) string {
	arches := map[string][]string{}
	for _, arch := range slices.Sorted(maps.Keys(since)) {
		if s := since[arch]; !strings.HasPrefix(s, "to ") {
			arches[s] = append(arches[s], arch)
		}
	}
	var parts []string
	for _, s := range slices.SortedFunc(maps.Keys(arches), compareRanges) {
		switch {
		case s == "":
		case len(arches) == 1:
			parts = append(parts, s)
		default:
			parts = append(parts, s+" on "+strings.Join(arches[s], ", "))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "since Linux " + strings.Join(parts, "; ")
}

// compareRanges orders ranges of releases by where they end, then by where they
// begin.
func compareRanges(a, b string) int {
	ends := func(r string) []int {
		first, last, ok := strings.Cut(r, " to ")
		if !ok {
			last = first
		}
		m1, n1, _ := splitRelease(last)
		m2, n2, _ := splitRelease(first)
		return []int{m1, n1, m2, n2}
	}
	return slices.Compare(ends(a), ends(b))
}
