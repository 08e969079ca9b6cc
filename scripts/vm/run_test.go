package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/debian"
	"github.com/go-clone3/clone3/scripts/internal/guest"
)

// The status is that of the first tests that failed, and each package's is
// beside its name.
func TestStatusOfRuns(t *testing.T) {
	tests := map[string]struct {
		text   string
		status int
		lines  []string // of the output, without times
		err    string
	}{
		"all pass":       {booted("PASS\n:0", "PASS\n:0"), 0, []string{"PASS", "ok  \tp", "PASS", "ok  \tq"}, ""},
		"the first":      {booted("FAIL\n:1", "PASS\n:0"), 1, []string{"FAIL", "exit status 1", "FAIL\tp", "PASS", "ok  \tq"}, ""},
		"the last":       {booted("PASS\n:0", "FAIL\n:3"), 3, []string{"PASS", "ok  \tp", "FAIL", "exit status 3", "FAIL\tq"}, ""},
		"both":           {booted("FAIL\n:2", "FAIL\n:137"), 2, []string{"FAIL", "exit status 2", "FAIL\tp", "FAIL", "exit status 137", "FAIL\tq"}, ""},
		"no newline":     {booted("oh:0", "PASS\n:0"), 0, []string{"oh", "ok  \tp", "PASS", "ok  \tq"}, ""},
		"the last hangs": {strings.SplitAfter(booted("PASS\n:0", "so far:0"), "so far")[0], 0, []string{"PASS", "ok  \tp", "so far"}, "the machine ended while q ran"},
		"no machine":     {"", 0, nil, "the machine ended before the first program ran"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := Job{
				Machine: fakeMachine(t, tt.text), Limit: time.Minute,
				Runs: []guest.Run{{Package: "p"}, {Package: "q"}},
			}
			var stdout, stderr strings.Builder
			status, err := stream(t.Context(), job, false, &stdout, &stderr)
			if status != tt.status {
				t.Errorf("got status %d, want %d", status, tt.status)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.err)) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			var lines []string
			for line := range strings.Lines(stdout.String()) {
				if word, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
					pkg, _, _ := strings.Cut(rest, "\t")
					line = word + "\t" + pkg
				}
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
			if !slices.Equal(lines, tt.lines) {
				t.Errorf("got %q, want %q", lines, tt.lines)
			}
		})
	}
}

func TestRunOfATestBinary(t *testing.T) {
	b := TestBinary{Package: "m/p", File: "test/m/p.test", Dir: "src/m/p"}
	for _, uid := range []int{0, 1000} {
		r := b.Run(uid, []string{"-v", "-run=TestX"})
		if want := []string{"/test/m/p.test", "-test.v", "-test.run=TestX"}; r.UID != uid || r.Package != "m/p" || r.Dir != "/src/m/p" || !slices.Equal(r.Args, want) {
			t.Errorf("as %d: got %+v, want %q", uid, r, want)
		}
	}
}

const kernel = "linux-binary-7.3.4+deb13-cloud-amd64"

// passes and fails are what a test binary writes for test2json.
const (
	passes = "\x16=== RUN   TestA\n\x16--- PASS: TestA (0.00s)\nPASS\n:0"
	fails  = "\x16=== RUN   TestA\nwhy\n\x16--- FAIL: TestA (0.00s)\nFAIL\n:1"
	skips  = "\x16=== RUN   TestA\n\x16--- SKIP: TestA (0.00s)\nPASS\n:0"
)

