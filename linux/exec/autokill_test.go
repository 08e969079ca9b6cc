//go:build linux && !clone3_osexec

package exec_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"github.com/go-clone3/clone3/scripts/kerneltest"
)

func needAutoKill(t *testing.T) {
	t.Helper()
	kerneltest.Need(t, "AutoKill", "7.1", linux.Probe(linux.AutoKill|linux.NoNewPrivs))
}

// Whoever is killed takes its workers along, if and only if they have AutoKill.
func TestDiesWithProgram(t *testing.T) {
	for _, how := range []string{"AutoKill", "nothing"} {
		t.Run(how, func(t *testing.T) {
			program := command("parent", how)
			out, err := program.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			line, err := lines.ReadString('\n')
			var worker int
			if _, e := fmt.Sscanf(line, "started %d", &worker); e != nil {
				t.Fatalf("got %q, %v", line, err)
			}
			program.Process.Kill()
			ended := make(chan struct{})
			go func() {
				io.Copy(io.Discard, lines)
				close(ended)
			}()
			if how == "AutoKill" {
				select {
				case <-ended:
				case <-time.After(30 * time.Second):
					t.Error("the worker is still there")
					syscall.Kill(worker, syscall.SIGKILL)
				}
			} else {
				select {
				case <-ended:
					t.Error("the worker is gone, too")
				case <-time.After(50 * time.Millisecond):
					syscall.Kill(worker, syscall.SIGKILL)
				}
			}
			<-ended
			if err := program.Wait(); err == nil || err.Error() != "signal: killed" {
				t.Errorf("program: %v", err)
			}
		})
	}
}

func TestUnsupportedFlagIsAnError(t *testing.T) {
	if err := linux.Probe(linux.AutoKill); !errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the kernel has AutoKill")
	}
	c := command("exit", "0")
	c.Flags = linux.AutoKill | linux.NoNewPrivs
	if err := c.Run(); !errors.Is(err, errors.ErrUnsupported) || c.Process != nil {
		t.Errorf("got %v, Process %v; want that it is unsupported, and no process", err, c.Process)
	}
}

// What os/exec offers goes on to work where the kernel reaps the process.
// A command that the kernel reaps, or this package where it emulates that, is like
// any other.
func TestReapedCommand(t *testing.T) {
	for _, flags := range []linux.Flags{linux.AutoReap, linux.AutoKill | linux.NoNewPrivs} {
		t.Run(flags.String(), func(t *testing.T) {
			c := command("both", "6")
			c.Flags, c.Emulate = flags, flags
			out, err := c.Output()
			var ee *exec.ExitError
			if !errors.As(err, &ee) || ee.ExitCode() != 6 || string(ee.Stderr) != "err" || string(out) != "out" {
				t.Fatalf("got %q, %v", out, err)
			}
			if ee.Pid() != c.Process.Pid {
				t.Errorf("the state is that of process %d, want %d", ee.Pid(), c.Process.Pid)
			}
			if linux.Probe(flags) == nil && (ee.UserTime() != 0 || ee.SystemTime() != 0) {
				t.Errorf("times %v and %v", ee.UserTime(), ee.SystemTime())
			}
			if err := c.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("Kill after the end: got %v, want %v", err, os.ErrProcessDone)
			}
			if err := c.Process.Release(); err != nil {
				t.Error(err)
			}

			c = command("exit", "7")
			c.Flags, c.Emulate = flags, flags
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			for syscall.Kill(c.Process.Pid, 0) == nil { // until it is reaped
				time.Sleep(time.Millisecond)
			}
			if err := c.Wait(); !errors.As(err, &ee) || ee.ExitCode() != 7 {
				t.Errorf("Wait for what has been reaped: %v", err)
			}

			ctx, cancel := context.WithCancel(context.Background())
			c = exec.CommandContext(ctx, "/proc/self/exe")
			c.Env = append(os.Environ(), helperVar+"=sleep")
			c.Flags, c.Emulate = flags, flags
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := c.Wait(); err == nil || err.Error() != "signal: killed" {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
}

func TestAutoReap(t *testing.T) {
	kerneltest.Need(t, "AutoReap", "7.1", linux.Probe(linux.AutoReap))
	t.Run("start and forget", func(t *testing.T) {
		c := command("exit", "0")
		c.Flags = linux.AutoReap
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Process.Wait(); !errors.Is(err, syscall.ECHILD) {
			t.Errorf("Process.Wait: got %v, want %v", err, syscall.ECHILD)
		}
	})
	t.Run("handle closes", func(t *testing.T) {
		c := command("sleep")
		c.Flags = linux.AutoKill | linux.NoNewPrivs
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		c.Handle().Close()
		io.Copy(io.Discard, out) // ends when the process has
		if err := c.Wait(); err == nil || err.Error() != "signal: killed" || c.ProcessState == nil {
			t.Errorf("Wait: got %v, %v, want signal: killed", err, c.ProcessState)
		}
	})
	// Cancel learns that there is nobody to kill. With os/exec, it kills a zombie,
	// and Wait returns the error of the context.
	t.Run("cancelled after the end", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := ends(ctx)
		c.Flags = linux.AutoReap
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		c.Handle().Wait(t.Context())
		cancel()
		if err := c.Wait(); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	})
	t.Run("dropped", func(t *testing.T) {
		out, pid := dropped(t)
		defer out.Close()
		for range 3 {
			runtime.GC() // which must not kill it
		}
		out.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := out.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the process has ended: %v", err)
		}
		out.SetReadDeadline(time.Time{})
		syscall.Kill(pid, syscall.SIGKILL)
		io.Copy(io.Discard, out)
	})
	// The number of a process that has ended may be that of another one.
	t.Run("many that end at once", func(t *testing.T) {
		for range 50 {
			c := ends(t.Context())
			c.Flags = linux.AutoReap
			if err := c.Run(); err != nil {
				t.Fatal(err)
			}
			c.Process.Release()
		}
	})
}

// dropped starts a process with AutoKill, and forgets it. It returns its output.
func dropped(t *testing.T) (out *os.File, pid int) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c := command("sleep")
	c.Flags = linux.AutoKill | linux.NoNewPrivs
	c.Stdout = w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return r, c.Process.Pid
}
