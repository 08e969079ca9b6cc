package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An installedTree is an include directory with the headers of one port or
// more.
type installedTree struct {
	include string // the directory that has linux/
	version kernelVersion
	asm     map[string]string // port to the directory with its asm headers
	mixed   bool              // the headers of the C library are here as well
}

// kernelDirs are the directories of kernel headers next to which those of the
// C library and others lie in /usr/include.
var kernelDirs = []string{
	"asm", "asm-generic", "cxl", "drm", "fwctl", "linux", "misc", "mtd",
	"rdma", "regulator", "scsi", "sound", "video", "xen",
}

// openInstalled opens an include directory. Where the asm headers are differs:
// in asm/ for a single port, in TRIPLET/asm for one or more, or aside in
// lib/linux/uapi/PORT/asm for all of them. Which port they are of is told by
// their content alone.
func openInstalled(include string) (*installedTree, error) {
	data, err := os.ReadFile(filepath.Join(include, "linux/version.h"))
	if err != nil {
		return nil, err
	}
	version, err := headerVersion(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", include, err)
	}
	t := &installedTree{include: include, version: version, asm: map[string]string{}}
	t.mixed = exists(os.DirFS(include), "stdio.h")
	abs, err := filepath.Abs(include)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, pattern := range []string{
		filepath.Join(filepath.Dir(abs), "lib/linux/uapi/*/asm"),
		filepath.Join(include, "*-linux-*/asm"),
		filepath.Join(include, "asm"),
	} {
		found, _ := filepath.Glob(pattern) // fails on a bad pattern alone
		dirs = append(dirs, found...)
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("%s: linux/ is here, but no asm/, nor any TRIPLET/asm; install the headers of an architecture with `make headers_install ARCH=...`", include)
	}
	for _, dir := range dirs {
		port, err := portOf(dir)
		if err != nil {
			return nil, err
		}
		if _, ok := t.asm[port]; !ok && port != "" {
			t.asm[port] = dir
		}
	}
	if len(t.asm) == 0 {
		return nil, fmt.Errorf("%s: no asm headers of a known architecture; looked in %s for %s", include, strings.Join(dirs, ", "), marks())
	}
	return t, nil
}

// portOf tells which port the headers in an asm directory are of, or "" if it
// is one without a GOARCH.
func portOf(dir string) (string, error) {
	var found []string
	for _, p := range ports {
		data, err := os.ReadFile(filepath.Join(dir, p.Mark))
		if err == nil && bytes.Contains(data, []byte(p.MarkText)) {
			found = append(found, p.Name)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s: these headers are of more than one architecture: %s", dir, strings.Join(found, ", "))
}

// marks lists what portOf looks for.
func marks() string {
	var list []string
	for _, p := range ports {
		list = append(list, fmt.Sprintf("%s (%s)", p.Mark, p.Name))
	}
	return strings.Join(list, ", ")
}

func (t *installedTree) check(a Arch) error {
	if t.asm[a.Kernel] != "" {
		return nil
	}
	var have []string
	for _, a := range arches {
		if t.asm[a.Kernel] != "" {
			have = append(have, a.GOARCH)
		}
	}
	return fmt.Errorf("no headers for %s, only for %s; install them elsewhere with `make headers_install ARCH=%s`, or give a kernel source tree, which has all architectures",
		a.GOARCH, strings.Join(have, ", "), a.Kernel)
}

func (t *installedTree) read(port, name string) ([]byte, error) {
	dir, below, _ := strings.Cut(name, "/")
	if t.mixed && !slices.Contains(kernelDirs, dir) {
		return nil, fs.ErrNotExist
	}
	if dir == "asm" {
		return os.ReadFile(filepath.Join(t.asm[port], below))
	}
	return os.ReadFile(filepath.Join(t.include, name))
}

func (t *installedTree) names(port string) ([]string, error) {
	names, err := headersBelow(os.DirFS(t.asm[port]), ".", "asm/")
	if err != nil {
		return nil, err
	}
	include := os.DirFS(t.include)
	dirs, err := fs.ReadDir(include, ".")
	if err != nil {
		return nil, err
	}
	for _, d := range dirs {
		if !d.IsDir() || d.Name() == "asm" || strings.Contains(d.Name(), "-linux-") || t.mixed && !slices.Contains(kernelDirs, d.Name()) {
			continue
		}
		below, err := headersBelow(include, d.Name(), d.Name()+"/")
		if err != nil {
			return nil, err
		}
		names = append(names, below...)
	}
	return names, nil
}
