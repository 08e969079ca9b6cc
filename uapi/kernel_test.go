//go:build linux

package uapi_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
)

// These tests ask the running kernel whether it means by the numbers what
// this package says. They are worth most on the architectures that differ.

// unknown wraps the errors by which a kernel says that it does not know a
// system call, an ioctl or a flag.
func unknown(err error) error {
	for _, errno := range []unix.Errno{unix.ENOSYS, unix.EINVAL, unix.ENOTTY, unix.E2BIG} {
		if errors.Is(err, errno) {
			return fmt.Errorf("%w: %w", err, errors.ErrUnsupported)
		}
	}
	return err
}

// failure returns the error of a system call.
func failure(_, _ uintptr, errno unix.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// pidfdOpen opens a pidfd that the test's end closes.
func pidfdOpen(t *testing.T, pid int, flags uintptr) (int, error) {
	t.Helper()
	fd, _, errno := unix.Syscall(uapi.SYS_PIDFD_OPEN, uintptr(pid), flags, 0)
	if errno != 0 {
		return -1, errno
	}
	t.Cleanup(func() { unix.Close(int(fd)) })
	return int(fd), nil
}

// self opens a pidfd of the test itself.
func self(t *testing.T) int {
	t.Helper()
	fd, err := pidfdOpen(t, os.Getpid(), 0)
	if err != nil {
		t.Fatal("pidfd_open:", err)
	}
	return fd
}

// scratch is the memory that system calls are given in TestSystemCallNumbers.
// It is not on a stack, which may move while its address is a number.
var scratch struct {
	word          uint32
	limit, action [2]uint64
	attr          uapi.SchedAttr
	handle        [2]uint32
	root, empty   [2]byte
}

// Every system call is made with arguments that it alone answers like this.
func TestSystemCallNumbers(t *testing.T) {
	fd, err := unix.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	pidfd, badFD := uintptr(self(t)), ^uintptr(0)
	scratch.root[0] = '/'
	const (
		rlimitNofile   = 7
		mipsNofile     = 5
		futexWake      = 1
		getNoNewPrivs  = 39
		actionAvail    = 2
		createVersion  = 1
		atEmptyPath    = 0x1000
		seccompAllowed = 0x7fff0000
	)
	nofile := uintptr(rlimitNofile)
	if uapi.PIDFD_NONBLOCK == 0x80 { // mips has its own order of limits
		nofile = mipsNofile
	}
	scratch.action[0] = seccompAllowed
	if bigEndian() {
		scratch.action[0] <<= 32
	}
	call := func(nr, a, b, c, d, e uintptr) error { return failure(unix.Syscall6(nr, a, b, c, d, e, 0)) }
	ptr := func(p unsafe.Pointer) uintptr { return uintptr(p) }
	// unless gives want for the EPERM that users get from kernels before
	// since, which checked privileges first.
	unless := func(since string, err, want error) error {
		if err == unix.EPERM && os.Getuid() != 0 && kerneltest.Before(since) {
			return want
		}
		return err
	}
	here := unix.AT_FDCWD
	tests := []struct {
		name, since string
		err         error
		want        error
	}{
		{"clone3", "5.3", call(uapi.SYS_CLONE3, 0, 0, 0, 0, 0), unix.EINVAL},
		{"clone", "2.6", call(uapi.SYS_CLONE, uapi.CLONE_THREAD, uapi.CLONE_THREAD, 0, 0, 0), unix.EINVAL}, // s390x takes the flags second
		{"close_range", "5.9", call(uapi.SYS_CLOSE_RANGE, uintptr(fd), uintptr(fd), 0, 0, 0), nil},
		{"close_range", "5.9", unix.Close(fd), unix.EBADF},
		{"execve", "2.6", call(uapi.SYS_EXECVE, badFD, 0, 0, 0, 0), unix.EFAULT},
		{"execveat", "3.19", call(uapi.SYS_EXECVEAT, badFD, ptr(unsafe.Pointer(&scratch.empty)), 0, 0, atEmptyPath), unix.EBADF},
		{"futex", "2.6", call(uapi.SYS_FUTEX, ptr(unsafe.Pointer(&scratch.word)), futexWake, 1, 0, 0), nil},
		{"landlock_add_rule", "5.13", call(uapi.SYS_LANDLOCK_ADD_RULE, badFD, 1, ptr(unsafe.Pointer(&scratch.limit)), 0, 0), unix.EBADF},
		{"landlock_create_ruleset", "5.13", call(uapi.SYS_LANDLOCK_CREATE_RULESET, 0, 0, createVersion, 0, 0), nil},
		{"landlock_restrict_self", "5.13", unless("7.3", call(uapi.SYS_LANDLOCK_RESTRICT_SELF, badFD, badFD, 0, 0, 0), unix.EINVAL), unix.EINVAL},
		{"name_to_handle_at", "2.6", call(uapi.SYS_NAME_TO_HANDLE_AT, badFD, ptr(unsafe.Pointer(&scratch.root)), ptr(unsafe.Pointer(&scratch.handle)), ptr(unsafe.Pointer(&scratch.word)), 1<<30), unix.EINVAL},
		{"open_by_handle_at", "2.6", unless("6.17", call(uapi.SYS_OPEN_BY_HANDLE_AT, uintptr(here), ptr(unsafe.Pointer(&scratch.handle)), 0, 0, 0), unix.EINVAL), unix.EINVAL},
		{"pidfd_getfd", "5.6", call(uapi.SYS_PIDFD_GETFD, pidfd, badFD>>1, 0, 0, 0), unix.EBADF},
		{"pidfd_open", "5.3", call(uapi.SYS_PIDFD_OPEN, badFD, 0, 0, 0, 0), unix.EINVAL},
		{"pidfd_send_signal", "5.1", call(uapi.SYS_PIDFD_SEND_SIGNAL, pidfd, 0, 0, 0, 0), nil},
		{"prctl", "3.5", call(uapi.SYS_PRCTL, getNoNewPrivs, 0, 0, 0, 0), nil},
		{"prlimit64", "2.6", call(uapi.SYS_PRLIMIT64, 0, nofile, 0, ptr(unsafe.Pointer(&scratch.limit)), 0), nil},
		{"process_madvise", "5.10", call(uapi.SYS_PROCESS_MADVISE, badFD, ptr(unsafe.Pointer(&scratch.limit)), 1, 20, 0), unix.EBADF},
		{"process_mrelease", "5.15", call(uapi.SYS_PROCESS_MRELEASE, badFD, 0, 0, 0, 0), unix.EBADF},
		{"sched_setattr", "3.14", call(uapi.SYS_SCHED_SETATTR, 0, ptr(unsafe.Pointer(&scratch.attr)), 1, 0, 0), unix.EINVAL},
		{"seccomp", "4.14", call(uapi.SYS_SECCOMP, actionAvail, 0, ptr(unsafe.Pointer(&scratch.action)), 0, 0), nil},
		{"setns", "3.0", call(uapi.SYS_SETNS, badFD, 0, 0, 0, 0), unix.EBADF},
		{"unshare", "2.6", call(uapi.SYS_UNSHARE, 0, 0, 0, 0, 0), nil},
		{"wait4", "2.6", call(uapi.SYS_WAIT4, 1<<30, 0, 0, 0, 0), unix.ECHILD},
		{"waitid", "2.6", call(uapi.SYS_WAITID, uapi.P_PID, 1<<30, 0, uapi.WEXITED, 0), unix.ECHILD},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if errors.Is(tt.err, unix.ENOSYS) {
				kerneltest.Need(t, tt.name, tt.since, tt.err)
			}
			if tt.err != tt.want {
				t.Errorf("got error %v, want %v", tt.err, tt.want)
			}
		})
	}
	if limit := scratch.limit; limit[0] == 0 || limit[0] > limit[1] {
		t.Errorf("prlimit64 says that %d of %d files may be open", limit[0], limit[1])
	}
}

