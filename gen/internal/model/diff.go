package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/constant"
	"maps"
	"slices"
	"strings"
)

// A ModelDiff is what differs between the declarations of two kernels. It
// knows no lines: what only moves to another place or header is no change.
type ModelDiff struct {
	Old, New string   // the versions
	Arches   []string // that were compared, sorted
	Syscalls []ConstDiff
	Consts   []ConstDiff
	Structs  []StructDiff

	bases map[string]constant.Value // of the system calls of an architecture, if it counts them from elsewhere than 0
}

// Changes, as programs read them.
const (
	removed = "removed"
	changed = "changed"
	added   = "added"
)

// A ConstDiff is a constant that differs, alike on all of Arches. A constant
// that differs in several ways has several.
type ConstDiff struct {
	Name     string
	Change   string
	Old, New constant.Value // nil where there is none
	Arches   []string
	base     Base
	pos      Pos
}

// A StructDiff is a struct or union that differs, alike on all of Arches.
type StructDiff struct {
	Name   string      `json:"name"`
	Change string      `json:"change"`
	Old    *Extent     `json:"old,omitempty"`
	New    *Extent     `json:"new,omitempty"`
	Fields []FieldDiff `json:"fields,omitempty"` // of a changed struct
	Arches []string    `json:"arches,omitempty"`
	Header string      `json:"header,omitempty"`
	pos    Pos
}

// An Extent is the size of a struct in bytes, and its alignment where that
// changed.
type Extent struct {
	Size  int64 `json:"size"`
	Align int64 `json:"align,omitempty"`
}

// A FieldDiff is a field that differs. The fields of members without a name
// count as those of the struct, like in C; those of members whose type has no
// name are called u.x, and u[].x in an array.
type FieldDiff struct {
	Name   string `json:"name"`
	Change string `json:"change"`
	Old    *Place `json:"old,omitempty"`
	New    *Place `json:"new,omitempty"`
}

// A Place is where a field is and what it is.
type Place struct {
	Offset int64  `json:"offset"` // in bytes from the start of the outermost struct
	Size   int64  `json:"size"`
	Type   string `json:"type"`
	Bits   *Bits  `json:"bits,omitempty"`
}

// Diff compares the units of two kernels for the same architectures.
func Diff(old, new []Unit) ModelDiff {
	d := ModelDiff{bases: map[string]constant.Value{}}
	oldArches, newArches := unitsByArch(old), unitsByArch(new)
	for _, arch := range slices.Sorted(maps.Keys(oldArches)) {
		if _, ok := newArches[arch]; ok {
			d.Arches = append(d.Arches, arch)
		}
	}
	var consts []ConstDiff
	var structs []StructDiff
	for _, arch := range d.Arches {
		a, b := oldArches[arch], newArches[arch]
		for _, c := range allConsts(b) {
			if c.Name == "__NR_Linux" {
				d.bases[arch] = c.Value
			}
		}
		for _, p := range pairUp(allConsts(a), allConsts(b), Const.place, sameConst) {
			consts = append(consts, diffConst(p, arch))
		}
		for _, p := range pairUp(allStructs(a), allStructs(b), Struct.place, sameStruct) {
			structs = append(structs, diffStruct(p, arch))
		}
	}
	for _, c := range shareArches(consts, ConstDiff.place, (*ConstDiff).share) {
		if isSyscall(c.Name) {
			d.Syscalls = append(d.Syscalls, c)
		} else if !isSyscallCount(c.Name) {
			d.Consts = append(d.Consts, c)
		}
	}
	d.Structs = shareArches(structs, StructDiff.place, (*StructDiff).share)
	return d
}

// Empty reports whether nothing differs.
func (d ModelDiff) Empty() bool { return len(d.Syscalls)+len(d.Consts)+len(d.Structs) == 0 }

// isSyscall tells the numbers of system calls from other names of
// asm/unistd.h, such as __NR_Linux and __NR_SYSCALL_BASE.
func isSyscall(name string) bool {
	call, ok := strings.CutPrefix(name, "__NR_")
	return ok && call == strings.ToLower(call) && !isSyscallCount(name)
}

// isSyscallCount tells the macros that count the system calls. They say
// nothing that the calls themselves do not say.
func isSyscallCount(name string) bool {
	return name == "__NR_syscalls" || strings.HasPrefix(name, "__NR_Linux_syscalls")
}

