package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/kernel"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// A want is a group to be read, and what to do where it cannot be.
type want struct {
	model.Group
	mayLack bool // a header that the kernel lacks is left out
	mayFail bool // a group that cannot be read is left out
}

// wants is what the command line asks for: the groups of package uapi, or one
// group for each header. To compare kernels it wants the groups in full.
//
// Old kernels may lack headers of uapi; of two kernels one may lack any, and
// some architectures what a pattern finds on others. This may also fail: some
// headers cannot be read by themselves.
func (c command) wants(kernels []tree) ([]want, error) {
	var wants []want
	if len(c.headers) == 0 {
		for _, g := range groups {
			if c.old != "" {
				g.Headers, g.Exclude = slices.Clone(g.Headers), nil
				for i, h := range g.Headers {
					g.Headers[i] = model.Header{Path: h.Path, Prefixes: c.prefixes}
				}
			}
			wants = append(wants, want{Group: g, mayLack: true})
		}
		return wants, nil
	}
	left := 0
	for _, name := range c.headers {
		pattern := isPattern(name)
		paths, err := glob(kernels, name)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if slices.ContainsFunc(c.without, func(x string) bool { return kernel.Matches(x, path) }) {
				left++
				continue
			}
			g := model.Group{Headers: []model.Header{{Path: path, Prefixes: c.prefixes}}, Exclude: c.exclude, Define: c.defines, Include: c.first, Comments: c.comments, Funcs: c.funcs, Ioctls: c.ioctls}
			w := want{g, pattern || len(kernels) > 1, pattern}
			i := slices.IndexFunc(wants, func(w want) bool { return w.Headers[0].Path == path })
			if i < 0 {
				wants = append(wants, w)
			} else if !pattern { // asked for by name too
				wants[i] = w
			}
		}
	}
	switch {
	case left == 0 && len(c.without) > 0:
		return nil, fmt.Errorf("-exclude %s: no header matches, of those that -header has", strings.Join(c.without, ","))
	case len(wants) == 0:
		return nil, errors.New("-exclude leaves out all the headers of -header")
	}
	nameGroups(wants)
	if c.unit != "" {
		one := wants[0]
		one.Name, one.Headers, one.mayFail = c.unit, nil, false
		for _, w := range wants {
			one.Headers = append(one.Headers, w.Headers...)
			one.mayLack = one.mayLack && w.mayLack
		}
		return []want{one}, nil
	}
	return wants, nil
}

// isPattern tells patterns from the names of headers.
func isPattern(name string) bool {
	return strings.ContainsAny(name, `*?[`) || strings.HasSuffix(name, "/...")
}

// glob returns the headers of the kernels that a name or pattern stands for,
// sorted. One of two kernels may have none.
func glob(kernels []tree, name string) ([]string, error) {
	var paths []string
	var errs []error
	for _, k := range kernels {
		found, err := k.Headers(name, k.arches...)
		paths, errs = append(paths, found...), append(errs, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("-header %s: %w; write it like #include does, linux/sched.h, or as a pattern, 'linux/*.h'", name, errs[0])
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// groupName names the files of a header: sched_types for linux/sched/types.h,
// asm_unistd for asm/unistd.h.
func groupName(header string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(header, "linux/"), ".h")
	return strings.NewReplacer("/", "_", "-", "_").Replace(name)
}

// nameGroups names the files of headers. Where the names of some only differ in
// upper and lower case, which the go command does not build, those with
// capitals have _caps behind them. What is still the same has a number.
func nameGroups(wants []want) {
	count := map[string]int{}
	for i := range wants {
		wants[i].Name = groupName(wants[i].Headers[0].Path)
		count[strings.ToLower(wants[i].Name)]++
	}
	taken := map[string]bool{}
	for i := range wants {
		w := &wants[i]
		lower := strings.ToLower(w.Name)
		if count[lower] > 1 && lower != w.Name {
			w.Name += "_caps"
		}
		name := w.Name
		for n := 2; taken[strings.ToLower(w.Name)]; n++ {
			w.Name = fmt.Sprint(name, "_", n)
		}
		taken[strings.ToLower(w.Name)] = true
	}
}
