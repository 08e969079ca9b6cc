//go:build linux

package linux

import (
	"context"
	"syscall"
	"time"
)

// A program that was just written and closed can still be open for writing: in a
// child that another goroutine is creating at the time, and that has a copy of
// the descriptor until it executes its own program. Until then the kernel
// refuses to execute the file (ETXTBSY, go.dev/issue/22315). That is over as soon
// as such a child is on its way. Those of this program can be waited for, and then
// some time more, for those of others.
const (
	copyPatience   = time.Second            // for children that stand still
	firstBusyPause = 200 * time.Microsecond // each one is twice as long as that before
	lastBusyPause  = 32 * time.Millisecond  // 64 ms in all
)

// retry says how a child is tried again whose program is busy.
type retry struct{ pause time.Duration }

// busy reports whether err is that the program of c is busy. If so, it has
// paused, and it is worth to try again.
func (r *retry) busy(ctx context.Context, c *Child, err error) bool {
	step, ok := err.(*StepError)
	if !ok || step.Kind != StepExec || step.Errno != syscall.ETXTBSY {
		return false
	}
	if c.Created != nil { // which is called once
		return false
	}
	if r.pause == 0 {
		inheriting.awaitCopies(ctx, copyPatience)
	}
	if r.pause = max(2*r.pause, firstBusyPause); r.pause > lastBusyPause {
		return false
	}
	timer := time.NewTimer(r.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
