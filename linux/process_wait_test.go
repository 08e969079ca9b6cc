//go:build linux

package linux_test

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime/pprof"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

func TestWaitTellsHowProcessEnded(t *testing.T) {
	for _, test := range []struct {
		helper, arg string
		code        int
		signal      syscall.Signal
		text        string
	}{
		{"exit", "0", 0, 0, "exit status 0"},
		{"exit", "3", 3, 0, "exit status 3"},
		{"exit", "255", 255, 0, "exit status 255"},
		{"kill", "9", -1, syscall.SIGKILL, "signal: killed"},
		{"kill", "15", -1, syscall.SIGTERM, "signal: terminated"},
	} {
		p := start(t, child(test.helper, test.arg))
		s := wait(t, p)
		if s.Code() != test.code || s.Signal() != test.signal || s.String() != test.text || s.Success() != (test.code == 0) || s.CoreDump() {
			t.Errorf("%s %s: got code %d, signal %d, %q, success %v, core dump %v", test.helper, test.arg,
				s.Code(), s.Signal(), s, s.Success(), s.CoreDump())
		}
		if u := p.Rusage(); u == nil || u.Maxrss == 0 {
			t.Errorf("%s %s: Rusage is %v, want what the kernel measured", test.helper, test.arg, u)
		}
	}
}

// All 16 bits of a wait status mean what package syscall says.
func TestExitStatusAgreesWithWaitStatus(t *testing.T) {
	for n := range 1 << 16 {
		want, got := syscall.WaitStatus(n), linux.ExitStatus(n)
		if want.Exited() && (got.Code() != want.ExitStatus() || got.Signal() != 0) ||
			want.Signaled() && (got.Signal() != want.Signal() || got.CoreDump() != want.CoreDump() || got.Code() != -1) {
			t.Errorf("%#x: got code %d, signal %d, core dump %v", n, got.Code(), got.Signal(), got.CoreDump())
		}
	}
}

func TestWaitAgainReturnsSameStatus(t *testing.T) {
	p := start(t, child("exit", "7"))
	for range 3 {
		if s := wait(t, p); s.Code() != 7 {
			t.Errorf("got %v, want exit status 7", s)
		}
	}
	p.Close()
	if s := wait(t, p); s.Code() != 7 {
		t.Errorf("after Close: got %v, want exit status 7", s)
	}
}

