package golang

import (
	"bytes"
	"testing"

	"github.com/dave/jennifer/jen"
)

// What a header says does not end the comment that it comes to stand in.
func TestCommentIsOneLine(t *testing.T) {
	f := jen.NewFile("p")
	f.Add(comment("%s", "a\nfunc init() {}\r\n  b"))
	var b bytes.Buffer
	if err := f.Render(&b); err != nil {
		t.Fatal(err)
	}
	if want := "package p\n\n// a func init() {} b\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
