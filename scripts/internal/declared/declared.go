// Package declared reads what a Go package declares on each architecture of
// Linux, without building it.
package declared

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// GOARCHes is `go tool dist list` for linux.
var GOARCHes = []string{
	"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le",
	"mipsle", "ppc64", "ppc64le", "riscv64", "s390x",
}

// Scope type-checks the package in dir as GOARCH arch sees it. Its
// imports are not followed: constants and the layout of types need none.
func Scope(dir, arch string) (*types.Scope, error) {
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

// noImports gives every package but unsafe as one that is empty, or nearly so.
type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	pkg := types.NewPackage(path, filepath.Base(path))
	if path == "syscall" { // the types of error numbers and signals
		for name, under := range map[string]types.BasicKind{"Errno": types.Uintptr, "Signal": types.Int} {
			obj := types.NewTypeName(token.NoPos, pkg, name, nil)
			types.NewNamed(obj, types.Typ[under], nil)
			pkg.Scope().Insert(obj)
		}
	}
	pkg.MarkComplete()
	return pkg, nil
}
