//go:build linux

// Package scripts has the tests of the Makefile and of the shell scripts.
package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A shell runs commands at the root of the module, where programs in bin come
// before those of the system.
type shell struct {
	t   *testing.T
	bin string
	env []string
}

func newShell(t *testing.T, env ...string) shell {
	t.Helper()
	s := shell{t, t.TempDir(), env}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !slices.Contains([]string{"KERNEL", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DEBIAN_MIRROR", "CLONE3_CACHE", "PATH"}, name) {
			s.env = append(s.env, v)
		}
	}
	s.env = append(s.env, "CLONE3_CACHE="+t.TempDir(), "PATH="+s.bin+":"+os.Getenv("PATH"))
	return s
}

// program makes a program of a script.
func (s shell) program(name, script string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// run returns what a command prints, and whether it succeeds.
func (s shell) run(name string, args ...string) (output string, ok bool) {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = "..", s.env
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		s.t.Skip(err) // there is no make, or no bash
	}
	return string(out), err == nil
}

// deaf makes apt one whose mirror does not answer, and all packages installed.
func (s shell) deaf() {
	if keys, _ := filepath.Glob("/usr/share/keyrings/debian-archive-keyring.*"); keys == nil {
		s.t.Skip("the package debian-archive-keyring is not installed")
	}
	s.program("apt-get", "echo 'E: Failed to fetch x  Could not connect to mirror.invalid' >&2; exit 100")
	s.program("dpkg-query", "echo installed")
}

// Whoever does not know what to run is told, by purpose.
func TestHelpIsGrouped(t *testing.T) {
	output, ok := newShell(t).run("make", "-s")
	last := -1
	for _, want := range []string{"use:\n", "  test  ", "check:\n", "  mutants  ", "kernels:\n", "  vm  ", "measure:\n", "  bench  "} {
		at := strings.Index(output, want)
		if !ok || at <= last {
			t.Fatalf("%q is not where it belongs:\n%s", want, output)
		}
		last = at
	}
}

// A fetch that fails ends what needs it, with one message that says what to do.
func TestAFetchThatFailsIsTheEnd(t *testing.T) {
	for _, target := range []string{"generate", "oracle", "oracle-all", "sweep", "check", "news"} {
		t.Run(target, func(t *testing.T) {
			s := newShell(t, "DEBIAN_MIRROR=http://mirror.invalid/debian")
			s.deaf()
			output, ok := s.run("make", target)
			if ok || strings.Count(output, "mirror.invalid/debian does not answer") != 1 || !strings.Contains(output, "set DEBIAN_MIRROR to the address of another, or set KERNEL to a directory") {
				t.Errorf("ok: %t, output:\n%s", ok, output)
			}
			if strings.Contains(output, "which kernel") || strings.Count(output, "\n") > 5 {
				t.Errorf("it went on, or is lengthy:\n%s", output)
			}
		})
	}
}

func TestKernelIsADirectoryOrARelease(t *testing.T) {
	s := newShell(t, "DEBIAN_MIRROR=http://mirror.invalid/debian")
	s.deaf()
	cache := filepath.Join(t.TempDir(), "cache")
	headers := filepath.Join(cache, "headers-7.3.4")
	if err := os.MkdirAll(filepath.Join(headers, "usr/lib/linux/uapi"), 0o755); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(cache, "headers-6.1.176")
	source := filepath.Join(cache, "linux-6.1.176")
	for _, dir := range []string{old, source} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for kernel, want := range map[string]string{
		"":        headers,
		headers:   headers,
		"7.3.4":   headers,
		"7.3":     headers,
		"6.1.176": source, // whose headers are of one architecture
		"/none":   "KERNEL=/none is no directory, nor a release like 7.3: set it to one of them, or to nothing for Debian's newest",
		"8.8":     "fetch: the Debian mirror",
	} {
		s.env = append(s.env, "CLONE3_CACHE="+cache, "KERNEL="+kernel)
		output, ok := s.run("scripts/headers.sh")
		if ok != strings.HasPrefix(want, cache) || !strings.Contains("\n"+output, "\n"+want) {
			t.Errorf("KERNEL=%s: ok: %t, got %s, want %s", kernel, ok, output, want)
		}
	}
}