// What root's tests come to is not taken for what the user's do, nor that of
// one package for another's.
func TestOutcomesOfAGuest(t *testing.T) {
	tests := map[string]struct {
		runs []string // of p and q as root, then as the user
		want []Outcome
		err  string
	}{
		"all pass": {
			[]string{passes, passes, passes, passes},
			[]Outcome{{Passed: []string{"p.TestA", "q.TestA"}}, {Passed: []string{"p.TestA", "q.TestA"}}}, "",
		},
		"q fails as the user": {
			[]string{passes, passes, passes, fails},
			[]Outcome{{Passed: []string{"p.TestA", "q.TestA"}}, {Passed: []string{"p.TestA"}, Failed: []string{"q.TestA"}}},
			"q as uid 1000: exit status 1",
		},
		"p fails as root": {
			[]string{fails, passes, skips, passes},
			[]Outcome{{Passed: []string{"q.TestA"}, Failed: []string{"p.TestA"}}, {Passed: []string{"q.TestA"}, Skipped: []string{"p.TestA"}}},
			"p as uid 0: exit status 1",
		},
		"two statuses without a test": {
			[]string{passes, ":2", passes, ":137"},
			[]Outcome{{Passed: []string{"p.TestA"}}, {Passed: []string{"p.TestA"}}},
			"q as uid 0: exit status 2\nq as uid 1000: exit status 137",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			serve(t, map[string][]string{"amd64": {kernel + " 7.3.4-1"}})
			r := Row{
				Guest: Guest{GOARCH: "amd64"}, Machine: fakeMachine(t, booted(tt.runs...)),
				Kernel: debian.Kernel{Version: "7.3.4", From: kernel}, Users: users,
			}
			b := builder{ctx: t.Context(), options: Options{timeout: time.Minute}, programs: map[string]func() (Programs, error){
				"amd64": func() (Programs, error) {
					return Programs{Tests: []TestBinary{{Package: "p"}, {Package: "q"}}}, nil
				},
			}}
			got, err := b.runGuest(Kernels{archive: new(debian.Archive)}, r)
			if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			for i := range got {
				if g, w := got[i], tt.want[i]; !slices.Equal(g.Passed, w.Passed) || !slices.Equal(g.Failed, w.Failed) || !slices.Equal(g.Skipped, w.Skipped) {
					t.Errorf("as uid %d: got %+v, want %+v", users[i], g, w)
				}
			}
			r.Outcomes, r.Err = got, err
			if r.Good() != (tt.err == "") {
				t.Errorf("the guest is good: %t", r.Good())
			}
		})
	}
}

