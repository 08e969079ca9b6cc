package kernel

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

	"github.com/go-clone3/clone3/gen/internal/model"
	"github.com/go-clone3/clone3/gen/internal/textfs"
)

// A Tree is the uapi headers of a kernel. All its methods may be called
// concurrently.
type Tree struct {
	Version string // "7.3.4"

	dir    string // as given to OpenTree
	source headerSource
	memo   *sync.Map // memoKey to func() ([]byte, error)
}

// A headerSource has the headers of a kernel for one or more ports. Names are
// as in #include.
type headerSource interface {
	check(a model.Arch) error // why there are no headers for a, or nil
	read(port, name string) ([]byte, error)
	names(port string) ([]string, error)
}

// OpenTree opens the headers in dir, which may be a kernel source tree, the
// output of `make headers_install`, the content of a package of headers, an
// include directory like /usr/include, or one above it.
func OpenTree(dir string) (Tree, error) {
	root := folder(dir)
	if info, err := os.Stat(dir); err != nil {
		return Tree{}, fmt.Errorf("%s: %w", dir, errors.Unwrap(err))
	} else if !info.IsDir() {
		return Tree{}, fmt.Errorf("%s: not a directory", dir)
	}
	if root.has("include/uapi/linux") {
		t, err := openSource(root)
		if err != nil {
			return Tree{}, err
		}
		return Tree{t.version.String(), dir, t, new(sync.Map)}, nil
	}
	for _, include := range []string{"usr/include", "include", "."} {
		if root.has(path.Join(include, "linux/version.h")) {
			t, err := openInstalled(dir, root.sub(include))
			if err != nil {
				return Tree{}, err
			}
			return Tree{t.version.String(), dir, t, new(sync.Map)}, nil
		}
	}
	return Tree{}, fmt.Errorf("%s: no kernel headers here: there is neither include/uapi/linux, as in a kernel source tree, "+
		"nor linux/version.h in usr/include, in include or in the directory itself, as in installed headers", dir)
}

// Includes returns the headers for an architecture: a file system to look up
// what #include names, such as "linux/sched.h" and "asm/unistd.h". It has
// files only, whose directories cannot be opened.
func (t Tree) Includes(a model.Arch) (fs.FS, error) {
	if err := t.source.check(a); err != nil {
		return nil, err
	}
	return textfs.FS(func(name string) ([]byte, error) { return t.read(a.Kernel, name) }), nil
}

// Headers returns the sorted names of the headers that any of the
// architectures has and that match pattern: as of path.Match, or with "/..."
// at the end for everything below a directory.
func (t Tree) Headers(pattern string, arches ...model.Arch) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	var found, all []string
	for _, a := range arches {
		if err := t.source.check(a); err != nil {
			return nil, err
		}
		names, err := t.source.names(a.Kernel)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
		for _, name := range names {
			if Matches(pattern, name) {
				found = append(found, name)
			}
		}
	}
	if len(found) == 0 {
		if like := nearest(pattern, all); like != "" {
			return nil, fmt.Errorf("%s: no header matches %s, but there is %s", t.dir, pattern, like)
		}
		return nil, fmt.Errorf("%s: no header matches %s", t.dir, pattern)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// Matches reports whether a pattern stands for the header name.
func Matches(pattern, name string) bool {
	below, deep := strings.CutSuffix(pattern, "...")
	ok, _ := path.Match(pattern, name)
	return ok || deep && strings.HasPrefix(name, below)
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
	return joinErrors(errs)
}

// joinErrors joins errors in the order of what they say, and each one once.
func joinErrors(errs []error) error {
	compare := func(a, b error) int { return strings.Compare(a.Error(), b.Error()) }
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	slices.SortFunc(errs, compare)
	return errors.Join(slices.CompactFunc(errs, func(a, b error) bool { return compare(a, b) == 0 })...)
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
	read, _ := t.memo.LoadOrStore(key, sync.OnceValues(func() ([]byte, error) { return t.source.read(port, name) }))
	return read.(func() ([]byte, error))()
}

// A folder is a directory on disk. All that is read of a tree is read here;
// errors have the whole path of a file.
type folder string

func (d folder) path(name string) string          { return filepath.Join(string(d), name) }
func (d folder) sub(name string) folder           { return folder(d.path(name)) }
func (d folder) read(name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

func (d folder) has(name string) bool {
	_, err := os.Stat(d.path(name))
	return err == nil
}

// glob returns the folders whose name below d matches pattern, sorted.
func (d folder) glob(pattern string) []folder {
	matches, err := filepath.Glob(d.path(pattern))
	if err != nil {
		panic(err) // the pattern is bad
	}
	var folders []folder
	for _, m := range matches {
		if info, err := os.Stat(m); err == nil && info.IsDir() {
			folders = append(folders, folder(m))
		}
	}
	return folders
}

// parent returns the directory that has d.
func (d folder) parent() folder {
	abs, err := filepath.Abs(string(d))
	if err != nil {
		return d.sub("..")
	}
	return folder(filepath.Dir(abs))
}

// headers lists the headers below d, with prefix before their names.
func (d folder) headers(prefix string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(string(d)+"/", func(file string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(file) == ".h" && !e.IsDir() {
			names = append(names, prefix+strings.TrimPrefix(file, string(d)+"/"))
		}
		return err
	})
	return names, err
}
