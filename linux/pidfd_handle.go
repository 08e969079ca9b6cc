//go:build linux

package linux

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A Handle names a process without keeping anything open: a file handle of its
// pidfd. [OpenHandle] opens the process again, also in another program; as text
// it can be kept in a file. It can be compared with ==. The zero value names no
// process.
type Handle struct {
	thread bool
	kind   int32 // handle_type of struct file_handle
	data   string
}

// Handle returns the Handle of the process. No privileges are needed. It is
// the same for all handles of the process, but for those of its threads.
// name_to_handle_at(2), Linux 6.14.
func (f *PidFD) Handle() (Handle, error) {
	thread, err := f.IsThread()
	if err != nil {
		return Handle{}, err
	}
	fd, err := f.descriptor("Handle")
	if err != nil {
		return Handle{}, err
	}
	defer f.done()
	h, _, err := unix.NameToHandleAt(fd, "", unix.AT_EMPTY_PATH)
	switch err {
	case nil:
		return Handle{thread, h.Type(), string(h.Bytes())}, nil
	case unix.EOPNOTSUPP:
		if err := Supported(OpHandle); err != nil {
			return Handle{}, err
		}
	}
	return Handle{}, os.NewSyscallError("name_to_handle_at", err)
}

// OpenHandle opens the process that a Handle names, a zombie too. No privileges
// are needed. The error is ESTALE if it has been reaped, or is outside of this
// program's PID namespace.
// open_by_handle_at(2) with FD_PIDFS_ROOT, Linux 6.17; before, from 6.14, with
// a pidfd of this process.
func OpenHandle(h Handle) (*PidFD, error) {
	if h == (Handle{}) {
		return nil, invalid("the zero Handle names no process")
	}
	flags := unix.O_RDWR | unix.O_CLOEXEC
	if h.thread {
		flags |= uapi.PIDFD_THREAD
	}
	handle := unix.NewFileHandle(h.kind, []byte(h.data))
	fd, err := unix.OpenByHandleAt(uapi.FD_PIDFS_ROOT, handle, flags)
	if err == unix.EBADF { // up to 6.16
		var self *PidFD
		if self, err = OpenPidFD(os.Getpid()); err != nil {
			return nil, err
		}
		defer self.Close()
		fd, err = unix.OpenByHandleAt(self.fd, handle, flags)
	}
	if err == nil {
		if h.thread {
			return threadOf(newPidFD(fd))
		}
		return newPidFD(fd), nil
	}
	if err := Supported(OpHandle); err != nil {
		return nil, err
	}
	if err == unix.ESTALE {
		return nil, &pidfdError{"open_by_handle_at", "the process has been reaped, or is outside of this PID namespace", unix.ESTALE}
	}
	return nil, os.NewSyscallError("open_by_handle_at", err)
}

// threadOf returns the handle of a thread for one that may be of its process:
// kernels drop PIDFD_THREAD, up to 7.1 as measured, while 7.3 keeps it. It closes
// f if that is not the one.
func threadOf(f *PidFD) (*PidFD, error) {
	thread, err := f.IsThread()
	if thread {
		return f, nil
	}
	defer f.Close()
	if err != nil {
		return nil, err
	}
	tid, err := f.Pid()
	if err != nil {
		return nil, err
	}
	g, err := OpenThread(tid)
	if err != nil {
		return nil, err
	}
	if same, err := f.Equal(g); !same { // it has ended, and another one got its number
		g.Close()
		return nil, errors.Join(os.ErrProcessDone, err)
	}
	return g, nil
}

// bootID tells one start of the machine from another.
func bootID() (string, error) {
	id, err := readFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id)), err
}

// MarshalText returns the Handle as text, together with what tells this start
// of the machine from others, at which it may name another process: the file
// /proc/sys/kernel/random/boot_id.
func (h Handle) MarshalText() ([]byte, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	return []byte(h.text(boot)), nil
}

// UnmarshalText reads what MarshalText has written. The error is ESTALE if that
// was before the machine was started.
func (h *Handle) UnmarshalText(text []byte) error {
	handle, boot, err := parseHandle(string(text))
	if err != nil {
		return err
	}
	now, err := bootID()
	if err != nil {
		return err
	}
	if boot != now {
		return &pidfdError{"linux.Handle", "the machine has been started since it was written", unix.ESTALE}
	}
	*h = handle
	return nil
}

func (h Handle) text(boot string) string {
	what := "process"
	if h.thread {
		what = "thread"
	}
	return fmt.Sprintf("%s %x %s %s", what, uint32(h.kind), hex.EncodeToString([]byte(h.data)), boot)
}

// parseHandle is the inverse of text.
func parseHandle(text string) (h Handle, boot string, err error) {
	bad := func(why string) (Handle, string, error) {
		return Handle{}, "", invalid("%q is not a Handle: %s", text, why)
	}
	fields := strings.Split(text, " ")
	if len(fields) != 4 || fields[3] == "" {
		return bad("it has not four words")
	}
	switch fields[0] {
	case "process":
	case "thread":
		h.thread = true
	default:
		return bad("neither process nor thread")
	}
	kind, err := strconv.ParseUint(fields[1], 16, 32)
	if err != nil {
		return bad("its type is not a number")
	}
	const maxHandleSize = 128 // MAX_HANDLE_SZ of linux/fs.h
	data, err := hex.DecodeString(fields[2])
	if err != nil || len(data) == 0 || len(data) > maxHandleSize {
		return bad("its bytes are none, or too many")
	}
	h.kind, h.data = int32(kind), string(data)
	return h, fields[3], nil
}
