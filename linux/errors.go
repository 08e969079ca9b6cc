//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// An UnsupportedError says that the kernel does not know a feature, or that it
// is kept from this program. errors.Is(err, errors.ErrUnsupported) finds it.
type UnsupportedError struct {
	Feature string // such as "AutoKill"
	Release string // the first Linux release that has it, such as "7.1"
	Reason  string // why it is missing, where that is not the release
	Err     error  // the kernel's answer
}

func (e *UnsupportedError) Error() string {
	s := "linux: " + e.Feature + " is not supported: needs Linux " + e.Release
	if e.Reason != "" {
		s = "linux: " + e.Feature + " is not supported here: " + e.Reason
	}
	return s
}

func (e *UnsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }

func (e *UnsupportedError) Unwrap() error { return e.Err }

// A StepError says which step of a child failed, between its creation and its
// program. The child is gone.
type StepError struct {
	Step string // such as "setgid 1000"

	// Err is the error number, or a *fs.PathError if the step has to do with
	// a path.
	Err error
}

func (e *StepError) Error() string {
	if pe, ok := e.Err.(*fs.PathError); ok {
		return pe.Error()
	}
	return e.Step + ": " + e.Err.Error()
}

func (e *StepError) Unwrap() error { return e.Err }

// invalid returns an error about what the caller has given. It unwraps to
// EINVAL.
func invalid(format string, args ...any) error {
	return &inputError{fmt.Sprintf("linux: "+format, args...)}
}

type inputError struct{ msg string }

func (e *inputError) Error() string { return e.msg }

func (e *inputError) Unwrap() error { return syscall.EINVAL }
