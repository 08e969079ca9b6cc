//go:build linux

package linux

import (
	"errors"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A handOver is how this program comes by the listener of a child's filter, which the
// kernel gives to the child. The child then waits at its gate until this program has
// it: so no program runs whose calls nobody could answer, be it that this program
// has no descriptor left.
//
// Whatever the child does now, its filter has to allow. It sends the listener by
// the socket of the gate, if it may; else this program takes it out of the child,
// which it may not always: see Child.Listen.
type handOver struct {
	install  int      // the call that makes it
	number   *uintptr // where the child has the number of its descriptor
	sends    bool
	size     int // of what the kernel tells of a call
	killable bool
	fd       int // this program's, or -1
}

// keepGate gives the child's end of the gate a number above those of the files, as it
// is used when these are in their places.
func (p *plan) keepGate() error {
	g := p.gate
	if g.there >= len(p.files) {
		return nil
	}
	fd, err := unix.FcntlInt(uintptr(g.there), unix.F_DUPFD_CLOEXEC, len(p.files))
	if err != nil {
		return os.NewSyscallError("fcntl(F_DUPFD_CLOEXEC)", err)
	}
	unix.Close(g.there)
	g.there = fd
	return nil
}

// expectListener prepares for a filter with a listener, and returns the flags that
// it needs.
func (p *plan) expectListener() (flags uintptr, err error) {
	var sizes uapi.SeccompNotifSizes
	_, _, errno := unix.RawSyscall(uapi.SYS_SECCOMP, uapi.SECCOMP_GET_NOTIF_SIZES, 0, uintptr(unsafe.Pointer(&sizes)))
	switch errno {
	case 0:
	case unix.EINVAL, unix.ENOSYS:
		return 0, &UnsupportedError{Feature: "Listen", Release: "5.0", Err: errno}
	default:
		return 0, os.NewSyscallError("seccomp(SECCOMP_GET_NOTIF_SIZES)", errno)
	}
	const listens = uapi.SECCOMP_FILTER_FLAG_NEW_LISTENER
	const killable = listens | uapi.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	p.listener = &handOver{fd: -1, size: int(sizes.SeccompNotif)}
	if knowsFilterFlags(killable) {
		p.listener.killable = true
		return killable, nil
	}
	return listens, nil
}

// knowsFilterFlags reports whether the kernel knows flags of a filter: it looks at
// them before it finds that there is none.
func knowsFilterFlags(flags uintptr) bool {
	_, _, errno := unix.RawSyscall(uapi.SYS_SECCOMP, uapi.SECCOMP_SET_MODE_FILTER, flags, 0)
	return errno == unix.EFAULT
}

// handOver gives the listener to this program.
func (p *plan) handOver(c *Child) error {
	h := p.listener
	if h == nil {
		return nil
	}
	b := p.Raw(1)
	b[0] = 0
	there, one := uintptr(p.gate.there), table.Address(&b[0])
	send := []uintptr{there, 0, unix.MSG_NOSIGNAL}
	h.number = &p.Words(1)[0]
	if message, number := p.message(one); message != nil {
		send[1] = table.Address(&message[0])
		if allows(c.Seccomp, uapi.SYS_SENDMSG, send...) {
			h.sends, h.number = true, number
		}
	}
	*h.number = program.Pending
	p.Store(h.install, h.number)
	if h.sends {
		p.Demand(1, label(StepListener, "hand over the listener"), uapi.SYS_SENDMSG, send...)
	}
	read := []uintptr{there, one, 1}
	if !allows(c.Seccomp, uapi.SYS_READ, read...) {
		return invalid("Seccomp answers %v to read, by which the child waits until this program has the listener",
			decision(c.Seccomp, uapi.SYS_READ, read...))
	}
	p.Demand(1, label(StepListener, "wait until the listener is taken"), uapi.SYS_READ, read...)
	return nil
}

// message returns a struct msghdr, as words, with one byte and room for the number
// of a descriptor. A result is a whole word, of which the number is the first half
// on most machines: not on big-endian ones of 64 bits.
func (p *plan) message(one uintptr) (header []uintptr, number *uintptr) {
	const word = int(unsafe.Sizeof(uintptr(0)))
	var control []uintptr
	switch {
	case word == 4:
		control = p.Words(4)
		control[0], control[1], control[2] = 16, unix.SOL_SOCKET, unix.SCM_RIGHTS
	case storesNumbers:
		control = p.Words(3)
		control[0], control[1] = 20, unix.SOL_SOCKET|unix.SCM_RIGHTS<<(word*8/2)
	default:
		return nil, nil
	}
	iov := p.Words(2)
	iov[0], iov[1] = one, 1
	header = p.Words(7)
	header[2], header[3] = table.Address(&iov[0]), 1
	header[4], header[5] = table.Address(&control[0]), uintptr(len(control)*word)
	return header, &control[len(control)-1]
}

// decision is what a filter answers to a call.
func decision(f *seccomp.Program, nr uintptr, args ...uintptr) seccomp.Action {
	return f.Decide(nr, widened(args))
}

// widened returns arguments as a filter sees them.
func widened(args []uintptr) (wide [6]uint64) {
	for i, a := range args {
		wide[i] = uint64(a)
	}
	return wide
}

// allows reports whether a filter lets a call be made.
func allows(f *seccomp.Program, nr uintptr, args ...uintptr) bool {
	action := decision(f, nr, args...)
	return action == seccomp.Allow || action == seccomp.Log
}

// take takes the listener from the child that waits at the gate, and lets it go on.
// It returns no error if the child is gone.
func (h *handOver) take(p *plan, f *flight) error {
	var err error
	if h.sends {
		h.fd, err = p.gate.receiveFile()
	} else if number, there := h.await(f); there {
		if h.fd, err = unix.PidfdGetfd(int(*p.pidfd), number, 0); err != nil {
			h.fd = -1
			if f.isDone() {
				return nil
			}
			if err == unix.EPERM {
				err = &reasonError{"this program may not look into the child (it needs CAP_SYS_PTRACE, or a filter hides pidfd_getfd), and Seccomp does not let the child send it", unix.EPERM}
			}
		}
	}
	if err != nil {
		return &StepError{Kind: StepListener, Step: "take the listener", Errno: errnoOf(err), Err: err}
	}
	if h.fd < 0 {
		return nil
	}
	return p.gate.open()
}

// await waits until the child has a listener, and returns its number there.
func (h *handOver) await(f *flight) (number int, there bool) {
	f.poll(func() bool {
		n := atomic.LoadUintptr(h.number)
		there = n <= program.AnyValue
		number = int(n)
		return there || n != program.Pending || f.isDone()
	})
	return number, there
}

// receiveFile receives a descriptor, or -1 if the child is gone.
func (g *gate) receiveFile() (int, error) {
	var b [1]byte
	oob := make([]byte, unix.CmsgSpace(4))
	for range interruptions {
		n, oobn, flags, _, err := unix.Recvmsg(g.here, b[:], oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return -1, err
		case n == 0:
			return -1, nil
		case oobn == 0 || flags&unix.MSG_CTRUNC != 0:
			// The kernel does not say why: mostly there is no descriptor left.
			fd, err := unix.FcntlInt(uintptr(g.here), unix.F_DUPFD_CLOEXEC, 0)
			if err == nil {
				unix.Close(fd)
				err = errors.New("the message of the child has no descriptor")
			}
			return -1, err
		}
		messages, err := unix.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			return -1, err
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil {
			return -1, err
		}
		return fds[0], nil
	}
	return -1, unix.EINTR
}

// close closes a listener that nobody gets.
func (h *handOver) close() {
	if h.fd >= 0 {
		unix.Close(h.fd)
		h.fd = -1
	}
}
