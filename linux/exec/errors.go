//go:build linux

package exec

import (
	"errors"
	"io/fs"
	std "os/exec"

	"github.com/go-clone3/clone3/linux"
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

// startError gives an error of Clone3 the form that package os gives to errors
// of os.StartProcess.
func startError(path string, err error) error {
	var step *linux.StepError
	var pe *fs.PathError
	if errors.As(err, &step) && errors.As(step.Err, &pe) {
		switch pe.Op {
		case "exec":
			err = pe.Err
		case "chdir":
			return pe
		}
	}
	return &fs.PathError{Op: "fork/exec", Path: path, Err: err}
}

// A contextError says what could not be done when a context ended.
type contextError struct {
	doing string
	err   error
}

func (e *contextError) Error() string { return "exec: " + e.doing + ": " + e.err.Error() }

func (e *contextError) Unwrap() error { return e.err }
