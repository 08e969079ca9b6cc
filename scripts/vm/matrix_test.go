package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

func row(version, goarch string, o Outcome) Row {
	return Row{
		Guest: Guest{GOARCH: goarch}, Machine: Machine{Name: "box"},
		Kernel: debian.Kernel{Version: version}, Users: users, Outcomes: []Outcome{o, {}},
	}
}

func TestVerdict(t *testing.T) {
	good := Outcome{Passed: []string{"p.TestA"}}
	skips := Outcome{Passed: []string{"p.TestA"}, Skipped: []string{"p.TestB"}}
	both := Outcome{Passed: []string{"p.TestA", "p.TestB"}}
	broken := row("7.3.4", "arm", good)
	broken.Err = errors.New("no end")
	tests := map[string]struct {
		rows []Row
		all  bool
		want string
	}{
		"good":                           {[]Row{row("6.1.2", "amd64", skips), row("7.1", "amd64", both)}, true, ""},
		"no new kernel":                  {[]Row{row("6.1.2", "amd64", good), row("7.0.13", "amd64", good)}, false, "no kernel of 7.1 or later was run"},
		"no kernel":                      {nil, false, "no kernel of 7.1 or later was run"},
		"a failure":                      {[]Row{row("7.3.4", "arm", Outcome{Failed: []string{"p.TestA"}}), row("7.1", "386", good)}, false, "tests failed on linux 7.3.4 arm"},
		"a machine that broke":           {[]Row{broken}, false, "tests failed on linux 7.3.4 arm"},
		"a test that nobody runs":        {[]Row{row("7.3.4", "arm", skips)}, true, "no guest runs p.TestB: all skip it"},
		"the smaller matrix may skip it": {[]Row{row("7.3.4", "arm", skips)}, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := verdict(tt.rows, tt.all); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestABrokenMachineIsBootedOnceMore(t *testing.T) {
	broken := errors.Join(errors.New("exit status 2"), &MachineError{"the kernel panicked"})
	tests := map[string]struct {
		errs  []error // of each boot
		good  bool
		boots int
	}{
		"good":         {[]error{nil}, true, 1},
		"tests fail":   {[]error{errors.New("exit status 1")}, false, 1},
		"it breaks":    {[]error{broken, nil}, true, 2},
		"breaks again": {[]error{broken, broken}, false, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := row("7.3.4", "arm", Outcome{})
			var said strings.Builder
			boots := 0
			r.run(func(Row) ([]Outcome, error) {
				boots++
				return make([]Outcome, len(users)), tt.errs[boots-1]
			}, func(text string) { said.WriteString(text) })
			if r.Good() != tt.good || boots != tt.boots {
				t.Errorf("good: %t, want %t, after %d boots, want %d", r.Good(), tt.good, boots, tt.boots)
			}
			if again := strings.Contains(said.String(), "the kernel panicked\nlinux 7.3.4 arm is booted once more\n"); again != (tt.boots > 1) {
				t.Errorf("it said %q", said.String())
			}
		})
	}
}

func TestReport(t *testing.T) {
	got := report([]Row{
		row("7.1.13", "arm", Outcome{Passed: []string{"a"}, Skipped: []string{"b", "c"}}),
		row("7.0.1", "amd64", Outcome{Failed: []string{"a"}}),
		row("6.12.9", "amd64", Outcome{Passed: []string{"a"}}),
	})
	want := `| GOARCH | Linux | kernel of | as root: passed / failed / skipped | as uid 1000 |
|---|---|---|---|---|
| amd64 | 6.12.9 | box | 1 / 0 / 0 | 0 / 0 / 0 |
| amd64 | 7.0.1 | box | 0 / 1 / 0 | 0 / 0 / 0 |
| arm | 7.1.13 | box | 1 / 0 / 2 | 0 / 0 / 0 |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReplaceReport(t *testing.T) {
	got, err := replaceReport("before\n"+reportBegin+"old\n"+reportEnd+"after\n", "new\n")
	if want := "before\n" + reportBegin + "new\n" + reportEnd + "after\n"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := replaceReport("nothing\n", "new\n"); err == nil || !strings.HasPrefix(err.Error(), "no place for the table") {
		t.Errorf("got error %v", err)
	}
}
