package debian

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var debianVersion = regexp.MustCompile(`^([0-9]+\.[0-9]+(?:\.[0-9]+)?)-`)

// upstream returns the kernel's version in a Debian version: 7.3.4 of
// "7.3.4-1~bpo13+1", "" of "7.4~rc1-1~exp1", which is no release.
func upstream(version string) string {
	if m := debianVersion.FindStringSubmatch(version); m != nil {
		return m[1]
	}
	return ""
}

// Compare orders kernel versions by their numbers: 6.9 comes before 6.12.
func Compare(a, b string) int {
	return slices.Compare(numbers(a), numbers(b))
}

func numbers(version string) []int {
	var ns []int
	for part := range strings.SplitSeq(version, ".") {
		n, _ := strconv.Atoi(part)
		ns = append(ns, n)
	}
	return ns
}

// Matches reports whether a kernel version belongs to release, which is X.Y,
// X.Y.Z, or "" for any.
func Matches(version, release string) bool {
	return release == "" || version == release || strings.HasPrefix(version, release+".")
}
