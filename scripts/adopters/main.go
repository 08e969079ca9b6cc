//go:build linux

// Adopters gives public modules that start programs the guarantee which their
// users ask for, by the smallest change that does, and proves it.
//
// testdata/adopters.txt lists them, with the change as a rule. Each module is
// fetched from the module proxy and copied twice; the rule is applied to one of
// the copies. Its tests run in both, and so does a program that uses it, see
// testdata/adopters, below which processes have to be left before, and none
// after. It is a failure if a test passes before and not after, as with
// scripts/clients, and if a program does not show the difference. With modules as
// arguments, the lines of others in the table stay.
//
//	go run ./scripts/adopters [-v] [-proof] [-o FILE] [module...]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
	"github.com/go-clone3/clone3/scripts/internal/modcopy"
)

var (
	verbose = flag.Bool("v", false, "list the tests that pass, too")
	proofs  = flag.Bool("proof", false, "run no tests of the modules, only the programs")
	output  = flag.String("o", "", "write the table to this `file`, if all went well")
)

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "adopters:", err)
		os.Exit(1)
	}
}

func run(only []string) error {
	repo, err := gotest.Repo()
	if err != nil {
		return err
	}
	list, err := os.ReadFile(filepath.Join(repo, "testdata", "adopters.txt"))
	if err != nil {
		return err
	}
	adopters, err := parse(string(list))
	if err != nil {
		return err
	}
	if *output != "" && *proofs {
		return errors.New("a table without tests is none to keep: -o goes without -proof")
	}
	dir, err := os.MkdirTemp("", "adopters")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	report := gotest.Report{}
	var rows []row
	var errs []error
	start := time.Now()
	for i, a := range adopters {
		if len(only) > 0 && !slices.Contains(only, a.module) {
			continue
		}
		began := time.Now()
		scratch := filepath.Join(dir, fmt.Sprint(i))
		r, err := a.try(repo, scratch, &report)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.module, err))
		}
		os.RemoveAll(scratch)
		fmt.Printf("%s: %.0f s\n", a.module, time.Since(began).Seconds())
		rows = append(rows, r)
	}
	if rows == nil {
		return errors.New("the list has no such module")
	}
	if !*proofs {
		errs = append(errs, report.Print(os.Stdout, "os/exec", "the patch", *verbose))
	}
	lines := map[string]string{}
	for _, r := range rows {
		lines[r.module] = r.line()
	}
	fmt.Printf("\n%s\n%.0f seconds\n", table(adopters, lines), time.Since(start).Seconds())
	if err := errors.Join(errs...); err != nil || *output == "" {
		return err
	}
	old, err := os.ReadFile(*output)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, a := range adopters {
		if lines[a.module] == "" {
			lines[a.module] = a.kept(string(old))
		}
	}
	return os.WriteFile(*output, []byte(table(adopters, lines)), 0o666)
}

// A row of the table is what became of a module.
type row struct {
	adopter
	code, tests   int // lines of the patch
	before, after gotest.Counts
	was, is       int // what the proof has counted
}

// try applies the rule to one of two copies of the module, and compares them.
func (a adopter) try(repo, dir string, report *gotest.Report) (row, error) {
	r := row{adopter: a}
	program, err := os.ReadFile(filepath.Join(repo, "testdata", "adopters", a.program))
	if err != nil {
		return r, err
	}
	both := gotest.Both{Before: filepath.Join(dir, "before"), After: filepath.Join(dir, "after")}
	for _, dir := range []string{both.Before, both.After} {
		if err := modcopy.Fetch(a.module+"@"+a.version, dir); err != nil {
			return r, err
		}
		if err := modcopy.Require(dir, repo); err != nil {
			return r, err
		}
	}
	if err := a.rewrite(both.After); err != nil {
		return r, err
	}
	if r.code, r.tests, err = size(both.Before, both.After); err != nil {
		return r, err
	}
	if err := a.proveBoth(both, program, &r); err != nil || *proofs {
		return r, err
	}
	for _, pkg := range a.packages {
		args := append([]string{"-mod=mod"}, a.flags...)
		before, err := gotest.Run(both.Before, pkg, args...)
		if err != nil {
			return r, err
		}
		after, err := gotest.Run(both.After, pkg, args...)
		if err != nil {
			return r, fmt.Errorf("with the patch: %w", err)
		}
		if err := both.Judge(pkg, before, after, args...); err != nil {
			return r, err
		}
		report.Add(path.Join(a.module, pkg), before, after)
		r.before.Add(before)
		r.after.Add(after)
	}
	if r.before.Passed == 0 {
		return r, errors.New("no test passes before, so nothing is compared")
	}
	return r, nil
}

// proveBoth runs the program in both copies. It imports os/exec if the module
// wants a Cmd of that, which is swapped with it.
func (a adopter) proveBoth(both gotest.Both, program []byte, r *row) error {
	for _, side := range []struct {
		dir   string
		count *int
	}{{both.Before, &r.was}, {both.After, &r.is}} {
		if side.dir == both.After && a.swap == nil {
			if swapped := modcopy.SwapImport(program); swapped != nil {
				program = swapped
			}
		}
		dir := filepath.Join(side.dir, proofDir)
		if err := os.Mkdir(dir, 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), program, 0o666); err != nil {
			return err
		}
		bin, err := build(side.dir)
		if err != nil {
			return err
		}
		if *side.count, err = prove(bin, a.proof); err != nil {
			return err
		}
	}
	if k := kinds[a.proof]; !k.better(r.was, r.is) {
		return fmt.Errorf("the proof shows no difference: %s: %d before, %d after", k.what, r.was, r.is)
	}
	return nil
}

// line is the row as the table has it.
func (r row) line() string {
	return fmt.Sprintf("| %s%s%s | %d + %d | %v<br>%v | %s: **%d**, **%d** | %s |\n", r.what, r.key(), r.wants, r.code, r.tests,
		r.before, r.after, kinds[r.proof].what, r.was, r.is, strings.Join(r.asked, "<br>"))
}

// key is what no other line has.
func (a adopter) key() string { return "<br>" + a.module + " " + a.version + " | " }

// kept is the line of an earlier table, or "".
func (a adopter) kept(table string) string {
	for line := range strings.Lines(table) {
		if strings.Contains(line, a.key()) {
			return line
		}
	}
	return ""
}

// table is a document in Markdown, with the lines there are.
func table(adopters []adopter, lines map[string]string) string {
	var b strings.Builder
	b.WriteString(`# What public modules gain

Written by make adopters. The rules are in adopters.txt, and the programs that
count beside it.

| what it is | with the patch | lines: code + tests | its tests before, after | counted before, after | asked for in |
|---|---|---|---|---|---|
`)
	for _, a := range adopters {
		b.WriteString(lines[a.module])
	}
	b.WriteString(`
Tests: passed/failed/skipped, subtests included; those that fail do so before, too.
Lines of tests and examples are the import, mostly. Of the three processes that a
proof starts, one has left its session.
`)
	return b.String()
}
