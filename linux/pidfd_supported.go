//go:build linux

package linux

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// An operation says how to find out whether an Op is supported.
type operation struct {
	call string // the system call

	// bare makes the system call with arguments that the kernel answers in
	// one way, which is want, and changes nothing. Any other answer is that
	// of a filter; ENOSYS may be the kernel's too.
	bare func() syscall.Errno
	want syscall.Errno

	// ask makes the system call so that the answer is 0 if the kernel knows
	// the operation, and no if it does not. It is given a pidfd of this
	// process. Without ask it is known if the system call is.
	ask func(pidfd int) syscall.Errno
	no  syscall.Errno
}

// operations are fork-free to ask for, and need no privileges.
//
// The releases are those of the kernel's history, and agree with what kernels
// answer: 5.10, 6.1, 6.12, 6.16 to 6.19, 7.0, 7.1 and 7.3 were asked. So it is
// measured that 6.17, 6.19 and 7.1 are the first; between the others, 6.13 for
// example, lie kernels that were not.
var operations = [...]operation{
	OpOpen:       {"pidfd_open", bareOpen, unix.EINVAL, nil, 0},
	OpOpenThread: {"pidfd_open", bareOpen, unix.EINVAL, askThread, unix.EINVAL},
	OpReap: {"waitid", bareWait, unix.EINVAL, func(fd int) syscall.Errno {
		return answer(waitid(fd, new(childInfo), unix.WNOHANG|unix.WNOWAIT, nil), unix.ECHILD)
	}, unix.EINVAL},

	OpSignal: {"pidfd_send_signal", bareSignal, unix.EBADF, nil, 0},
	OpSignalScope: {"pidfd_send_signal", bareSignal, unix.EBADF,
		func(fd int) syscall.Errno { return signalNone(fd, ScopeProcess) }, unix.EINVAL},
	OpSelf: {"pidfd_send_signal", bareSignal, unix.EBADF,
		func(int) syscall.Errno { return signalNone(uapi.PIDFD_SELF_THREAD_GROUP, 0) }, unix.EBADF},
	OpSelfThread: {"pidfd_send_signal", bareSignal, unix.EBADF,
		func(int) syscall.Errno { return signalNone(uapi.PIDFD_SELF_THREAD, 0) }, unix.EBADF},

	OpGetFD: {"pidfd_getfd", func() syscall.Errno {
		return raw(uapi.SYS_PIDFD_GETFD, none, 0, 0)
	}, unix.EBADF, nil, 0},
	OpSetns: {"setns", func() syscall.Errno {
		return raw(uapi.SYS_SETNS, none, 0, 0)
	}, unix.EBADF, askSetns, unix.EINVAL},
	OpNamespace: {"ioctl", func() syscall.Errno {
		return raw(uapi.SYS_IOCTL, none, uapi.PIDFD_GET_USER_NAMESPACE, 0)
	}, unix.EBADF, func(fd int) syscall.Errno {
		// It takes no argument, and refuses one.
		return answer(raw(uapi.SYS_IOCTL, uintptr(fd), uapi.PIDFD_GET_USER_NAMESPACE, 1), unix.EINVAL)
	}, unix.ENOTTY},

	OpInfo:               {"ioctl", bareInfo, unix.EBADF, askInfo(InfoPID), unix.ENOTTY},
	OpInfoExit:           {"ioctl", bareInfo, unix.EBADF, askInfo(InfoExit), unix.ENOTTY},
	OpInfoCoreDump:       {"ioctl", bareInfo, unix.EBADF, askInfo(InfoCoreDump), unix.ENOTTY},
	OpInfoSupported:      {"ioctl", bareInfo, unix.EBADF, askInfo(InfoSupported), unix.ENOTTY},
	OpInfoCoreDumpSignal: {"ioctl", bareInfo, unix.EBADF, askInfo(InfoCoreDumpSignal), unix.ENOTTY},
	OpInfoCoreDumpCode:   {"ioctl", bareInfo, unix.EBADF, askInfo(InfoCoreDumpCode), unix.ENOTTY},

	OpID: {"fstatfs", func() syscall.Errno {
		return errnoOf(unix.Fstatfs(-1, new(unix.Statfs_t)))
	}, unix.EBADF, askID, unix.ENOTTY},
	OpSameDescription: {"fcntl", func() syscall.Errno {
		return raw(uapi.SYS_FCNTL, none, unix.F_DUPFD_QUERY, 0)
	}, unix.EBADF, func(fd int) syscall.Errno {
		return raw(uapi.SYS_FCNTL, uintptr(fd), unix.F_DUPFD_QUERY, uintptr(fd))
	}, unix.EINVAL},
	OpHandle: {"name_to_handle_at", func() syscall.Errno {
		_, _, err := unix.NameToHandleAt(-1, "", unix.AT_EMPTY_PATH)
		return errnoOf(err)
	}, unix.EBADF, func(fd int) syscall.Errno {
		_, _, err := unix.NameToHandleAt(fd, "", unix.AT_EMPTY_PATH)
		return errnoOf(err)
	}, unix.EOPNOTSUPP},
	OpXattr: {"fchmod", func() syscall.Errno {
		return errnoOf(unix.Fchmod(-1, 0))
	}, unix.EBADF, askXattr, unix.EPERM},

	OpAdviseMemory: {"process_madvise", func() syscall.Errno {
		return raw(uapi.SYS_PROCESS_MADVISE, none, 0, 0)
	}, unix.EBADF, nil, 0},
	OpReleaseMemory: {"process_mrelease", func() syscall.Errno {
		return raw(uapi.SYS_PROCESS_MRELEASE, none, 0, 0)
	}, unix.EBADF, nil, 0},

	OpPeer: {"getsockopt", func() syscall.Errno {
		_, err := unix.GetsockoptInt(-1, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
		return errnoOf(err)
	}, unix.EBADF, func(int) syscall.Errno {
		return socket(func(s int) error {
			fd, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
			if err == nil { // a socket without a peer has none
				unix.Close(fd)
			}
			return err
		}, unix.ENODATA)
	}, unix.ENOPROTOOPT},
	OpMessage: {"setsockopt", func() syscall.Errno {
		return errnoOf(unix.SetsockoptInt(-1, unix.SOL_SOCKET, unix.SO_PASSPIDFD, 1))
	}, unix.EBADF, func(int) syscall.Errno {
		return socket(func(s int) error { return unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_PASSPIDFD, 1) }, 0)
	}, unix.ENOPROTOOPT},
}

