//go:build linux && !clone3_osexec

package exec

import (
	"context"
	"errors"
	"os"
	"time"
)

// A verdict is what has come of the end of the context.
type verdict struct {
	err      error            // for Wait to return, if the command is successful
	deadline <-chan time.Time // when WaitDelay is over, if it has begun
	copied   bool             // copying has ended, and err accounts for it
}

// obey lets the end of the context end the command.
func (r *running) obey(c *Cmd) {
	r.handOver, r.final = make(chan verdict), make(chan verdict, 1)
	r.forget = context.AfterFunc(c.ctx, func() { r.contextEnded(c) })
}

// verdict returns what has come of the end of the context, if it has ended.
func (r *running) verdict() verdict {
	if r.forget == nil || r.forget() {
		return verdict{}
	}
	select {
	case v := <-r.handOver:
		return v
	case v := <-r.final:
		return v
	}
}

// contextEnded calls Cancel, and when WaitDelay is over kills the process and
// ends the copying, unless Wait has taken over by then.
func (r *running) contextEnded(c *Cmd) {
	var v verdict
	if c.Cancel != nil {
		switch err := c.Cancel(); {
		case err == nil:
			v.err = c.ctx.Err()
		case !errors.Is(err, os.ErrProcessDone):
			v.err = &contextError{"canceling Cmd", err}
		}
	}
	if c.WaitDelay == 0 {
		r.final <- v
		return
	}
	timer := time.NewTimer(c.WaitDelay)
	v.deadline = timer.C
	select {
	case r.handOver <- v: // the process has ended
		return
	case <-timer.C:
	}
	killed := false
	switch err := c.kill(); {
	case err == nil:
		killed = true
	case !errors.Is(err, os.ErrProcessDone):
		v.err = &contextError{"killing Cmd", err}
	}
	v.copied = true
	switch k := r.copying; {
	case k == nil:
	case k.finished():
		if v.err == nil && !killed {
			v.err = k.result()
		}
	default:
		closeAll(c.pipes.parent)
		k.abandon()
		if v.err == nil {
			v.err = ErrWaitDelay
		}
	}
	r.final <- v
}
