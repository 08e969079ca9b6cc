//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	std "os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// However a program waits for its commands, it does not run out of descriptors,
// also if their context lives on. Nothing is left to the garbage collector.
func TestFewDescriptors(t *testing.T) {
	for _, how := range []string{"Run", "Process.Wait", "Process.Release", "AutoReap", "AutoKill", "AutoKill, released", "dropped"} {
		t.Run(how, func(t *testing.T) {
			if strings.HasPrefix(how, "Auto") {
				needAutoKill(t)
			}
			n := 300
			if how == "dropped" {
				n = 2000 // each collection has to close all that were left
			}
			if s := os.Getenv("CLONE3_STRESS"); s != "" {
				n = number(s)
			} else if testing.Short() {
				n /= 4 // still more than there may be descriptors
			}
			if out, err := command("few descriptors", how, strconv.Itoa(n)).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s%v", out, err)
			}
		})
	}
}

// fewDescriptors runs commands with a limit on descriptors.
func fewDescriptors(args []string) int {
	how, n := args[0], number(args[1])
	if err := ends(context.Background()).Run(); err != nil { // and opens what is kept
		fmt.Println(err)
		return 1
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		fmt.Println(err)
		return 1
	}
	debug.SetGCPercent(-1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := range n {
		c := ends(ctx)
		switch how {
		case "AutoReap":
			c.Flags = linux.AutoReap
		case "AutoKill", "AutoKill, released":
			c.Flags = linux.AutoKill | linux.NoNewPrivs
		}
		if err := runAndEnd(how, c); err != nil {
			fmt.Printf("%s: command %d: %v\n", how, i, err)
			return 1
		}
		if c.Flags != 0 || how == "dropped" {
			continue
		}
		theirs := std.CommandContext(ctx, c.Path, c.Args[1:]...)
		theirs.Env = c.Env
		if err := theirs.Start(); err != nil {
			fmt.Printf("%s: command %d of os/exec: %v\n", how, i, err)
			return 1
		}
		if err := theirs.Wait(); err != nil {
			fmt.Println("os/exec:", err)
			return 1
		}
	}
	return 0
}

// runAndEnd runs a command, and waits for it in one of several ways.
func runAndEnd(how string, c *exec.Cmd) error {
	if err := c.Start(); err != nil {
		return err
	}
	pid := c.Process.Pid
	switch how {
	case "Process.Wait":
		_, err := c.Process.Wait()
		return err
	case "Process.Release":
		if err := c.Process.Release(); err != nil {
			return err
		}
		_, err := syscall.Wait4(pid, nil, 0, nil)
		return err
	case "dropped": // its descriptor is closed by a collection when there are no more
		_, err := syscall.Wait4(pid, nil, 0, nil)
		*c = exec.Cmd{}
		return err
	case "AutoKill, released":
		h := c.Handle()
		if err := c.Process.Release(); err != nil {
			return err
		}
		_, err := h.Wait(context.Background())
		return err
	}
	return c.Wait()
}

// A command has one descriptor while it runs, and one more for who asks for its
// Handle.
func TestOneDescriptor(t *testing.T) {
	before := openFiles(t)
	c := command("sleep")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if n := openFiles(t) - before; n > 1 {
		t.Errorf("a command has %d descriptors, want 1", n)
	}
	if a, b := c.Handle(), c.Handle(); a != b {
		t.Error("each call of Handle returns another one")
	}
	if n := openFiles(t) - before; n > 2 {
		t.Errorf("a command with a Handle has %d descriptors, want 2", n)
	}
	c.Process.Kill()
	c.Wait()
	if n := openFiles(t) - before; n > 0 {
		t.Errorf("after Wait there are %d descriptors", n)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// PidFD is -1 where there is no process.
func TestPidFDOfFailedStart(t *testing.T) {
	for name, path := range map[string]string{"exec": "/nowhere", "input": "/a\x00b"} {
		pidfd := 42
		c := &exec.Cmd{Path: path, SysProcAttr: &syscall.SysProcAttr{PidFD: &pidfd}}
		if err := c.Start(); err == nil || pidfd != -1 {
			t.Errorf("%s: got %v, PidFD %d, want -1", name, err, pidfd)
		}
		theirs := &std.Cmd{Path: path, SysProcAttr: &syscall.SysProcAttr{PidFD: &pidfd}}
		if err := theirs.Start(); err == nil || pidfd != -1 {
			t.Errorf("%s: os/exec: got %v, PidFD %d", name, err, pidfd)
		}
	}
}

// A process that is reaped by the kernel is done to package os after Wait, by
// the very Process that others may hold.
func TestFinishedProcess(t *testing.T) {
	needAutoKill(t)
	for _, flags := range []linux.Flags{linux.AutoReap, linux.AutoKill | linux.NoNewPrivs} {
		before := openFiles(t)
		c := command("exit", "0")
		c.Flags = flags
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		p := c.Process
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
		if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) || p != c.Process || p.Pid <= 0 {
			t.Errorf("%v: Kill: got %v, pid %d", flags, err, p.Pid)
		}
		if n := openFiles(t) - before; n > 0 {
			t.Errorf("%v: after Wait there are %d descriptors", flags, n)
		}
	}
}
