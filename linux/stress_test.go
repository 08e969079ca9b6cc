//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// TestStress creates children from many goroutines while the garbage collector
// works all the time. Some of them fail, some contexts end, some wait for this
// program. CLONE3_STRESS sets their number; CLONE3_SOAK instead for how many
// minutes.
func TestStress(t *testing.T) {
	total := 2000
	if testing.Short() || tinyProgram(t) == "" {
		total = 100
	}
	if n, err := strconv.Atoi(os.Getenv("CLONE3_STRESS")); err == nil {
		total = n
	}
	var end time.Time
	if minutes, err := strconv.ParseFloat(os.Getenv("CLONE3_SOAK"), 64); err == nil {
		total, end = math.MaxInt, time.Now().Add(time.Duration(minutes*float64(time.Minute)))
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)

	kinds := []linux.Flags{0}
	for _, f := range []linux.Flags{linux.AutoReap, linux.AutoKill | linux.NoNewPrivs} {
		if linux.Probe(f) == nil {
			kinds = append(kinds, f)
		}
	}
	var done atomic.Int64
	var count stressCount
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 0))
			for n := done.Add(1); n <= int64(total) && (end.IsZero() || time.Now().Before(end)); n = done.Add(1) {
				flags := kinds[random.IntN(len(kinds))]
				if err := stressOne(t, random, flags, &count); err != nil {
					t.Errorf("%v: %v", flags, err)
					if count.wrong.Add(1) > 20 {
						return
					}
				}
			}
		})
	}
	group.Wait()
	select {
	case <-children:
	default:
		t.Error("no SIGCHLD has come")
	}
	t.Logf("%d children: %d failed as they were to, %d cut by a context, %d refused by Created, %d waits ended by a context, %d closed before their end; %d wrong",
		min(done.Load(), int64(total)), count.failed.Load(), count.cut.Load(), count.refused.Load(), count.impatient.Load(), count.closed.Load(), count.wrong.Load())
}

// A stressCount counts what has become of children.
type stressCount struct{ failed, cut, refused, impatient, closed, wrong atomic.Int64 }

var errUnwanted = errors.New("refused")

// stressOne creates a child in a way that is left to chance, and returns what is
// wrong with what becomes of it.
func stressOne(t *testing.T, random *rand.Rand, flags linux.Flags, count *stressCount) error {
	one := func(in int) bool { return random.IntN(in) == 0 }
	soon := func() time.Duration { return time.Duration(random.IntN(300)) * time.Microsecond }

	args := 1 + random.IntN(100)
	c := tiny(t, args)
	c.Flags, c.InheritFiles = flags, one(4)
	fails := one(10)
	if fails {
		c.Path, c.Exec = "/no/such", nil
	}
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	ends := one(5)
	if ends {
		defer time.AfterFunc(soon(), cancel).Stop()
	}
	refuses := false
	switch {
	case ends && one(10): // it stands still until it is killed
		c.Created = func(*linux.Process) error { <-ctx.Done(); time.Sleep(15 * time.Millisecond); return nil }
	case one(10):
		refuses = one(4)
		c.Created = func(p *linux.Process) error {
			if refuses || p.Pid() <= 0 {
				return errUnwanted
			}
			return nil
		}
	}

	p, err := linux.Clone3(ctx, c)
	switch {
	case err == nil && (fails || refuses):
		p.Close()
		return errors.New("created a process that was to fail")
	case err == nil:
	case fails && errors.Is(err, os.ErrNotExist):
		count.failed.Add(1)
		return nil
	case refuses && errors.Is(err, errUnwanted):
		count.refused.Add(1)
		return nil
	case ends && errors.Is(err, context.Canceled):
		count.cut.Add(1)
		return nil
	default:
		return err
	}

	defer p.Close()
	if one(5) {
		patience, cancel := context.WithTimeout(background, soon()/4)
		s, err := p.Wait(patience)
		cancel()
		switch {
		case err == nil && s.Code() == args:
			return nil
		case !errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("got %v, %v from a short Wait, want exit status %d", s, err, args)
		}
		count.impatient.Add(1)
		if one(4) {
			count.closed.Add(1)
			return nil
		}
	}
	patience, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	if s, err := p.Wait(patience); err != nil || s.Code() != args {
		return fmt.Errorf("got %v, %v, want exit status %d", s, err, args)
	}
	return nil
}