func unitsByArch(units []Unit) map[string][]Unit {
	m := map[string][]Unit{}
	for _, u := range units {
		m[u.Arch] = append(m[u.Arch], u)
	}
	return m
}

func allConsts(units []Unit) (all []Const) {
	for _, u := range units {
		all = append(all, u.Consts...)
	}
	return all
}

func allStructs(units []Unit) (all []Struct) {
	for _, u := range units {
		all = append(all, u.Structs...)
	}
	return all
}

func (c Const) place() (string, Pos)      { return c.Name, c.Pos }
func (s Struct) place() (string, Pos)     { return s.Name, s.Pos }
func (c ConstDiff) place() (string, Pos)  { return c.Name, c.pos }
func (s StructDiff) place() (string, Pos) { return s.Name, s.pos }

// A pair is what a name stands for in the old kernel and in the new one; one
// of them may be nil.
type pair[T any] struct{ old, new *T }

// pairUp pairs the declarations of each name and returns the pairs that
// differ, by name. Several headers can declare the same name; then those of
// the same header make a pair, and where only other headers are left, those.
func pairUp[T any](old, new []T, place func(T) (string, Pos), same func(a, b T) bool) []pair[T] {
	var pairs []pair[T]
	olds, news := byName(old, place), byName(new, place)
	names := maps.Clone(olds)
	maps.Copy(names, news)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := slices.Clone(olds[name]), slices.Clone(news[name])
		meet := func(match func(x, y T) bool) {
			a = slices.DeleteFunc(a, func(x T) bool {
				i := slices.IndexFunc(b, func(y T) bool { return match(x, y) })
				if i < 0 {
					return false
				}
				if y := b[i]; !same(x, y) {
					pairs = append(pairs, pair[T]{&x, &y})
				}
				b = slices.Delete(b, i, i+1)
				return true
			})
		}
		meet(func(x, y T) bool {
			_, p := place(x)
			_, q := place(y)
			return p.File == q.File
		})
		// What another header still declares alike is neither gone nor new.
		isOld := func(y T) bool { return slices.ContainsFunc(olds[name], func(x T) bool { return same(x, y) }) }
		isNew := func(x T) bool { return slices.ContainsFunc(news[name], func(y T) bool { return same(x, y) }) }
		a, b = slices.DeleteFunc(a, isNew), slices.DeleteFunc(b, isOld)
		meet(func(x, y T) bool { return true })
		for _, x := range a {
			pairs = append(pairs, pair[T]{old: &x})
		}
		for _, y := range b {
			pairs = append(pairs, pair[T]{new: &y})
		}
	}
	return pairs
}

// byName collects the declarations of each name, one from each header.
func byName[T any](list []T, place func(T) (string, Pos)) map[string][]T {
	m := map[string][]T{}
	for _, v := range list {
		name, pos := place(v)
		if !slices.ContainsFunc(m[name], func(w T) bool { _, p := place(w); return p.File == pos.File }) {
			m[name] = append(m[name], v)
		}
	}
	return m
}

// shareArches joins the differences that are the same but for their
// architectures, and sorts them by their place on the first of these.
func shareArches[T any](diffs []T, place func(T) (string, Pos), share func(*T) (key string, arches *[]string)) []T {
	var joined []T
	index := map[string]int{}
	first := map[string]Pos{}
	for _, d := range diffs {
		name, pos := place(d)
		if _, ok := first[name]; !ok {
			first[name] = pos
		}
		key, arches := share(&d)
		if i, ok := index[key]; ok {
			_, all := share(&joined[i])
			*all = append(*all, *arches...)
			continue
		}
		index[key] = len(joined)
		joined = append(joined, d)
	}
	slices.SortStableFunc(joined, func(a, b T) int {
		x, _ := place(a)
		y, _ := place(b)
		return cmp.Or(cmp.Compare(first[x].File, first[y].File), cmp.Compare(first[x].Line, first[y].Line), cmp.Compare(x, y))
	})
	return joined
}

// share returns what has to be alike for architectures to share a difference.
func (c *ConstDiff) share() (key string, arches *[]string) {
	return fmt.Sprintf("%s %s %v %v", c.Name, c.Change, c.Old, c.New), &c.Arches
}

