// Package api reads what a package exports on one system, from its source.
package api

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// A Package is the source of a package, as it is compiled for one system.
type Package struct {
	Fset  *token.FileSet
	Files map[string]*ast.File // by name, without tests
}

// Read parses a package. tags are build tags besides goos.
func Read(dir, goos string, tags ...string) (Package, error) {
	system := build.Default
	system.GOOS, system.GOARCH, system.CgoEnabled, system.BuildTags = goos, "amd64", false, tags
	if goos == "js" {
		system.GOARCH = "wasm"
	}
	p := Package{token.NewFileSet(), map[string]*ast.File{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return p, err
	}
	for _, path := range names {
		name := filepath.Base(path)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if match, err := system.MatchFile(dir, name); err != nil {
			return p, err
		} else if !match {
			continue
		}
		f, err := parser.ParseFile(p.Fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return p, err
		}
		p.Files[name] = f
	}
	if len(p.Files) == 0 {
		return p, fmt.Errorf("%s has no Go file for %s", dir, goos)
	}
	return p, nil
}

// Exported returns what the package exports, a line for each constant, variable,
// function, method, type and field, sorted.
func (p Package) Exported() []string {
	var all []string
	for _, f := range p.Files {
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if Exports(d) {
					all = append(all, p.Signature(d))
				}
			case *ast.GenDecl:
				all = append(all, p.general(d)...)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Exports reports whether a function is exported, and if it is a method, its type.
func Exports(f *ast.FuncDecl) bool {
	if !f.Name.IsExported() {
		return false
	}
	receiver := Receiver(f)
	return receiver == "" || ast.IsExported(receiver)
}

// Receiver returns the type of which a function is a method, or "".
func Receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// Signature returns a function without its body and comment, in one line.
func (p Package) Signature(f *ast.FuncDecl) string {
	bare := *f
	bare.Doc, bare.Body = nil, nil
	return p.Text(&bare)
}

func (p Package) general(d *ast.GenDecl) []string {
	var all []string
	var inherited ast.Expr // the type of a constant without one
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			if s.Type != nil || s.Values != nil {
				inherited = s.Type
			}
			for _, name := range s.Names {
				if !name.IsExported() {
					continue
				}
				line := d.Tok.String() + " " + name.Name
				if inherited != nil {
					line += " " + p.Text(inherited)
				}
				all = append(all, line)
			}
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				all = append(all, p.declared(s)...)
			}
		}
	}
	return all
}

func (p Package) declared(s *ast.TypeSpec) []string {
	head := "type " + s.Name.Name + " "
	t, ok := s.Type.(*ast.StructType)
	if !ok {
		if s.Assign.IsValid() {
			head += "= "
		}
		return []string{head + p.Text(s.Type)}
	}
	all := []string{head + "struct"}
	for _, field := range t.Fields.List {
		if field.Names == nil {
			all = append(all, head+"struct, "+p.Text(field.Type))
		}
		for _, name := range field.Names {
			if name.IsExported() {
				all = append(all, head+"struct, "+name.Name+" "+p.Text(field.Type))
			}
		}
	}
	return all
}

// Text returns a node as source in one line.
func (p Package) Text(node any) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, p.Fset, node); err != nil {
		panic(err) // of a node that was parsed
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
