package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A sourceTree is a kernel source tree, of which it makes the headers that
// `make headers_install` would install, when they are asked for.
type sourceTree struct {
	fsys      fs.FS
	version   kernelVersion
	installer installer
	ports     map[string]func() (sourcePort, error)
}

// A sourcePort is what the kernel's build adds to the headers of a port.
type sourcePort struct {
	generic map[string]bool   // headers in asm/ that only include their namesake in asm-generic/
	unistd  map[string][]byte // headers of system call numbers in asm/
}

func openSource(fsys fs.FS) (*sourceTree, error) {
	makefile, err := fs.ReadFile(fsys, "Makefile")
	if err != nil {
		return nil, fmt.Errorf("no kernel release: %w", err)
	}
	version, err := makefileVersion(makefile)
	if err != nil {
		return nil, err
	}
	script, err := fs.ReadFile(fsys, installScript)
	if err != nil {
		return nil, fmt.Errorf("not a whole kernel source tree: %w", err)
	}
	installer, err := parseInstaller(script)
	if err != nil {
		return nil, err
	}
	t := &sourceTree{fsys, version, installer, map[string]func() (sourcePort, error){}}
	for _, p := range ports {
		t.ports[p.Name] = sync.OnceValues(func() (sourcePort, error) { return t.openPort(p) })
	}
	return t, nil
}

func (t *sourceTree) check(a Arch) error {
	_, err := t.ports[a.Kernel]()
	return err
}

// read makes one header. Precedence is as in the kernel's build: a header
// that a port has itself, one made from tables, one of asm-generic/.
func (t *sourceTree) read(portName, name string) ([]byte, error) {
	p, err := t.ports[portName]()
	if err != nil {
		return nil, err
	}
	if name == "linux/version.h" {
		return t.version.header(), nil
	}
	asm, ok := strings.CutPrefix(name, "asm/")
	if !ok {
		return t.install("include/uapi/" + name)
	}
	data, err := t.install(path.Join("arch", portName, "include/uapi/asm", asm))
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return data, err
	case p.unistd[asm] != nil:
		return p.unistd[asm], nil
	case p.generic[asm]:
		return fmt.Appendf(nil, "#include <asm-generic/%s>\n", asm), nil
	}
	return nil, err
}

func (t *sourceTree) install(name string) ([]byte, error) {
	data, err := fs.ReadFile(t.fsys, name)
	if err != nil {
		return nil, err
	}
	return t.installer.install(name, data)
}

func (t *sourceTree) names(portName string) ([]string, error) {
	p, err := t.ports[portName]()
	if err != nil {
		return nil, err
	}
	names := []string{"linux/version.h"}
	for asm := range p.generic {
		names = append(names, "asm/"+asm)
	}
	for asm := range p.unistd {
		names = append(names, "asm/"+asm)
	}
	uapi, err := headersBelow(t.fsys, "include/uapi", "")
	if err != nil {
		return nil, err
	}
	asm, err := headersBelow(t.fsys, path.Join("arch", portName, "include/uapi/asm"), "asm/")
	return slices.Concat(names, uapi, asm), err
}

// openPort reads what the kernel's build files say about the headers in asm/
// of a port, and its system call tables.
func (t *sourceTree) openPort(p port) (sourcePort, error) {
	dir := path.Join("arch", p.Name)
	own, err1 := t.variables(path.Join(dir, "include/uapi/asm/Kbuild"))
	all, err2 := t.variables("include/uapi/asm-generic/Kbuild")
	if err := errors.Join(err1, err2); err != nil {
		return sourcePort{}, err
	}
	result := sourcePort{generic: map[string]bool{}, unistd: map[string][]byte{}}
	for _, name := range slices.Concat(own["generic-y"], all["mandatory-y"]) {
		result.generic[name] = true
	}
	var errs []error
	for _, name := range slices.Concat(own["generated-y"], own["syscall-y"]) {
		h, err := t.unistdHeader(p, name, slices.Contains(own["syscall-y"], name))
		if err == nil {
			result.unistd[name], err = t.makeUnistd(h)
		}
		errs = append(errs, err)
	}
	return result, errors.Join(errs...)
}

// unistdHeader finds out how a header of system call numbers is made: from
// Makefile.syscalls if common is set, else from the table of ports.
func (t *sourceTree) unistdHeader(p port, name string, common bool) (unistdHeader, error) {
	dir := path.Join("arch", p.Name)
	if !common {
		i := slices.IndexFunc(p.Unistd, func(h unistdHeader) bool { return h.Name == name })
		if i < 0 {
			return unistdHeader{}, fmt.Errorf("%s/include/uapi/asm/Kbuild: how the kernel makes %s is unknown; run `make headers_install` and give its output instead", dir, name)
		}
		return p.Unistd[i], nil
	}
	const commonMakefile = "scripts/Makefile.asm-headers"
	makefile, err := fs.ReadFile(t.fsys, commonMakefile)
	if err != nil {
		return unistdHeader{}, err
	}
	own, err := t.variables(dir + "/kernel/Makefile.syscalls")
	if err != nil {
		return unistdHeader{}, err
	}
	bits := strings.TrimSuffix(strings.TrimPrefix(name, "unistd_"), ".h")
	variable := "syscall_abis_" + bits
	base := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(variable) + `\s*\+?=\s*([\w,]+)$`).FindSubmatch(makefile)
	if base == nil {
		return unistdHeader{}, fmt.Errorf("%s: no %s, so how %s is made is unknown", commonMakefile, variable, name)
	}
	h := unistdHeader{Name: name, Table: "scripts/syscall.tbl", Shared: true, Count: true}
	h.ABIs = append(strings.Split(string(base[1]), ","), own[variable]...)
	if table := own["syscalltbl"]; len(table) == 1 {
		h.Table = strings.ReplaceAll(table[0], "%", bits)
	}
	return h, nil
}

func (t *sourceTree) makeUnistd(h unistdHeader) ([]byte, error) {
	data, err := fs.ReadFile(t.fsys, h.Table)
	if err != nil {
		return nil, err
	}
	entries, err := parseSyscallTable(h.Table, data)
	if err != nil {
		return nil, err
	}
	entries, err = selectSyscalls(h, entries)
	if err != nil {
		return nil, err
	}
	return t.installer.install(h.Name, writeUnistd(h, entries, h.Script != "" && exists(t.fsys, h.Script)))
}

func (t *sourceTree) variables(name string) (map[string][]string, error) {
	data, err := fs.ReadFile(t.fsys, name)
	if err != nil {
		return nil, err
	}
	return kbuildVariables(name, data)
}

var kbuildAssignment = regexp.MustCompile(`^([\w-]+)\s*(\+=|:=|=)\s*(.*)$`)

// kbuildVariables reads a file of make that does nothing but set variables.
func kbuildVariables(name string, data []byte) (map[string][]string, error) {
	vars := map[string][]string{}
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		m := kbuildAssignment.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s: %q is not understood; run `make headers_install` and give its output instead", name, line)
		}
		if m[2] != "+=" {
			vars[m[1]] = nil
		}
		vars[m[1]] = append(vars[m[1]], strings.Fields(m[3])...)
	}
	return vars, nil
}
