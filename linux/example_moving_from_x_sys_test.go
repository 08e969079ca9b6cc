//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// stopBefore is what golang.org/x/sys/unix has: numbers, a thread that waits, and
// an errno.
func stopBefore(pid int, grace time.Duration) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err != nil {
		return err
	}
	deadline := time.Now().Add(grace)
	for {
		left := time.Until(deadline)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(max(left, 0).Milliseconds()))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		default:
			return nil
		}
	}
}

// stopAfter is the same with this package: an object that is closed once, that
// other goroutines may use meanwhile, and a context.
func stopAfter(ctx context.Context, pid int, grace time.Duration) error {
	f, err := linux.OpenPidFD(pid)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := f.WaitEnd(ctx); errors.Is(err, context.DeadlineExceeded) {
		return f.Signal(syscall.SIGKILL)
	} else if err != nil {
		return err
	}
	return nil
}

// Moving from golang.org/x/sys/unix:
//
//	x/sys/unix                                here
//	PidfdOpen                                 OpenPidFD, OpenThread
//	PidfdSendSignal                           PidFD.Signal, SignalTo, Queue
//	PidfdGetfd                                PidFD.GetFD
//	Poll, Waitid(P_PIDFD, ...)                PidFD.WaitEnd, Wait, WaitEvent, Reap
//	Setns with a pidfd                        PidFD.Setns, InNamespaces
//	an ioctl, by PIDFD_GET_INFO               PidFD.Info
//	ProcessMadvise                            PidFD.AdviseMemory, ReleaseMemory
//	ESRCH                                     errors.Is(err, os.ErrProcessDone)
//	ENOSYS, EINVAL, of an older kernel        errors.Is(err, errors.ErrUnsupported)
//	Prctl, before exec                        a field of Child
//
// A descriptor that x/sys has given goes on as a PidFD with AdoptPidFD; and
// PidFD.WithFD lends one for a call that only x/sys has.
func Example_movingFromXSys() {
	nobody := 1<<31 - 1 // no process has this number
	fmt.Println(stopBefore(nobody, time.Second) == unix.ESRCH)
	fmt.Println(errors.Is(stopAfter(context.Background(), nobody, time.Second), os.ErrProcessDone))
	// Output:
	// true
	// true
}
