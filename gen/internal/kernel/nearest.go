package kernel

import (
	"path"
	"slices"
	"strings"
)

// nearest returns the name that was meant by one that is not there: that differs
// by two letters at most, or is the same behind a directory. It returns "" if
// there is none, and for patterns.
func nearest(name string, names []string) string {
	if strings.ContainsAny(name, "*?[") || strings.HasSuffix(name, "...") {
		return ""
	}
	if !strings.HasSuffix(name, ".h") {
		name += ".h"
	}
	best, least := "", 3
	slices.Sort(names)
	for _, n := range names {
		d := min(distance(name, n), distance(name, path.Base(n))+1)
		if strings.HasSuffix(n, "/"+name) {
			d = 0
		}
		if d < least && 3*d < len(path.Base(n))-len(".h") {
			best, least = n, d
		}
	}
	return best
}

// distance is how many letters have to be put in, taken out or replaced to make b
// of a; more than two count as three.
func distance(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j+1]+1, row[j]+1)
		}
	}
	return min(row[len(b)], 3)
}
