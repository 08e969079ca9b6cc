//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Wait waits for a command that Start has started, and until its input and
// output are copied. A goroutine waits, not a thread.
//
// A Reader as Stdin that does not answer is waited for only as long as some
// process can read what it brings, and has then a tenth of a second. The
// goroutine that reads from it stays until it answers, and drops what it gets;
// the Reader is better not used by anybody else before.
//
// If the command has not exited with code 0 the error is an *ExitError.
// Otherwise it may be the error of the context, of copying, or ErrWaitDelay.
//
// Wait can be called once. It sets ProcessState. Another call while the first is
// under way waits for that, and returns ECHILD.
func (c *Cmd) Wait() error {
	r := c.running
	switch {
	case c.Process == nil:
		return errors.New("exec: not started")
	case r == nil:
		r = &running{waited: make(chan struct{})} // Process was set by hand
	case r.waiting.Swap(true):
		return r.waitAgain()
	}
	return c.wait(r)
}

// run is Run. No other Wait comes between.
func (c *Cmd) run() error {
	if err := c.begin(true); err != nil {
		return err
	}
	return c.wait(c.running)
}

// wait is the Wait that is the first.
func (c *Cmd) wait(r *running) error {
	if c.ProcessState != nil {
		return errors.New("exec: Wait was already called")
	}
	defer close(r.waited)
	var state *os.ProcessState
	var err error
	if r.proc == nil {
		state, err = c.Process.Wait()
	} else {
		state, err = r.wait(c.Process)
	}
	if err == nil && !state.Success() {
		err = &ExitError{ProcessState: state}
	}
	c.ProcessState = state

	v := r.verdict()
	if !v.copied {
		// An error of the context goes before one of copying.
		if e := c.waitCopying(r.copying, v.deadline); v.err == nil {
			v.err = e
		}
	}
	c.pipes.closeParent()
	if err == nil {
		err = v.err
	}
	return err
}

// waitAgain is a Wait that is not the first.
func (r *running) waitAgain() error {
	select {
	case <-r.waited:
		return errors.New("exec: Wait was already called")
	default:
		<-r.waited
		return os.NewSyscallError("waitid", syscall.ECHILD)
	}
}

// waitCopying waits until everything is copied. When the deadline is over, or if
// there is none WaitDelay from now, it closes the pipes instead.
func (c *Cmd) waitCopying(k *copying, deadline <-chan time.Time) error {
	if k == nil {
		return nil
	}
	if k.finished() {
		return k.result()
	}
	if deadline == nil && c.WaitDelay != 0 {
		deadline = time.After(c.WaitDelay)
	}
	if k.wait(deadline) {
		return k.result()
	}
	closeAll(c.pipes.parent)
	k.abandon()
	return ErrWaitDelay
}
