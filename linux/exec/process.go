//go:build linux

package exec

import (
	"errors"
	"os"
	"os/signal"
	"sync"
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
// An os.Process that has no pidfd, for want of descriptors, goes by the ID. With
// AutoReap that is an error.
func osProcess(p *linux.Process, autoReap bool) (*os.Process, error) {
	found, _ := os.FindProcess(p.Pid()) // reports no errors on Linux
	if !autoReap && !signal.Ignored(syscall.SIGCHLD) {
		return found, nil
	}
	if p.Signal(0) != nil {
		found.Release()
		found, _ = os.FindProcess(nobody)
		found.Pid = p.Pid()
		return found, nil
	}
	if autoReap && !hasHandle(found) {
		return nil, os.NewSyscallError("pidfd_open", syscall.EMFILE)
	}
	return found, nil
}

// nobody is a process ID greater than all that the kernel gives. To package os
// it is that of a process which is done.
const nobody = 1<<22 + 1

// hasHandle reports whether package os holds a process by a pidfd.
func hasHandle(p *os.Process) bool { return p.WithHandle(func(uintptr) {}) == nil }

// handles reports whether package os holds processes by pidfds. It does not
// where it could not use them fully, such as under an old seccomp filter. Such
// an os.Process sends signals to a process ID, which is safe only while the
// process is not reaped.
var handles = sync.OnceValue(func() bool {
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		return false
	}
	defer p.Release()
	return hasHandle(p)
})

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

// finishes reports whether finish works.
var finishes = sync.OnceValue(func() bool {
	p, err := os.FindProcess(os.Getpid())
	if err != nil || !hasHandle(p) {
		return false
	}
	return finish(p) && errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) && !hasHandle(p)
})
