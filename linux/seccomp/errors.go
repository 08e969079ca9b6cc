package seccomp

import (
	"errors"
	"fmt"
	"syscall"
)

// An Error says what is wrong with a filter, and with which rule of it. It
// unwraps to EINVAL.
type Error struct {
	Rule   int    // its index in Filter.Rules, -1 if it is none of them
	Call   string // the system call or set that it is about, if it is about one
	Reason string
}

func (e *Error) Error() string {
	if e.Rule < 0 {
		return "seccomp: " + e.Reason
	}
	return fmt.Sprintf("seccomp: rule %d: %s", e.Rule, e.Reason)
}

func (e *Error) Unwrap() error { return syscall.EINVAL }

// invalid returns an error that is not about a rule, until it is given one.
func invalid(format string, args ...any) error {
	return &Error{Rule: -1, Reason: fmt.Sprintf(format, args...)}
}

// inRule says of an error which rule it is about.
func inRule(i int, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Rule = i
	}
	return err
}

// An unsupportedError says that there is no seccomp where this program runs.
type unsupportedError struct{ reason string }

func (e *unsupportedError) Error() string { return "seccomp: " + e.reason }

func (e *unsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }
