package golang

import (
	"go/constant"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// goNames makes a package and returns its names, and those of the members of
// its types, sorted, after it has compiled on all architectures.
func goNames(t *testing.T, units []model.Unit, rename map[string]string) (names string, apart string) {
	t.Helper()
	p, err := Merge(units, Options{Rename: rename})
	if err != nil {
		t.Fatal(err)
	}
	files, err := Render(p, "tool", "7.3.4")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, u := range units {
		pkg, err := compile(t, u.Arch, files)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range pkg.Scope().Names() {
			obj := pkg.Scope().Lookup(name)
			all = append(all, name)
			for _, m := range members(obj) {
				all = append(all, name+"."+m)
			}
		}
	}
	slices.Sort(all)
	if err := p.Apart.Capped(); err != nil {
		apart = err.Error()
	}
	return strings.Join(slices.Compact(all), " "), apart
}

// What collides in Go is told apart, whatever the order in which it comes, and
// on every architecture alike.
func TestNamesThatCollideAreToldApart(t *testing.T) {
	one := constant.MakeInt64(1)
	a := cField("a", u8)
	type decls struct {
		consts  []string
		structs []model.Struct
	}
	for name, test := range map[string]struct {
		decls
		rename map[string]string
		want   string
	}{
		"constants by capitals":     {decls{[]string{"tool_a", "Tool_a"}, nil}, nil, "Tool_a Xtool_a"},
		"constants by underscores":  {decls{[]string{"__A", "_A"}, nil}, nil, "A X__A"},
		"three constants":           {decls{[]string{"__A", "_A", "A"}, nil}, nil, "A X_A X__A"},
		"with what gives way":       {decls{[]string{"__A", "_A", "X__A"}, nil}, nil, "A X__A X__A_"},
		"constant and type":         {decls{[]string{"Tool"}, []model.Struct{{Name: "struct tool", Fields: []model.Field{a}}}}, nil, "Tool Xtool Xtool.A"},
		"structs by underscores":    {decls{nil, []model.Struct{{Name: "struct tool_box", Fields: []model.Field{a}}, {Name: "struct tool__box", Fields: []model.Field{a}}}}, nil, "ToolBox ToolBox.A Xtool__box Xtool__box.A"},
		"structs by capitals":       {decls{nil, []model.Struct{{Name: "struct fooBar", Fields: []model.Field{a}}, {Name: "struct foo_bar", Fields: []model.Field{a}}}}, nil, "FooBar FooBar.A XfooBar XfooBar.A"},
		"struct and typedef":        {decls{nil, []model.Struct{{Name: "ztn_t", Fields: []model.Field{a}}, {Name: "struct ztn_t", Fields: []model.Field{a}}}}, nil, "Xztn_t Xztn_t.A ZtnT ZtnT.A"},
		"type and that of a member": {decls{nil, []model.Struct{{Name: "struct tool", Fields: []model.Field{cField("arg", cStruct(a))}}, {Name: "struct tool_arg", Fields: []model.Field{a}}}}, nil, "Tool Tool.Arg ToolArg ToolArg.A Tool_Arg Tool_Arg.A"},
		"offset and type":           {decls{nil, []model.Struct{{Name: "struct tool", Fields: []model.Field{a, cFlexible("tail", u8)}}, {Name: "struct offsetof_tool_tail", Fields: []model.Field{a}}}}, nil, "OffsetofToolTail OffsetofToolTail.A OffsetofTool_Tail Tool Tool.A"},
		"fields":                    {decls{nil, []model.Struct{{Name: "struct s", Fields: []model.Field{cField("pad_a", u8), cField("PadA", u8)}}}}, nil, "S S.PadA S.XPadA"},
		"field and setter":          {decls{nil, []model.Struct{{Name: "struct s", Fields: []model.Field{cField("set_on", u8), cBits("on", u8, 1)}}}}, nil, "S S.SetOn S.SetXon S.Xon S.bits"},
		"setter and field":          {decls{nil, []model.Struct{{Name: "struct s", Fields: []model.Field{cBits("on", u8, 1), cField("set_on", u8)}}}}, nil, "S S.On S.SetOn S.Xset_on S.bits"},
		"what vet has its rules for": {decls{nil, []model.Struct{{Name: "struct s", Fields: []model.Field{cBits("write_byte", u8, 1), cField("read_byte", u8)}}}}, nil,
			"S S.ReadByte S.SetXwrite_byte S.Xwrite_byte S.bits"},
		"renamed": {decls{[]string{"tool_a"}, []model.Struct{{Name: "struct tool", Fields: []model.Field{a}}}},
			map[string]string{"tool_a": "First", "tool": "Second"}, "First Second Second.A"},
		"renamed to what another has": {decls{[]string{"A", "B"}, nil}, map[string]string{"B": "A"}, "A XA"},
	} {
		t.Run(name, func(t *testing.T) {
			units := func() []model.Unit {
				return unitsOf(model.Arches, "tool", func(model.Arch) []model.Const {
					var consts []model.Const
					for i, name := range test.consts {
						consts = append(consts, model.Const{Name: name, Value: one, Pos: model.Pos{File: "linux/tool.h", Line: i + 1}})
					}
					return consts
				}, test.structs...)
			}
			got, _ := goNames(t, units(), test.rename)
			slices.Reverse(test.consts)
			slices.Reverse(test.structs)
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if again, _ := goNames(t, units(), test.rename); again != got {
				t.Errorf("in another order there are %s, not %s", again, got)
			}
		})
	}
}

// Two names that the user gives twice cannot be helped.
func TestRenamedTwice(t *testing.T) {
	units := numbers("tool", func(model.Arch) map[string]int64 { return map[string]int64{"A": 1, "B": 2} })
	_, err := Merge(units, Options{Rename: map[string]string{"A": "C", "B": "C"}})
	if err == nil || !strings.Contains(err.Error(), "-rename: constant B and constant A would both be C") {
		t.Errorf("got error %v", err)
	}
	p, err := Merge(units, Options{Rename: map[string]string{"NONE": "C"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Unused.Capped(); got == nil || got.Error() != "-rename NONE=C: the headers have no NONE" {
		t.Errorf("got %v", got)
	}
}

// A name that headers declare differently has that of its group behind it, on
// all architectures, and is written once.
func TestNamesThatHeadersDeclareDifferently(t *testing.T) {
	one := func(model.Arch) map[string]int64 { return map[string]int64{"A": 1, "B": 5} }
	onArm := func(a model.Arch) map[string]int64 {
		if a.GOARCH == "arm" {
			return map[string]int64{"A": 2, "B": 5}
		}
		return one(a)
	}
	got, apart := goNames(t, slices.Concat(numbers("first", one), numbers("second", onArm), numbers("third", onArm)), nil)
	if want := "A A_second B"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := "linux/tool.h:1: constant A is not that of linux/tool.h:1; in Go it has _second behind its name"; apart != want {
		t.Errorf("got %s, want %s", apart, want)
	}

	// A struct takes those that contain it along.
	in := func(group string, t model.Type) []model.Unit {
		return unitsOf(model.Arches, group, nil,
			model.Struct{Name: "struct in", Fields: []model.Field{cField("a", t)}},
			model.Struct{Name: "struct out", Fields: []model.Field{cField("i", cArray(cRecord("struct in"), 2)), cField("u", cUnion(cField("j", cRecord("struct in"))))}})
	}
	got, _ = goNames(t, slices.Concat(in("first", u32), in("second", s32), in("third", s32), in("fourth", u32)), nil)
	if want := "In In.A In_second In_second.A Out Out.I Out.U Out.union OutU OutU.J OutU.union Out_second Out_second.I Out_second.U Out_secondU Out_secondU.J Out_secondU.union"; got != strings.ReplaceAll(want, " Out.union", "") {
		t.Errorf("got %s, want %s", got, want)
	}
}
