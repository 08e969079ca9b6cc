//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// An adopter is a module of the list.
type adopter struct {
	module, version string
	what            string   // it is
	wants           string   // the guarantee
	asked           []string // where its users, or those of its like, ask for that
	packages, flags []string
	swap            []string // files; all if there are none
	edits           []edit
	proof           string // its kind
	program         string // its file
}

// An edit changes a file, in a place that it names by its text.
type edit struct {
	file, where string // before, after or instead
	at, text    string // whole lines
}

// parse reads the list of modules, whose head says what its lines mean.
func parse(list string) ([]adopter, error) {
	var all []adopter
	for i, line := range strings.Split(list, "\n") {
		fail := func(format string, args ...any) ([]adopter, error) {
			return nil, fmt.Errorf("line %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		var a *adopter
		if len(all) > 0 {
			a = &all[len(all)-1]
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '|' || line[0] == '>' {
			if a == nil || len(a.edits) == 0 {
				return fail("text before any edit")
			}
			e := &a.edits[len(a.edits)-1]
			if line[0] == '|' {
				e.at += line[1:] + "\n"
			} else {
				e.text += line[1:] + "\n"
			}
			continue
		}
		line, _, _ = strings.Cut(line, " # ")
		fields := strings.Fields(line)
		key, values := fields[0], fields[1:]
		if key == "module" {
			if len(values) != 2 {
				return fail("module wants a name and a version")
			}
			all = append(all, adopter{module: values[0], version: values[1]})
			continue
		}
		if a == nil {
			return fail("%s before any module", key)
		}
		switch key {
		case "what":
			a.what = strings.Join(values, " ")
		case "wants":
			a.wants = strings.Join(values, " ")
		case "asked":
			a.asked = values
		case "packages":
			a.packages = values
		case "flags":
			a.flags = values
		case "swap":
			a.swap = values
		case "edit":
			if len(values) != 2 || !slices.Contains([]string{"before", "after", "instead"}, values[1]) {
				return fail("edit wants a file, and before, after or instead")
			}
			a.edits = append(a.edits, edit{file: values[0], where: values[1]})
		case "proof":
			if len(values) != 2 || kinds[values[0]].better == nil {
				return fail("proof wants a kind, %s, and a program", strings.Join(kindNames(), ", "))
			}
			a.proof, a.program = values[0], values[1]
		default:
			return fail("what is %s?", key)
		}
	}
	for _, a := range all {
		for lacks, missing := range map[string]bool{"what": a.what == "", "wants": a.wants == "", "packages": a.packages == nil, "proof": a.proof == ""} {
			if missing {
				return nil, fmt.Errorf("%s: no %s", a.module, lacks)
			}
		}
		for _, e := range a.edits {
			if e.at == "" || e.text == "" {
				return nil, fmt.Errorf("%s: an edit of %s without text", a.module, e.file)
			}
		}
	}
	return all, nil
}
