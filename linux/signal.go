//go:build linux

package linux

import (
	"runtime"
	"syscall"
	"unsafe"
)

// wordSize is the size of a word: 4 or 8.
const wordSize = unsafe.Sizeof(uintptr(0))

// mips has twice the signals, and its own order in some structures.
const mips = runtime.GOARCH == "mips" || runtime.GOARCH == "mipsle" ||
	runtime.GOARCH == "mips64" || runtime.GOARCH == "mips64le"

// A sigset is the kernel's sigset_t, or more than that.
type sigset [2]uint64

// A sigaction is the kernel's struct sigaction, or more than that. Its zero
// value is the default action, on every architecture.
type sigaction [8]uint64

// sigsetSize is the size of the kernel's sigset_t.
func sigsetSize() uintptr {
	if mips {
		return 16
	}
	return 8
}

// lastSignal returns the greatest number of a signal.
func lastSignal() syscall.Signal { return syscall.Signal(8 * sigsetSize()) }

// settable lists the signals whose action can be set: all but two.
func settable(yield func(syscall.Signal) bool) {
	for sig := syscall.Signal(1); sig <= lastSignal(); sig++ {
		if sig != syscall.SIGKILL && sig != syscall.SIGSTOP && !yield(sig) {
			return
		}
	}
}
