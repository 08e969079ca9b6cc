package kernel

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"golang.org/x/tools/txtar"

	"github.com/go-clone3/clone3/gen/internal/c"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// sourceFiles is the kernel source tree of testdata/source.txtar.
func sourceFiles(t *testing.T) map[string]string {
	t.Helper()
	a, err := txtar.ParseFile(gentest.Testdata(t, "source.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, "tree/"); ok {
			files[name] = string(f.Data)
		}
	}
	return files
}

func mustOpenTree(t *testing.T, dir string) Tree {
	t.Helper()
	tree, err := OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func mustArch(t *testing.T, goarch string) model.Arch {
	t.Helper()
	a, ok := model.ArchByName(goarch)
	if !ok {
		t.Fatalf("no GOARCH %s", goarch)
	}
	return a
}

// contents returns all headers that an architecture has.
func contents(t *testing.T, tree Tree, a model.Arch) map[string]string {
	t.Helper()
	includes, err := tree.Includes(a)
	if err != nil {
		t.Fatal(err)
	}
	names, err := tree.Headers("...", a)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(includes, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	return files
}

func TestSourceIsInstalled(t *testing.T) {
	tree := mustOpenTree(t, gentest.Folder(t, sourceFiles(t)))
	if tree.Version != "7.9.3" {
		t.Errorf("got %s, want 7.9.3", tree.Version)
	}
	for _, goarch := range []string{"amd64", "arm64", "mips64le", "s390x"} {
		got := contents(t, tree, mustArch(t, goarch))
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if strings.HasPrefix(name, "asm/") || goarch == "amd64" {
				b.WriteString("== " + name + "\n" + got[name])
			}
		}
		gentest.Golden(t, "source.txtar", "want/"+goarch, []byte(b.String()))
	}
}

// A patch level has eight bits in the number of a release: what is above 255
// counts as that, there and in KERNEL_VERSION, and is what it is elsewhere.
func TestPatchLevelAbove255(t *testing.T) {
	for sublevel, want := range map[string]string{"255": "459263", "256": "459263", "300": "459263", "254": "459262"} {
		files := sourceFiles(t)
		files["Makefile"] = strings.ReplaceAll(files["Makefile"], "SUBLEVEL = 3\n", "SUBLEVEL = "+sublevel+"\n")
		files["Makefile"] = strings.ReplaceAll(files["Makefile"], "PATCHLEVEL = 9\n", "PATCHLEVEL = 1\n")
		files["include/uapi/linux/odd.h"] = "#include <linux/version.h>\n#define CODE LINUX_VERSION_CODE\n#define OF_PATCH KERNEL_VERSION(7, 1, LINUX_VERSION_SUBLEVEL)\n" +
			"#define PATCH LINUX_VERSION_SUBLEVEL\n#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)\n#define LATER 1\n#endif\n"
		tree := mustOpenTree(t, gentest.Folder(t, files))
		if tree.Version != "7.1."+sublevel {
			t.Errorf("got %s, want 7.1.%s", tree.Version, sublevel)
		}
		includes, err := tree.Includes(mustArch(t, "amd64"))
		if err != nil {
			t.Fatal(err)
		}
		u, err := c.Parse(includes, mustArch(t, "amd64"), model.Group{Name: "odd", Headers: []model.Header{{Path: "linux/odd.h"}}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range u.Consts {
			got = append(got, c.Name+" "+c.Value.ExactString())
		}
		if want := []string{"CODE " + want, "OF_PATCH " + want, "PATCH " + sublevel}; !slices.Equal(got, want) {
			t.Errorf("SUBLEVEL %s: got %q, want %q", sublevel, got, want)
		}
	}
}

func TestKernelVersion(t *testing.T) {
	for extra, want := range map[string]string{"": "7.9.3", "-made.up": "7.9.3", "-rc2": "7.9.3-rc2", "-rc2-dirty": "7.9.3-rc2"} {
		files := sourceFiles(t)
		files["Makefile"] = strings.ReplaceAll(files["Makefile"], "-made.up", extra)
		if got := mustOpenTree(t, gentest.Folder(t, files)).Version; got != want {
			t.Errorf("EXTRAVERSION %q: got %s, want %s", extra, got, want)
		}
	}
	for header, want := range map[string]string{
		"#define LINUX_VERSION_CODE 328959\n": "5.4.255",
		"#define LINUX_VERSION_CODE 393727\n#define LINUX_VERSION_MAJOR 6\n#define LINUX_VERSION_PATCHLEVEL 1\n#define LINUX_VERSION_SUBLEVEL 300\n": "6.1.300",
	} {
		v, err := headerVersion("version.h", []byte(header))
		if err != nil || v.String() != want {
			t.Errorf("got %s, %v, want %s", v, err, want)
		}
	}
}

// TestInstalledLayouts installs the headers of the source tree in all the ways
// that people do and expects the same from each, for the architectures that
// are there, and an error for others.
func TestInstalledLayouts(t *testing.T) {
	source := mustOpenTree(t, gentest.Folder(t, sourceFiles(t)))
	type place struct{ goarch, asm string } // whose asm/ goes where
	for name, tt := range map[string]struct {
		include string
		asm     []place
		links   map[string]string
		libc    bool
		open    []string // the directories that may be named
		have    string
	}{
		"make headers_install": {
			include: "include", asm: []place{{"amd64", "include/asm"}},
			open: []string{".", "include"}, have: "386 amd64",
		},
		"make headers_install to usr": {
			include: "usr/include", asm: []place{{"mips", "usr/include/asm"}},
			open: []string{".", "usr", "usr/include"}, have: "mips mips64 mips64le mipsle",
		},
		"/usr/include": {
			include: "usr/include", asm: []place{{"riscv64", "usr/include/asm"}}, libc: true,
			open: []string{".", "usr", "usr/include"}, have: "riscv64",
		},
		"/usr/include by triplet": {
			include: "usr/include", asm: []place{{"loong64", "usr/include/loongarch64-linux-gnu/asm"}, {"arm64", "usr/include/aarch64-linux-gnu/asm"}}, libc: true,
			open: []string{".", "usr", "usr/include"}, have: "arm64 loong64",
		},
		"/usr/include by triplet and link": {
			include: "usr/include", asm: []place{{"amd64", "usr/include/x86_64-linux-gnu/asm"}}, libc: true,
			links: map[string]string{"usr/include/asm": "x86_64-linux-gnu/asm"},
			open:  []string{".", "usr/include"}, have: "386 amd64",
		},
		"package of all architectures": {
			include: "usr/include", asm: []place{{"amd64", "usr/lib/linux/uapi/x86/asm"}, {"s390x", "usr/lib/linux/uapi/s390/asm"}},
			links: map[string]string{
				"usr/include/s390x-linux-gnu/asm/zcrypt.h": "../../../lib/linux/uapi/s390/asm/zcrypt.h",
				"usr/include/i386-linux-gnu/asm/gone.h":    "../nowhere.h",
			},
			open: []string{".", "usr", "usr/include"}, have: "386 amd64 s390x",
		},
		"links alone lead to the package": {
			include: "inc", asm: []place{{"s390x", "usr/lib/linux/uapi/s390/asm"}},
			links: map[string]string{"inc/s390x-linux-gnu/asm": "../../usr/lib/linux/uapi/s390/asm"},
			open:  []string{"inc"}, have: "s390x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for _, p := range tt.asm {
				for name, data := range contents(t, source, mustArch(t, p.goarch)) {
					if asm, ok := strings.CutPrefix(name, "asm/"); ok {
						files[p.asm+"/"+asm] = data
					} else {
						files[tt.include+"/"+name] = data
					}
				}
			}
			if tt.libc {
				files[tt.include+"/stdio.h"] = "int puts(const char *);\n"
				files[tt.include+"/net/if.h"] = "struct ifreq;\n"
			}
			root := gentest.Folder(t, files)
			for from, to := range tt.links {
				path := filepath.Join(root, from)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.Symlink(to, path)); err != nil {
					t.Fatal(err)
				}
			}
			for _, dir := range tt.open {
				tree := mustOpenTree(t, filepath.Join(root, dir))
				if tree.Version != "7.9.3" {
					t.Errorf("%s: got %s, want 7.9.3", dir, tree.Version)
				}
				checkArches(t, dir, tree, source, tt.have)
			}
		})
	}
}

