//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	std "os/exec"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"golang.org/x/sys/unix"
)

func TestProcessIsDoneAfterWait(t *testing.T) {
	c := command("exit", "0")
	if c.Handle() != nil {
		t.Error("there is a handle before Start")
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal: got %v, want %v", err, os.ErrProcessDone)
	}
	if err := c.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Kill: got %v, want %v", err, os.ErrProcessDone)
	}
	if c.Process.Pid != c.ProcessState.Pid() || c.Process.Pid <= 0 {
		t.Errorf("Process.Pid is %d, ProcessState.Pid %d", c.Process.Pid, c.ProcessState.Pid())
	}
	if err := c.Handle().PidFD().WithFD(func(int) {}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the handle is still open: got %v, want %v", err, os.ErrClosed)
	}
}

// Where SIGCHLD is ignored the kernel reaps all children.
func TestIgnoredSIGCHLD(t *testing.T) {
	out, err := command("ignoring").CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("%s, %v", out, err)
	case strings.HasPrefix(string(out), "SKIP: "):
		t.Skip(string(out))
	}
}

// ignoring runs a command, while it ignores SIGCHLD for good.
func ignoring([]string) int {
	signal.Ignore(syscall.SIGCHLD)
	c := command("both", "7")
	out, err := c.Output()
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Print("SKIP: ", err)
		return 0
	}
	var ee *exec.ExitError
	if !errors.As(err, &ee) || ee.ExitCode() != 7 || string(out) != "out" {
		fmt.Printf("got %q, %v, want exit status 7", out, err)
		return 1
	}
	if err := c.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		fmt.Printf("Kill: got %v, want %v", err, os.ErrProcessDone)
		return 1
	}
	return 0
}

// A program may wait by other means than Cmd.Wait.
func TestOtherWaits(t *testing.T) {
	for name, wait := range map[string]func(*exec.Cmd) (int, error){
		"Process.Wait": func(c *exec.Cmd) (int, error) {
			state, err := c.Process.Wait()
			return state.ExitCode(), err
		},
		"wait4": func(c *exec.Cmd) (int, error) {
			var status syscall.WaitStatus
			pid := c.Process.Pid
			*c = exec.Cmd{}
			for range 3 {
				runtime.GC() // which must not reap it
				time.Sleep(time.Millisecond)
			}
			_, err := syscall.Wait4(pid, &status, 0, nil)
			return status.ExitStatus(), err
		},
		"Handle": func(c *exec.Cmd) (int, error) {
			status, err := c.Handle().Wait(context.Background())
			if e := c.Wait(); status.Code() != c.ProcessState.ExitCode() {
				return -2, e
			}
			return status.Code(), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := command("exit", "4")
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if code, err := wait(c); code != 4 || err != nil {
				t.Errorf("got code %d, %v", code, err)
			}
		})
	}
}

// Where somebody else in the program takes the status, as some do with
// wait4(-1), os/exec returns an error.
func TestWaitRecoversStolenStatus(t *testing.T) {
	c := command("exit", "5")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Wait4(c.Process.Pid, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	var ee *exec.ExitError
	switch {
	case errors.Is(err, syscall.ECHILD) && errors.Is(err, errors.ErrUnsupported):
		t.Skip(err)
	case !errors.As(err, &ee) || ee.ExitCode() != 5:
		t.Errorf("got %v, want exit status 5", err)
	}
}

func TestWaitUsesNoThreads(t *testing.T) {
	const n = 50
	var wg sync.WaitGroup
	var commands []*exec.Cmd
	threads := func() int { return pprof.Lookup("threadcreate").Count() }
	before := threads()
	for range n {
		c := command("sleep")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, c)
		wg.Go(func() { c.Wait() })
	}
	time.Sleep(50 * time.Millisecond)
	after := threads()
	for _, c := range commands {
		c.Process.Kill()
	}
	wg.Wait()
	if after-before > n/5 {
		t.Errorf("%d commands that are waited for made %d threads", n, after-before)
	}
}

// A process that outlives the command must not keep Wait for ever.
func TestWaitDelayEndsOutput(t *testing.T) {
	for name, cancel := range map[string]bool{"exits": false, "cancelled": true} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			c := exec.CommandContext(ctx, "/proc/self/exe")
			c.Env = append(os.Environ(), helperVar+"=orphan")
			c.WaitDelay = 50 * time.Millisecond
			var out, orphan bytes.Buffer
			c.Stdout, c.Stderr = &out, &orphan
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if cancel {
				time.AfterFunc(20*time.Millisecond, stop)
			}
			err := c.Wait()
			if name == "exits" && err != exec.ErrWaitDelay {
				t.Errorf("got %v, want %v", err, exec.ErrWaitDelay)
			}
			if err == nil {
				t.Error("got no error")
			}
			if pid := number(orphan.String()); pid > 0 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}
}

