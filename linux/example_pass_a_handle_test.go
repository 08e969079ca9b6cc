//go:build linux

package linux_test

import (
	"fmt"
	"net"
	"os"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// sendProcess hands a process to whoever is at the other end. Who has it can
// signal it and wait for its end, as far as that one's user may.
func sendProcess(conn *net.UnixConn, f *linux.PidFD) error {
	file, err := f.File() // a duplicate
	if err != nil {
		return err
	}
	defer file.Close()
	_, _, err = conn.WriteMsgUnix([]byte{0}, unix.UnixRights(int(file.Fd())), nil)
	return err
}

// receiveProcess takes one, and nothing that is no process. The caller closes it.
func receiveProcess(conn *net.UnixConn) (*linux.PidFD, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 1), oob)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return nil, err
	}
	if len(messages) != 1 {
		return nil, fmt.Errorf("%d control messages, want 1", len(messages))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	if len(fds) != 1 {
		for _, fd := range fds {
			unix.Close(fd)
		}
		return nil, fmt.Errorf("%d descriptors, want 1", len(fds))
	}
	f, err := linux.AdoptPidFD(fds[0])
	if err != nil {
		unix.Close(fds[0]) // it is something else, and stays ours
	}
	return f, err
}

// connected returns the two ends of a socket, which are two programs' otherwise.
func connected() (a, b *net.UnixConn, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "socket")
		conn, err := net.FileConn(file)
		file.Close()
		if err != nil {
			return nil, nil, err
		}
		ends[i] = conn.(*net.UnixConn)
	}
	return ends[0], ends[1], nil
}

// Passing a process to another program: a handle, not a number that may mean
// another process by the time it arrives. A child gets one as a file instead:
// see [PidFD.File] and [DupPidFD].
func Example_passAHandle() {
	here, there, err := connected()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer here.Close()
	defer there.Close()

	process, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer process.Close()
	if err := sendProcess(here, process); err != nil {
		fmt.Println(err)
		return
	}

	received, err := receiveProcess(there)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer received.Close()
	pid, err := received.Pid()
	fmt.Println(pid == os.Getpid(), err)
	fmt.Println(received.Signal(0)) // it is there
	// Output:
	// true <nil>
	// <nil>
}
