//go:build linux

package linux

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A PidFD is a handle of a process or of a thread: a pidfd, see pidfd_open(2).
// Unlike a process ID it never comes to mean another process. It need not be a
// child of this program.
//
// A function that returns a PidFD gives its caller something to Close, with
// three exceptions: [Process.PidFD], [Self] and [SelfThread] lend one.
//
// All methods can be called concurrently, with Close too: a method under way
// when Close is called still reaches the process it was meant for. Methods that
// wait return os.ErrClosed then, as do all methods later. No method blocks a
// thread, where its comment says no more.
//
// The error of a method that reaches nobody, because the process has ended, is
// os.ErrProcessDone. What the kernel does not know is an [UnsupportedError];
// [Supported] asks in advance.
//
// The zero value is closed.
type PidFD struct {
	fd    int           // or PIDFD_SELF_THREAD, PIDFD_SELF_THREAD_GROUP
	uses  atomic.Uint32 // the methods under way, and 1 for the owner; and pidfdClosed
	owner *Process      // who has lent it, or nil

	mu      sync.Mutex
	waiters int           // those who wait for woken
	ticket  uint64        // with the watcher, or 0
	woken   chan struct{} // if not nil, is closed when the kernel has something to tell
}

// pidfdClosed in PidFD.uses lets no method begin.
const pidfdClosed = 1 << 31

func newPidFD(fd int) *PidFD {
	f := &PidFD{fd: fd}
	f.uses.Store(1)
	return f
}

// OpenPidFD opens a process by its ID, which the caller must know to be still
// that of the process meant: a child that nobody has waited for, for example.
// A zombie can be opened, a process that has been reaped is os.ErrProcessDone.
//
// The pidfd is close-on-exec. There is no non-blocking one: all waiting here is
// by other means. pidfd_open(2), Linux 5.3.
func OpenPidFD(pid int) (*PidFD, error) { return openPidFD(pid, 0) }

// OpenThread opens a thread by its ID. Signals sent to it go to the thread, and
// it has ended when the thread has.
// pidfd_open(2) with PIDFD_THREAD, Linux 6.9.
func OpenThread(tid int) (*PidFD, error) { return openPidFD(tid, uapi.PIDFD_THREAD) }

func openPidFD(pid int, flags uintptr) (*PidFD, error) {
	if pid <= 0 {
		return nil, invalid("pidfd_open: %d is not the ID of a process", pid)
	}
	fd, _, errno := syscall.RawSyscall(uapi.SYS_PIDFD_OPEN, uintptr(pid), flags, 0)
	switch errno {
	case 0:
		return newPidFD(int(fd)), nil
	case unix.ENOSYS, unix.EPERM:
		if err := Supported(OpOpen); err != nil {
			return nil, err
		}
	case unix.ESRCH:
		return nil, &pidfdError{"pidfd_open", fmt.Sprintf("process %d", pid), errno}
	case unix.EINVAL, unix.ENOENT: // EINVAL up to 6.12
		if flags == 0 {
			return nil, &pidfdError{"pidfd_open", fmt.Sprintf("%d is a thread, and not the first of its process: use OpenThread", pid), errno}
		}
		if err := Supported(OpOpenThread); err != nil {
			return nil, err
		}
	}
	return nil, os.NewSyscallError("pidfd_open", errno)
}

// OpenProcess opens a process that package os holds. It stays p's, which is
// also to be waited for: a PidFD does not reap, except by Reap.
//
// The PidFD is a duplicate of p's handle; without one, the error is
// os.ErrNoHandle. fcntl(2) with F_DUPFD_CLOEXEC, Linux 5.4.
func OpenProcess(p *os.Process) (*PidFD, error) {
	var f *PidFD
	var err error
	if e := p.WithHandle(func(handle uintptr) { f, err = dupPidFD(int(handle)) }); e != nil {
		return nil, e
	}
	return f, err
}

// AdoptPidFD takes over a descriptor that is a pidfd, such as one received in a
// message (SCM_RIGHTS): from now on it belongs to the PidFD. It is made
// close-on-exec. If it is not a pidfd that is an error, and it stays the
// caller's. waitid(2) with P_PIDFD, Linux 5.4.
func AdoptPidFD(fd int) (*PidFD, error) {
	if err := checkPidFD(fd); err != nil {
		return nil, err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return newPidFD(fd), nil
}

// DupPidFD opens a duplicate of a file that is a pidfd. The file stays the
// caller's. See [PidFD.Dup] for what a duplicate is.
func DupPidFD(file *os.File) (f *PidFD, err error) {
	err = control(file, func(fd int) (err error) {
		if err = checkPidFD(fd); err == nil {
			f, err = dupPidFD(fd)
		}
		return err
	})
	return f, err
}

// Dup returns a duplicate, which the caller closes. It is the same open file
// description: of a child with AutoKill, both have to be closed for the kernel
// to kill it. fcntl(2) with F_DUPFD_CLOEXEC.
func (f *PidFD) Dup() (*PidFD, error) {
	fd, err := f.descriptor("Dup")
	if err != nil {
		return nil, err
	}
	defer f.done()
	return dupPidFD(fd)
}

// File returns a duplicate as a file, which the caller closes: to give it to a
// child, or to send it in a message (SCM_RIGHTS). An os.File is also closed when
// the garbage collector finds it unused, which of a child with AutoKill may be
// its end. fcntl(2) with F_DUPFD_CLOEXEC.
func (f *PidFD) File() (*os.File, error) {
	fd, err := f.descriptor("File")
	if err != nil {
		return nil, err
	}
	defer f.done()
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(n), "pidfd"), nil
}