func TestMissingTreesAreSaidWithTheirTests(t *testing.T) {
	s := newShell(t, "DEBIAN_MIRROR=http://mirror.invalid/debian")
	s.deaf()
	output, ok := s.run("scripts/trees.sh", "sh", "-c", "echo here; exit 3")
	if ok || strings.Count(output, "does not answer") != 1 {
		t.Errorf("ok: %t, output:\n%s", ok, output)
	}
	before, after, _ := strings.Cut(output, "here\n")
	for _, part := range []string{before, after} {
		if !strings.Contains(part, "source 6.12") || !strings.Contains(part, "TestSourceEqualsPackage") {
			t.Errorf("before or after the tests it does not say what is skipped:\n%s", part)
		}
	}
}

func TestPackagesAreAskedForAtOnce(t *testing.T) {
	const list = " gcc libc6-dev debian-archive-keyring xz-utils qemu-system-arm qemu-system-misc qemu-system-x86"
	tests := map[string]struct {
		id, dpkg, sudo string // scripts
		ok             bool
		want           []string // in what it prints
		apt            string   // the packages it installs
	}{
		"root":              {"echo 0", "exit 1", "exit 1", true, nil, list},
		"a user with sudo":  {"echo 1000", "exit 1", `[ "$1" = env ] && shift && exec env "$@"`, true, nil, list},
		"a user without":    {"echo 1000", "exit 1", "exit 1", false, []string{"apt-get install --no-install-recommends" + list + "\n", "make generate, make check, make std, go test ./..."}, ""},
		"some are there":    {"echo 0", `[ "$3" = gcc ] && echo installed`, "exit 1", true, nil, strings.Replace(list, " gcc", "", 1)},
		"all are there":     {"echo 1000", "echo installed", "exit 1", true, nil, ""},
		"one is half there": {"echo 0", `[ "$3" = gcc ] && echo half-installed || echo installed`, "exit 1", true, nil, " gcc"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.program("id", tt.id)
			s.program("dpkg-query", tt.dpkg)
			s.program("sudo", `[ "$1" = true ] && [ "`+tt.sudo+`" != "exit 1" ] && exit 0; `+tt.sudo)
			s.program("apt-get", `case $* in *install*) echo "$*" | sed 's/.*recommends//' >>"`+s.bin+`/asked" ;; esac`)
			output, ok := s.run("scripts/install.sh", "--for", "test", "trees", "vm-pr")
			asked, _ := os.ReadFile(filepath.Join(s.bin, "asked"))
			if ok != tt.ok || strings.TrimSuffix(string(asked), "\n") != tt.apt {
				t.Errorf("ok: %t, asked for %q, want %q, output:\n%s", ok, asked, tt.apt, output)
			}
			for _, want := range tt.want {
				if strings.Count(output, want) != 1 {
					t.Errorf("got\n%s\nwant once: %s", output, want)
				}
			}
		})
	}
	if output, ok := newShell(t).run("scripts/install.sh", "--for", "nothing"); ok || !strings.Contains(output, "no target nothing") {
		t.Errorf("a target that is not in the table: ok: %t, %s", ok, output)
	}
}

// The emulators of the smaller matrix are those that its machines want.
func TestPackagesOfAllEmulators(t *testing.T) {
	table, err := os.ReadFile("../testdata/kernels.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "install" {
			want[f[1]] = true
		}
	}
	output, ok := newShell(t).run("scripts/packages.sh", "vm-all")
	for p := range want {
		if !ok || !strings.Contains(output, p+"\n") {
			t.Errorf("%s is not among %q", p, output)
		}
	}
}

func TestRulesOnImportsAreChecked(t *testing.T) {
	work := filepath.Join(t.TempDir(), "go.work")
	if err := os.WriteFile(work, []byte("go 1.26.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if output, ok := newShell(t, "GOWORK="+work).run("scripts/imports.sh"); !ok {
		t.Errorf("a go.work of others: %s", output)
	}

	script, err := os.ReadFile("imports.sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n", "linux/README": "", "scripts/imports.sh": string(script)} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if output, ok := newShell(t).run(filepath.Join(dir, "scripts/imports.sh")); ok {
		t.Errorf("it passes where there is nothing to check: %s", output)
	}
}
