package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

// The lines around the table that replaceReport replaces.
const (
	reportBegin = "<!-- tested-on: written by make vm-all -->\n"
	reportEnd   = "<!-- end of tested-on -->\n"
)

// report returns the rows as a table in Markdown, by architecture and then by
// release.
func report(rows []Row) string {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		if c := strings.Compare(a.Guest.GOARCH, b.Guest.GOARCH); c != 0 {
			return c
		}
		return debian.Compare(a.Kernel.Version, b.Kernel.Version)
	})
	var b strings.Builder
	b.WriteString("| GOARCH | Linux | kernel of | as root: passed / failed / skipped | as uid 1000 |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s |", r.Guest.GOARCH, r.Kernel.Version, r.Machine.Name)
		for _, o := range r.Outcomes {
			fmt.Fprintf(&b, " %d / %d / %d |", len(o.Passed), len(o.Failed), len(o.Skipped))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// replaceReport returns text with what is between the two marks replaced.
func replaceReport(text, report string) (string, error) {
	before, rest, ok := strings.Cut(text, reportBegin)
	_, after, ok2 := strings.Cut(rest, reportEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("no place for the table: want the lines %q and %q", strings.TrimSpace(reportBegin), strings.TrimSpace(reportEnd))
	}
	return before + reportBegin + report + reportEnd + after, nil
}
