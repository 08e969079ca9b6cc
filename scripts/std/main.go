//go:build linux

// Std runs the tests that the installed Go has for os/exec, and those of package
// syscall that start commands, with linux/exec in place of os/exec.
//
// The tests are copied into a temporary module, where their imports of internal
// packages become copies or stand-ins. They are run twice: first as they are,
// then with the import of os/exec swapped, also in the copies. It is a failure
// if a test passes with os/exec, and not with linux/exec.
//
// With -portable, linux/exec is built as for other systems.
//
//	go run ./scripts/std [-portable] [-run regexp] [-v]
package main

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
	"golang.org/x/tools/txtar"
)

var (
	run      = flag.String("run", "", "run only the tests that match this `regexp`")
	asUser   = flag.String("as-user", "", "execute the command that follows as a user without privileges, from a copy in this `directory`")
	portable = flag.Bool("portable", false, "try what linux/exec is on other systems")
	verbose  = flag.Bool("v", false, "list the tests that pass, too")
)

const (
	module = "github.com/go-clone3/clone3"
	ours   = module + "/linux/exec"
)

// suites are the tests to run: in which package, and which of its files.
var suites = []struct {
	pkg   string
	files []string // patterns
}{
	{"os/exec", []string{"*_test.go", "read3.go"}}, // a test builds read3.go
	{"syscall", []string{"exec_*_test.go", "syscall_unix_test.go", "syscall_linux_test.go"}},
}

// leftOut are files whose tests cannot run outside of the package they are in.
var leftOut = map[string]string{
	"os/exec/bench_test.go":    "has benchmarks only",
	"os/exec/env_test.go":      "calls the unexported dedupEnv of os/exec, which linux/exec has os/exec do",
	"os/exec/internal_test.go": "calls the unexported prefixSuffixSaver of os/exec; linux/exec tests its own",
	"os/exec/lp_test.go":       "calls unexported functions of os/exec behind LookPath, which linux/exec has os/exec do",
}

// stand-ins for what cannot be copied, by the path of the file.
//
//go:embed standins.txtar
var standins []byte

func main() {
	flag.Parse()
	do := do
	if *asUser != "" {
		do = execAsUser
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "std:", err)
		os.Exit(1)
	}
}

func do() error {
	repo, err := gotest.Repo()
	if err != nil {
		return err
	}
	goroot, err := gotest.Output(repo, "env", "GOROOT")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "std")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // for other users
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := prepare(); err != nil {
		return err
	}
	skipped := map[string]string{} // tests left out, and why
	for _, v := range []variant{{root: "with-os-exec", exec: "os/exec"}, {root: "with-linux-exec", exec: ours}} {
		v.src, v.dir = filepath.Join(goroot, "src"), filepath.Join(dir, v.root)
		for _, s := range suites {
			if err := v.copyTests(s.pkg, s.files, skipped); err != nil {
				return err
			}
		}
	}

	if err := makeModule(dir, repo); err != nil {
		return err
	}

	var report gotest.Report
	for _, s := range suites {
		base, with, err := runBoth(dir, s.pkg, "-run="+*run)
		if err != nil {
			return err
		}
		report.Add(s.pkg, base, with)
		if os.Geteuid() == 0 {
			// Some tests, and some parts of others, are for users without
			// privileges.
			base, with, err := runBoth(dir, s.pkg, "-run="+*run, "-exec="+self+" -as-user="+dir)
			if err != nil {
				return err
			}
			report.Add(s.pkg+" (as user)", base, with)
		}
	}
	report.LeftOut = skipped
	return report.Print(os.Stdout, "os/exec", "linux/exec", *verbose)
}

// makeModule makes a directory the module of the tests. It has copies of all that
// these need, for users who can read neither repo nor the cache of modules.
func makeModule(dir, repo string) error {
	const sys = "golang.org/x/sys"
	version, err := gotest.Output(repo, "list", "-m", "-f={{.Version}}", sys)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		return err
	}
	mod := fmt.Sprintf("module copy\n\ngo 1.26.0\n\nrequire (\n\t%s v0.0.0\n\t%s %s\n)\n\nreplace %[1]s => %[4]s\n", module, sys, version, repo)
	for name, content := range map[string]string{"go.mod": mod, "go.sum": string(sums)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			return err
		}
	}
	_, err = gotest.Output(dir, "mod", "vendor")
	return err
}

// runBoth runs the tests of a package in both variants.
func runBoth(dir, pkg string, args ...string) (base, with map[string]gotest.Result, err error) {
	args = append(args, "-ldflags=-checklinkname=0") // stand-ins reach for variables of package syscall
	if base, err = gotest.Run(dir, "./with-os-exec/"+pkg, args...); err != nil {
		return nil, nil, err
	}
	if *portable {
		args = append(args, "-tags=clone3_osexec")
	}
	with, err = gotest.Run(dir, "./with-linux-exec/"+pkg, args...)
	return base, with, err
}

