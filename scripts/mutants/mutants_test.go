//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module writes a module of a few files, and returns its directory.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tiny has a function whose test does not look at everything.
func tiny(t *testing.T, list string) string {
	return module(t, map[string]string{
		"go.mod":                     "module tiny\n\ngo 1.26\n",
		"sum.go":                     "package tiny\n\nfunc sum(a, b int) int {\n\tif a == 7 {\n\t\treturn b + 7\n\t}\n\treturn a + b\n}\n",
		"sum_test.go":                "package tiny\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif sum(1, 2) != 3 {\n\t\tt.Error(\"no\")\n\t}\n}\n\nfunc TestFails(t *testing.T) { t.Error(\"always\") }\n\nfunc TestSkips(t *testing.T) { t.Skip() }\n",
		".git/secret":                "not to be copied",
		"testdata/mutants/areas.txt": list,
	})
}

const (
	caughtFault   = "fault subtracts\nfile sum.go\n- \treturn a + b\n+ \treturn a - b\ntest ^TestSum$ .\n"
	survivorFault = "fault seven\nfile sum.go\n- \t\treturn b + 7\n+ \t\treturn b\n# nobody asks for it\ntest ^TestSum$ .\n"
)

func TestFaultsOfATinyModule(t *testing.T) {
	for name, test := range map[string]struct {
		list string
		err  string
		says []string
	}{
		"caught": {caughtFault, "", []string{
			"1 sets of tests pass without a fault", "areas: subtracts (", "1 of 1 faults were caught"}},
		"survived": {caughtFault + survivorFault, "1 survived, and the list does not say why", []string{
			"SURVIVED", "areas: seven (", "1 of 2 faults were caught"}},
		"explained, but too many": {caughtFault + survivorFault + "why nobody adds 7\n", "less than 95 % were caught", []string{
			"survived ", "nobody adds 7"}},
		"explained, and caught": {caughtFault + "why it cannot be\n", "", []string{"which it does not any more"}},
		"another goarch":        {caughtFault + "goarch 386\n", "", []string{"1 of 1"}},
		"several lines": {
			"fault lines\nfile sum.go\n- \t}\n- \treturn a + b\n+ \t}\n+ \treturn 0\ntest ^TestSum$ .\n", "", []string{"1 of 1"}},
		"does not compile": {
			caughtFault + "fault typo\nfile sum.go\n- return a + b\n+ return a + c\ntest ^TestSum$ .\n", "areas.txt:6: typo: does not compile", []string{"1 of 1"}},
		"the go command fails": {
			"fault word\nfile go.mod\n- module tiny\n+ modul tiny\ntest ^TestSum$ .\n", "areas.txt:1: word: no test has failed, but the go command", nil},
		"fails without a fault": {strings.ReplaceAll(caughtFault, "^TestSum$", "^TestFails$"), "go test -run '^TestFails$' .: fails without a fault", nil},
		"no test":               {strings.ReplaceAll(caughtFault, "^TestSum$", "^TestNone$"), "runs no test, or skips all", nil},
		"all skip":              {strings.ReplaceAll(caughtFault, "^TestSum$", "^TestSkips$"), "runs no test, or skips all", nil},
	} {
		t.Run(name, func(t *testing.T) {
			root := tiny(t, test.list)
			before := read(t, root)
			t.Setenv("TMPDIR", t.TempDir())
			var out strings.Builder
			err := run(context.Background(), root, "", "", 2, false, &out)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got error %v, want %q", err, test.err)
			}
			for _, text := range test.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("it does not say %q:\n%s", text, &out)
				}
			}
			if after := read(t, root); after != before {
				t.Errorf("the module itself has been changed: %s", after)
			}
			left, err := filepath.Glob(filepath.Join(os.TempDir(), "clone3-mutants-*"))
			if err != nil || left != nil {
				t.Errorf("copies are left: %q, %v", left, err)
			}
		})
	}
}

// Tests that fail on a booted kernel are told from a machine that breaks.
func TestFaultsOnAKernel(t *testing.T) {
	for name, test := range map[string]struct {
		status int // of scripts/vm when the fault is there
		err    string
		says   string
	}{
		"caught":         {1, "", "1 of 1 faults were caught"},
		"survived":       {0, "1 survived, and the list does not say why", "SURVIVED"},
		"it breaks":      {125, "areas.txt:1: subtracts: the machine broke, which is no verdict", ""},
		"it is misused":  {124, "areas.txt:1: subtracts: the machine broke, which is no verdict", ""},
		"killed in vain": {137, "", "1 of 1 faults were caught"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tiny(t, caughtFault+"kernel 7.3\n")
			vm := fmt.Sprintf("package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"strings\"\n)\n\nfunc main() {\n\ttext, _ := os.ReadFile(\"sum.go\")\n\tfmt.Println(\"--- PASS: TestSum (0.00s)\")\n\tif strings.Contains(string(text), \"a - b\") {\n\t\tos.Exit(%d)\n\t}\n}\n", test.status)
			if err := os.MkdirAll(filepath.Join(root, "scripts/vm"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, "scripts/vm/main.go"), []byte(vm), 0o666); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := run(t.Context(), root, "", "", 1, false, &out)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) || !strings.Contains(out.String(), test.says) {
				t.Errorf("got error %v, want %q, and\n%s", err, test.err, &out)
			}
		})
	}
}

