//go:build linux

package linux_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// osChild starts a helper by package os. It ends when release is called.
func osChild(t *testing.T, code string) (p *os.Process, release func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err = os.StartProcess("/proc/self/exe", []string{"helper", code}, &os.ProcAttr{
		Env:   append(environ(), helperVar+"=exit when told", "GORACE=atexit_sleep_ms=0"),
		Files: []*os.File{r, nil, os.Stderr},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if err := p.WithHandle(func(uintptr) {}); err != nil {
		w.Close()
		p.Wait()
		t.Skip(err)
	}
	return p, func() { w.Close() }
}

var _ = helper("exit when told", func(args []string) int {
	os.Stdin.Read(make([]byte, 1))
	return helpers["exit"](args)
})

func TestWaitProcess(t *testing.T) {
	p, release := osChild(t, "7")
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if status, err := linux.WaitProcess(short, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it runs: got %v, %v", status, err)
	}
	before := openFiles(t)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			for range 2 {
				if status, err := linux.WaitProcess(t.Context(), p); status.Code() != 7 || err != nil {
					t.Errorf("got %v, %v, want exit status 7", status, err)
				}
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	release()
	wg.Wait()
	if after := openFiles(t); after > before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
	if state, err := p.Wait(); err != nil || state.ExitCode() != 7 {
		t.Errorf("Process.Wait: got %v, %v, want exit status 7", state, err)
	}
	_, err := linux.WaitProcess(t.Context(), p)
	is(t, "after Process.Wait", err, os.ErrProcessDone)

	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer self.Release()
	_, err = linux.WaitProcess(t.Context(), self)
	is(t, "no child", err, syscall.ECHILD)
}

// To reap and to release a process meanwhile does no harm.
func TestWaitProcessThatIsReaped(t *testing.T) {
	p, release := osChild(t, "7")
	waiting := make(chan error)
	go func() {
		_, err := linux.WaitProcess(t.Context(), p)
		waiting <- err
	}()
	time.Sleep(20 * time.Millisecond)
	time.AfterFunc(5*time.Millisecond, release)
	if state, err := p.Wait(); err != nil || state.ExitCode() != 7 {
		t.Errorf("Process.Wait: got %v, %v, want exit status 7", state, err)
	}
	if err := <-waiting; err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

func TestHoldProcess(t *testing.T) {
	p, release := osChild(t, "7")
	q, err := linux.HoldProcess(p)
	if err != nil {
		t.Fatal(err)
	}
	if q.Pid() != p.Pid {
		t.Errorf("Pid: got %d, want %d", q.Pid(), p.Pid)
	}
	is(t, "Signal", q.Signal(0), nil)
	release()
	if status := wait(t, q); status.Code() != 7 {
		t.Errorf("got %v, want exit status 7", status)
	}
	q.Close()
	if state, err := p.Wait(); err != nil || state.ExitCode() != 7 { // it is not reaped before
		t.Errorf("Process.Wait: got %v, %v, want exit status 7", state, err)
	}
	_, err = linux.HoldProcess(p)
	is(t, "HoldProcess after Wait", err, os.ErrProcessDone)
}
