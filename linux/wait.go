//go:build linux

package linux

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Wait waits until the process has ended, and returns how. A goroutine waits,
// not a thread. Wait can be called any number of times, also concurrently; all
// calls return the same.
//
// If ctx ends first, Wait returns its error; the process goes on. After Close,
// Wait returns os.ErrClosed, unless the process was known to have ended.
//
// When Wait has returned a status the descriptor is released, unless PidFD has
// lent it.
func (p *Process) Wait(ctx context.Context) (ExitStatus, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.collect()
	}
	if !p.over() && p.ticket == 0 && p.waitInFront(ctx) && !p.over() {
		p.collect()
	}
	if !p.over() {
		if err := p.watch(); err != nil {
			return 0, err
		}
	}
	if !p.over() {
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
		if !p.over() {
			p.collect() // the watcher may just not have come to it
		}
	}
	switch {
	case p.ended:
		return p.status, p.err
	case p.closed:
		return 0, os.ErrClosed
	}
	return 0, context.Cause(ctx)
}

// over reports whether there is nothing to wait for. p.mu is held.
func (p *Process) over() bool { return p.ended || p.closed }

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
func (p *Process) Rusage() *syscall.Rusage {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.used {
		return nil
	}
	return &p.rusage // which does not change any more
}

// collect reaps the process if it has ended, unless somebody else is to, and
// notes how it has ended. p.mu is held.
func (p *Process) collect() {
	if p.ended {
		return
	}
	if !p.flags.has(AutoReap) {
		options := uintptr(unix.WNOHANG)
		if p.zombie {
			options |= unix.WNOWAIT
		}
		var info childInfo
		switch errno := waitid(p.fd, &info, options, &p.rusage); {
		case errno == 0 && info.pid() == 0:
			return
		case errno == 0:
			p.used = true
			p.end(info.status(), nil)
			return
		case errno != syscall.ECHILD:
			p.end(0, os.NewSyscallError("waitid", errno))
			return
		}
		// Somebody else in this program has reaped it, or SIGCHLD is ignored.
	}
	switch status, ok, err := exitInfo(p.fd); {
	case ok:
		p.end(status, nil)
	case err != nil:
		p.end(0, fmt.Errorf("linux: another part of this program has waited for process %d (%w), and its status is lost: %w",
			p.pid, syscall.ECHILD, &UnsupportedError{Feature: "PIDFD_INFO_EXIT", Release: "6.15", Err: err}))
	}
}

// end notes how the process has ended. p.mu is held.
func (p *Process) end(status ExitStatus, err error) {
	p.ended, p.status, p.err = true, status, err
	if p.closed || p.handle == nil {
		p.release()
	}
	p.wake()
}

// watch lets the watcher collect the process when it ends. p.mu is held.
func (p *Process) watch() error {
	if p.ticket != 0 {
		return nil
	}
	var err error
	p.ticket, err = watched.add(p.fd, p)
	return err
}

// notify collects the process: the watcher has seen its pidfd tell something.
func (p *Process) notify() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd >= 0 {
		p.collect()
	}
}

// watched are the processes that are waited for, those that were closed, and
// those with AutoKill.
//
// All their pidfds are in one epoll instance. This is itself a descriptor that
// becomes readable when one of them has something to tell, and so the poller of
// the Go runtime can wait for it: one goroutine for all processes, and no
// thread. A pidfd tells twice: when its process has ended, and when it was
// reaped.
var watched watcher

type watcher struct {
	once sync.Once
	err  error // why there is no epoll instance
	epfd int
	conn syscall.RawConn

	mu     sync.Mutex
	last   uint64 // the last ticket given
	owners map[uint64]notified
}

// A notified owns a pidfd, and is called when that has something to tell.
type notified interface{ notify() }

// start creates the epoll instance and the goroutine, which both stay.
func (w *watcher) start() {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		w.err = os.NewSyscallError("epoll_create1", err)
		return
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		w.err = os.NewSyscallError("fcntl", err)
		return
	}
	f := os.NewFile(uintptr(fd), "epoll") // non-blocking: it joins the poller
	if w.conn, w.err = f.SyscallConn(); w.err != nil {
		return
	}
	w.epfd, w.owners = fd, make(map[uint64]notified)
	go w.run(f)
}

// add begins to watch the pidfd of an owner, and returns the ticket by which to
// remove it. One owner can watch a descriptor at a time.
func (w *watcher) add(fd int, owner notified) (ticket uint64, err error) {
	if w.once.Do(w.start); w.err != nil {
		return 0, w.err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(w.last), Pad: int32(w.last >> 32)}
	if err := unix.EpollCtl(w.epfd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return 0, os.NewSyscallError("epoll_ctl", err)
	}
	w.owners[w.last] = owner
	return w.last, nil
}

// remove forgets who owns a pidfd. It is about to be closed.
func (w *watcher) remove(ticket uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// To close the pidfd ends the watch, except while a process being created
	// has a copy of it. What is told then bears a ticket that nobody has.
	delete(w.owners, ticket)
}

// run notifies the owners of pidfds that have something to tell.
func (w *watcher) run(f *os.File) {
	var events [64]unix.EpollEvent
	var n int
	wait := func(fd uintptr) bool {
		var err error
		n, err = unix.EpollWait(int(fd), events[:], 0)
		return n > 0 || err != nil && err != unix.EINTR
	}
	for {
		n = 0
		if err := w.conn.Read(wait); err != nil || n < 0 {
			panic(fmt.Sprintf("linux: waiting for processes: %v", err))
		}
		for _, e := range events[:n] {
			w.mu.Lock()
			owner := w.owners[uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32]
			w.mu.Unlock()
			if owner != nil {
				owner.notify()
			}
		}
	}
}
