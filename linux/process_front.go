//go:build linux

package linux

import (
	"context"
	"os"
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
//
// With programs that take longer it costs more time of processors than it saves:
// the thread falls asleep, and another one has to be woken to go on meanwhile.
// So it is for programs that mostly have ended soon of late.

// front is the process whose Wait has the thread.
var front struct {
	process atomic.Pointer[Process]
	since   atomic.Int64 // when it got it, by clock
	thread  atomic.Int32 // which thread

	late atomic.Int32 // how many of the last Waits have not ended soon, see note
}

// patience is how long a Wait may have the thread before another one may ask it
// to wait like all the others, and what soon means.
const patience = time.Millisecond

// loaded is when this program was started, nearly.
var loaded = time.Now()

// clock returns the time since then. It asks for one of the two times that
// time.Now asks for.
func clock() time.Duration { return time.Since(loaded) }

// Of late are the last dozen Waits, or so: a later one counts more.
const (
	latest  = 8               // the weight of the last Wait is one in so many
	allLate = 1 << 10         // late, if none of them has ended soon
	tooLate = allLate * 3 / 4 // late, if a thread would not be worth it
)

// note takes into account that a Wait took some time. Of two that end at the
// same time one may be lost.
func note(d time.Duration) {
	late := front.late.Load()
	if d < patience {
		front.late.Store(late - (late+latest-1)/latest)
	} else {
		front.late.Store(late + (allLate-late)/latest)
	}
}

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
func ring() {
	if p := front.process.Load(); !rung() && p != nil {
		go p.shake()
	}
}

func rung() bool {
	n, err := unix.Write(int(bell.Load())-1, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return n == 8 || err == unix.EAGAIN // it rings already
}

// shake lets the Wait of p look up where the bell makes no sound, as when some
// part of this program has closed it: a signal to its thread ends the poll too.
// The runtime makes nothing of this one.
func (p *Process) shake() {
	for front.process.Load() == p && !rung() {
		unix.Tgkill(os.Getpid(), int(front.thread.Load()), unix.SIGURG)
		time.Sleep(askEvery)
	}
}

// waitInFront waits until p has ended, is closed, ctx has ended, or there is
// another reason to look. It returns at once if the front is taken. p.mu is
// held, but not while it waits.
func (p *Process) waitInFront(ctx context.Context, now time.Duration) {
	if front.late.Load() >= tooLate || ctx.Err() != nil || openBell() < 0 {
		return
	}
	if !front.process.CompareAndSwap(nil, p) {
		if now-time.Duration(front.since.Load()) > patience {
			ring()
		}
		return
	}
	front.since.Store(int64(now))
	front.thread.Store(int32(unix.Gettid()))
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
}

// leaveFront ends waitInFront for p, whose pidfd is about to be closed.
func (p *Process) leaveFront() {
	if front.process.Load() == p {
		ring()
	}
}
