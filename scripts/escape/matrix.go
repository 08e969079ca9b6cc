package main

import (
	"fmt"
	"slices"
	"strings"
)

// mark begins a line of results: the attempt, what came of it in each
// confinement, and why it is allowed.
const mark = "ESCAPE\t"

var columns = []string{"control", "Confine", "Landlock", "seccomp", "capabilities"}

// A place is where attempts were made.
type place struct{ kernel, user string }

func (p place) String() string { return p.kernel + "-" + p.user }

// A matrix is what came of all attempts, in their order.
type matrix struct{ rows []row }

type row struct {
	name, why string
	results   map[place][]string // by column
}

// add adds what tests have written at a place.
func (m *matrix) add(p place, output string) error {
	n := 0
	for line := range strings.Lines(output) {
		line, ok := strings.CutPrefix(line, mark)
		if !ok {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != len(columns)+2 {
			return fmt.Errorf("%q is no result", line)
		}
		i := slices.IndexFunc(m.rows, func(r row) bool { return r.name == f[0] })
		if i < 0 {
			i = len(m.rows)
			m.rows = append(m.rows, row{name: f[0], why: f[len(f)-1], results: map[place][]string{}})
		}
		m.rows[i].results[p] = f[1 : len(f)-1]
		n++
	}
	if n == 0 {
		return fmt.Errorf("no attempt was made:\n%s", failures(output))
	}
	return nil
}

// unproven lists the attempts that succeed nowhere without confinement.
func (m *matrix) unproven() string {
	var b strings.Builder
	for _, r := range m.rows {
		var seen []string
		proven := false
		for _, results := range r.results {
			proven = proven || results[0] == "ok"
			if !slices.Contains(seen, results[0]) {
				seen = append(seen, results[0])
			}
		}
		if !proven {
			slices.Sort(seen)
			fmt.Fprintf(&b, "not proven here: %s (%s without confinement)\n", r.name, strings.Join(seen, ", "))
		}
	}
	return b.String()
}

// format returns the table. A cell has one value, or the values by user, by
// kernel, or by both.
func (m *matrix) format(places []place) string {
	var b strings.Builder
	b.WriteString(`# What comes of each attempt to get out: without confinement (control), in
# linux.Confine, and in each of its parts alone. Written by "go run ./scripts/escape
# -update", and compared by make escape. A value is "ok", an error or a signal;
# where it is not the same everywhere: by user, or by kernel, from this one on. The
# last column says why Confine allows what it does.

`)
	fmt.Fprintf(&b, "%s | %s | why allowed\n", "attempt", strings.Join(columns, " | "))
	for _, r := range m.rows {
		cells := []string{r.name}
		for c := range columns {
			cells = append(cells, r.cell(c, places))
		}
		why := r.why
		if why == "" {
			why = "-"
		}
		fmt.Fprintf(&b, "%s | %s\n", strings.Join(cells, " | "), why)
	}
	return b.String()
}

func (r *row) cell(column int, places []place) string {
	of := func(user string) string {
		var parts []string
		last := ""
		for _, p := range places {
			if p.user != user {
				continue
			}
			v := "?"
			if results := r.results[p]; results != nil {
				v = results[column]
			}
			if v != last {
				parts = append(parts, p.kernel+" "+v)
			}
			last = v
		}
		if len(parts) == 1 {
			return last
		}
		return strings.Join(parts, ", ")
	}
	root, user := of("root"), of("user")
	if root == user {
		return root
	}
	return "root: " + root + "; user: " + user
}

// difference returns the lines that only one of two texts has.
func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var w strings.Builder
	for _, line := range a {
		if !slices.Contains(b, line) {
			w.WriteString("- " + line + "\n")
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			w.WriteString("+ " + line + "\n")
		}
	}
	return w.String()
}
