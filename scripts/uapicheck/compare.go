package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// goarches is `go tool dist list` for linux.
var goarches = []string{
	"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le",
	"mipsle", "ppc64", "ppc64le", "riscv64", "s390x",
}

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
	for _, arch := range goarches {
		a, err := declarations(ours, arch)
		if err != nil {
			return Result{}, err
		}
		b, err := declarations(theirs, arch)
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

// declarations type-checks the package in dir as GOARCH arch sees it. Its
// imports are not followed: constants and the layout of types need none.
func declarations(dir, arch string) (*types.Scope, error) {
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled = "linux", arch, false
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if ok, err := ctx.MatchFile(dir, filepath.Base(name)); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no Go package for %s", dir, arch)
	}
	conf := types.Config{
		Importer:         noImports{},
		IgnoreFuncBodies: true,
		Sizes:            types.SizesFor("gc", arch),
		Error:            func(error) {}, // what the imports would have declared
	}
	pkg, _ := conf.Check(dir, fset, files, nil)
	return pkg.Scope(), nil
}

// noImports gives every package but unsafe as an empty one.
type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	pkg := types.NewPackage(path, filepath.Base(path))
	pkg.MarkComplete()
	return pkg, nil
}
