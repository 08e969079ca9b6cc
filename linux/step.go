//go:build linux

package linux

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux/internal/table"
)

// stepFailed returns the error of a step that has failed.
func stepFailed(f table.Failure) error {
	e := &StepError{Kind: StepKind(f.Label.Kind), Step: f.Label.String(), Errno: f.Errno(), Err: f.Err()}
	if f.Unsupported() {
		e.Err = &UnsupportedError{Feature: f.Label.Feature, Release: f.Label.Since, Err: e.Errno}
	}
	return e
}

// stepUnfinished returns the error of a child that has ended, or was to, in a
// step which has not failed.
func stepUnfinished(f table.Failure, why error) error {
	return &StepError{Kind: StepKind(f.Label.Kind), Step: f.Label.String(), Err: why}
}

// A cutError says that a child was killed because the context of its creation
// has ended.
type cutError struct {
	ctx   context.Context
	after time.Duration
}

func (e *cutError) Error() string {
	return fmt.Sprintf("the child was killed after %v: %v", e.after.Round(time.Millisecond/10), context.Cause(e.ctx))
}

func (e *cutError) Unwrap() []error { return []error{e.ctx.Err(), context.Cause(e.ctx)} }

// label, labelPath and labelN say in words what a step does.
func label(kind StepKind, verb string) table.Label {
	return table.Label{Kind: int(kind), Verb: verb}
}

func labelPath(kind StepKind, verb, path string) table.Label {
	return table.Label{Kind: int(kind), Verb: verb, Path: path}
}

// labelN has n in place of %d in verb.
func labelN(kind StepKind, verb string, n int) table.Label {
	return table.Label{Kind: int(kind), Verb: verb, N: n}
}

// interruptions is how many times in a row a signal may interrupt a call: no
// signal does so for ever, but who stands between this program and the kernel,
// such as a tracer or a seccomp filter, can say so.
const interruptions = 100

// errnoOf returns the error number in err, or 0.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
