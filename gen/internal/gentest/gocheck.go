package gentest

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"slices"
	"strings"
)

// CompileGo checks the types of files as the compiler for an architecture does,
// of those that it takes, going by their names and build constraints.
func CompileGo(goarch string, files map[string][]byte) (*types.Package, error) {
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range slices.Sorted(maps.Keys(files)) {
		ok, err := IsBuilt(goarch, name, files[name])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		file, err := parser.ParseFile(fset, name, files[name], parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	var errs []error
	config := types.Config{Sizes: types.SizesFor("gc", goarch), Importer: importer{}, Error: func(err error) { errs = append(errs, err) }}
	pkg, err := config.Check("p", fset, parsed, nil)
	if err != nil {
		return nil, errors.Join(errs...)
	}
	return pkg, nil
}

// IsBuilt reports whether the go command takes a file for an architecture.
func IsBuilt(goarch, name string, data []byte) (bool, error) {
	ctx := build.Context{GOOS: "linux", GOARCH: goarch, Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
	ok, err := ctx.MatchFile("", name)
	return ok && !strings.HasSuffix(name, "_test.go"), err
}

// An importer imports what generated code may: unsafe and, for numbers in a
// String, strconv.
type importer struct{}

func (importer) Import(path string) (*types.Package, error) {
	switch path {
	case "unsafe":
		return types.Unsafe, nil
	case "strconv":
		return strconvLike()
	}
	return nil, fmt.Errorf("generated code imports %s", path)
}

// strconvLike has the functions of strconv that generated code calls.
func strconvLike() (*types.Package, error) {
	const text = `package strconv
func FormatInt(i int64, base int) string { return "" }
func FormatUint(i uint64, base int) string { return "" }
func AppendUint(dst []byte, i uint64, base int) []byte { return dst }
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "strconv.go", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return new(types.Config).Check("strconv", fset, []*ast.File{file}, nil)
}
