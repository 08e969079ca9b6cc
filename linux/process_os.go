//go:build linux

package linux

import (
	"context"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// WaitProcess waits until a child that package os holds has ended, and returns
// how. A goroutine waits, not a thread, and no descriptor is opened for it: the
// one that p has is lent, and p can be used, waited for and released meanwhile.
//
// WaitProcess does not reap, as against p.Wait, which can be called afterwards
// and returns at once. If ctx ends first WaitProcess returns its error. Where p
// has no handle the error is os.ErrNoHandle, and os.ErrProcessDone if p has
// already been waited for. A process that is not a child is an error; see
// [OpenProcess] for these.
// pidfd_open(2), waitid(2) with P_PIDFD and WNOWAIT, Linux 5.4.
func WaitProcess(ctx context.Context, p *os.Process) (status ExitStatus, err error) {
	if e := p.WithHandle(func(handle uintptr) { status, err = waitBorrowed(ctx, int(handle)) }); e != nil {
		return 0, e
	}
	return status, err
}

// HoldProcess returns a Process for a child that package os holds. It has a
// descriptor of its own, a duplicate, and is to be closed; its Wait does not
// reap, see Child.LeaveZombie, which is left to p. Without a handle the error is
// os.ErrNoHandle, and os.ErrProcessDone if p has already been waited for.
// fcntl(2) with F_DUPFD_CLOEXEC, Linux 5.4.
func HoldProcess(p *os.Process) (*Process, error) {
	fd, err := -1, error(nil)
	if e := p.WithHandle(func(handle uintptr) {
		fd, err = unix.FcntlInt(handle, unix.F_DUPFD_CLOEXEC, 0)
	}); e != nil {
		return nil, e
	}
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	q := &Process{pid: p.Pid, fd: fd, zombie: true}
	q.dropped = runtime.AddCleanup(q, remains.close, remains{q.pid, fd, 0, true})
	return q, nil
}

// borrowed are the descriptors by which somebody waits in waitBorrowed. To the
// watcher a descriptor has one owner.
var borrowed = struct {
	sync.Mutex
	fds map[int]struct{}
}{fds: make(map[int]struct{})}

// borrow reports whether nobody waits by a descriptor. It notes that somebody
// does.
func borrow(fd int) bool {
	borrowed.Lock()
	defer borrowed.Unlock()
	if _, taken := borrowed.fds[fd]; taken {
		return false
	}
	borrowed.fds[fd] = struct{}{}
	return true
}

func giveBack(fd int) {
	borrowed.Lock()
	defer borrowed.Unlock()
	delete(borrowed.fds, fd)
}

// waitBorrowed waits by a descriptor that stays open meanwhile, and is not to be
// closed.
func waitBorrowed(ctx context.Context, fd int) (ExitStatus, error) {
	if borrow(fd) {
		defer giveBack(fd)
	} else {
		f, err := dupPidFD(fd)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		fd = f.fd
	}
	var info childInfo
	switch errno := waitid(fd, &info, unix.WNOHANG|unix.WNOWAIT, nil); {
	case errno == 0 && info.pid() != 0:
		return info.status(), nil // it has ended already
	case errno == unix.ECHILD && !ended(fd):
		return 0, &pidfdError{"waitid", "the process is not a child of this program", errno}
	}
	p := &Process{fd: fd, zombie: true, borrowed: true}
	status, err := p.Wait(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ticket != 0 { // it has not ended, and may be waited for again
		watched.leave(p.ticket, fd)
		p.ticket = 0
	}
	return status, err
}
