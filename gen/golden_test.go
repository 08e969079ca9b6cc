package main

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

// golden compares got with the file of that name in an archive under
// testdata, or with -update puts it there.
func golden(t *testing.T, archive, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "testdata", archive)
	a, err := txtar.ParseFile(path)
	if *update && errors.Is(err, fs.ErrNotExist) {
		a, err = &txtar.Archive{}, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name })
	if *update {
		if i < 0 {
			i = len(a.Files)
			a.Files = append(a.Files, txtar.File{Name: name})
		}
		a.Files[i].Data = got
		if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 {
		t.Fatalf("%s holds no file %s; run the test with -update", path, name)
	}
	if d := diff.Diff(path+":"+name, a.Files[i].Data, "got", got); d != nil {
		t.Errorf("the output changed; look at it, then run the test with -update\n%s", d)
	}
}
