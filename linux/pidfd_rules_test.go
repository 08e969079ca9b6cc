//go:build linux

package linux_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// The rules of the kernel: which error number each system call answers to what.
// Each test is a system call, each subtest a rule.

func TestRulesOfPidfdOpen(t *testing.T) {
	t.Run("pid 0 and below: EINVAL", func(t *testing.T) {
		for _, pid := range []int{0, -1, -1 << 31} {
			_, err := linux.OpenPidFD(pid)
			is(t, itoa(pid), err, unix.EINVAL)
			_, err = linux.OpenThread(pid)
			is(t, itoa(pid), err, unix.EINVAL)
			_, err = unix.PidfdOpen(pid, 0)
			is(t, itoa(pid)+", the kernel", err, unix.EINVAL)
		}
	})
	t.Run("other flags: EINVAL", func(t *testing.T) {
		_, err := unix.PidfdOpen(os.Getpid(), 1)
		is(t, "flag 1", err, unix.EINVAL)
	})
	t.Run("no process: ESRCH", func(t *testing.T) {
		p := start(t, child("exit", "0"))
		wait(t, p)
		for _, pid := range []int{p.Pid(), 1<<31 - 1} {
			_, err := linux.OpenPidFD(pid)
			is(t, itoa(pid), err, unix.ESRCH)
			is(t, itoa(pid), err, os.ErrProcessDone)
		}
	})
	t.Run("zombie: opened", func(t *testing.T) {
		_, p := zombie(t)
		f, err := linux.OpenPidFD(p.Pid())
		own(t, f, err)
	})
	t.Run("thread without THREAD: ENOENT, EINVAL up to 6.12", func(t *testing.T) {
		tid := otherThread(t)
		_, err := linux.OpenPidFD(tid)
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
			t.Errorf("got %v, want ENOENT or EINVAL", err)
		}
		kerneltest.Since(t, "ENOENT", "6.16") // measured: 6.12 EINVAL, 6.16 ENOENT
		is(t, "OpenPidFD", err, unix.ENOENT)
	})
	t.Run("thread with THREAD: opened, 6.9", func(t *testing.T) {
		f, err := linux.OpenThread(otherThread(t))
		kerneltest.Need(t, "OpenThread", "6.9", err)
		own(t, f, nil)
	})
	t.Run("no more descriptors: EMFILE", func(t *testing.T) {
		var old unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		_, err := linux.OpenPidFD(os.Getpid())
		unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
		is(t, "OpenPidFD", err, unix.EMFILE)
	})
}

// otherThread returns the ID of a thread of this program that is not its first,
// and ends with the test.
func otherThread(t testing.TB) int {
	t.Helper()
	tid, end := make(chan int), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() { // which other goroutines do not get
			defer runtime.UnlockOSThread()
			tid <- otherThread(t)
		} else {
			tid <- unix.Gettid()
		}
		<-end
	}()
	t.Cleanup(func() { close(end) })
	return <-tid
}

