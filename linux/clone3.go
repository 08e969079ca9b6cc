//go:build linux

package linux

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
)

// errKilled is why a child is gone of which no step has failed.
var errKilled = errors.New("the child was killed")

// Clone3 creates a child process that executes a program. It returns when the
// child has executed it; if that fails, or a step before, the error says which
// step, and no process is left: a [StepError].
//
// The caller waits for the returned Process, or closes it. Clone3 can be called
// concurrently.
//
// ctx is for the creation alone. A child may have to wait on its way to its
// program: for a file that another process has a lease on, a slow file system,
// or because its control group is frozen. If ctx ends before the program is
// executed the child is killed, and the error is a StepError that says how far
// it has come, and unwraps to what context.Cause returns.
//
// A program that somebody has open for writing (ETXTBSY) is tried again when the
// children of this program that are on their way have executed theirs, and then for
// some tens of milliseconds: one of them may have a copy of the descriptor by which
// this one was written. With Child.Created, which is called once, it is not.
//
// A flag the kernel does not know is an [UnsupportedError], and no process is
// created, unless Child.Emulate allows the nearest there is. Where there is no
// clone3(2), because the kernel is older than Linux 5.3, or denied by a seccomp
// filter, as container engines do, clone(2) is used, if it can do what the Child
// asks for.
func Clone3(ctx context.Context, c *Child) (*Process, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if c.KillTree {
		return createTree(ctx, c)
	}
	return createOrEmulate(ctx, c)
}

// createOrEmulate creates a child with what the kernel has, or with the nearest
// to it that the child allows.
func createOrEmulate(ctx context.Context, c *Child) (*Process, error) {
	if lacking := c.toEmulate(); lacking != 0 {
		return emulate(ctx, c, lacking)
	}
	return create(ctx, c)
}

// create creates a child by the best means that the kernel has.
func create(ctx context.Context, c *Child) (*Process, error) {
	how := how{
		noPrivs:   c.Flags.has(NoNewPrivs) && errors.Is(probe(NoNewPrivs), errors.ErrUnsupported),
		listFiles: missesCloseRange.Load() && !hasCloseRange(),
		ownMemory: ownMemory(c),
	}
	var again retry
	for {
		p, err := spawn(ctx, c, how)
		switch e := err.(type) {
		case cloneError:
			if how.legacy {
				return nil, explain(c, "clone", syscall.Errno(e))
			}
			reason := withoutClone3(syscall.Errno(e))
			if reason == "" {
				return nil, explain(c, "clone3", syscall.Errno(e))
			}
			if err := checkLegacy(c, reason, syscall.Errno(e)); err != nil {
				return nil, err
			}
			how.legacy = true
		case noCloseRange:
			missesCloseRange.Store(true)
			how.listFiles = true
		case noNull:
			how.keepNull = true
		default:
			if !again.busy(ctx, c, err) {
				return p, err
			}
		}
	}
}

// A cloneError is the answer to the call that was to create the process.
type cloneError syscall.Errno

func (e cloneError) Error() string { return syscall.Errno(e).Error() }

// noCloseRange says that there is no close_range(2).
type noCloseRange struct{ error }

// noNull says that the child cannot open /dev/null.
type noNull struct{ error }

// spawn creates a process and waits until it has executed its program.
func spawn(ctx context.Context, c *Child, how how) (*Process, error) {
	f := new(flight)
	leave := func() {}
	if !how.sharesFiles(c) {
		if err := inheriting.join(ctx, f); err != nil {
			return nil, err
		}
		leave = func() { inheriting.leave(f) }
	}
	p, err := newPlan(c, how)
	if err != nil {
		leave()
		return nil, err
	}
	defer p.free()
	if changesCredentials(c, how) {
		if err := holdDumpable(c); err != nil {
			leave()
			return nil, err
		}
		defer releaseDumpable()
	}
	f.begin(c, p)
	stop := f.killAtEnd(ctx)
	if p.gate != nil {
		go p.attend(c, f)
	}
	pid, errno := p.Run(p.gate != nil)
	killed := f.land()
	leave()
	stop()
	runtime.KeepAlive(c) // and its files, until the child has them
	var refused error
	if p.gate != nil {
		refused = p.gate.leave()
	}
	if errno != 0 {
		return nil, cloneError(errno)
	}

	proc := f.proc
	if proc == nil {
		proc = newProcess(c, pid, int(*p.pidfd))
	}
	proc.unenforced = p.unenforced
	outcome := p.Outcome()
	switch {
	case refused != nil && foundGateClosed(outcome):
		err = refused
	case !outcome.Pending:
		err = explainStep(c, stepFailed(outcome))
		switch {
		case p.lacksCloseRange(c, outcome):
			err = noCloseRange{err}
		case failedToOpenNull(outcome):
			err = noNull{err}
		}
	case refused != nil:
		err = refused
	case killed:
		err = stepUnfinished(outcome, &cutError{ctx, clock() - f.began})
	case !outcome.Executed():
		err = stepUnfinished(outcome, errKilled)
	}
	if err != nil {
		err = proc.bury(err)
	}
	if p.gate != nil && p.gate.panicked != nil {
		panic(p.gate.panicked)
	}
	if err != nil {
		return nil, err
	}
	if h := p.listener; h != nil {
		proc.listener = newListener(h.fd, h.size, h.killable)
		h.fd = -1
	}
	proc.adopt()
	return proc, nil
}

// foundGateClosed reports whether the child has failed because its gate was shut:
// it could not write to it, or has read the end.
func foundGateClosed(f table.Failure) bool {
	kind := StepKind(f.Label.Kind)
	return (kind == StepGate || kind == StepListener) && !f.Pending && (f.Errno() == 0 || f.Errno() == syscall.EPIPE)
}

// missesCloseRange is set when a child has failed for want of close_range(2). It
// is not taken for granted from then on: a seccomp filter may be that of one
// thread.
var missesCloseRange atomic.Bool

// hasCloseRange reports whether this thread can call close_range(2): by closing a
// descriptor that cannot be.
func hasCloseRange() bool {
	_, _, errno := syscall.RawSyscall(uapi.SYS_CLOSE_RANGE, math.MaxUint32, math.MaxUint32, 0)
	return errno == 0
}

// lacksCloseRange reports whether the child has failed for want of
// close_range(2), which is its first step.
func (p *plan) lacksCloseRange(c *Child, f table.Failure) bool {
	errno := f.Errno()
	return p.how.sharesFiles(c) && f.First && (errno == syscall.ENOSYS || errno == syscall.EPERM)
}

// withoutClone3 returns why there is no clone3(2), or "" if there is: then errno
// was an answer to the flags.
func withoutClone3(errno syscall.Errno) string {
	switch errno {
	case syscall.ENOSYS:
		return "the kernel is older than Linux 5.3, or a seccomp filter hides clone3"
	case syscall.EPERM:
		if callClone3(nil, 0) == syscall.EPERM {
			return "a seccomp filter denies clone3"
		}
	case syscall.EINVAL:
		// Linux 5.3 and 5.4 have clone3, but not what Clone3 always asks for.
		if errors.Is(probe(uapi.CLONE_CLEAR_SIGHAND), errors.ErrUnsupported) {
			return "clone3 of this kernel lacks CLONE_CLEAR_SIGHAND"
		}
	}
	return ""
}

// callClone3 makes the bare system call, with arguments that create no process.
func callClone3(a *uapi.CloneArgs, size uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(uapi.SYS_CLONE3, uintptr(unsafe.Pointer(a)), size, 0)
	return errno
}