func TestCancelThatIsIgnored(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Env = append(os.Environ(), helperVar+"=sleep")
	asked := false
	c.Cancel = func() error { asked = true; return nil }
	c.WaitDelay = 10 * time.Millisecond
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	cancel()
	var ee *exec.ExitError
	if err := c.Wait(); !errors.As(err, &ee) || ee.String() != "signal: killed" || !asked {
		t.Errorf("got %v, asked %v; want to be killed after WaitDelay", err, asked)
	}
}

// A context that ends after the process, and before Wait, is told: Cancel has
// found a zombie, which takes the signal.
func TestContextThatEndsAfterTheProcess(t *testing.T) {
	type cmd interface {
		Start() error
		Wait() error
	}
	for name, command := range map[string]func(ctx context.Context) (c cmd, process func() *os.Process, cancel *func() error){
		"os/exec": func(ctx context.Context) (cmd, func() *os.Process, *func() error) {
			c := std.CommandContext(ctx, "/proc/self/exe", "0")
			c.Env = command("exit").Env
			return c, func() *os.Process { return c.Process }, &c.Cancel
		},
		"linux/exec": func(ctx context.Context) (cmd, func() *os.Process, *func() error) {
			c := exec.CommandContext(ctx, "/proc/self/exe", "0")
			c.Env = command("exit").Env
			return c, func() *os.Process { return c.Process }, &c.Cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancel(t.Context())
			defer end()
			c, process, cancel := command(ctx)
			kill, called := *cancel, make(chan struct{})
			*cancel = func() error {
				defer close(called)
				return kill()
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if err := unix.Waitid(unix.P_PID, process().Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
				t.Fatal(err)
			}
			end()
			<-called
			if err := c.Wait(); err != context.Canceled {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
		})
	}
}

// Under a filter that knows no pidfd_open, package os holds processes by their
// numbers.
func TestWithoutPidfdOpen(t *testing.T) {
	c := command("filtered")
	if out, err := c.CombinedOutput(); err != nil || string(out) != "ok" {
		t.Errorf("%s, %v", out, err)
	}
}

// filtered tries what matters under the filter.
func filtered([]string) int {
	if err := refuse(unix.SYS_PIDFD_OPEN); err != nil {
		fmt.Print("no filter: ", err)
		return 1
	}
	c := command("exit", "3")
	if err := c.Run(); err == nil || err.Error() != "exit status 3" {
		fmt.Println("Run:", err)
		return 1
	}
	if err := c.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		fmt.Println("Kill after the end:", err)
		return 1
	}
	c = command("sleep")
	if err := c.Start(); err != nil {
		fmt.Println("Start:", err)
		return 1
	}
	c.Process.Kill()
	if err := c.Wait(); err == nil || err.Error() != "signal: killed" {
		fmt.Println("Wait:", err)
		return 1
	}
	c = command("exit", "0")
	c.Flags = linux.AutoReap
	if err := c.Run(); !errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("AutoReap:", err)
		return 1
	}
	fmt.Print("ok")
	return 0
}

// refuse lets a system call fail with EPERM in all threads from now on.
func refuse(nr uint32) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	return nil
}

// A command that is dropped without Wait closes its descriptors when it is
// collected.
func TestDroppedCommand(t *testing.T) {
	var pids []int
	for range 20 {
		c := command("exit", "0")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, c.Process.Pid)
	}
	for _, pid := range pids {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
			t.Error(err)
		}
	} // TestMain finds what is left open.
}

// Commands are cancelled before, while and after they start, run and end.
func TestCancellationStorm(t *testing.T) {
	n := 500
	if testing.Short() {
		n = 100
	}
	if s := os.Getenv("CLONE3_STRESS"); s != "" {
		n = number(s) // make stress
	}
	var next, completed, killed, refused atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				ctx, cancel := context.WithCancel(context.Background())
				c := ends(ctx)
				var out bytes.Buffer
				if rand.IntN(2) == 0 {
					c.Stdout = &out
				}
				if rand.IntN(4) == 0 {
					c.WaitDelay = time.Duration(rand.IntN(2000)) * time.Microsecond
				}
				timer := time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, cancel)
				err := c.Run()
				timer.Stop()
				cancel()
				var ee *exec.ExitError
				switch {
				case err == nil:
					completed.Add(1)
				case errors.Is(err, context.Canceled) && c.Process == nil: // not started, or not to its program
					refused.Add(1)
				case err == context.Canceled, err == exec.ErrWaitDelay:
					killed.Add(1) // too late
				case errors.As(err, &ee) && ee.String() == "signal: killed":
					killed.Add(1)
				default:
					t.Errorf("%v (%T)", err, err)
				}
				if c.Process != nil && c.ProcessState == nil {
					t.Errorf("no ProcessState; Run returned %v", err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d completed, %d killed, %d not started", completed.Load(), killed.Load(), refused.Load())
}
