package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/golang"
	"github.com/go-clone3/clone3/gen/internal/model"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit statuses.
const (
	exitDone   = 0
	exitDiffer = 1 // -check or -diff found a difference
	exitBad    = 2 // bad usage or bad input
)

// run is the command: it does what args say and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(stdout, usage)
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(stderr, "gen: %v\nRun gen -h for help.\n", err)
		return exitBad
	}
	var out bytes.Buffer // stdout gets all of it or nothing
	limitMemory(len(o.headers) == 0 && o.old == "")
	c := command{o, &out, stderr}
	job := c.generate
	switch {
	case o.old != "":
		job = c.diff
	case o.json:
		job = c.print
	}
	differs, err := job()
	if err == nil {
		_, err = stdout.Write(out.Bytes())
	}
	switch {
	case err != nil:
		var errs model.Remarks
		errs.AddError(err, "")
		fmt.Fprintln(stderr, errs.Capped())
		return exitBad
	case differs:
		return exitDiffer
	}
	return exitDone
}

// limitMemory says how much memory is worth the time: for package uapi that of
// the program and a little more, where the collector has to run seldom to stay
// below it.
func limitMemory(uapi bool) {
	limit, percent := int64(800<<20), 100 // linux/... would take 1.4 GB; with less it takes as much, and longer
	if uapi {
		limit, percent = 54<<20, 400
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(percent)
		}
	}
}

// A command does one of three jobs. Each returns whether it found a
// difference that it was asked to look for.
type command struct {
	options
	stdout, stderr io.Writer
}

// generate makes Go files, or compares them with what is there.
func (c command) generate() (differs bool, err error) {
	r, err := c.read(c.kernel)
	if err != nil {
		return false, err
	}
	p, err := golang.Merge(r[0].units, c.names)
	if err != nil {
		return false, err
	}
	files, err := golang.Render(p, c.pkg, r[0].version)
	if errors.Is(err, golang.ErrNothing) {
		return false, c.nothing(r[0], p)
	}
	if err != nil {
		return false, err
	}
	ours := func(string) bool { return true }
	if len(c.headers) > 0 {
		ours = func(name string) bool {
			return slices.ContainsFunc(r[0].wants, func(w want) bool { return golang.IsFileOf(w.Name, name) })
		}
	}
	if c.check {
		err = Check(c.dir, files, ours)
	} else {
		err = Write(c.dir, files, ours)
	}
	if stale := (*StaleError)(nil); errors.As(err, &stale) {
		c.stdout.Write(stale.Diff)
		fmt.Fprintln(c.stderr, stale)
		differs, err = true, nil
	}
	c.report(r, &p)
	return differs, err
}

// nothing says why nothing is left of what was read, with all the reasons that
// there are.
func (c command) nothing(r reading, p golang.Package) error {
	if c.verbose {
		c.report([]reading{r}, &p)
	}
	var why model.Remarks
	why.Add(fmt.Sprintf("%s: %v", strings.Join(c.headers, ", "), golang.ErrNothing), "")
	for _, list := range [][]string{p.LeftOut.Lines(r.arches), skipRemarks(r.units).Lines(r.arches), unfound(r).Lines(r.arches), elsewhere(r, c.prefixes).Lines(r.arches)} {
		for _, line := range list {
			why.Add(line, "")
		}
	}
	return why.Capped()
}

// print prints the model.
func (c command) print() (bool, error) {
	r, err := c.read(c.kernel)
	if err != nil {
		return false, err
	}
	c.report(r, nil)
	units := slices.DeleteFunc(slices.Clone(r[0].units), func(u model.Unit) bool {
		_, out := r[0].failed[onArch{u.Group.Name, u.Arch}]
		return out
	})
	return false, model.WriteJSON(c.stdout, r[0].version, units)
}

// diff compares two kernels.
func (c command) diff() (differs bool, err error) {
	r, err := c.read(c.old, c.kernel)
	if err != nil {
		return false, err
	}
	// What cannot be read of one kernel is not gone.
	d := model.Diff(r[0].without(r[1].failed), r[1].without(r[0].failed))
	d.Old, d.New = r[0].version, r[1].version
	c.report(r, nil)
	if c.json {
		return !d.Empty(), model.WriteDiffJSON(c.stdout, d)
	}
	model.PrintDiff(c.stdout, d)
	return !d.Empty(), nil
}

// read reads what is wanted of one or two kernels.
func (c command) read(dirs ...string) ([]reading, error) {
	var kernels []tree
	for _, dir := range dirs {
		k, err := openTree(dir, c.arches, c.dirs, c.headers)
		if err != nil {
			return nil, err
		}
		kernels = append(kernels, k)
	}
	wants, err := c.wants(kernels)
	if err != nil {
		return nil, err
	}
	p := newProgress(c.stderr, len(kernels)*len(wants)*len(c.arches))
	defer p.clear()
	var readings []reading
	for _, k := range kernels {
		r, err := k.read(wants, len(c.headers) == 0, p)
		if err != nil {
			return nil, err
		}
		if len(r.wants) == 0 && len(kernels) == 1 {
			return nil, r.lacks.AsError(r.arches)
		}
		if len(c.since) > 0 {
			origins, err := c.origins(r)
			if err != nil {
				return nil, err
			}
			for i, u := range r.units {
				r.units[i] = u.Mark(origins)
			}
		}
		readings = append(readings, r)
	}
	return readings, nil
}
