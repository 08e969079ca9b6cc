//go:build linux

package linux_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

func needInfo(t *testing.T) {
	t.Helper()
	kerneltest.Need(t, "Info", "6.13", linux.Supported(linux.OpInfo))
}

// Before 6.13 there is none, and the error says so.
func TestInfoIsUnsupportedOrComplete(t *testing.T) {
	f, p, _ := living(t, child("hold"))
	i, err := f.Info()
	kerneltest.Need(t, "Info", "6.13", err)
	if !i.Has(linux.InfoPID|linux.InfoCreds) || i.Pid != p.Pid() || i.Tgid != p.Pid() || i.Ppid != os.Getpid() {
		t.Errorf("got %+v, want pid %d, parent %d", i, p.Pid(), os.Getpid())
	}
	ids := []uint32{i.Ruid, i.Euid, i.Suid, i.Fsuid}
	for _, id := range ids {
		if id != uint32(os.Getuid()) {
			t.Errorf("user IDs %v, want %d", ids, os.Getuid())
		}
	}
	if i.Has(linux.InfoExit) || i.Exit != 0 {
		t.Errorf("a process that lives has ended with %v", i.Exit)
	}
}

// pidfd_info_test: supported_mask_field, supported_mask_with_other_fields.
// Where the kernel keeps the mask changed between 7.0 and 7.1.
func TestSupportedMask(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	i, err := f.Info()
	kerneltest.Need(t, "Info", "6.13", err)
	kerneltest.Need(t, "InfoSupported", "6.19", linux.Supported(linux.OpInfoSupported))
	want := linux.InfoPID | linux.InfoCreds | linux.InfoCgroup | linux.InfoExit | linux.InfoCoreDump |
		linux.InfoSupported | linux.InfoCoreDumpSignal
	if errors.Is(linux.Supported(linux.OpInfoCoreDumpCode), errors.ErrUnsupported) {
		if i.Supported != want { // 6.19 and 7.0
			t.Errorf("got %v, want %v", i.Supported, want)
		}
		kerneltest.Since(t, "InfoCoreDumpCode", "7.1")
	}
	if want |= linux.InfoCoreDumpCode; i.Supported&want != want {
		t.Errorf("got %v, want %v", i.Supported, want)
	}
}

func TestRulesOfInfo(t *testing.T) {
	needInfo(t)
	f, _, _ := living(t, child("hold"))
	fd := number(t, f)
	ioctl := func(fd int, size uintptr, arg unsafe.Pointer) error {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uapi.PIDFD_GET_INFO&^uintptr(0x1fff<<16)|size<<16, uintptr(arg))
		if errno == 0 {
			return nil
		}
		return errno
	}
	var room [200]byte
	t.Run("no pidfd: ENOTTY", func(t *testing.T) {
		is(t, "standard input", ioctl(0, 88, unsafe.Pointer(&room)), unix.ENOTTY)
	})
	t.Run("smaller than 64 bytes: ENOTTY, EINVAL in 6.16 and before", func(t *testing.T) {
		err := ioctl(fd, 63, unsafe.Pointer(&room))
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTTY) {
			t.Errorf("got %v, want ENOTTY or EINVAL", err)
		}
	})
	t.Run("NULL: EINVAL", func(t *testing.T) { is(t, "ioctl", ioctl(fd, 88, nil), unix.EINVAL) })
	t.Run("bad address: EFAULT", func(t *testing.T) {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uapi.PIDFD_GET_INFO, 1)
		is(t, "ioctl", errno, unix.EFAULT)
	})
	t.Run("larger: the rest is zeroed", func(t *testing.T) {
		for i := range room {
			room[i] = 0xaa
		}
		*(*uint64)(unsafe.Pointer(&room)) = 0
		is(t, "ioctl", ioctl(fd, 200, unsafe.Pointer(&room)), nil)
		for i, b := range room[88:] {
			if b != 0 {
				t.Fatalf("byte %d is %#x", 88+i, b)
			}
		}
	})
	t.Run("unknown bits: ignored", func(t *testing.T) {
		i, err := info(fd, 1<<63|1<<40, 88)
		if err != nil || i.Mask&(1<<63|1<<40) != 0 {
			t.Errorf("mask %#x, %v", i.Mask, err)
		}
	})
	t.Run("zombie: no exit status", func(t *testing.T) {
		z, _ := zombie(t)
		if i, err := z.Info(); err != nil || !i.Has(linux.InfoPID) || i.Has(linux.InfoExit) {
			t.Errorf("got %+v, %v", i, err)
		}
	})
	t.Run("reaped without EXIT: ESRCH", func(t *testing.T) {
		_, err := info(number(t, reaped(t)), 0, 88)
		is(t, "ioctl", err, unix.ESRCH)
	})
	t.Run("reaped: exit status only", func(t *testing.T) {
		i, err := reaped(t).Info()
		if errors.Is(err, os.ErrProcessDone) {
			kerneltest.Since(t, "InfoExit", "6.15")
		}
		if err != nil || !i.Has(linux.InfoExit) || i.Exit.Code() != 7 || i.Has(linux.InfoPID) || i.Pid != 0 || i.Has(linux.InfoCreds) {
			t.Errorf("got %+v, %v", i, err)
		}
	})
	t.Run("anybody may ask", func(t *testing.T) {
		if asUser(t) {
			return
		}
		init, err := linux.OpenPidFD(1)
		own(t, init, err)
		if i, err := init.Info(); err != nil || i.Pid != 1 {
			t.Errorf("got %+v, %v", i, err)
		}
	})
	t.Run("user that this namespace does not have: 65534", func(t *testing.T) {
		needRoot(t)
		c := child("info of its parent")
		c.Flags = linux.NewUser
		c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 1000, Size: 1}}
		c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 1000, Size: 1}}
		if out, _ := output(t, c); out != "65534" {
			t.Errorf("the parent's user is %s", out)
		}
	})
}