func TestConcurrentWaitsAllReturn(t *testing.T) {
	p, release := held(t, child("hold"))
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if s, err := p.Wait(t.Context()); err != nil || !s.Success() {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
	time.Sleep(10 * time.Millisecond)
	release()
	group.Wait()
}

func TestWaitReturnsWhenContextEnds(t *testing.T) {
	p, release := held(t, child("hold"))
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("the reason")
	time.AfterFunc(10*time.Millisecond, func() { cancel(reason) })
	if _, err := p.Wait(ctx); err != reason {
		t.Errorf("got error %v, want the cause of the context's end", err)
	}
	ctx, cancel2 := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel2()
	if _, err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
	if err := p.Signal(0); err != nil {
		t.Errorf("the process is affected: %v", err)
	}
	release()
	if s := wait(t, p); !s.Success() {
		t.Errorf("got %v, want exit status 0", s)
	}
}

func TestWaitPrefersStatusToEndedContext(t *testing.T) {
	p := start(t, child("exit", "5"))
	wait(t, p)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := p.Wait(ctx); err != nil || s.Code() != 5 {
		t.Errorf("got %v, %v, want exit status 5", s, err)
	}
}

func TestLeaveZombie(t *testing.T) {
	reaped := func(p *linux.Process) bool {
		return unix.Waitid(unix.P_PID, p.Pid(), nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == unix.ECHILD
	}
	// A child without a program is nobody's: TestMain finds what is left.
	if _, err := linux.Clone3(background, &linux.Child{Path: "/nowhere", LeaveZombie: true}); err == nil {
		t.Fatal("no error")
	}
	for name, look := range map[string]func(*testing.T, *linux.Process){
		"Wait": func(t *testing.T, p *linux.Process) {
			if s := wait(t, p); s.Code() != 0 || p.Rusage() == nil {
				t.Errorf("Wait: got %v, rusage %v", s, p.Rusage())
			}
		},
		"Close while running": func(t *testing.T, p *linux.Process) {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := child("hold")
			c.LeaveZombie = true
			p, release := held(t, c)
			if name == "Wait" {
				release()
			}
			look(t, p)
			release()
			if reaped(p) {
				t.Fatal("the process is reaped")
			}
			other, err := os.FindProcess(p.Pid())
			if err != nil {
				t.Fatal(err)
			}
			if state, err := other.Wait(); err != nil || !state.Success() {
				t.Errorf("os.Process.Wait: %v, %v", state, err)
			}
			if !reaped(p) {
				t.Error("the process is not reaped")
			}
		})
	}
}

func TestWaitUsesNoThreads(t *testing.T) {
	threads := func() int { return pprof.Lookup("threadcreate").Count() }
	n := 100
	if testing.Short() {
		n = 30
	}
	var processes []*linux.Process
	var releases []func()
	for range n {
		p, release := held(t, child("hold"))
		processes, releases = append(processes, p), append(releases, release)
	}
	before := threads()
	var group sync.WaitGroup
	for _, p := range processes {
		group.Go(func() { wait(t, p) })
	}
	time.Sleep(50 * time.Millisecond)
	if got := threads() - before; got > 8 {
		t.Errorf("%d waiting goroutines have needed %d threads", n, got)
	}
	for _, release := range releases {
		release()
	}
	group.Wait()
}

// Another part of the program may reap all children there are.
func TestWaitRecoversStolenStatus(t *testing.T) {
	for _, when := range []string{"before", "during"} {
		t.Run(when+" Wait", func(t *testing.T) {
			p, release := held(t, child("hold"))
			type result struct {
				status linux.ExitStatus
				err    error
			}
			got := make(chan result, 1)
			wait := func() {
				s, err := p.Wait(t.Context())
				got <- result{s, err}
			}
			if when == "before" {
				// A stopped process cannot be reaped by the watcher
				// before the thief does: it does not know it yet.
				release()
				if _, err := syscall.Wait4(p.Pid(), nil, 0, nil); err != nil {
					t.Fatal(err)
				}
				go wait()
			} else {
				// The thief waits already, and is woken first or second.
				go func() {
					time.Sleep(time.Millisecond)
					release()
				}()
				go wait()
				syscall.Wait4(p.Pid(), nil, 0, nil)
			}
			r := <-got
			if errors.Is(r.err, syscall.ECHILD) {
				kerneltest.Need(t, "PIDFD_INFO_EXIT", "6.15", r.err)
			}
			if r.err != nil || !r.status.Success() {
				t.Errorf("got %v, %v, want exit status 0", r.status, r.err)
			}
		})
	}
}

func TestWaitWithSIGCHLDIgnored(t *testing.T) {
	c := child("ignore SIGCHLD")
	out, status := output(t, c)
	if out != "exit status 9" && out != "lost" || !status.Success() {
		t.Errorf("got %q, want exit status 9 (%v)", out, status)
	}
	if out == "lost" {
		kerneltest.Need(t, "PIDFD_INFO_EXIT", "6.15", errors.ErrUnsupported)
	}
}

var _ = helper("ignore SIGCHLD", func([]string) int {
	// Not by package signal, which leaves SIGCHLD to the runtime.
	var action [8]uint64
	setIgnore(&action)
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), arrayPointer(&action), 0, sigsetBytes(), 0, 0)
	p, err := linux.Clone3(background, child("exit", "9"))
	if err != nil {
		return 1
	}
	s, err := p.Wait(context.Background())
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		os.Stdout.WriteString("lost")
	case err != nil:
		os.Stdout.WriteString(err.Error())
	default:
		os.Stdout.WriteString(s.String())
	}
	return 0
})

