package golang

import (
	"go/constant"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// toolConsts are constants of every kind; some differ between architectures.
func toolConsts(a model.Arch) []model.Const {
	at := func(line int) model.Pos { return model.Pos{File: "linux/tool.h", Line: line} }
	n := constant.MakeInt64
	nonblock, special, asm := model.Const{Name: "TOOL_NONBLOCK", Value: n(04000), Base: model.Octal, Pos: at(9)}, n(0xff01), model.Pos{File: "asm-generic/tool.h", Line: 3}
	if a.Kernel == "mips" {
		nonblock.Value, nonblock.Base, asm = n(0x80), model.Hex, model.Pos{File: "asm/tool.h", Line: 5}
	}
	if a.Kernel == "mips" || a.Kernel == "powerpc" {
		special = n(0x2000ff01)
	}
	consts := []model.Const{
		{Name: "TOOL_VERSION", Value: n(3), Pos: at(1)},
		{Name: "TOOL_NAME", Value: constant.MakeString("a \"tool\"\n\xff"), Pos: at(2)},
		{Name: "TOOL_SLOW", Value: n(1), Base: model.Hex, Gap: true, Pos: at(4)},
		{Name: "TOOL_TOP", Value: constant.MakeUint64(1 << 63), Base: model.Hex, Pos: at(5)},
		{Name: "TOOL_NOBODY", Value: n(-1), Base: model.Hex, Pos: at(6)},
		{Name: "TOOL_MODE", Value: n(0644), Base: model.Octal, Pos: at(7)},
		{Name: "TOOL_RDONLY", Value: n(0), Base: model.Octal, Pos: at(8)},
		nonblock,
		{Name: "_TOOL_GET", Value: special, Base: model.Hex, Pos: at(10)},
		{Name: "TOOL_HAMMER", Value: n(0), Enum: "enum tool_kind", Gap: true, Pos: at(12)},
		{Name: "TOOL_SAW", Value: n(1), Enum: "enum tool_kind", Pos: at(13)},
		{Name: "__TOOL_MAX", Value: n(2), Enum: "enum tool_kind", Pos: at(14)},
		{Name: "TOOL_MAX", Value: n(1), Pos: at(16)},
		{Name: "tool_lower", Value: n(7), Enum: "enum", Pos: at(18)},
		{Name: "TOOL_ALONE", Value: n(8), Gap: true, Pos: at(22)}, // a comment before each
		{Name: "TOOL_LONELY", Value: n(9), Gap: true, Pos: at(24)},
		{Name: "TOOL_ASM", Value: n(5), Gap: true, Pos: asm},
		{Name: "__NR_tool_open", Value: n(400), Pos: model.Pos{File: "asm/unistd.h", Line: 8}},
	}
	if a.Bits == 32 {
		consts = append(consts, model.Const{Name: "TOOL_OLD", Value: n(1), Pos: at(20)})
	}
	return consts
}

// toolStructs are structs of every kind.
func toolStructs() []model.Struct {
	return []model.Struct{
		{Name: "struct tool_args", Fields: []model.Field{
			cField("flags", aligned64), cField("fd", s32), cField("name", cArray(char, 16)), cField("__pad", u32), cField("size", aligned64), cField("__size", u64),
		}},
		{Name: "struct tool_old", Fields: []model.Field{ // differs on 386, and where long is short
			cField("kind", u32), cField("when", u64), cField("base", pointer), cField("done", function), cField("time", long),
		}},
		{Name: "struct tool_wire", Align: 1, Fields: []model.Field{
			cField("type", u8), cField("length", cUint("__be32", 4)), cField("args", cRecord("struct tool_args")), cField("ports", cArray(u16, 3)),
		}},
		{Name: "struct tool_bits", Fields: []model.Field{
			cBits("on", boolean, 1), cBits("level", s8, 3), cBits("wide", u32, 20), cBits("", u32, 3), cBits("top", u8, 1),
			cField("plain", u32), cBits("high", s64, 40),
		}},
		{Name: "struct tool_tail", Align: 1, Fields: []model.Field{cField("number", u32), cField("last", u8)}},
		{Name: "struct tool_mixed", Fields: []model.Field{
			cField("start", u32), cField("", cInline(model.Struct{Align: 1, Fields: []model.Field{cField("skip", u8), cField("odd", u32)}})),
			cField("", cUnion(cField("all", u64), cField("", cInline(model.Struct{Align: 1, Fields: []model.Field{cField("one", u8), cField("four", u32)}})))),
		}},
		{Name: "struct tool_vector", Fields: []model.Field{cField("wide", cUint("unsigned __int128", 16))}},
		{Name: "union tool_value", Union: true, Fields: []model.Field{
			cField("number", s64), cField("text", cArray(char, 12)), cField("", cStruct(cField("low", u16), cBits("part", u16, 5))),
			cField("place", cStruct(cField("row", u32), cField("column", u32))),
		}},
		{Name: "struct tool_list", Fields: []model.Field{
			cField("count", u16),
			cField("", cUnion(cField("by_id", u32), cField("by_range", cStruct(cField("from", u16), cField("to", u16))))),
			cField("", cStruct(cField("first", u8), cField("second", u32))),
			cField("value", cRecord("union tool_value")),
			cFlexible("items", cStruct(cField("key", u32))),
		}},
	}
}

func TestRenderConstants(t *testing.T) {
	files, err := generate("uapi", unitsOf(model.Arches, "tool", toolConsts))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		gentest.Golden(t, "render_consts.txtar", f.Name, f.Data)
		names = append(names, f.Name)
	}
	want := []string{"ztool.go", "ztool_linux_386_etc.go", "ztool_linux_generic.go", "ztool_linux_mips32x.go", "ztool_linux_mips64x.go", "ztool_linux_ppc64x.go"}
	if !slices.Equal(names, want) {
		t.Errorf("got files %v, want %v", names, want)
	}
}

