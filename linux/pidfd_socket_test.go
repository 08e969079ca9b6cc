//go:build linux

package linux_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// connect connects to a socket, sends a message, and exits with a code when its
// standard input ends. With "pass" its socket has the option that the receiver
// is to have.
var _ = helper("connect", func(args []string) int {
	path, code, option := args[0], args[1], args[2]
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fail("%v", err)
	}
	if option == "pass" {
		if err := linux.PassPidFD(c, true); err != nil {
			return fail("%v", err)
		}
	}
	c.Write([]byte("hello"))
	os.Stdout.WriteString("sent\n")
	io.Copy(io.Discard, os.Stdin)
	n, _ := strconv.Atoi(code)
	return n
})

var peers atomic.Int32

// peer returns a connection to a child that has sent a message, and exits with
// code when it is released.
func peer(t *testing.T, code string, option ...string) (*net.UnixConn, *linux.Process, func()) {
	t.Helper()
	path := fmt.Sprintf("@clone3-test-%d-%d", os.Getpid(), peers.Add(1)) // a path may be too long
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("connect", append([]string{path, code}, append(option, "")...)...)
	c.Files[1] = w
	p, release := held(t, c)
	w.Close()
	conn, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.ReadFull(r, make([]byte, len("sent\n"))); err != nil {
		t.Fatal("the child has not sent:", err)
	}
	return conn, p, release
}

func TestOpenPeer(t *testing.T) {
	kerneltest.Need(t, "SO_PEERPIDFD", "6.5", linux.Supported(linux.OpPeer))
	conn, p, _ := peer(t, "0")
	f, err := linux.OpenPeer(conn)
	own(t, f, err)
	if pid := mustPid(t, f); pid != p.Pid() {
		t.Errorf("the peer is %d, want %d", pid, p.Pid())
	}
	if !cloexec(t, f) {
		t.Error("the descriptor is not close-on-exec")
	}
}

// receive receives a message with room for control messages.
func receive(t *testing.T, conn *net.UnixConn, room int) (oob []byte, flags int) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	oob = make([]byte, room)
	_, n, flags, _, err := conn.ReadMsgUnix(make([]byte, 100), oob)
	if err != nil {
		t.Fatal(err)
	}
	return oob[:n], flags
}

func TestReceivedPidFD(t *testing.T) {
	kerneltest.Need(t, "SO_PASSPIDFD", "6.5", linux.Supported(linux.OpMessage))
	room := unix.CmsgSpace(4)
	t.Run("of the sender, by the sender's option", func(t *testing.T) {
		conn, p, _ := peer(t, "0", "pass")
		is(t, "PassPidFD", linux.PassPidFD(conn, true), nil)
		f, err := linux.ReceivedPidFD(receive(t, conn, room))
		own(t, f, err)
		if pid := mustPid(t, f); pid != p.Pid() {
			t.Errorf("the sender is %d, want %d", pid, p.Pid())
		}
	})
	t.Run("not of a message sent before", func(t *testing.T) {
		a, b := pair(t)
		a.Write([]byte("x"))
		is(t, "PassPidFD", linux.PassPidFD(b, true), nil)
		f, err := linux.ReceivedPidFD(receive(t, b, room))
		if err == nil {
			f.Close()
		}
		is(t, "ReceivedPidFD", err, unix.ENODATA)
	})
	t.Run("no room", func(t *testing.T) {
		conn, _, _ := peer(t, "0", "pass")
		is(t, "PassPidFD", linux.PassPidFD(conn, true), nil)
		_, err := linux.ReceivedPidFD(receive(t, conn, unix.CmsgSpace(0)))
		is(t, "ReceivedPidFD", err, unix.ENODATA)
	})
	t.Run("among others", func(t *testing.T) {
		a, b := pair(t)
		is(t, "PassPidFD", linux.PassPidFD(b, true), nil)
		setsockopt(t, b, unix.SO_PASSCRED)
		if _, _, err := a.WriteMsgUnix([]byte("x"), unix.UnixRights(0), nil); err != nil {
			t.Fatal(err)
		}
		oob, flags := receive(t, b, 1000)
		f, err := linux.ReceivedPidFD(oob, flags)
		own(t, f, err)
		if pid := mustPid(t, f); pid != os.Getpid() {
			t.Errorf("the sender is %d, want %d", pid, os.Getpid())
		}
		messages, err := unix.ParseSocketControlMessage(oob)
		if err != nil || len(messages) != 3 {
			t.Fatalf("%d control messages, %v", len(messages), err)
		}
		for _, m := range messages {
			if fds, err := unix.ParseUnixRights(&m); err == nil {
				unix.Close(fds[0])
			}
		}
	})
	t.Run("an error instead: EMFILE", func(t *testing.T) {
		a, b := pair(t)
		is(t, "PassPidFD", linux.PassPidFD(b, true), nil)
		a.Write([]byte("x"))
		var old unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
		unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max})
		oob, flags := receive(t, b, room)
		unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
		_, err := linux.ReceivedPidFD(oob, flags)
		is(t, "ReceivedPidFD", err, unix.EMFILE)
	})
	t.Run("sender that is reaped: opened, EINVAL up to 6.16", func(t *testing.T) {
		conn, p, release := peer(t, "3", "pass")
		release()
		wait(t, p)
		is(t, "PassPidFD", linux.PassPidFD(conn, true), nil)
		f, err := linux.ReceivedPidFD(receive(t, conn, room))
		if errors.Is(err, os.ErrProcessDone) {
			kerneltest.Since(t, "a sender that is reaped", "6.17") // measured: 6.16 no, 6.17 yes
		}
		own(t, f, err)
		if status, err := f.Wait(t.Context()); status.Code() != 3 || err != nil {
			t.Errorf("Wait: got %v, %v", status, err)
		}
	})
}

func TestClosedSocketsAreErrors(t *testing.T) {
	a, _ := pair(t)
	a.Close()
	is(t, "PassPidFD", linux.PassPidFD(a, true), net.ErrClosed)
	_, err := linux.OpenPeer(a)
	is(t, "OpenPeer", err, net.ErrClosed)
}

// pair returns two connected sockets.
func pair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn := func(fd int) *net.UnixConn {
		f := os.NewFile(uintptr(fd), "socket")
		defer f.Close()
		c, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c.(*net.UnixConn)
	}
	return conn(fds[0]), conn(fds[1])
}

func setsockopt(t *testing.T, c syscall.Conn, option int) {
	t.Helper()
	conn, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if e := conn.Control(func(s uintptr) { err = unix.SetsockoptInt(int(s), unix.SOL_SOCKET, option, 1) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
}

// A message without a pidfd says why it has none.
func TestMessageWithoutPidFD(t *testing.T) {
	for flags, want := range map[int]string{0: "the message has no pidfd", unix.MSG_CTRUNC: "there was no room"} {
		_, err := linux.ReceivedPidFD(nil, flags)
		is(t, want, err, unix.ENODATA)
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("flags %#x: got %q, want %q", flags, err, want)
		}
	}
}
