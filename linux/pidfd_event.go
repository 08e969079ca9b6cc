//go:build linux

package linux

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// WaitEvent waits for the next change of state of a child of this program: it
// has stopped, it goes on, it has ended. An event is told once, and replaced by
// a later one that comes before anybody has asked; but every call returns the
// end, and none reaps. For a process that is not a child the error is ECHILD
// until it has ended.
//
// It subscribes to SIGCHLD with package os/signal while it waits. If ctx ends
// first, WaitEvent returns its error.
// waitid(2) with P_PIDFD, WSTOPPED and WCONTINUED, Linux 5.4.
func (f *PidFD) WaitEvent(ctx context.Context) (event Event, err error) {
	changed := make(chan os.Signal, 1) // before the first look, lest one is missed
	signal.Notify(changed, syscall.SIGCHLD)
	defer signal.Stop(changed)

	e := f.await(ctx, "WaitEvent", changed, func(fd int) (ok bool) {
		event, ok, err = f.nextEvent(fd)
		return ok
	})
	if e != nil {
		return Event{}, e
	}
	return event, err
}

// nextEvent takes the event that the kernel has, if it has one.
func (f *PidFD) nextEvent(fd int) (Event, bool, error) {
	var info childInfo
	errno := waitState(fd, &info, unix.WSTOPPED|unix.WCONTINUED|unix.WNOHANG, nil)
	if errno == 0 && info.pid() != 0 {
		event := Event{Signal: syscall.Signal(info.fields()[2])}
		switch info.Code {
		case cldTrapped:
			event.Kind, event.Signal = Trapped, event.Signal&0x7f // PTRACE_EVENT_* is above
		case cldStopped:
			event.Kind = Stopped
		case cldContinued:
			event.Kind = Continued
		}
		return event, true, nil
	}
	status, known, err := ExitStatus(0), false, error(nil)
	if f.owner != nil {
		status, known, err = f.owner.result()
	}
	if !known {
		status, known, err = peek(fd)
	}
	if known {
		return Event{Kind: Ended, Status: status, Signal: status.Signal()}, true, err
	}
	if errno == unix.ECHILD && !ended(fd) {
		return Event{}, true, &pidfdError{"waitid", "the process is not a child of this program", errno}
	}
	return Event{}, false, nil
}
