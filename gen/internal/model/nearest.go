package model

import "slices"

// Nearest returns the name that was meant by one that is not there: that differs
// by two letters at most, or "" if there is none.
func Nearest(name string, names []string) string {
	best, least := "", 3
	names = slices.Clone(names)
	slices.Sort(names)
	for _, n := range names {
		if d := Distance(name, n); d < least && 3*d < len(n) {
			best, least = n, d
		}
	}
	return best
}

// Distance is how many letters have to be put in, taken out or replaced to make b
// of a; more than two count as three.
func Distance(a, b string) int {
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
