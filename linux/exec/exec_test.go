//go:build linux

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	std "os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
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

// Everything that os/exec exports is here: as the same type or function, or with
// the same fields and methods.
func TestHasAllOfStandardPackage(t *testing.T) {
	var (
		_ func(string, ...string) *exec.Cmd                  = exec.Command
		_ func(context.Context, string, ...string) *exec.Cmd = exec.CommandContext
		_ func(string) (string, error)                       = exec.LookPath
		_ *std.Error                                         = (*exec.Error)(nil)
		_ *std.ExitError                                     = (*exec.ExitError)(nil)
	)
	for name, same := range map[string]bool{
		"ErrDot":       exec.ErrDot == std.ErrDot,
		"ErrNotFound":  exec.ErrNotFound == std.ErrNotFound,
		"ErrWaitDelay": exec.ErrWaitDelay == std.ErrWaitDelay,
	} {
		if !same {
			t.Errorf("%s is another value", name)
		}
	}
	theirs, ours := reflect.TypeFor[*std.Cmd](), reflect.TypeFor[*exec.Cmd]()
	for i := range theirs.Elem().NumField() {
		want := theirs.Elem().Field(i)
		if !want.IsExported() {
			continue
		}
		if got, ok := ours.Elem().FieldByName(want.Name); !ok || got.Type != want.Type || len(got.Index) != 1 {
			t.Errorf("field %s: got %v, want %v", want.Name, got.Type, want.Type)
		}
	}
	for i := range theirs.NumMethod() {
		want := theirs.Method(i)
		got, ok := ours.MethodByName(want.Name)
		if !ok {
			t.Errorf("no method %s", want.Name)
			continue
		}
		for j := 1; j < want.Type.NumIn(); j++ {
			if got.Type.In(j) != want.Type.In(j) {
				t.Errorf("method %s is %v, want %v", want.Name, got.Type, want.Type)
			}
		}
		for j := range want.Type.NumOut() {
			if got.Type.Out(j) != want.Type.Out(j) {
				t.Errorf("method %s is %v, want %v", want.Name, got.Type, want.Type)
			}
		}
	}
}

// Failures look the same as those of os/exec.
func TestFailsLikeStandardPackage(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/nowhere/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*std.Cmd{
		"not there":                {Path: "/nowhere"},
		"not in PATH":              std.Command("no-such-program-exists"),
		"a directory":              {Path: dir},
		"not executable":           {Path: plain},
		"no interpreter":           {Path: script},
		"no command":               {},
		"NUL in an argument":       {Path: "/proc/self/exe", Args: []string{"true", "a\x00b"}},
		"NUL in the environment":   {Path: "/proc/self/exe", Env: []string{"a\x00b=c"}},
		"no directory":             {Path: "/proc/self/exe", Dir: "/nowhere"},
		"Credential without right": {Path: "/proc/self/exe", SysProcAttr: &syscall.SysProcAttr{Pgid: -1, Setpgid: true}},
		"exit code":                {Path: "/proc/self/exe", Env: []string{helperVar + "=exit"}, Args: []string{"exit", "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			ours, err := exec.FromCmd(c)
			if err != nil {
				t.Fatal(err)
			}
			got, want := ours.Run(), c.Run()
			if want == nil || got == nil {
				t.Fatalf("got %v, os/exec %v, want failures", got, want)
			}
			if reflect.TypeOf(got) != reflect.TypeOf(want) {
				t.Errorf("got %T (%[1]v), os/exec %T (%[2]v)", got, want)
			}
			for _, target := range []error{syscall.ENOENT, syscall.EACCES, syscall.EINVAL, exec.ErrNotFound, fs.ErrNotExist, fs.ErrPermission} {
				if errors.Is(got, target) != errors.Is(want, target) {
					t.Errorf("errors.Is %v: got %v for %v, os/exec %v for %v", target, errors.Is(got, target), got, !errors.Is(got, target), want)
				}
			}
			var g, w *fs.PathError
			if errors.As(got, &g) && errors.As(want, &w) && (g.Op != w.Op || g.Path != w.Path) {
				t.Errorf("got %v, os/exec %v", g, w)
			}
			if name != "NUL in an argument" && !strings.HasPrefix(name, "Cred") && got.Error() != want.Error() {
				t.Errorf("got %q, os/exec %q", got, want)
			}
		})
	}
}

