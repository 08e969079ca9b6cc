//go:build linux

package linux

import (
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// What si_code says of a child: CLD_KILLED and so on of asm-generic/siginfo.h.
const (
	cldExited = iota + 1
	cldKilled
	cldDumped
	cldTrapped
	cldStopped
	cldContinued
)

// A childInfo is siginfo_t as waitid(2) fills it in.
type childInfo struct {
	unix.Siginfo
}

// waitid asks for the end of the child with a pidfd, or without WNOHANG waits
// for it. If this program traces the child the kernel also tells of its stops,
// unasked; that is not told here. But without WNOWAIT it is taken from who traces.
func waitid(pidfd int, info *childInfo, options uintptr, usage *syscall.Rusage) syscall.Errno {
	errno := waitState(pidfd, info, options|unix.WEXITED, usage)
	if errno == 0 && info.pid() != 0 && info.Code > cldDumped {
		*info = childInfo{}
	}
	return errno
}

// reapable reports whether a child, which this program may trace, has ended and
// can be reaped, or will not.
func reapable(pidfd int) bool {
	var info childInfo
	errno := waitid(pidfd, &info, unix.WNOHANG|unix.WNOWAIT, nil)
	return errno != 0 || info.pid() != 0
}

// waitState asks for a change of state of a child: waitid(2) with __WALL, for
// children whatever signal they were to send.
func waitState(pidfd int, info *childInfo, options uintptr, usage *syscall.Rusage) (errno syscall.Errno) {
	options |= unix.WALL
	// A call that does not wait is not interrupted, except by who wants to see
	// what comes of it.
	for range interruptions {
		if options&unix.WNOHANG != 0 {
			_, _, errno = syscall.RawSyscall6(uapi.SYS_WAITID, unix.P_PIDFD, uintptr(pidfd),
				uintptr(unsafe.Pointer(info)), options, uintptr(unsafe.Pointer(usage)), 0)
		} else {
			_, _, errno = syscall.Syscall6(uapi.SYS_WAITID, unix.P_PIDFD, uintptr(pidfd),
				uintptr(unsafe.Pointer(info)), options, uintptr(unsafe.Pointer(usage)), 0)
		}
		if errno != syscall.EINTR {
			break
		}
	}
	return errno
}

// siginfoFields is the offset in siginfo_t of what depends on the signal: behind
// three numbers, and a fourth where words have 64 bits.
const siginfoFields = 4 * (2 + wordSize/4)

// fields returns si_pid, si_uid and si_status.
func (i *childInfo) fields() *[3]int32 {
	return (*[3]int32)(unsafe.Add(unsafe.Pointer(i), siginfoFields))
}

// pid returns which process has ended, or 0 if none has.
func (i *childInfo) pid() int32 { return i.fields()[0] }

// status returns how it has ended.
func (i *childInfo) status() ExitStatus {
	value := ExitStatus(i.fields()[2])
	switch i.Code {
	case cldKilled:
		return value
	case cldDumped:
		return value | 0x80
	}
	return value & 0xff << 8
}
