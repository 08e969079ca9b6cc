package main

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/go-clone3/clone3/scripts/internal/declared"
)

// A Difference is a declaration of ours that does not hold in the other
// package.
type Difference struct {
	Name string
	Arch string
	What string
}

func (d Difference) String() string { return d.Arch + ": " + d.What }

// A Result counts what was compared on all architectures together.
type Result struct {
	Consts, Types int
	Differences   []Difference
}

// A scope says which declarations of ours the other package must have.
type scope bool

const (
	everything scope = true  // what is missing there is a difference
	common     scope = false // only what both have is compared
)

// compare holds the constants and struct types of the package in directory
// ours against those in theirs.
func compare(ours, theirs string, want scope) (Result, error) {
	var r Result
	for _, arch := range declared.GOARCHes {
		a, err := declared.Scope(ours, arch)
		if err != nil {
			return Result{}, err
		}
		b, err := declared.Scope(theirs, arch)
		if err != nil {
			return Result{}, err
		}
		sizes := types.SizesFor("gc", arch)
		differ := func(name, format string, args ...any) {
			r.Differences = append(r.Differences, Difference{name, arch, fmt.Sprintf(format, args...)})
		}
		for _, name := range a.Names() {
			if !token.IsExported(name) {
				continue
			}
			switch our := a.Lookup(name).(type) {
			case *types.Const:
				their, ok := b.Lookup(name).(*types.Const)
				if !ok {
					if want == everything {
						differ(name, "the constant %s is gone", name)
					}
					continue
				}
				r.Consts++
				if !equal(our.Val(), their.Val()) {
					differ(name, "%s is %v, and there %v", name, our.Val(), their.Val())
				}
			case *types.TypeName:
				their, ok := b.Lookup(name).(*types.TypeName)
				if !ok {
					if want == everything {
						differ(name, "the type %s is gone", name)
					}
					continue
				}
				r.Types++
				here, there := places(sizes, our), places(sizes, their)
				for _, f := range fields(our) {
					at, ok := there[f.Name()]
					switch our := here[f.Name()]; {
					case f.Name() == "_":
					case !ok && want == everything:
						differ(name, "the field %s.%s is gone", name, f.Name())
					case ok && at != our:
						differ(name, "%s.%s has %v, and there %v", name, f.Name(), our, at)
					}
				}
			}
		}
	}
	return r, nil
}

func equal(a, b constant.Value) bool {
	return a.Kind() == b.Kind() && constant.Compare(a, token.EQL, b)
}

// A place is where a field lies.
type place struct{ offset, size int64 }

func (p place) String() string { return fmt.Sprintf("%d bytes at %d", p.size, p.offset) }

// places has the place of every field of a struct type.
func places(sizes types.Sizes, name *types.TypeName) map[string]place {
	all := fields(name)
	at := map[string]place{}
	for i, offset := range sizes.Offsetsof(all) {
		at[all[i].Name()] = place{offset, sizes.Sizeof(all[i].Type())}
	}
	return at
}

// fields are those of a struct type; other types have none.
func fields(name *types.TypeName) (all []*types.Var) {
	if s, ok := name.Type().Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			all = append(all, f)
		}
	}
	return all
}
