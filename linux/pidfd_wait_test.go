//go:build linux

package linux_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// grandchild creates a child that holds, and reaps it when it has ended. It
// writes a byte when it has created it.
var _ = helper("grandchild", func(args []string) int {
	p, err := linux.Clone3(background, child(args[0], args[1:]...))
	if err != nil {
		return 100
	}
	os.Stdout.WriteString(itoa(p.Pid()) + "\n")
	os.Stdin.Read(make([]byte, 1)) // when to reap
	if _, err := p.Wait(context.Background()); err != nil {
		return 101
	}
	return 0
})

// orphan returns a handle of a process that is not a child, and a function that
// lets its parent reap it.
func orphan(t testing.TB, name string, args ...string) (*linux.PidFD, func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("grandchild", append([]string{name}, args...)...)
	c.Files[1] = w
	_, release := held(t, c)
	w.Close()
	f, err := linux.OpenPidFD(scanInt(t, r))
	own(t, f, err)
	t.Cleanup(func() { f.Signal(unix.SIGKILL) })
	return f, release
}

func TestWaitTellsTheStatusOfAnyProcess(t *testing.T) {
	t.Run("child, which stays to be reaped", func(t *testing.T) {
		f, p, release := living(t, child("hold"))
		release()
		if status, err := f.Wait(t.Context()); !status.Success() || err != nil {
			t.Errorf("Wait: got %v, %v", status, err)
		}
		if status, err := p.Wait(t.Context()); !status.Success() || err != nil {
			t.Errorf("Process.Wait: got %v, %v", status, err)
		}
	})
	t.Run("child of os/exec", func(t *testing.T) {
		cmd := exec.Command("/proc/self/exe", "5")
		cmd.Env = append(os.Environ(), helperVar+"=exit")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		f, err := linux.OpenProcess(cmd.Process)
		own(t, f, err)
		if status, err := f.Wait(t.Context()); status.Code() != 5 || err != nil {
			t.Errorf("Wait: got %v, %v", status, err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 5 {
			t.Errorf("cmd.Wait: got %v", err)
		}
	})
	t.Run("not a child", func(t *testing.T) {
		f, reap := orphan(t, "exit", "9")
		reap()
		status, err := f.Wait(t.Context())
		kerneltest.Need(t, "PIDFD_INFO_EXIT", "6.15", err)
		if status.Code() != 9 {
			t.Errorf("Wait: got %v, want code 9", status)
		}
	})
	t.Run("not a child, but its end is known in time", func(t *testing.T) {
		f, _ := orphan(t, "exit", "9")
		is(t, "WaitEnd of a zombie", f.WaitEnd(t.Context()), nil)
	})
	t.Run("reaped", func(t *testing.T) {
		status, err := reaped(t).Wait(t.Context())
		kerneltest.Need(t, "PIDFD_INFO_EXIT", "6.15", err)
		if status.Code() != 7 {
			t.Errorf("Wait: got %v, want code 7", status)
		}
	})
	t.Run("thread", func(t *testing.T) {
		kerneltest.Need(t, "OpenThread", "6.9", linux.Supported(linux.OpOpenThread))
		f, end := thread(t)
		if thread, err := f.IsThread(); !thread || err != nil {
			t.Errorf("IsThread: got %v, %v", thread, err)
		}
		end()
		is(t, "WaitEnd", f.WaitEnd(t.Context()), nil)
		status, err := f.Wait(t.Context())
		kerneltest.Need(t, "PIDFD_INFO_EXIT", "6.15", err)
		if !status.Success() {
			t.Errorf("Wait: got %v", status)
		}
	})
}

// thread returns a handle of a thread of this program that runs until end.
func thread(t testing.TB) (f *linux.PidFD, end func()) {
	t.Helper()
	opened, ending := make(chan struct{}), make(chan struct{})
	var err error
	goThread(func() {
		f, err = linux.OpenThread(unix.Gettid())
		close(opened)
		<-ending
	})
	<-opened
	end = sync.OnceFunc(func() { close(ending) })
	t.Cleanup(end)
	return own(t, f, err), end
}

func TestPidFDWaitReturnsWhenContextEnds(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	_, err := f.Wait(ctx)
	is(t, "Wait", err, why)
	is(t, "WaitEnd", f.WaitEnd(ctx), why)
	_, err = f.WaitEvent(ctx)
	is(t, "WaitEvent", err, why)
	_, _, err = f.Reap(ctx)
	is(t, "Reap", err, why)
	is(t, "the process", f.Signal(0), nil)
}

func TestPidFDWaitReturnsWhenClosed(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	waiting := make(chan error)
	for range 10 {
		go func() {
			_, err := f.Wait(context.Background())
			waiting <- err
		}()
	}
	time.Sleep(10 * time.Millisecond) // most of them wait by then
	f.Close()
	for range 10 {
		is(t, "Wait", <-waiting, os.ErrClosed)
	}
}

func TestReap(t *testing.T) {
	f, p := zombie(t)
	status, usage, err := f.Reap(t.Context())
	if err != nil || !status.Success() || usage.Maxrss == 0 {
		t.Errorf("got %v, %+v, %v", status, usage, err)
	}
	_, _, err = f.Reap(t.Context())
	is(t, "Reap again", err, unix.ECHILD)
	if status, err := p.Wait(t.Context()); err == nil {
		if !status.Success() {
			t.Errorf("Wait for a child that was reaped: got %v", status)
		}
	} else {
		kerneltest.Need(t, "PIDFD_INFO_EXIT", "6.15", err)
	}
	g, _ := orphan(t, "sleep")
	_, _, err = g.Reap(t.Context())
	is(t, "Reap of another's child", err, unix.ECHILD)
}

// pidfd_wait: wait_states
func TestStopsAreEventsThatAreNotTheEnd(t *testing.T) {
	for _, lent := range []bool{false, true} {
		name := map[bool]string{false: "owned", true: "lent"}[lent]
		t.Run(name, func(t *testing.T) {
			f, p, _ := living(t, child("sleep"))
			if lent {
				f = p.PidFD()
			}
			next := func(want linux.Event) {
				t.Helper()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				if e, err := f.WaitEvent(ctx); e != want || err != nil {
					t.Fatalf("got %+v, %v, want %+v", e, err, want)
				}
			}
			for range 2 {
				f.Signal(unix.SIGSTOP)
				next(linux.Event{Kind: linux.Stopped, Signal: unix.SIGSTOP})
				f.Signal(unix.SIGCONT)
				next(linux.Event{Kind: linux.Continued, Signal: unix.SIGCONT})
			}
			go f.Signal(unix.SIGKILL) // while it is waited for
			for range 2 {
				next(linux.Event{Kind: linux.Ended, Signal: unix.SIGKILL, Status: linux.ExitStatus(unix.SIGKILL)})
			}
			if status := wait(t, p); status.Signal() != unix.SIGKILL {
				t.Errorf("Process.Wait: got %v", status)
			}
		})
	}
	f, _ := orphan(t, "sleep")
	_, err := f.WaitEvent(t.Context())
	is(t, "WaitEvent of another's child", err, unix.ECHILD)
}
