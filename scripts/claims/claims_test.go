package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	text := "# Never a heading\n\nOne line\nand [another](x).\n\n```go\nnever()\n```\n\n    never code\n\n- an item\n  of two lines\n- and one\n\n" +
		"| a | `b \\| c` |\n|---|---|\n<!-- never\nhere -->\n<img alt=\"never\">\nlast"
	want := []string{"One line and another.", "an item of two lines", "and one", "a", "`b \\| c`", "---|---", "last"}
	if got := markdown(text); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestComments(t *testing.T) {
	text := "Package p is one.\nOf two lines.\n\n\tnever code\n\n# Heading\n\nText of [Link].\n\n  - an item\n    of two\n"
	want := []string{"Package p is one. Of two lines.", "Text of [Link].", "an item of two"}
	for i, p := range comments(text) {
		if got := strings.Join(strings.Fields(p), " "); got != want[i] {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
}

func TestSentences(t *testing.T) {
	got := sentences("It takes 5 us (see `x`.) On Linux 5.4 it does. [Link] never. os/exec goes on.\nAnd \"Quoted\".")
	want := []string{"It takes 5 us (see `x`.)", "On Linux 5.4 it does.", "[Link] never. os/exec goes on.", `And "Quoted".`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// What is a promise, and what is not.
func TestPromises(t *testing.T) {
	for sentence, want := range map[string]bool{
		"It takes 5 us.":                       true,
		"It takes 1.10 to 1.16 times as long.": true,
		"A 20-minute run.":                     true,
		"5,000 children are waited for.":       true,
		"96.6 % are equal.":                    true,
		"It never weakens.":                    true,
		"No zombie is left.":                   true,
		"It is always so.":                     true,
		"It needs Linux 7.1.":                  false,
		"Package exec runs commands.":          false,
		"It has a field for each.":             false,
		"The neverending story.":               false,
	} {
		if got := len(promises("x", []string{sentence})) == 1; got != want {
			t.Errorf("%q: a promise: %t, want %t", sentence, got, want)
		}
	}
}

// A sentence without a test, a test that is none, and a sentence that is gone fail.
func TestCompare(t *testing.T) {
	shown, err := readShown("# a comment\nTestA make:b\n\tIt never fails.\n\n\tIt is\talways so.\nTestGone\n\tIt never ends.\nTestA\n\tThis is gone.\n")
	if err != nil {
		t.Fatal(err)
	}
	claims := []claim{{"x", "It never fails."}, {"x", "It is always so."}, {"x", "It never ends."}, {"y", "It cannot be."}}
	got, open := compare(claims, shown, map[string]bool{"TestA": true, "make:b": true})
	want := []string{
		"no document says, or it is no promise: This is gone.",
		"there is no TestGone, to show: It never ends.",
		"y promises what no test is named for: It cannot be.",
	}
	if !slices.Equal(got, want) || len(open) != 1 || open[0] != claims[3] {
		t.Errorf("got %q, %v", got, open)
	}
	for _, bad := range []string{"\tno test.\n", "TestA\n\tTwice.\n\tTwice.\n"} {
		if _, err := readShown(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}

// Tests of this package are found, and targets of make.
func TestEvidence(t *testing.T) {
	got, err := evidence("../..")
	if err != nil || !got["TestEvidence"] || !got["BenchmarkSpawn"] || !got["ExampleClone3"] || !got["make:oracle"] || got["make:@if"] || got["TestOfNothing"] {
		t.Errorf("%d, %v", len(got), err)
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	text := `[a](here.md) [b](gone.md#x) [c](https://x.invalid) [d](#e) <img src="gone.svg">`
	for name, text := range map[string]string{"README.md": text, "here.md": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := links(dir, "README.md")
	if err != nil || len(got) != 2 || !strings.Contains(got[0], "gone.md") || !strings.Contains(got[1], "gone.svg") {
		t.Errorf("%q, %v", got, err)
	}
}

// A guide is shown as a whole file, and is executed.
func TestGuidesAreWholeFiles(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	guides := 0
	for _, m := range link.FindAllStringSubmatch(string(text), -1) {
		name := filepath.Base(m[2])
		if !strings.HasPrefix(name, "example_") || name == "example_test.go" {
			continue
		}
		guides++
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", m[2]), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		examples := doc.Examples(f)
		if len(examples) != 1 {
			t.Errorf("%s has %d examples, want 1", m[2], len(examples))
			continue
		}
		// Of a whole file Code is the file.
		if _, whole := examples[0].Code.(*ast.File); !whole || examples[0].Output == "" || examples[0].Doc == "" {
			t.Errorf("%s: whole: %t, output %q, comment %q", m[2], whole, examples[0].Output, examples[0].Doc)
		}
	}
	if guides < 10 {
		t.Errorf("the README has %d guides", guides)
	}
}
