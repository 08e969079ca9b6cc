package main

import (
	"bytes"
	"go/constant"
	"os"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"github.com/go-clone3/clone3/gen/internal/model"
)

func number(name string, value int64, at model.Pos) model.Const {
	return model.Const{Name: name, Value: constant.MakeInt64(value), Type: "int", Base: model.Hex, Pos: at}
}

func TestReport(t *testing.T) {
	at := func(line int) model.Pos { return model.Pos{File: "linux/tool.h", Line: line} }
	g := model.Group{Name: "tool", Headers: []model.Header{
		{Path: "linux/tool.h", Prefixes: []string{"TOOL_", "SAW_", "NAIL_"}},
		{Path: "asm/tool.h", Names: []string{"HAMMER", "TOOL_A", "TOOL_INIT"}},
	}}
	r := reading{version: "7.3.4", arches: []string{"amd64", "arm", "mips"}}
	for _, arch := range r.arches {
		u := model.Unit{Arch: arch, Group: g,
			Consts:  []model.Const{number("TOOL_A", 1, at(3)), number("TOOL_X", 1, model.Pos{File: "asm/tool_64.h", Line: 1})},
			Structs: []model.Struct{{Name: "struct saw_blade", Pos: at(5)}},
			Skips: []model.Skip{
				{Name: "TOOL_H", Reason: model.SkipEmpty, Pos: at(1)}, {Name: "TOOL", Reason: model.SkipFunctionLike, Pos: at(6)}, {Name: "TOOL2", Reason: model.SkipFunctionLike, Pos: at(7)},
				{Name: "TOOL_INIT", Reason: "a brace initialiser", Pos: at(8)},
			},
		}
		if arch == "mips" {
			u.Consts = append(u.Consts, number("HAMMER", 2, model.Pos{File: "asm-generic/tool.h", Line: 4}))
			u.Skips = append(u.Skips, model.Skip{Name: "TOOL_MIPS", Reason: "no value", Pos: at(9)})
		}
		r.units = append(r.units, u)
		r.lacks.Add("linux/old.h: Linux 7.3.4 has no such header", arch)
	}
	r.fails.Add("linux/bad.h:3: unknown type", "arm")
	var got bytes.Buffer
	printReport(&got, r, nil, nil)
	gentest.Golden(t, "report.txtar", "report.txt", got.Bytes())
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
