//go:build linux

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	b, err := os.ReadFile("../../testdata/adopters.txt")
	if err != nil {
		t.Fatal(err)
	}
	adopters, err := parse(string(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(adopters) < 10 {
		t.Errorf("there are %d adopters", len(adopters))
	}
	programs := map[string]bool{}
	for _, a := range adopters {
		if _, err := os.Stat(filepath.Join("../../testdata/adopters", a.program)); err != nil {
			t.Errorf("%s: %v", a.module, err)
		}
		programs[a.program] = true
	}
	there, err := os.ReadDir("../../testdata/adopters")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range there {
		if !programs[e.Name()] {
			t.Errorf("%s: no adopter has this program", e.Name())
		}
	}
}

// A table of other versions than those of the list would be of something else.
func TestTheTableIsOfTheList(t *testing.T) {
	list, err := os.ReadFile("../../testdata/adopters.txt")
	if err != nil {
		t.Fatal(err)
	}
	adopters, err := parse(string(list))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../../testdata/adopters.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for _, a := range adopters {
		if lines[a.module] = a.kept(string(b)); lines[a.module] == "" {
			t.Errorf("%s %s is not in it", a.module, a.version)
		}
	}
	if got := table(adopters, lines); got != string(b) {
		t.Errorf("it has something else, too: got\n%s", b)
	}
}

const whole = "module a v1\nwhat x y\nwants z\npackages . ./b\nproof crash a.go\n"

func TestParse(t *testing.T) {
	got, err := parse(whole + "# why\nasked o/r#1\nswap x.go\nflags -short\nedit x.go instead\n|\tone\n|\ttwo\n>\tthree\n")
	want := []adopter{{module: "a", version: "v1", what: "x y", wants: "z", packages: []string{".", "./b"}, proof: "crash", program: "a.go",
		asked: []string{"o/r#1"}, swap: []string{"x.go"}, flags: []string{"-short"},
		edits: []edit{{"x.go", "instead", "\tone\n\ttwo\n", "\tthree\n"}}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for list, want := range map[string]string{
		"module a":                              "line 1: module wants",
		"what x":                                "line 1: what before any module",
		"module a v1\n| x":                      "line 2: text before any edit",
		whole + "edit x.go":                     "edit wants a file",
		whole + "edit x.go beside":              "edit wants a file",
		whole + "edit x.go after\n| x":          "an edit of x.go without text",
		whole + "proof magic a.go":              "cancel, crash, threads",
		whole + "wish x":                        "what is wish?",
		"module a v1":                           "a: no ",
		strings.Replace(whole, "wants", "#", 1): "a: no wants",
	} {
		if _, err := parse(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", list, err, want)
		}
	}
}

func TestRewrite(t *testing.T) {
	const src = "package p\n\nimport (\n\t\"os/exec\"\n)\n\nfunc f() {\n\tc := exec.Command(\"x\")\n\tc.Start()\n}\n"
	before, after := t.TempDir(), t.TempDir()
	for _, dir := range []string{before, after} {
		for _, name := range []string{"p.go", "p_test.go", "q.go"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := adopter{swap: []string{"p.go", "p_test.go"}, edits: []edit{{"p.go", "before", "\tc.Start()\n", "\tc.Flags = linux.AutoKill\n"}}}
	if err := a.rewrite(after); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(after, "p.go"))
	want := "package p\n\nimport (\n\t\"github.com/go-clone3/clone3/linux\"\n\t\"github.com/go-clone3/clone3/linux/exec\"\n)\n\n" +
		"func f() {\n\tc := exec.Command(\"x\")\n\tc.Flags = linux.AutoKill\n\tc.Start()\n}\n"
	if err != nil || string(b) != want {
		t.Errorf("got %q, %v", b, err)
	}
	if code, tests, err := size(before, after); code != 3 || tests != 1 || err != nil {
		t.Errorf("got %d + %d lines, %v, want 3 + 1", code, tests, err)
	}
	if err := a.rewrite(after); err == nil {
		t.Error("a file that does not import os/exec is swapped")
	}
}

func TestAnEditFitsOnePlace(t *testing.T) {
	e := edit{"f", "after", "a\n", "b\n"}
	for src, want := range map[string]string{"a\nc\n": "a\nb\nc\n", "c\n": "", "a\na\n": ""} {
		got, err := e.apply([]byte(src))
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", src, got, err)
		}
	}
	e.text = "linux.AutoKill\n"
	if _, err := e.apply([]byte("a\n")); err == nil {
		t.Error("linux is used, and not imported")
	}
}

func TestAProofHasAControl(t *testing.T) {
	for _, test := range []struct {
		kind          string
		before, after int
		want          bool
	}{
		{"crash", 3, 0, true}, {"crash", 0, 0, false}, {"crash", 3, 1, false},
		{"cancel", 1, 0, true}, {"cancel", 0, 0, false},
		{"threads", 54, 18, true}, {"threads", 18, 18, false}, {"threads", 54, 54, false},
	} {
		if got := kinds[test.kind].better(test.before, test.after); got != test.want {
			t.Errorf("%s, %d before, %d after: got %v", test.kind, test.before, test.after, got)
		}
	}
}

// What is counted are the processes of programs that leave them, or do not.
func TestProve(t *testing.T) {
	for _, test := range []struct {
		name, kind, program string
		want                int
	}{
		{"leaves all", "crash", `sh -c "$PROOF_SCRIPT" & wait`, 3},
		{"takes all along", "cancel", `sh -c "$PROOF_SCRIPT" & read x
n=${PROOF_SCRIPT#sleep }
n=${n%% *}
case $n in 86400.?*) ;; *) exit 1 ;; esac
for p in /proc/[0-9]*; do
	tr '\0' ' ' <$p/cmdline 2>/dev/null | grep -qxF "sleep $n " && kill ${p#/proc/}
done
read x`, 0},
		{"takes the first along", "cancel", `sh -c "$PROOF_SCRIPT" & read x; kill $!; read x`, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bin := filepath.Join(t.TempDir(), "program")
			if err := os.WriteFile(bin, []byte("#!/bin/sh\n"+test.program+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			if got, err := prove(bin, test.kind); err != nil || got != test.want {
				t.Errorf("got %d, %v, want %d", got, err, test.want)
			}
		})
	}
}
