//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/go-clone3/clone3/linux"
)

// FailedStep returns which step of the command has failed, between its creation
// and its program, when Start has returned an error. It is nil if that was for
// another reason.
func (c *Cmd) FailedStep() *linux.StepError { return c.failed }

// startError gives an error of Clone3 the form that package os gives to errors
// of os.StartProcess: a *fs.PathError, in which Err is the error number itself.
// Many programs look no deeper, os.IsNotExist for one. What failed, if it is not
// the program that cannot be executed, comes into Op, in words.
func (c *Cmd) startError(err error) error {
	var step *linux.StepError
	op := "fork/exec"
	if errors.As(err, &step) && step.Kind == linux.StepChdir && c.SysProcAttr == nil {
		if pe, ok := step.Err.(*fs.PathError); ok {
			return pe // as package os, which looks at the directory then
		}
	}
	if errno := answer(err, step); errno != 0 {
		if step == nil || step.Kind != linux.StepExec {
			op += " (" + words(err, errno) + ")"
		}
		err = errno
	}
	return &fs.PathError{Op: op, Path: c.Path, Err: err}
}

// answer returns the error number that err is about, if there is one: unless it
// says more than a number can, or is the caller's own.
func answer(err error, step *linux.StepError) syscall.Errno {
	var unsupported *linux.UnsupportedError
	var errno syscall.Errno
	switch {
	case errors.As(err, &unsupported):
	case step != nil && step.Kind == linux.StepCreated:
	case step != nil:
		return step.Errno
	case errors.As(err, &errno):
		return errno
	}
	return 0
}

// words returns what err says besides the error number.
func words(err error, errno syscall.Errno) string {
	s := strings.TrimSuffix(err.Error(), errno.Error())
	return strings.TrimPrefix(strings.TrimSuffix(s, ": "), "linux: ")
}

// A contextError says what could not be done when a context ended.
type contextError struct {
	doing string
	err   error
}

func (e *contextError) Error() string { return "exec: " + e.doing + ": " + e.err.Error() }

func (e *contextError) Unwrap() error { return e.err }
