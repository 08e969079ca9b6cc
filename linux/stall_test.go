//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"regexp"
	"runtime"
	"strings"
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
			go func() {
				if breaking() {
					p.Signal(syscall.SIGSTOP)
				}
			}()
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

// breaking waits until somebody waits for a lease to be given up.
func breaking() bool {
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if locks, err := os.ReadFile("/proc/locks"); err != nil || strings.Contains(string(locks), "BREAKING") {
			return true
		}
	}
	return false
}

// A child that stands still on its way to its program is ended by the context of
// its creation, and nobody else notices: neither those who create other
// children, in whatever way, nor the garbage collector.
func TestStalledChild(t *testing.T) {
	for n, s := range stalls {
		for i, files := range []string{"own files", "InheritFiles"} {
			if testing.Short() && (n+i)%2 == 1 {
				continue // each is tried one way, and both are tried
			}
			t.Run(s.name+"/"+files, func(t *testing.T) {
				c := child("exit", "0")
				c.InheritFiles = i == 1
				s.setUp(t, c)
				traffic := startTraffic(t)
				defer traffic.stop()
				ctx, end := context.WithCancelCause(background)
				defer end(nil)
				returned := make(chan error, 1)
				go func() {
					p, err := linux.Clone3(ctx, c)
					if err == nil {
						p.Kill()
						p.Wait(background)
						err = errors.New("none: the child has come to its program")
					}
					returned <- err
				}()
				// Longer than those who inherit descriptors go along with each
				// other: from now on they would wait for it.
				time.Sleep(20 * time.Millisecond)
				if s.at[i] == linux.StepExec && !breaking() {
					t.Fatal("the child does not come to its program")
				}

				collected := collect()
				locked := make(chan time.Duration, 1)
				go func() {
					began := time.Now()
					syscall.ForkLock.Lock()
					locked <- time.Since(began)
					syscall.ForkLock.Unlock()
				}()
				select {
				case d := <-locked:
					t.Logf("ForkLock was locked within %v", d)
				case <-time.After(soon):
					t.Error("ForkLock cannot be locked")
				}
				if done, ok := traffic.goesOn(); !ok {
					t.Errorf("others have created %v children meanwhile, want each to go on", done)
				}
				d, ok := collected()
				if t.Log("a collection of garbage took at most", d); !ok {
					t.Error("the garbage is not collected")
				}
				select {
				case err := <-returned:
					t.Fatalf("got error %v, want that the child stands still", err)
				default:
				}

				began := time.Now()
				end(context.DeadlineExceeded)
				var err error
				select {
				case err = <-returned:
					t.Log("Clone3 returned after the context's end within", time.Since(began))
				case <-time.After(2 * soon):
					t.Fatal("Clone3 does not return though its context has ended")
				}
				var step *linux.StepError
				if !errors.As(err, &step) || step.Kind != s.at[i] || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got error %v, want it to be in step %v, and %v", err, s.at[i], context.DeadlineExceeded)
				}
			})
		}
	}
}

// A context that ends by chance as a child is about to execute its program does
// not kill it. It may be taken for one that stands still if the machine is that
// slow, but not each time.
func TestContextThatEndsAsTheChildLands(t *testing.T) {
	var err error
	for range 20 {
		ctx, cancel := context.WithCancel(background)
		c := child("exit", "7")
		c.Created = func(*linux.Process) error {
			cancel()
			time.Sleep(3 * time.Millisecond) // in which it would be killed
			return nil
		}
		var p *linux.Process
		if p, err = linux.Clone3(ctx, c); err == nil {
			if s := wait(t, p); s.Code() != 7 {
				t.Errorf("got %v, want exit status 7", s)
			}
			return
		}
	}
	t.Errorf("got error %v twenty times, want the child", err)
}

// The error of a child that was killed for its context says at which step, after
// how long and why.
func TestErrorOfAChildThatStoodStill(t *testing.T) {
	c := &linux.Child{Path: leasedByOther(t)}
	ctx, cancel := context.WithTimeoutCause(background, 200*time.Millisecond, errors.New("no patience"))
	defer cancel()
	_, err := linux.Clone3(ctx, c)
	if !regexp.MustCompile(`^exec .*/leased: the child was killed after [0-9.]+m?s: no patience$`).MatchString(fmt.Sprint(err)) {
		t.Errorf("got error %q, want the step, how long it took, and the cause", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that it is %v", err, context.DeadlineExceeded)
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

// goesOn reports whether each creates two children more, and how many each has.
func (f *traffic) goesOn() (done []int64, ok bool) {
	count := func() (done []int64) {
		for i := range f.done {
			done = append(done, f.done[i].Load())
		}
		return done
	}
	before := count()
	for deadline := time.Now().Add(soon); !f.end.Load() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		done, ok = count(), true
		for i := range done {
			ok = ok && done[i] >= before[i]+2
		}
		if ok {
			return done, true
		}
	}
	return done, false
}

func (f *traffic) stop() {
	f.end.Store(true)
	f.group.Wait()
}

// collect collects garbage until the function that it returns is called, which
// returns how long that took at most, and whether it came to an end.
func collect() (stop func() (time.Duration, bool)) {
	var end atomic.Bool
	longest := make(chan time.Duration, 1)
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
	return func() (time.Duration, bool) {
		end.Store(true)
		select {
		case d := <-longest:
			return d, true
		case <-time.After(soon):
			return soon, false
		}
	}
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

// Where a seccomp filter denies pidfd_send_signal(2) a child that stands still
// is ended all the same: by its number, and at the gate by the gate.
func TestStalledChildThatNoPidfdKills(t *testing.T) {
	out, status := output(t, child("stalled, no pidfd_send_signal", leasedByOther(t)))
	if strings.HasPrefix(out, "SKIP") {
		t.Skip(out)
	}
	if out != "" || !status.Success() {
		t.Errorf("%v:\n%s", status, out)
	}
}

var _ = helper("stalled, no pidfd_send_signal", func(args []string) int {
	failed := 0
	try := func(what string, ctx context.Context, c *linux.Child, want error) {
		if p, err := linux.Clone3(ctx, c); !errors.Is(err, want) {
			failed = fail("%s: got %v, %v, want %v\n", what, p, err, want)
		}
		if err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WALL, nil); err != unix.ECHILD {
			failed = fail("%s: a child is left (%v)\n", what, err)
		}
	}
	refused := func() *linux.Child {
		c := child("exit", "0")
		c.Created = func(*linux.Process) error { return os.ErrInvalid }
		return c
	}
	for _, nr := range []uintptr{unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_KILL} {
		if err := hide(nr, int(unix.EPERM)); err != nil {
			return fail("SKIP: no seccomp filter: %v", err)
		}
		try("Created refuses", background, refused(), os.ErrInvalid)
		if nr == unix.SYS_KILL {
			break // under a lease nothing could end it
		}
		ctx, cancel := context.WithTimeout(background, 5*time.Millisecond)
		defer cancel()
		try("under a lease", ctx, &linux.Child{Path: args[0]}, context.DeadlineExceeded)
	}
	return failed
})
