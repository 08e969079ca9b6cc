package main

import (
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// The types and permissions of files, as cpio stores them.
const (
	modeDir     = 0o040755
	modeFile    = 0o100755
	modeConsole = 0o020600 // a character device
)

// WriteInitramfs writes an archive that the kernel unpacks into its first
// file system: the files, which are all executable, the directories above
// them and /dev/console.
func WriteInitramfs(w io.Writer, files map[string][]byte) error {
	dirs := map[string]bool{"dev": true}
	for name := range files {
		for d := path.Dir(name); d != "."; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	a := archive{w: w}
	a.entry(".", modeDir, 0, 0, nil)                     // or everybody may write there
	for _, dir := range slices.Sorted(maps.Keys(dirs)) { // parents first
		a.entry(dir, modeDir, 0, 0, nil)
	}
	a.entry("dev/console", modeConsole, 5, 1, nil)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		a.entry(name, modeFile, 0, 0, files[name])
	}
	a.entry("TRAILER!!!", 0, 0, 0, nil)
	return a.err
}

// An archive is a cpio archive in the format "newc".
type archive struct {
	w     io.Writer
	inode int
	err   error
}

func (a *archive) entry(name string, mode, major, minor int, data []byte) {
	a.inode++
	fields := []int{a.inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name) + 1, 0}
	var h strings.Builder
	h.WriteString("070701")
	for _, f := range fields {
		fmt.Fprintf(&h, "%08X", f)
	}
	h.WriteString(name + "\x00")
	a.write([]byte(h.String()))
	a.write(data)
}

// write writes data and fills up to a multiple of four bytes.
func (a *archive) write(data []byte) {
	for _, b := range [][]byte{data, make([]byte, -len(data)&3)} {
		if a.err == nil {
			_, a.err = a.w.Write(b)
		}
	}
}
