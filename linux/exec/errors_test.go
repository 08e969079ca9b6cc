//go:build linux && !clone3_osexec

package exec_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	std "os/exec"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"golang.org/x/sys/unix"
)

// Whatever step of a command fails, with whatever number, programs see what they
// see with os/exec, however deep they look.
func TestErrorsOfSteps(t *testing.T) {
	out, err := command("steps that fail").CombinedOutput()
	if strings.HasPrefix(string(out), "SKIP") {
		t.Skip(string(out))
	}
	if err != nil || len(out) > 0 {
		t.Errorf("%s%v", out, err)
	}
}

// refusedSteps are steps, and the system calls that they make.
var refusedSteps = []struct {
	name  string
	kind  linux.StepKind // 0 if there is no child yet
	calls []uint32
	dir   string
	attr  syscall.SysProcAttr
}{
	{"clone", 0, []uint32{unix.SYS_CLONE, unix.SYS_CLONE3}, "", syscall.SysProcAttr{}},
	{"setsid", linux.StepSession, []uint32{unix.SYS_SETSID}, "", syscall.SysProcAttr{Setsid: true}},
	{"setpgid", linux.StepProcessGroup, []uint32{unix.SYS_SETPGID}, "", syscall.SysProcAttr{Setpgid: true}},
	{"terminal", linux.StepTerminal, []uint32{unix.SYS_IOCTL}, "", syscall.SysProcAttr{Setsid: true, Setctty: true}},
	{"unshare", linux.StepUnshare, []uint32{unix.SYS_UNSHARE}, "", syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWUTS}},
	{"chroot", linux.StepChroot, []uint32{unix.SYS_CHROOT}, "", syscall.SysProcAttr{Chroot: "/"}},
	{"setgroups", linux.StepCredential, idCalls(unix.SYS_SETGROUPS), "", syscall.SysProcAttr{Credential: &syscall.Credential{}}},
	{"setgid", linux.StepCredential, idCalls(unix.SYS_SETGID), "", syscall.SysProcAttr{Credential: &syscall.Credential{NoSetGroups: true}}},
	{"setuid", linux.StepCredential, idCalls(unix.SYS_SETUID), "", syscall.SysProcAttr{Credential: &syscall.Credential{NoSetGroups: true, Gid: uint32(os.Getgid())}}},
	{"capset", linux.StepCapabilities, []uint32{unix.SYS_CAPSET}, "", syscall.SysProcAttr{AmbientCaps: []uintptr{unix.CAP_CHOWN}}},
	{"chdir", linux.StepChdir, []uint32{unix.SYS_CHDIR}, "/", syscall.SysProcAttr{}},
	{"death signal", linux.StepDeathSignal, []uint32{unix.SYS_PRCTL}, "", syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}},
	{"files", linux.StepFiles, []uint32{unix.SYS_DUP3}, "", syscall.SysProcAttr{}},
	{"ptrace", linux.StepTrace, []uint32{unix.SYS_PTRACE}, "", syscall.SysProcAttr{Ptrace: true}},
	{"exec", linux.StepExec, []uint32{unix.SYS_EXECVE}, "", syscall.SysProcAttr{}},
}

// idCalls returns nothing where IDs of 32 bits have calls of their own.
func idCalls(nr uint32) []uint32 {
	if runtime.GOARCH == "386" || runtime.GOARCH == "arm" {
		return nil
	}
	return []uint32{nr}
}

var numbers = []syscall.Errno{
	syscall.EPERM, syscall.ENOENT, syscall.EACCES, syscall.EEXIST, syscall.EAGAIN, syscall.ENOMEM, syscall.ENOSPC,
	syscall.EINVAL, syscall.ENOSYS, syscall.EBUSY, syscall.ENOTDIR, syscall.EOPNOTSUPP, syscall.ETIMEDOUT, syscall.ETXTBSY, syscall.EIO,
}

// stepsThatFail lets each step fail with each number, in a thread of its own, as
// a filter is for life.
func stepsThatFail([]string) int {
	for _, step := range refusedSteps {
		if step.calls == nil {
			continue
		}
		for _, errno := range numbers {
			if step.name == "clone" && errno == syscall.EINVAL {
				continue // to Clone3 it means that the kernel lacks a flag
			}
			done := make(chan error)
			go func() {
				runtime.LockOSThread() // for good: the thread ends with the goroutine
				done <- func() error {
					if err := refuseHere(errno, step.calls...); err != nil {
						return fmt.Errorf("SKIP: no filter: %w", err)
					}
					attr := step.attr
					theirs := &std.Cmd{Path: "/proc/self/exe", Dir: step.dir, SysProcAttr: &attr}
					ours := &exec.Cmd{Path: "/proc/self/exe", Dir: step.dir, SysProcAttr: &attr}
					err := sameFailure(ours.Start(), theirs.Start())
					if err == nil {
						err = tellsStep(ours, step.kind, errno)
					}
					return err
				}()
			}()
			if err := <-done; err != nil {
				fmt.Printf("%s, %v: %v\n", step.name, unix.ErrnoName(errno), err)
			}
		}
	}
	return 0
}