func read(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "sum.go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFaultsAreChosen(t *testing.T) {
	root := tiny(t, caughtFault+survivorFault)
	if err := os.WriteFile(filepath.Join(root, "testdata/mutants/more.txt"), []byte(strings.ReplaceAll(caughtFault, "fault ", "fault more-")), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		area, only string
		want       []string
	}{
		{"", "", []string{"subtracts", "seven", "more-subtracts"}},
		{"more", "", []string{"more-subtracts"}},
		{"areas,more", "", []string{"subtracts", "seven", "more-subtracts"}},
		{"", "seven", []string{"seven"}},
		{"more", "seven", nil},
	} {
		var out strings.Builder
		err := run(context.Background(), root, test.area, test.only, 1, true, &out)
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.Fields(line)[2])
		}
		if !slices.Equal(got, test.want) || (err != nil) != (test.want == nil) {
			t.Errorf("-area %q -run %q: got %q, %v, want %q", test.area, test.only, got, err, test.want)
		}
	}
}

// What is wrong with a list is said with the file and the line.
func TestListsThatAreWrong(t *testing.T) {
	for name, test := range map[string]struct{ list, want string }{
		"text that is not there":   {"fault a\nfile sum.go\n- return a * b\n+ x\ntest T .\n", "areas.txt:1: a: sum.go has the text 0 times, not once"},
		"text that is there twice": {"\nfault a\nfile sum.go\n- return\n+ x\ntest T .\n", "areas.txt:2: a: sum.go has the text 2 times, not once"},
		"file that is not there":   {"fault a\nfile gone.go\n- x\n+ y\ntest T .\n", "areas.txt:1: a: open"},
		"no text":                  {"fault a\nfile sum.go\ntest T .\n", "areas.txt:1: a lacks a file, a text to replace or a test"},
		"no test":                  {"fault a\nfile sum.go\n- return a + b\n+ x\n", "areas.txt:1: a lacks"},
		"no package":               {"fault a\nfile sum.go\n- return a + b\n+ x\ntest T\n", "areas.txt:5: want: test PATTERN PACKAGES"},
		"no change":                {"fault a\nfile sum.go\n- return a + b\n+ return a + b\ntest T .\n", "areas.txt:1: a changes nothing"},
		"twice":                    {caughtFault + caughtFault, "areas.txt:6: subtracts is also the name of that in"},
		"unknown word":             {"fault a\nfil sum.go\n", `areas.txt:2: "fil" is none of`},
		"word alone":               {"fault a\nfile\n", "areas.txt:2: file of what?"},
		"nothing":                  {"# no fault\n", "no such fault"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(context.Background(), tiny(t, test.list), "", "", 1, false, &strings.Builder{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
}

// A test before the first fault is that of all that have none.
func TestUsualTest(t *testing.T) {
	faults, err := readList("a/gen.txt", "test ^TestAll .\nkernel 7.3\n\nfault a\nfile f\n- x\n+ y\n\nfault b\nfile f\n- x\n+ y\ntest ^TestOne ./b ./c\ngoarch 386\n")
	if err != nil || len(faults) != 2 {
		t.Fatalf("got %+v, %v, want two faults", faults, err)
	}
	for i, want := range []suite{{"^TestAll", []string{"."}, "", "7.3"}, {"^TestOne", []string{"./b", "./c"}, "386", ""}} {
		if got := faults[i]; !got.suite.equal(want) || got.area != "gen" || got.what != "x" || got.instead != "y" {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// Who interrupts it is told so, and nothing is tried.
func TestCancelledRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, tiny(t, caughtFault), "", "", 1, false, &strings.Builder{}); err != context.Canceled {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

// The list of this module can be read, and says where everything is.
func TestTheList(t *testing.T) {
	faults, err := readLists("../../testdata/mutants")
	if err != nil {
		t.Fatal(err)
	}
	if err := checkTexts("../..", faults); err != nil {
		t.Error(err)
	}
	if len(faults) < 120 {
		t.Errorf("there are %d faults, want 120 at least", len(faults))
	}
	areas := map[string]bool{}
	explained := 0
	for _, f := range faults {
		areas[f.area] = true
		if f.why != "" {
			explained++
		}
	}
	for _, area := range []string{"gen", "uapi", "scripts", "child", "parent", "pidfd", "exec", "program"} {
		if !areas[area] {
			t.Errorf("there is no fault of %s", area)
		}
	}
	if explained*100 > (100-enough)*len(faults) {
		t.Errorf("%d of %d faults are said to survive: too many", explained, len(faults))
	}
}
