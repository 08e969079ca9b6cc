package main

import (
	"go/constant"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// toolConsts are constants of every kind; some differ between architectures.
func toolConsts(a Arch) []Const {
	at := func(line int) Pos { return Pos{"linux/tool.h", line} }
	n := constant.MakeInt64
	nonblock, special, asm := Const{Name: "TOOL_NONBLOCK", Value: n(04000), Base: Octal, Pos: at(9)}, n(0xff01), Pos{"asm-generic/tool.h", 3}
	if a.Kernel == "mips" {
		nonblock.Value, nonblock.Base, asm = n(0x80), Hex, Pos{"asm/tool.h", 5}
	}
	if a.Kernel == "mips" || a.Kernel == "powerpc" {
		special = n(0x2000ff01)
	}
	consts := []Const{
		{Name: "TOOL_VERSION", Value: n(3), Pos: at(1)},
		{Name: "TOOL_NAME", Value: constant.MakeString("a \"tool\"\n\xff"), Pos: at(2)},
		{Name: "TOOL_SLOW", Value: n(1), Base: Hex, Gap: true, Pos: at(4)},
		{Name: "TOOL_TOP", Value: constant.MakeUint64(1 << 63), Base: Hex, Pos: at(5)},
		{Name: "TOOL_NOBODY", Value: n(-1), Base: Hex, Pos: at(6)},
		{Name: "TOOL_MODE", Value: n(0644), Base: Octal, Pos: at(7)},
		{Name: "TOOL_RDONLY", Value: n(0), Base: Octal, Pos: at(8)},
		nonblock,
		{Name: "_TOOL_GET", Value: special, Base: Hex, Pos: at(10)},
		{Name: "TOOL_HAMMER", Value: n(0), Enum: "enum tool_kind", Gap: true, Pos: at(12)},
		{Name: "TOOL_SAW", Value: n(1), Enum: "enum tool_kind", Pos: at(13)},
		{Name: "__TOOL_MAX", Value: n(2), Enum: "enum tool_kind", Pos: at(14)},
		{Name: "TOOL_MAX", Value: n(1), Pos: at(16)},
		{Name: "tool_lower", Value: n(7), Enum: "enum", Pos: at(18)},
		{Name: "TOOL_ALONE", Value: n(8), Gap: true, Pos: at(22)}, // a comment before each
		{Name: "TOOL_LONELY", Value: n(9), Gap: true, Pos: at(24)},
		{Name: "TOOL_ASM", Value: n(5), Gap: true, Pos: asm},
		{Name: "__NR_tool_open", Value: n(400), Pos: Pos{"asm/unistd.h", 8}},
	}
	if a.Bits == 32 {
		consts = append(consts, Const{Name: "TOOL_OLD", Value: n(1), Pos: at(20)})
	}
	return consts
}

// toolStructs are structs of every kind.
func toolStructs() []Struct {
	return []Struct{
		{Name: "struct tool_args", Fields: []Field{
			cField("flags", aligned64), cField("fd", s32), cField("name", cArray(char, 16)), cField("__pad", u32), cField("size", aligned64), cField("__size", u64),
		}},
		{Name: "struct tool_old", Fields: []Field{ // differs on 386, and where long is short
			cField("kind", u32), cField("when", u64), cField("base", pointer), cField("done", function), cField("time", long),
		}},
		{Name: "struct tool_wire", Align: 1, Fields: []Field{
			cField("type", u8), cField("length", cUint("__be32", 4)), cField("args", cRecord("struct tool_args")), cField("ports", cArray(u16, 3)),
		}},
		{Name: "struct tool_bits", Fields: []Field{
			cBits("on", boolean, 1), cBits("level", s8, 3), cBits("wide", u32, 20), cBits("", u32, 3), cBits("top", u8, 1),
			cField("plain", u32), cBits("high", s64, 40),
		}},
		{Name: "struct tool_tail", Align: 1, Fields: []Field{cField("number", u32), cField("last", u8)}},
		{Name: "struct tool_mixed", Fields: []Field{
			cField("start", u32), cField("", cInline(Struct{Align: 1, Fields: []Field{cField("skip", u8), cField("odd", u32)}})),
			cField("", cUnion(cField("all", u64), cField("", cInline(Struct{Align: 1, Fields: []Field{cField("one", u8), cField("four", u32)}})))),
		}},
		{Name: "struct tool_vector", Fields: []Field{cField("wide", cUint("unsigned __int128", 16))}},
		{Name: "union tool_value", Union: true, Fields: []Field{
			cField("number", s64), cField("text", cArray(char, 12)), cField("", cStruct(cField("low", u16), cBits("part", u16, 5))),
			cField("place", cStruct(cField("row", u32), cField("column", u32))),
		}},
		{Name: "struct tool_list", Fields: []Field{
			cField("count", u16),
			cField("", cUnion(cField("by_id", u32), cField("by_range", cStruct(cField("from", u16), cField("to", u16))))),
			cField("", cStruct(cField("first", u8), cField("second", u32))),
			cField("value", cRecord("union tool_value")),
			cFlexible("items", cStruct(cField("key", u32))),
		}},
	}
}

func TestRenderConstants(t *testing.T) {
	files, err := generate("uapi", unitsOf(arches, "tool", toolConsts))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		golden(t, "render_consts.txtar", f.Name, f.Data)
		names = append(names, f.Name)
	}
	want := []string{"ztool.go", "ztool_linux_386_etc.go", "ztool_linux_generic.go", "ztool_linux_mips32x.go", "ztool_linux_mips64x.go", "ztool_linux_ppc64x.go"}
	if !slices.Equal(names, want) {
		t.Errorf("got files %v, want %v", names, want)
	}
}

