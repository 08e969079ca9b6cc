package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A sourceTree is a kernel source tree, of which it makes the headers that
// `make headers_install` would install, when they are asked for. Like Debian's
// package it has the few headers of linux/ that the kernel leaves out for
// architectures without the feature; there they include a missing one of asm/.
type sourceTree struct {
	dir       folder
	version   kernelVersion
	installer installer
	ports     map[string]func() (sourcePort, error)
}

// A sourcePort is what the kernel's build adds to the headers of a port.
type sourcePort struct {
	generic []string          // headers in asm/ that only include their namesake in asm-generic/
	unistd  map[string][]byte // headers of system call numbers in asm/
}

func openSource(dir folder) (*sourceTree, error) {
	makefile, err1 := dir.read("Makefile")
	script, err2 := dir.read("scripts/headers_install.sh")
	if err := errors.Join(err1, err2); err != nil {
		return nil, incomplete(err)
	}
	version, err1 := makefileVersion(dir.path("Makefile"), makefile)
	installer, err2 := parseInstaller(dir.path("scripts/headers_install.sh"), script)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	t := &sourceTree{dir, version, installer, map[string]func() (sourcePort, error){}}
	for _, p := range ports {
		t.ports[p.Name] = sync.OnceValues(func() (sourcePort, error) { return t.openPort(p) })
	}
	return t, nil
}

func incomplete(err error) error {
	return fmt.Errorf("this kernel source tree is not complete: %w", err)
}

func (t *sourceTree) check(a model.Arch) error {
	if dir := "arch/" + a.Kernel; !t.dir.has(dir) {
		return fmt.Errorf("%s: no headers for %s: this kernel has no %s", t.dir, a.GOARCH, dir)
	}
	_, err := t.ports[a.Kernel]()
	return err
}

// read makes one header. The order is that of the kernel's build: a header
// that the port has itself, one made from a table, one of asm-generic/.
func (t *sourceTree) read(port, name string) ([]byte, error) {
	if name == "linux/version.h" {
		return t.version.header(), nil
	}
	asm, ok := strings.CutPrefix(name, "asm/")
	if !ok {
		return t.install("include/uapi/" + name)
	}
	p, err := t.ports[port]()
	if err != nil {
		return nil, err
	}
	data, err := t.install(path.Join("arch", port, "include/uapi", name))
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return data, err
	case p.unistd[asm] != nil:
		return p.unistd[asm], nil
	case slices.Contains(p.generic, asm):
		return fmt.Appendf(nil, "#include <asm-generic/%s>\n", asm), nil
	}
	return nil, err
}

func (t *sourceTree) install(name string) ([]byte, error) {
	data, err := t.dir.read(name)
	if err != nil {
		return nil, err
	}
	return t.installer.install(t.dir.path(name), data)
}

func (t *sourceTree) names(port string) ([]string, error) {
	p, err1 := t.ports[port]()
	uapi, err2 := t.dir.sub("include/uapi").headers("")
	asm, err3 := t.dir.sub(path.Join("arch", port, "include/uapi/asm")).headers("asm/")
	names := append(slices.Concat(uapi, asm), "linux/version.h")
	for _, name := range p.generic {
		names = append(names, "asm/"+name)
	}
	for name := range p.unistd {
		names = append(names, "asm/"+name)
	}
	return names, errors.Join(err1, err2, err3)
}

// openPort reads what the kernel's build files say about the headers in asm/
// of a port, and makes those of system call numbers.
func (t *sourceTree) openPort(p port) (sourcePort, error) {
	own, err1 := t.variables(path.Join("arch", p.Name, "include/uapi/asm/Kbuild"))
	all, err2 := t.variables("include/uapi/asm-generic/Kbuild")
	if err := errors.Join(err1, err2); err != nil {
		return sourcePort{}, err
	}
	generic := slices.Concat(own["generic-y"], all["mandatory-y"])
	unistd := map[string][]byte{}
	var errs []error
	for _, name := range own["generated-y"] {
		h, err := t.ownUnistd(p, name)
		if err == nil {
			unistd[name], err = t.makeUnistd(h)
		}
		errs = append(errs, err)
	}
	for _, name := range own["syscall-y"] {
		h, err := t.commonUnistd(p, name)
		if err == nil {
			unistd[name], err = t.makeUnistd(h)
		}
		errs = append(errs, err)
	}
	return sourcePort{generic, unistd}, joinErrors(errs)
}

// ownUnistd finds how a port with a build of its own makes a header of system
// call numbers.
func (t *sourceTree) ownUnistd(p port, name string) (unistdHeader, error) {
	i := slices.IndexFunc(p.Unistd, func(h unistdHeader) bool { return h.Name == name })
	if i < 0 {
		return unistdHeader{}, fmt.Errorf("%s: the way arch/%s makes asm/%s is unknown; %s", t.dir, p.Name, name, installYourself)
	}
	return p.Unistd[i], nil
}

// commonUnistd reads how the build that most ports share makes a header of
// system call numbers.
func (t *sourceTree) commonUnistd(p port, name string) (unistdHeader, error) {
	const common = "scripts/Makefile.asm-headers"
	makefile, err1 := t.dir.read(common)
	own, err2 := t.variables("arch/" + p.Name + "/kernel/Makefile.syscalls")
	if err := errors.Join(err1, err2); err != nil {
		return unistdHeader{}, err
	}
	bits := strings.TrimSuffix(strings.TrimPrefix(name, "unistd_"), ".h")
	variable := "syscall_abis_" + bits
	abis := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(variable) + `\s*\+?=\s*([\w,]+)$`).FindSubmatch(makefile)
	if abis == nil {
		return unistdHeader{}, fmt.Errorf("%s: no %s, so the way the kernel makes asm/%s is unknown; %s", t.dir.path(common), variable, name, installYourself)
	}
	h := unistdHeader{Name: name, Table: "scripts/syscall.tbl", Shared: true, Count: true}
	h.ABIs = append(strings.Split(string(abis[1]), ","), own[variable]...)
	if table := own["syscalltbl"]; table != nil {
		h.Table = strings.ReplaceAll(table[0], "%", bits)
	}
	return h, nil
}

func (t *sourceTree) makeUnistd(h unistdHeader) ([]byte, error) {
	data, err := t.dir.read(h.Table)
	if err != nil {
		return nil, incomplete(err)
	}
	table := t.dir.path(h.Table)
	entries, err := parseSyscallTable(table, data)
	if err != nil {
		return nil, err
	}
	entries, err = selectSyscalls(table, h, entries)
	if err != nil {
		return nil, err
	}
	return t.installer.install(h.Name, writeUnistd(h, entries, h.Script != "" && t.dir.has(h.Script)))
}

func (t *sourceTree) variables(name string) (map[string][]string, error) {
	data, err := t.dir.read(name)
	if err != nil {
		return nil, incomplete(err)
	}
	return kbuildVariables(t.dir.path(name), data)
}

var kbuildAssignment = regexp.MustCompile(`^([\w-]+)\s*(\+=|:=|=)\s*(.*)$`)

// kbuildVariables reads a file for make that does nothing but set variables.
// The name is for errors.
func kbuildVariables(name string, data []byte) (map[string][]string, error) {
	vars := map[string][]string{}
	for line := range strings.Lines(strings.ReplaceAll(string(data), "\\\n", " ")) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m := kbuildAssignment.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s: the line %q is not understood; %s", name, line, installYourself)
		}
		if m[2] != "+=" {
			vars[m[1]] = nil
		}
		vars[m[1]] = append(vars[m[1]], strings.Fields(m[3])...)
	}
	return vars, nil
}
