// Licences fails if a program that uses a package of this module comes to contain
// code under a licence that asks for more than to be named, and prints which licences
// there are: of package linux and what is with it, of the command gen, and of all
// that the tests need.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A view is what somebody builds of this module.
type view struct {
	who     string
	list    []string // arguments of go list
	allowed []string
}

var views = []view{
	{"importers of linux and uapi", []string{"./linux/...", "./uapi"}, []string{"BSD-3-Clause"}},
	{"users of gen", []string{"./gen"}, []string{"BSD-3-Clause", "BSD-2-Clause", "MIT"}},
	{"developers", []string{"-test", "./..."}, []string{"BSD-3-Clause", "BSD-2-Clause", "MIT", "ISC", "Apache-2.0"}},
}

// licences are known by phrases that each has, the first that fits. A text under
// which there are other conditions besides is not to be taken for one of them.
var licences = []struct {
	name    string
	phrases []string
}{
	{"GPL", []string{"general public license"}},
	{"Apache-2.0", []string{"apache license version 2.0"}},
	{"MPL-2.0", []string{"mozilla public license"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "nor the names of"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "nor the name of"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}},
	{"MIT", []string{"permission is hereby granted, free of charge", "the above copyright notice and this permission notice"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose"}},
}

// licence returns the name of the licence that a text is, or "".
func licence(text []byte) string {
	words := strings.Join(strings.Fields(strings.ToLower(string(text))), " ")
	words = strings.ReplaceAll(words, "license, version", "license version")
	for _, l := range licences {
		if !slices.ContainsFunc(l.phrases, func(p string) bool { return !strings.Contains(words, p) }) {
			return l.name
		}
	}
	return ""
}

// find returns the licence of the module in a directory. Of several files each
// counts.
func find(dir string) (string, error) {
	var files []string
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("%s has no file LICENSE", dir)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		name := licence(text)
		if name == "" {
			return "", fmt.Errorf("%s is a licence that is not known", file)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and "), nil
}

// modules returns the modules that the packages of a view are in, with their
// directories. The go command downloads those that are needed.
func modules(list []string) (map[string]string, error) {
	args := append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}"}, list...)
	cmd := exec.Command("go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			all[path] = dir
		}
	}
	if len(all) == 0 {
		return nil, errors.New("go list: no module")
	}
	return all, nil
}

// check returns a line of what the view has, or what is wrong.
func (v view) check() (string, error) {
	all, err := modules(v.list)
	if err != nil {
		return "", err
	}
	count := map[string]int{}
	var failures []error
	for path, dir := range all {
		name, err := find(dir)
		switch {
		case err != nil:
			failures = append(failures, fmt.Errorf("%s: %w", path, err))
		case !slices.Contains(v.allowed, name):
			failures = append(failures, fmt.Errorf("%s is under %s; %s get %s", path, name, v.who, strings.Join(v.allowed, ", ")))
		}
		count[name]++
	}
	var words []string
	for _, name := range v.allowed {
		if count[name] > 0 {
			words = append(words, fmt.Sprintf("%d x %s", count[name], name))
		}
	}
	return fmt.Sprintf("%s: %s", v.who, strings.Join(words, ", ")), errors.Join(failures...)
}

func main() {
	status := 0
	for _, v := range views {
		line, err := v.check()
		if err != nil {
			fmt.Fprintln(os.Stderr, "licences:", err)
			status = 1
			continue
		}
		fmt.Println("licences of", line)
	}
	os.Exit(status)
}
