package model

import (
	"fmt"
	"slices"
	"strings"
)

// Plural counts things.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Columns aligns the cells of rows on their left sides, two blanks apart.
func Columns(rows [][]string) []string {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, r := range rows {
		for i, cell := range r {
			lines[n] += fmt.Sprintf("%-*s  ", widths[i], cell)
		}
		lines[n] = strings.TrimRight(lines[n], " ")
	}
	return lines
}

// archNote is empty if list is all of them, and names the shorter part else.
func archNote(list, all []string) string {
	if len(list) == len(all) {
		return ""
	}
	if 2*len(list) <= len(all) {
		return "on " + strings.Join(list, ", ")
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(list, a) })
	return "on all but " + strings.Join(rest, ", ")
}
