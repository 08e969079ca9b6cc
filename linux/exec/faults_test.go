//go:build linux

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	std "os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// Whatever step of a command fails, its error satisfies what that of os/exec
// does: programs look one level deep, and no deeper. The step is told all the
// same.
func TestErrorsHaveTheShapeOfStandardPackage(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	root := os.Geteuid() == 0
	for name, test := range map[string]struct {
		attr *syscall.SysProcAttr
		path string
		dir  string
		kind linux.StepKind
		user bool // only a user without privileges fails
	}{
		"no program":                    {path: "/no/such", kind: linux.StepExec},
		"program is no program":         {path: file, kind: linux.StepExec},
		"no directory":                  {dir: "/no/such", kind: linux.StepChdir},
		"no directory, with attributes": {dir: "/no/such", attr: &syscall.SysProcAttr{Setsid: true}, kind: linux.StepChdir},
		"no root directory":             {attr: &syscall.SysProcAttr{Chroot: "/no/such"}, kind: linux.StepChroot},
		"setgroups":                     {attr: &syscall.SysProcAttr{Credential: &syscall.Credential{Groups: []uint32{1}}}, kind: linux.StepCredential, user: true},
		"setgid":                        {attr: &syscall.SysProcAttr{Credential: &syscall.Credential{NoSetGroups: true}}, kind: linux.StepCredential, user: true},
		"unshare":                       {attr: &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWUTS}, kind: linux.StepUnshare, user: true},
		"process group":                 {attr: &syscall.SysProcAttr{Setpgid: true, Pgid: 1 << 21}, kind: linux.StepProcessGroup},
		"terminal":                      {attr: &syscall.SysProcAttr{Setsid: true, Setctty: true}, kind: linux.StepTerminal},
		"namespace":                     {attr: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}, user: true},
	} {
		t.Run(name, func(t *testing.T) {
			if test.user && root {
				t.Skip("root may do that")
			}
			path := test.path
			if path == "" {
				path = "/proc/self/exe"
			}
			c := exec.Command(path)
			c.Dir, c.SysProcAttr = test.dir, test.attr
			s := std.Command(path)
			s.Dir, s.SysProcAttr = test.dir, test.attr
			s.Env, c.Env = environ("exit"), environ("exit")
			ours, theirs := c.Run(), s.Run()
			shape(t, ours, theirs)
			if step := c.FailedStep(); test.kind != 0 && (step == nil || step.Kind != test.kind) {
				t.Errorf("FailedStep: got %v, want one of kind %v", step, test.kind)
			}
		})
	}
}

// shape compares two errors as a program would.
func shape(t *testing.T, ours, theirs error) {
	t.Helper()
	if ours == nil || theirs == nil {
		t.Fatalf("got %v, os/exec has %v", ours, theirs)
	}
	for name, is := range map[string]func(error) bool{
		"os.IsNotExist":        os.IsNotExist,
		"os.IsExist":           os.IsExist,
		"os.IsPermission":      os.IsPermission,
		"os.IsTimeout":         os.IsTimeout,
		"errors.Is NotExist":   func(err error) bool { return errors.Is(err, fs.ErrNotExist) },
		"errors.Is Permission": func(err error) bool { return errors.Is(err, fs.ErrPermission) },
		"a PathError":          func(err error) bool { _, ok := err.(*fs.PathError); return ok },
		"an Errno in it": func(err error) bool {
			pe, ok := err.(*fs.PathError)
			if !ok {
				return false
			}
			_, ok = pe.Err.(syscall.Errno)
			return ok
		},
	} {
		if got, want := is(ours), is(theirs); got != want {
			t.Errorf("%s: got %v for %v, os/exec has %v for %v", name, got, ours, want, theirs)
		}
	}
	var a, b syscall.Errno
	errors.As(ours, &a)
	if errors.As(theirs, &b); a != b {
		t.Errorf("got errno %v, os/exec has %v", a, b)
	}
	p, ok1 := ours.(*fs.PathError)
	q, ok2 := theirs.(*fs.PathError)
	if ok1 && ok2 && (p.Path != q.Path || !strings.HasPrefix(p.Op, q.Op)) {
		t.Errorf("got Op %q and Path %q, os/exec has %q and %q", p.Op, p.Path, q.Op, q.Path)
	}
}

// The time after which a command is killed and its pipes are closed begins when
// its context ends, whether somebody waits for it or not.
func TestWaitDelayBeginsWithContext(t *testing.T) {
	type command interface {
		StderrPipe() (io.ReadCloser, error)
		Start() error
		Wait() error
	}
	const delay = 100 * time.Millisecond
	for name, create := range map[string]func(context.Context) command{
		"linux/exec": func(ctx context.Context) command {
			c := exec.CommandContext(ctx, "/proc/self/exe")
			c.Env, c.Stdout, c.WaitDelay = environ("orphan"), new(bytes.Buffer), delay
			c.Cancel = func() error { return nil } // and nothing happens
			return c
		},
		"os/exec": func(ctx context.Context) command {
			c := std.CommandContext(ctx, "/proc/self/exe")
			c.Env, c.Stdout, c.WaitDelay = environ("orphan"), new(bytes.Buffer), delay
			c.Cancel = func() error { return nil }
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			c := create(ctx)
			stderr, err := c.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			text := make([]byte, 20)
			n, err := stderr.Read(text)
			if err != nil {
				t.Fatal(err)
			}
			defer syscall.Kill(number(string(text[:n])), syscall.SIGKILL)
			cancel()
			ended := make(chan error, 1)
			go func() {
				io.Copy(io.Discard, stderr) // before Wait, as the documentation has it
				ended <- c.Wait()
			}()
			select {
			case <-ended:
			case <-time.After(20 * time.Second):
				t.Fatal("the pipes stay open")
			}
		})
	}
}

