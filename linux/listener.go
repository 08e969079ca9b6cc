//go:build linux

package linux

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A Listener receives the system calls of a child, and of all that it creates, for
// which [Child].Seccomp has the action Notify, and answers them. Each waits until it
// is answered, or until its thread is killed. seccomp_unotify(2), Linux 5.0.
//
// A Listener is lent by [Process.Listener]. When it is closed, by Close or by that of
// the Process or with this program, the calls that wait and all that follow fail
// with ENOSYS. All methods can be called concurrently.
//
// What has to be known to be safe:
//
//   - Arguments that are pointers can be read from the memory of the process, but
//     another of its threads may change what is there before the kernel reads it.
//     So no such call can be decided upon and then continued. What the
//     filter is to keep from happening has to be denied, or done by this program
//     with a copy of the arguments.
//   - The number of a thread may be that of another as soon as it has been killed.
//     Whoever opens /proc/THREAD, or its memory, asks Valid afterwards, and only
//     then uses what was opened.
//   - A process that can attach to this program with ptrace(2), as one of its user
//     can by default, can take the Listener and answer for itself: give the child
//     another user, use [SetDumpable], or deny it ptrace and pidfd_getfd.
type Listener struct {
	file     *os.File
	turn     chan struct{} // has an element while somebody receives
	size     int           // of what the kernel tells of a call
	killable bool
}

// newListener returns a Listener for a descriptor, which is its from then on.
func newListener(fd, size int, killable bool) *Listener {
	unix.SetNonblock(fd, true) // so that the poller takes it; no call returns sooner by that
	return &Listener{file: os.NewFile(uintptr(fd), "seccomp listener"), turn: make(chan struct{}, 1), size: size, killable: killable}
}

// Listener lends the listener of a child with [Child].Listen; it is nil for others.
// Close of the Process closes it, Wait does not: what the child has created may still
// call. One that is garbage is closed, and its calls fail.
func (p *Process) Listener() *Listener { return p.listener }

