package kernel

import (
	"bytes"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"golang.org/x/tools/txtar"
)

var testSymbols = map[string]bool{"__KERNEL__": false, "HERE": true}

func TestCutConditionals(t *testing.T) {
	a, err := txtar.ParseFile(gentest.Testdata(t, "unifdef.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		name, ok := strings.CutSuffix(f.Name, "/in")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			out, err := cutConditionals("odd.h", f.Data, testSymbols)
			if err != nil {
				out = []byte(err.Error() + "\n")
			}
			if isError := err != nil; isError != strings.HasPrefix(name, "error: ") {
				t.Errorf("got error %v", err)
			}
			gentest.Golden(t, "unifdef.txtar", name+"/out", out)
		})
	}
}

func TestConditionIsBounded(t *testing.T) {
	for _, deep := range []string{strings.Repeat("(", 1e6), strings.Repeat("!", 1e6) + "HERE"} {
		in := "#if " + deep + "\nkept\n#endif\n#ifdef HERE\n#endif\n"
		out, err := cutConditionals("odd.h", []byte(in), testSymbols)
		if err != nil || !bytes.Contains(out, []byte("kept")) {
			t.Errorf("%.20s...: got %d bytes, %v; want the condition left alone", in, len(out), err)
		}
	}
}

// survivors is what a preprocessor sees of a file: its lines other than
// conditionals, in the branches that are chosen. Conditions that symbols do
// not decide are decided by their spelling.
func survivors(data []byte, symbols map[string]bool) string {
	type group struct{ outer, chosen bool }
	var groups []group
	var out strings.Builder
	var scan lineScanner
	on := true
	for line := range bytes.Lines(data) {
		d := scan.next(line)
		value, known := d.condition(symbols)
		if !known {
			h := fnv.New32()
			h.Write([]byte(d.rest))
			value = h.Sum32()%2 == 0
			if d.keyword == "ifndef" {
				value = !value
			}
		}
		switch d.keyword {
		case "":
			if on {
				out.Write(line)
			}
		case "if", "ifdef", "ifndef":
			groups = append(groups, group{on, value})
			on = on && value
		case "elif", "else":
			g := &groups[len(groups)-1]
			on = g.outer && !g.chosen && value
			g.chosen = g.chosen || value
		case "endif":
			on = groups[len(groups)-1].outer
			groups = groups[:len(groups)-1]
		}
	}
	return out.String()
}

// FuzzHeadersInstall checks that cutting conditionals never changes what a
// preprocessor sees, that it only ever deletes lines, and that there is
// nothing to cut in what was cut.
func FuzzHeadersInstall(f *testing.F) {
	for _, archive := range []string{"unifdef.txtar", "source.txtar"} {
		a, err := txtar.ParseFile(gentest.Testdata(f, archive))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			f.Add(file.Data)
		}
	}
	rule, err := parseSedRule(`s@#(ifndef|define|endif[[:space:]]*/[*])[[:space:]]*_UAPI@#\1 @`)
	if err != nil {
		f.Fatal(err)
	}
	in := installer{rules: []sedRule{rule}, symbols: testSymbols}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := in.install("odd.h", data); err != nil && !strings.HasPrefix(err.Error(), "odd.h:") {
			t.Errorf("the error does not say where: %v", err)
		}
		out, err := cutConditionals("odd.h", data, testSymbols)
		if err != nil {
			return
		}
		if got, was := bytes.Count(out, []byte("\n")), bytes.Count(data, []byte("\n")); got > was {
			t.Errorf("%d lines became %d", was, got)
		}
		if !mentions(data, testSymbols) {
			return // left alone, balanced or not
		}
		if got, want := survivors(out, testSymbols), survivors(data, testSymbols); got != want {
			t.Errorf("a preprocessor sees %q, want %q", got, want)
		}
		again, err := cutConditionals("odd.h", out, testSymbols)
		if err != nil || !bytes.Equal(again, out) {
			t.Errorf("cut twice: %q, %v; want %q", again, err, out)
		}
	})
}