// A program that does not call Wait of a command, but of its Process, or
// releases that, has no descriptors left over.
func TestDescriptorsOfCommands(t *testing.T) {
	needTime(t)
	for _, end := range []string{"Wait", "Process.Wait", "Process.Release"} {
		for _, flags := range []linux.Flags{0, linux.AutoReap, linux.AutoKill | linux.NoNewPrivs} {
			if flags != 0 && (linux.Probe(flags) != nil || end == "Process.Wait") {
				continue
			}
			t.Run(fmt.Sprintf("%s %v", end, flags), func(t *testing.T) {
				c := command("run out of descriptors", end, fmt.Sprint(uint64(flags)))
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
	}
}

func needTime(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
}

// runOutOfDescriptors starts more commands than it may have descriptors open.
func runOutOfDescriptors(args []string) int {
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background()) // which lives on
	defer cancel()
	for i := range 300 {
		c := exec.CommandContext(ctx, "/no/such")
		c.Path, c.Env = "/proc/self/exe", environ("exit")
		c.Args = []string{"x", "0"}
		c.Flags = linux.Flags(number(args[1]))
		err := c.Start()
		if err == nil {
			switch args[0] {
			case "Wait":
				err = c.Wait()
			case "Process.Wait":
				_, err = c.Process.Wait()
			case "Process.Release":
				if c.Flags == 0 { // nobody else reaps it
					syscall.Wait4(c.Process.Pid, nil, 0, nil)
				}
				err = c.Process.Release()
			}
		}
		if err != nil {
			fmt.Printf("command %d: %v\n", i, err)
			return 1
		}
	}
	return 0
}

// To close the handle of a command with AutoKill kills it, and Wait tells so.
func TestHandleCloseKills(t *testing.T) {
	c := command("sleep")
	c.Flags = linux.AutoKill | linux.NoNewPrivs
	if err := c.Start(); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := c.Handle().Close(); err != nil {
		t.Fatal(err)
	}
	var ee *exec.ExitError
	if err := c.Wait(); !errors.As(err, &ee) || ee.String() != "signal: killed" {
		t.Errorf("got %v, want signal: killed", err)
	}
	if err := c.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Kill after the end: got %v, want %v", err, os.ErrProcessDone)
	}
}

// The descriptor that SysProcAttr.PidFD asks for is -1 where there is none.
func TestPidFDAfterFailure(t *testing.T) {
	pidfd := 12345
	c := exec.Command("/no/such")
	c.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
	if err := c.Start(); err == nil {
		t.Fatal("started")
	}
	if pidfd != -1 {
		t.Errorf("got %d, want -1", pidfd)
	}
}

// A Reader that never answers does not keep Run from returning when nobody can
// read what it would give.
func TestReaderThatDoesNotAnswer(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	c := command("exit", "3")
	c.Stdin = r
	ended := make(chan error, 1)
	go func() { ended <- c.Run() }()
	select {
	case err := <-ended:
		var ee *exec.ExitError
		if !errors.As(err, &ee) || ee.ExitCode() != 3 {
			t.Errorf("got %v, want exit status 3", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run does not return")
	}
}

// But its error is told, if it comes at about the time the command ends.
func TestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	c := command("cat")
	c.Stdin = io.MultiReader(strings.NewReader("x"), brokenReader{broken})
	if err := c.Run(); err != broken {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type brokenReader struct{ err error }

func (f brokenReader) Read([]byte) (int, error) { return 0, f.err }

// A command can be run again by its clone, which has what it was made to do and
// nothing of what has come of it.
func TestClone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := exec.CommandContext(ctx, "/proc/self/exe", "twice")
	c.Env = environ("echo")
	for range 3 {
		out, err := c.Output()
		if err != nil || string(out) != "twice\n" {
			t.Fatalf("got %q, %v", out, err)
		}
		c = c.Clone()
	}
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	n := c.Clone()
	if err := c.Run(); err != nil && !strings.Contains(err.Error(), "signal: broken pipe") {
		t.Errorf("the first: %v", err)
	}
	if out, err := n.CombinedOutput(); err != nil || string(out) != "twice\n" {
		t.Errorf("the clone of one with a pipe: got %q, %v", out, err)
	}

	// The end of the context ends the clone, not what it was cloned of.
	c = exec.CommandContext(ctx, "/proc/self/exe")
	c.Env = environ("sleep")
	n = c.Clone()
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := n.Wait(); err == nil {
		t.Error("the clone was not killed")
	}
}
