//go:build linux

package linux_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// Ways to a pidfd that begin at a file, and end in AdoptPidFD.

// fresh fails the test if f is not another handle of the process that g is of,
// with a description of its own.
func fresh(t testing.TB, f, g *linux.PidFD) {
	t.Helper()
	if equal, err := f.Equal(g); !equal || err != nil {
		t.Errorf("Equal: got %v, %v", equal, err)
	}
	if kills, err := f.KillsOnClose(); kills || err != nil {
		t.Errorf("KillsOnClose: got %v, %v", kills, err)
	}
	same, err := f.SameDescription(g)
	kerneltest.Need(t, "SameDescription", "6.10", err)
	if same {
		t.Error("it is a duplicate")
	}
}

func TestRulesOfReopening(t *testing.T) {
	needRoot(t) // the file is root's: for others it is EACCES
	kerneltest.Need(t, "ID", idRelease(), linux.Supported(linux.OpID))
	f, _, _ := living(t, child("hold"))
	open := func(flags int) (int, error) {
		return unix.Open("/proc/self/fd/"+itoa(number(t, f)), flags|unix.O_CLOEXEC, 0)
	}
	t.Run("O_RDONLY: opened", func(t *testing.T) {
		fd, err := open(unix.O_RDONLY)
		is(t, "open", err, nil)
		g, err := linux.AdoptPidFD(fd)
		own(t, g, err)
		fresh(t, g, f)
		is(t, "Signal", g.Signal(0), nil)
	})
	t.Run("O_RDWR: opened, EPERM up to 6.16", func(t *testing.T) {
		fd, err := open(unix.O_RDWR)
		if err == unix.EPERM {
			kerneltest.Since(t, "O_RDWR", "6.17")
		}
		is(t, "open", err, nil)
		g, err := linux.AdoptPidFD(fd)
		own(t, g, err)
		fresh(t, g, f)
	})
	t.Run("of a thread: of its process", func(t *testing.T) {
		th, _ := thread(t)
		fd, err := unix.Open("/proc/self/fd/"+itoa(number(t, th)), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		is(t, "open", err, nil)
		g, err := linux.AdoptPidFD(fd)
		own(t, g, err)
		if thread, err := g.IsThread(); thread || err != nil {
			t.Errorf("IsThread: got %v, %v", thread, err)
		}
	})
}

func TestRulesOfGetversion(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	request := uintptr(unix.FS_IOC_GETFLAGS ^ ('f'^'v')<<8) // FS_IOC_GETVERSION
	version := ^uint64(0)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(number(t, f)), request, uintptr(unsafe.Pointer(&version)))
	if errno == unix.ENOTTY && unsafe.Sizeof(uintptr(0)) == 4 { // a kernel of 64 bits: 6.18 wants its size of long
		request ^= (4 ^ 8) << 16
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, uintptr(number(t, f)), request, uintptr(unsafe.Pointer(&version)))
	}
	if errno != 0 {
		kerneltest.Since(t, "FS_IOC_GETVERSION", "6.16") // measured: 6.12 no, 6.16 yes
		t.Fatal(errno)
	}
	if unsafe.Sizeof(uintptr(0)) == 8 {
		if got := *(*uint32)(unsafe.Pointer(&version)); got != 0 {
			t.Errorf("got %d, want 0: the inode number has 64 bits", got)
		}
	}
	_, _, errno = unix.Syscall(unix.SYS_IOCTL, uintptr(number(t, f)), request, 0)
	is(t, "NULL: EINVAL", errno, unix.EINVAL)
}

// A mount of a pidfd, opened, is a handle of the process.
func TestRulesOfBindMounts(t *testing.T) {
	needRoot(t)
	kerneltest.Need(t, "Handle", "6.14", linux.Supported(linux.OpHandle)) // of the same release
	f, _, _ := living(t, child("hold"))
	where := filepath.Join(t.TempDir(), "process")
	if err := os.WriteFile(where, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := -1
	done := make(chan error)
	goThread(func() { // its mounts end with it
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
				return err
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return err
			}
			tree, err := unix.OpenTree(number(t, f), "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
			if err != nil {
				return os.NewSyscallError("open_tree", err)
			}
			defer unix.Close(tree)
			if err := unix.MoveMount(tree, "", unix.AT_FDCWD, where, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
				return os.NewSyscallError("move_mount", err)
			}
			opened, err = unix.Open(where, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			return os.NewSyscallError("open", err)
		}()
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	g, err := linux.AdoptPidFD(opened)
	own(t, g, err)
	fresh(t, g, f)
}

// What happens to a file comes with a pidfd of who has done it.
func TestRulesOfFanotify(t *testing.T) {
	needRoot(t)
	group, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_REPORT_PIDFD, unix.O_RDONLY|unix.O_CLOEXEC)
	if err == unix.EINVAL {
		kerneltest.Since(t, "FAN_REPORT_PIDFD", "5.15")
	}
	if err == unix.ENOSYS {
		t.Skip("the kernel is built without fanotify")
	}
	if err != nil {
		t.Fatal("fanotify_init:", err)
	}
	defer unix.Close(group)
	dir := t.TempDir()
	if err := unix.FanotifyMark(group, unix.FAN_MARK_ADD, unix.FAN_CLOSE_WRITE|unix.FAN_EVENT_ON_CHILD, unix.AT_FDCWD, dir); err != nil {
		t.Fatal("fanotify_mark:", err)
	}

	// event returns the number that comes with the next event.
	event := func() int32 {
		t.Helper()
		b := make([]byte, 4096)
		n, err := unix.Read(group, b)
		if err != nil {
			t.Fatal(err)
		}
		b = b[:n]
		file := (*unix.FanotifyEventMetadata)(unsafe.Pointer(&b[0]))
		unix.Close(int(file.Fd))
		info := b[file.Metadata_len:]
		const typePidFD = 4 // FAN_EVENT_INFO_TYPE_PIDFD of linux/fanotify.h
		if len(info) < 8 || info[0] != typePidFD {
			t.Fatalf("the event has information %v", info)
		}
		return int32(binary.NativeEndian.Uint32(info[4:]))
	}
	t.Run("pidfd of who has done it", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := linux.AdoptPidFD(int(event()))
		own(t, f, err)
		if pid := mustPid(t, f); pid != os.Getpid() {
			t.Errorf("got process %d, want %d", pid, os.Getpid())
		}
	})
	t.Run("who has ended: a pidfd, FAN_NOPIDFD up to 6.18", func(t *testing.T) {
		p := start(t, child("write", filepath.Join(dir, "b")))
		if status := wait(t, p); !status.Success() {
			t.Fatal(status)
		}
		fd := event()
		if fd == unix.FAN_NOPIDFD {
			kerneltest.Since(t, "a pidfd of who has ended", "7.3") // measured: 6.18 no, 7.3 yes
		}
		f, err := linux.AdoptPidFD(int(fd))
		own(t, f, err)
		is(t, "Signal", f.Signal(0), os.ErrProcessDone)
	})
}

var _ = helper("write", func(args []string) int {
	if err := os.WriteFile(args[0], []byte("x"), 0o600); err != nil {
		return 1
	}
	return 0
})
