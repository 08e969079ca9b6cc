package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
)

func TestReport(t *testing.T) {
	at := func(line int) Pos { return Pos{"linux/tool.h", line} }
	g := Group{"tool", []Header{
		{Path: "linux/tool.h", Prefixes: []string{"TOOL_", "SAW_", "NAIL_"}},
		{Path: "asm/tool.h", Names: []string{"HAMMER", "TOOL_A", "TOOL_INIT"}},
	}}
	r := reading{version: "7.3.4", arches: []string{"amd64", "arm", "mips"}}
	for _, arch := range r.arches {
		u := Unit{Arch: arch, Group: g,
			Consts:  []Const{intConst("TOOL_A", 1, at(3)), intConst("TOOL_X", 1, Pos{"asm/tool_64.h", 1})},
			Structs: []Struct{{Name: "struct saw_blade", Pos: at(5)}},
			Skips: []Skip{
				{"TOOL_H", skipEmpty, at(1)}, {"TOOL", skipFunctionLike, at(6)}, {"TOOL2", skipFunctionLike, at(7)},
				{"TOOL_INIT", "a brace initialiser", at(8)},
			},
		}
		if arch == "mips" {
			u.Consts = append(u.Consts, intConst("HAMMER", 2, Pos{"asm-generic/tool.h", 4}))
			u.Skips = append(u.Skips, Skip{"TOOL_MIPS", "no value", at(9)})
		}
		r.units = append(r.units, u)
		r.lacks.add("linux/old.h: Linux 7.3.4 has no such header", arch)
	}
	r.fails.add("linux/bad.h:3: unknown type", "arm")
	var got bytes.Buffer
	printReport(&got, r)
	golden(t, "report.txtar", "report.txt", got.Bytes())
}

func TestRemarksSayThingsOnce(t *testing.T) {
	all := []string{"386", "amd64", "arm"}
	var r remarks
	for _, arch := range all {
		r.addError(errors.Join(errors.New("a.h:1: bad"), fmt.Errorf("%w, then %w", errors.New("one"), errors.New("other"))), arch)
	}
	r.addError(errors.Join(errors.New("b.h:2: worse"), errors.Join(errors.New("c.h:3: worst"))), "arm")
	r.addError(nil, "arm")
	r.add("d.h:4: wrong", "386")
	r.add("d.h:4: wrong", "amd64")
	const want = `a.h:1: bad (all architectures)
one, then other (all architectures)
b.h:2: worse (on arm)
c.h:3: worst (on arm)
d.h:4: wrong (on all but arm)`
	if got := r.asError(all); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
}

func TestRemarksOfOneArchitectureDoNotNameIt(t *testing.T) {
	var r remarks
	r.add("a.h:1: bad", "arm")
	if got := r.asError([]string{"arm"}).Error(); got != "a.h:1: bad" {
		t.Errorf("got %q", got)
	}
	if err := (remarks{}).asError([]string{"arm"}); err != nil {
		t.Errorf("without remarks: got error %v", err)
	}
}

func TestErrorsAreCapped(t *testing.T) {
	var lines []string
	for i := range maxRemarks + 2 {
		lines = append(lines, fmt.Sprint("line ", i))
	}
	got := joinLines(lines).Error()
	if want := joinLines(lines[:maxRemarks]).Error() + "\nand 2 errors more"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestProgressIsForTerminals draws to a buffer that stands for a terminal, and
// nothing to a pipe.
func TestProgressIsForTerminals(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if isTerminal(w) || isTerminal(new(bytes.Buffer)) {
		t.Error("a pipe or a buffer is taken for a terminal")
	}
	var screen bytes.Buffer
	p := &progress{w: &screen, total: 3}
	p.step("linux/sched.h for arm64") // the first one is long after the zero time
	p.step("linux/sched.h for arm")   // too soon
	p.drawn = p.drawn.Add(-redraw)
	p.step("linux/wait.h for arm")
	p.clear()
	p.clear()
	const want = "\r1 of 3: linux/sched.h for arm64" + "\r3 of 3: linux/wait.h for arm   " + "\r                            \r"
	if screen.String() != want {
		t.Errorf("got  %q\nwant %q", screen.String(), want)
	}
}
