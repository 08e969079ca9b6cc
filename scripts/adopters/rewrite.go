//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/modcopy"
	"github.com/rogpeppe/go-internal/diff"
)

// rewrite makes a copy of the module what it is with the patch.
func (a adopter) rewrite(dir string) error {
	if a.swap == nil {
		if err := modcopy.Swap(dir, nil); err != nil {
			return err
		}
	}
	for _, name := range a.swap {
		if err := change(dir, name, func(src []byte) ([]byte, error) {
			out := modcopy.SwapImport(src)
			if out == nil {
				return nil, fmt.Errorf("%s does not import os/exec", name)
			}
			return out, nil
		}); err != nil {
			return err
		}
	}
	for _, e := range a.edits {
		if err := change(dir, e.file, e.apply); err != nil {
			return err
		}
	}
	return nil
}

func change(dir, name string, f func(src []byte) ([]byte, error)) error {
	path := filepath.Join(dir, name)
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if src, err = f(src); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(path, src, 0o666)
}

// apply makes the edit. Its place has to be there once: a rule that fits
// something else than it was made for would prove nothing.
func (e edit) apply(src []byte) ([]byte, error) {
	if n := bytes.Count(src, []byte(e.at)); n != 1 {
		return nil, fmt.Errorf("%q is there %d times, want once", e.at, n)
	}
	text := e.text
	switch e.where {
	case "before":
		text = e.text + e.at
	case "after":
		text = e.at + e.text
	}
	src = bytes.Replace(src, []byte(e.at), []byte(text), 1)
	const linux = `"` + modcopy.Clone3 + `/linux"`
	if !strings.Contains(e.text, "linux.") || bytes.Contains(src, []byte(linux)) {
		return src, nil
	}
	exec := []byte(strconv.Quote(modcopy.Exec))
	if !bytes.Contains(src, exec) {
		return nil, fmt.Errorf("does not import %s, beside which linux would be", exec)
	}
	return bytes.Replace(src, exec, append([]byte(linux+"\n\t"), exec...), 1), nil
}

// size counts the lines that differ between the copies: in what the module is,
// and in its tests and examples, where it is mostly the import.
func size(before, after string) (code, tests int, err error) {
	err = filepath.WalkDir(after, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		rel, _ := filepath.Rel(after, name)
		if strings.HasPrefix(rel, proofDir) {
			return nil
		}
		is, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		was, err := os.ReadFile(filepath.Join(before, rel))
		if err != nil {
			return err
		}
		n := 0
		for i, line := range bytes.Split(diff.Diff("before", was, "after", is), []byte("\n")) {
			if i > 2 && len(line) > 0 && line[0] == '+' { // below the names of the files
				n++
			}
		}
		if strings.HasSuffix(rel, "_test.go") || strings.Contains(rel, "example") || strings.Contains(rel, "readme") {
			tests += n
		} else {
			code += n
		}
		return nil
	})
	return code, tests, err
}
