//go:build linux

// Package kerneltest lets tests depend on what the kernel can do.
package kerneltest

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// Need fails or skips the test if err, of an attempt to use a feature, is not
// nil. It skips only where the feature is unsupported and the kernel is older
// than the release that brought it: a newer kernel without it is a failure.
func Need(t testing.TB, feature, release string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case !errors.Is(err, errors.ErrUnsupported):
		t.Fatalf("%s: %v", feature, err)
	case !older(release):
		t.Fatalf("%s: this is Linux %s, which has it since %s, but: %v", feature, version(), release, err)
	default:
		t.Skipf("%s needs Linux %s, this is %s", feature, release, version())
	}
}

// Since skips the test if the kernel is older than release.
func Since(t testing.TB, feature, release string) {
	t.Helper()
	if older(release) {
		t.Skipf("%s needs Linux %s, this is %s", feature, release, version())
	}
}

func older(release string) bool { return number(version()) < number(release) }

// number makes 7.1.13-debian and 7.1 comparable.
func number(release string) int {
	var major, minor int
	fmt.Sscanf(release, "%d.%d", &major, &minor)
	return major*1000 + minor
}

func version() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		panic(err)
	}
	return unix.ByteSliceToString(u.Release[:])
}
