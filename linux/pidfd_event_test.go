//go:build linux

package linux_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// WaitEvent subscribes to signals while it waits, and not for ever.
func TestWaitEventEndsItsSubscription(t *testing.T) {
	c := child("exit", "0")
	c.LeaveZombie = true
	p := start(t, c)
	f, err := p.PidFD().Dup()
	own(t, f, err)
	is(t, "WaitEnd", f.WaitEnd(t.Context()), nil)
	allocated := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := allocated()
	const n = 5000
	for range n {
		if event, err := f.WaitEvent(t.Context()); event.Kind != linux.Ended || err != nil {
			t.Fatalf("got %+v, %v, want the end", event, err)
		}
	}
	if grown := int64(allocated() - before); grown > n*100 {
		t.Errorf("%d calls have left %d bytes", n, grown)
	}
	f.Reap(t.Context())
}

func TestKindsOfEventsHaveNames(t *testing.T) {
	for kind, want := range map[linux.EventKind]string{
		linux.Ended: "ended", linux.Stopped: "stopped", linux.Continued: "continued", linux.Trapped: "trapped", 99: "event 99",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%d: got %q, want %q", int(kind), got, want)
		}
	}
}

// Of a process that lives, and is no child, there are no events.
func TestWaitEventOfNoChild(t *testing.T) {
	for name, pid := range map[string]int{"this process": unix.Getpid(), "its parent": unix.Getppid()} {
		if pid == 0 { // in another PID namespace
			continue
		}
		f, err := linux.OpenPidFD(pid)
		own(t, f, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = f.WaitEvent(ctx)
		is(t, name, err, unix.ECHILD)
	}
}

// A traced child that stops has not ended, and who asks for its end does not take
// its stop away.
func TestStopOfTracedChildIsNoEnd(t *testing.T) {
	lockThread(t)
	c := tiny(t, 3)
	c.Env = append(c.Env, "GODEBUG=asyncpreemptoff=1")
	c.Ptrace = true
	p := start(t, c)
	fd, err := linux.OpenPidFD(p.Pid())
	own(t, fd, err)
	for name, ask := range map[string]func(context.Context) error{
		"Process.Wait": func(ctx context.Context) error { _, err := p.Wait(ctx); return err },
		"PidFD.Wait":   func(ctx context.Context) error { _, err := fd.Wait(ctx); return err },
		"PidFD.Reap":   func(ctx context.Context) error { _, _, err := fd.Reap(ctx); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		is(t, name, ask(ctx), context.DeadlineExceeded)
		cancel()
	}
	if event, err := fd.WaitEvent(t.Context()); event.Kind != linux.Trapped || err != nil {
		t.Errorf("got %+v, %v, want the trap", event, err)
	}
	if err := unix.PtraceCont(p.Pid(), 0); err != nil {
		t.Fatal(err)
	}
	if s := wait(t, p); s.Code() != 3 {
		t.Errorf("got %v, want code 3", s)
	}
}

// The signal of a trap is SIGTRAP, whatever else the kernel tells of it.
func TestWaitEventOfATrap(t *testing.T) {
	lockThread(t) // which alone may trace
	c := tiny(t, 3)
	c.Env = append(c.Env, "GODEBUG=asyncpreemptoff=1") // which stops at signals
	c.Ptrace = true
	p := start(t, c)
	if event, err := p.PidFD().WaitEvent(t.Context()); event.Kind != linux.Trapped || event.Signal != unix.SIGTRAP || err != nil {
		t.Fatalf("after exec: got %+v, %v, want a trap", event, err)
	}
	if err := unix.PtraceSetOptions(p.Pid(), unix.PTRACE_O_TRACEEXIT|unix.PTRACE_O_EXITKILL); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := unix.PtraceCont(p.Pid(), 0); err != nil {
			t.Fatal(err)
		}
		if event, err := p.PidFD().WaitEvent(t.Context()); err != nil {
			t.Fatal(err)
		} else if event.Kind == linux.Ended {
			if event.Status.Code() != 3 {
				t.Errorf("got %v, want code 3", event.Status)
			}
			break
		} else if event.Kind != linux.Trapped || event.Signal != unix.SIGTRAP {
			t.Errorf("got %+v, want a trap", event)
		}
	}
	wait(t, p)
}