func TestRulesOfPidfdSendSignal(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	send := func(sig syscall.Signal, info *unix.Siginfo, flags int) error {
		return unix.PidfdSendSignal(number(t, f), sig, info, flags)
	}
	t.Run("two scopes, or an unknown one: EINVAL", func(t *testing.T) {
		for _, scope := range []linux.Scope{3, 6, 7, 8, 1 << 31} {
			is(t, scope.String(), f.SignalTo(scope, 0), unix.EINVAL)
			is(t, scope.String()+", the kernel", send(0, nil, int(int32(scope))), unix.EINVAL)
		}
	})
	t.Run("not a signal: EINVAL", func(t *testing.T) {
		for _, sig := range []syscall.Signal{-1, 129, 1 << 20} {
			is(t, "signal "+itoa(int(sig)), f.Signal(sig), unix.EINVAL)
		}
	})
	t.Run("no pidfd: EBADF", func(t *testing.T) {
		is(t, "standard input", unix.PidfdSendSignal(0, 0, nil, 0), unix.EBADF)
		is(t, "-1", unix.PidfdSendSignal(-1, 0, nil, 0), unix.EBADF)
	})
	t.Run("directory of proc: taken, O_PATH: EBADF", func(t *testing.T) {
		for flags, want := range map[int]error{unix.O_RDONLY: nil, unix.O_PATH: unix.EBADF} {
			fd, err := unix.Open("/proc/self", flags|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			is(t, "/proc/self", unix.PidfdSendSignal(fd, 0, nil, 0), want)
			unix.Close(fd)
		}
	})
	t.Run("siginfo of another signal: EINVAL", func(t *testing.T) {
		is(t, "pidfd_send_signal", send(unix.SIGUSR1, &unix.Siginfo{Signo: int32(unix.SIGUSR2), Code: -1}, 0), unix.EINVAL)
	})
	t.Run("siginfo that pretends to be the kernel's: EPERM", func(t *testing.T) {
		for name, code := range map[string]int32{"SI_USER": 0, "SI_TKILL": -6, "SI_KERNEL": 0x80} {
			is(t, name, send(unix.SIGUSR1, &unix.Siginfo{Signo: int32(unix.SIGUSR1), Code: code}, 0), unix.EPERM)
		}
	})
	t.Run("reaped: ESRCH", func(t *testing.T) {
		is(t, "Signal", reaped(t).Signal(0), os.ErrProcessDone)
	})
	t.Run("zombie: sent", func(t *testing.T) {
		z, _ := zombie(t)
		is(t, "Signal", z.Signal(0), nil)
		is(t, "Signal", z.Signal(unix.SIGTERM), nil)
	})
	t.Run("process group without members: ESRCH", func(t *testing.T) {
		err := f.SignalTo(linux.ScopeProcessGroup, 0)
		kerneltest.Need(t, "Scope", "6.9", ignore(err, unix.ESRCH))
		is(t, "SignalTo", err, unix.ESRCH)
		if errors.Is(err, os.ErrProcessDone) {
			t.Errorf("got %v, but the process lives", err)
		}
	})
	t.Run("process group with a dead leader: sent", func(t *testing.T) {
		kerneltest.Need(t, "Scope", "6.9", linux.Supported(linux.OpSignalScope))
		leader, release := held(t, &linux.Child{Exec: self, Args: []string{"helper"}, Setpgid: true,
			Env: append(os.Environ(), helperVar+"=hold"), Files: []*os.File{nil, nil, os.Stderr}})
		g, err := leader.PidFD().Dup()
		group := own(t, g, err)
		c := child("sleep")
		c.Setpgid, c.Pgid = true, leader.Pid()
		member := start(t, c)
		release()
		wait(t, leader)
		is(t, "Signal of the leader", group.Signal(0), os.ErrProcessDone)
		is(t, "SignalTo the group", group.SignalTo(linux.ScopeProcessGroup, unix.SIGKILL), nil)
		if status := wait(t, member); status.Signal() != unix.SIGKILL {
			t.Errorf("the member ended with %v", status)
		}
	})
	t.Run("another user's process: EPERM", func(t *testing.T) {
		if asUser(t) {
			return
		}
		init := anotherUsers(t)
		err := init.Signal(0)
		is(t, "Signal", err, unix.EPERM)
		is(t, "Signal", err, fs.ErrPermission)
		if errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%v is os.ErrProcessDone", err)
		}
	})
	t.Run("thread handle: that thread", func(t *testing.T) {
		kerneltest.Need(t, "OpenThread", "6.9", linux.Supported(linux.OpOpenThread))
		signaled := make(chan os.Signal, 1)
		signal.Notify(signaled, unix.SIGUSR2)
		defer signal.Stop(signaled)
		th, _ := thread(t)
		is(t, "Signal", th.Signal(unix.SIGUSR2), nil)
		<-signaled
	})
}

