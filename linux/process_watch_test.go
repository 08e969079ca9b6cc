//go:build linux

package linux_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// A descriptor of a process that has ended goes on telling so. Nobody is to
// listen all the time.
func TestEndedChildrenCostNothing(t *testing.T) {
	const n = 20
	for range n {
		c := child("hold")
		c.LeaveZombie = true
		p, release := held(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.Wait(ctx) // lets the watcher know of it
		p.PidFD()   // keeps the descriptor open
		release()
		wait(t, p)
		defer syscall.Wait4(p.Pid(), nil, 0, nil)
	}
	used := func() time.Duration {
		var r unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
			t.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	before := used()
	const idle = time.Second
	time.Sleep(idle)
	if spent := used() - before; spent > idle/4 { // who listens all the time gets more, even of busy processors
		t.Errorf("an idle program used the processor for %v of %v", spent, idle)
	}
}

// The watcher forgets those that are gone.
func TestWatcherForgets(t *testing.T) {
	before := linux.Watched()
	for range 20 {
		p, release := held(t, child("hold"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.Wait(ctx)
		release()
		wait(t, p)
		p.Close()
	}
	if after := linux.Watched(); after > before {
		t.Errorf("the watcher knows %d processes, %d before", after, before)
	}
}

// The watcher still knows whose a pidfd is when it has known very many.
func TestWatcherHasManyTickets(t *testing.T) {
	linux.SkipTickets()
	p, release := held(t, child("hold"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.Wait(ctx) // lets the watcher know of it
	release()
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := p.Wait(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("got %v, %v, want to be woken before the context ends", err, ctx.Err())
	}
}

// The end of a process that comes while somebody begins to wait is not missed.
func TestWaitMissesNoEnd(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 100
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range n / 4 {
				p, err := linux.Clone3(background, tiny(t, 1))
				if err != nil {
					t.Error(err)
					return
				}
				f, err := p.PidFD().Dup()
				if err != nil {
					t.Error(err)
					return
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if err := f.WaitEnd(ctx); err != nil {
					t.Errorf("WaitEnd: %v", err)
				}
				cancel()
				f.Close()
				wait(t, p)
				p.Close()
			}
		})
	}
	group.Wait()
}
