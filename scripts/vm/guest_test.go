package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var boot = flag.Bool("boot", false, "boot machines, on the newest kernel")

const guestTests = "./scripts/vm/testdata/guest"

// vm runs the command as a user would.
func vm(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, diag bytes.Buffer
	status = run(t.Context(), args, &out, &diag)
	return status, out.String(), diag.String()
}

// Every way in which tests end comes out as the right status and says why.
func TestEndings(t *testing.T) {
	if !*boot {
		t.Skip("boots a machine per test: go test ./scripts/vm -boot")
	}
	tests := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string // patterns
	}{
		{"pass", []string{"-v", "-run=TestPass$"}, 0, `(?s)=== RUN   TestPass\n.*fine\n--- PASS: TestPass .*\nPASS\nok  \t`, ``},
		{"count", []string{"-v", "-count=2", "-run=TestPass$"}, 0, `(?s)--- PASS: TestPass.*--- PASS: TestPass`, ``},
		{"user", []string{"-v", "-uid=1000", "-run=TestUID$"}, 0, `uid 1000\n--- PASS: TestUID`, `uid 1000`},
		{"orphan", []string{"-run=TestOrphan$"}, 0, `^PASS\nok  \t`, ``},
		{"fail", []string{"-run=TestFail$"}, 1, `(?s)--- FAIL: TestFail .*as it should\nFAIL\nexit status 1\nFAIL\t`, ``},
		{"panic", []string{"-run=TestPanic$"}, 2, `(?s)panic: as it should.*exit status 2\nFAIL\t`, ``},
		{"exit 3", []string{"-run=TestExit3$"}, 3, `^exit status 3\nFAIL\t`, ``},
		{"killed", []string{"-run=TestKilled$"}, 137, `^exit status 137\nFAIL\t`, ``},
		{"sleeps", []string{"-timeout=2s", "-run=TestSleeps$"}, 2, `(?s)panic: test timed out after 2s.*exit status 2\nFAIL\t`, ``},
		{"hangs", []string{"-timeout=1s", "-run=TestStopped$"}, statusBroken, `^$`, `vm: the machine was stopped while \S+/guest ran: no end after 16s`},
		{"kernel panic", []string{"-run=TestKernelPanic$"}, statusBroken, `Kernel panic`, `vm: the kernel panicked while \S+/guest ran: Kernel panic - not syncing: sysrq triggered crash`},
		{"full disk", []string{"-run=TestFullDisk$"}, 1, `write /tmp/full: no space left on device`, ``},
		{"no newline", []string{"-run=TestNoNewline$"}, 0, `^no newline\nok  \t`, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := vm(t, append(tt.args, guestTests)...)
			if status != tt.status {
				t.Errorf("got status %d, want %d", status, tt.status)
			}
			if !regexp.MustCompile(tt.stdout).MatchString(stdout) || !regexp.MustCompile(tt.stderr).MatchString(stderr) {
				t.Errorf("got output %.3000s\nand %s", stdout, stderr)
			}
		})
	}
	t.Run("1 MB", func(t *testing.T) {
		t.Parallel()
		status, stdout, _ := vm(t, "-run=TestOutput$", guestTests)
		lines := strings.SplitAfter(stdout, "\r\n")
		if status != 0 || len(lines) != 1<<14+1 {
			t.Fatalf("got status %d and %d lines", status, len(lines))
		}
		for i, line := range lines[:1<<14] {
			if want := fmt.Sprintf("%057d %04x\r\n", 0, i); line != want {
				t.Fatalf("line %d is %q, want %q", i, line, want)
			}
		}
	})
}

func TestUnknownRelease(t *testing.T) {
	// Lists of an earlier time do when the mirror cannot be reached.
	cache := t.TempDir()
	suite := filepath.Join(cache, "apt", "sid-amd64")
	if err := os.MkdirAll(suite, 0o755); err != nil {
		t.Fatal(err)
	}
	index := "linux-binary-7.3.4+deb13-cloud-amd64 7.3.4-1\nlinux-image-6.18.5+deb13-cloud-amd64 6.18.5-1\n"
	if err := os.WriteFile(filepath.Join(suite, "packages"), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	noMirror(t, cache)
	status, _, stderr := vm(t, "-kernel=7.9", guestTests)
	if status != statusBroken || !strings.HasSuffix(stderr, "vm: 7.9: newest served is 7.3.4\n") {
		t.Errorf("got status %d and %q", status, stderr)
	}
}

func TestNoNetwork(t *testing.T) {
	noMirror(t, t.TempDir())
	status, _, stderr := vm(t, guestTests)
	if status != statusBroken || stderr != "vm: the Debian mirror http://mirror.invalid/debian does not answer (Could not resolve 'mirror.invalid'): set DEBIAN_MIRROR to the address of another\n" {
		t.Errorf("got status %d and %q", status, stderr)
	}
}

// noMirror makes apt one that cannot reach its mirror.
func noMirror(t *testing.T, cache string) {
	t.Helper()
	if keys, _ := filepath.Glob("/usr/share/keyrings/debian-archive-keyring.*"); keys == nil {
		t.Skip("the package debian-archive-keyring is not installed")
	}
	t.Setenv("CLONE3_CACHE", cache)
	t.Setenv("DEBIAN_MIRROR", "http://mirror.invalid/debian")
	t.Setenv("PATH", fakeApt(t, "echo \"E: Failed to fetch x  Could not resolve 'mirror.invalid'\" >&2; exit 100"))
}

func TestNoEmulator(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", fakeApt(t, "echo E: no >&2; exit 100"))
	var stderr strings.Builder
	_, err = Kernels{root: root, log: &stderr}.emulator(t.Context(), Machine{QEMU: []string{"qemu-system-x"}, Install: "qemu-system-x86"})
	if err == nil || !strings.HasPrefix(err.Error(), "no qemu-system-x: install.sh qemu-system-x86: ") || !strings.Contains(stderr.String(), "qemu-system-x86") {
		t.Errorf("got error %v and %q", err, stderr.String())
	}
}

// fakeApt makes a directory with an apt-get of its own and nothing else.
func fakeApt(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "apt-get"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestHelpIsNoFailure(t *testing.T) {
	if status, _, stderr := vm(t, "-h"); status != 0 || !strings.Contains(stderr, "usage: vm [flags]") {
		t.Errorf("got status %d and %q", status, stderr)
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-nosuch":          "flag provided but not defined: -nosuch",
		"-matrix=some":     "-matrix=some: want pr or all",
		"-arch=sparc64 x":  `no machine runs "sparc64"`,
		"-timeout=forever": "invalid value",
	} {
		status, _, stderr := vm(t, strings.Fields(args)...)
		if status != statusUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: got status %d and %q, want %q", args, status, stderr, want)
		}
	}
}