// A variant is a tree of copies in which packages import exec for os/exec.
type variant struct {
	src  string // the sources of the standard library
	dir  string // the tree
	root string // the import path of the tree in module copy
	exec string
}

// copyTests copies files of a package, and says which it has left out.
func (v *variant) copyTests(pkg string, patterns []string, skipped map[string]string) error {
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(v.src, pkg, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			rel, _ := filepath.Rel(v.src, name)
			reason := leftOut[rel]
			if other, ok := otherSystem(name); ok {
				reason = "is for " + other
			}
			if reason != "" {
				if err := tests(name, func(test string) { skipped[pkg+" "+test] = reason }); err != nil {
					return err
				}
				continue
			}
			if err := v.copyFile(rel); err != nil {
				return err
			}
		}
	}
	return v.standIn(pkg)
}

// otherSystem returns the system that the name of a file says it is for.
func otherSystem(name string) (string, bool) {
	words := strings.Split(strings.TrimSuffix(filepath.Base(name), "_test.go"), "_")
	last := words[len(words)-1]
	return last, slices.Contains([]string{"windows", "plan9", "aix", "freebsd", "solaris", "other"}, last)
}

// tests calls f for the tests of a file.
func tests(name string, f func(string)) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
			f(fn.Name.Name)
		}
	}
	return nil
}

// standIn writes the stand-ins that belong to a package.
func (v *variant) standIn(pkg string) error {
	for _, f := range txtar.Parse(standins).Files {
		if filepath.Dir(f.Name) == pkg {
			if err := v.write(f.Name, f.Data); err != nil {
				return err
			}
		}
	}
	return nil
}

// amendments are small changes to tests that are never run otherwise.
var amendments = []struct{ file, old, new string }{
	// The directory above is closed to the user that the child becomes.
	{"syscall/exec_pdeathsig_test.go", "os.Chmod(tempDir, 0755)", "os.Chmod(tempDir, 0755); os.Chmod(filepath.Dir(tempDir), 0755)"},
}

// exported are names that package syscall has for its own tests only. Their
// stand-ins are in the package of the tests.
var exported = []string{"ForceClone3", "GetInternalOrigRlimitNofile", "OrigRlimitNofile", "Prlimit",
	"RawSyscallNoError", "Sys_GETEUID", "Tcgetpgrp", "Tcsetpgrp"}

// copyFile copies a file, with its imports swapped, and the packages that these
// need.
func (v *variant) copyFile(rel string) error {
	src, err := os.ReadFile(filepath.Join(v.src, rel))
	if err != nil {
		return err
	}
	for _, a := range amendments {
		if a.file == rel {
			src = bytes.Replace(src, []byte(a.old), []byte(a.new), 1)
		}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, rel, src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var edits []edit
	replace := func(n ast.Node, text string) {
		edits = append(edits, edit{fset.Position(n.Pos()).Offset, fset.Position(n.End()).Offset, text})
	}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		switch {
		case path == "os/exec":
			replace(spec.Path, strconv.Quote(v.exec))
		case strings.HasPrefix(path, "internal/"), strings.Contains(path, "/internal/"):
			if err := v.copyPackage(path); err != nil {
				return err
			}
			replace(spec.Path, strconv.Quote("copy/"+v.root+"/"+path))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(exported, s.Sel.Name) {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "syscall" {
				replace(s, s.Sel.Name)
			}
		}
		return true
	})
	return v.write(rel, apply(src, edits))
}

// An edit replaces src[from:to].
type edit struct {
	from, to int
	text     string
}

func apply(src []byte, edits []edit) []byte {
	var out bytes.Buffer
	at := 0
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	for _, e := range edits {
		out.Write(src[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(src[at:])
	return out.Bytes()
}

// copyPackage copies an internal package, unless that was done, or writes its
// stand-in.
func (v *variant) copyPackage(pkg string) error {
	dir := filepath.Join(v.dir, pkg)
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := v.standIn(pkg); err != nil {
		return err
	}
	if written, err := os.ReadDir(dir); err != nil || len(written) > 0 {
		return err
	}
	names, err := filepath.Glob(filepath.Join(v.src, pkg, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		rel, _ := filepath.Rel(v.src, name)
		if err := v.copyFile(rel); err != nil {
			return err
		}
	}
	return nil
}

func (v *variant) write(rel string, data []byte) error {
	name := filepath.Join(v.dir, rel)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o666)
}
