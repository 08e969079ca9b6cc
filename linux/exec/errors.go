package exec

import (
	"errors"
	std "os/exec"
)

// Error is the error of LookPath.
type Error = std.Error

// ExitError is the error of a command that has not exited with code 0.
type ExitError = std.ExitError

// The errors of os/exec.
var (
	// ErrDot says that a name was found in the current directory only, and
	// was not meant to be. See "Executables in the current directory" in the
	// documentation of os/exec.
	ErrDot = std.ErrDot

	// ErrNotFound says that a name was not found in $PATH.
	ErrNotFound = std.ErrNotFound

	// ErrWaitDelay is returned by [Cmd.Wait] if the command was successful,
	// but its output was still open when WaitDelay was over.
	ErrWaitDelay = std.ErrWaitDelay
)

// LookPath looks for an executable in the directories of $PATH, as os/exec does.
func LookPath(file string) (string, error) { return std.LookPath(file) }

// An attrError is what is wrong with a field of SysProcAttr.
type attrError struct {
	field string
	err   error
}

func (e *attrError) Error() string { return "SysProcAttr." + e.field + ": " + e.err.Error() }

func (e *attrError) Unwrap() error { return e.err }

// errAnotherValue is the error of a field of SysProcAttr that Cmd.Child has too.
var errAnotherValue = errors.New("Cmd.Child has another value")
