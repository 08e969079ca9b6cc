//go:build linux

package linux

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Wait waits until the process has ended, and returns how. A goroutine waits,
// not a thread. Wait can be called any number of times, also concurrently; all
// calls return the same.
//
// If ctx ends first, Wait returns its error; the process goes on. After Close,
// Wait returns os.ErrClosed, unless the process was known to have ended, or has
// AutoKill: then Wait returns how Close has ended it.
//
// When Wait has returned a status the descriptor is released, unless PidFD has
// lent it. With [Child].KillTree it returns when the descendants have ended too,
// or ctx has.
func (p *Process) Wait(ctx context.Context) (ExitStatus, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	began := clock()
	if !p.over() && p.ticket == 0 {
		defer func() { note(clock() - began) }()
		p.waitInFront(ctx, began)
	}
	if err := p.tryCollect(ctx); err != nil {
		return 0, err
	}
	for !p.over() {
		p.watch()
		if p.done == nil {
			p.done = make(chan struct{})
		}
		done := p.done
		p.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
		}
		p.mu.Lock()
		// The watcher may just not have come to it, or have failed to.
		if err := p.tryCollect(ctx); err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			break
		}
	}
	switch {
	case p.ended:
		p.awaitGroup(ctx)
		return p.status, p.err
	case p.over():
		return 0, os.ErrClosed
	}
	return 0, context.Cause(ctx)
}

// tryCollect collects the process if it has ended. What the kernel lacks the
// means to answer it is asked again, a few times. p.mu is held, but not while it
// pauses.
func (p *Process) tryCollect(ctx context.Context) error {
	for pause := time.Millisecond; ; pause *= 2 {
		if p.over() {
			return nil
		}
		err := p.collect()
		if err == nil || pause > 16*time.Millisecond {
			return err
		}
		p.mu.Unlock()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			pause = time.Second
		}
		p.mu.Lock()
	}
}

// over reports whether there is nothing to wait for. p.mu is held.
func (p *Process) over() bool { return p.ended || p.closed && !p.dying }

// waitEnd waits as Wait does, but needs no status.
func (p *Process) waitEnd(ctx context.Context) error {
	_, err := p.Wait(ctx)
	if _, ended, _ := p.result(); ended {
		return nil
	}
	return err
}

// result returns what Wait returns, if it would return at once.
func (p *Process) result() (status ExitStatus, ended bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.ended, p.err
}

// Rusage returns the resources that the process has used. There is none (nil)
// before Wait has returned a status, with AutoReap, and if somebody else has
// reaped the process.
//
// Its Maxrss is at least the size of this program: until it executed its own
// program the child had the memory of this one, and the kernel keeps the
// highest. getrusage(2).
func (p *Process) Rusage() *Rusage {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.used {
		return nil
	}
	return &p.rusage // which does not change any more
}

// collect reaps the process if it has ended, unless somebody else is to, and
// notes how it has ended. An error says that this could not be found out now;
// it may be tried again. p.mu is held.
func (p *Process) collect() error {
	if p.ended {
		return nil
	}
	if !p.flags.has(AutoReap) {
		options := uintptr(unix.WNOHANG)
		if p.zombie {
			options |= unix.WNOWAIT
		}
		if p.traced && !reapable(p.fd) {
			return nil
		}
		var info childInfo
		switch errno := waitid(p.fd, &info, options, &p.rusage); {
		case errno == 0 && info.pid() == 0:
			return nil
		case errno == 0:
			p.used = true
			p.end(info.status(), nil)
			return nil
		case errno == syscall.EBADF, errno == syscall.EINVAL: // somebody has closed the pidfd
			p.end(0, os.NewSyscallError("waitid", errno))
			return nil
		case errno != syscall.ECHILD:
			return os.NewSyscallError("waitid", errno)
		}
		// Somebody else in this program has reaped it, or SIGCHLD is ignored.
	}
	switch status, known, errno := exitInfo(p.fd); {
	case known:
		p.end(status, nil)
	case errno == 0:
	case keepsNoExit(errno):
		p.end(0, fmt.Errorf("linux: another part of this program has waited for process %d (%w), and its status is lost: %w",
			p.pid, syscall.ECHILD, &UnsupportedError{Feature: "PIDFD_INFO_EXIT", Release: "6.15", Err: errno}))
	case ended(p.fd):
		return infoFailure(errno)
	}
	return nil
}

// end notes how the process has ended. p.mu is held.
func (p *Process) end(status ExitStatus, err error) {
	p.ended, p.status, p.err = true, status, err
	p.endGroup()
	if p.closed || p.handle == nil && !p.inFlight {
		p.release()
	}
	p.wake()
}

// watch lets the watcher collect the process when it ends. p.mu is held.
func (p *Process) watch() {
	if p.ticket == 0 {
		p.ticket = watched.add(p.fd, p)
	}
}

// watchSoon does so in a moment, by when somebody mostly waits for it: it takes
// time, and a Wait that comes before does without, if it can have the thread. p is
// no garbage until then. p.mu is held.
func (p *Process) watchSoon() {
	p.soon = time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.soon != nil && !p.ended {
			p.watch()
		}
	})
}

// unwatch takes back both. p.mu is held.
func (p *Process) unwatch() {
	if p.soon != nil {
		p.soon.Stop()
		p.soon = nil
	}
	if p.ticket != 0 {
		watched.remove(p.ticket)
		p.ticket = 0
	}
}

// notify collects the process: the watcher has seen its pidfd tell something. If
// that fails those who wait try themselves, and return the error if it stays.
func (p *Process) notify() (again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd < 0 || p.collect() == nil {
		return false
	}
	p.wake()
	return true
}
