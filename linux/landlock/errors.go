package landlock

import (
	"errors"
	"fmt"
	"syscall"
)

// An UnsupportedError says that the kernel cannot enforce all of the rules.
// errors.Is(err, errors.ErrUnsupported) finds it.
type UnsupportedError struct {
	Feature string // what is missing, such as "Truncate", or several, joined by ", "; or "Landlock"
	ABI     int    // the first Landlock ABI that has all of it
	Release string // and the Linux release that brought that, such as "6.2"
	Kernel  int    // the ABI there is; 0 if there is no Landlock
}

func (e *UnsupportedError) Error() string {
	s := fmt.Sprintf("landlock: %s is not supported: needs %s; ", e.Feature, needs(e.ABI))
	if e.Kernel == 0 {
		return s + "this kernel has no Landlock, or it is disabled"
	}
	return s + fmt.Sprintf("this kernel has ABI %d; Rules.ABI or Rules.BestEffort makes do with less", e.Kernel)
}

// Is reports whether target is errors.ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }

// needs returns "Landlock ABI 3 (Linux 6.2)".
func needs(abi int) string { return fmt.Sprintf("Landlock ABI %d (Linux %s)", abi, releases[abi]) }

// invalid returns an error about rules that are wrong. It unwraps to EINVAL.
func invalid(format string, args ...any) error {
	return &inputError{fmt.Sprintf("landlock: "+format, args...)}
}

type inputError struct{ msg string }

func (e *inputError) Error() string { return e.msg }

func (e *inputError) Unwrap() error { return syscall.EINVAL }
