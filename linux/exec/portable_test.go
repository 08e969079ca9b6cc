//go:build !linux || clone3_osexec

package exec_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	std "os/exec"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

const helper = "CLONE3_PORTABLE_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helper) {
	case "":
		os.Exit(m.Run())
	case "echo":
		fmt.Println("out")
		fmt.Fprintln(os.Stderr, "err")
	case "cat":
		io.Copy(os.Stdout, os.Stdin)
	case "fail":
		fmt.Fprintln(os.Stderr, "because")
		os.Exit(3)
	case "wait":
		fmt.Println("here")
		io.Copy(io.Discard, os.Stdin)
	}
}

// command returns a command that runs this program as a helper.
func command(ctx context.Context, t *testing.T, as string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	if ctx != nil {
		cmd = exec.CommandContext(ctx, self)
	}
	cmd.Env = append(os.Environ(), helper+"="+as)
	return cmd
}

func TestPortableOutput(t *testing.T) {
	if out, err := command(nil, t, "echo").Output(); err != nil || strings.TrimSpace(string(out)) != "out" {
		t.Errorf("Output: %q, %v", out, err)
	}
	if out, err := command(nil, t, "echo").CombinedOutput(); err != nil || len(strings.Fields(string(out))) != 2 {
		t.Errorf("CombinedOutput: %q, %v", out, err)
	}
	cmd := command(nil, t, "fail")
	_, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || strings.TrimSpace(string(exit.Stderr)) != "because" {
		t.Errorf("Output of a command that fails: %v, %+v", err, exit)
	}
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("ProcessState %v", cmd.ProcessState)
	}
	if err := cmd.Start(); err == nil || !strings.Contains(err.Error(), "already started") {
		t.Errorf("a second Start: %v", err)
	}
	if out, err := cmd.Clone().CombinedOutput(); strings.TrimSpace(string(out)) != "because" {
		t.Errorf("a clone: %q, %v", out, err)
	}
}

func TestPortablePipes(t *testing.T) {
	cmd := command(nil, t, "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdoutPipe(); err == nil {
		t.Error("two pipes from standard output")
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err == nil {
		t.Error("a pipe of a command that was started")
	}
	io.WriteString(in, "to and fro")
	in.Close()
	if got, err := io.ReadAll(out); string(got) != "to and fro" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	clone := cmd.Clone()
	clone.Stdin = strings.NewReader("again")
	if got, err := clone.Output(); string(got) != "again" || err != nil {
		t.Errorf("a clone: %q, %v", got, err)
	}
}

func TestPortableContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cmd := command(ctx, t, "wait")
	in, _ := cmd.StdinPipe()
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(out).ReadString('\n')
	cancel()
	if err := cmd.Wait(); err == nil || cmd.ProcessState == nil || cmd.ProcessState.Success() {
		t.Errorf("Wait after the end of the context: %v, %v", err, cmd.ProcessState)
	}
	if err := command(ctx, t, "echo").Run(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run with a context that has ended: %v", err)
	}
	cmd = command(nil, t, "echo")
	cmd.Cancel = func() error { return nil }
	if err := cmd.Start(); err == nil {
		cmd.Wait()
		t.Error("a Cancel without a context")
	}
}

// A context may end before Start has returned: Cancel has the Process all the
// same.
func TestPortableCancelHasTheProcess(t *testing.T) {
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := command(ctx, t, "wait")
		in, _ := cmd.StdinPipe()
		missing := make(chan bool, 1)
		cmd.Cancel = func() error {
			missing <- cmd.Process == nil
			return cmd.Process.Kill()
		}
		time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
		if err := cmd.Start(); err == nil {
			cmd.Wait()
			if <-missing {
				t.Error("Cancel was called before there was a Process")
			}
		}
		in.Close()
		cancel()
	}
}

// What only Linux has is an error that says so, and nothing is started.
func TestPortableUnsupported(t *testing.T) {
	where := runtime.GOOS
	if where == "linux" {
		where = "clone3_osexec"
	}
	for name, set := range map[string]func(*exec.Cmd){
		"AutoKill":         func(c *exec.Cmd) { c.Flags = linux.AutoKill },
		"NoNewPrivs":       func(c *exec.Cmd) { c.Flags = linux.NoNewPrivs },
		"Child.KillTree":   func(c *exec.Cmd) { c.KillTree = true },
		"Child.Unshare":    func(c *exec.Cmd) { c.Unshare = linux.NewNet },
		"Child.Created":    func(c *exec.Cmd) { c.Created = func(*linux.Process) error { return nil } },
		"Child.SetTID":     func(c *exec.Cmd) { c.SetTID = []int{77} },
		"Child.Rlimits":    func(c *exec.Cmd) { c.Rlimits = []linux.Rlimit{{}} },
		"Child.ExitSignal": func(c *exec.Cmd) { c.ExitSignal = 1 },
		"Cmd.CloseFiles":   func(c *exec.Cmd) { c.CloseFiles = true },
	} {
		cmd := command(nil, t, "echo")
		set(cmd)
		err := cmd.Start()
		var path *fs.PathError
		if !errors.Is(err, errors.ErrUnsupported) || !errors.As(err, &path) ||
			!strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), where) {
			t.Errorf("%s: %v", name, err)
		}
		if cmd.Process != nil {
			t.Errorf("%s: the command was started", name)
			cmd.Wait()
		}
	}
	cmd := command(nil, t, "echo")
	cmd.Child.Path = "/x"
	if err := cmd.Start(); err == nil || !strings.Contains(err.Error(), "Cmd.Child has its own Path") {
		t.Errorf("a Path in Child: %v", err)
	}
}

// A field of Child that SysProcAttr has too is honoured where it has.
func TestPortableAttributes(t *testing.T) {
	cmd := command(nil, t, "echo")
	cmd.Setsid = true
	field := reflect.ValueOf(new(syscall.SysProcAttr)).Elem().FieldByName("Setsid")
	switch err := cmd.Run(); {
	case !field.IsValid() && !errors.Is(err, errors.ErrUnsupported):
		t.Errorf("Setsid, which this system does not have: %v", err)
	case field.IsValid() && err != nil:
		t.Errorf("Setsid: %v", err)
	}
	if cmd.SysProcAttr != nil {
		t.Error("SysProcAttr was changed")
	}
	if !field.IsValid() {
		return
	}
	// The second can only be known to be one of another value by comparison.
	attr := new(syscall.SysProcAttr)
	reflect.ValueOf(attr).Elem().FieldByName("Chroot").SetString(t.TempDir())
	cmd = command(nil, t, "echo")
	cmd.SysProcAttr, cmd.Chroot = attr, "/elsewhere"
	if err := cmd.Run(); err == nil || !strings.Contains(err.Error(), "SysProcAttr.Chroot: Cmd.Child has another value") {
		t.Errorf("two values of Chroot: %v", err)
	}
	// A session leader cannot become the leader of another process group.
	cmd = command(nil, t, "echo")
	cmd.Setsid, cmd.Setpgid = true, true
	if err := cmd.Run(); err == nil {
		t.Error("Setsid and Setpgid together: one of them was dropped")
	}
}

func TestPortableFromCmd(t *testing.T) {
	self, _ := os.Executable()
	c := std.Command(self)
	c.Env = append(os.Environ(), helper+"=echo")
	cmd, err := exec.FromCmd(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Handle() != nil {
		t.Error("a Handle before Start")
	}
	if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != "out" {
		t.Errorf("Output: %q, %v", out, err)
	}
	if cmd.Handle() == nil {
		t.Error("no Handle after Start")
	}
}