func TestExitErrorIsThatOfStandardPackage(t *testing.T) {
	_, err := command("both", "3").Output()
	var ee *std.ExitError
	if !errors.As(err, &ee) {
		t.Fatalf("got %T: %[1]v, want *os/exec.ExitError", err)
	}
	usage, ok := ee.SysUsage().(*syscall.Rusage)
	if ee.ExitCode() != 3 || string(ee.Stderr) != "err" || ee.Error() != "exit status 3" || !ok || usage.Maxrss == 0 || ee.UserTime()+ee.SystemTime() == 0 {
		t.Errorf("got code %d, stderr %q, %q, usage %+v", ee.ExitCode(), ee.Stderr, ee, usage)
	}
}

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
	if _, err := c.Handle().PidFD().File(); !errors.Is(err, os.ErrClosed) {
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

func TestInputAndOutput(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 1<<16)
	c := command("cat")
	c.Stdin = strings.NewReader(big)
	if out, err := c.Output(); err != nil || string(out) != big {
		t.Errorf("cat of 1 MB: got %d bytes, %v", len(out), err)
	}
	c = command("exit", "0")
	c.Stdin = strings.NewReader(big) // which is not read
	if err := c.Run(); err != nil {
		t.Error("input that is not read:", err)
	}
	if out, err := command("both", "0").CombinedOutput(); err != nil || string(out) != "outerr" {
		t.Errorf("CombinedOutput: got %q, %v", out, err)
	}
	c = command("echo", "a", "b")
	c.Stdout = failing{}
	if err := c.Run(); err == nil || err.Error() != "no more" {
		t.Errorf("output to a failing writer: got %v", err)
	}
	c = command("cat")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
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

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no more") }

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

func TestImplicitPWD(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(helperVar, "pwd")
	c := exec.Command("/proc/self/exe")
	c.Dir = dir
	if out, err := c.Output(); err != nil || string(out) != dir+" "+dir {
		t.Errorf("got %q, %v, want %q twice", out, err, dir)
	}
}

// The fields of linux.Child work.
func TestChildFields(t *testing.T) {
	c := command("status", "Umask", "SigIgn")
	umask := 0o027
	c.Umask = &umask
	if out, err := c.Output(); err != nil || !strings.Contains(string(out), "Umask:\t0027\n") {
		t.Errorf("Umask: got %q, %v", out, err)
	}

	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	c = command("echo", "by descriptor")
	c.Path, c.Exec = "", self
	if out, err := c.Output(); err != nil || string(out) != "by descriptor\n" {
		t.Errorf("Exec: got %q, %v", out, err)
	}

	c = command("echo")
	c.Child.Path = "/proc/self/exe"
	if err := c.Run(); err == nil || !strings.Contains(err.Error(), "set those of the Cmd") {
		t.Errorf("Child.Path: got %v", err)
	}
	c = command("echo")
	c.Chroot, c.SysProcAttr = "/", &syscall.SysProcAttr{Chroot: "/tmp"}
	if err := c.Run(); err == nil || !strings.Contains(err.Error(), "SysProcAttr.Chroot: Cmd.Child has another value") {
		t.Errorf("Chroot and SysProcAttr.Chroot: got %v", err)
	}
}

// clone(2) has no room for flags above 32 bits. os/exec drops them.
func TestCloneflagsAreNotDropped(t *testing.T) {
	if ^uintptr(0)>>32 == 0 {
		t.Skip("Cloneflags has 32 bits here")
	}
	c := command("status", "NoNewPrivs")
	nnp := uint64(linux.NoNewPrivs)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: uintptr(nnp)}
	out, err := c.Output()
	switch {
	case errors.Is(err, errors.ErrUnsupported) && errors.Is(linux.Probe(linux.NoNewPrivs), errors.ErrUnsupported):
	case err != nil || string(out) != "NoNewPrivs:\t1\n":
		t.Errorf("got %q, %v", out, err)
	}
}

