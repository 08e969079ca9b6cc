package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadOutcome(t *testing.T) {
	m := "\x16" // what test2json looks for
	tests := map[string]struct {
		output []string
		want   Outcome
	}{
		"all pass": {
			[]string{m + "=== RUN   TestA", "hello", m + "--- PASS: TestA (0.00s)", m + "=== RUN   TestB", m + "--- SKIP: TestB (0.12s)", "PASS"},
			Outcome{Passed: []string{"TestA"}, Skipped: []string{"TestB"}, Failure: "PASS\n"},
		},
		"a failure keeps its output": {
			[]string{
				m + "=== RUN   TestA", "hello", m + "=== RUN   TestA/x", "    a_test.go:3: bad", m + "=== NAME  TestA", "    a_test.go:9: worse",
				m + "--- FAIL: TestA (0.00s)", m + "    --- FAIL: TestA/x (0.00s)", m + "=== RUN   TestB", "fine", m + "--- PASS: TestB (0.00s)",
			},
			Outcome{
				Passed: []string{"TestB"}, Failed: []string{"TestA", "TestA/x"},
				Failure: "--- FAIL: TestA\nhello\n    a_test.go:9: worse\n--- FAIL: TestA/x\n    a_test.go:3: bad\n",
			},
		},
		"a line that tests began": {
			[]string{m + "=== RUN   TestA", "no newline" + m + "--- PASS: TestA (0.00s)"},
			Outcome{Passed: []string{"TestA"}},
		},
		"a test prints what looks like a result": {
			[]string{m + "=== RUN   TestA", "--- FAIL: TestZ (0.00s)", m + "--- PASS: TestA (0.00s)"},
			Outcome{Passed: []string{"TestA"}},
		},
		"names with spaces and parentheses": {
			[]string{
				m + "=== RUN   TestA", m + "=== RUN   TestA/a_(0.50s)", "bad", m + "=== RUN   TestA/in two words", m + "=== RUN   TestA/(x)",
				m + "--- FAIL: TestA (0.00s)", m + "    --- FAIL: TestA/a_(0.50s) (1.20s)", m + "    --- SKIP: TestA/in two words (0.00s)", m + "    --- PASS: TestA/(x) (10.00s)",
			},
			Outcome{
				Passed: []string{"TestA/(x)"}, Failed: []string{"TestA", "TestA/a_(0.50s)"}, Skipped: []string{"TestA/in two words"},
				Failure: "--- FAIL: TestA\n--- FAIL: TestA/a_(0.50s)\nbad\n",
			},
		},
		"a panic": {
			[]string{m + "=== RUN   TestA", "panic: no", "goroutine 1"},
			Outcome{Failure: "panic: no\ngoroutine 1\n"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ReadOutcome(strings.Join(tt.output, "\n") + "\n"); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}
