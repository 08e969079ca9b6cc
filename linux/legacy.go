//go:build linux

package linux

import (
	"math"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// Where there is no clone3(2), because the kernel is older than Linux 5.3 or a
// seccomp filter denies it, children are created by clone(2), if it can do what
// they ask for.

// legacyArgs returns the arguments of clone(2), whose order is not the same on
// all architectures: flags, stack, parent_tid, child_tid and tls here; tls
// before child_tid with the kernel's CLONE_BACKWARDS; stack before flags with
// CLONE_BACKWARDS2. The handle goes where parent_tid points to.
func legacyArgs(goarch string, a *uapi.CloneArgs) []uintptr {
	flags := uintptr(uint32(a.Flags))&^uapi.CLONE_PARENT_SETTID | uapi.CLONE_CHILD_SETTID | uintptr(a.ExitSignal)
	pidfd, tid := uintptr(a.Pidfd), uintptr(a.ParentTid)
	switch goarch {
	case "amd64", "loong64":
		return []uintptr{flags, 0, pidfd, tid, 0}
	case "s390x":
		return []uintptr{0, flags, pidfd, tid, 0}
	}
	return []uintptr{flags, 0, pidfd, 0, tid}
}

// checkLegacy reports what clone(2) cannot do. It ignores flags it does not
// know.
func checkLegacy(c *Child, reason string, answer error) error {
	flags := c.flags()
	for _, n := range named {
		if flags.has(n.flag) && n.flag != NoNewPrivs && (n.flag > math.MaxUint32 || n.flag == NewTime) {
			return &UnsupportedError{n.name, n.release, reason, answer}
		}
	}
	if len(c.SetTID) > 0 {
		return &UnsupportedError{"SetTID", "5.5", reason, answer}
	}
	// The answer about a descriptor that is none shows whether the kernel
	// can wait for one.
	if err := unix.Waitid(unix.P_PIDFD, math.MaxInt32, nil, unix.WEXITED|unix.WNOHANG, nil); err == unix.EINVAL {
		return &UnsupportedError{Feature: "waiting for a pidfd", Release: "5.4", Err: err}
	}
	return nil
}

// resetHandlers does what CLONE_CLEAR_SIGHAND does: signals that this program
// handles get their default action, and ignored ones stay ignored.
func (p *plan) resetHandlers(*Child) error {
	if !p.how.legacy {
		return nil
	}
	action := table.In[sigaction](&p.Table)
	for sig := range settable {
		var old sigaction
		_, _, errno := syscall.RawSyscall6(uapi.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&old)), sigsetSize(), 0, 0)
		if errno == 0 && old.handled() {
			p.Call(labelN(StepSignals, "reset signal %d", int(sig)),
				uapi.SYS_RT_SIGACTION, uintptr(sig), table.Address(action), 0, sigsetSize())
		}
	}
	return nil
}

// handled reports whether a function of the program is the action, rather than
// SIG_DFL, which is 0, or SIG_IGN, which is 1. The field sa_handler is the
// first, but on mips the second word.
func (a *sigaction) handled() bool {
	words := (*[2]uintptr)(unsafe.Pointer(a))
	if mips {
		return words[1] > 1
	}
	return words[0] > 1
}
