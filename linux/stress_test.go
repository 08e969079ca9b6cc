//go:build linux

package linux_test

import (
	"context"
	"errors"
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
// works all the time, and some of them fail. CLONE3_STRESS sets their number;
// CLONE3_SOAK instead for how many minutes.
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

	type kind struct {
		name  string
		flags linux.Flags
	}
	kinds := []kind{{"plain", 0}}
	for _, f := range []linux.Flags{linux.AutoReap, linux.AutoKill | linux.NoNewPrivs} {
		if linux.Probe(f) == nil {
			kinds = append(kinds, kind{f.String(), f})
		}
	}
	var done, failed, wrong atomic.Int64
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 0))
			for n := done.Add(1); n <= int64(total) && (end.IsZero() || time.Now().Before(end)); n = done.Add(1) {
				k := kinds[random.IntN(len(kinds))]
				args := 1 + random.IntN(100)
				c := tiny(t, args)
				c.Flags = k.flags
				fails := random.IntN(10) == 0
				if fails {
					c.Path, c.Exec = "/no/such", nil
					failed.Add(1)
				}
				p, err := linux.Clone3(background, c)
				if fails {
					if !errors.Is(err, os.ErrNotExist) {
						wrong.Add(1)
						t.Errorf("%s: got error %v, want %v", k.name, err, os.ErrNotExist)
					}
					continue
				}
				if err != nil {
					wrong.Add(1)
					t.Errorf("%s: %v", k.name, err)
					continue
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				if s, err := p.Wait(ctx); err != nil || s.Code() != args {
					wrong.Add(1)
					t.Errorf("%s: got %v, %v, want exit status %d", k.name, s, err, args)
				}
				cancel()
				p.Close()
				if wrong.Load() > 20 {
					return
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
	n := min(done.Load(), int64(total))
	t.Logf("%d children, %d of them to fail, %d wrong", n, failed.Load(), wrong.Load())
}
