//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A fault is a change of a file for the worse.
type fault struct {
	area    string
	name    string
	file    string
	what    string // the text in the file
	instead string
	why     string // why it survives, if it is known to
	pos     string // of the entry in the list
	suite
}

// A suite is the tests that concern a fault.
type suite struct {
	pattern  string   // as in go test -run
	packages []string // as go test takes them
	goarch   string   // or "" for that of this machine
	kernel   string   // the release to boot for them, or "" for the running one
}

func (s suite) equal(t suite) bool {
	return s.pattern == t.pattern && slices.Equal(s.packages, t.packages) && s.goarch == t.goarch && s.kernel == t.kernel
}

// readLists reads the lists of all areas in a directory.
func readLists(dir string) ([]fault, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var all []fault
	var errs []error
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		faults, err := readList(name, string(text))
		all, errs = append(all, faults...), append(errs, err)
	}
	seen := map[string]string{}
	for _, f := range all {
		if at, ok := seen[f.name]; ok {
			errs = append(errs, fmt.Errorf("%s: %s is also the name of that in %s", f.pos, f.name, at))
		}
		seen[f.name] = f.pos
	}
	return all, errors.Join(errs...)
}

// readList reads a list of faults, whose area is the name of its file:
//
//	fault NAME
//	file FILE
//	- text in the file, which is there once
//	+ text that is to replace it
//	test PATTERN PACKAGE...
//	goarch GOARCH     if the tests are to be built for another than this machine's
//	kernel X.Y        if a kernel is to be booted for them
//	why REASON        if it survives
//
// A text may have several lines, all of them marked. Lines that begin with # are
// comments. The test, goarch and kernel before the first fault are those of all
// that have no test.
func readList(path, text string) ([]fault, error) {
	area := strings.TrimSuffix(filepath.Base(path), ".txt")
	var faults []fault
	var errs []error
	f := &fault{pos: path} // what is before the first one
	var usual suite
	var old, instead []string
	end := func() {
		f.what, f.instead = strings.Join(old, "\n"), strings.Join(instead, "\n")
		old, instead = nil, nil
		if f.name == "" {
			usual = f.suite
			return
		}
		if f.pattern == "" {
			f.suite = usual
		}
		switch {
		case f.file == "" || f.what == "" || f.pattern == "":
			errs = append(errs, fmt.Errorf("%s: %s lacks a file, a text to replace or a test", f.pos, f.name))
		case f.what == f.instead:
			errs = append(errs, fmt.Errorf("%s: %s changes nothing", f.pos, f.name))
		}
		faults = append(faults, *f)
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		pos := fmt.Sprintf("%s:%d", path, n)
		line = strings.TrimSuffix(line, "\n")
		key, value, _ := strings.Cut(line, " ")
		words := strings.Fields(value)
		switch {
		case key == "-":
			old = append(old, value)
			continue
		case key == "+":
			instead = append(instead, value)
			continue
		case line == "" || line[0] == '#':
			continue
		case len(words) == 0:
			errs = append(errs, fmt.Errorf("%s: %s of what?", pos, key))
			continue
		}
		switch key {
		case "fault":
			end()
			f = &fault{area: area, name: value, pos: pos}
		case "file":
			f.file = value
		case "test":
			if f.pattern, f.packages = words[0], words[1:]; len(f.packages) == 0 {
				errs = append(errs, fmt.Errorf("%s: want: test PATTERN PACKAGES", pos))
			}
		case "goarch":
			f.goarch = value
		case "kernel":
			f.kernel = value
		case "why":
			f.why = value
		default:
			errs = append(errs, fmt.Errorf("%s: %q is none of fault file - + test goarch kernel why", pos, key))
		}
	}
	end()
	return faults, errors.Join(errs...)
}

// checkTexts reports the faults whose text is not in its file, or not there
// once: then it is not known what they would do.
func checkTexts(root string, faults []fault) error {
	var errs []error
	for _, f := range faults {
		data, err := os.ReadFile(filepath.Join(root, f.file))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", f.pos, f.name, err))
		} else if n := strings.Count(string(data), f.what); n != 1 {
			errs = append(errs, fmt.Errorf("%s: %s: %s has the text %d times, not once: %q", f.pos, f.name, f.file, n, f.what))
		}
	}
	return errors.Join(errs...)
}
