package kernel

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// cachedTrees opens the kernel trees that `make test` fetched, by version.
func cachedTrees(t testing.TB, pattern string) map[string]Tree {
	t.Helper()
	trees := map[string]Tree{}
	for _, dir := range gentest.CachedTrees(t, pattern) {
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
		for _, a := range model.Arches {
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

func headerNames(t *testing.T, tree Tree, a model.Arch) []string {
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
