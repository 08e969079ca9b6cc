package main

import (
	"fmt"
	"strings"
)

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// columns aligns the cells of rows on their left sides, two blanks apart.
func columns(rows [][]string) []string {
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
