package c

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-clone3/clone3/gen/internal/gentest"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// commentsIn lists what comments say of the names of a header, and what stands
// above them.
func commentsIn(t testing.TB, header string) string {
	t.Helper()
	inc := fstest.MapFS{"tool.h": &fstest.MapFile{Data: []byte(header)}}
	u, err := Parse(inc, archOf(t, "amd64"), model.Group{Name: "test", Headers: []model.Header{{Path: "tool.h"}}, Comments: true})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	u.EachWords(func(name string, w *model.Words) {
		if w.Above != "" {
			fmt.Fprintf(&b, "above %s: %q\n", name, w.Above)
		}
		if w.Doc != "" {
			fmt.Fprintf(&b, "%s: %q\n", name, w.Doc)
		}
	})
	return b.String() + "licence: " + u.Licences["tool.h"] + "\n"
}

func TestComments(t *testing.T) {
	a := gentest.Archive(t, "comments.txtar")
	gentest.Golden(t, "comments.txtar", "want", []byte(commentsIn(t, string(a.Files[0].Data))))
}

// What comments say must not depend on the machine, nor change what is declared.
func TestCommentsChangeNothingElse(t *testing.T) {
	a := gentest.Archive(t, "comments.txtar")
	for _, goarch := range []string{"amd64", "mips"} {
		var units []model.Unit
		for _, comments := range []bool{false, true} {
			g := model.Group{Name: "test", Headers: []model.Header{{Path: "tool.h"}}, Comments: comments}
			u, err := Parse(headersIn(a), archOf(t, goarch), g)
			if err != nil {
				t.Fatal(err)
			}
			units = append(units, u)
		}
		if got, want := dumpUnit(units[1]), dumpUnit(units[0]); got != want {
			t.Errorf("%s: with comments the header declares\n%swithout\n%s", goarch, got, want)
		}
		units[1].EachWords(func(name string, w *model.Words) { *w = model.Words{} })
		if got, want := units[1].Structs, units[0].Structs; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the structs differ", goarch)
		}
	}
}

// FuzzComments reads comments out of anything. What is left is as long as it was,
// and every word of a comment comes from the header.
func FuzzComments(f *testing.F) {
	a := gentest.Archive(f, "comments.txtar")
	f.Add(string(a.Files[0].Data))
	for _, s := range []string{"/*", "//", "/**/", "/* a \\\n*/ #define X", "'", "\"/*", "// \\\n x", "/** @a: x", "/**\n * struct x - y\n * @a: z\n */", "#define X /* a\n */ 1 // b", "\t/*\t*/\t//", "a /*/ b */"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c := readComments([]byte(header))
		if want := strings.Count(header, "\n") + 2; len(c.code) != want {
			t.Fatalf("%d lines of code, want %d", len(c.code), want)
		}
		for _, k := range c.comments {
			if k.from < 1 || k.to < k.from || k.to >= len(c.code) {
				t.Fatalf("a comment on lines %d to %d of %d", k.from, k.to, len(c.code)-1)
			}
			for line := range strings.SplitSeq(k.text, "\n") {
				if !strings.Contains(header, line) {
					t.Fatalf("%q is not in the header", line)
				}
			}
			readKernelDoc(k.text)
		}
		for line := range len(c.code) + 1 {
			for _, macro := range []bool{false, true} {
				if line > 0 && line < len(c.code) {
					c.words(declaration{name: "a", from: line, to: line, opens: ";{", closes: ";", macro: macro})
				}
			}
			c.aboveType("struct x", "struct", line)
		}
	})
}
