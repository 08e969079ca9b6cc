package main

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"testing"
)

// TestCompare has one of each kind of agreement and of difference.
func TestCompare(t *testing.T) {
	n := constant.MakeInt64
	ours := kernel{
		consts: map[string][]constant.Value{
			"A": {n(1)}, "B": {n(7), n(2)}, "__NR_clone3": {n(435)}, "NEGATIVE": {n(-2)}, "WRONG": {n(3)}, "KNOWN": {n(4)}, "S": {constant.MakeString("s")},
		},
		structs: map[string][]structure{"sockaddrin": {{Size: 8, Fields: []field{{Name: "a_b", Offset: 0}, {Name: "c", Offset: 4}}}}},
	}
	ours.structs["sockaddrin"][0].Fields[0].Type.Size, ours.structs["sockaddrin"][0].Fields[1].Type.Size = 4, 4
	pkg := types.NewPackage("unix", "unix")
	add := func(name string, v constant.Value) {
		pkg.Scope().Insert(types.NewConst(token.NoPos, pkg, name, types.Typ[types.UntypedInt], v))
	}
	add("A", n(1))
	add("B", n(2))
	add("SYS_CLONE3", n(435))
	add("NEGATIVE", n(1<<32-2))
	add("WRONG", n(30))
	add("KNOWN", n(40))
	add("S", constant.MakeString("s"))
	add("MISSING", n(5))
	add("LIBC", n(6))
	add("OWN", n(7))
	add("SizeofSockaddrInet4", n(8))
	field := func(name string, typ types.Type) *types.Var {
		return types.NewField(token.NoPos, pkg, name, typ, false)
	}
	raw := types.NewStruct([]*types.Var{field("Ab", types.Typ[types.Uint32]), field("D", types.Typ[types.Uint16]), field("C", types.Typ[types.Uint16])}, nil)
	obj := types.NewTypeName(token.NoPos, pkg, "RawSockaddrInet4", nil)
	types.NewNamed(obj, raw, nil)
	pkg.Scope().Insert(obj)
	causes := []*cause{{kind: "differ", pattern: "KNOWN", why: "known"}, {kind: "only", pattern: "LIB*", why: "the C library's"}, {kind: "own", pattern: "OWN", why: "Go's"}}
	got := compare(ours, pkg.Scope(), "amd64", causes)
	if got.equal != 8 || got.different != 3 || got.only != 2 {
		t.Errorf("got %d equal, %d different, %d only there, want 8, 3, 2", got.equal, got.different, got.only)
	}
	slices.Sort(got.unexplained)
	want := []string{"differ RawSockaddrInet4.C on amd64: 2 bytes at 6, and here 4 at 4", "differ WRONG on amd64: 30, and here 3", "only MISSING"}
	if !slices.Equal(got.unexplained, want) {
		t.Errorf("got %q, want %q", got.unexplained, want)
	}
	for _, c := range causes {
		if c.hits != 1 {
			t.Errorf("%s %s is used %d times", c.kind, c.pattern, c.hits)
		}
	}
}

func TestCausesAreReadable(t *testing.T) {
	if _, err := readCauses("../../testdata/xsys.txt"); err != nil {
		t.Error(err)
	}
}
