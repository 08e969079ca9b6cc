// Figures measures this module beside its peers, keeps what came of it in
// testdata/figures, and draws the pictures there.
//
//	make bench-report     measures, writes figures.json and the pictures
//	make bench-compare    measures, and compares with the figures that are kept
//
// It is a module of its own, so that who imports the other does not get what it
// draws with. With -draw it measures nothing, and draws the figures that are kept.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	repo := flag.String("repo", "../..", "the `directory` of the module that is measured")
	compare := flag.Bool("compare", false, "write nothing, and compare with the figures that are kept")
	redraw := flag.Bool("draw", false, "measure nothing, and draw the figures that are kept")
	flag.Parse()
	if err := run(*repo, *compare, *redraw); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func run(repo string, compareOnly, redraw bool) error {
	dir := filepath.Join(repo, "testdata", "figures")
	kept, err := read(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || err != nil && redraw {
		return err
	}
	f := kept
	if !redraw {
		if f, err = measure(repo); err != nil {
			return err
		}
		fmt.Print(f.text())
		for _, w := range warnings(kept, f) {
			fmt.Println("warning:", w)
		}
		if compareOnly {
			return nil
		}
	}
	files, err := f.files()
	if err != nil {
		return err
	}
	return replace(dir, files)
}