// known caches what the kernel has answered about each Op: 1 is yes, 2 is no.
var known [len(operations)]atomic.Uint32

// errUnclear is the answer of a kernel that cannot be asked.
const errUnclear = unix.EAGAIN

// Supported reports whether the kernel, and the seccomp filters of this program,
// let it do something. It returns nil if so, an [UnsupportedError] if not, and
// another error if that is not known. Whether the caller has the privileges for
// it, or the process is one that lets it, is another question.
//
// Supported creates no process and needs no privileges. What the kernel has
// answered is not asked again; whether a filter denies the system call is, since
// filters come without notice. A filter may also look at arguments, and so deny
// what Supported says is.
//
// It is not known of OpInfoExit in Linux 6.13 to 6.15, which Wait finds out.
func Supported(op Op) error {
	if op < 0 || int(op) >= len(operations) {
		return invalid("operation %d is none that this package knows", int(op))
	}
	o, name, release := &operations[op], opNames[op].name, opNames[op].release
	switch errno := o.bare(); errno {
	case o.want:
	case unix.ENOSYS:
		return &UnsupportedError{name, release, fmt.Sprintf("the kernel is older than Linux %s, or a seccomp filter hides %s", release, o.call), errno}
	default:
		return &UnsupportedError{name, release, "a seccomp filter denies " + o.call, errno}
	}
	switch {
	case o.ask == nil || known[op].Load() == 1:
		return nil
	case known[op].Load() == 2:
		return &UnsupportedError{Feature: name, Release: release, Err: o.no}
	}
	pidfd, _, errno := syscall.RawSyscall(uapi.SYS_PIDFD_OPEN, uintptr(os.Getpid()), 0, 0)
	if errno == unix.ENOSYS {
		return &UnsupportedError{name, release, "the kernel is older than Linux 5.3, or a seccomp filter hides pidfd_open", errno}
	}
	if errno == 0 {
		errno = o.ask(int(pidfd))
		syscall.Close(int(pidfd))
	}
	switch errno {
	case 0:
		known[op].Store(1)
		return nil
	case o.no:
		known[op].Store(2)
		return &UnsupportedError{Feature: name, Release: release, Err: errno}
	}
	return fmt.Errorf("linux: cannot tell whether %s is supported: %s: %w", name, o.call, errno)
}