// Close closes the Listener. Calls that wait, and later ones, fail with ENOSYS.
// Receive returns os.ErrClosed. It can be called again.
func (l *Listener) Close() error {
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// WaitsKillable reports whether a call that has been received is interrupted by
// nothing but the end of its thread. Before Linux 5.19 a signal with a handler
// interrupts it: the answer is ErrNotWaiting then, though what it was for may have
// been done, and the program may call again.
// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV.
func (l *Listener) WaitsKillable() bool { return l.killable }

// Receive waits for the next call, and returns it. A goroutine waits, not a thread;
// several that receive take turns. If ctx ends first, Receive returns what
// context.Cause returns. It returns io.EOF when no process has the filter any more,
// which takes until the last has been reaped (Linux 5.9).
// SECCOMP_IOCTL_NOTIF_RECV.
func (l *Listener) Receive(ctx context.Context) (*seccomp.Notification, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	conn, err := l.file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var n *seccomp.Notification
	var failed error
	receive := func(fd uintptr) bool {
		n, failed = receiveCall(int(fd), l.size)
		return n != nil || failed != nil
	}
	stop := l.endWith(ctx)
	err = conn.Read(receive)
	stop()
	switch {
	case n != nil || failed != nil:
		return n, failed
	case errors.Is(err, os.ErrClosed):
		return nil, os.ErrClosed
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	// The poller has not taken it, for want of memory or watches.
	for {
		done := false
		if err := conn.Control(func(fd uintptr) { done = receive(fd) }); err != nil {
			return nil, os.ErrClosed
		}
		if done {
			return n, failed
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// endWith lets the poller give up when ctx ends. The function that it returns undoes
// that, for who comes next.
func (l *Listener) endWith(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		l.file.SetReadDeadline(time.Unix(1, 0))
		close(done)
	})
	return func() {
		if !forget() {
			<-done
			l.file.SetReadDeadline(time.Time{})
		}
	}
}

// receiveCall returns the next call, or nil if there is none. The kernel would wait
// for one in a thread, whatever the descriptor says, so it is asked first: who has
// the turn is the only one to receive.
func receiveCall(fd, size int) (*seccomp.Notification, error) {
	for range interruptions {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, 0); err == unix.EINTR {
			continue
		} else if err != nil {
			return nil, os.NewSyscallError("ppoll", err)
		}
		switch {
		case p[0].Revents&unix.POLLIN != 0:
		case p[0].Revents&unix.POLLERR != 0: // a signal has kept it from looking
			continue
		case p[0].Revents&unix.POLLHUP != 0:
			return nil, io.EOF
		default:
			return nil, nil
		}
		room := make([]uint64, (max(size, int(unsafe.Sizeof(uapi.SeccompNotif{})))+7)/8)
		call := (*uapi.SeccompNotif)(unsafe.Pointer(unsafe.SliceData(room)))
		switch errno := ioctlListener(fd, uapi.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(call)); errno {
		case 0:
			n := &seccomp.Notification{ID: call.Id, Thread: int(call.Pid), Number: uintptr(uint32(call.Data.Nr)),
				Arch: call.Data.Arch, IP: call.Data.InstructionPointer, Args: call.Data.Args}
			n.Call = uapi.SyscallName(n.Number)
			return n, nil
		case unix.EINTR, unix.ENOENT: // who has called was killed
		default:
			return nil, os.NewSyscallError("ioctl(SECCOMP_IOCTL_NOTIF_RECV)", errno)
		}
	}
	return nil, os.NewSyscallError("ioctl(SECCOMP_IOCTL_NOTIF_RECV)", unix.EINTR)
}

func ioctlListener(fd int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

// control makes an ioctl of the descriptor, and returns its result.
func (l *Listener) control(name string, request uintptr, arg unsafe.Pointer) (result int, err error) {
	conn, err := l.file.SyscallConn()
	if err != nil {
		return -1, err
	}
	var errno unix.Errno
	err = conn.Control(func(fd uintptr) {
		for range interruptions {
			var r uintptr
			if r, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg)); errno != unix.EINTR {
				result = int(r)
				return
			}
		}
	})
	switch {
	case err != nil:
		return -1, os.ErrClosed
	case errno == 0:
		return result, nil
	case errno == unix.ENOENT:
		return -1, fmt.Errorf("%w: %w", ErrNotWaiting, errno)
	case errno == unix.EINPROGRESS:
		return -1, &pidfdError{name, "the call has been answered already, or has not been received", errno}
	}
	return -1, os.NewSyscallError("ioctl("+name+")", errno)
}

// answer answers a call.
func (l *Listener) answer(a uapi.SeccompNotifResp) error {
	_, err := l.control("SECCOMP_IOCTL_NOTIF_SEND", uapi.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&a))
	return err
}

// Return answers a call: it is not made, and has returned value. Values from -4095
// to -1 would be errors, for which there is Fail, and are refused. The error is
// ErrNotWaiting if nobody waits. SECCOMP_IOCTL_NOTIF_SEND.
func (l *Listener) Return(n *seccomp.Notification, value int64) error {
	if value < 0 && value >= -4095 {
		return invalid("value %d of a system call is that of an error", value)
	}
	return l.answer(uapi.SeccompNotifResp{Id: n.ID, Val: value})
}

// Fail answers a call: it is not made, and has failed with an error. As Return.
func (l *Listener) Fail(n *seccomp.Notification, errno Errno) error {
	if errno < 1 || errno > 4095 {
		return invalid("error number %d is not between 1 and 4095", int(errno))
	}
	return l.answer(uapi.SeccompNotifResp{Id: n.ID, Error: -int32(errno)})
}

