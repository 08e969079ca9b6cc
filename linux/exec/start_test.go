//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"golang.org/x/sys/unix"
)

// openTo counts the descriptors of this program whose file is called so.
func openTo(t *testing.T, prefix string) (n int) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if target, err := os.Readlink(name); err == nil && strings.HasPrefix(target, prefix) {
			n++
		}
	}
	return n
}

// What a command lends its child is closed when Start returns, however that
// ends, and not left to the garbage collector.
func TestStartClosesWhatItHasOpened(t *testing.T) {
	dir, _ := cgroup(t)
	other, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for name, test := range map[string]struct {
		change func(*exec.Cmd)
		fails  bool
	}{
		"it starts":          {func(*exec.Cmd) {}, false},
		"no program":         {func(c *exec.Cmd) { c.Path = "/nowhere" }, true},
		"a conflict":         {func(c *exec.Cmd) { c.Cgroup = other }, true},
		"a later conflict":   {func(c *exec.Cmd) { c.Chroot, c.SysProcAttr.Chroot = "/", "/tmp" }, true},
		"a flag that is new": {func(c *exec.Cmd) { c.Flags = 1 << 63 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			c := command("cat")
			c.Stdin, c.Stdout = strings.NewReader("in"), &out
			c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
			test.change(c)
			pipes := openTo(t, "pipe:")
			err := c.Start()
			if (err != nil) != test.fails {
				t.Fatalf("got error %v", err)
			}
			if n := openTo(t, dir.Name()); n != 1 {
				t.Errorf("the directory is open %d times, want once: by the test", n)
			}
			if n := openTo(t, "pipe:"); test.fails && n != pipes {
				t.Errorf("%d ends of pipes are open, and were %d before", n, pipes)
			}
			if err == nil {
				if err := c.Wait(); err != nil || out.String() != "in" {
					t.Errorf("got %q, %v", &out, err)
				}
			}
		})
	}
}

func TestStartOnce(t *testing.T) {
	c := command("cat")
	for i, c := range []*exec.Cmd{c, {Path: "/nowhere"}} {
		if err := c.Start(); (err != nil) != (i == 1) {
			t.Fatal(err)
		}
		p := c.Process
		if err := c.Start(); err == nil || err.Error() != "exec: already started" || c.Process != p {
			t.Errorf("the second time: got error %v", err)
		}
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

func TestPidFDIsNotInherited(t *testing.T) {
	pidfd := -1
	c := command("cat")
	c.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	if flags, err := unix.FcntlInt(uintptr(pidfd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the flags of descriptor %d are %#x, %v", pidfd, flags, err)
	}
}

// A mere value as a Writer may be one that cannot be compared.
type chunks struct {
	out *bytes.Buffer
	_   []byte
}

func (c chunks) Write(b []byte) (int, error) { return c.out.Write(b) }

func TestWritersThatCannotBeCompared(t *testing.T) {
	var out, other bytes.Buffer
	c := command("exit", "0")
	c.Stdout, c.Stderr = chunks{out: &out}, chunks{out: &other}
	if err := c.Run(); err != nil {
		t.Error(err)
	}
}

func TestHandleIsLentUntilWait(t *testing.T) {
	pidfds := func() int { return openTo(t, "anon_inode:[pidfd]") + openTo(t, "pidfd:") }
	before := pidfds()
	c := command("cat")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	h := c.Handle()
	if h == nil || c.Handle() != h {
		t.Error("another time it is another one")
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if n := pidfds(); n != before {
		t.Errorf("%d pidfds are open, and were %d before", n, before)
	}
}

// What Handle has lent is the caller's as long as it is used, also when nobody
// has the Cmd any more.
func TestHandleOutlivesItsCmd(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	start := func() *linux.Process {
		c := command("cat")
		c.Stdin = r
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c.Handle()
	}
	h := start()
	defer h.Close()
	r.Close()
	for range 5 {
		runtime.GC()
		time.Sleep(time.Millisecond)
		if err := h.Signal(syscall.Signal(0)); err != nil {
			t.Fatalf("after a collection: got error %v", err)
		}
	}
	w.Close()
	if s, err := h.Wait(t.Context()); err != nil || !s.Success() {
		t.Errorf("got %v, %v, want success", s, err)
	}
	syscall.Wait4(h.Pid(), nil, 0, nil) // as the Cmd would have done
}

// A command whose context has ended is not started. The error is the context's,
// as with os/exec, and not what has caused its end.
func TestStartWithAContextThatHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the cause"))
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Env = command("cat").Env
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != context.Canceled || c.Process != nil {
		t.Errorf("got process %v, error %v, want none and %v", c.Process, err, context.Canceled)
	}
	if _, err := out.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the pipe: got error %v, want %v", err, os.ErrClosed)
	}
}

// The context also ends a command that does not come to its program, here for a
// lease on that.
func TestContextThatEndsBeforeTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leased")
	if err := os.WriteFile(path, []byte("#!/no/such\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skip("no lease can be taken: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := exec.CommandContext(ctx, path).Start(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("Start returned after %v: the lease has ended", took)
	}
}

// Who ends a command with grace, by Cancel, still learns why.
func TestContextThatEndsACommandThatSucceeds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Env = command("cat").Env
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Cancel = in.Close
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.Wait(); err != context.Canceled || !c.ProcessState.Success() {
		t.Errorf("got %v, %v, want %v of a success", err, c.ProcessState, context.Canceled)
	}
}

// A command is not kept waiting by a Writer that takes no more.
func TestWriterThatFails(t *testing.T) {
	c := command("cat")
	c.Stdin, c.Stdout = strings.NewReader(strings.Repeat("x", 1<<20)), failing{}
	if err := c.Run(); err == nil || err.Error() != "no more" && c.ProcessState.Success() {
		t.Errorf("got %v and %v, want the Writer's error, or that of the command", err, c.ProcessState)
	}
}
