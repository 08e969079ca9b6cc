// Command news prints what a kernel has and this module does not handle, so that
// a release is acted on:
//
//	go run ./scripts/news DIR
//
// DIR is package uapi made from the newest kernel. First comes what package uapi
// lacks of it; then the names that package linux, with all below it, should know
// by what they begin with, and does not mention. What it is not to handle is in
// testdata/news.txt, with the reason.
package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: news DIR")
		os.Exit(2)
	}
	if err := run(".", os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "news:", err)
		os.Exit(1)
	}
}

// families are what package linux is about: the names that begin like this.
var families = []string{
	"CLONE_", "PIDFD_", "P_PIDFD", "FD_PIDFS_", "NS_", "SCHED_FLAG_",
	"SYS_PIDFD_", "SYS_CLONE", "SYS_LANDLOCK_", "SYS_PROCESS_",
	"LANDLOCK_", "SECCOMP_FILTER_FLAG_", "SECCOMP_RET_", "CAP_", "SECBIT_", "RLIMIT_",
	"MOUNT_ATTR_", "OPEN_TREE_", "MOVE_MOUNT_", "FSMOUNT_", "FSOPEN_",
}

func run(root, newest string, w io.Writer) error {
	have, err := declared(filepath.Join(root, "uapi"))
	if err != nil {
		return err
	}
	there, err := declared(newest)
	if err != nil {
		return err
	}
	known, err := mentioned(filepath.Join(root, "linux"))
	if err != nil {
		return err
	}
	left, err := readList(filepath.Join(root, "testdata", "news.txt"))
	if err != nil {
		return err
	}
	var lacks, ignores []string
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if have[name] == "" {
			lacks = append(lacks, there[name]+": "+name)
		}
		isFamily := slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(name, f) })
		if isFamily && !known[name] && !left.has(name) {
			ignores = append(ignores, there[name]+": "+name)
		}
	}
	print := func(title string, names []string) {
		slices.Sort(names)
		fmt.Fprintf(w, "%s: %d\n", title, len(names))
		for _, name := range names {
			fmt.Fprintln(w, "  "+name)
		}
	}
	print("uapi does not have", lacks)
	print("linux does not mention, and testdata/news.txt says no reason", ignores)
	var idle []string
	for _, p := range left {
		if !p.used {
			idle = append(idle, p.pattern)
		}
	}
	if len(idle) > 0 {
		print("testdata/news.txt has, and the kernel or linux no longer", idle)
	}
	return nil
}

// declared returns the exported names of a package for all architectures, and
// the files that they are in.
func declared(dir string) (map[string]string, error) {
	names := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "z*.go"))
	if err != nil || len(files) == 0 {
		return nil, cmp.Or(err, fmt.Errorf("%s: no package made by gen", dir))
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		group, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".go"), "_linux")
		for _, d := range f.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range gen.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = group[1:]
					}
				case *ast.TypeSpec:
					names[s.Name.Name] = group[1:]
				}
			}
		}
	}
	for name := range names {
		if !token.IsExported(name) {
			delete(names, name)
		}
	}
	return names, nil
}

// mentioned returns the names of package uapi that the packages below dir use,
// but for tests.
func mentioned(dir string) (map[string]bool, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if p, ok := s.X.(*ast.Ident); ok && (p.Name == "uapi" || p.Name == "unix") {
					names[s.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	return names, err
}

// A list has what is not to be handled.
type list []*entry

type entry struct {
	pattern string
	used    bool
}

// has reports whether a name is in the list.
func (l list) has(name string) bool {
	found := false
	for _, e := range l {
		if ok, _ := path.Match(e.pattern, name); ok {
			e.used, found = true, true
		}
	}
	return found
}

// readList reads a file with a pattern of path.Match and a reason on each line.
func readList(file string) (list, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var l list
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		pattern, reason, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pattern == "" || pattern[0] == '#' {
			continue
		}
		if _, err := path.Match(pattern, ""); err != nil || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s:%d: want a pattern and a reason", file, n)
		}
		l = append(l, &entry{pattern: pattern})
	}
	return l, nil
}
