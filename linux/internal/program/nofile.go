//go:build linux

package program

import (
	"runtime"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// An Rlimit is struct rlimit64.
type Rlimit struct{ Cur, Max uint64 }

// OriginalNofile is the limit on open files (RLIMIT_NOFILE) that this program
// was started with. Package syscall raises the soft limit when it is
// initialised, restores it in the children it starts, and tells nobody what it
// was.
//
// It can be read here because packages are initialised in the order of their
// import paths, a package's imports before it: this package imports nothing
// that has to be initialised, and its path sorts before "syscall".
var OriginalNofile = nofile()

func nofile() (lim Rlimit) {
	// run makes three calls in the parent. When the second is none that
	// creates a process, it is merely a way to make system calls without
	// package syscall.
	table := new([First]Step)
	table[Block] = Step{Nr: uapi.SYS_PRLIMIT64, Args: [6]uintptr{0, RlimitNofile(), 0, uintptr(unsafe.Pointer(&lim))}}
	table[Clone] = Step{Nr: uapi.SYS_GETPID}
	table[Unblock] = Step{Nr: uapi.SYS_GETPID}
	run(&table[0])
	runtime.KeepAlive(&lim)
	return lim
}

// RlimitNofile returns the number of RLIMIT_NOFILE.
func RlimitNofile() uintptr { return rlimitNofile(runtime.GOARCH) }

// rlimitNofile returns it for a GOARCH: mips has its own order of limits.
func rlimitNofile(goarch string) uintptr {
	switch goarch {
	case "mips", "mipsle", "mips64", "mips64le":
		return 5
	}
	return 7
}
