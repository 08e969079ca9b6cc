//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-clone3/clone3/linux"
)

// osProcess returns an os.Process for p. It has a pidfd of its own, which package
// os opens by the process ID.
//
// The ID is that of p as long as p is there, alive or a zombie. Without AutoReap
// that is until somebody reaps it, which is up to the caller. With AutoReap, or
// where this program ignores SIGCHLD, it may have ended already, and the ID may
// have a new owner. If it is there now, it was when the pidfd was opened.
//
// Where package os could have a pidfd, and has none for want of descriptors, the
// os.Process goes by the ID, and there is an error as well.
func osProcess(p *linux.Process, autoReap bool) (*os.Process, error) {
	found, _ := os.FindProcess(p.Pid()) // reports no errors on Linux
	if (autoReap || signal.Ignored(syscall.SIGCHLD)) && p.Signal(0) != nil {
		found.Release()
		found, _ = os.FindProcess(nobody)
		found.Pid = p.Pid()
		return found, nil
	}
	if !hasHandle(found) && handles() && !errors.Is(found.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return found, os.NewSyscallError("pidfd_open", syscall.EMFILE)
	}
	return found, nil
}

// nobody is a process ID greater than all that the kernel gives. To package os
// it is that of a process which is done.
const nobody = 1<<22 + 1

// hasHandle reports whether package os holds a process by a pidfd.
func hasHandle(p *os.Process) bool {
	has := p.WithHandle(func(uintptr) {}) == nil
	if has && !hadHandle.Load() {
		hadHandle.Store(true)
	}
	return has
}

// hadHandle is set once package os has been seen to hold a process by a pidfd.
var hadHandle atomic.Bool

// handles reports whether package os holds processes by pidfds. It does not
// where it could not use them fully, such as under an old seccomp filter. Such
// an os.Process sends signals to a process ID, which is safe only while the
// process is not reaped. That it could not for want of descriptors is asked
// again.
func handles() bool {
	if hadHandle.Load() {
		return true
	}
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		return false
	}
	defer p.Release()
	return hasHandle(p)
}

// canAutoReap returns why there cannot be an os.Process and an os.ProcessState of
// a process that the kernel reaps.
func canAutoReap() error {
	switch {
	case !handles():
		return &linux.UnsupportedError{Feature: "AutoReap in package exec", Release: "7.1",
			Reason: "package os cannot use pidfds"}
	case !makesStates():
		return &linux.UnsupportedError{Feature: "AutoReap in package exec", Release: "7.1",
			Reason: "this release of Go has another os.ProcessState than this package knows; use package linux"}
	}
	return nil
}

// makesStates reports whether processState works.
var makesStates = sync.OnceValue(func() bool {
	const status = syscall.WaitStatus(3 << 8)
	usage := new(syscall.Rusage)
	s, err := processState(1, linux.ExitStatus(status), usage)
	return err == nil && s.Pid() == 1 && s.Sys() == status && s.SysUsage() == usage
})
