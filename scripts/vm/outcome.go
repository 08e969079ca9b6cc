package main

import (
	"regexp"
	"strings"
)

// An Outcome is how the tests of one run ended.
type Outcome struct {
	Passed, Failed, Skipped []string // names of tests, subtests among them
	Failure                 string   // the output of the tests that did not pass
}

// Lines of a test binary that runs with -test.v=test2json. The byte tells
// them from what tests print.
var (
	ended   = regexp.MustCompile(`\x16 *--- (PASS|FAIL|SKIP): (.+) \([0-9.]+s\)$`)
	resumed = regexp.MustCompile(`\x16=== (RUN|NAME|CONT|PAUSE) +(.*)$`)
)

// ReadOutcome reads the output of a test binary.
func ReadOutcome(output string) Outcome {
	var o Outcome
	var failure strings.Builder
	texts := map[string]string{} // the output of tests that have not ended
	var order []string           // their names
	current := ""                // the test whose output comes
	for line := range strings.Lines(output) {
		before, _, marked := strings.Cut(line, "\x16")
		text := strings.TrimSuffix(line, "\n")
		if !marked {
			before = line
		}
		if before != "" {
			if _, ok := texts[current]; !ok {
				order = append(order, current)
			}
			texts[current] += strings.TrimSuffix(before, "\n") + "\n"
		}
		if m := resumed.FindStringSubmatch(text); m != nil {
			current = m[2]
			continue
		}
		m := ended.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		name := m[2]
		switch m[1] {
		case "PASS":
			o.Passed = append(o.Passed, name)
		case "SKIP":
			o.Skipped = append(o.Skipped, name)
		case "FAIL":
			o.Failed = append(o.Failed, name)
			failure.WriteString("--- FAIL: " + name + "\n" + texts[name])
		}
		delete(texts, name)
		if current == name {
			current = ""
		}
	}
	for _, name := range order { // ended by a panic, a signal or an exit
		failure.WriteString(texts[name])
		delete(texts, name)
	}
	o.Failure = failure.String()
	return o
}