func TestSysProcAttr(t *testing.T) {
	t.Run("PidFD", func(t *testing.T) {
		pidfd := -1
		c := command("sleep")
		c.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if err := unix.PidfdSendSignal(pidfd, unix.SIGTERM, nil, 0); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err == nil || err.Error() != "signal: terminated" {
			t.Errorf("got %v", err)
		}
		if err := unix.Close(pidfd); err != nil {
			t.Error("PidFD is not ours:", err)
		}
	})
	t.Run("cgroup", func(t *testing.T) {
		dir, name := cgroup(t)
		for how, use := range map[string]func(*exec.Cmd){
			"CgroupFD": func(c *exec.Cmd) {
				c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
			},
			"Cgroup": func(c *exec.Cmd) { c.Cgroup = dir },
		} {
			c := command("file", "/proc/self/cgroup")
			use(c)
			if out, err := c.Output(); err != nil || !strings.Contains(string(out), name) {
				t.Errorf("%s: the command is in %q, want %s; %v", how, out, name, err)
			}
		}
		if _, err := dir.Stat(); err != nil {
			t.Error("the directory is closed:", err)
		}
	})
	t.Run("Ptrace", func(t *testing.T) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		c := command("exit", "3")
		c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(c.Process.Pid, &status, 0, nil); err != nil || status.StopSignal() != syscall.SIGTRAP {
			t.Errorf("after exec: status %#x, %v, want a stop by SIGTRAP", status, err)
		}
		if err := syscall.PtraceDetach(c.Process.Pid); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err == nil || err.Error() != "exit status 3" {
			t.Errorf("got %v, want exit status 3", err)
		}
	})
	t.Run("signal in Cloneflags", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:   unix.CLONE_VFORK | unix.CLONE_VM | uintptr(syscall.SIGCHLD),
			Unshareflags: unix.CLONE_FS | unix.CLONE_FILES,
		}
		if err := c.Run(); err != nil {
			t.Error(err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_THREAD}
		if err := c.Run(); err == nil || !strings.Contains(err.Error(), "CLONE_THREAD") || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("CLONE_THREAD: got %v", err)
		}
	})
	t.Run("CgroupFD that is none", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: 1 << 20}
		if err := c.Run(); !errors.Is(err, syscall.EBADF) {
			t.Errorf("got %v, want %v", err, syscall.EBADF)
		}
	})
	t.Run("step that fails", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: 1 << 21}
		if err := c.Run(); err == nil || !strings.HasPrefix(err.Error(), "fork/exec /proc/self/exe: setpgid 2097152: ") {
			t.Errorf("got %v", err)
		}
	})
}

// cgroup makes a control group for the test, and returns its name.
func cgroup(t *testing.T) (dir *os.File, name string) {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(root, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		path, err := os.MkdirTemp(root, "exec-test-")
		if err != nil {
			t.Skip("no cgroup can be made:", err)
		}
		t.Cleanup(func() { os.Remove(path) })
		if dir, err = os.Open(path); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dir.Close() })
		return dir, filepath.Base(path)
	}
	t.Skip("no cgroup2 file system is mounted")
	return nil, ""
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

func TestFromCmd(t *testing.T) {
	c := std.Command("/proc/self/exe", "taken", "over")
	c.Env = append(os.Environ(), helperVar+"=echo")
	ours, err := exec.FromCmd(c)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := ours.Output(); err != nil || string(out) != "taken over\n" {
		t.Errorf("got %q, %v", out, err)
	}

	started := std.Command("/proc/self/exe", "0")
	started.Env = append(os.Environ(), helperVar+"=exit")
	if err := started.Run(); err != nil {
		t.Fatal(err)
	}
	piped := std.Command("/proc/self/exe")
	r, err := piped.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { r.Close(); piped.Stdout.(*os.File).Close() }()
	for want, c := range map[string]*std.Cmd{
		"no command":      nil,
		"already started": started,
		"has a context":   std.CommandContext(context.Background(), "/proc/self/exe"),
		"has pipes":       piped,
	} {
		if _, err := exec.FromCmd(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want that it says %q", err, want)
		}
	}
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
				case err == context.Canceled && c.Process == nil:
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
