package model

import (
	"bytes"
	"go/constant"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"
)

// Shorthands for models by hand.

func intConst(name string, value int64, at Pos) Const {
	return Const{Name: name, Value: constant.MakeInt64(value), Type: "int", Base: Hex, Pos: at}
}

func uintField(name string, size, offset int64) Field {
	c := map[int64]string{1: "__u8", 2: "__u16", 4: "__u32", 8: "__u64"}[size]
	return Field{Name: name, Type: Type{Kind: Uint, C: c, Size: size, Align: size}, Offset: offset}
}

func bitField(name string, offset, width int64) Field {
	return Field{Name: name, Type: Type{Kind: Uint, C: "__u32", Size: 4, Align: 4}, Offset: offset / 8, Bits: &Bits{offset, width}}
}

func inlineField(name string, offset int64, union bool, fields ...Field) Field {
	return Field{Name: name, Offset: offset, Type: Type{Kind: Record, C: "struct", Size: 8, Align: 8, Inline: &Struct{Union: union, Size: 8, Align: 8, Fields: fields}}}
}

func arrayField(name string, offset, length int64, elem Type) Field {
	return Field{Name: name, Offset: offset, Type: Type{Kind: Array, C: elem.C + "[]", Size: length * elem.Size, Align: elem.Align, Elem: &elem, Len: length}}
}

func oneStruct(size int64, fields ...Field) Struct {
	return Struct{Name: "struct s", Size: size, Align: 8, Fields: fields, Pos: Pos{"linux/s.h", 1}}
}

func unit(arch string, consts []Const, structs ...Struct) Unit {
	return Unit{Arch: arch, Group: Group{Name: "g"}, Consts: consts, Structs: structs}
}

