//go:build linux

package linux

import (
	"encoding/binary"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// OpenPeer opens the process at the other end of a unix socket: the one that
// has called connect(2) or socketpair(2), or that listens. It may have ended.
//
// The error is ENODATA if the socket has no peer. A peer that has been reaped
// is an error up to Linux 6.15: os.ErrProcessDone. SO_PEERPIDFD, Linux 6.5.
func OpenPeer(c syscall.Conn) (*PidFD, error) {
	var fd int
	err := control(c, func(s int) (err error) {
		fd, err = unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
		return err
	})
	switch err {
	case nil:
		return newPidFD(fd), nil
	case unix.ENOPROTOOPT:
		if err := Supported(OpPeer); err != nil {
			return nil, err
		}
	case unix.ENODATA:
		return nil, &pidfdError{"SO_PEERPIDFD", "the socket has no peer", unix.ENODATA}
	case unix.EINVAL, unix.ESRCH: // 6.12; not of family AF_UNIX
		return nil, &pidfdError{"SO_PEERPIDFD", "the peer has been reaped", unix.ESRCH}
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError("SO_PEERPIDFD", errno)
	}
	return nil, err
}

// PassPidFD lets a unix socket receive with each message a pidfd of the process
// that has sent it, for [ReceivedPidFD]. Messages that were sent before have
// one only if the sender's socket has the same option set, or if the connection
// was not accepted yet.
// SO_PASSPIDFD, Linux 6.5.
func PassPidFD(c syscall.Conn, on bool) error {
	value := 0
	if on {
		value = 1
	}
	err := control(c, func(s int) error { return unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_PASSPIDFD, value) })
	if err == unix.ENOPROTOOPT {
		if err := Supported(OpMessage); err != nil {
			return err
		}
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError("SO_PASSPIDFD", errno)
	}
	return err
}

// ReceivedPidFD returns the pidfd of the sender of a message, which the caller
// closes. It takes the control messages and the flags that ReadMsgUnix of a
// net.UnixConn returns. It is to be called for every message received, and once:
// the pidfd is open already. A message needs room for it, unix.CmsgSpace(4).
//
// The kernel may have had no pidfd to give: the error is then why, EMFILE for
// example, or os.ErrProcessDone up to Linux 6.16 if the sender was reaped. The
// error is ENODATA if the message has none, which had no room for it or was sent
// before PassPidFD. SCM_PIDFD, Linux 6.5.
func ReceivedPidFD(oob []byte, flags int) (*PidFD, error) {
	fd, found, err := decodePidFD(oob)
	switch {
	case err != nil:
		return nil, err
	case !found && flags&unix.MSG_CTRUNC != 0:
		return nil, &pidfdError{"SCM_PIDFD", "there was no room for the control messages", unix.ENODATA}
	case !found:
		return nil, &pidfdError{"SCM_PIDFD", "the message has no pidfd", unix.ENODATA}
	case fd >= 0:
		return newPidFD(int(fd)), nil
	}
	switch errno := syscall.Errno(-fd); errno {
	case unix.EINVAL, unix.ESRCH:
		return nil, &pidfdError{"SCM_PIDFD", "the sender has been reaped", unix.ESRCH}
	default:
		return nil, os.NewSyscallError("SCM_PIDFD", errno)
	}
}

// decodePidFD returns the number in a message SCM_PIDFD, which is an error
// number if negative.
func decodePidFD(oob []byte) (fd int32, found bool, err error) {
	for len(oob) >= unix.CmsgSpace(0) {
		header, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0, false, os.NewSyscallError("parse socket control message", err)
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_PIDFD && len(data) >= 4 {
			return int32(binary.NativeEndian.Uint32(data)), true, nil
		}
		oob = rest
	}
	return 0, false, nil
}

// control calls f with the descriptor of a socket or a file.
func control(c syscall.Conn, f func(s int) error) error {
	conn, err := c.SyscallConn()
	if err != nil {
		return err
	}
	if e := conn.Control(func(s uintptr) { err = f(int(s)) }); e != nil {
		if _, isFile := c.(*os.File); isFile {
			return os.ErrClosed // package os has an error of its own for that
		}
		return e
	}
	return err
}