// sameFailure returns in what two errors of Start differ.
func sameFailure(got, want error) error {
	var g, w *fs.PathError
	if reflect.TypeOf(got) != reflect.TypeOf(want) || !errors.As(want, &w) || !errors.As(got, &g) {
		return fmt.Errorf("got %T (%[1]v), os/exec %T (%[2]v)", got, want)
	}
	errno, ok := g.Err.(syscall.Errno)
	if stdErrno, stdOK := w.Err.(syscall.Errno); ok != stdOK || errno != stdErrno {
		return fmt.Errorf("got Err %#v, os/exec %#v", g.Err, w.Err)
	}
	if g.Op != "chdir" && g.Path != w.Path {
		return fmt.Errorf("got Path %s, os/exec %s", g.Path, w.Path)
	}
	if !strings.HasPrefix(g.Op, w.Op) && g.Op != "chdir" {
		return fmt.Errorf("got Op %s, os/exec %s", g.Op, w.Op)
	}
	for name, is := range map[string]func(error) bool{
		"os.IsNotExist": os.IsNotExist, "os.IsPermission": os.IsPermission, "os.IsExist": os.IsExist, "os.IsTimeout": os.IsTimeout,
	} {
		if is(got) != is(want) {
			return fmt.Errorf("%s is %v of %v, and %v of %v of os/exec", name, is(got), got, is(want), want)
		}
	}
	for _, target := range append([]error{
		fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, fs.ErrInvalid, os.ErrDeadlineExceeded, errors.ErrUnsupported,
	}, asErrors(numbers)...) {
		if errors.Is(got, target) != errors.Is(want, target) {
			return fmt.Errorf("errors.Is %v is %v of %v, and %v of %v of os/exec", target, errors.Is(got, target), got, errors.Is(want, target), want)
		}
	}
	return nil
}

func asErrors(numbers []syscall.Errno) (errs []error) {
	for _, n := range numbers {
		errs = append(errs, n)
	}
	return errs
}

// tellsStep returns an error unless FailedStep of a command that could not be
// started is of that kind.
func tellsStep(c *exec.Cmd, kind linux.StepKind, errno syscall.Errno) error {
	switch step := c.FailedStep(); {
	case kind == 0 && step != nil:
		return fmt.Errorf("step %v has failed, want none", step)
	case kind != 0 && (step == nil || step.Kind != kind || step.Errno != errno):
		return fmt.Errorf("got step %#v, want %v with %v", step, kind, errno)
	}
	return nil
}

// refuseHere lets system calls fail, in this thread and its children.
func refuseHere(errno syscall.Errno, calls ...uint32) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	code := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the number
	for _, nr := range calls {
		code = append(code,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	}
	code = append(code, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}

// What the kernel itself refuses looks the same, too.
func TestErrorsOfStart(t *testing.T) {
	for name, c := range map[string]std.Cmd{
		"chroot":        {SysProcAttr: &syscall.SysProcAttr{Chroot: "/nowhere"}},
		"setpgid":       {SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pgid: 1 << 21}},
		"terminal":      {SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true}},
		"cgroup":        {SysProcAttr: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: 1 << 20}},
		"capability":    {SysProcAttr: &syscall.SysProcAttr{AmbientCaps: []uintptr{63}}},
		"NUL in Args":   {Args: []string{"a\x00b"}},
		"NUL in Chroot": {SysProcAttr: &syscall.SysProcAttr{Chroot: "/\x00"}},
		"map of IDs":    {SysProcAttr: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: []syscall.SysProcIDMap{{Size: 1, HostID: -2}}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Path = "/proc/self/exe"
			ours, err := exec.FromCmd(t.Context(), &c)
			if err != nil {
				t.Fatal(err)
			}
			got, want := ours.Start(), c.Start()
			if got == nil || want == nil {
				t.Fatalf("got %v, os/exec %v, want failures", got, want)
			}
			if err := sameFailure(got, want); err != nil {
				t.Errorf("%v; got %q, os/exec %q", err, got, want)
			}
		})
	}
}

// The step is told in words, and by FailedStep.
func TestFailedStep(t *testing.T) {
	c := command("exit", "0")
	c.Chroot = "/nowhere"
	err := c.Run()
	if want := "fork/exec (chroot /nowhere) /proc/self/exe: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if step := c.FailedStep(); step == nil || step.Step != "chroot /nowhere" || step.Kind != linux.StepChroot {
		t.Errorf("got %#v, want the step of Chroot", step)
	}
	c = command("exit", "0")
	if err := c.Run(); err != nil || c.FailedStep() != nil {
		t.Errorf("got %v, step %v", err, c.FailedStep())
	}
	// What a number cannot tell is still there.
	c = command("exit", "0")
	mine := fmt.Errorf("mine: %w", syscall.EBUSY)
	c.Created = func(*linux.Process) error { return mine }
	if err := c.Run(); !errors.Is(err, mine) {
		t.Errorf("got %v, want %v", err, mine)
	}
}