func checkArches(t *testing.T, dir string, got, want Tree, have string) {
	t.Helper()
	var found []string
	for _, a := range model.Arches {
		if _, err := got.Includes(a); err != nil {
			continue
		}
		found = append(found, a.GOARCH)
		g, w := contents(t, got, a), contents(t, want, a)
		for name := range w {
			if g[name] != w[name] {
				t.Errorf("%s: %s of %s is\n%s\nwant\n%s", dir, name, a.GOARCH, g[name], w[name])
			}
		}
		for name := range g {
			if _, ok := w[name]; !ok {
				t.Errorf("%s: %s of %s is not the kernel's", dir, name, a.GOARCH)
			}
		}
	}
	if got := strings.Join(found, " "); got != have {
		t.Errorf("%s: has headers for %q, want %q", dir, got, have)
	}
}

func TestInstalledHidesTheCLibrary(t *testing.T) {
	tree := mustOpenTree(t, gentest.Folder(t, map[string]string{
		"linux/version.h": "#define LINUX_VERSION_CODE 459524\n", "asm/vm86.h": "", "stdio.h": "", "sys/types.h": "",
	}))
	includes, err := tree.Includes(mustArch(t, "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"stdio.h", "sys/types.h", "asm/none.h", "linux", "../x.h"} {
		if _, err := includes.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got error %v, want that it does not exist", name, err)
		}
	}
	if err := tree.Err(); err != nil {
		t.Errorf("what does not exist is an error: %v", err)
	}
}

