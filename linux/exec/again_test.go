//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	std "os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// A command can be run again by its clone, with all that was asked for and
// nothing of what has come of it.
func TestClone(t *testing.T) {
	c := command("cat")
	c.Stdin = strings.NewReader("in")
	c.Dir, c.CloseFiles, c.Umask = "/", true, new(0o27)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Flags = linux.NoNewPrivs
	if out, err := c.Output(); err != nil || string(out) != "in" {
		t.Fatalf("got %q, %v", out, err)
	}
	d := c.Clone()
	if d.Process != nil || d.ProcessState != nil || d.Stdout != nil || d.Stderr != nil || d.Stdin != c.Stdin {
		t.Errorf("got %+v, want a command that is not started", d)
	}
	if d.SysProcAttr == c.SysProcAttr || !d.SysProcAttr.Setpgid || *d.Umask != 0o27 || d.Dir != "/" || !d.CloseFiles || d.Flags != c.Flags {
		t.Errorf("got %+v, want a copy", d)
	}
	d.Stdin = strings.NewReader("once more")
	if out, err := d.CombinedOutput(); err != nil || string(out) != "once more" {
		t.Errorf("got %q, %v", out, err)
	}

	// Pipes are of one command.
	c = command("cat")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d = c.Clone()
	for _, c := range []*exec.Cmd{c, d} {
		if c == d {
			if in, err = d.StdinPipe(); err != nil {
				t.Fatal(err)
			}
			if out, err = d.StdoutPipe(); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		io.WriteString(in, "through pipes")
		in.Close()
		if b, err := io.ReadAll(out); err != nil || string(b) != "through pipes" {
			t.Errorf("got %q, %v", b, err)
		}
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	// What somebody has put in their place is not.
	var buffer bytes.Buffer
	c = command("echo")
	r, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer c.Stdout.(*os.File).Close()
	c.Stdout = &buffer
	if d := c.Clone(); d.Stdout != &buffer {
		t.Errorf("Stdout: got %v, want the buffer", d.Stdout)
	}
}

// The context of a clone kills the clone's process.
func TestCloneHasContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := exec.CommandContext(ctx, "/proc/self/exe", "0")
	c.Env = append(os.Environ(), helperVar+"=exit")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	d := c.Clone()
	d.Env = append(os.Environ(), helperVar+"=sleep")
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := d.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("got %v, want signal: killed", err)
	}
}

func TestFromCmdWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	given := std.CommandContext(ctx, "/proc/self/exe")
	given.Env = append(os.Environ(), helperVar+"=sleep")
	c, err := exec.FromCmd(ctx, given)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("got %v, want signal: killed", err)
	}
	given.Cancel = func() error { return given.Process.Signal(os.Interrupt) }
	if _, err := exec.FromCmd(ctx, given); err == nil || !strings.Contains(err.Error(), "a Cancel of its own") {
		t.Errorf("a Cancel that refers to the command: got %v", err)
	}
}

// Of several calls of Wait one tells how the command has ended, and none hangs.
func TestConcurrentWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Env = append(os.Environ(), helperVar+"=sleep")
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	const n = 5
	errs := make(chan error)
	for range n {
		go func() { errs <- c.Wait() }()
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	told, others := 0, 0
	for range n {
		err := within(t, func() error { return <-errs })
		switch {
		case err != nil && err.Error() == "signal: killed":
			told++
		case errors.Is(err, syscall.ECHILD), err != nil && err.Error() == "exec: Wait was already called":
			others++
		default:
			t.Errorf("got %v", err)
		}
	}
	if told != 1 || others != n-1 || c.ProcessState == nil {
		t.Errorf("%d calls tell the status, %d do not, want 1 and %d", told, others, n-1)
	}
}

// A command that is started and dropped is found by GODEBUG=execwait=2, as with
// os/exec.
func TestExecwait(t *testing.T) {
	for _, pkg := range []string{"os/exec", "linux/exec"} {
		for setting, want := range map[string]string{
			"execwait=2": "detected a leaked exec.Cmd created by:",
			"execwait=1": "set GODEBUG=execwait=2 to capture stacks",
			"x=1":        "",
		} {
			c := command("leak", pkg)
			c.Env = append(c.Env, "GODEBUG="+setting)
			out, err := c.CombinedOutput()
			leaked := strings.Contains(string(out), "panic: exec: Cmd started a Process but leaked without a call to Wait")
			if leaked != (want != "") || (err != nil) != leaked || !strings.Contains(string(out), want) {
				t.Errorf("%s, %s: %s%v", pkg, setting, out, err)
			}
			if setting == "execwait=2" && !strings.Contains(string(out), "leakOne") {
				t.Errorf("%s: does not tell who has made the command: %s", pkg, out)
			}
		}
	}
}

// leak starts commands, and forgets them.
func leak(args []string) int {
	for range 5 {
		leakOne(args[0])
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return 0
}

//go:noinline
func leakOne(pkg string) {
	env := append(os.Environ(), helperVar+"=exit")
	var err error
	if pkg == "os/exec" {
		c := std.Command("/proc/self/exe", "0")
		c.Env = env
		err = c.Start()
	} else {
		c := exec.Command("/proc/self/exe", "0")
		c.Env = env
		err = c.Start()
	}
	if err != nil {
		fmt.Println(err)
	}
}
