package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cachedTrees opens the kernel trees that `make test` fetched: those in the
// project's cache whose name matches pattern, by version.
func cachedTrees(t testing.TB, pattern string) map[string]Tree {
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
	trees := map[string]Tree{}
	for _, dir := range dirs {
		tree, err := OpenTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		trees[tree.Version] = tree
	}
	return trees
}

// notPackaged has the directories some of whose headers Debian left to other
// packages, up to its release 12.
var notPackaged = []string{"drm", "scsi"}

// TestSourceEqualsPackage proves that what is made of a kernel source tree is
// what the kernel's own build installs, of which Debian's package is made.
func TestSourceEqualsPackage(t *testing.T) {
	sources, packages := cachedTrees(t, "linux-*"), cachedTrees(t, "headers-*")
	compared := 0
	for version, source := range sources {
		pkg, ok := packages[version]
		if !ok {
			continue
		}
		for _, a := range arches {
			want, err := pkg.Includes(a)
			if err != nil {
				t.Logf("skipped: %v", err)
				continue
			}
			got, err := source.Includes(a)
			if err != nil {
				t.Fatal(err)
			}
			n := compareIncludes(t, version+" "+a.GOARCH, got, want, headerNames(t, source, a), headerNames(t, pkg, a))
			compared += n
		}
	}
	if compared == 0 {
		t.Skip("the cache has no kernel source tree linux-X.Y.Z with its headers-X.Y.Z: run `make test`")
	}
	t.Logf("%d headers compared", compared)
}

func headerNames(t *testing.T, tree Tree, a Arch) []string {
	t.Helper()
	names, err := tree.Headers("...", a)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func compareIncludes(t *testing.T, title string, got, want fs.FS, gotNames, wantNames []string) int {
	t.Helper()
	for _, name := range gotNames {
		dir, _, _ := strings.Cut(name, "/")
		if _, ok := slices.BinarySearch(wantNames, name); !ok && !slices.Contains(notPackaged, dir) {
			t.Errorf("%s: %s is made but not in the package", title, name)
		}
	}
	for _, name := range wantNames {
		g, err := fs.ReadFile(got, name)
		if err != nil {
			t.Errorf("%s: %v", title, err)
		}
		w, err := fs.ReadFile(want, name)
		if err != nil {
			t.Errorf("%s: %v", title, err)
		}
		if !bytes.Equal(g, w) {
			t.Errorf("%s: %s differs from the package in line %d", title, name, firstDifference(g, w))
		}
	}
	return len(wantNames)
}

func firstDifference(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return 1 + bytes.Count(a[:i], []byte("\n"))
}