func TestRenderStructs(t *testing.T) {
	some := slices.DeleteFunc(slices.Clone(arches), func(a Arch) bool {
		return a.GOARCH != "386" && a.GOARCH != "arm64" && a.GOARCH != "s390x"
	})
	files, err := generate("tool", unitsOf(some, "tool", nil, toolStructs()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		golden(t, "render_structs.txtar", f.Name, f.Data)
	}
}

func TestRenderedLayoutsAreThoseOfC(t *testing.T) {
	units := unitsOf(arches, "tool", toolConsts, toolStructs()...)
	files, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, units)
}

func TestPackageCommentIsInEveryBuildOnce(t *testing.T) {
	for name, consts := range map[string]func(Arch) []Const{
		"with a common file": toolConsts,
		"without": func(a Arch) []Const {
			return []Const{{Name: "A", Value: constant.MakeInt64(int64(a.Bits)), Pos: Pos{"linux/tool.h", 1}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := generate("tool", append(unitsOf(arches, "tool", consts), unitsOf(arches, "other", toolConsts)...))
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range arches {
				n := 0
				for _, f := range filesOn(t, a.GOARCH, files) {
					n += strings.Count(string(f.Data), "// Package tool has the constants and types of linux/tool.h.\npackage tool\n")
				}
				if n != 1 {
					t.Errorf("%s: the package has %d comments", a.GOARCH, n)
				}
			}
		})
	}
}

func TestOneGoTypeForTwoNamesInC(t *testing.T) {
	units := unitsOf(arches[:1], "tool", nil, Struct{Name: "struct tool_regs", Fields: []Field{cField("a", u8)}})
	units = append(units, unitsOf(arches[1:2], "tool", nil, Struct{Name: "tool_regs", Fields: []Field{cField("b", u8)}})...)
	files, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, units)
}

func TestWrongLayoutDoesNotCompile(t *testing.T) {
	units := unitsOf(arches, "tool", nil, toolStructs()...)
	files, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, new, want string }{
		"a larger field":  {`Fd +int32`, `Fd int64`, `[unsafe.Sizeof(ToolArgs{})]struct{}{} (value of type [56]struct{}) as [48]struct{}`},
		"a moved field":   {`Fd +int32\n\tName +\[16\]byte`, "Name [16]byte\nFd int32", `[unsafe.Offsetof(ToolArgs{}.Fd)]struct{}{} (value of type [24]struct{}) as [8]struct{}`},
		"missing padding": {`_ +\[2\]byte\n\tunion .*`, `union [2]byte`, `[unsafe.Offsetof(ToolList{}.union)]struct{}{} (value of type [2]struct{}) as [4]struct{}`},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong []File
			for _, f := range filesOn(t, "amd64", files) {
				wrong = append(wrong, File{f.Name, regexp.MustCompile(test.old).ReplaceAll(f.Data, []byte(test.new))})
			}
			_, err := compile(t, "amd64", wrong)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestRenderTwiceGivesTheSameBytes(t *testing.T) {
	units := unitsOf(arches, "tool", toolConsts, toolStructs()...)
	first, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(units)
	second, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		if first[i].Name != second[i].Name || string(first[i].Data) != string(second[i].Data) {
			t.Errorf("%s differs", first[i].Name)
		}
	}
}