// WithFD calls use with the descriptor, which is open until use returns, and
// not to be closed. It is for system calls that this package does not make.
func (f *PidFD) WithFD(use func(fd int)) error {
	fd, err := f.descriptor("WithFD")
	if err != nil {
		return err
	}
	defer f.done()
	use(fd)
	return nil
}

// Close closes the handle, once; the process goes on, but for a child with
// AutoKill. A PidFD that is lent is not closed, and Close returns an error that
// says so.
func (f *PidFD) Close() error {
	switch {
	case f == nil:
		return os.ErrInvalid
	case f.owner != nil:
		return errors.New("linux: this PidFD is lent: Close the Process")
	case f.isSelf():
		return errors.New("linux: this PidFD is lent: Self has no descriptor to close")
	case !f.bar():
		return os.ErrClosed
	}
	f.done()
	return nil
}

// bar lets no method begin any more and those that wait return. It reports
// whether it was the first to do so. The owner remains to be done.
func (f *PidFD) bar() bool {
	for {
		n := f.uses.Load()
		if n == 0 || n&pidfdClosed != 0 {
			return false
		}
		if f.uses.CompareAndSwap(n, n|pidfdClosed) {
			f.notify()
			return true
		}
	}
}

// use begins a method. If there is no error, done ends it; until then the
// descriptor stays open. It may be one of the numbers that mean this process.
func (f *PidFD) use() (fd int, err error) {
	if f == nil {
		return -1, os.ErrInvalid
	}
	for {
		n := f.uses.Load()
		if n == 0 || n&pidfdClosed != 0 {
			return -1, os.ErrClosed
		}
		if f.uses.CompareAndSwap(n, n+1) {
			return f.fd, nil
		}
	}
}

// descriptor is use for a method that needs a descriptor.
func (f *PidFD) descriptor(method string) (fd int, err error) {
	if f.isSelf() {
		return -1, &UnsupportedError{
			Feature: method + " of Self",
			Reason:  "the kernel takes it without a descriptor only for signals and memory: use OpenPidFD(os.Getpid())",
			Err:     unix.EBADF,
		}
	}
	return f.use()
}

// done ends what use has begun. Whoever is the last closes the descriptor.
func (f *PidFD) done() {
	switch {
	case f.uses.Add(^uint32(0)) != pidfdClosed:
	case f.owner != nil:
		f.owner.closeFD(f.fd)
	default:
		syscall.Close(f.fd)
	}
}

func dupPidFD(fd int) (*PidFD, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return newPidFD(n), nil
}

// checkPidFD reports that a descriptor is not a pidfd. waitid takes nothing
// else, not even a directory of /proc, and answers ECHILD for most processes.
func checkPidFD(fd int) error {
	var info childInfo
	switch errno := waitid(fd, &info, unix.WNOHANG|unix.WNOWAIT, nil); errno {
	case 0, unix.ECHILD:
		return nil
	case unix.EBADF, unix.EINVAL: // EINVAL: fd is negative
		return &pidfdError{"waitid", fmt.Sprintf("descriptor %d is not a pidfd", fd), unix.EBADF}
	default:
		return os.NewSyscallError("waitid", errno)
	}
}

// A pidfdError is an answer of the kernel and what it means.
type pidfdError struct {
	call, why string
	errno     syscall.Errno
}

func (e *pidfdError) Error() string { return e.call + ": " + e.why + ": " + e.errno.Error() }

func (e *pidfdError) Unwrap() error { return e.errno }

// Is lets a process that is not there be one that has ended.
func (e *pidfdError) Is(target error) bool {
	return target == os.ErrProcessDone && e.errno == unix.ESRCH
}

// pidfdFailure returns the error for the answer of a call to which ESRCH means
// that the process has ended.
func pidfdFailure(call string, err error) error {
	if err == unix.ESRCH {
		return os.ErrProcessDone
	}
	return os.NewSyscallError(call, err)
}
