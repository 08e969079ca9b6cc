package kernel

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestSyscallTable(t *testing.T) {
	const table = "# comment\n\n0\tcommon\tlook\n0x10 64 speak sys_speak compat noreturn\n17 32\tmumble sys_mumble\n"
	entries, err := parseSyscallTable("odd.tbl", []byte(table))
	if err != nil {
		t.Fatal(err)
	}
	h := unistdHeader{Name: "unistd-64.h", ABIs: []string{"common", "64"}, Others: []string{"32"}, Offset: "BASE", Count: true}
	entries, err = selectSyscalls("odd.tbl", h, entries)
	if err != nil {
		t.Fatal(err)
	}
	const want = `#ifndef _UAPI_ASM_UNISTD_64_H
#define _UAPI_ASM_UNISTD_64_H

#define __NR_look (BASE + 0)
#define __NR_speak (BASE + 0x10)

#ifdef __KERNEL__
#define __NR_syscalls 17
#endif

#endif /* _UAPI_ASM_UNISTD_64_H */
`
	if got := string(writeUnistd(h, entries, false)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestSyscallTableErrors(t *testing.T) {
	h := unistdHeader{Name: "unistd.h", ABIs: []string{"common"}, Others: []string{"old"}}
	for name, tt := range map[string]struct{ table, want string }{
		"empty":        {"", "odd.tbl: no system calls in this table"},
		"comment only": {"# 0 common look\n", "odd.tbl: no system calls in this table"},
		"no number":    {"look common 0\n", `odd.tbl:1: "look" at the start of the line is not a system call number`},
		"octal":        {"010 common look\n", `odd.tbl:1: "010" at the start of the line is not a system call number`},
		"negative":     {"-1 common look\n", `odd.tbl:1: "-1" at the start of the line is not a system call number`},
		"too large":    {"4294967296 common look\n", `odd.tbl:1: "4294967296" at the start of the line is not a system call number`},
		"indented":     {" 0 common look\n", `odd.tbl:1: "0" at the start of the line is not a system call number`},
		"no name":      {"0 common\n", "odd.tbl:1: system call 0 has no name; the line should be: number, ABI, name, entry points"},
		"bad ABI":      {"0 com-mon look\n", `odd.tbl:1: "com-mon" is not the name of an ABI`},
		"bad name":     {"0 common look()\n", `odd.tbl:1: "look()" is not the name of a system call`},
		"column":       {"0 common look a b always\n", `odd.tbl:1: unknown column "always" after the entry points of look`},
		"columns":      {"0 common look a b noreturn c\n", `odd.tbl:1: unknown column "noreturn c" after the entry points of look`},
		"truncated":    {"0 common look\n1 common sp", "odd.tbl:2: the table ends within a line; it is not complete"},
		"all reported": {"x\n0 common\n", "odd.tbl:1: \"x\" at the start of the line is not a system call number\n" +
			"odd.tbl:2: system call 0 has no name; the line should be: number, ABI, name, entry points"},
		"number twice": {"0 common look\n0 common speak\n", "odd.tbl:2: number 0 of speak is taken by look in line 1"},
		"same in hex":  {"16 common look\n0x10 common speak\n", "odd.tbl:2: number 16 of speak is taken by look in line 1"},
		"name twice":   {"0 common look\n1 common look\n", "odd.tbl:2: look is already number 0 in line 1"},
		"unknown ABI":  {"0 common look\n1 new speak\n", `odd.tbl:2: unknown ABI "new", so whether asm/unistd.h has speak is unknown`},
		"none left":    {"0 old look\n", "odd.tbl: no system calls for asm/unistd.h (ABI common)"},
	} {
		entries, err := parseSyscallTable("odd.tbl", []byte(tt.table))
		if err == nil {
			_, err = selectSyscalls("odd.tbl", h, entries)
		}
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got error\n%v\nwant\n%s", name, err, tt.want)
		}
	}
}

func TestSyscallsOfOtherPortsAreLeftOut(t *testing.T) {
	entries, err := parseSyscallTable("odd.tbl", []byte("0 common look\n1 csky cache\n1 arc cache\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := selectSyscalls("odd.tbl", unistdHeader{ABIs: []string{"common"}, Shared: true}, entries)
	if err != nil || len(got) != 1 || got[0].Name != "look" {
		t.Errorf("got %v, %v; want look alone", got, err)
	}
}

// FuzzSyscallTable checks that whatever a table says is either an error that
// names the table or a header with exactly these numbers.
func FuzzSyscallTable(f *testing.F) {
	f.Add([]byte("# comment\n0\tcommon\tlook\tsys_look\n1 64 speak\n0x2 32 stop a - noreturn\n"))
	f.Add([]byte("0 common look"))
	f.Add([]byte("7 common a\n7 common b\n8 common a\n"))
	define := regexp.MustCompile(`(?m)^#define __NR_(\w+) (\w+)$`)
	h := unistdHeader{Name: "unistd.h", Table: "odd.tbl", ABIs: []string{"common", "64"}, Others: []string{"32"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseSyscallTable("odd.tbl", data)
		if err == nil {
			entries, err = selectSyscalls("odd.tbl", h, entries)
		}
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "odd.tbl:") {
					t.Errorf("the error does not say where: %q", line)
				}
			}
			return
		}
		var want, got []string
		for _, e := range entries {
			want = append(want, fmt.Sprint(e.Name, e.Number))
		}
		seen := map[string]bool{}
		for _, m := range define.FindAllStringSubmatch(string(writeUnistd(h, entries, false)), -1) {
			n, err := strconv.ParseUint(m[2], 0, 32)
			if err != nil || seen[m[1]] {
				t.Errorf("%s: %v, twice %t", m[0], err, seen[m[1]])
			}
			seen[m[1]] = true
			got = append(got, fmt.Sprint(m[1], n))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the header has %v, want %v", got, want)
		}
	})
}
