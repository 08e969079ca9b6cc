//go:build linux

package uapi

// SyscallNumber returns the number of a system call of this architecture by its
// name in C: "clone3". On arm those that have a range of their own are there
// too: "cacheflush".
func SyscallNumber(name string) (nr uintptr, ok bool) {
	for _, s := range syscallTable {
		if s.name == name {
			return s.value, true
		}
	}
	return 0, false
}

// SyscallName returns the name of a system call of this architecture, or "" if
// no header names the number. A newer kernel may have calls that it does not
// know.
func SyscallName(nr uintptr) string {
	low, high := 0, len(syscallTable)
	for low < high {
		if mid := (low + high) / 2; syscallTable[mid].value < nr {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(syscallTable) && syscallTable[low].value == nr {
		return syscallTable[low].name
	}
	return ""
}

// Syscalls yields the names and numbers of all system calls of this
// architecture, the lowest number first: for name, nr := range uapi.Syscalls.
// The table costs nothing in a program that does not use these functions.
func Syscalls(yield func(name string, nr uintptr) bool) {
	for _, s := range syscallTable {
		if !yield(s.name, s.value) {
			return
		}
	}
}