func TestRenderStructs(t *testing.T) {
	some := slices.DeleteFunc(slices.Clone(model.Arches), func(a model.Arch) bool {
		return a.GOARCH != "386" && a.GOARCH != "arm64" && a.GOARCH != "s390x"
	})
	files, err := generate("tool", unitsOf(some, "tool", nil, toolStructs()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		gentest.Golden(t, "render_structs.txtar", f.Name, f.Data)
	}
}

func TestRenderedLayoutsAreThoseOfC(t *testing.T) {
	units := unitsOf(model.Arches, "tool", toolConsts, toolStructs()...)
	files, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, units)
}

// A table has every number of its group once on each architecture, in order,
// wherever the constants are.
func TestTables(t *testing.T) {
	for name, differ := range map[string]func(model.Arch) bool{
		"all alike": func(model.Arch) bool { return false },
		"some":      func(a model.Arch) bool { return a.Kernel == "mips" },
		"all":       func(model.Arch) bool { return true },
	} {
		units := unitsOf(model.Arches, "calls", func(a model.Arch) []model.Const {
			at := model.Pos{File: "asm/unistd.h", Line: 1}
			consts := []model.Const{
				{Name: "__NR_last", Value: constant.MakeInt64(9), Pos: at}, {Name: "__NR_read", Value: constant.MakeInt64(0), Pos: at},
				{Name: "NAME", Value: constant.MakeString("no number"), Pos: at},
			}
			if differ(a) {
				consts = append(consts, model.Const{Name: "__ARM_NR_own", Value: constant.MakeInt64(int64(a.Bits) / 8), Pos: at})
			}
			return consts
		})
		for i := range units {
			units[i].Group.Table = "table"
		}
		files, err := generate("calls", units)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range model.Arches {
			if _, err := compile(t, a.GOARCH, files); err != nil {
				t.Fatalf("%s: %s: %v", name, a.GOARCH, err)
			}
			want := []string{`{"read", SYS_READ}`, `{"own", ARM_NR_own}`, `{"last", SYS_LAST}`}
			if !differ(a) {
				want = slices.Delete(want, 1, 2)
			}
			var got []string
			for _, f := range filesOn(t, a.GOARCH, files) {
				got = append(got, regexp.MustCompile(`\{"\w+", \w+\}`).FindAllString(string(f.Data), -1)...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: the table of %s is %q, want %q", name, a.GOARCH, got, want)
			}
		}
	}
}

func TestPackageCommentIsInEveryBuildOnce(t *testing.T) {
	for name, consts := range map[string]func(model.Arch) []model.Const{
		"with a common file": toolConsts,
		"without": func(a model.Arch) []model.Const {
			return []model.Const{{Name: "A", Value: constant.MakeInt64(int64(a.Bits)), Pos: model.Pos{File: "linux/tool.h", Line: 1}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := generate("tool", append(unitsOf(model.Arches, "tool", consts), unitsOf(model.Arches, "other", toolConsts)...))
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range model.Arches {
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
	units := unitsOf(model.Arches[:1], "tool", nil, model.Struct{Name: "struct tool_regs", Fields: []model.Field{cField("a", u8)}})
	units = append(units, unitsOf(model.Arches[1:2], "tool", nil, model.Struct{Name: "tool_regs", Fields: []model.Field{cField("b", u8)}})...)
	files, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, units)
}

func TestWrongLayoutDoesNotCompile(t *testing.T) {
	units := unitsOf(model.Arches, "tool", nil, toolStructs()...)
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
	units := unitsOf(model.Arches, "tool", toolConsts, toolStructs()...)
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
	one := constant.MakeInt64(1)
	consts := func(c ...model.Const) []model.Unit {
		return unitsOf(model.Arches[:2], "tool", func(model.Arch) []model.Const { return c })
	}
	for name, test := range map[string]struct {
		pkg   string
		units []model.Unit
		want  string
	}{
		"nothing": {"tool", consts(), "no constant and no struct to write"},
		"bad package": {"my-tool", consts(model.Const{Name: "A", Value: one}),
			`-package "my-tool": not a Go identifier; a package has a short name in lower case`},
		"unknown architecture": {"tool", []model.Unit{{Arch: "sparc64", Group: model.Group{Name: "tool"}}}, "sparc64 is no GOARCH of linux"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate(test.pkg, test.units)
			if err == nil || err.Error() != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}

// A struct that Go cannot have is left out with those that contain it, and
// nothing else is.
func TestStructsThatGoCannotHave(t *testing.T) {
	at := func(line int) model.Pos { return model.Pos{File: "linux/tool.h", Line: line} }
	structs := func(s ...model.Struct) []model.Unit { return unitsOf(model.Arches[2:3], "tool", nil, s...) }
	arm := func(s model.Struct) []model.Unit {
		return []model.Unit{{Arch: "arm", Group: model.Group{Name: "tool"}, Structs: []model.Struct{s}}}
	}
	for name, test := range map[string]struct {
		units []model.Unit
		want  string
	}{
		"incomplete member": {structs(model.Struct{Name: "struct tool", Fields: []model.Field{
			cField("a", model.Type{Kind: model.Record, C: "struct hidden", Record: "struct hidden"})}}),
			"linux/tool.h:2: struct tool: member a: there is no Go type for struct hidden of 0 bytes"},
		"unknown type": {structs(model.Struct{Name: "struct tool", Fields: []model.Field{cField("a", model.Type{C: "vector_t", Size: 4})}}),
			"linux/tool.h:2: struct tool: member a: there is no Go type for vector_t of 4 bytes"},
		"struct in itself": {arm(model.Struct{Name: "struct tool", Size: 4, Align: 4, Pos: at(1), Fields: []model.Field{
			{Name: "a", Type: model.Type{Kind: model.Record, C: "struct tool", Record: "struct tool", Size: 4, Align: 4}}}}),
			"linux/tool.h:1: struct tool contains itself"},
		"members that overlap": {arm(model.Struct{Name: "struct tool", Size: 8, Align: 4, Pos: at(1), Fields: []model.Field{
			{Name: "a", Type: model.Type{Kind: model.Int, C: "int", Size: 4, Align: 4}}, {Name: "b", Offset: 2, Type: model.Type{Kind: model.Int, C: "int", Size: 4, Align: 4}}}}),
			"linux/tool.h:1: struct tool: two members lie at 2"},
		"a member that lies outside": {arm(model.Struct{Name: "struct tool", Size: 8, Align: 4, Pos: at(1), Fields: []model.Field{
			{Name: "a", Offset: 1 << 62, Type: model.Type{Kind: model.Int, C: "int", Size: 1 << 62, Align: 4}, Pos: at(2)}}}),
			"linux/tool.h:2: struct tool: member a of 4611686018427387904 bytes at 4611686018427387904 lies outside"},
	} {
		t.Run(name, func(t *testing.T) {
			units := test.units
			around := units[0].Structs[0]
			around.Name, around.Fields = "struct around", []model.Field{{Name: "t", Type: model.Type{Kind: model.Record, C: around.Name, Record: around.Name, Size: around.Size, Align: around.Align}}}
			units[0].Structs = append(units[0].Structs, around)
			units[0].Structs = append(units[0].Structs, modelsOn(model.Arches[2], model.Struct{Name: "struct good", Fields: []model.Field{cField("a", u8)}})...)
			p, err := Merge(units, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.LeftOut.Capped(); got == nil || got.Error() != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
			files, err := Render(p, "tool", "7.3.4")
			if err != nil {
				t.Fatal(err)
			}
			pkg, err := compile(t, "arm", files)
			if err != nil {
				t.Fatal(err)
			}
			if names := pkg.Scope().Names(); !slices.Equal(names, []string{"Good"}) {
				t.Errorf("got types %q, want Good alone", names)
			}
		})
	}
}

// A newline in what a comment says would make a declaration of the rest.
func TestNewlinesStayInComments(t *testing.T) {
	const injected = "\nvar Injected = 1\n"
	at := model.Pos{File: "linux/tool.h" + injected, Line: 1}
	odd := model.Struct{Name: "struct tool", Fields: []model.Field{
		cField("kind", cUint("unsigned"+injected, 4)),
		cBits("on", cUint("int"+injected, 4), 3),
		cField("", cUnion(cField("all", cUint("__u64"+injected, 8)), cField("text", cArray(char, 12)))),
	}}
	units := unitsOf(model.Arches, "tool", func(model.Arch) []model.Const {
		return []model.Const{{Name: "TOOL_A", Value: constant.MakeInt64(1), Pos: at, Enum: "enum tool" + injected}}
	}, odd)
	for i := range units {
		units[i].Group.Headers = []model.Header{{Path: at.File}}
		units[i].Structs[0].Pos = at
	}
	files, err := generate("tool", units)
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, units)
	for _, a := range model.Arches {
		pkg, err := compile(t, a.GOARCH, files)
		if err != nil {
			t.Fatal(err)
		}
		if pkg.Scope().Lookup("Injected") != nil {
			t.Errorf("%s: what follows a newline is no comment", a.GOARCH)
		}
	}
}
