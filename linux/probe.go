//go:build linux

package linux

import (
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// Probe reports whether the kernel knows all the flags, and lets this program
// use clone3(2). It returns nil if so, an [UnsupportedError] if not, which
// errors.Is(err, errors.ErrUnsupported) finds, and another error if that is not
// known: the kernel lacked the means to answer, and may be asked again.
//
// Probe creates no process and needs no privileges. Whether the caller has the
// privileges that a flag needs is another question, which only Clone3 answers.
func Probe(flags Flags) error {
	if err := flags.check(); err != nil {
		return err
	}
	if reason := denied(); reason != nil {
		return reason
	}
	for _, n := range named {
		if flags.has(n.flag) {
			if err := probe(n.flag); err != nil {
				return err
			}
			flags &^= n.flag
		}
	}
	return nil
}

// denied reports that there is no clone3, or that a seccomp filter denies it.
// It is asked every time: filters come without notice. Without arguments the
// kernel's own answer is EINVAL.
func denied() error {
	errno := callClone3(nil, 0)
	switch errno {
	case syscall.ENOSYS, syscall.EPERM:
		return &UnsupportedError{"clone3", "5.3", withoutClone3(errno), errno}
	}
	return nil
}

// probed caches the kernel's answers: for each bit of Flags, whether it has said
// yes or no.
var probed struct{ yes, no atomic.Uint64 }

// probe reports whether the kernel knows a flag.
//
// It asks for a process whose handle is to be stored at an address that cannot
// be: after all checks of flags the answer is EFAULT, and there is no process.
// CLONE_VM saves the kernel a copy of this program's memory in between. If the
// kernel knows the flag but this program may not use it, EPERM comes first.
func probe(flag Flags) error {
	switch {
	case probed.yes.Load()&uint64(flag) == uint64(flag):
		return nil
	case probed.no.Load()&uint64(flag) != 0:
		return unsupported(flag, syscall.EINVAL)
	}
	args := uapi.CloneArgs{Flags: uint64(flag) | uapi.CLONE_PIDFD | uapi.CLONE_VM, Pidfd: math.MaxUint64}
	if flag == IntoCgroup {
		args.Cgroup = math.MaxInt32 // a descriptor that is never open
	}
	switch errno := callClone3(&args, unsafe.Sizeof(args)); errno {
	case syscall.EFAULT, syscall.EPERM:
		probed.yes.Or(uint64(flag))
		return nil
	case syscall.EINVAL, syscall.E2BIG: // before Linux 5.7 there was no field for a cgroup
		no := flag
		if flag == AutoKill {
			no &^= AutoReap // which may be known
		}
		probed.no.Or(uint64(no))
		return unsupported(flag, errno)
	default:
		return fmt.Errorf("linux: cannot tell whether %v is supported: clone3: %w", flag, errno)
	}
}

func unsupported(flag Flags, errno syscall.Errno) error {
	for _, n := range named {
		if n.flag == flag {
			return &UnsupportedError{Feature: n.name, Release: n.release, Err: errno}
		}
	}
	return &UnsupportedError{Feature: fmt.Sprintf("clone3 flag %v", flag), Release: "5.5", Err: errno}
}