// What one kernel's tests come to is the status to exit with, and they run as
// the user that is asked for.
func TestStatusOfOneKernel(t *testing.T) {
	whole := booted("UIDS:3")
	for name, tt := range map[string]struct {
		text        string
		uid, status int
		output, err string
	}{
		"root":       {whole, 0, 3, "\"UID\":0\nexit status 3\n", ""},
		"a user":     {whole, 1000, 3, "\"UID\":1000\nexit status 3\n", ""},
		"pass":       {booted("PASS\n:0"), 0, 0, "PASS\nok  \tp\t", ""},
		"it breaks":  {strings.SplitAfter(whole, "UIDS")[0], 1000, statusBroken, "\"UID\":1000\n", "the machine ended while p ran"},
		"no machine": {"", 0, statusBroken, "", "the machine ended before the first program ran"},
	} {
		t.Run(name, func(t *testing.T) {
			serve(t, map[string][]string{"amd64": {kernel + " 7.3.4-1"}})
			o := Options{
				goarch: "amd64", uid: tt.uid, timeout: time.Minute,
				table: Table{Machines: []Machine{fakeMachine(t, tt.text)}},
				programs: func(context.Context, string) (Programs, error) {
					return Programs{Tests: []TestBinary{{Package: "p"}}}, nil
				},
			}
			var stdout, stderr strings.Builder
			status, err := runOne(t.Context(), o, &stdout, &stderr)
			if status != tt.status || !strings.HasPrefix(stdout.String(), tt.output) {
				t.Errorf("got status %d and %q, want %d and %q", status, &stdout, tt.status, tt.output)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
		})
	}
}

// A matrix fails if a test does, or only a status is bad.
func TestStatusOfAMatrix(t *testing.T) {
	for name, tt := range map[string]struct {
		users  []int
		runs   []string
		then   string // what the machine writes at its end
		status int
		line   string
	}{
		"good":       {users, []string{passes, passes}, "", 0, "ok   linux 7.3.4     amd64     uid 0: 1 passed, 0 failed, 0 skipped;  uid 1000: 1 passed, 0 failed, 0 skipped;"},
		"the user's": {users, []string{passes, fails}, "", 1, "FAIL linux 7.3.4     amd64     uid 0: 1 passed, 0 failed, 0 skipped;  uid 1000: 0 passed, 1 failed, 0 skipped;"},
		"a machine that breaks": {
			users, []string{passes, passes}, "Kernel panic - not syncing: Oops\n", 1,
			"FAIL linux 7.3.4     amd64     uid 0: 1 passed, 0 failed, 0 skipped;  uid 1000: 1 passed, 0 failed, 0 skipped;",
		},
		"one user only": {[]int{1000}, []string{passes}, "", 0, "ok   linux 7.3.4     amd64     uid 1000: 1 passed, 0 failed, 0 skipped; "},
		"only a status": {users, []string{passes + "\n", ":2"}, "", 1, "FAIL linux 7.3.4     amd64     uid 0: 1 passed, 0 failed, 0 skipped;  uid 1000: 0 passed, 0 failed, 0 skipped;"},
	} {
		t.Run(name, func(t *testing.T) {
			serve(t, map[string][]string{"amd64": {kernel + " 7.3.4-1"}})
			o := Options{matrix: "pr", timeout: time.Minute, programs: func(context.Context, string) (Programs, error) {
				return Programs{Tests: []TestBinary{{Package: "p"}}}, nil
			}}
			o.table = Table{
				[]Machine{fakeMachine(t, booted(tt.runs...)+tt.then)},
				[]Guest{{"amd64", "box", "newest", tt.users}, {"amd64", "box", "6.1", nil}},
			}
			var stdout, stderr strings.Builder
			status, err := runMatrix(t.Context(), o, &stdout, &stderr)
			if status != tt.status || (err == nil) != (status == 0) {
				t.Errorf("got status %d and %v, want %d", status, err, tt.status)
			}
			if !strings.HasPrefix(stdout.String(), tt.line) {
				t.Errorf("got %s\nwant %s", &stdout, tt.line)
			}
		})
	}
}

func TestKernelsOfAMatrix(t *testing.T) {
	amd64 := Machine{Name: "amd64", Flavour: "cloud-amd64", Debian: "amd64"}
	arm := Machine{Name: "arm", Flavour: "armmp", Debian: "armhf"}
	table := func(guests ...Guest) Table { return Table{[]Machine{amd64, arm}, guests} }
	newest, old := Guest{"amd64", "amd64", "newest", users}, Guest{"amd64", "amd64", "6.18", nil}
	served := map[string][]string{"amd64": {kernel + " 7.3.4-1", "linux-image-6.18.5+deb13-cloud-amd64 6.18.5-1"}}
	tests := map[string]struct {
		table Table
		pr    bool
		want  []string
		log   string // part of it
		err   string // its beginning
	}{
		"all":                  {table(newest, old), false, []string{"7.3.4", "6.18.5"}, "", ""},
		"the smaller":          {table(newest, old), true, []string{"7.3.4"}, "", ""},
		"the same twice":       {table(newest, Guest{"amd64", "amd64", "7.3", users}), true, []string{"7.3.4"}, "", ""},
		"one is not served":    {table(Guest{"amd64", "amd64", "6.1", users}, newest), true, []string{"7.3.4"}, "linux 6.1 for amd64 is not served, newest is 7.3.4: left out\n", ""},
		"one cannot be looked": {table(newest, Guest{"arm", "arm", "newest", users}), true, []string{"7.3.4"}, "", "the Debian mirror "},
		"none can":             {table(Guest{"arm", "arm", "newest", users}, Guest{"arm", "arm", "6.1", users}), true, nil, "", "the Debian mirror "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			serve(t, served)
			var log strings.Builder
			rows, err := resolve(Kernels{archive: new(debian.Archive)}, tt.table, tt.pr, &log)
			var got []string
			for _, r := range rows {
				got = append(got, r.Kernel.Version)
			}
			if !slices.Equal(got, tt.want) || !strings.Contains(log.String(), tt.log) {
				t.Errorf("got %q and log %q, want %q and %q", got, &log, tt.want, tt.log)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestAMachineIsChosenForItsKernel(t *testing.T) {
	machine := func(name, arch string) Machine { return Machine{Name: name, Flavour: "f", Debian: arch} }
	served := map[string][]string{
		"old":   {"linux-binary-7.2.13-f 7.2.13-1"},
		"new":   {"linux-binary-7.3.4-f 7.3.4-1"},
		"newer": {"linux-binary-7.3.9-f 7.3.9-1"}, // the same release
	}
	for name, tt := range map[string]struct {
		machines      []string
		release       string
		want, version string
		err           string
	}{
		"one":                    {[]string{"old"}, "", "old", "7.2.13", ""},
		"the newer release":      {[]string{"old", "new"}, "", "new", "7.3.4", ""},
		"the order of machines":  {[]string{"new", "old"}, "", "new", "7.3.4", ""},
		"a patch level is none":  {[]string{"new", "newer"}, "", "new", "7.3.4", ""},
		"a release":              {[]string{"new", "old"}, "7.2", "old", "7.2.13", ""},
		"one has no kernel":      {[]string{"none", "old"}, "", "old", "7.2.13", ""},
		"none has":               {[]string{"none", "old"}, "6.1", "", "", "the Debian mirror "},
		"none has the release":   {[]string{"old", "none"}, "6.1", "", "", "6.1: newest served is 7.2.13"},
		"none has one, one asks": {[]string{"none"}, "", "", "", "the Debian mirror "},
	} {
		t.Run(name, func(t *testing.T) {
			serve(t, served)
			var machines []Machine
			for _, arch := range tt.machines {
				machines = append(machines, machine(arch, arch))
			}
			m, k, err := Kernels{archive: new(debian.Archive)}.choose(machines, tt.release)
			if k.Version != tt.version || err == nil && m.Name != tt.want {
				t.Errorf("got %s on %s, want %s on %s", k.Version, m.Name, tt.version, tt.want)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
		})
	}
}

// Nothing is told of tests on a kernel that could not be had.
func TestNoKernelNoStatus(t *testing.T) {
	serve(t, map[string][]string{"amd64": {kernel + " 7.3.4-1"}})
	o := Options{goarch: "s390x", table: Table{Machines: []Machine{{Name: "s", Runs: []string{"s390x"}, Flavour: "s390x", Debian: "s390x"}}}}
	var stdout, stderr strings.Builder
	if status, err := runOne(t.Context(), o, &stdout, &stderr); status != statusBroken || err == nil || stdout.Len() > 0 {
		t.Errorf("got status %d, %v and %q", status, err, &stdout)
	}
	o.matrix, o.table.Guests = "all", []Guest{{"s390x", "s", "newest", nil}}
	if status, err := runMatrix(t.Context(), o, &stdout, &stderr); status != statusBroken || err == nil || stdout.Len() > 0 {
		t.Errorf("a matrix: got status %d, %v and %q", status, err, &stdout)
	}
}

func TestARowIsBadOfAnErrorAlone(t *testing.T) {
	r := row("7.3.4", "arm", Outcome{Passed: []string{"p.TestA"}})
	r.Err = errors.New("p as uid 0: exit status 2")
	if r.Good() || !strings.HasPrefix(r.describe(), "FAIL ") || !strings.Contains(r.describe(), "exit status 2") {
		t.Errorf("got good %t, %q", r.Good(), r.describe())
	}
}
