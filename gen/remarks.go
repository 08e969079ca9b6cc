package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// remarks are texts for a person, each once, with the architectures that it
// is true of. The zero value has none.
type remarks struct {
	texts  []string // in the order in which they came
	arches map[string][]string
}

func (r *remarks) add(text, arch string) {
	if r.arches == nil {
		r.arches = map[string][]string{}
	}
	if r.arches[text] == nil {
		r.texts = append(r.texts, text)
	}
	if !slices.Contains(r.arches[text], arch) {
		r.arches[text] = append(r.arches[text], arch)
	}
}

// addError adds each of the errors that err joins, or each of its lines if it
// comes from the headers.
func (r *remarks) addError(err error, arch string) {
	if p, ok := errors.AsType[*ParseError](err); ok {
		for _, line := range p.Lines {
			r.add(line, arch)
		}
		return
	}
	for _, err := range separate(err) {
		r.add(err.Error(), arch)
	}
}

func (r *remarks) addAll(s remarks) {
	for _, text := range s.texts {
		for _, arch := range s.arches[text] {
			r.add(text, arch)
		}
	}
}

// about returns r with the name of a header before the texts about others.
func (r remarks) about(header string) remarks {
	var named remarks
	for _, text := range r.texts {
		name := header + ": "
		if strings.HasPrefix(text, header+":") {
			name = ""
		}
		for _, arch := range r.arches[text] {
			named.add(name+text, arch)
		}
	}
	return named
}

// lines adds to each text which of all the architectures it is about, unless
// it is about all.
func (r remarks) lines(all []string) []string {
	var lines []string
	for _, text := range r.texts {
		if note := archNote(r.arches[text], all); note != "" {
			text += " (" + note + ")"
		}
		lines = append(lines, text)
	}
	return lines
}

// asError is an error of all the texts, or nil if there are none.
func (r remarks) asError(all []string) error {
	lines := r.lines(all)
	for i, text := range r.texts {
		if lines[i] == text && len(all) > 1 {
			lines[i] += " (all architectures)"
		}
	}
	return joinLines(lines)
}

// separate returns the errors that err joins, or err alone.
func separate(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, separate(e)...)
	}
	return all
}

// maxRemarks is how many errors a person reads at a time.
const maxRemarks = 20

// joinLines is an error of these lines, or nil if there is none.
func joinLines(lines []string) error {
	if n := len(lines) - maxRemarks; n > 0 {
		lines = append(lines[:maxRemarks:maxRemarks], fmt.Sprintf("and %s more", plural(n, "error", "errors")))
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}
