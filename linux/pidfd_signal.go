//go:build linux

package linux

import (
	"os"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// Signal sends a signal. Signal 0 sends none, but tells whether one could be
// sent. A zombie takes signals without an error.
//
// The error is os.ErrProcessDone if the process has been reaped; errors.Is(err,
// fs.ErrPermission) if this program may not send to it; EINVAL if it is outside
// of this program's PID namespace. pidfd_send_signal(2), Linux 5.1.
func (f *PidFD) Signal(sig Signal) error { return f.SignalTo(ScopeDefault, sig) }

// SignalTo sends a signal to more or less than Signal does. With
// ScopeProcessGroup it is an error, but not os.ErrProcessDone, if there is no
// such process group; and it is none if at least one of its members got the
// signal. pidfd_send_signal(2); a Scope other than ScopeDefault, Linux 6.9.
func (f *PidFD) SignalTo(scope Scope, sig Signal) error { return f.send(scope, sig, nil) }

// Queue sends a signal with a value, as sigqueue(3) does: its siginfo_t has
// si_code SI_QUEUE, si_value, and this program's si_pid and si_uid. Errors are
// those of SignalTo, and EAGAIN if too many signals are queued (RLIMIT_SIGPENDING).
// pidfd_send_signal(2), Linux 5.1.
func (f *PidFD) Queue(scope Scope, sig Signal, value uintptr) error {
	const siQueue = -1 // SI_QUEUE of asm-generic/siginfo.h
	info := unix.Siginfo{Signo: int32(sig), Code: siQueue}
	// si_pid, si_uid and si_value; see childInfo for where they are.
	fields := unsafe.Add(unsafe.Pointer(&info), siginfoFields)
	*(*[2]uint32)(fields) = [2]uint32{uint32(os.Getpid()), uint32(os.Getuid())}
	*(*uintptr)(unsafe.Add(fields, 8)) = value
	return f.send(scope, sig, &info)
}

func (f *PidFD) send(scope Scope, sig syscall.Signal, info *unix.Siginfo) error {
	fd, err := f.use()
	if err != nil {
		return err
	}
	_, _, errno := syscall.RawSyscall6(uapi.SYS_PIDFD_SEND_SIGNAL, uintptr(fd), uintptr(sig),
		uintptr(unsafe.Pointer(info)), uintptr(scope), 0, 0)
	f.done()
	if errno == 0 {
		return nil
	}
	return f.sendFailure(scope, sig, errno)
}

// sendFailure returns the error for an answer to pidfd_send_signal.
func (f *PidFD) sendFailure(scope Scope, sig syscall.Signal, errno syscall.Errno) error {
	const call = "pidfd_send_signal"
	switch {
	case sig < 0 || sig > lastSignal():
		return invalid("%s: %d is not a signal", call, sig)
	case scopeNames[scope] == "":
		return invalid("%s: scope %v is none that this package knows", call, scope)
	case errno == unix.ESRCH && scope == ScopeProcessGroup:
		return &groupError{errno}
	case errno == unix.ESRCH:
		return os.ErrProcessDone
	case errno == unix.ENOSYS:
		if err := Supported(OpSignal); err != nil {
			return err
		}
	case errno == unix.EBADF: // of Self: others are open
		if err := f.selfSupported(); err != nil {
			return err
		}
	case errno == unix.EINVAL:
		if scope != ScopeDefault {
			if err := Supported(OpSignalScope); err != nil {
				return err
			}
		}
		return &pidfdError{call, "the process is outside of this PID namespace", errno}
	}
	return os.NewSyscallError(call, errno)
}

// A groupError says that there is no such process group. The process that would
// have been its leader may live.
type groupError struct{ errno syscall.Errno }

func (e *groupError) Error() string {
	return "pidfd_send_signal: no process group has the number of this process: " + e.errno.Error()
}

func (e *groupError) Unwrap() error { return e.errno }
