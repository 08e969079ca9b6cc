// Package gotest runs tests twice, before and after a change, and compares.
package gotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Repo returns the directory of the module this program belongs to, in which it
// is to be run.
func Repo() (string, error) {
	mod, err := Output(".", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	return filepath.Dir(mod), nil
}

// Output runs the go command in a directory and returns what it prints.
func Output(dir string, args ...string) (string, error) {
	out, err := command(dir, args).Output()
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		err = fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, ee.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// Terminal, if not nil, is made the controlling terminal of the tests.
var Terminal *os.File

func command(dir string, args []string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	if Terminal != nil {
		cmd.Stdin = Terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK="+workspace(dir))
	return cmd
}

// workspace returns the go.work of a directory, and no other's: one in a folder
// above may be of any project.
func workspace(dir string) string {
	if file := filepath.Join(dir, "go.work"); exists(file) {
		return file
	}
	return "off"
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// A Result is how a test has ended.
type Result struct {
	Action string // pass, fail or skip
	Output string
	Try    int // the first at which it did not fail, from 1

	// Odds are of a test that does not pass, and is not worse than before the
	// change, see Judge.
	Odds *Odds
}

// tries is how often a test is run before it has failed. Some fail now and then,
// whatever they test.
const tries = 5

// Run runs the tests of a package, and returns their results by name, subtests
// included. Tests that fail are run again. That they fail is no error.
func Run(dir, pkg string, args ...string) (map[string]Result, error) {
	results, err := runOnce(dir, pkg, args...)
	for try := 2; err == nil && try <= tries; try++ {
		var failed []string
		for test, r := range results {
			if r.Action == "fail" && !strings.Contains(test, "/") {
				failed = append(failed, regexp.QuoteMeta(test))
			}
		}
		if failed == nil {
			break
		}
		var again map[string]Result
		again, err = runOnce(dir, pkg, append(args, "-run=^("+strings.Join(failed, "|")+")$")...)
		for test, r := range again {
			if results[test].Action == "fail" && r.Action != "fail" {
				r.Try = try
				results[test] = r
			}
		}
	}
	return results, err
}

func runOnce(dir, pkg string, args ...string) (map[string]Result, error) {
	results := map[string]Result{}
	err := each(dir, pkg, args, func(test string, r Result) { results[test] = r })
	return results, err
}

// each runs the tests of a package, and calls f with each result.
func each(dir, pkg string, args []string, f func(test string, r Result)) error {
	args = append([]string{"test", "-json", "-count=1", "-vet=off", "-timeout=4m"}, append(args, pkg)...)
	cmd := command(dir, args)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	output, some, failed := map[string]string{}, false, false
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var e struct{ Action, Test, Output string }
		if e := d.Decode(&e); e == io.EOF {
			break
		} else if e != nil {
			return fmt.Errorf("go test %s: %w\n%s%s", pkg, e, out, &stderr)
		}
		switch e.Action {
		case "pass", "fail", "skip":
			if e.Test != "" {
				some = true
				f(e.Test, Result{Action: e.Action, Output: output[e.Test], Try: 1})
			} else if e.Action == "fail" {
				failed = true
			}
		case "output", "build-output":
			output[e.Test] += e.Output
		}
	}
	if !some && failed {
		return fmt.Errorf("go test %s: no test has run: %w\n%s%s", pkg, err, output[""], &stderr)
	}
	return nil
}

// Counts are of results.
type Counts struct{ Passed, Failed, Skipped int }

// Add adds the results of a package.
func (c *Counts) Add(results map[string]Result) {
	for _, r := range results {
		switch r.Action {
		case "pass":
			c.Passed++
		case "fail":
			c.Failed++
		case "skip":
			c.Skipped++
		}
	}
}

func (c Counts) String() string { return fmt.Sprintf("%d/%d/%d", c.Passed, c.Failed, c.Skipped) }

// A Report compares results.
type Report struct {
	LeftOut map[string]string // tests that were not run, and why

	passed, skipped, broken, failing []string
	judged                           []string
	flaky                            [2][]string // before and after
	output                           map[string]string
}

// Add adds the results of tests before and after a change. A test breaks if it
// passes before, and does not after.
func (r *Report) Add(pkg string, before, after map[string]Result) {
	if r.output == nil {
		r.output = map[string]string{}
	}
	for _, test := range slices.Sorted(maps.Keys(before)) {
		b, a := before[test].Action, after[test].Action
		name := pkg + " " + test
		r.output[name] = after[test].Output
		for which, try := range []int{before[test].Try, after[test].Try} {
			if try > 1 {
				r.flaky[which] = append(r.flaky[which], name)
			}
		}
		switch {
		case b == "pass" && a == "pass":
			r.passed = append(r.passed, name)
		case after[test].Odds != nil:
			r.judged = append(r.judged, fmt.Sprintf("%s: %v", name, after[test].Odds))
		case b == "pass":
			r.broken = append(r.broken, name)
		case b == "skip" && a == "skip":
			r.skipped = append(r.skipped, name)
		case b == "skip" && a == "pass": // such as for want of what os/exec lacks
			r.passed = append(r.passed, name)
		case b == "skip":
			r.broken = append(r.broken, name)
		default:
			r.failing = append(r.failing, name)
			r.output[name] = before[test].Output
		}
	}
}

// Print prints the report. It returns an error if a test broke.
func (r *Report) Print(w io.Writer, before, after string, verbose bool) error {
	if verbose {
		for _, name := range r.passed {
			fmt.Fprintln(w, "passed   ", name)
		}
	}
	for _, name := range r.skipped {
		fmt.Fprintf(w, "skipped   %s: %s\n", name, reason(r.output[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.LeftOut)) {
		fmt.Fprintf(w, "left out  %s: %s\n", name, r.LeftOut[name])
	}
	for which, names := range r.flaky {
		for _, name := range names {
			fmt.Fprintf(w, "passed, but not at once, with %s: %s\n", [2]string{before, after}[which], name)
		}
	}
	for _, judged := range r.judged {
		fmt.Fprintln(w, "flaky     "+judged)
	}
	for _, name := range r.failing {
		fmt.Fprintf(w, "fails with %s itself: %s\n", before, name)
		if verbose {
			fmt.Fprint(w, r.output[name])
		}
	}
	for _, name := range r.broken {
		fmt.Fprintf(w, "FAILED    %s\n%s", name, r.output[name])
	}
	fmt.Fprintf(w, "%s in place of %s: %d passed, %d failed, %d skipped, %d left out, %d flaky, %d fail with %s too\n",
		after, before, len(r.passed), len(r.broken), len(r.skipped), len(r.LeftOut), len(r.judged), len(r.failing), before)
	if len(r.broken) > 0 {
		return fmt.Errorf("%d tests pass with %s, but not with %s", len(r.broken), before, after)
	}
	return nil
}

// reason returns what a test says when it skips.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if _, text, ok := strings.Cut(line, ".go:"); ok {
			_, text, _ = strings.Cut(text, ": ")
			return text
		}
	}
	return "no reason given"
}
