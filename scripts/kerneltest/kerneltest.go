//go:build linux

// Package kerneltest decides what a test does on a kernel that lacks what it
// tests: it skips on kernels before the release that brought it, and fails on
// later ones, so that a test which skips everywhere is not taken for one that
// passes.
package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Need tells the test what came of trying a feature, which Linux has since
// release X.Y. It returns if err is nil. If err is errors.ErrUnsupported, the
// test is skipped on an older kernel, and under a seccomp filter, which may
// hide any system call; on a kernel of that release or later the test fails.
// It fails on every other error.
func Need(t testing.TB, feature, since string, err error) {
	t.Helper()
	act(t, judge(feature, since, err, Release(), filtered()))
}

// Since skips the test if the running kernel is older than release X.Y, which
// first behaves as the test wants. Use Need for what can be tried.
func Since(t testing.TB, what, since string) {
	t.Helper()
	if Before(since) {
		t.Skipf("%s: since Linux %s, this is %s", what, since, Release())
	}
}

// Before reports whether the running kernel is older than release X.Y.
func Before(since string) bool { return before(Release(), since) }

// Release returns the running kernel's release as uname(2) gives it, like
// "7.3.4+deb13-cloud-amd64".
func Release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		panic(err) // it cannot fail
	}
	return unix.ByteSliceToString(u.Release[:])
}

// A verdict is what becomes of a test: fail or skip if it has a text.
type verdict struct {
	fail, skip string
}

func act(t testing.TB, v verdict) {
	t.Helper()
	switch {
	case v.fail != "":
		t.Fatal(v.fail)
	case v.skip != "":
		t.Skip(v.skip)
	}
}

func judge(feature, since string, err error, running string, filtered bool) verdict {
	switch {
	case err == nil:
		return verdict{}
	case !errors.Is(err, errors.ErrUnsupported):
		return verdict{fail: fmt.Sprintf("%s: %v", feature, err)}
	case before(running, since):
		return verdict{skip: fmt.Sprintf("%s: since Linux %s, this is %s", feature, since, running)}
	case filtered:
		return verdict{skip: fmt.Sprintf("%s: hidden by the seccomp filter that this process runs under: %v", feature, err)}
	}
	return verdict{fail: fmt.Sprintf("%s: Linux %s should have it since %s: %v", feature, running, since, err)}
}

// before reports whether a kernel's release comes before X.Y.
func before(running, since string) bool {
	a, b := numbers(running), numbers(since)
	return a[0] < b[0] || a[0] == b[0] && a[1] < b[1]
}

// numbers returns X and Y of a release "X.Y...".
func numbers(release string) [2]int {
	major, rest, _ := strings.Cut(release, ".")
	minor := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	x, err := strconv.Atoi(major)
	y, err2 := strconv.Atoi(minor)
	if err != nil || err2 != nil {
		panic(fmt.Sprintf("kerneltest: %q is no release X.Y", release))
	}
	return [2]int{x, y}
}

// filtered reports whether a seccomp filter is in force, as in containers.
func filtered() bool {
	status, err := os.ReadFile("/proc/thread-self/status")
	return err == nil && strings.Contains(string(status), "\nSeccomp:\t2\n")
}