func TestStopAsksThenKills(t *testing.T) {
	ready := func(c *linux.Child) *linux.Process { // once it ignores SIGTERM, or not
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Files[1] = w
		p := start(t, c)
		w.Close()
		r.Read(make([]byte, 1))
		r.Close()
		return p
	}
	t.Run("obedient", func(t *testing.T) {
		p := ready(child("obey"))
		if s, err := p.Stop(t.Context(), syscall.SIGTERM, time.Minute); err != nil || s.Code() != 44 {
			t.Errorf("got %v, %v, want exit status 44", s, err)
		}
	})
	t.Run("stubborn", func(t *testing.T) {
		p := ready(child("ignore SIGTERM"))
		if s, err := p.Stop(t.Context(), syscall.SIGTERM, 20*time.Millisecond); err != nil || s.Signal() != syscall.SIGKILL {
			t.Errorf("got %v, %v, want signal: killed", s, err)
		}
	})
	t.Run("context ends", func(t *testing.T) {
		p := ready(child("ignore SIGTERM"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		// Unless the kill is quick enough.
		if s, err := p.Stop(ctx, syscall.SIGTERM, time.Hour); !errors.Is(err, context.DeadlineExceeded) && s.Signal() != syscall.SIGKILL {
			t.Errorf("got %v, %v, want %v", s, err, context.DeadlineExceeded)
		}
		if s := wait(t, p); s.Signal() != syscall.SIGKILL {
			t.Errorf("got %v, want signal: killed", s)
		}
	})
	t.Run("ended", func(t *testing.T) {
		p := start(t, child("exit", "2"))
		wait(t, p)
		if s, err := p.Stop(t.Context(), syscall.SIGTERM, time.Minute); err != nil || s.Code() != 2 {
			t.Errorf("got %v, %v, want exit status 2", s, err)
		}
	})
}

func TestSignalAfterEnd(t *testing.T) {
	p := start(t, child("exit", "0"))
	poll(t, fdOf(p), 20*time.Second) // until it is a zombie
	for range 2 {
		if err := p.Kill(); err != os.ErrProcessDone {
			t.Errorf("Kill: got %v, want %v", err, os.ErrProcessDone)
		}
	}
	wait(t, p)
	if err := p.Signal(syscall.SIGTERM); err != os.ErrProcessDone {
		t.Errorf("Signal: got %v, want %v", err, os.ErrProcessDone)
	}
}

func TestCloseLetsGo(t *testing.T) {
	p, release := held(t, child("hold"))
	failed := make(chan error)
	go func() {
		_, err := p.Wait(context.Background())
		failed <- err
	}()
	time.Sleep(time.Millisecond)
	observer, err := unix.PidfdOpen(p.Pid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(observer)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Wait: got error %v, want %v", err, os.ErrClosed)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Signal: got error %v, want %v", err, os.ErrClosed)
	}
	if fd := fdOf(p); fd != -1 {
		t.Errorf("PidFD: got %d, want -1", fd)
	}
	if err := p.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if poll(t, observer, 0) != 0 {
		t.Error("the process has ended, want it to go on")
	}
	release()
	// And it is reaped.
	for unix.PidfdSendSignal(observer, 0, nil, 0) != unix.ESRCH {
		time.Sleep(time.Millisecond)
	}
}

func TestCloseAfterEndReaps(t *testing.T) {
	p := start(t, child("exit", "0"))
	pid := p.Pid()
	time.Sleep(50 * time.Millisecond)
	p.Close()
	for procExists(pid) {
		time.Sleep(time.Millisecond)
	}
}

func TestPidFDIsLent(t *testing.T) {
	p := start(t, child("exit", "0"))
	fd := fdOf(p)
	wait(t, p)
	if events := poll(t, fd, time.Second); events&unix.POLLIN == 0 {
		t.Errorf("poll says %#x, want the pidfd of an ended process", events)
	}
	if fdOf(p) != fd {
		t.Error("PidFD changes")
	}
	p.Close()
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("after Close the pidfd is open (%v)", err)
	}
}

func TestWaitReleasesDescriptor(t *testing.T) {
	p := start(t, child("exit", "0"))
	wait(t, p)
	if fd := fdOf(p); fd != -1 {
		t.Errorf("after Wait, PidFD is %d, want -1", fd)
	}
}

