package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// An overlay is a source with the headers of other directories before it, like
// those of -I for a C compiler.
type overlay struct {
	headerSource
	dirs []folder
}

// With returns t with the headers in dirs before its own. If the headers of the
// C library and of others lie beside those of t, as in /usr/include, t has
// those of others too that are named, and what lies in their directories.
func (t Tree) With(dirs, named []string) (Tree, error) {
	o := overlay{headerSource: t.source}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			return Tree{}, fmt.Errorf("-I %s: %w", dir, errors.Unwrap(err))
		}
		if !info.IsDir() {
			return Tree{}, fmt.Errorf("-I %s: not a directory", dir)
		}
		o.dirs = append(o.dirs, folder(dir))
	}
	if in, ok := t.source.(*installedTree); ok && in.mixed {
		more := *in
		for _, name := range named {
			top, _, below := strings.Cut(name, "/")
			more.others = append(more.others, top)
			if stem, ok := strings.CutSuffix(top, ".h"); ok && !below {
				more.others = append(more.others, stem) // liburing.h and liburing/
			}
		}
		o.headerSource = &more
	}
	t.source, t.memo = o, new(sync.Map)
	return t, nil
}

func (o overlay) read(port, name string) ([]byte, error) {
	for _, dir := range o.dirs {
		if data, err := dir.read(name); !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return o.headerSource.read(port, name)
}

func (o overlay) names(port string) ([]string, error) {
	names, err := o.headerSource.names(port)
	errs := []error{err}
	for _, dir := range o.dirs {
		more, err := dir.headers("")
		names, errs = append(names, more...), append(errs, err)
	}
	return names, errors.Join(errs...)
}

// lib are top-level directories and headers of the C library, which gen has
// stand-ins for.
var lib = []string{"bits", "gnu", "sys", "net", "netinet", "arpa", "rpc", "c++"}

// beside reports whether t has the headers in a top-level directory, or a header
// there, that are not the kernel's.
func (t *installedTree) beside(top string) bool {
	return slices.Contains(t.others, top) && !slices.Contains(lib, top)
}

// othersNames lists these headers.
func (t *installedTree) othersNames() (names []string) {
	for _, top := range t.others {
		if path.Ext(top) == ".h" && t.dir.has(top) {
			names = append(names, top)
		}
	}
	return names
}