func TestRenderErrors(t *testing.T) {
	at := func(line int) Pos { return Pos{"linux/tool.h", line} }
	one := constant.MakeInt64(1)
	consts := func(c ...Const) []Unit { return unitsOf(arches[:2], "tool", func(Arch) []Const { return c }) }
	structs := func(s ...Struct) []Unit { return unitsOf(arches[:2], "tool", nil, s...) }
	for name, test := range map[string]struct {
		pkg   string
		units []Unit
		want  string
	}{
		"nothing": {"tool", consts(),
			"linux/tool.h: no constant and no struct to write; widen -prefix, or see with -v what was skipped and why"},
		"bad package": {"my-tool", consts(Const{Name: "A", Value: one}),
			`-package "my-tool": not a Go identifier; a package has a short name in lower case`},
		"two constants": {"tool", consts(Const{Name: "tool_a", Value: one, Pos: at(3)}, Const{Name: "Tool_a", Value: one, Pos: at(4)}),
			"linux/tool.h:4: constant Tool_a and constant tool_a (linux/tool.h:3) would both be Tool_a in Go; leave one of them out with -prefix"},
		"constant and type": {"tool", unitsOf(arches[:2], "tool", func(Arch) []Const {
			return []Const{{Name: "Tool", Value: one, Pos: at(9)}}
		}, Struct{Name: "struct tool", Fields: []Field{cField("a", u8)}}),
			"linux/tool.h:1: struct tool and constant Tool (linux/tool.h:9) would both be Tool in Go; leave one of them out with -prefix"},
		"type and type of a member": {"tool", structs(
			Struct{Name: "struct tool", Fields: []Field{cField("arg", cStruct(cField("a", u8)))}},
			Struct{Name: "struct tool_arg", Fields: []Field{cField("a", u8)}}),
			"linux/tool.h:5: struct tool_arg and the member arg of struct tool (linux/tool.h:3) would both be ToolArg in Go; leave one of them out with -prefix"},
		"field and field": {"tool", structs(Struct{Name: "struct tool", Fields: []Field{cField("pad_a", u8), cField("PadA", u8)}}),
			"linux/tool.h:3: struct tool: members pad_a and PadA would both need the Go name PadA; leave the struct out with -prefix"},
		"field and setter": {"tool", structs(Struct{Name: "struct tool", Fields: []Field{cField("set_on", u8), cBits("on", u8, 1)}}),
			"linux/tool.h:3: struct tool: members set_on and on would both need the Go name SetOn; leave the struct out with -prefix"},
		"incomplete member": {"tool", structs(Struct{Name: "struct tool", Fields: []Field{
			cField("a", Type{Kind: Record, C: "struct hidden", Record: "struct hidden"})}}),
			"linux/tool.h:2: struct tool: member a: there is no Go type for struct hidden of 0 bytes"},
		"unknown type": {"tool", structs(Struct{Name: "struct tool", Fields: []Field{cField("a", Type{C: "vector_t", Size: 4})}}),
			"linux/tool.h:2: struct tool: member a: there is no Go type for vector_t of 4 bytes"},
		"struct in itself": {"tool", []Unit{{Arch: "arm", Group: Group{Name: "tool"}, Structs: []Struct{{Name: "struct tool", Size: 4, Align: 4, Pos: at(1), Fields: []Field{
			{Name: "a", Type: Type{Kind: Record, C: "struct tool", Record: "struct tool", Size: 4, Align: 4}}}}}}},
			"linux/tool.h:1: struct tool contains itself"},
		"members that overlap": {"tool", []Unit{{Arch: "arm", Group: Group{Name: "tool"}, Structs: []Struct{{Name: "struct tool", Size: 8, Align: 4, Pos: at(1), Fields: []Field{
			{Name: "a", Type: Type{Kind: Int, C: "int", Size: 4, Align: 4}}, {Name: "b", Offset: 2, Type: Type{Kind: Int, C: "int", Size: 4, Align: 4}}}}}}},
			"linux/tool.h:1: struct tool: two members lie at 2"},
		"a member that lies outside": {"tool", []Unit{{Arch: "arm", Group: Group{Name: "tool"}, Structs: []Struct{{Name: "struct tool", Size: 8, Align: 4, Pos: at(1), Fields: []Field{
			{Name: "a", Offset: 1 << 62, Type: Type{Kind: Int, C: "int", Size: 1 << 62, Align: 4}, Pos: at(2)}}}}}},
			"linux/tool.h:2: struct tool: member a of 4611686018427387904 bytes at 4611686018427387904 lies outside"},
		"unknown architecture": {"tool", []Unit{{Arch: "sparc64", Group: Group{Name: "tool"}}}, "sparc64 is no GOARCH of linux"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate(test.pkg, test.units)
			if err == nil || err.Error() != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}

// A newline in what a comment says would make a declaration of the rest.
func TestNewlinesStayInComments(t *testing.T) {
	const injected = "\nvar Injected = 1\n"
	at := Pos{"linux/tool.h" + injected, 1}
	odd := Struct{Name: "struct tool", Fields: []Field{
		cField("kind", cUint("unsigned"+injected, 4)),
		cBits("on", cUint("int"+injected, 4), 3),
		cField("", cUnion(cField("all", cUint("__u64"+injected, 8)), cField("text", cArray(char, 12)))),
	}}
	units := unitsOf(arches, "tool", func(Arch) []Const {
		return []Const{{Name: "TOOL_A", Value: constant.MakeInt64(1), Pos: at, Enum: "enum tool" + injected}}
	}, odd)
	for i := range units {
		units[i].Group.Headers = []Header{{Path: at.File}}
		units[i].Structs[0].Pos = at
	}
	files, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, units)
	for _, a := range arches {
		pkg, err := compile(t, a.GOARCH, files)
		if err != nil {
			t.Fatal(err)
		}
		if pkg.Scope().Lookup("Injected") != nil {
			t.Errorf("%s: what follows a newline is no comment", a.GOARCH)
		}
	}
}
