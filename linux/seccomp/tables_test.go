package seccomp

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write names.go from the tables of uapi")

var (
	constant = regexp.MustCompile(`(?m)^\t(\w+)\s+= (\w+)\s+//`)
	row      = regexp.MustCompile(`(?m)^\t\{"(\w+)", (\w+)\},$`)
	word     = regexp.MustCompile(`\w+`)
)

// errNoSource is the error where the tests run without the module around them.
var errNoSource = errors.New("the source of uapi is not here, which has the tables of all architectures")

// all are the machines with the numbers that uapi has in its sources, of which a
// program has only those of one architecture.
var all = sync.OnceValues(func() (map[string]machine, error) {
	files, _ := filepath.Glob("../../uapi/zsyscalls_linux_*.go")
	if files == nil {
		return nil, errNoSource
	}
	found := map[string]machine{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		values := map[string]uint32{}
		for _, c := range constant.FindAllStringSubmatch(string(text), -1) {
			v, err := strconv.ParseUint(c[2], 0, 32)
			if err != nil {
				return nil, fmt.Errorf("%s: %v", file, err)
			}
			values[c[1]] = uint32(v)
		}
		numbers := map[string]uint32{}
		for _, r := range row.FindAllStringSubmatch(string(text), -1) {
			v, ok := values[r[2]]
			if !ok {
				return nil, fmt.Errorf("%s: %s has no value", file, r[2])
			}
			numbers[r[1]] = v
		}
		_, tag, _ := strings.Cut(string(text), "//go:build ")
		tag, _, _ = strings.Cut(tag, "\n")
		for _, arch := range word.FindAllString(tag, -1) {
			if m, ok := machines[arch]; ok {
				m.numbers = numbers
				found[arch] = m
			}
		}
	}
	if len(found) != len(machines) || len(found) != 13 {
		return nil, fmt.Errorf("uapi has tables for %v", slices.Sorted(maps.Keys(found)))
	}
	return found, nil
})

// machinesOf returns all of them, or ends the test.
func machinesOf(t testing.TB) map[string]machine {
	t.Helper()
	m, err := all()
	if err == errNoSource {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The names that are known are those of uapi's tables, of every architecture.
func TestNamesAreThoseOfAllArchitectures(t *testing.T) {
	union := map[string]bool{}
	for arch, m := range machinesOf(t) {
		if n := len(m.numbers); n < 300 {
			t.Errorf("%s has only %d system calls", arch, n)
		}
		for name := range m.numbers {
			union[name] = true
		}
	}
	want := slices.Sorted(maps.Keys(union))
	if *update {
		if err := os.WriteFile("names.go", []byte(namesFile(want)), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got := knownNames()
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("%s is missing; run go test -run TestNamesAreThoseOfAllArchitectures -update", name)
		}
	}
	for _, name := range got {
		if !union[name] {
			t.Errorf("%s is in no table of uapi", name)
		}
		if !known(name) {
			t.Errorf("%s is not known, but listed", name)
		}
	}
	if !slices.IsSorted(got) {
		t.Error("the names are not sorted")
	}
	if known("nosuch") || known("") || known("open openat") {
		t.Error("what is no name is known")
	}
}

func namesFile(names []string) string {
	var s strings.Builder
	s.WriteString(`package seccomp

import (
	"slices"
	"strings"
	"sync"
)

// names are those of the system calls of all architectures, sorted, from the
// tables of package uapi. A test holds them against these, and writes this file
// with -update.
const names = ` + "`")
	line := 0
	for _, name := range names {
		if line+len(name) > 108 {
			s.WriteString("\n")
			line = 0
		} else if line > 0 {
			s.WriteString(" ")
		}
		s.WriteString(name)
		line += len(name) + 1
	}
	s.WriteString("`" + `

var splitNames = sync.OnceValue(func() []string { return strings.Fields(names) })

// knownNames returns a copy of the names.
func knownNames() []string { return slices.Clone(splitNames()) }

// known tells whether an architecture has a system call of this name.
func known(name string) bool {
	_, ok := slices.BinarySearch(splitNames(), name)
	return ok
}
`)
	return s.String()
}
