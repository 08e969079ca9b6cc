package golang

import (
	"fmt"
	"go/constant"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// numbers are units of a group whose constants are given by architecture.
func numbers(group string, value func(model.Arch) map[string]int64) []model.Unit {
	return unitsOf(model.Arches, group, func(a model.Arch) []model.Const {
		var consts []model.Const
		values := value(a)
		for i, name := range []string{"A", "B", "C"} {
			if v, ok := values[name]; ok {
				consts = append(consts, model.Const{Name: name, Value: constant.MakeInt64(v), Pos: model.Pos{File: "linux/tool.h", Line: i + 1}})
			}
		}
		return consts
	})
}

// summary shows what a group has in common and in sets: A B | mips mipsle: C.
func summary(g model.MergedGroup) string {
	names := func(d model.Decls) string {
		var names []string
		for _, c := range d.Consts {
			names = append(names, fmt.Sprintf("%s=%s", c.Name, c.Value))
		}
		for _, s := range d.Structs {
			names = append(names, s.Name)
		}
		return strings.Join(names, " ")
	}
	parts := []string{names(g.Common)}
	for _, s := range g.Sets {
		parts = append(parts, strings.Join(s.Arches, " ")+": "+names(s.Decls))
	}
	return strings.Join(parts, " | ")
}

func TestMergeSplitsByAllThatDiffers(t *testing.T) {
	for name, test := range map[string]struct {
		value func(model.Arch) map[string]int64
		want  string
	}{
		"all alike": {func(model.Arch) map[string]int64 { return map[string]int64{"A": 1, "B": 2} }, "A=1 B=2"},
		"a value of its own": {func(a model.Arch) map[string]int64 {
			if a.Kernel == "mips" {
				return map[string]int64{"A": 1, "B": 3}
			}
			return map[string]int64{"A": 1, "B": 2}
		}, "A=1 | 386 amd64 arm arm64 loong64 ppc64 ppc64le riscv64 s390x: B=2 | mips mips64 mips64le mipsle: B=3"},
		"missing somewhere": {func(a model.Arch) map[string]int64 {
			if a.GOARCH == "arm" {
				return map[string]int64{"A": 1}
			}
			return map[string]int64{"A": 1, "B": 2}
		}, "A=1 | 386 amd64 arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x: B=2"},
		"two differences": {func(a model.Arch) map[string]int64 {
			v := map[string]int64{"A": int64(a.Bits), "B": 2, "C": 0}
			if a.BigEndian {
				v["C"] = 1
			}
			return v
		}, "B=2 | 386 arm mipsle: A=32 C=0 | amd64 arm64 loong64 mips64le ppc64le riscv64: A=64 C=0 | mips: A=32 C=1 | mips64 ppc64 s390x: A=64 C=1"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Merge(numbers("tool", test.value), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(m.Groups[0]); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestMergeKeepsStructsThatGoWritesAlike shows what makes a difference to Go.
func TestMergeKeepsStructsThatGoWritesAlike(t *testing.T) {
	for name, test := range map[string]struct {
		s    model.Struct
		want string
	}{
		"u64 aligned to 4 bytes on 386": {model.Struct{Fields: []model.Field{cField("a", u64)}}, "struct s"},
		"padded but on 386":             {model.Struct{Fields: []model.Field{cField("a", u32), cField("b", u64)}}, "386:"},
		"bits of one byte":              {model.Struct{Fields: []model.Field{cBits("a", u8, 1)}}, "386 amd64 arm arm64 loong64 mips64le mipsle ppc64le riscv64:"},
		"a long":                        {model.Struct{Fields: []model.Field{cField("a", long)}}, "386 arm mips mipsle:"},
		"a pointer":                     {model.Struct{Fields: []model.Field{cField("a", pointer)}}, "386 arm mips mipsle:"},
		"packed to 4 bytes":             {model.Struct{Align: 4, Fields: []model.Field{cField("a", u32), cField("b", u64)}}, "386 arm mips mipsle:"},
		"a union":                       {model.Struct{Union: true, Fields: []model.Field{cField("a", u64), cField("b", u32)}}, "struct s"},
	} {
		t.Run(name, func(t *testing.T) {
			test.s.Name = "struct s"
			m, err := Merge(unitsOf(model.Arches, "tool", nil, test.s), Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.TrimPrefix(summary(m.Groups[0]), " | ")
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s first", got, test.want)
			}
		})
	}
}

func TestMergePositions(t *testing.T) {
	group := model.Group{Name: "tool", Headers: []model.Header{{Path: "linux/other.h"}, {Path: "linux/tool.h"}}}
	unit := func(arch, file string, line int) model.Unit {
		pos := model.Pos{File: file, Line: line}
		return model.Unit{Arch: arch, Group: group, Consts: []model.Const{{Name: "A", Value: constant.MakeInt64(1), Pos: pos}},
			Structs: []model.Struct{{Name: "struct s", Size: 1, Align: 1, Pos: pos, Fields: []model.Field{{Name: "a", Type: model.Type{Kind: model.Char, Size: 1, Align: 1}, Pos: pos}}}}}
	}
	for name, test := range map[string]struct {
		units []model.Unit
		want  model.Pos
	}{
		"the same":      {[]model.Unit{unit("386", "linux/tool.h", 3), unit("arm", "linux/tool.h", 3)}, model.Pos{File: "linux/tool.h", Line: 3}},
		"another line":  {[]model.Unit{unit("386", "linux/tool.h", 3), unit("arm", "linux/tool.h", 4)}, model.Pos{File: "linux/tool.h", Line: 0}},
		"another file":  {[]model.Unit{unit("386", "asm/tool.h", 3), unit("arm", "asm-generic/tool.h", 3)}, model.Pos{File: "linux/tool.h", Line: 0}},
		"another name":  {[]model.Unit{unit("386", "asm/tool_32.h", 3), unit("arm", "asm/tool-eabi.h", 3)}, model.Pos{File: "linux/other.h", Line: 0}},
		"of three, one": {[]model.Unit{unit("386", "asm/tool.h", 3), unit("amd64", "asm/tool.h", 3), unit("arm", "asm-generic/tool.h", 3)}, model.Pos{File: "linux/tool.h", Line: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Merge(test.units, Options{})
			if err != nil {
				t.Fatal(err)
			}
			common := m.Groups[0].Common
			got := []model.Pos{common.Consts[0].Pos, common.Structs[0].Pos, common.Structs[0].Fields[0].Pos}
			if want := []model.Pos{test.want, test.want, test.want}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if test.units[0].Structs[0].Fields[0].Pos.Line != 3 {
				t.Error("the positions of the units changed too")
			}
		})
	}
}

func TestMergeLeavesRepeatedDeclarationsToTheFirstGroup(t *testing.T) {
	same := func(model.Arch) map[string]int64 { return map[string]int64{"A": 1} }
	more := func(model.Arch) map[string]int64 { return map[string]int64{"A": 1, "B": 2} }
	s := model.Struct{Name: "struct s", Fields: []model.Field{cField("a", u8)}}
	first, second := numbers("first", same), numbers("second", more)
	for i, a := range model.Arches {
		first[i].Structs = modelsOn(a, s)
		second[i].Structs = modelsOn(a, model.Struct{Name: "struct before"}, s)
	}
	m, err := Merge(append(first, second...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{summary(m.Groups[0]), summary(m.Groups[1])}
	if want := []string{"A=1 struct s", "B=2 struct before"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A group that only some architectures have does not lend its structs to those
// where another group declares the same.
func TestMergeKeepsGroupsToTheirArchitectures(t *testing.T) {
	s := model.Struct{Name: "struct s", Fields: []model.Field{cField("a", u8)}}
	first, second := unitsOf(model.Arches, "first", nil, s), unitsOf(model.Arches, "second", nil, s)
	for i, a := range model.Arches {
		if a.Kernel != "x86" {
			first[i].Structs = nil
		}
	}
	m, err := Merge(slices.Concat(first, second), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{summary(m.Groups[0]), summary(m.Groups[1])}
	want := []string{" | 386 amd64: struct s", " | arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x: struct s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMergeErrors(t *testing.T) {
	one := func(model.Arch) map[string]int64 { return map[string]int64{"A": 1} }
	for name, test := range map[string]struct {
		units []model.Unit
		want  string
	}{
		"an architecture is missing": {append(numbers("first", one), numbers("second", one)[1:]...),
			"group second: not read for 386, but other groups were; a run needs every group for every architecture"},
		"a group comes twice": {append(numbers("first", one), numbers("first", one)...),
			"group first: read twice for 386; two groups cannot have the same name"},
		"no number": {[]model.Unit{{Arch: "arm", Group: model.Group{Name: "tool"}, Consts: []model.Const{{Name: "PI", Value: constant.MakeFloat64(3.14), Pos: model.Pos{File: "linux/tool.h", Line: 1}}}}},
			"linux/tool.h:1: constant PI is neither a whole number nor a string"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Merge(test.units, Options{}); err == nil || err.Error() != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}
