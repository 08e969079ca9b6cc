package golang

import (
	"bytes"
	"go/format"
	"go/types"
	"maps"
	"slices"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// filesOn are the files that the go command takes for an architecture.
func filesOn(t *testing.T, goarch string, files []File) (on []File) {
	t.Helper()
	for _, f := range files {
		ok, err := gentest.IsBuilt(goarch, f.Name, f.Data)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			on = append(on, f)
		}
	}
	return on
}

// compile checks the types of files as the compiler for an architecture does.
func compile(t *testing.T, goarch string, files []File) (*types.Package, error) {
	t.Helper()
	all := map[string][]byte{}
	for _, f := range files {
		all[f.Name] = f.Data
	}
	return gentest.CompileGo(goarch, all)
}

// checkLayouts compares the Go types of a compiled package with their models.
func checkLayouts(t *testing.T, goarch string, pkg *types.Package, structs []model.Struct) {
	t.Helper()
	for _, s := range structs {
		checkLayout(t, goarch, pkg, typeName(s.Name), s)
	}
}

func checkLayout(t *testing.T, goarch string, pkg *types.Package, name string, s model.Struct) {
	t.Helper()
	sizes := types.SizesFor("gc", goarch)
	obj := pkg.Scope().Lookup(name)
	if obj == nil {
		t.Errorf("%s: there is no Go type %s", goarch, name)
		return
	}
	if got := sizes.Sizeof(obj.Type()); got != s.Size {
		t.Errorf("%s: %s has %d bytes in Go and %d in C", goarch, name, got, s.Size)
	}
	typ := obj.Type().Underlying().(*types.Struct)
	var fields []*types.Var
	for f := range typ.Fields() {
		fields = append(fields, f)
	}
	offsets := sizes.Offsetsof(fields)
	taken := memberNames(s)
	methods := types.NewMethodSet(types.NewPointer(obj.Type()))
	var walk func(s model.Struct, base int64)
	walk = func(s model.Struct, base int64) {
		for _, f := range s.Fields {
			member := memberName(f.Name, taken)
			i := slices.IndexFunc(fields, func(v *types.Var) bool { return v.Name() == member || v.Name() == "raw"+member })
			inline := f.Type.Innermost().Inline
			switch {
			case f.Bits != nil && (f.Name == "" || f.Bits.Width == 0):
			case f.Name == "" && inline != nil:
				walk(*inline, base+f.Offset)
			case f.Flexible || f.Type.Size == 0:
			case f.Bits == nil && i >= 0:
				if offsets[i] != base+f.Offset || sizes.Sizeof(fields[i].Type()) != f.Type.Size {
					t.Errorf("%s: %s.%s is at %d with %d bytes in Go, and at %d with %d in C",
						goarch, name, member, offsets[i], sizes.Sizeof(fields[i].Type()), base+f.Offset, f.Type.Size)
				}
			case methods.Lookup(pkg, member) == nil:
				t.Errorf("%s: %s has neither a field nor a method %s", goarch, name, member)
			}
			if f.Name != "" && inline != nil && inline.Size > 0 {
				checkLayout(t, goarch, pkg, name+member, *inline)
			}
		}
	}
	walk(s, 0)
}

// memberNames are the C names of the members, those in anonymous members too.
func memberNames(s model.Struct) map[string]bool {
	names := map[string]bool{}
	for _, f := range s.Fields {
		if f.Name == "" && f.Type.Inline != nil {
			maps.Copy(names, memberNames(*f.Type.Inline))
		}
		if f.Name != "" && (f.Bits == nil || f.Bits.Width > 0) {
			names[f.Name] = true
		}
	}
	return names
}

// checkAll compiles files on every architecture of the units, and compares the
// layouts with theirs.
func checkAll(t *testing.T, files []File, units []model.Unit) {
	t.Helper()
	for _, f := range files {
		if formatted, err := format.Source(f.Data); err != nil || !bytes.Equal(formatted, f.Data) {
			t.Errorf("%s is not as gofmt would have it: %v", f.Name, err)
		}
	}
	for _, u := range units {
		pkg, err := compile(t, u.Arch, files)
		if err != nil {
			t.Errorf("%s: %v", u.Arch, err)
			continue
		}
		checkLayouts(t, u.Arch, pkg, u.Structs)
	}
}

// members are the fields and methods of a type, but for padding.
func members(obj types.Object) (names []string) {
	t, ok := obj.(*types.TypeName)
	if !ok {
		return nil
	}
	for f := range t.Type().Underlying().(*types.Struct).Fields() {
		if f.Name() != "_" {
			names = append(names, f.Name())
		}
	}
	for m := range t.Type().(*types.Named).Methods() {
		names = append(names, m.Name())
	}
	return names
}