func bigEndian() bool {
	n := uint16(1)
	return *(*byte)(unsafe.Pointer(&n)) == 0
}

// Clone3 with a place for the pidfd that cannot be written fails with EFAULT
// once it has accepted the flags, and with EINVAL if it has not: no process
// comes of it.
func TestCloneFlags(t *testing.T) {
	tests := []struct {
		name, since string
		flags       uint64
	}{
		{"CLONE_CLEAR_SIGHAND", "5.5", uapi.CLONE_CLEAR_SIGHAND},
		{"CLONE_INTO_CGROUP", "5.7", uapi.CLONE_INTO_CGROUP},
		{"CLONE_AUTOREAP", "7.1", uapi.CLONE_AUTOREAP},
		{"CLONE_NNP", "7.1", uapi.CLONE_NNP},
		{"CLONE_PIDFD_AUTOKILL", "7.1", uapi.CLONE_PIDFD_AUTOKILL | uapi.CLONE_AUTOREAP | uapi.CLONE_NNP},
		{"CLONE_EMPTY_MNTNS", "7.1", uapi.CLONE_EMPTY_MNTNS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := probe(uapi.CloneArgs{Flags: tt.flags})
			if errors.Is(err, unix.EFAULT) || errors.Is(err, unix.EPERM) && tt.flags == uapi.CLONE_EMPTY_MNTNS && os.Getuid() != 0 {
				return
			}
			kerneltest.Need(t, tt.name, tt.since, unknown(err))
			t.Errorf("got error %v, want EFAULT", err)
		})
	}
	t.Run("unknown", func(t *testing.T) {
		if err := probe(uapi.CloneArgs{Flags: 1 << 63}); err != unix.EINVAL {
			t.Errorf("got error %v, want EINVAL", err)
		}
	})
	t.Run("CLONE_PIDFD_AUTOKILL alone", func(t *testing.T) {
		if err := probe(uapi.CloneArgs{Flags: uapi.CLONE_PIDFD_AUTOKILL}); err != unix.EINVAL {
			t.Errorf("got error %v, want EINVAL", err)
		}
	})
}

