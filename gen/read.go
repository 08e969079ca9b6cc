package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/go-clone3/clone3/gen/internal/c"
	"github.com/go-clone3/clone3/gen/internal/kernel"
	"github.com/go-clone3/clone3/gen/internal/model"
	"github.com/go-clone3/clone3/gen/internal/parallel"
)

// A tree is a kernel with what #include finds on each of some architectures.
type tree struct {
	kernel.Tree
	arches   []model.Arch
	includes []fs.FS
	parser   *c.Parser
}

// openTree opens the kernel in dir, which must have all of arches, with the
// headers of more directories before its own, and those named beside them.
func openTree(dir string, arches []model.Arch, more, named []string) (tree, error) {
	t, err := kernel.OpenTree(dir)
	if err == nil && len(named) > 0 {
		t, err = t.With(more, named)
	}
	if err != nil {
		return tree{}, err
	}
	k := tree{Tree: t, arches: arches, parser: new(c.Parser)}
	var errs model.Remarks
	for _, a := range arches {
		inc, err := t.Includes(a)
		k.includes = append(k.includes, inc)
		errs.AddError(err, a.GOARCH)
	}
	return k, errs.AsError(archNames(arches))
}

// A reading is what was read of one kernel.
type reading struct {
	version string
	arches  []string
	wants   []want        // what could be read on some architecture
	units   []model.Unit  // by architecture, then as wanted; without declarations where it could not be read
	lacks   model.Remarks // headers that the kernel does not have, where it does not
	lacking model.Remarks // the headers that were asked for by name and are left out for that
	fails   model.Remarks // why groups that a pattern found were left out
	failed  map[onArch]bool
}

// onArch is a group on an architecture.
type onArch struct{ group, arch string }

// A result is what one group is on one architecture.
type result struct {
	unit  model.Unit // without declarations if the kernel has no header of the group
	lacks []string   // headers
	err   error
}

// readTogether reads groups on one architecture as one translation unit, or if
// that cannot be, each for itself.
func (k tree) readTogether(arch int, wants []want) []result {
	a, inc := k.arches[arch], k.includes[arch]
	results := make([]result, len(wants))
	groups := make([]model.Group, len(wants))
	for i, w := range wants {
		groups[i], results[i].lacks = withoutMissing(inc, w.Group)
	}
	units, err := k.parser.ParseTogether(inc, a, groups)
	for i, g := range groups {
		switch {
		case err == nil:
			results[i].unit = units[i]
		case len(wants) == 1:
			results[i].err = err
		default:
			results[i].unit, results[i].err = k.parser.Parse(inc, a, g)
		}
	}
	return results
}

// read reads wants on all the architectures, several at a time. What is wrong
// is collected from all of them. Groups that agree with each other may be read
// together, which is faster.
func (k tree) read(wants []want, together bool, p *progress) (reading, error) {
	results := make([]result, len(k.arches)*len(wants)) // by architecture
	batches := [][]want{wants}
	if !together {
		batches = slices.Collect(slices.Chunk(wants, 1))
	}
	parallel.Each(len(k.arches)*len(batches), func(i int) {
		a, batch := i/len(batches), i%len(batches)
		first := a*len(wants) + batch*len(batches[0])
		copy(results[first:], k.readTogether(a, batches[batch]))
		for _, w := range batches[batch] {
			p.step(w.Headers[0].Path + " for " + k.arches[a].GOARCH)
		}
	})
	if err := k.Err(); err != nil { // the reason for others
		return reading{}, err
	}
	r := reading{version: k.Version, arches: archNames(k.arches), failed: map[onArch]bool{}}
	var errs model.Remarks
	out := make([]bool, len(wants))
	for n, w := range wants {
		perArch := make([]*result, len(k.arches))
		for a := range k.arches {
			perArch[a] = &results[a*len(wants)+n]
		}
		readable, wrong := r.judge(w, perArch)
		if errs.AddAll(wrong); readable && wrong.Empty() {
			r.wants = append(r.wants, w)
		} else {
			out[n] = true
		}
	}
	if len(r.wants) == 0 {
		errs.AddAll(r.fails) // not one is left
	}
	for i, res := range results {
		if !out[i%len(wants)] {
			r.units = append(r.units, res.unit)
		}
	}
	return r, errs.AsError(r.arches)
}

// judge decides what becomes of a group, given what it is on each architecture:
// where it cannot be read, and that is no error, its unit becomes empty. It
// returns whether there is anything left, and the errors.
//
// A header is left out where the kernel does not have it, or has not what it
// includes, as linux/kvm.h on arm; but by name, some architecture must have it.
// One that cannot be read for other reasons is an error, unless a pattern found
// it.
func (r *reading) judge(w want, perArch []*result) (readable bool, wrong model.Remarks) {
	var lacks model.Remarks
	have, absent := 0, 0 // where the header can be read, and where it is not there at all
	lacking := make([]bool, len(perArch))
	for a, res := range perArch {
		for _, path := range res.lacks {
			lacks.Add(fmt.Sprintf("%s: Linux %s has no such header", path, r.version), r.arches[a])
		}
		if p, ok := errors.AsType[*model.ParseError](res.err); ok && p.Lacks && len(w.Headers) == 1 {
			lacks.AddError(res.err, r.arches[a])
			lacking[a], res.err = true, nil
		}
		if len(res.lacks) == len(w.Headers) {
			lacking[a] = true
			absent++
		}
		if !lacking[a] {
			have++
		}
	}
	switch {
	case have == 0 && !w.mayLack:
		return false, lacks
	case have == 0 && absent == 0 && w.mayFail:
		r.fails.AddAll(lacks.About(w.Headers[0].Path))
	default:
		r.lacks.AddAll(lacks)
	}
	for a, res := range perArch {
		arch := r.arches[a]
		if lacking[a] && !w.mayLack {
			r.lacking.Add(w.Headers[0].Path, arch)
		}
		if res.err != nil {
			var why model.Remarks
			why.AddError(res.err, arch)
			if !w.mayFail {
				wrong.AddAll(why)
				continue
			}
			r.fails.AddAll(why.About(w.Headers[0].Path))
		}
		if lacking[a] || res.err != nil {
			r.failed[onArch{w.Name, arch}] = res.err != nil || have == 0 && absent == 0
			res.unit = model.Unit{Arch: arch, Group: w.Group}
			continue
		}
		readable = true
	}
	return readable, wrong
}

// without returns the units of r but for those that could not be read
// elsewhere.
func (r reading) without(failed map[onArch]bool) []model.Unit {
	return slices.DeleteFunc(slices.Clone(r.units), func(u model.Unit) bool { return failed[onArch{u.Group.Name, u.Arch}] })
}

// unreadable returns how many headers could not be read on some architecture.
func (r reading) unreadable() int {
	groups := map[string]bool{}
	for f, failed := range r.failed {
		if failed {
			groups[f.group] = true
		}
	}
	return len(groups)
}

// withoutMissing returns g without the headers that inc does not have, and
// the names of these.
func withoutMissing(inc fs.FS, g model.Group) (model.Group, []string) {
	var have []model.Header
	var lacks []string
	for _, h := range g.Headers {
		if _, err := fs.Stat(inc, h.Path); err == nil {
			have = append(have, h)
		} else {
			lacks = append(lacks, h.Path)
		}
	}
	g.Headers = have
	return g, lacks
}
