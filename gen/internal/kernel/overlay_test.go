package kernel

import (
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"
)

// The headers of other directories come before those of the kernel, and of those
// beside the kernel's only what is named is read.
func TestHeadersOfOthers(t *testing.T) {
	files := maps.Clone(installedFiles)
	maps.Copy(files, map[string]string{
		"stdio.h": "", "sys/types.h": "", "tool.h": "1", "tool/in.h": "2", "other/x.h": "3", "other.h": "4",
	})
	tree := mustOpenTree(t, gentest.Folder(t, files))
	more := gentest.Folder(t, map[string]string{"linux/odd.h": "mine", "own/own.h": "own"})
	with, err := tree.With([]string{more}, []string{"tool.h", "sys/types.h"})
	if err != nil {
		t.Fatal(err)
	}
	a := mustArch(t, "amd64")
	for name, want := range map[string]string{
		"linux/odd.h": "mine", "own/own.h": "own", "tool.h": "1", "tool/in.h": "2", "linux/version.h": files["linux/version.h"],
		"other.h": "", "other/x.h": "", "sys/types.h": "", "stdio.h": "",
	} {
		includes, err := with.Includes(a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fs.ReadFile(includes, name)
		if string(got) != want || (want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	names, err := with.Headers("...", a)
	if err != nil {
		t.Fatal(err)
	}
	const want = "asm/vm86.h linux/odd.h linux/version.h own/own.h tool.h tool/in.h"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	includes, err := tree.Includes(a)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := fs.ReadFile(includes, "linux/odd.h"); string(got) != files["linux/odd.h"] {
		t.Errorf("the tree itself has changed: %q, %v", got, err)
	}
}
