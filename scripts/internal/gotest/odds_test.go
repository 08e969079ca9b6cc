package gotest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWorse(t *testing.T) {
	for odds, want := range map[Odds]bool{
		{0, 15, 15}:  true,
		{1, 15, 15}:  true,
		{0, 6, 15}:   true,
		{0, 3, 15}:   false,
		{3, 3, 15}:   false,
		{5, 9, 15}:   false,
		{15, 15, 15}: false,
		{15, 0, 15}:  false,
		{0, 0, 15}:   false,
	} {
		if got := odds.Worse(); got != want {
			t.Errorf("%v: got %v, want %v", odds, got, want)
		}
	}
}

// Tests of a module that fail in every third run, or in all, are judged by what
// they do in another one.
func TestJudge(t *testing.T) {
	if testing.Short() {
		t.Skip("runs many tests")
	}
	const test = `package p

import (
	"os"
	"testing"
)

// every fails in each nth run.
func every(t *testing.T, n int) {
	b, _ := os.ReadFile(t.Name())
	os.WriteFile(t.Name(), append(b, '.'), 0o600)
	if n > 0 && (len(b)+1)%n == 0 {
		t.Error("fails")
	}
}

func TestBoth(t *testing.T)   { every(t, 3) }
func TestWorse(t *testing.T)  { every(t, worse) }
func TestHidden(t *testing.T) { every(t, worse) }
func TestAlone(t *testing.T)  { every(t, 1) }
func TestLate(t *testing.T)   { every(t, 1) }
`
	var both Both
	for dir, worse := range map[*string]string{&both.Before: "0", &both.After: "1"} {
		*dir = t.TempDir()
		for name, text := range map[string]string{
			"go.mod": "module p\n\ngo 1.26.0\n", "p_test.go": test, "worse_test.go": "package p\n\nconst worse = " + worse + "\n",
		} {
			if err := os.WriteFile(filepath.Join(*dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	pass, fail := Result{Action: "pass", Try: 1}, Result{Action: "fail", Try: 1}
	before := map[string]Result{"TestBoth": pass, "TestWorse": pass, "TestHidden": pass, "TestAlone": pass, "TestLate": {Action: "pass", Try: 4}}
	after := map[string]Result{"TestBoth": fail, "TestWorse": fail, "TestHidden": {Action: "pass", Try: 2}, "TestAlone": fail, "TestLate": fail}
	if err := both.Judge(".", before, after); err != nil {
		t.Fatal(err)
	}
	if o := after["TestBoth"].Odds; o == nil || *o != (Odds{5, 5, 15}) {
		t.Errorf("fails in both: got %v", o)
	}
	if o := after["TestLate"].Odds; o == nil || *o != (Odds{15, 15, 15}) {
		t.Errorf("has failed before, and passed at last: got %v", o)
	}
	for test, why := range map[string]string{
		"TestWorse":  "never failed before",
		"TestHidden": "fails more often than before, if not at last",
		"TestAlone":  "fails whenever it is run alone, which says nothing",
	} {
		if r := after[test]; r.Action != "fail" || r.Odds != nil || !strings.Contains(r.Output, " of 15 runs before") {
			t.Errorf("%s %s: got %+v", test, why, r)
		}
	}
}
