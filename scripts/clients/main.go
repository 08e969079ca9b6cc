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
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
	"github.com/go-clone3/clone3/scripts/internal/modcopy"
)

var (
	verbose = flag.Bool("v", false, "list the tests that pass, too")
	ci      = flag.Bool("ci", false, "only the modules marked ci")
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
		if err := modcopy.Fetch(c.module+"@"+c.version, dir); err != nil {
			return r, err
		}
		if err := modcopy.Require(dir, repo); err != nil {
			return r, err
		}
	}
	if err := modcopy.Swap(both.After, c.keep); err != nil {
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
		r.before.Add(before[pkg])
		r.after.Add(after[pkg])
		r.broke += broken(before[pkg], after[pkg])
	}
	r.took = time.Since(start)
	if r.before.Passed == 0 {
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

// A row of the table is what became of the tests of a module.
type row struct {
	client
	before, after gotest.Counts
	broke         int
	took          time.Duration
}

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
