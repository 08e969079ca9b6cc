package kernel

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A syscallEntry is a line of a system call table.
type syscallEntry struct {
	Number uint32
	Digits string // the Number as the table writes it
	ABI    string
	Name   string
	line   int
}

var (
	syscallDigits = regexp.MustCompile(`^(0|[1-9][0-9]*|0[xX][0-9A-Fa-f]+)$`)
	syscallWord   = regexp.MustCompile(`^\w+$`)
)

// parseSyscallTable reads a system call table of the kernel, whose lines are
//
//	NUMBER ABI NAME [ENTRY [COMPAT [noreturn]]]
//
// and comments. An unreadable line is an error, all of which are reported.
func parseSyscallTable(path string, data []byte) ([]syscallEntry, error) {
	var entries []syscallEntry
	var errs []error
	for i, line := range strings.Split(string(data), "\n") {
		if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
			continue
		}
		e, err := parseSyscallLine(line)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", path, i+1, err))
		}
		e.line = i + 1
		entries = append(entries, e)
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		errs = append(errs, fmt.Errorf("%s:%d: the table ends within a line; it is not complete", path, 1+bytes.Count(data, []byte("\n"))))
	}
	if len(entries) == 0 {
		errs = append(errs, fmt.Errorf("%s: no system calls in this table", path))
	}
	return entries, errors.Join(errs...)
}

func parseSyscallLine(line string) (syscallEntry, error) {
	f := strings.Fields(line)
	n, err := strconv.ParseUint(f[0], 0, 32)
	switch {
	case err != nil || !syscallDigits.MatchString(f[0]) || !strings.HasPrefix(line, f[0]):
		return syscallEntry{}, fmt.Errorf("%q at the start of the line is not a system call number", f[0])
	case len(f) < 3:
		return syscallEntry{}, fmt.Errorf("system call %s has no name; the line should be: number, ABI, name, entry points", f[0])
	case !syscallWord.MatchString(f[1]):
		return syscallEntry{}, fmt.Errorf("%q is not the name of an ABI", f[1])
	case !syscallWord.MatchString(f[2]):
		return syscallEntry{}, fmt.Errorf("%q is not the name of a system call", f[2])
	case len(f) > 6 || len(f) == 6 && f[5] != "noreturn":
		return syscallEntry{}, fmt.Errorf("unknown column %q after the entry points of %s", strings.Join(f[5:], " "), f[2])
	}
	return syscallEntry{Number: uint32(n), Digits: f[0], ABI: f[1], Name: f[2]}, nil
}

// selectSyscalls returns the entries of the table at path whose ABI h takes. Two of them with the
// same number or the same name are errors, and so is an ABI that is neither
// known to count nor known not to.
func selectSyscalls(path string, h unistdHeader, entries []syscallEntry) ([]syscallEntry, error) {
	var selected []syscallEntry
	var errs []error
	fail := func(e syscallEntry, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s:%d: %s", path, e.line, fmt.Sprintf(format, args...)))
	}
	byNumber, byName := map[uint32]syscallEntry{}, map[string]syscallEntry{}
	for _, e := range entries {
		if !slices.Contains(h.ABIs, e.ABI) {
			if !h.Shared && !slices.Contains(h.Others, e.ABI) {
				fail(e, "unknown ABI %q, so whether asm/%s has %s is unknown", e.ABI, h.Name, e.Name)
			}
			continue
		}
		if old, ok := byNumber[e.Number]; ok {
			fail(e, "number %d of %s is taken by %s in line %d", e.Number, e.Name, old.Name, old.line)
		}
		if old, ok := byName[e.Name]; ok {
			fail(e, "%s is already number %d in line %d", e.Name, old.Number, old.line)
		}
		byNumber[e.Number], byName[e.Name] = e, e
		selected = append(selected, e)
	}
	if len(selected) == 0 && errs == nil {
		errs = append(errs, fmt.Errorf("%s: no system calls for asm/%s (ABI %s)", path, h.Name, strings.Join(h.ABIs, ", ")))
	}
	return selected, errors.Join(errs...)
}

// writeUnistd writes a header of system call numbers as the kernel's build
// does, before it is installed. oldForm is the form of h.Script.
func writeUnistd(h unistdHeader, entries []syscallEntry, oldForm bool) []byte {
	var b bytes.Buffer
	guard := "_UAPI_ASM_" + headerGuard(h.Name)
	if oldForm {
		guard = "_UAPI_ASM_S390_" + headerGuard(h.Name)
		b.WriteString("/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */\n")
		entries = slices.SortedFunc(slices.Values(entries), func(a, b syscallEntry) int { return cmp.Compare(a.Number, b.Number) })
	}
	fmt.Fprintf(&b, "#ifndef %s\n#define %s\n\n", guard, guard)
	for _, e := range entries {
		if h.Offset != "" {
			fmt.Fprintf(&b, "#define __NR_%s (%s + %s)\n", e.Name, h.Offset, e.Digits)
		} else {
			fmt.Fprintf(&b, "#define __NR_%s %s\n", e.Name, e.Digits)
		}
	}
	if h.Count && !oldForm {
		fmt.Fprintf(&b, "\n#ifdef __KERNEL__\n#define __NR_syscalls %d\n#endif\n", entries[len(entries)-1].Number+1)
	}
	fmt.Fprintf(&b, "\n#endif /* %s */\n", guard)
	return b.Bytes()
}

// headerGuard spells a file's name as include guards do.
func headerGuard(name string) string {
	upper := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, name)
	return strings.ReplaceAll(upper, "__", "_")
}
