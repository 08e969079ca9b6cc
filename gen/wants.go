package main

import (
	"fmt"
	"slices"
	"strings"

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
				g.Headers = slices.Clone(g.Headers)
				for i, h := range g.Headers {
					g.Headers[i] = model.Header{Path: h.Path, Prefixes: c.prefixes}
				}
			}
			wants = append(wants, want{Group: g, mayLack: true})
		}
		return wants, nil
	}
	for _, name := range c.headers {
		pattern := strings.ContainsAny(name, `*?[`) || strings.HasSuffix(name, "/...")
		paths, err := glob(kernels, name)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			w := want{model.Group{Name: groupName(path), Headers: []model.Header{{Path: path, Prefixes: c.prefixes}}}, pattern || len(kernels) > 1, pattern}
			i := slices.IndexFunc(wants, func(w want) bool { return w.Headers[0].Path == path })
			if i < 0 {
				wants = append(wants, w)
			} else if !pattern { // asked for by name too
				wants[i] = w
			}
		}
	}
	return wants, nil
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

// checkFileNames refuses headers whose files only differ in upper and lower
// case, which the go command does not build.
func checkFileNames(wants []want) error {
	first := map[string]want{}
	for _, w := range wants {
		key := strings.ToLower(w.Name)
		if f, ok := first[key]; ok {
			return fmt.Errorf("%s and %s: the Go files of both would be called z%s.go; bind them in two packages", f.Headers[0].Path, w.Headers[0].Path, key)
		}
		first[key] = w
	}
	return nil
}
