//go:build linux

// Package pid1 is what the first process of a system, or of a PID namespace,
// has to do itself.
package pid1

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Reap waits for every process that is left to the first one, until pid has
// ended, and returns its exit status: 128 + N for a signal N. Of pid 0, until
// there is none.
func Reap(pid int) int {
	for {
		var ws unix.WaitStatus
		got, err := unix.Wait4(-1, &ws, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil: // ECHILD
			return 0
		case got == pid && ws.Signaled():
			return 128 + int(ws.Signal())
		case got == pid:
			return ws.ExitStatus()
		}
	}
}

// Loopback brings the interface lo up, if the kernel has a network.
func Loopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	req, err := unix.NewIfreq("lo")
	if err == nil {
		req.SetUint16(unix.IFF_UP)
		err = unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, req)
	}
	return errors.Join(err, unix.Close(s))
}