// Many goroutines use one Process in all ways at once: for the race detector.
func TestConcurrentUse(t *testing.T) {
	for range 20 {
		p, release := held(t, child("hold"))
		var group sync.WaitGroup
		for _, f := range []func(){
			func() { p.Wait(t.Context()) }, func() { p.Wait(t.Context()) },
			func() { p.Signal(0) }, func() { p.Kill() }, func() { p.Close() }, func() { p.Close() },
			func() { fdOf(p) }, func() { p.Rusage() }, release,
		} {
			group.Go(f)
		}
		group.Wait()
	}
}

func TestPtraceMe(t *testing.T) {
	lockThread(t)
	c := child("exit", "6")
	c.Ptrace = true
	p := start(t, c)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Pid(), &status, 0, nil); err != nil || !status.Stopped() || status.StopSignal() != syscall.SIGTRAP {
		t.Fatalf("got %#x, %v, want the child stopped by exec", status, err)
	}
	if err := syscall.PtraceDetach(p.Pid()); err != nil {
		t.Fatal(err)
	}
	if s := wait(t, p); s.Code() != 6 {
		t.Errorf("got %v, want exit status 6", s)
	}
}

func TestManyProcessesEnd(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 50
	}
	var group sync.WaitGroup
	codes := make([]int, n)
	for i := range n {
		c := child("exit", itoa(i%256))
		p, err := linux.Clone3(background, c)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			codes[i] = wait(t, p).Code()
		})
	}
	group.Wait()
	if i := slices.IndexFunc(codes, func(c int) bool { return c < 0 }); i >= 0 {
		t.Errorf("process %d ended with code %d", i, codes[i])
	}
	for i, code := range codes {
		if code != i%256 {
			t.Errorf("process %d ended with code %d, want %d", i, code, i%256)
		}
	}
}

// One Wait has a thread until another one comes, however they end.
func TestWaitsTakeTurnsAtFront(t *testing.T) {
	type waiting struct {
		release func()
		done    chan linux.ExitStatus
	}
	var all []waiting
	for range 5 {
		p, release := held(t, child("hold"))
		w := waiting{release, make(chan linux.ExitStatus, 1)}
		go func() { w.done <- wait(t, p) }()
		time.Sleep(3 * time.Millisecond)
		all = append(all, w)
	}
	for i, w := range slices.Backward(all) {
		w.release()
		if s := <-w.done; !s.Success() {
			t.Errorf("process %d ended with %v", i, s)
		}
	}
}

func TestAllocations(t *testing.T) {
	needStatic(t) // with the race detector there are more
	if tinyProgram(t) == "" {
		t.Skip("the architecture has no program that ends before Wait needs a channel")
	}
	c := tiny(t, 1)
	c.Env = []string{"A=1", "B=2"}
	// On a slow machine some Waits take long, and then have a channel more.
	allocations := math.Inf(1)
	for range 20 {
		restore := linux.SetLate(false)
		allocations = min(allocations, testing.AllocsPerRun(1, func() {
			p, err := linux.Clone3(background, c)
			if err != nil {
				t.Fatal(err)
			}
			p.Wait(background)
		}))
		restore()
	}
	if allocations > 4 {
		t.Errorf("Clone3 and Wait allocate %v times, want at most 4", allocations)
	}
	t.Logf("Clone3 and Wait allocate %v times", allocations)
}

// A Wait gets a thread where programs mostly end soon: a few that do not, among
// them, do not change that.
func TestThreadIsForProgramsThatEndSoon(t *testing.T) {
	const soon, late = 100 * time.Microsecond, 3 * time.Millisecond
	lates := slices.Repeat([]time.Duration{late}, 20)
	soons := slices.Repeat([]time.Duration{soon}, 20)
	for _, test := range []struct {
		name  string
		waits []time.Duration
		want  bool
	}{
		{"none yet", nil, false},
		{"one late", lates[:1], false},
		{"all late", lates, true},
		{"all soon", soons, false},
		{"soon again", slices.Concat(lates, soons), false},
		{"late again", slices.Concat(soons, lates), true},
		{"every third late", slices.Repeat([]time.Duration{late, soon, soon}, 20), false},
	} {
		if got := linux.LateForTest(test.waits...); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
