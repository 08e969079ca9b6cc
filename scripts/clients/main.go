//go:build linux

// Clients runs the tests of Go modules that start programs, with linux/exec in
// place of os/exec.
//
// testdata/clients.txt lists the modules. They are fetched from the module proxy
// and copied twice: as they are, and with the import swapped in all their files.
// It is a failure if a test passes before, and not after. Such a test is run
// more often in both copies at first, as there are tests that fail now and then
// by themselves. At the end there is a table of what has passed.
//
//	go run ./scripts/clients [-v] [-ci] [module...]
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"go/version"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
)

var (
	verbose = flag.Bool("v", false, "list the tests that pass, too")
	ci      = flag.Bool("ci", false, "only the modules marked ci")
)

const (
	clone3    = "github.com/go-clone3/clone3"
	ours      = clone3 + "/linux/exec"
	goVersion = "1.26.0" // what this module asks of those that require it
)

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(1)
	}
}

func run(only []string) error {
	repo, err := gotest.Repo()
	if err != nil {
		return err
	}
	list, err := os.ReadFile(filepath.Join(repo, "testdata", "clients.txt"))
	if err != nil {
		return err
	}
	clients, err := parse(string(list))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	report := gotest.Report{LeftOut: map[string]string{}}
	var rows []row
	var errs []error
	for i, c := range clients {
		if len(only) > 0 && !slices.Contains(only, c.module) || *ci && !c.ci && c.out == "" {
			continue
		}
		if c.out != "" {
			report.LeftOut[c.module] = c.out
			continue
		}
		r, err := c.test(repo, filepath.Join(dir, fmt.Sprint(i)), &report)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.module, err))
		}
		rows = append(rows, r)
	}
	errs = append(errs, report.Print(os.Stdout, "os/exec", "linux/exec", *verbose))
	fmt.Println()
	printTable(os.Stdout, rows)
	return errors.Join(errs...)
}

// test runs the tests of a module in two copies of it, before and after the
// swap.
func (c client) test(repo, dir string, report *gotest.Report) (row, error) {
	r := row{client: c}
	start := time.Now()
	both := gotest.Both{Before: filepath.Join(dir, "before"), After: filepath.Join(dir, "after")}
	for _, dir := range []string{both.Before, both.After} {
		if err := fetch(c.module+"@"+c.version, dir); err != nil {
			return r, err
		}
		if err := require(dir, repo); err != nil {
			return r, err
		}
	}
	if err := swap(both.After, c.keep); err != nil {
		return r, err
	}
	before, err := c.run(both.Before)
	if err != nil {
		return r, err
	}
	after, err := c.run(both.After)
	if err != nil {
		return r, fmt.Errorf("with linux/exec: %w", err)
	}
	for _, pkg := range c.packages {
		if err := both.Judge(pkg, before[pkg], after[pkg], c.args()...); err != nil {
			return r, err
		}
		report.Add(path.Join(c.module, pkg), before[pkg], after[pkg])
		r.before.add(before[pkg])
		r.after.add(after[pkg])
		r.broke += broken(before[pkg], after[pkg])
	}
	r.took = time.Since(start)
	if r.before.passed == 0 {
		return r, errors.New("no test passes with os/exec, so nothing is compared")
	}
	return r, nil
}

// run runs the tests of the module's packages, one after the other: names of
// tests are unique in a package only.
func (c client) run(dir string) (map[string]map[string]gotest.Result, error) {
	results := map[string]map[string]gotest.Result{}
	for _, pkg := range c.packages {
		r, err := gotest.Run(dir, pkg, c.args()...)
		if err != nil {
			return nil, err
		}
		results[pkg] = r
	}
	return results, nil
}

// args are for go test.
func (c client) args() []string { return append([]string{"-mod=mod"}, c.flags...) }

// fetch gets a module from the proxy and copies it.
func fetch(module, dir string) error {
	out, err := gotest.Output(os.TempDir(), "mod", "download", "-json", module)
	if err != nil {
		return err
	}
	var m struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		return fmt.Errorf("go mod download %s: %w", module, err)
	}
	if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
		return err
	}
	// Files in the cache of modules are neither writable nor executable.
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() || executable(name) {
			mode = 0o755
		}
		return os.Chmod(name, mode)
	})
}

// executable reports whether a file is a script.
func executable(name string) bool {
	b, err := os.ReadFile(name)
	return err == nil && bytes.HasPrefix(b, []byte("#!"))
}

// require makes the module in dir require this one, be it that it does not import
// it: for both copies to have the same requirements.
func require(dir, repo string) error {
	out, err := gotest.Output(dir, "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var mod struct{ Go string }
	if err := json.Unmarshal([]byte(out), &mod); err != nil {
		return err
	}
	args := []string{"mod", "edit", "-require=" + clone3 + "@v0.0.0", "-replace=" + clone3 + "=" + repo}
	if version.Compare("go"+mod.Go, "go"+goVersion) < 0 {
		args = append(args, "-go="+goVersion)
	}
	_, err = gotest.Output(dir, args...)
	return err
}

// swap replaces the import of os/exec in all files but those to keep. Files in
// testdata are what programs are given, and no part of them.
func swap(dir string, keep []string) error {
	swapped := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		rel, _ := filepath.Rel(dir, name)
		if d.IsDir() || filepath.Ext(name) != ".go" || slices.Contains(keep, rel) {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		out := swapImport(src)
		if out == nil {
			return nil
		}
		swapped++
		return os.WriteFile(name, out, 0o666)
	})
	if err == nil && swapped == 0 {
		err = fmt.Errorf("%s: no file imports os/exec", dir)
	}
	return err
}

// swapImport returns a file that imports linux/exec in place of os/exec, or nil
// if it does not import that. It finds the import as the compiler does, for a
// string may hold the text of another program.
func swapImport(src []byte) []byte {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ImportsOnly)
	if err != nil {
		return nil // the compiler says so, if it is to read it
	}
	for _, spec := range file.Imports {
		if spec.Path.Value == `"os/exec"` {
			start, end := fset.Position(spec.Path.Pos()).Offset, fset.Position(spec.Path.End()).Offset
			return slices.Concat(src[:start], []byte(`"`+ours+`"`), src[end:])
		}
	}
	return nil
}

// A row of the table is what became of the tests of a module.
type row struct {
	client
	before, after counts
	broke         int
	took          time.Duration
}

type counts struct{ passed, failed, skipped int }

func (c *counts) add(results map[string]gotest.Result) {
	for _, r := range results {
		switch r.Action {
		case "pass":
			c.passed++
		case "fail":
			c.failed++
		case "skip":
			c.skipped++
		}
	}
}

func (c counts) String() string { return fmt.Sprintf("%d/%d/%d", c.passed, c.failed, c.skipped) }

// broken counts the tests that the report says are broken.
func broken(before, after map[string]gotest.Result) (n int) {
	for test, r := range before {
		a := after[test].Action
		if after[test].Odds != nil {
			continue
		}
		if r.Action == "pass" && a != "pass" || r.Action == "skip" && a != "skip" && a != "pass" {
			n++
		}
	}
	return n
}

func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "module\tversion\tci\tpackages\tos/exec\tlinux/exec\tbroken\tseconds")
	for _, r := range rows {
		mark := ""
		if r.ci {
			mark = "ci"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%v\t%v\t%d\t%.0f\n", r.module, r.version, mark, len(r.packages), r.before, r.after, r.broke, r.took.Seconds())
	}
	t.Flush()
	fmt.Fprintln(w, "os/exec, linux/exec: tests passed/failed/skipped, subtests included")
}