// Continue answers a call: the kernel makes it. It must not be the means to decide
// what is allowed: the program can change what arguments point to after they were
// looked at, and its registers if it traces itself. It is for calls that the program
// may make anyway. As Return. SECCOMP_USER_NOTIF_FLAG_CONTINUE, Linux 5.5.
func (l *Listener) Continue(n *seccomp.Notification) error {
	return l.answer(uapi.SeccompNotifResp{Id: n.ID, Flags: uapi.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
}

// Valid reports, by a nil error, that a call waits to be answered: so Thread is the
// one that has called, and what was opened by its number before is its. The error is
// ErrNotWaiting if it does not. SECCOMP_IOCTL_NOTIF_ID_VALID, Linux 5.9.
func (l *Listener) Valid(n *seccomp.Notification) error {
	id := n.ID
	_, err := l.control("SECCOMP_IOCTL_NOTIF_ID_VALID", uapi.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id))
	return err
}

// AddFile gives the process that calls a copy of a file of this program, which
// keeps its own, and returns the number of the descriptor there: number, in place of
// what is there, or with -1 the lowest that is free. It is for a call that is then to
// be answered with Return. With closeOnExec it goes when the process executes another
// program. The error is EMFILE if the process may have no more, ErrNotWaiting if
// nobody waits, also when the process is killed meanwhile.
//
// AddFile takes a thread until the process has the file, which takes long if it is
// stopped. SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9.
func (l *Listener) AddFile(n *seccomp.Notification, f *os.File, number int, closeOnExec bool) (int, error) {
	add := uapi.SeccompNotifAddfd{Id: n.ID}
	if number >= 0 {
		add.Flags, add.Newfd = uapi.SECCOMP_ADDFD_FLAG_SETFD, uint32(number)
	}
	return l.addFile(add, f, closeOnExec, "Listener.AddFile", "5.9")
}

// ReturnFile gives the process that calls a copy of a file, as AddFile, and in the
// same moment answers the call, which returns the number: no process is killed in
// between and keeps a file that nobody knows of.
// SECCOMP_ADDFD_FLAG_SEND, Linux 5.14.
func (l *Listener) ReturnFile(n *seccomp.Notification, f *os.File, closeOnExec bool) (int, error) {
	add := uapi.SeccompNotifAddfd{Id: n.ID, Flags: uapi.SECCOMP_ADDFD_FLAG_SEND}
	return l.addFile(add, f, closeOnExec, "Listener.ReturnFile", "5.14")
}

func (l *Listener) addFile(add uapi.SeccompNotifAddfd, f *os.File, closeOnExec bool, feature, release string) (int, error) {
	if closeOnExec {
		add.NewfdFlags = unix.O_CLOEXEC
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	number := -1
	if e := conn.Control(func(fd uintptr) {
		add.Srcfd = uint32(fd)
		number, err = l.control("SECCOMP_IOCTL_NOTIF_ADDFD", uapi.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&add))
	}); e != nil {
		return -1, os.ErrClosed
	}
	switch errnoOf(err) {
	case unix.EINVAL, unix.ENOTTY:
		return -1, &UnsupportedError{Feature: feature, Release: release, Err: errnoOf(err)}
	case unix.ESRCH:
		return -1, fmt.Errorf("%w: %w", ErrNotWaiting, err)
	}
	return number, err
}

// Sync says that this program and the child are to run in turn: the kernel then
// wakes who waits on the same CPU, and an answer takes less than half the time, when
// both do nothing else. SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6.
func (l *Listener) Sync(on bool) error {
	flags := uintptr(0)
	if on {
		flags = uapi.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
	}
	conn, err := l.file.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	if conn.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, uapi.SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags)
	}) != nil {
		return os.ErrClosed
	}
	switch errno {
	case 0:
		return nil
	case unix.EINVAL, unix.ENOTTY:
		return &UnsupportedError{Feature: "Listener.Sync", Release: "6.6", Err: errno}
	}
	return os.NewSyscallError("ioctl(SECCOMP_IOCTL_NOTIF_SET_FLAGS)", errno)
}
