package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A Tree is the uapi headers of a kernel. All its methods may be called
// concurrently.
type Tree struct {
	Version string // "7.3.4"
	Kind    TreeKind

	dir     string // as the user named it
	headers headerSource
	memo    *sync.Map // of memoKey to func() ([]byte, error)
}

// A TreeKind is a form in which a Tree comes.
type TreeKind string

const (
	KernelSource     TreeKind = "kernel source"
	InstalledHeaders TreeKind = "installed headers"
)

// A headerSource has the headers of a kernel for one or more ports. Names are
// as in #include.
type headerSource interface {
	check(a Arch) error // why there are no headers for a, if so
	read(port, name string) ([]byte, error)
	names(port string) ([]string, error)
}

// OpenTree opens the headers in dir, which may be a kernel source tree, the
// output of `make headers_install`, the content of a package of headers, an
// include directory like /usr/include, or one above it.
func OpenTree(dir string) (Tree, error) {
	root := os.DirFS(dir)
	if _, err := fs.Stat(root, "."); err != nil {
		return Tree{}, fmt.Errorf("%s: %w", dir, errors.Unwrap(err))
	}
	if exists(root, "include/uapi/linux") {
		t, err := openSource(root)
		if err != nil {
			return Tree{}, fmt.Errorf("%s: %w", dir, err)
		}
		return newTree(dir, KernelSource, t.version, t), nil
	}
	for _, include := range []string{"usr/include", "include", "."} {
		if exists(root, path.Join(include, "linux/version.h")) {
			t, err := openInstalled(filepath.Join(dir, include))
			if err != nil {
				return Tree{}, err
			}
			return newTree(dir, InstalledHeaders, t.version, t), nil
		}
	}
	return Tree{}, fmt.Errorf("%s: no kernel headers here: there is neither include/uapi/linux, as in a kernel source tree, "+
		"nor linux/version.h in usr/include, in include or in the directory itself, as in installed headers", dir)
}

func newTree(dir string, kind TreeKind, v kernelVersion, headers headerSource) Tree {
	return Tree{Version: v.String(), Kind: kind, dir: dir, headers: headers, memo: new(sync.Map)}
}

// Includes returns the headers for an architecture: a file system to look up
// what #include names, such as "linux/sched.h" and "asm/unistd.h". It has
// files only, whose directories cannot be opened.
func (t Tree) Includes(a Arch) (fs.FS, error) {
	if err := t.headers.check(a); err != nil {
		return nil, fmt.Errorf("%s: %w", t.dir, err)
	}
	return includeFS(func(name string) ([]byte, error) { return t.read(a.Kernel, name) }), nil
}

// Headers returns the sorted names of the headers that any of the
// architectures has and that match pattern: as of path.Match, or with "/..."
// at the end for everything below a directory.
func (t Tree) Headers(pattern string, arches ...Arch) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	var found []string
	for _, a := range arches {
		if err := t.headers.check(a); err != nil {
			return nil, fmt.Errorf("%s: %w", t.dir, err)
		}
		names, err := t.headers.names(a.Kernel)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.dir, err)
		}
		for _, name := range names {
			below, deep := strings.CutSuffix(pattern, "...")
			if ok, _ := path.Match(pattern, name); ok || deep && strings.HasPrefix(name, below) {
				found = append(found, name)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: no header matches %s", t.dir, pattern)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// Err returns what was wrong with the headers that could not be read so far,
// but for those that do not exist. A C parser only says that it found none.
func (t Tree) Err() error {
	var errs []error
	t.memo.Range(func(_, read any) bool {
		if _, err := read.(func() ([]byte, error))(); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		return true
	})
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return errors.Join(slices.CompactFunc(errs, func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })...)
}

// A memoKey is a header. The port is empty where all ports share it.
type memoKey struct{ port, name string }

// read reads a header once for all the architectures that share it. The tree
// keeps what was read: at most a few megabytes, the size of all headers.
func (t Tree) read(port, name string) ([]byte, error) {
	if !fs.ValidPath(name) || path.Ext(name) != ".h" {
		return nil, fs.ErrNotExist
	}
	key := memoKey{port, name}
	if !strings.HasPrefix(name, "asm/") {
		key.port = ""
	}
	read, _ := t.memo.LoadOrStore(key, sync.OnceValues(func() ([]byte, error) { return t.headers.read(port, name) }))
	return read.(func() ([]byte, error))()
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// headersBelow lists the headers below dir, with prefix for dir.
func headersBelow(fsys fs.FS, dir, prefix string) ([]string, error) {
	var names []string
	err := fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".h" && !d.IsDir() {
			names = append(names, prefix+strings.TrimPrefix(name, dir+"/"))
		}
		return err
	})
	return names, err
}