// probe makes a clone3 that fails.
func probe(args uapi.CloneArgs) error {
	args.Flags |= uapi.CLONE_PIDFD | uapi.CLONE_VM
	args.Pidfd = ^uint64(0)
	err := failure(unix.RawSyscall(uapi.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), uapi.CLONE_ARGS_SIZE_VER2, 0))
	runtime.KeepAlive(&args)
	return err
}

func TestPidfdFlags(t *testing.T) {
	t.Run("PIDFD_NONBLOCK", func(t *testing.T) {
		fd, err := pidfdOpen(t, os.Getpid(), uapi.PIDFD_NONBLOCK)
		kerneltest.Need(t, "PIDFD_NONBLOCK", "5.10", unknown(err))
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("F_GETFL gives %#x, %v: want O_NONBLOCK", flags, err)
		}
	})
	t.Run("PIDFD_THREAD", func(t *testing.T) {
		done := make(chan struct{})
		go func() { // of the test's goroutine and this one, at most one is on the first thread
			defer close(done)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if unix.Gettid() == os.Getpid() {
				return
			}
			if _, err := pidfdOpen(t, unix.Gettid(), 0); err == nil {
				t.Error("a thread was taken for a process")
			}
		}()
		<-done
		fd, err := pidfdOpen(t, os.Getpid(), uapi.PIDFD_THREAD)
		kerneltest.Need(t, "PIDFD_THREAD", "6.9", unknown(err))
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_EXCL == 0 {
			t.Errorf("F_GETFL gives %#x, %v: want O_EXCL", flags, err)
		}
	})
}

func TestPidfdSelf(t *testing.T) {
	signal := func(fd int, flags uintptr) error {
		return failure(unix.Syscall6(uapi.SYS_PIDFD_SEND_SIGNAL, uintptr(fd), 0, 0, flags, 0, 0))
	}
	tests := []struct {
		name, since string
		fd          int
		flags       uintptr
	}{
		{"PIDFD_SELF_THREAD", "6.16", uapi.PIDFD_SELF_THREAD, 0},
		{"PIDFD_SELF_THREAD_GROUP", "6.17", uapi.PIDFD_SELF_THREAD_GROUP, 0},
		{"PIDFD_SIGNAL_THREAD_GROUP", "6.9", self(t), uapi.PIDFD_SIGNAL_THREAD_GROUP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := signal(tt.fd, tt.flags)
			if errors.Is(err, unix.EBADF) {
				err = fmt.Errorf("%w: %w", err, errors.ErrUnsupported)
			}
			kerneltest.Need(t, tt.name, tt.since, unknown(err))
		})
	}
}

func TestPidfdInfo(t *testing.T) {
	want := uapi.PidfdInfo{
		Pid: uint32(os.Getpid()), Tgid: uint32(os.Getpid()), Ppid: uint32(os.Getppid()),
		Ruid: uint32(os.Getuid()), Euid: uint32(os.Geteuid()), Suid: uint32(os.Getuid()), Fsuid: uint32(os.Geteuid()),
		Rgid: uint32(os.Getgid()), Egid: uint32(os.Getegid()), Sgid: uint32(os.Getgid()), Fsgid: uint32(os.Getegid()),
	}
	info := uapi.PidfdInfo{Mask: uapi.PIDFD_INFO_CGROUPID | uapi.PIDFD_INFO_SUPPORTED_MASK}
	err := failure(unix.Syscall(unix.SYS_IOCTL, uintptr(self(t)), uapi.PIDFD_GET_INFO, uintptr(unsafe.Pointer(&info))))
	kerneltest.Need(t, "PIDFD_GET_INFO", "6.13", unknown(err))
	got := info
	got.Mask, got.Cgroupid, got.CoredumpCode, got.CoredumpPad, got.SupportedMask = 0, 0, 0, 0, 0
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if always := uint64(uapi.PIDFD_INFO_PID | uapi.PIDFD_INFO_CREDS); info.Mask&always != always {
		t.Errorf("mask is %#x, want the bits %#x", info.Mask, always)
	}
	t.Run("SupportedMask", func(t *testing.T) {
		kerneltest.Since(t, "supported_mask where it is now", "7.1")
		known := uint64(uapi.PIDFD_INFO_PID | uapi.PIDFD_INFO_EXIT | uapi.PIDFD_INFO_COREDUMP_CODE)
		if info.Mask&uapi.PIDFD_INFO_SUPPORTED_MASK == 0 || info.SupportedMask&known != known {
			t.Errorf("mask %#x, supported mask %#x", info.Mask, info.SupportedMask)
		}
	})
}