// ignore returns err unless it is what.
func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// A queued signal arrives with its value and its sender.
func TestQueue(t *testing.T) {
	kerneltest.Need(t, "OpenThread", "6.9", linux.Supported(linux.OpOpenThread))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const sig = syscall.Signal(44) // of the real-time signals
	var set, old unix.Sigset_t
	*(*[2]uint64)(unsafe.Pointer(&set)) = [2]uint64{1 << (sig - 1)}
	if wordSize := unsafe.Sizeof(set.Val[0]); wordSize == 4 {
		set = unix.Sigset_t{}
		set.Val[(sig-1)/32] = 1 << ((sig - 1) % 32)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		t.Fatal(err)
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	f, err := linux.OpenThread(unix.Gettid())
	own(t, f, err)
	value := ^uintptr(0) - 41
	is(t, "Queue", f.Queue(linux.ScopeDefault, sig, value), nil)

	size := uintptr(8)
	if mips {
		size = 16
	}
	var info struct {
		unix.Siginfo
		_ [128]byte
	}
	nr, _, errno := unix.Syscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), uintptr(unsafe.Pointer(&info)), 0, size, 0, 0)
	if errno != 0 || syscall.Signal(nr) != sig {
		t.Fatalf("rt_sigtimedwait: signal %d, %v", nr, errno)
	}
	// siginfo_t of a queued signal: see sigaction(2).
	rest := unsafe.Add(unsafe.Pointer(&info), 4*(2+unsafe.Sizeof(uintptr(0))/4))
	got := struct {
		code     int32
		pid, uid uint32
		value    uintptr
	}{info.Code, *(*uint32)(rest), *(*uint32)(unsafe.Add(rest, 4)), *(*uintptr)(unsafe.Add(rest, 8))}
	want := got
	want.code, want.pid, want.uid, want.value = -1, uint32(os.Getpid()), uint32(os.Getuid()), value
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRulesOfPidfdGetfd(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	t.Run("flags: EINVAL", func(t *testing.T) {
		_, err := unix.PidfdGetfd(number(t, f), 0, 1)
		is(t, "pidfd_getfd", err, unix.EINVAL)
	})
	t.Run("no pidfd, or no such descriptor: EBADF", func(t *testing.T) {
		_, err := unix.PidfdGetfd(0, 0, 0)
		is(t, "no pidfd", err, unix.EBADF)
		for _, n := range []int{1000, -1} {
			_, err = f.GetFD(n)
			is(t, "descriptor "+itoa(n), err, unix.EBADF)
		}
	})
	t.Run("process has ended: ESRCH", func(t *testing.T) {
		z, _ := zombie(t)
		_, err := z.GetFD(0)
		is(t, "zombie", err, os.ErrProcessDone)
		_, err = reaped(t).GetFD(0)
		is(t, "reaped", err, os.ErrProcessDone)
	})
	t.Run("result: close-on-exec, same description", func(t *testing.T) {
		self, err := linux.OpenPidFD(os.Getpid())
		own(t, self, err)
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		got, err := self.GetFD(int(null.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if flags, err := unix.FcntlInt(got.Fd(), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 || err != nil {
			t.Errorf("the descriptor's flags are %#x, %v", flags, err)
		}
		same, err := unix.FcntlInt(got.Fd(), unix.F_DUPFD_QUERY, int(null.Fd()))
		if err == unix.EINVAL {
			kerneltest.Since(t, "F_DUPFD_QUERY", "6.10")
		}
		if same != 1 || err != nil {
			t.Errorf("F_DUPFD_QUERY: got %d, %v", same, err)
		}
	})
	t.Run("another user's process: EPERM", func(t *testing.T) {
		if asUser(t) {
			return
		}
		init := anotherUsers(t)
		_, err := init.GetFD(0)
		is(t, "GetFD", err, fs.ErrPermission)
	})
}

func TestRulesOfPoll(t *testing.T) {
	t.Run("zombie: POLLIN", func(t *testing.T) {
		z, _ := zombie(t)
		if events := poll(t, number(t, z), 0); events&(unix.POLLIN|unix.POLLHUP|unix.POLLERR) != unix.POLLIN {
			t.Errorf("got %#x", events)
		}
	})
	t.Run("reaped: POLLIN, and POLLHUP from 6.12 at the latest", func(t *testing.T) {
		events := poll(t, number(t, reaped(t)), 0)
		if events&(unix.POLLIN|unix.POLLERR) != unix.POLLIN {
			t.Errorf("got %#x", events)
		}
		kerneltest.Since(t, "POLLHUP", "6.12") // measured: not in 6.1
		if events&unix.POLLHUP == 0 {
			t.Errorf("got %#x, want POLLHUP", events)
		}
	})
}

func TestRulesOfWaitid(t *testing.T) {
	waitid := func(fd, options int) error {
		return unix.Waitid(unix.P_PIDFD, fd, new(unix.Siginfo), options, nil)
	}
	f, _, _ := living(t, child("hold"))
	is(t, "negative: EINVAL", waitid(-1, unix.WEXITED), unix.EINVAL)
	is(t, "no state to wait for: EINVAL", waitid(number(t, f), unix.WNOHANG), unix.EINVAL)
	is(t, "no pidfd: EBADF", waitid(0, unix.WEXITED), unix.EBADF)
	proc, err := os.Open("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	defer proc.Close()
	is(t, "directory of proc: EBADF", waitid(int(proc.Fd()), unix.WEXITED), unix.EBADF)
	self, err := linux.OpenPidFD(os.Getpid())
	own(t, self, err)
	is(t, "not a child: ECHILD", waitid(number(t, self), unix.WEXITED), unix.ECHILD)
	nonblock, err := unix.PidfdOpen(mustPid(t, f), uapi.PIDFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	// A handle that does not block is as good as another.
	g, err := linux.AdoptPidFD(nonblock)
	own(t, g, err)
	is(t, "NONBLOCK: EAGAIN", waitid(nonblock, unix.WEXITED), unix.EAGAIN)
	is(t, "NONBLOCK and WNOHANG: 0", waitid(nonblock, unix.WEXITED|unix.WNOHANG), nil)
	is(t, "Signal", g.Signal(unix.SIGKILL), nil)
	if status, err := g.Wait(t.Context()); status.Signal() != unix.SIGKILL || err != nil {
		t.Errorf("Wait: got %v, %v", status, err)
	}
}

func mustPid(t testing.TB, f *linux.PidFD) int {
	t.Helper()
	pid, err := f.Pid()
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestRulesOfProcessMadvise(t *testing.T) {
	f, _ := running(t)
	page := []unix.RemoteIovec{{Base: 0, Len: os.Getpagesize()}} // where nothing is
	t.Run("advice not for others: EINVAL", func(t *testing.T) {
		_, err := f.AdviseMemory(unix.MADV_DONTNEED, page)
		is(t, "MADV_DONTNEED", err, unix.EINVAL)
	})
	t.Run("no pidfd: EBADF", func(t *testing.T) {
		_, _, errno := unix.Syscall6(unix.SYS_PROCESS_MADVISE, 0, 0, 0, unix.MADV_COLD, 0, 0)
		is(t, "process_madvise", errno, unix.EBADF)
	})
	t.Run("flags: EINVAL", func(t *testing.T) {
		_, _, errno := unix.Syscall6(unix.SYS_PROCESS_MADVISE, uintptr(number(t, f)), 0, 0, unix.MADV_COLD, 1, 0)
		is(t, "process_madvise", errno, unix.EINVAL)
	})
	t.Run("no memory there: ENOMEM", func(t *testing.T) {
		needRoot(t) // CAP_SYS_NICE
		_, err := f.AdviseMemory(unix.MADV_COLD, page)
		is(t, "MADV_COLD", err, unix.ENOMEM)
	})
	t.Run("process has ended: ESRCH", func(t *testing.T) {
		z, _ := zombie(t)
		for what, f := range map[string]*linux.PidFD{"zombie": z, "reaped": reaped(t)} {
			_, err := f.AdviseMemory(unix.MADV_COLD, page)
			is(t, what, err, os.ErrProcessDone)
		}
	})
	t.Run("another user's process: EPERM", func(t *testing.T) {
		if asUser(t) {
			return
		}
		init := anotherUsers(t)
		_, err := init.AdviseMemory(unix.MADV_COLD, page)
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v, want EPERM or EACCES", err)
		}
	})
}

func TestRulesOfProcessMrelease(t *testing.T) {
	kerneltest.Need(t, "ReleaseMemory", "5.15", linux.Supported(linux.OpReleaseMemory))
	f, _, _ := living(t, child("hold"))
	is(t, "not about to end: EINVAL", f.ReleaseMemory(), unix.EINVAL)
	_, _, errno := unix.Syscall(unix.SYS_PROCESS_MRELEASE, uintptr(number(t, f)), 1, 0)
	is(t, "flags: EINVAL", errno, unix.EINVAL)
	_, _, errno = unix.Syscall(unix.SYS_PROCESS_MRELEASE, 0, 0, 0)
	is(t, "no pidfd: EBADF", errno, unix.EBADF)
	z, _ := zombie(t)
	is(t, "zombie: ESRCH", z.ReleaseMemory(), os.ErrProcessDone)
	is(t, "reaped: ESRCH", reaped(t).ReleaseMemory(), os.ErrProcessDone)
}

func TestRulesOfChangingAPidFD(t *testing.T) {
	kerneltest.Need(t, "ID", idRelease(), linux.Supported(linux.OpID)) // before, it is not its own inode
	f, _, _ := living(t, child("hold"))
	fd := number(t, f)
	chmod, want := unix.Fchmod(fd, 0o600), error(unix.EOPNOTSUPP)
	if errors.Is(linux.Supported(linux.OpXattr), errors.ErrUnsupported) {
		want = unix.EPERM // immutable: measured in 6.12 and 6.16
	}
	is(t, "chmod", chmod, want)
	if os.Geteuid() == 0 {
		is(t, "chown", unix.Fchown(fd, 1, 1), want)
	}
	_, _, errno := unix.Syscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(new(byte))), 0, 0, unix.AT_EMPTY_PATH, 0)
	is(t, "execveat", errno, unix.EACCES)
}

func TestRulesOfXattr(t *testing.T) {
	kerneltest.Need(t, "xattr", "6.17", linux.Supported(linux.OpXattr))
	f, _, _ := living(t, child("hold"))
	t.Run("user.: EOPNOTSUPP", func(t *testing.T) {
		needRoot(t) // for others it may be EACCES
		is(t, "SetXattr", f.SetXattr("user.x", nil), unix.EOPNOTSUPP)
	})
	t.Run("unprivileged: EPERM, ENODATA", func(t *testing.T) {
		if asUser(t) {
			return
		}
		self, err := linux.OpenPidFD(os.Getpid())
		own(t, self, err)
		is(t, "SetXattr", self.SetXattr("trusted.x", nil), unix.EPERM)
		is(t, "RemoveXattr", self.RemoveXattr("trusted.x"), unix.EPERM)
		_, err = self.Xattr("trusted.x")
		is(t, "Xattr", err, unix.ENODATA)
	})
}

// outside is what a process finds out about one that is outside of its PID
// namespace, whose pidfd it has been given as descriptor 3.
type outside struct{ Signal, Info, Namespace, Handle, Pid int }

var _ = helper("outside", func([]string) int {
	number := func(err error) int {
		var errno syscall.Errno
		errors.As(err, &errno)
		return int(errno)
	}
	var o outside
	f, err := linux.AdoptPidFD(3)
	if err != nil {
		return fail("%v", err)
	}
	o.Signal = number(f.Signal(0))
	_, err = f.Info()
	o.Info = number(err)
	if ns, err := f.Namespace(linux.UTSNamespace); err != nil {
		o.Namespace = number(err)
	} else {
		ns.Close()
	}
	h, err := f.Handle()
	if err == nil {
		_, err = linux.OpenHandle(h)
	}
	o.Handle = number(err)
	_, err = f.Pid()
	o.Pid = number(err)
	json.NewEncoder(os.Stdout).Encode(o)
	return 0
})

func TestRulesOutsideOfThePIDNamespace(t *testing.T) {
	needRoot(t)
	f, _, _ := living(t, child("hold"))
	file, err := f.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := child("outside")
	c.Files, c.Flags = append(c.Files, file), linux.NewPID
	out, status := output(t, c)
	var o outside
	if err := json.Unmarshal([]byte(out), &o); err != nil || !status.Success() {
		t.Fatalf("%v: %q", status, out)
	}
	for _, rule := range []struct {
		name      string
		got, want int
		op        linux.Op
	}{
		{"pidfd_send_signal: EINVAL", o.Signal, int(unix.EINVAL), linux.OpSignal},
		{"PIDFD_GET_INFO: EREMOTE", o.Info, int(unix.EREMOTE), linux.OpInfo},
		{"PIDFD_GET_UTS_NAMESPACE: no restriction", o.Namespace, 0, linux.OpNamespace},
		{"open_by_handle_at: ESTALE", o.Handle, int(unix.ESTALE), linux.OpHandle},
		{"Pid: EREMOTE", o.Pid, int(unix.EREMOTE), linux.OpInfo},
	} {
		switch {
		case linux.Supported(rule.op) != nil:
		case rule.got != rule.want:
			t.Errorf("%s: got %v", rule.name, syscall.Errno(rule.got))
		}
	}
}

func TestRulesOfSockets(t *testing.T) {
	kerneltest.Need(t, "SO_PEERPIDFD", "6.5", linux.Supported(linux.OpPeer))
	t.Run("no peer: ENODATA", func(t *testing.T) {
		s, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		_, err = linux.OpenPeer(s)
		is(t, "OpenPeer", err, unix.ENODATA)
	})
	t.Run("peer that is reaped: opened, EINVAL up to 6.12", func(t *testing.T) {
		conn, p, release := peer(t, "4")
		release()
		wait(t, p)
		f, err := linux.OpenPeer(conn)
		if errors.Is(err, os.ErrProcessDone) {
			kerneltest.Since(t, "a peer that is reaped", "6.16") // measured: 6.12 no, 6.16 yes
		}
		is(t, "OpenPeer", err, nil)
		own(t, f, err)
		if status, err := f.Wait(t.Context()); status.Code() != 4 || err != nil {
			t.Errorf("Wait: got %v, %v", status, err)
		}
	})
}
