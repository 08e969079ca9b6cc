//go:build linux

package linux

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Wait waits until the process has ended, and returns how. It need not be a
// child. A goroutine waits, not a thread; any number of them can.
//
// Wait does not reap. For a child of this program it returns when the child has
// ended, and whoever has created it still has to wait for it. For another
// process it returns when that has been reaped. For a PidFD lent by a
// [Process], it is that Process's Wait.
//
// If ctx ends first, Wait returns its error. If the kernel does not tell the
// status of processes that are not children, the error is an [UnsupportedError],
// and the process has ended; WaitEnd needs no status.
// poll(2), waitid(2) with WNOWAIT; PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15.
func (f *PidFD) Wait(ctx context.Context) (status ExitStatus, err error) {
	if f != nil && f.owner != nil {
		return f.owner.Wait(ctx)
	}
	e := f.await(ctx, "Wait", nil, func(fd int) (ended bool) {
		status, ended, err = peek(fd)
		return ended
	})
	if e != nil {
		return 0, e
	}
	return status, err
}

// WaitEnd waits until the process has ended: it is a zombie or has been reaped.
// It need not be a child. If ctx ends first, WaitEnd returns its error.
// poll(2) of a pidfd, Linux 5.3.
func (f *PidFD) WaitEnd(ctx context.Context) error {
	if f != nil && f.owner != nil {
		return f.owner.waitEnd(ctx)
	}
	var failed error
	err := f.await(ctx, "WaitEnd", nil, func(fd int) (over bool) {
		over, failed = pollEnd(fd)
		return over || failed != nil
	})
	if err != nil {
		return err
	}
	return failed
}

// Reap waits until a child of this program has ended, reaps it, and returns how
// it has ended and what it has used. If it is not a child, or somebody else has
// reaped it, the error is ECHILD; Wait may still tell its status. A PidFD lent
// by a [Process] cannot reap: its Wait does.
// waitid(2) with P_PIDFD, Linux 5.4.
func (f *PidFD) Reap(ctx context.Context) (ExitStatus, *Rusage, error) {
	if f != nil && f.owner != nil {
		return 0, nil, invalid("this PidFD is lent: use the Wait of its Process")
	}
	var info childInfo
	var errno syscall.Errno
	usage := new(syscall.Rusage)
	err := f.await(ctx, "Reap", nil, func(fd int) bool {
		if !reapable(fd) {
			return false
		}
		errno = waitid(fd, &info, unix.WNOHANG, usage)
		return errno != 0 || info.pid() != 0
	})
	switch {
	case err != nil:
		return 0, nil, err
	case errno == unix.ECHILD:
		return 0, nil, &pidfdError{"waitid", "the process is not a child of this program, or somebody else has reaped it", errno}
	case errno != 0:
		return 0, nil, os.NewSyscallError("waitid", errno)
	}
	return info.status(), usage, nil
}

// ended reports whether a process is known to have ended.
func ended(fd int) bool {
	over, _ := pollEnd(fd)
	return over
}

// pollEnd reports whether a process has ended. On descriptors that kill when
// closed, poll must not wait: it would keep the process alive.
func pollEnd(fd int) (over bool, err error) {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for range interruptions {
		var n int
		if n, err = unix.Poll(p, 0); err != unix.EINTR {
			return n > 0, os.NewSyscallError("ppoll", err)
		}
	}
	return false, os.NewSyscallError("ppoll", err)
}

// peek reports whether a process has ended and how that is known: the kernel
// tells it of those that have been reaped, and of zombies to their parent.
func peek(fd int) (status ExitStatus, known bool, err error) {
	status, known, infoErrno := exitInfo(fd)
	if known {
		return status, true, nil
	}
	var info childInfo
	switch errno := waitid(fd, &info, unix.WNOHANG|unix.WNOWAIT, nil); {
	case errno == 0 && info.pid() == 0:
		return 0, false, nil
	case errno == 0:
		return info.status(), true, nil
	case errno != unix.ECHILD:
		return 0, true, os.NewSyscallError("waitid", errno)
	case infoErrno == 0 || !ended(fd):
		return 0, false, nil // not reaped yet
	case !keepsNoExit(infoErrno):
		return 0, true, infoFailure(infoErrno)
	}
	return 0, true, fmt.Errorf("linux: the process has ended, its status is not known: %w",
		&UnsupportedError{Feature: "PIDFD_INFO_EXIT", Release: "6.15", Err: infoErrno})
}

// await waits until done reports true. It calls done again each time that the
// kernel has something to tell of the process, and on signals.
func (f *PidFD) await(ctx context.Context, method string, signals <-chan os.Signal, done func(fd int) bool) error {
	fd, err := f.descriptor(method)
	if err != nil {
		return err
	}
	defer f.done()
	if done(fd) {
		return nil
	}
	if err := f.watch(fd); err != nil {
		return err
	}
	defer f.unwatch(fd)
	for {
		woken := f.next()
		if done(fd) {
			return nil
		}
		if f.uses.Load()&pidfdClosed != 0 {
			return os.ErrClosed
		}
		select {
		case <-woken:
		case <-signals:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// watch lets the watcher notify f, until as many calls of unwatch. The
// descriptor is in use. If it is lent the watcher notifies its owner, which
// notifies f.
func (f *PidFD) watch(fd int) error {
	if p := f.owner; p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case p.closed:
			return os.ErrClosed
		case !p.ended:
			p.watch()
		}
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiters == 0 {
		f.ticket = watched.add(fd, f)
	}
	f.waiters++
	return nil
}

func (f *PidFD) unwatch(fd int) {
	if f.owner != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		watched.leave(f.ticket, fd)
	}
}

// next returns a channel that is closed by the next notify.
func (f *PidFD) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.woken == nil {
		f.woken = make(chan struct{})
	}
	return f.woken
}

// notify wakes those who wait.
func (f *PidFD) notify() (again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.woken != nil {
		close(f.woken)
		f.woken = nil
	}
	return false
}
