package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Machine is what qemu emulates and where its kernels come from.
type Machine struct {
	Name    string
	Runs    []string // GOARCHes
	Flavour string   // of Debian's kernel packages, or "built"
	Debian  string   // the architecture of the packages
	Build   Recipe   // if the flavour is "built"
	Append  string   // kernel parameters
	Install string   // the package with the emulator
	AtLeast string   // the emulator's version, if old ones do not do
	QEMU    []string
}

// Built reports whether the machine's kernels are built here.
func (m Machine) Built() bool { return m.Flavour == "built" }

// A Guest is a kernel of a machine for the tests of a GOARCH.
type Guest struct {
	GOARCH  string
	Machine string
	Release string // X.Y or "newest"
	PR      []int  // the users that run the tests in the smaller matrix
}

// A Table is testdata/kernels.txt.
type Table struct {
	Machines []Machine
	Guests   []Guest
}

// Machine returns the machine of that name.
func (t Table) Machine(name string) (Machine, bool) {
	i := slices.IndexFunc(t.Machines, func(m Machine) bool { return m.Name == name })
	if i < 0 {
		return Machine{}, false
	}
	return t.Machines[i], true
}

// For returns the machines that run goarch, in the order of the table.
func (t Table) For(goarch string) ([]Machine, error) {
	var ms []Machine
	var all []string
	for _, m := range t.Machines {
		if slices.Contains(m.Runs, goarch) {
			ms = append(ms, m)
		}
		all = append(all, m.Runs...)
	}
	if ms == nil {
		slices.Sort(all)
		return nil, fmt.Errorf("no machine runs %q: there are some for %s", goarch, strings.Join(slices.Compact(all), " "))
	}
	return ms, nil
}

// ReadTable reads a table; name is the file's, for errors.
func ReadTable(name string, r io.Reader) (Table, error) {
	var t Table
	var errs []error
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if err := t.add(f[0], f[1:]); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, n, err))
		}
	}
	return t, errors.Join(append(errs, lines.Err())...)
}

// add takes one line: a key and its words.
func (t *Table) add(key string, words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("%s of what?", key)
	}
	if key == "machine" {
		if _, ok := t.Machine(words[0]); ok {
			return fmt.Errorf("machine %s is there twice", words[0])
		}
		t.Machines = append(t.Machines, Machine{Name: words[0]})
		return nil
	}
	if key == "guest" {
		return t.addGuest(words)
	}
	if len(t.Machines) == 0 {
		return fmt.Errorf("%s before any machine", key)
	}
	m := &t.Machines[len(t.Machines)-1]
	switch key {
	case "like":
		other, ok := t.Machine(words[0])
		if !ok {
			return fmt.Errorf("no machine %s above", words[0])
		}
		name := m.Name
		*m = other
		m.Name, m.QEMU = name, slices.Clone(other.QEMU)
	case "runs":
		m.Runs = words
	case "kernel":
		m.Flavour, m.Debian = words[0], strings.Join(words[1:], " ")
		if m.Built() != (m.Debian == "") {
			return errors.New("want: kernel FLAVOUR ARCH, or: kernel built")
		}
	case "vars":
		m.Build.Vars = words
	case "config":
		m.Build.Config = words
	case "needs":
		m.Build.Packages = words
	case "image":
		m.Build.Image = words[0]
	case "append":
		m.Append = strings.Join(words, " ")
	case "install":
		m.Install = words[0]
	case "atleast":
		m.AtLeast = words[0]
	case "qemu":
		m.QEMU = append(m.QEMU, words...)
	default:
		return fmt.Errorf("%q is none of machine like runs kernel vars config needs image append install atleast qemu guest", key)
	}
	return nil
}

// smaller is what a guest's line says of the smaller matrix: who runs the tests.
var smaller = map[string][]int{"": nil, "pr": users, "pr root": {0}, "pr user": {1000}}

func (t *Table) addGuest(words []string) error {
	as, ok := smaller[strings.Join(words[min(3, len(words)):], " ")]
	if len(words) < 3 || !ok {
		return errors.New("want: guest GOARCH MACHINE RELEASE [pr [root|user]]")
	}
	g := Guest{GOARCH: words[0], Machine: words[1], Release: words[2], PR: as}
	m, ok := t.Machine(g.Machine)
	if !ok {
		return fmt.Errorf("no machine %s above", g.Machine)
	}
	if !slices.Contains(m.Runs, g.GOARCH) {
		return fmt.Errorf("machine %s does not run %s", g.Machine, g.GOARCH)
	}
	t.Guests = append(t.Guests, g)
	return nil
}
