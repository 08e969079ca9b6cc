//go:build linux

package uapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/uapi"
)

func ExampleSyscallName() {
	nr, ok := uapi.SyscallNumber("pidfd_open")
	fmt.Println(nr == uapi.SYS_PIDFD_OPEN, ok, uapi.SyscallName(nr))
	for name, nr := range uapi.Syscalls {
		if strings.HasPrefix(name, "landlock_") {
			fmt.Println(name, nr-uapi.SYS_LANDLOCK_CREATE_RULESET)
		}
	}
	// Output:
	// true true pidfd_open
	// landlock_create_ruleset 0
	// landlock_add_rule 1
	// landlock_restrict_self 2
}

// Names and numbers of system calls lead to each other, in the order of the
// numbers, and what is none leads nowhere.
func TestSyscallsByNameAndNumber(t *testing.T) {
	n, last := 0, uintptr(0)
	for name, nr := range uapi.Syscalls {
		if n > 0 && nr <= last {
			t.Errorf("%s has number %d, behind one with %d", name, nr, last)
		}
		n, last = n+1, nr
		if got, ok := uapi.SyscallNumber(name); got != nr || !ok {
			t.Errorf("%s has number %d, and by its name %d, %v", name, nr, got, ok)
		}
		if got := uapi.SyscallName(nr); got != name {
			t.Errorf("%s, number %d, is %q by its number", name, nr, got)
		}
	}
	if n < 300 {
		t.Errorf("there are only %d system calls", n)
	}
	for _, nr := range []uintptr{last + 1, ^uintptr(0)} {
		if got := uapi.SyscallName(nr); got != "" {
			t.Errorf("%d is %q, and no number of a system call", nr, got)
		}
	}
	if nr, ok := uapi.SyscallNumber("Clone3"); ok {
		t.Errorf("Clone3 is number %d, and no name of a system call", nr)
	}
	for range uapi.Syscalls {
		break
	}
}
