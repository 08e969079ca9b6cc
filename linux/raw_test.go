//go:build linux

package linux_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// What tests ask the kernel directly.

const mips = runtime.GOARCH == "mips" || runtime.GOARCH == "mipsle" ||
	runtime.GOARCH == "mips64" || runtime.GOARCH == "mips64le"

func itoa(n int) string { return strconv.Itoa(n) }

func statPath(pid int) string { return "/proc/" + itoa(pid) + "/stat" }

func procExists(pid int) bool {
	_, err := os.Stat(statPath(pid))
	return err == nil
}

func arrayPointer(p *[8]uint64) uintptr { return uintptr(unsafe.Pointer(p)) }

// setIgnore makes a struct sigaction ask for SIG_IGN.
func setIgnore(action *[8]uint64) {
	words := (*[2]uintptr)(unsafe.Pointer(action))
	if mips {
		words[1] = 1
	} else {
		words[0] = 1
	}
}

func sigsetBytes() uintptr {
	if mips {
		return 16
	}
	return 8
}

// poll returns what a descriptor has to tell within the time.
func poll(t testing.TB, fd int, limit time.Duration) int16 {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(max(0, time.Until(deadline).Milliseconds())))
		switch {
		case err == unix.EINTR:
		case err != nil:
			t.Fatal("poll:", err)
		case n == 0:
			return 0
		default:
			return fds[0].Revents
		}
	}
}

// hangUp waits until the process of a pidfd has ended and is reaped.
func hangUp(t testing.TB, fd int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); poll(t, fd, 20*time.Second)&unix.POLLHUP == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the process does not end")
		}
	}
}

// info asks a pidfd for information, into a structure of some size.
func info(fd int, mask uint64, size uintptr) (uapi.PidfdInfo, error) {
	i := uapi.PidfdInfo{Mask: mask}
	request := uapi.PIDFD_GET_INFO&^uintptr(0x1fff<<16) | size<<16
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&i)))
	if errno != 0 {
		return i, errno
	}
	return i, nil
}

// rawClone3 calls clone3 with an address for the pidfd that cannot be written
// to: no process results, and EFAULT says that the kernel accepts the rest.
func rawClone3(args uapi.CloneArgs) error {
	args.Pidfd = ^uint64(0)
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	if errno == 0 {
		panic("clone3 has created a process")
	}
	return errno
}

// lockThread keeps the test on its thread, which ends with it.
func lockThread(t *testing.T) {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
}

// fdOf returns the descriptor that a Process lends, or -1 if it is closed.
func fdOf(p *linux.Process) int {
	n := -1
	p.PidFD().WithFD(func(fd int) { n = fd })
	return n
}

// goThread calls f in a goroutine with a thread of its own, which ends with it.
// That is never the first thread, which only ends with the program.
func goThread(f func()) {
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		if unix.Gettid() != os.Getpid() {
			f()
			return
		}
		defer runtime.UnlockOSThread()
		ended := make(chan struct{})
		goThread(func() {
			defer close(ended)
			f()
		})
		<-ended // nobody else gets the first thread meanwhile
	}()
}
