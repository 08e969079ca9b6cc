package api

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/api anew")

// packages are those whose surface is kept as text, and the build tags with which
// a package is on Linux what it is elsewhere.
var packages = map[string]string{"linux": "", "linux/exec": "clone3_osexec", "linux/landlock": "", "linux/seccomp": ""}

// differ is what is not the same on all systems, as it begins, and why.
var differ = map[string]string{
	"type Credential ":  "package syscall has it on Unix only; the fields are the same",
	"type Errno ":       "package syscall has none on Plan 9",
	"type IDMap ":       "package syscall has it on Linux only; the fields are the same",
	"type MemoryRange ": "golang.org/x/sys/unix has it on Linux only",
	"type Rusage ":      "that of package syscall has other fields on every system; here are those of Linux",
	"type Signal ":      "package syscall has none on Plan 9",
	"func (s Signal) ":  "as a type of its own, on Plan 9, it has methods",
	"func (e Errno) ":   "as a type of its own, on Plan 9, it has methods",
}

var systems = []string{"aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "netbsd", "openbsd",
	"plan9", "solaris", "wasip1", "windows"}

func exported(t *testing.T, pkg, goos string, tags ...string) []string {
	t.Helper()
	p, err := Read(filepath.Join("../../..", pkg), goos, tags...)
	if err != nil {
		t.Fatal(err)
	}
	return p.Exported()
}

// Programs for Linux compile for every other system, and the other way about.
func TestEverySystemHasTheSame(t *testing.T) {
	used := map[string]bool{}
	for pkg, tag := range packages {
		want := exported(t, pkg, "linux")
		compare := func(name string, got []string) {
			for _, line := range difference(want, got) {
				excused := false
				for prefix := range differ {
					if strings.HasPrefix(line[2:], prefix) {
						excused, used[prefix] = true, true
					}
				}
				if !excused {
					t.Errorf("%s, %s against linux: %s", pkg, name, line)
				}
			}
		}
		for _, goos := range systems {
			compare(goos, exported(t, pkg, goos))
		}
		if tag != "" {
			compare(tag, exported(t, pkg, "linux", tag))
		}
	}
	for prefix := range differ {
		if !used[prefix] {
			t.Errorf("%q is the same everywhere, and need not be listed", prefix)
		}
	}
}

// A change of what the packages export is to be seen as such.
func TestSurface(t *testing.T) {
	for pkg := range packages {
		file := filepath.Join("../../../testdata/api", strings.ReplaceAll(pkg, "/", "-")+".txt")
		got := exported(t, pkg, "linux")
		if *update {
			if err := os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range difference(strings.Split(strings.TrimSpace(string(text)), "\n"), got) {
			t.Errorf("%s: %s", pkg, line)
		}
		if t.Failed() {
			t.Log("if that is meant: go test ./scripts/internal/api -update")
		}
	}
}

// No package that programs import is left out.
func TestEveryPackageIsKept(t *testing.T) {
	root := filepath.Join("../../..", "linux")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() == "internal" || d.Name() == "testdata" {
			return filepath.SkipDir
		}
		pkg := filepath.ToSlash(strings.TrimPrefix(path, filepath.FromSlash("../../../")))
		if _, kept := packages[pkg]; !kept {
			t.Errorf("%s is not among the packages", pkg)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What the comparison must notice.
func TestDifference(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.go": "package p\n\ntype T struct{ A, b int }\n\nconst (\n\tC T2 = iota\n\tD\n)\n\ntype T2 int\n\nfunc (t *T) M(x int) error { return nil }\n\nfunc (t t) N() {}\n\ntype t int\n",
		"b.go": "//go:build linux\n\npackage p\n\nfunc F() (int,\n\terror) { return 0, nil }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	read := func(goos string) []string {
		p, err := Read(dir, goos)
		if err != nil {
			t.Fatal(err)
		}
		return p.Exported()
	}
	want := []string{"const C T2", "const D T2", "func (t *T) M(x int) error", "func F() (int, error)",
		"type T struct", "type T struct, A int", "type T2 int"}
	if got := read("linux"); !slices.Equal(got, want) {
		t.Errorf("exported: %q", got)
	}
	if got := difference(want, read("darwin")); !slices.Equal(got, []string{"- func F() (int, error)"}) {
		t.Errorf("difference: %q", got)
	}
}

// difference returns the lines that are only in a, after "- ", or in b, after "+ ".
func difference(a, b []string) (all []string) {
	for _, line := range a {
		if !slices.Contains(b, line) {
			all = append(all, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			all = append(all, "+ "+line)
		}
	}
	return all
}
