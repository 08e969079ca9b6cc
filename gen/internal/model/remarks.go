package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Remarks are texts for a person, each once, with the architectures that it
// is true of. The zero value has none.
type Remarks struct {
	texts  []string // in the order in which they came
	arches map[string][]string
}

// Add adds a text for an architecture.
func (r *Remarks) Add(text, arch string) {
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

// AddError adds each of the errors that err joins, or each of its lines if it
// comes from the headers.
func (r *Remarks) AddError(err error, arch string) {
	if p, ok := errors.AsType[*ParseError](err); ok {
		for _, line := range p.Lines {
			r.Add(line, arch)
		}
		return
	}
	for _, err := range Separate(err) {
		r.Add(err.Error(), arch)
	}
}

// Empty reports whether there are no remarks.
func (r Remarks) Empty() bool { return len(r.texts) == 0 }

// Texts are the texts alone.
func (r Remarks) Texts() []string { return r.texts }

// Capped is an error of the texts alone, or nil if there are none.
func (r Remarks) Capped() error { return joinLines(r.texts) }

// AddAll adds the remarks of s.
func (r *Remarks) AddAll(s Remarks) {
	for _, text := range s.texts {
		for _, arch := range s.arches[text] {
			r.Add(text, arch)
		}
	}
}

// About returns r with the name of a header before the texts about others.
func (r Remarks) About(header string) Remarks {
	var named Remarks
	for _, text := range r.texts {
		name := header + ": "
		if strings.HasPrefix(text, header+":") {
			name = ""
		}
		for _, arch := range r.arches[text] {
			named.Add(name+text, arch)
		}
	}
	return named
}

// Lines adds to each text which of all the architectures it is about, unless
// it is about all.
func (r Remarks) Lines(all []string) []string {
	var lines []string
	for _, text := range r.texts {
		if note := archNote(r.arches[text], all); note != "" {
			text += " (" + note + ")"
		}
		lines = append(lines, text)
	}
	return lines
}

// AsError is an error of all the texts, or nil if there are none.
func (r Remarks) AsError(all []string) error {
	lines := r.Lines(all)
	for i, text := range r.texts {
		if lines[i] == text && len(all) > 1 {
			lines[i] += " (all architectures)"
		}
	}
	return joinLines(lines)
}

// Separate returns the errors that err joins, or err alone.
func Separate(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, Separate(e)...)
	}
	return all
}

// maxRemarks is how many errors a person reads at a time.
const maxRemarks = 20

// joinLines is an error of these lines, or nil if there is none.
func joinLines(lines []string) error {
	if n := len(lines) - maxRemarks; n > 0 {
		lines = append(lines[:maxRemarks:maxRemarks], fmt.Sprintf("and %s more", Plural(n, "error", "errors")))
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// A ParseError is what is wrong with the headers of a Group.
type ParseError struct {
	Arch  string   // GOARCH
	Lines []string // "header.h:LINE: what is wrong", in the order found
	// Lacks is whether all that is wrong is that headers which are included are
	// not there.
	Lacks bool
}

func (e *ParseError) Error() string {
	return strings.Join(e.Lines, "\n") + "\n(reading the headers for " + e.Arch + ")"
}