func TestPidfdNamespaces(t *testing.T) {
	fd := self(t)
	for name, nr := range map[string]uintptr{
		"mnt":    uapi.PIDFD_GET_MNT_NAMESPACE,
		"net":    uapi.PIDFD_GET_NET_NAMESPACE,
		"pid":    uapi.PIDFD_GET_PID_NAMESPACE,
		"user":   uapi.PIDFD_GET_USER_NAMESPACE,
		"uts":    uapi.PIDFD_GET_UTS_NAMESPACE,
		"cgroup": uapi.PIDFD_GET_CGROUP_NAMESPACE,
	} {
		t.Run(name, func(t *testing.T) {
			ns, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), nr, 0)
			if errno != 0 {
				kerneltest.Need(t, "PIDFD_GET_"+name, "6.11", unknown(errno))
			}
			f := os.NewFile(ns, name)
			defer f.Close()
			got, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.Stat("/proc/self/ns/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if !os.SameFile(got, want) {
				t.Error("it is another namespace")
			}
		})
	}
}

func TestNamespaceType(t *testing.T) {
	for name, want := range map[string]uintptr{"user": uapi.USER_NS, "pid": uapi.PID_NS, "mnt": uapi.MNT_NS, "net": uapi.NET_NS} {
		f, err := os.Open("/proc/self/ns/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uapi.NS_GET_NSTYPE, 0)
		if errno != 0 { // 64-bit kernels once did not take it from 32-bit programs
			kerneltest.Need(t, "NS_GET_NSTYPE", "6.12", unknown(errno))
		}
		if got != want {
			t.Errorf("%s: type %#x, want %#x", name, got, want)
		}
	}
}

// A scheduling policy that is set with this package reads back as C's.
func TestSchedAttr(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its policy
		set := uapi.SchedAttr{Size: uapi.SCHED_ATTR_SIZE_VER0, SchedPolicy: uapi.SCHED_BATCH, SchedNice: 7, SchedFlags: uapi.SCHED_FLAG_RESET_ON_FORK}
		if err := failure(unix.RawSyscall(uapi.SYS_SCHED_SETATTR, 0, uintptr(unsafe.Pointer(&set)), 0)); err != nil {
			t.Error("sched_setattr:", err)
			return
		}
		got, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Error("sched_getattr:", err)
			return
		}
		if got.Policy != uapi.SCHED_BATCH || got.Nice != 7 || got.Flags&uapi.SCHED_FLAG_RESET_ON_FORK == 0 {
			t.Errorf("got %+v after setting %+v", *got, set)
		}
	}()
	<-done
}

// A child is waited for by its pidfd.
func TestWaitidByPidfd(t *testing.T) {
	if os.Getenv("UAPI_TEST_CHILD") != "" {
		os.Exit(42)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child, err := os.StartProcess(exe, []string{exe, "-test.run=^TestWaitidByPidfd$"}, &os.ProcAttr{Env: []string{"UAPI_TEST_CHILD=1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	fd, err := pidfdOpen(t, child.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	var info [128]byte // siginfo_t; its first word is the signal everywhere
	for {
		err = failure(unix.Syscall6(uapi.SYS_WAITID, uapi.P_PIDFD, uintptr(fd), uintptr(unsafe.Pointer(&info)), uapi.WEXITED|uapi.WNOWAIT, 0, 0))
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		t.Fatal("waitid:", err)
	}
	if got := *(*int32)(unsafe.Pointer(&info)); got != int32(unix.SIGCHLD) {
		t.Errorf("si_signo is %d, want SIGCHLD, %d", got, unix.SIGCHLD)
	}
	state, err := child.Wait()
	if err != nil || state.ExitCode() != 42 {
		t.Errorf("the child ended with %v, %v: want 42", state, err)
	}
}
