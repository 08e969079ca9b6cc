// Package gentest is what the tests of gen's packages share: golden files,
// folders, and the kernel trees of the project's cache. It knows no kernel and
// no model, so that all of them can use it.
package gentest

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

// Update reports whether golden files are to be rewritten.
func Update() bool { return *update }

// Testdata returns the path of a file in the module's testdata.
func Testdata(t testing.TB, elem ...string) string {
	t.Helper()
	root := "."
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return filepath.Join(append([]string{root, "testdata"}, elem...)...)
		}
		if len(root) > 40 {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Join("..", root)
	}
}

// Archive reads an archive in testdata.
func Archive(t testing.TB, name string) *txtar.Archive {
	t.Helper()
	a, err := txtar.ParseFile(Testdata(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Golden compares got with the file of that name in an archive under testdata,
// or with -update puts it there.
func Golden(t *testing.T, archive, name string, got []byte) {
	t.Helper()
	path := Testdata(t, archive)
	a, err := txtar.ParseFile(path)
	if *update && errors.Is(err, fs.ErrNotExist) {
		a, err = &txtar.Archive{}, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name })
	if *update {
		if i < 0 {
			i = len(a.Files)
			a.Files = append(a.Files, txtar.File{Name: name})
		}
		a.Files[i].Data = got
		if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 {
		t.Fatalf("%s holds no file %s; run the test with -update", path, name)
	}
	if d := diff.Diff(path+":"+name, a.Files[i].Data, "got", got); d != nil {
		t.Errorf("the output changed; look at it, then run the test with -update\n%s", d)
	}
}

// Folder makes a folder with these files in it.
func Folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Files returns what is in dir, hidden files and folders included.
func Files(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			files[name] = "(folder)"
			return nil
		}
		data, err := os.ReadFile(path)
		files[name] = string(data)
		return err
	})
	return files, err
}

// CachedTrees returns the folders of the kernel trees that `make test`
// fetched: those in the project's cache whose name matches pattern.
func CachedTrees(t testing.TB, pattern string) []string {
	t.Helper()
	cache := os.Getenv("CLONE3_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Skip("no cache directory: ", err)
		}
		cache = filepath.Join(user, "clone3")
	}
	dirs, err := filepath.Glob(filepath.Join(cache, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
