//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// soon is how long a test waits for what takes no time to speak of: on an
// emulated machine that others use too.
const soon = 5 * time.Second

// A stall is what keeps a child from coming to its program.
type stall struct {
	name  string
	setUp func(testing.TB, *linux.Child)
	at    [2]linux.StepKind // where it then is: without, and with InheritFiles
}

var stalls = []stall{
	{"frozen control group", func(t testing.TB, c *linux.Child) {
		c.Cgroup, _ = frozen(t)
	}, [2]linux.StepKind{linux.StepFiles, linux.StepParent}},
	{"lease", func(t testing.TB, c *linux.Child) {
		c.Exec, c.Path = nil, leasedByOther(t)
	}, [2]linux.StepKind{linux.StepExec, linux.StepExec}},
	{"stopped", func(t testing.TB, c *linux.Child) {
		c.Created = func(p *linux.Process) error { return unix.Kill(p.Pid(), syscall.SIGSTOP) }
	}, [2]linux.StepKind{linux.StepGate, linux.StepGate}},
	{"stopped at exec", func(t testing.TB, c *linux.Child) {
		c.Exec, c.Path = nil, leasedByOther(t)
		c.Created = func(p *linux.Process) error {
			time.AfterFunc(5*time.Millisecond, func() { unix.Kill(p.Pid(), syscall.SIGSTOP) })
			return nil
		}
	}, [2]linux.StepKind{linux.StepExec, linux.StepExec}},
	{"Created", func(t testing.TB, c *linux.Child) {
		c.Created = func(p *linux.Process) error {
			for p.Signal(0) == nil {
				time.Sleep(time.Millisecond)
			}
			return nil
		}
	}, [2]linux.StepKind{linux.StepGate, linux.StepGate}},
}

// A child that stands still on its way to its program is ended by the context of
// its creation, and nobody else notices: neither those who create other
// children, in whatever way, nor the garbage collector.
func TestStalledChild(t *testing.T) {
	for _, s := range stalls {
		for i, files := range []string{"own files", "InheritFiles"} {
			t.Run(s.name+"/"+files, func(t *testing.T) {
				c := child("exit", "0")
				c.InheritFiles = i == 1
				s.setUp(t, c)
				traffic := startTraffic(t)
				limit := max(100*time.Millisecond, 2*traffic.pace())
				ctx, cancel := context.WithTimeout(background, limit)
				defer cancel()

				locked := make(chan time.Duration, 1)
				began := time.Now()
				time.AfterFunc(limit/4, func() { // the child has stood still for long by then
					began := time.Now()
					syscall.ForkLock.Lock()
					locked <- time.Since(began)
					syscall.ForkLock.Unlock()
				})
				collected := traffic.collect()
				p, err := linux.Clone3(ctx, c)
				took := time.Since(began) - limit
				gc := collected()
				if err == nil {
					wait(t, p)
					t.Fatal("the child has come to its program")
				}
				var step *linux.StepError
				if !errors.As(err, &step) || step.Kind != s.at[i] || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got error %v, want it to be in step %v, and %v", err, s.at[i], context.DeadlineExceeded)
				}
				if p != nil {
					t.Errorf("got a Process besides the error %v", err)
				}
				lock := <-locked
				done := traffic.stop()
				for name, d := range map[string]time.Duration{"Clone3 returned after the context's end in": took, "ForkLock was locked in": lock, "the longest collection of garbage took": gc} {
					t.Logf("%s %v", name, d.Round(10*time.Microsecond))
					if d > soon || d < 0 {
						t.Errorf("%s %v, want 0 to %v", name, d, soon)
					}
				}
				t.Log("others have created meanwhile, each goroutine: ", done)
				if slices.Min(done) == 0 {
					t.Errorf("others have created %v children, want each to go on", done)
				}
			})
		}
	}
}

// traffic are goroutines that create children all the time: of this package,
// with and without InheritFiles, and of package os/exec.
type traffic struct {
	end   atomic.Bool
	group sync.WaitGroup
	done  [9]atomic.Int64
}

func startTraffic(t *testing.T) *traffic {
	f := new(traffic)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.done {
		f.group.Go(func() {
			for !f.end.Load() {
				if i == len(f.done)-1 {
					cmd := osexec.Command(exe, "0")
					cmd.Env = append(environ(), helperEnv("exit")...)
					if err := cmd.Run(); err != nil {
						t.Error("os/exec: ", err)
						f.end.Store(true)
					}
				} else {
					c := tiny(t, 1)
					c.InheritFiles = i%2 == 1
					p, err := linux.Clone3(background, c)
					if err != nil {
						t.Error(err)
						f.end.Store(true)
						return
					}
					wait(t, p)
				}
				f.done[i].Add(1)
			}
		})
	}
	return f
}

// pace returns how long it takes until each has created a child, then another.
func (f *traffic) pace() time.Duration {
	began := time.Now()
	for i := range f.done {
		for !f.end.Load() && f.done[i].Load() < 2 {
			time.Sleep(time.Millisecond)
		}
	}
	return time.Since(began)
}

// collect collects garbage until the function that it returns is called, which
// returns how long that took at most. From then on children are counted anew.
func (f *traffic) collect() (stop func() time.Duration) {
	var end atomic.Bool
	longest := make(chan time.Duration)
	go func() {
		var most time.Duration
		for !end.Load() {
			began := time.Now()
			runtime.GC()
			most = max(most, time.Since(began))
			time.Sleep(time.Millisecond)
		}
		longest <- most
	}()
	for i := range f.done {
		f.done[i].Store(0)
	}
	return func() time.Duration {
		end.Store(true)
		return <-longest
	}
}

// stop ends the traffic and returns how many children each has created.
func (f *traffic) stop() []int64 {
	f.end.Store(true)
	f.group.Wait()
	var done []int64
	for i := range f.done {
		done = append(done, f.done[i].Load())
	}
	return done
}

// leasedByOther is like leased, and the lease is that of another process.
func leasedByOther(t testing.TB) string {
	t.Helper()
	path := openDir(t) + "/leased"
	if err := os.WriteFile(path, []byte("#!/no/such\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	talk(t, nil, "lease", path).hear()
	return path
}

var _ = helper("lease", func(args []string) int {
	f, err := os.Open(args[0])
	if err != nil {
		return fail("%v", err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		return fail("SKIP: no lease can be taken: %v\n", err)
	}
	fmt.Println("ready")
	return listen(func(string) string { return "" })
})
