//go:build linux

package linux

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A flight is a child from its creation until it has executed its program, as
// seen by other goroutines than the one that sleeps meanwhile.
type flight struct {
	began    time.Duration // by clock, if it can be killed
	admitted chan struct{} // closed when it becomes a member of a forkGroup it waits for

	mu       sync.Mutex
	plan     *plan    // once there is one
	numbered bool     // its number is known, and its own until this program reaps it
	landed   bool     // it has executed its program, or is gone
	killed   bool     // by kill
	proc     *Process // once there is one
}

// copied reports whether the child has copies of the descriptors, or needs none
// any more.
func (f *flight) copied() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.landed || f.exists()
}

// exists reports whether the child has been created: its handle is open, and its
// descriptors are copied. It is in flight, and mu is held.
func (f *flight) exists() bool { return f.plan != nil && atomic.LoadInt32(f.plan.born) != 0 }

// isDone reports whether the child is in flight no more.
func (f *flight) isDone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.landed
}

// begin notes that the child c is about to be created by p.
func (f *flight) begin(c *Child, p *plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan, f.numbered = p, !p.how.legacy && !c.Flags.has(AutoReap)
}

// land notes that the child is in flight no more: kill does nothing from now on.
// It reports whether the child was killed before.
func (f *flight) land() (killed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.landed = true
	return f.killed
}

// kill kills the child if it is in flight, be it that it stands still. A child
// that is just being created is waited for.
func (f *flight) kill() { f.poll(f.tryKill) }

// poll calls done until it returns true.
func (f *flight) poll(done func() bool) {
	for pause := 20 * time.Microsecond; !done(); pause = min(2*pause, time.Millisecond) {
		time.Sleep(pause)
	}
}

// tryKill reports whether the child has been killed, or is in flight no more.
func (f *flight) tryKill() (done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.landed:
		return true
	case !f.exists():
		return false
	}
	f.killed = f.sendKill()
	return f.killed
}

// sendKill reports whether it has killed the child: by its pidfd or, where a
// seccomp filter denies that, by its number. mu is held.
func (f *flight) sendKill() bool {
	var err error
	if f.proc != nil { // which may have been closed
		err = f.proc.Kill()
	} else {
		err = unix.PidfdSendSignal(int(atomic.LoadInt32(f.plan.pidfd)), syscall.SIGKILL, nil, 0)
	}
	switch {
	case err == nil, errors.Is(err, unix.ESRCH), errors.Is(err, os.ErrProcessDone):
		return true
	case !f.numbered:
		return false
	}
	return unix.Kill(int(atomic.LoadInt32(f.plan.born)), unix.SIGKILL) == nil
}

// landsSoon waits for the child to land, for a time in which all do that do not
// stand still.
func (f *flight) landsSoon() (landed bool) {
	deadline := time.Now().Add(20 * time.Millisecond)
	f.poll(func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		landed = f.landed
		return landed || time.Now().After(deadline)
	})
	return landed
}

// killAtEnd lets the child be killed when ctx has ended and it stands still: one
// that is about to execute its program is not killed for a context that ends by
// chance right then. The function that it returns is to be called once the
// child has landed.
func (f *flight) killAtEnd(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	f.began = clock()
	done := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		defer close(done)
		if !f.landsSoon() {
			f.kill()
		}
	})
	return func() {
		if !forget() {
			<-done
		}
	}
}
