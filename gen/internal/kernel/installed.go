package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// An installedTree is an include directory with the headers of one port or
// more.
type installedTree struct {
	given   string // the directory as the user named it
	dir     folder // the one in or at it that has linux/
	version kernelVersion
	asm     map[string]folder // by port
	mixed   bool              // the headers of the C library are here as well
	others  []string          // top-level names beside the kernel's that may be read
}

// kernelDirs are the directories of kernel headers next to which those of the
// C library and others lie in /usr/include.
var kernelDirs = []string{
	"asm", "asm-generic", "cxl", "drm", "fwctl", "linux", "misc", "mtd",
	"rdma", "regulator", "scsi", "sound", "video", "xen",
}

// openInstalled opens an include directory. Where its asm headers are differs:
// in asm/ for a single port, in TRIPLET/asm for one or more, or aside in
// lib/linux/uapi/PORT/asm for all of them. Which port they are of is told by
// their content alone.
func openInstalled(given string, include folder) (*installedTree, error) {
	data, err := include.read("linux/version.h")
	if err != nil {
		return nil, err
	}
	version, err := headerVersion(include.path("linux/version.h"), data)
	if err != nil {
		return nil, err
	}
	t := &installedTree{given: given, dir: include, version: version, asm: map[string]folder{}, mixed: include.has("stdio.h")}
	dirs := slices.Concat(include.parent().glob("lib/linux/uapi/*/asm"), include.glob("*-linux-*/asm"), include.glob("asm"))
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
		return nil, fmt.Errorf("%s: no asm headers of a known architecture: looked in asm/ or TRIPLET/asm for %s", include, marks())
	}
	return t, nil
}

// portOf tells which port the headers in an asm directory are of, or "" if it
// is one without a GOARCH.
func portOf(dir folder) (string, error) {
	var found []string
	for _, p := range ports {
		data, err := dir.read(p.Mark)
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

func (t *installedTree) check(a model.Arch) error {
	if t.asm[a.Kernel] != "" {
		return nil
	}
	var have []string
	for _, a := range model.Arches {
		if t.asm[a.Kernel] != "" {
			have = append(have, a.GOARCH)
		}
	}
	// The same for all architectures that are not here, so that it is said once.
	return fmt.Errorf("%s: there are headers for %s only; choose these with -arch, or give a kernel source tree, which has all architectures",
		t.given, strings.Join(have, ", "))
}

// owns tells whether a directory is the kernel's.
func (t *installedTree) owns(dir string) bool {
	return !t.mixed || slices.Contains(kernelDirs, dir) || t.beside(dir)
}

func (t *installedTree) read(port, name string) ([]byte, error) {
	dir, below, _ := strings.Cut(name, "/")
	switch {
	case !t.owns(dir):
		return nil, fs.ErrNotExist
	case dir == "asm":
		return t.asm[port].read(below)
	}
	return t.dir.read(name)
}

func (t *installedTree) names(port string) ([]string, error) {
	names, err := t.asm[port].headers("asm/")
	names = append(names, t.othersNames()...)
	errs := []error{err}
	for _, dir := range t.dir.glob("*") {
		name := filepath.Base(string(dir))
		if name == "asm" || strings.Contains(name, "-linux-") || !t.owns(name) {
			continue
		}
		below, err := dir.headers(name + "/")
		names, errs = append(names, below...), append(errs, err)
	}
	return names, errors.Join(errs...)
}
