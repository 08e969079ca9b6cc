//go:build linux

package exec

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// Run starts the command and waits for it. It returns nil if the command has
// exited with code 0 and everything was copied; see Start and Wait.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Wait waits for a command that Start has started, and until its input and
// output are copied. A goroutine waits, not a thread.
//
// If the command has not exited with code 0 the error is an *ExitError.
// Otherwise it may be the error of the context, of copying, or ErrWaitDelay.
// Wait can be called once. It sets ProcessState.
func (c *Cmd) Wait() error {
	switch {
	case c.Process == nil:
		return errors.New("exec: not started")
	case c.ProcessState != nil:
		return errors.New("exec: Wait was already called")
	}
	state, err := c.waitProcess()
	if err == nil && !state.Success() {
		err = &ExitError{ProcessState: state}
	}
	c.ProcessState = state

	var v verdict
	if c.cancelled != nil && !c.forget() {
		v = <-c.cancelled
	}
	if !v.copied {
		// An error of the context goes before one of copying.
		if e := c.waitCopying(v.deadline); v.err == nil {
			v.err = e
		}
	}
	c.pipes.closeParent()
	if err == nil {
		err = v.err
	}
	return err
}

// waitProcess waits for the process, and reaps it. For that there is only
// Process.Wait, which also makes Process know that it is done. It has to block
// no thread: the process has ended by then.
func (c *Cmd) waitProcess() (*os.ProcessState, error) {
	if c.proc == nil {
		return c.Process.Wait() // Process was set by hand
	}
	defer c.proc.Close()
	defer c.cleanup.Stop()
	status, err := c.proc.Wait(context.Background())
	if !c.autoReap {
		state, e := c.Process.Wait()
		if !errors.Is(e, syscall.ECHILD) {
			return state, e
		}
		// Somebody else has reaped it, but the status may be known.
	}
	if err != nil {
		return nil, err
	}
	return processState(c.Process.Pid, status, c.proc.Rusage())
}

// A verdict is what has come of the end of the context.
type verdict struct {
	err      error            // for Wait to return, if the command is successful
	deadline <-chan time.Time // when WaitDelay is over, if it has begun
	copied   bool             // copying has ended, and err accounts for it
}

// contextEnded calls Cancel, and if the process takes longer than WaitDelay to
// end after that, kills it.
func (c *Cmd) contextEnded() (v verdict) {
	if c.Cancel != nil {
		switch err := c.Cancel(); {
		case err == nil:
			v.err = c.ctx.Err()
		case !errors.Is(err, os.ErrProcessDone):
			v.err = &contextError{"canceling Cmd", err}
		}
	}
	if c.WaitDelay == 0 {
		return v
	}
	v.deadline = time.After(c.WaitDelay)
	ctx, cancel := context.WithTimeout(context.Background(), c.WaitDelay)
	defer cancel()
	if _, err := c.proc.Wait(ctx); ctx.Err() == nil || err == nil {
		return v
	}
	killed := false
	switch err := c.Process.Kill(); {
	case err == nil:
		killed = true
	case !errors.Is(err, os.ErrProcessDone):
		v.err = &contextError{"killing Cmd", err}
	}
	if c.copying == nil {
		v.copied = true
		return v
	}
	select {
	case <-c.copying.done:
		if v.err == nil && !killed {
			v.err = c.copying.err
		}
	default:
		closeAll(c.pipes.parent)
		<-c.copying.done
		if v.err == nil {
			v.err = ErrWaitDelay
		}
	}
	v.copied = true
	return v
}

// waitCopying waits until everything is copied. When the deadline is over, or if
// there is none WaitDelay from now, it closes the pipes instead.
func (c *Cmd) waitCopying(deadline <-chan time.Time) error {
	if c.copying == nil {
		return nil
	}
	if deadline == nil && c.WaitDelay != 0 {
		deadline = time.After(c.WaitDelay)
	}
	select {
	case <-c.copying.done:
		return c.copying.err
	case <-deadline:
	}
	select {
	case <-c.copying.done: // at the same time
		return c.copying.err
	default:
	}
	closeAll(c.pipes.parent)
	<-c.copying.done
	return ErrWaitDelay
}