// TestDiffFields names what differs between two structs, as printed.
func TestDiffFields(t *testing.T) {
	for name, c := range map[string]struct {
		old, new []Field
		want     []string // name, change, old and new place
	}{
		"nothing": {[]Field{uintField("a", 4, 0)}, []Field{uintField("a", 4, 0)}, nil},
		"appended": {[]Field{uintField("a", 4, 0)}, []Field{uintField("a", 4, 0), uintField("b", 4, 4)},
			[]string{"b added at 4"}},
		"moved by a field before it": {
			[]Field{uintField("a", 4, 0), uintField("mask", 8, 8)},
			[]Field{uintField("a", 4, 0), uintField("code", 4, 8), uintField("mask", 8, 16)},
			[]string{"code added at 8", "mask changed at 8 -> 16"}},
		"retyped": {[]Field{uintField("a", 4, 0)}, []Field{uintField("a", 2, 0)},
			[]string{"a changed at 0"}},
		"removed": {[]Field{uintField("a", 4, 0), uintField("b", 4, 4)}, []Field{uintField("b", 4, 4)},
			[]string{"a removed at 0"}},
		"taken into a union without a name": {
			[]Field{uintField("a", 8, 8)},
			[]Field{inlineField("", 8, true, uintField("a", 8, 0), uintField("b", 4, 4))},
			[]string{"b added at 12"}},
		"inside a member of a type without a name": {
			[]Field{inlineField("u", 8, false, uintField("a", 4, 0))},
			[]Field{inlineField("u", 8, false, uintField("a", 4, 4))},
			[]string{"u.a changed at 8 -> 12"}},
		"inside an array": {
			[]Field{arrayField("v", 8, 2, inlineField("", 0, false, uintField("a", 4, 0)).Type)},
			[]Field{arrayField("v", 8, 2, inlineField("", 0, false, uintField("a", 4, 4)).Type)},
			[]string{"v[].a changed at 8 -> 12"}},
		"bit-fields": {
			[]Field{bitField("a", 0, 3), bitField("b", 3, 5), bitField("", 8, 24)},
			[]Field{bitField("a", 0, 3), bitField("c", 3, 1), bitField("b", 4, 5), bitField("", 9, 23)},
			[]string{"c added at bit 3", "b changed at bit 3 -> bit 4"}},
		"wider bit-field": {[]Field{bitField("a", 0, 3)}, []Field{bitField("a", 0, 4)},
			[]string{"a changed at bit 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range diffFields(oneStruct(16, c.old...), oneStruct(16, c.new...)) {
				at := f.Old
				if at == nil {
					at = f.New
				}
				text := at.offset()
				if f.Change == changed {
					text = arrow(f.Old.offset(), f.New.offset())
				}
				got = append(got, f.Name+" "+f.Change+" at "+text)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestDiffIgnoresPlaces: what a program sees is the name and the value.
func TestDiffIgnoresPlaces(t *testing.T) {
	x, y := Pos{"linux/x.h", 3}, Pos{"linux/y.h", 9}
	for name, c := range map[string]struct{ old, new []Const }{
		"another line":   {[]Const{intConst("A", 1, x)}, []Const{intConst("A", 1, Pos{"linux/x.h", 8})}},
		"another header": {[]Const{intConst("A", 1, x)}, []Const{intConst("A", 1, y)}},
		"another base":   {[]Const{intConst("A", 1, x)}, []Const{{Name: "A", Value: constant.MakeInt64(1), Base: Octal, Pos: x}}},
		"one header of two is left": {
			[]Const{intConst("A", 1, x), intConst("A", 1, y)}, []Const{intConst("A", 1, y)}},
		"two values in two headers, in another order": {
			[]Const{intConst("A", 1, x), intConst("A", 2, y)}, []Const{intConst("A", 2, y), intConst("A", 1, x)}},
	} {
		t.Run(name, func(t *testing.T) {
			d := Diff([]Unit{unit("amd64", c.old)}, []Unit{unit("amd64", c.new)})
			if !d.Empty() {
				t.Errorf("got %+v, want no difference", d.Consts)
			}
			back := Diff([]Unit{unit("amd64", c.new)}, []Unit{unit("amd64", c.old)})
			if !back.Empty() {
				t.Errorf("backwards: got %+v, want no difference", back.Consts)
			}
		})
	}
}

func TestDiffKeepsHeadersApart(t *testing.T) {
	x, y := Pos{"linux/x.h", 3}, Pos{"linux/y.h", 9}
	d := Diff(
		[]Unit{unit("amd64", []Const{intConst("A", 1, x), intConst("A", 2, y)})},
		[]Unit{unit("amd64", []Const{intConst("A", 1, x), intConst("A", 3, y)})})
	if len(d.Consts) != 1 || d.Consts[0].pos.File != "linux/y.h" || formatChange(d.Consts[0]) != "0x2 -> 0x3" {
		t.Errorf("got %+v, want only A of linux/y.h from 2 to 3", d.Consts)
	}
}

// A constant that had another value on each architecture has changed on each.
func TestDiffKeepsOldValuesApart(t *testing.T) {
	x := Pos{"linux/x.h", 3}
	of := func(value int64) []Const { return []Const{intConst("A", value, x)} }
	d := Diff(
		[]Unit{unit("amd64", of(1)), unit("arm64", of(2)), unit("s390x", of(1))},
		[]Unit{unit("amd64", of(3)), unit("arm64", of(3)), unit("s390x", of(3))})
	var got []string
	for _, c := range d.Consts {
		got = append(got, formatChange(c)+" on "+strings.Join(c.Arches, " "))
	}
	if want := []string{"0x1 -> 0x3 on amd64 s390x", "0x2 -> 0x3 on arm64"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// diffExample is two models with everything that a report shows.
func diffExample() ModelDiff {
	at := func(line int) Pos { return Pos{"linux/tool.h", line} }
	nr := func(name string, value int64) Const {
		return Const{Name: "__NR_" + name, Value: constant.MakeInt64(value), Pos: Pos{"asm/unistd.h", int(value)}}
	}
	text := func(s string) Const { return Const{Name: "TOOL_NAME", Value: constant.MakeString(s), Pos: at(9)} }
	tool := func(size int64, fields ...Field) Struct {
		return Struct{Name: "struct tool_info", Size: size, Align: 8, Fields: fields, Pos: at(20)}
	}
	gone := Struct{Name: "struct tool_old", Size: 4, Align: 4, Pos: at(30)}
	fresh := Struct{Name: "union tool_new", Union: true, Size: 8, Align: 8, Pos: at(31)}
	var old, new []Unit
	for _, arch := range []string{"amd64", "arm", "mips", "mipsle"} {
		base, flag, linux := int64(0), int64(0x80), []Const(nil)
		if arch == "mips" || arch == "mipsle" {
			base, flag = 4000, 0x400
			linux = []Const{nr("Linux", base)}
		}
		old = append(old, unit(arch, append(linux,
			intConst("TOOL_A", 1, at(3)), intConst("TOOL_GONE", 2, at(4)), intConst("TOOL_FLAG", flag, at(5)), text("old"),
			nr("read", base+1), nr("syscalls", base+2),
		), gone, tool(16, uintField("mask", 8, 0), uintField("spare", 4, 8))))
		new = append(new, unit(arch, append(linux,
			intConst("TOOL_A", 1, at(13)), intConst("TOOL_FLAG", 2*flag, at(15)), intConst("TOOL_B", 1<<40, at(16)), text("new"),
			nr("read", base+1), nr("tool", base+2), nr("syscalls", base+3),
		), fresh, tool(24, uintField("mask", 8, 0), uintField("code", 4, 8), uintField("spare", 8, 16))))
	}
	new[0].Consts = append(new[0].Consts, intConst("TOOL_AMD64", 1, at(17)))
	d := Diff(old, new)
	d.Old, d.New = "7.0", "7.1"
	return d
}

func TestDiffForPeople(t *testing.T) {
	var got bytes.Buffer
	PrintDiff(&got, diffExample())
	gentest.Golden(t, "diff.txtar", "diff.txt", got.Bytes())
}

func TestDiffForPrograms(t *testing.T) {
	var got bytes.Buffer
	if err := WriteDiffJSON(&got, diffExample()); err != nil {
		t.Fatal(err)
	}
	gentest.Golden(t, "diff.txtar", "diff.json", got.Bytes())
}

func TestNoDifferenceSaysSo(t *testing.T) {
	var got bytes.Buffer
	PrintDiff(&got, ModelDiff{Old: "7.2", New: "7.3", Arches: []string{"amd64"}})
	if want := "Linux 7.2 and 7.3 declare the same on 1 architecture.\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

func TestArchNote(t *testing.T) {
	all := []string{"386", "amd64", "arm", "mips", "s390x"}
	for _, c := range []struct {
		list []string
		want string
	}{
		{all, ""},
		{all[:1], "on 386"},
		{all[1:3], "on amd64, arm"},
		{all[:4], "on all but s390x"},
	} {
		if got := archNote(c.list, all); got != c.want {
			t.Errorf("%v: got %q, want %q", c.list, got, c.want)
		}
	}
}
