//go:build linux

package linux_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// A thousand goroutines open, wait for, signal and close handles of children
// that die all the while. No signal ever comes to a process it was not meant
// for: each child is sent one signal that is its own, and dies of no other. What
// is left over is found by TestMain, races by the race detector.
func TestThousandGoroutinesUseDyingChildren(t *testing.T) {
	children, goroutines := 40, 1000
	if testing.Short() {
		children, goroutines = 10, 200
	}
	type target struct {
		*linux.Process
		sig  syscall.Signal
		sent atomic.Bool
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var mu sync.RWMutex
	targets := make([]*target, children)
	create := func(i int) {
		c := child("sleep")
		c.ResetSignals = true // so that it dies of each
		p, err := linux.Clone3(background, c)
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		targets[i] = &target{Process: p, sig: []syscall.Signal{unix.SIGKILL, unix.SIGTERM, unix.SIGHUP}[i%3]}
		mu.Unlock()
	}
	for i := range children {
		create(i)
	}
	if t.Failed() {
		return
	}
	var died, used atomic.Int64
	end := func(x *target) {
		died.Add(1)
		status, err := x.Wait(ctx)
		if err != nil || status.Signal() != x.sig {
			t.Errorf("a child meant to die of %v: %v, %v", x.sig, status, err)
			x.Kill()
		}
		x.Close()
	}

	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(g)))
			for n := 0; n < 10 && ctx.Err() == nil; {
				i := random.IntN(children)
				mu.RLock()
				x := targets[i]
				mu.RUnlock()
				if x == nil { // another is being made
					runtime.Gosched()
					continue
				}
				f, err := reopen(x.Process, random.IntN(3))
				if errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrProcessDone) || errors.Is(err, unix.ESTALE) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					t.Error("open:", err)
					return
				}
				used.Add(1)
				n++
				var users sync.WaitGroup
				users.Go(func() {
					if _, err := f.Wait(ctx); err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, errors.ErrUnsupported) {
						t.Error("Wait:", err)
					}
				})
				if random.IntN(20) == 0 {
					x.sent.Store(true)
					if err := f.Signal(x.sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
						t.Error("Signal:", err)
					}
				} else if err := f.Signal(0); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Error("Signal 0:", err)
				}
				f.Info()
				if err := f.Close(); err != nil {
					t.Error("Close:", err)
				}
				if err := f.Signal(unix.SIGQUIT); !errors.Is(err, os.ErrClosed) {
					t.Error("Signal after Close:", err)
				}
				users.Wait()
				// The first to find it dying makes another in its place.
				if x.sent.Load() {
					mu.Lock()
					mine := targets[i] == x
					if mine {
						targets[i] = nil
					}
					mu.Unlock()
					if mine {
						end(x)
						create(i)
					}
				}
			}
		})
	}
	group.Wait()
	// Else the test tests nothing.
	if used.Load() < 10*int64(goroutines) || died.Load() < int64(children) {
		t.Errorf("%d handles were used and %d children died", used.Load(), died.Load())
	}
	t.Logf("%d handles were used and %d children died", used.Load(), died.Load())
	for _, x := range targets {
		if x != nil {
			x.Signal(x.sig)
			end(x)
		}
	}
}

// reopen opens a handle of a process in one of three ways.
func reopen(p *linux.Process, way int) (*linux.PidFD, error) {
	lent := p.PidFD()
	switch {
	case way == 1 && linux.Supported(linux.OpHandle) == nil:
		h, err := lent.Handle()
		if err != nil {
			return nil, err
		}
		return linux.OpenHandle(h)
	case way == 2 && linux.Supported(linux.OpID) == nil:
		f, err := linux.OpenPidFD(p.Pid())
		if err != nil {
			return nil, err
		}
		// The number may be another's by now.
		if same, err := f.Equal(lent); !same {
			f.Close()
			return nil, errors.Join(os.ErrProcessDone, err)
		}
		return f, nil
	}
	return lent.Dup()
}