func TestHeaders(t *testing.T) {
	tree := mustOpenTree(t, gentest.Folder(t, sourceFiles(t)))
	amd64, mips := mustArch(t, "amd64"), mustArch(t, "mips")
	for _, tt := range []struct {
		pattern string
		arches  []model.Arch
		want    string
	}{
		{"linux/*.h", []model.Arch{amd64}, "linux/odd.h linux/types.h linux/version.h"},
		{"linux/odd.h", []model.Arch{amd64}, "linux/odd.h"},
		{"*/t*.h", []model.Arch{amd64}, "asm-generic/types.h asm/types.h linux/types.h"},
		{"asm/...", []model.Arch{mips}, "asm/errno.h asm/sgidefs.h asm/types.h asm/unistd.h asm/unistd_n64.h asm/vendor/deep.h"},
		{"asm/*.h", []model.Arch{amd64, mips}, "asm/errno.h asm/sgidefs.h asm/types.h asm/unistd.h asm/unistd_32.h asm/unistd_64.h asm/unistd_n64.h asm/unistd_x32.h asm/vm86.h"},
	} {
		names, err := tree.Headers(tt.pattern, tt.arches...)
		if got := strings.Join(names, " "); err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.pattern, got, err, tt.want)
		}
	}
}

func TestNewABIWordCountsWhereTheMakefileSaysSo(t *testing.T) {
	files := sourceFiles(t)
	files["scripts/syscall.tbl"] += "11\tbrandnew\tsing\tsys_sing\n"
	a := mustArch(t, "arm64")
	before := contents(t, mustOpenTree(t, gentest.Folder(t, files)), a)["asm/unistd_64.h"]
	files["arch/arm64/kernel/Makefile.syscalls"] += "syscall_abis_64 += brandnew\n"
	after := contents(t, mustOpenTree(t, gentest.Folder(t, files)), a)["asm/unistd_64.h"]
	const sing = "#define __NR_sing 11\n"
	if strings.Contains(before, sing) || !strings.Contains(after, sing) {
		t.Errorf("before:\n%s\nafter:\n%s\nwant %s only after", before, after, sing)
	}
}

func TestIncludesIsSafeForConcurrentUse(t *testing.T) {
	dir := gentest.Folder(t, sourceFiles(t))
	tree, other := mustOpenTree(t, dir), mustOpenTree(t, dir)
	want := contents(t, other, mustArch(t, "amd64"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			includes, err := tree.Includes(mustArch(t, "amd64"))
			if err != nil {
				t.Error(err)
				return
			}
			for name := range want {
				if data, err := fs.ReadFile(includes, name); err != nil || string(data) != want[name] {
					t.Errorf("%s: got %q, %v; want %q", name, data, err, want[name])
				}
			}
		})
	}
	wg.Wait()
}