// none is a descriptor that is never open.
const none = ^uintptr(0)

func raw(call, a, b, c uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(call, a, b, c, 0, 0, 0)
	return errno
}

func bareOpen() syscall.Errno { return raw(uapi.SYS_PIDFD_OPEN, 0, 0, 0) }

func bareWait() syscall.Errno { return raw(uapi.SYS_WAITID, 0, 0, 0) } // no state to wait for

func bareSignal() syscall.Errno { return raw(uapi.SYS_PIDFD_SEND_SIGNAL, none, 0, 0) }

func bareInfo() syscall.Errno { return raw(uapi.SYS_IOCTL, none, uapi.PIDFD_GET_INFO, 0) }

func signalNone(fd int, scope Scope) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(uapi.SYS_PIDFD_SEND_SIGNAL, uintptr(fd), 0, 0, uintptr(scope), 0, 0)
	return errno
}

func askThread(int) syscall.Errno {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fd, _, errno := syscall.RawSyscall(uapi.SYS_PIDFD_OPEN, uintptr(unix.Gettid()), uapi.PIDFD_THREAD, 0)
	if errno == 0 {
		syscall.Close(int(fd))
	}
	return errno
}

// askSetns lets a thread that then ends join the namespace it is in. Before the
// release a pidfd is no descriptor to join by, and after it that is a question
// of privileges.
func askSetns(fd int) syscall.Errno {
	errno := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread() // for ever
		errno <- answer(errnoOf(unix.Setns(fd, unix.CLONE_NEWUTS)), unix.EPERM)
	}()
	return <-errno
}

// askInfo asks for fields of PIDFD_GET_INFO.
func askInfo(want InfoFields) func(int) syscall.Errno {
	return func(fd int) syscall.Errno {
		raw := uapi.PidfdInfo{Mask: uapi.PIDFD_INFO_COREDUMP | uapi.PIDFD_INFO_SUPPORTED_MASK}
		switch errno := getInfo(fd, &raw); errno {
		case 0:
		case unix.EINVAL: // 6.11 and 6.12 take no ioctl with an argument
			return unix.ENOTTY
		default:
			return errno
		}
		info := decodeInfo(&raw, unsafe.Sizeof(raw))
		has := info.Fields | info.Supported
		switch {
		case has&want != 0:
			return 0
		case want == InfoExit && has&InfoCoreDump != 0: // which came later
			return 0
		case want == InfoExit: // of a process that has ended only
			return errUnclear
		}
		return unix.ENOTTY
	}
}

// askID asks whether pidfds have a file system of their own, where the kernel
// tells all of their inode's number. Before, all were one inode.
func askID(fd int) syscall.Errno {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return errnoOf(err)
	}
	if st.Type != unix.PID_FS_MAGIC {
		return unix.ENOTTY
	}
	_, errno := inode(fd)
	if errno == unix.EINVAL { // Linux before 6.13 has no ioctl with an argument for pidfds
		return unix.ENOTTY
	}
	return errno
}

// askXattr asks whether pidfds are immutable, which keeps anybody from attaching
// something, and is then why they have no chmod either; whoever lacks the
// privilege cannot ask for attributes. Before they had a file system of their
// own chmod would have worked, for the one inode of all.
func askXattr(fd int) syscall.Errno {
	switch askID(fd) {
	case 0:
		return answer(errnoOf(unix.Fchmod(fd, 0)), unix.EOPNOTSUPP)
	case unix.ENOTTY:
		return unix.EPERM
	}
	return errUnclear
}

// socket calls ask with a new unix socket. The answer yes also means 0.
func socket(ask func(s int) error, yes syscall.Errno) syscall.Errno {
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return errnoOf(err)
	}
	defer unix.Close(s)
	return answer(errnoOf(ask(s)), yes)
}

// answer lets one more answer than 0 mean yes.
func answer(errno, yes syscall.Errno) syscall.Errno {
	if errno == yes {
		return 0
	}
	return errno
}