var _ = helper("info of its parent", func([]string) int {
	f, err := linux.OpenPidFD(os.Getppid())
	if err != nil {
		return fail("%v", err)
	}
	i, err := f.Info()
	if err != nil {
		return fail("%v", err)
	}
	os.Stdout.WriteString(strconv.Itoa(int(i.Euid)))
	return 0
})

// crash dumps core by a signal that package runtime does not handle. Its first
// thread does: if another one dumps, and the first is the last to end, then the
// kernel tells PIDFD_GET_INFO the exit code from before the dump (seen on 6.18
// and 7.2).
var _ = helper("crash", func(args []string) int {
	sig, _ := strconv.Atoi(args[0])
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	var action [64]byte // SIG_DFL
	size := uintptr(8)
	if mips {
		size = 16
	}
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, size, 0, 0)
	unix.Tgkill(os.Getpid(), os.Getpid(), syscall.Signal(sig))
	time.Sleep(time.Hour)
	return 1
})

func TestCoreDumpIsTold(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	i, err := f.Info()
	kerneltest.Need(t, "Info", "6.13", err)
	kerneltest.Need(t, "InfoCoreDump", "6.16", linux.Supported(linux.OpInfoCoreDump))
	if !i.Has(linux.InfoCoreDump) || i.CoreDump&(linux.CoreDumpUser|linux.CoreDumpRoot|linux.CoreDumpSkip) == 0 || i.CoreDump&linux.CoreDumped != 0 {
		t.Errorf("of a process that lives: got %v %#x", i.Fields, i.CoreDump)
	}
	if i.Has(linux.InfoCoreDumpSignal) || i.Has(linux.InfoCoreDumpCode) {
		t.Errorf("of a process that lives: got %v", i.Fields)
	}

	// The kernel tells nothing of a dump into a file.
	status, crashed := dump(t)
	if i, err := crashed.Info(); err != nil || i.Has(linux.InfoCoreDump) || i.Exit != status {
		t.Errorf("of a dump into a file: got %+v, %v", i, err)
	}

	needMachine(t)
	const setting = "/proc/sys/kernel/core_pattern"
	old, err := os.ReadFile(setting)
	if err != nil {
		t.Skip(err)
	}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "core"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	defer l.Close()
	if err := os.WriteFile(setting, []byte("@"+l.Addr().String()), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(setting, old, 0)
	status, crashed = dump(t)
	i, err = crashed.Info()
	if err != nil || i.CoreDump&linux.CoreDumped == 0 || i.Exit != status {
		t.Errorf("got %+v, %v, want a core dump and %v", i, err, status)
	}
	kerneltest.Need(t, "InfoCoreDumpSignal", "6.19", linux.Supported(linux.OpInfoCoreDumpSignal))
	if i.CoreDumpSignal != unix.SIGXFSZ {
		t.Errorf("CoreDumpSignal: got %v", i.CoreDumpSignal)
	}
	kerneltest.Need(t, "InfoCoreDumpCode", "7.1", linux.Supported(linux.OpInfoCoreDumpCode))
	if i.CoreDumpCode != -6 { // SI_TKILL
		t.Errorf("CoreDumpCode: got %d", i.CoreDumpCode)
	}
}

// dump returns a handle of a child that was reaped after it has dumped core.
func dump(t *testing.T) (linux.ExitStatus, *linux.PidFD) {
	t.Helper()
	c := child("crash", itoa(int(unix.SIGXFSZ)))
	c.Dir = t.TempDir()
	p := start(t, c)
	g, err := p.PidFD().Dup()
	f := own(t, g, err)
	status := wait(t, p)
	if !status.CoreDump() {
		t.Skipf("no core dump here: %v", status)
	}
	return status, f
}

func TestInfoFieldsHaveNames(t *testing.T) {
	for fields, want := range map[linux.InfoFields]string{
		0:                                  "0x0",
		linux.InfoExit:                     "Exit",
		linux.InfoPID | linux.InfoCoreDump: "PID|CoreDump",
		linux.InfoCgroup | 1<<40:           "Cgroup|0x10000000000",
	} {
		if got := fields.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A process may be reaped while the kernel is asked about it, between its look
// for an exit status and its look for the process.
func TestInfoWhileProcessIsReaped(t *testing.T) {
	kerneltest.Since(t, "InfoExit", "6.15")
	needInfo(t)
	n := 3000
	if testing.Short() {
		n = 50
	}
	c := tiny(t, 1)
	for range n {
		p := start(t, c)
		f, err := p.PidFD().Dup()
		if err != nil {
			t.Fatal(err)
		}
		reaped := make(chan error)
		go func() {
			_, err := p.Wait(t.Context())
			reaped <- err
		}()
		for {
			info, err := f.Info()
			if err != nil {
				t.Errorf("Info: %v", err)
			}
			if err != nil || info.Has(linux.InfoExit) {
				break
			}
		}
		if err := <-reaped; err != nil {
			t.Error(err)
		}
		f.Close()
		p.Close()
		if t.Failed() {
			return
		}
	}
}
