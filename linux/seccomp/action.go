package seccomp

import (
	"fmt"

	"github.com/go-clone3/clone3/uapi"
)

// An Action is the kernel's answer to a system call. The zero value is
// KillProcess, so that what was forgotten fails closed: it is the kernel's value
// with one bit turned, see [Action.Value].
type Action uint32

// killProcess is the bit that is turned.
const killProcess = uapi.SECCOMP_RET_KILL_PROCESS

const (
	// KillProcess ends the process with all its threads, as SIGSYS would
	// without a handler. SECCOMP_RET_KILL_PROCESS, Linux 4.14; before, it is
	// KillThread.
	KillProcess Action = uapi.SECCOMP_RET_KILL_PROCESS ^ killProcess

	// KillThread ends the thread alone, which leaves most programs hanging.
	// SECCOMP_RET_KILL_THREAD, Linux 3.5.
	KillThread Action = uapi.SECCOMP_RET_KILL_THREAD ^ killProcess

	// Trap sends SIGSYS, which the program may handle.
	// SECCOMP_RET_TRAP, Linux 3.5.
	Trap Action = uapi.SECCOMP_RET_TRAP ^ killProcess

	// Notify asks who holds the filter's listener. Without a listener the call
	// fails with ENOSYS. SECCOMP_RET_USER_NOTIF, Linux 5.0; seccomp_unotify(2).
	Notify Action = uapi.SECCOMP_RET_USER_NOTIF ^ killProcess

	// Log allows the call and writes it to the audit log.
	// SECCOMP_RET_LOG, Linux 4.14; before, it is KillThread.
	Log Action = uapi.SECCOMP_RET_LOG ^ killProcess

	// Allow makes the call. SECCOMP_RET_ALLOW, Linux 3.5.
	Allow Action = uapi.SECCOMP_RET_ALLOW ^ killProcess
)

// maxErrno is the highest number of an error that the kernel returns.
const maxErrno = 4095

// An ErrorNumber is what [Errno] takes: syscall.EPERM, or its number.
type ErrorNumber interface {
	~int | ~int32 | ~uint16 | ~uint32 | ~uintptr
}

// Errno lets the call fail with this error, and not happen. Errno(0) says that it
// has been done. Numbers have to be from 0 to 4095: Compile refuses others.
// SECCOMP_RET_ERRNO, Linux 3.5.
func Errno[E ErrorNumber](errno E) Action {
	n := uint32(uapi.SECCOMP_RET_DATA) // no error
	if errno >= 0 && uint64(errno) <= maxErrno {
		n = uint32(errno)
	}
	return Action((uapi.SECCOMP_RET_ERRNO | n) ^ killProcess)
}

// Value returns the action as a filter returns it to the kernel, SECCOMP_RET_*
// and data.
func (a Action) Value() uint32 { return uint32(a) ^ killProcess }

// Errno returns the number of the error of an action that [Errno] has made.
func (a Action) Errno() (errno int, ok bool) {
	if v := a.Value(); v&uapi.SECCOMP_RET_ACTION_FULL == uapi.SECCOMP_RET_ERRNO {
		return int(v & uapi.SECCOMP_RET_DATA), true
	}
	return 0, false
}

var actionNames = map[Action]string{
	KillProcess: "kill process", KillThread: "kill thread", Trap: "trap", Notify: "notify", Log: "log", Allow: "allow",
}

// String returns "allow" or "errno 1", for example.
func (a Action) String() string {
	if name, ok := actionNames[a]; ok {
		return name
	}
	if errno, ok := a.Errno(); ok {
		return fmt.Sprintf("errno %d", errno)
	}
	return fmt.Sprintf("action %#x", a.Value())
}

// check tells what is wrong with an action.
func (a Action) check() error {
	if errno, ok := a.Errno(); ok && errno > maxErrno {
		return invalid("the number of an error is from 0 to %d", maxErrno)
	} else if !ok && actionNames[a] == "" {
		return invalid("%v is unknown", a)
	}
	return nil
}

// stricter returns the action that the kernel would prefer of two filters: as
// signed numbers, the lowest. Of two errors it is the lower, for no reason but
// that one has to be.
func stricter(a, b Action) Action {
	if int32(b.Value()) < int32(a.Value()) {
		return b
	}
	return a
}
