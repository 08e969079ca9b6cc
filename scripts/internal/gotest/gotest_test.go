package gotest

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	pass, fail, skip := Result{Action: "pass", Try: 1}, Result{Action: "fail", Output: "why"}, Result{Action: "skip", Output: "    x_test.go:1: no reason\n"}
	for _, test := range []struct {
		name          string
		before, after Result
		want          string // a line of the report
		broken        bool
	}{
		{"stays", pass, pass, "1 passed, 0 failed", false},
		{"breaks", pass, fail, "FAILED    p T\nwhy", true},
		{"vanishes", pass, Result{}, "0 passed, 1 failed", true},
		{"is skipped only after", pass, skip, "0 passed, 1 failed", true},
		{"never passed", fail, fail, "fails with old itself: p T", false},
		{"is skipped", skip, skip, "skipped   p T: no reason", false},
		{"was skipped", skip, pass, "1 passed, 0 failed", false},
		{"fails where it was skipped", skip, fail, "0 passed, 1 failed", true},
		{"is judged", pass, Result{Action: "fail", Odds: &Odds{3, 4, 15}}, "flaky     p T: fails in 3 of 15 runs before, in 4 after", false},
		{"needs more tries", pass, Result{Action: "pass", Try: 3}, "passed, but not at once, with new: p T", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r Report
			r.Add("p", map[string]Result{"T": test.before}, map[string]Result{"T": test.after})
			var out strings.Builder
			if err := r.Print(&out, "old", "new", false); (err != nil) != test.broken {
				t.Errorf("got error %v", err)
			}
			if !strings.Contains(out.String(), test.want) {
				t.Errorf("got %q, want %q in it", &out, test.want)
			}
		})
	}
}
