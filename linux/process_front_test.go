//go:build linux

package linux_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// waitInFront lets a process be waited for by a Wait that has a thread, and
// returns the process, what ends it, and the error of Wait to come. A Wait that is
// rung for by somebody who was at the front before gives its thread back.
func waitInFront(t *testing.T) (p *linux.Process, release func(), done <-chan error) {
	t.Helper()
	for range 20 {
		p, release := held(t, child("hold"))
		done := make(chan error, 1)
		go func() {
			_, err := p.Wait(background)
			done <- err
		}()
		for range 1000 {
			if linux.FrontTaken() {
				return p, release, done
			}
			time.Sleep(time.Millisecond)
		}
		release()
		is(t, "Wait", <-done, nil)
	}
	t.Fatal("no Wait has a thread, though programs end soon")
	return nil, nil, nil
}

// Where programs end soon a Wait gets a thread, and gives it back.
func TestWaitHasAThreadWhereProgramsEndSoon(t *testing.T) {
	defer linux.SetLate(false)()
	_, release, done := waitInFront(t)
	release()
	is(t, "Wait", <-done, nil)
	if linux.FrontTaken() {
		t.Error("a Wait that has returned has a thread")
	}
}

// Where programs take long no Wait gets one.
func TestWaitHasNoThreadWhereProgramsTakeLong(t *testing.T) {
	defer linux.SetLate(true)()
	p, release := held(t, child("hold"))
	done := make(chan error)
	go func() {
		_, err := p.Wait(background)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if linux.FrontTaken() {
		t.Error("a Wait has a thread, though programs take long")
	}
	release()
	is(t, "Wait", <-done, nil)
}

func TestCloseEndsWaitThatHasAThread(t *testing.T) {
	defer linux.SetLate(false)()
	p, release, done := waitInFront(t)
	defer release()
	p.Close()
	select {
	case err := <-done:
		is(t, "Wait", err, os.ErrClosed)
	case <-time.After(20 * time.Second):
		t.Error("Wait goes on after Close")
	}
}

// So does one that has none.
func TestCloseEndsWaitThatHasNoThread(t *testing.T) {
	linux.SetFront(false)
	defer linux.SetFront(true)
	p, release := held(t, child("hold"))
	defer release()
	done := make(chan error, 1)
	go func() {
		_, err := p.Wait(background)
		done <- err
	}()
	time.Sleep(50 * time.Millisecond) // it waits by then, or else has nothing to be woken from
	p.Close()
	select {
	case err := <-done:
		is(t, "Wait", err, os.ErrClosed)
	case <-time.After(20 * time.Second):
		t.Error("Wait goes on after Close")
	}
}

// A closed Process whose zombie is left to others is of no concern any more; its
// descriptor is closed when nobody uses it.
func TestCloseOfWhatIsLeftToOthers(t *testing.T) {
	c := child("hold")
	c.LeaveZombie = true
	p, release := held(t, c)
	before := linux.Watched()
	err := p.PidFD().WithFD(func(fd int) {
		p.Close()
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			t.Error("the descriptor was closed while it was in use:", err)
		}
	})
	is(t, "WithFD", err, nil)
	if after := linux.Watched(); after > before {
		t.Errorf("the watcher knows %d processes, %d before", after, before)
	}
	release()
	if _, err := unix.Wait4(p.Pid(), nil, 0, nil); err != nil {
		t.Error("wait4:", err)
	}
}

// Where there is no descriptor to watch by, processes are asked.
func TestWaitWithoutDescriptors(t *testing.T) { passes(t, child("wait without descriptors")) }

var _ = helper("wait without descriptors", func([]string) int {
	r, w, err := os.Pipe()
	if err != nil {
		return fail("%v", err)
	}
	c := child("hold")
	c.Files[0] = r
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("%v", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: 100}); err != nil {
		return fail("setrlimit: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { w.Close() })
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	if status, err := p.Wait(ctx); err != nil || !status.Success() {
		return fail("Wait: got %v, %v, want success", status, err)
	}
	if ctx.Err() != nil {
		return fail("Wait has only looked when its context ended")
	}
	return 0
})

// The end of a context ends a Wait that has a thread also if some part of the
// program has closed the descriptor by which it is woken.
func TestWaitWhoseBellIsClosed(t *testing.T) { passes(t, child("closed bell")) }

var _ = helper("closed bell", func([]string) int {
	c := child("sleep")
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("%v", err)
	}
	ctx, cancel := context.WithCancel(background)
	waited := make(chan error, 1)
	go func() {
		_, err := p.Wait(ctx)
		waited <- err
	}()
	for !linux.FrontTaken() {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(5 * time.Millisecond) // and it polls
	unix.Close(linux.Bell())
	cancel()
	failed := 0
	if err := <-waited; !errors.Is(err, context.Canceled) {
		failed = fail("Wait: got %v, want %v", err, context.Canceled)
	}
	p.Kill()
	if s, err := p.Wait(background); err != nil || s.Signal() != unix.SIGKILL {
		failed = fail("the child: %v, %v", s, err)
	}
	return failed
})
