package main

import (
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-clone3/clone3/gen/internal/c"
	"github.com/go-clone3/clone3/gen/internal/kernel"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// A tree is a kernel with what #include finds on each of some architectures.
type tree struct {
	kernel.Tree
	arches   []model.Arch
	includes []fs.FS
}

// openTree opens the kernel in dir, which must have all of arches.
func openTree(dir string, arches []model.Arch) (tree, error) {
	t, err := kernel.OpenTree(dir)
	if err != nil {
		return tree{}, err
	}
	k := tree{Tree: t, arches: arches}
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
	wants   []want          // what could be read
	units   []model.Unit    // by architecture, then as wanted
	lacks   model.Remarks   // headers that the kernel does not have
	fails   model.Remarks   // why groups that a pattern found were left out
	failed  map[string]bool // the names of these groups
}

// A result is what one group is on one architecture.
type result struct {
	unit  model.Unit // without declarations if the kernel has no header of the group
	lacks []string   // headers
	err   error
}

// readOne reads one group on one architecture.
func (k tree) readOne(arch int, g model.Group) result {
	var r result
	a, inc := k.arches[arch], k.includes[arch]
	g, r.lacks = withoutMissing(inc, g)
	r.unit, r.err = c.Parse(inc, a, g)
	return r
}

// read reads wants on all the architectures, several at a time. What is wrong
// is collected from all of them.
func (k tree) read(wants []want, p *progress) (reading, error) {
	results := make([]result, len(k.arches)*len(wants)) // by architecture
	inParallel(len(results), func(i int) {
		a, w := i/len(wants), wants[i%len(wants)]
		results[i] = k.readOne(a, w.Group)
		p.step(w.Headers[0].Path + " for " + k.arches[a].GOARCH)
	})
	if err := k.Err(); err != nil { // the reason for others
		return reading{}, err
	}

	r := reading{version: k.Version, arches: archNames(k.arches), failed: map[string]bool{}}
	var errs model.Remarks
	out := make([]bool, len(wants))
	for n, w := range wants {
		var wrong model.Remarks
		out[n] = true
		for a, arch := range r.arches {
			res := results[a*len(wants)+n]
			for _, path := range res.lacks {
				text := fmt.Sprintf("%s: Linux %s has no such header", path, k.Version)
				if w.mayLack {
					r.lacks.Add(text, arch)
				} else {
					wrong.Add(text+"; leave it out, or choose with -arch", arch)
				}
			}
			wrong.AddError(res.err, arch)
			if len(res.lacks) < len(w.Headers) {
				out[n] = false
			}
		}
		if !wrong.Empty() {
			out[n] = true
			if w.mayFail {
				r.fails.AddAll(wrong.About(w.Headers[0].Path))
				r.failed[w.Name] = true
			} else {
				errs.AddAll(wrong)
			}
		}
		if !out[n] {
			r.wants = append(r.wants, w)
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

// without returns the units of r but for those of some groups.
func (r reading) without(groups map[string]bool) []model.Unit {
	return slices.DeleteFunc(slices.Clone(r.units), func(u model.Unit) bool { return groups[u.Group.Name] })
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

// inParallel calls do for 0 to n-1, as many at a time as there are processors.
func inParallel(n int, do func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