func (s *StructDiff) share() (key string, arches *[]string) {
	data, _ := json.Marshal(StructDiff{Name: s.Name, Change: s.Change, Old: s.Old, New: s.New, Fields: s.Fields})
	return string(data), &s.Arches
}

func sameConst(a, b Const) bool {
	return SameValue(a.Value, b.Value)
}

func diffConst(p pair[Const], arch string) ConstDiff {
	d := ConstDiff{Arches: []string{arch}}
	if p.old != nil {
		d.Name, d.Change, d.Old, d.base, d.pos = p.old.Name, removed, p.old.Value, p.old.Base, p.old.Pos
	}
	if p.new != nil {
		d.Name, d.Change, d.New, d.base, d.pos = p.new.Name, added, p.new.Value, p.new.Base, p.new.Pos
	}
	if p.old != nil && p.new != nil {
		d.Change = changed
	}
	return d
}

func sameStruct(a, b Struct) bool {
	return a.Size == b.Size && a.Align == b.Align && len(diffFields(a, b)) == 0
}

func diffStruct(p pair[Struct], arch string) StructDiff {
	d := StructDiff{Arches: []string{arch}}
	if p.old != nil {
		d.Name, d.Change, d.Old, d.pos = p.old.Name, removed, &Extent{Size: p.old.Size}, p.old.Pos
	}
	if p.new != nil {
		d.Name, d.Change, d.New, d.pos = p.new.Name, added, &Extent{Size: p.new.Size}, p.new.Pos
	}
	if p.old != nil && p.new != nil {
		d.Change, d.Fields = changed, diffFields(*p.old, *p.new)
		if p.old.Align != p.new.Align {
			d.Old.Align, d.New.Align = p.old.Align, p.new.Align
		}
	}
	d.Header = d.pos.File
	return d
}

// diffFields compares the fields of two structs by name, and sorts what
// differs by where it is now.
func diffFields(old, new Struct) []FieldDiff {
	var diffs []FieldDiff
	olds, news := flattenFields(old.Fields, "", 0), flattenFields(new.Fields, "", 0)
	for name, o := range olds {
		if n, ok := news[name]; !ok {
			diffs = append(diffs, FieldDiff{name, removed, &o, nil})
		} else if !samePlace(o, n) {
			diffs = append(diffs, FieldDiff{name, changed, &o, &n})
		}
	}
	for name, n := range news {
		if _, ok := olds[name]; !ok {
			diffs = append(diffs, FieldDiff{name, added, nil, &n})
		}
	}
	slices.SortFunc(diffs, func(a, b FieldDiff) int {
		p, q := cmp.Or(a.New, a.Old), cmp.Or(b.New, b.Old)
		return cmp.Or(cmp.Compare(p.firstBit(), q.firstBit()), cmp.Compare(a.Name, b.Name))
	})
	return diffs
}

func (p Place) firstBit() int64 {
	if p.Bits != nil {
		return p.Bits.Offset
	}
	return p.Offset * 8
}

func samePlace(a, b Place) bool {
	sameBits := a.Bits == b.Bits || a.Bits != nil && b.Bits != nil && *a.Bits == *b.Bits
	a.Bits, b.Bits = nil, nil
	return sameBits && a == b
}

// flattenFields lists fields by name with those of their members that have no type
// to be found under its own name. Bit-fields without a name are padding.
func flattenFields(fields []Field, prefix string, base int64) map[string]Place {
	flat := map[string]Place{}
	for _, f := range fields {
		name := prefix + f.Name
		if in := f.Type.Inline; in != nil {
			if f.Name != "" {
				name += "."
			}
			maps.Copy(flat, flattenFields(in.Fields, name, base+f.Offset))
			continue
		}
		if f.Name == "" {
			continue
		}
		p := Place{Offset: base + f.Offset, Size: f.Type.Size, Type: f.Type.C}
		if f.Bits != nil {
			p.Bits = &Bits{Offset: base*8 + f.Bits.Offset, Width: f.Bits.Width}
		}
		flat[name] = p
		elem := &f.Type
		for elem.Elem != nil {
			elem, name = elem.Elem, name+"[]"
		}
		if elem.Inline != nil {
			maps.Copy(flat, flattenFields(elem.Inline.Fields, name+".", p.Offset))
		}
	}
	return flat
}
