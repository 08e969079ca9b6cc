//go:build linux

package linux

import (
	"context"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Most programs that are waited for at once are done soon. To wake a thread that
// waits in the kernel is then much quicker than to wake the poller, the watcher
// and at last the goroutine: with the smallest child it saves a third of the
// time from Clone3 to its status. So one Wait, never more, may have a thread for
// as long as nobody else asks for it.

// front is the process whose Wait has the thread.
var front struct {
	process atomic.Pointer[Process]
	since   atomic.Int64 // when it got it, in nanoseconds
}

// patience is how long a Wait may have the thread before another one may ask it
// to wait like all the others.
const patience = int64(time.Millisecond)

// bell is an event file descriptor that ends the poll of front, and 1, or 0 if
// there is none yet.
var bell atomic.Int32

// openBell returns the bell, or -1 if it cannot be opened now.
func openBell() int {
	if fd := bell.Load(); fd != 0 {
		return int(fd) - 1
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1
	}
	if !bell.CompareAndSwap(0, int32(fd)+1) {
		unix.Close(fd) // another goroutine was faster
	}
	return int(bell.Load()) - 1
}

// ring lets the Wait at the front look up. If it has just left, the next one
// looks up for nothing.
func ring() { unix.Write(int(bell.Load())-1, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// waitInFront waits until p has ended, is closed, ctx has ended, or there is
// another reason to look. It returns false at once if the front is taken. p.mu
// is held, but not while it waits.
func (p *Process) waitInFront(ctx context.Context) (waited bool) {
	if ctx.Err() != nil || openBell() < 0 {
		return false
	}
	now := time.Now().UnixNano()
	if !front.process.CompareAndSwap(nil, p) {
		if now-front.since.Load() > patience {
			ring()
		}
		return false
	}
	front.since.Store(now)
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, ring)()
	}
	// The pidfd may be closed as soon as the lock is open. Whoever does that
	// rings.
	fds := [2]unix.PollFd{{Fd: int32(p.fd)}, {Fd: bell.Load() - 1, Events: unix.POLLIN}}
	if !p.flags.has(AutoReap) {
		fds[0].Events = unix.POLLIN // otherwise POLLHUP: there is no status before
	}
	p.mu.Unlock()
	// No limit of time: to set a timer takes longer than all the rest.
	unix.Ppoll(fds[:], nil, nil)
	if fds[1].Revents != 0 {
		var count [8]byte
		syscall.Read(int(fds[1].Fd), count[:])
	}
	p.mu.Lock()
	front.process.Store(nil)
	return true
}

// leaveFront ends waitInFront for p, whose pidfd is about to be closed.
func (p *Process) leaveFront() {
	if front.process.Load() == p {
		ring()
	}
}
