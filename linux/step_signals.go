//go:build linux

package linux

import (
	"os"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// findParent ends a child that comes to run when its parent is gone: it may have
// been created in a control group that is frozen.
func (p *plan) findParent(c *Child) error {
	if c.Cgroup != nil {
		p.lookForParent(c)
	}
	return nil
}

// deathWish asks for a signal when the parent's thread ends. If the parent has
// ended before, the child does not start: nobody is left to send the signal.
func (p *plan) deathWish(c *Child) error {
	if c.Pdeathsig == 0 {
		return nil
	}
	p.Call(labelN(StepDeathSignal, "set the parent death signal to %d", int(c.Pdeathsig)),
		uapi.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(c.Pdeathsig))
	p.lookForParent(c)
	return nil
}

// lookForParent ends a child whose parent is gone. Where the parent has no number
// that the child could see, it has a descriptor of it.
func (p *plan) lookForParent(c *Child) {
	l := label(StepParent, "look for the parent")
	switch p.parent {
	case byNumber:
		p.Demand(uintptr(os.Getpid()), l, uapi.SYS_GETPPID)
		return
	case unseen:
		return
	}
	poll := table.In[unix.PollFd](&p.Table)
	*poll = unix.PollFd{Fd: int32(p.parent), Events: unix.POLLIN}
	p.Demand(0, l, unix.SYS_PPOLL, table.Address(poll), 1, table.Address(table.In[unix.Timespec](&p.Table)), 0, 0)
}

// How a child finds out whether its parent is gone, if not by a descriptor.
const (
	byNumber = -1
	unseen   = -2 // it cannot
)

// openParent opens this program for a child that is to look for it, and sees no
// number of it. Kernels before 5.3 cannot, nor may sandboxes.
func (p *plan) openParent(c *Child) error {
	if c.Cgroup == nil && c.Pdeathsig == 0 || !c.Flags.has(NewPID) && createsInOwnPIDNamespace() {
		return nil
	}
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	switch err {
	case nil:
		p.parent = fd
		p.need(fd)
	case unix.ENOSYS, unix.EPERM:
		p.parent = unseen
	default:
		return os.NewSyscallError("pidfd_open", err)
	}
	return nil
}

// createsInOwnPIDNamespace reports whether children that the thread creates are
// in the PID namespace of this program. After unshare or setns they are not.
func createsInOwnPIDNamespace() bool {
	var own, children unix.Stat_t
	return unix.Stat("/proc/self/ns/pid", &own) == nil &&
		unix.Stat("/proc/thread-self/ns/pid_for_children", &children) == nil &&
		own.Dev == children.Dev && own.Ino == children.Ino
}

// signals sets the signals that are blocked, and with ResetSignals those that
// are ignored, to what the program is to find.
func (p *plan) signals(c *Child) error {
	mask := p.mask
	if c.ResetSignals {
		mask = table.In[sigset](&p.Table)
		action := table.In[sigaction](&p.Table)
		for sig := range settable {
			p.Call(labelN(StepSignals, "reset signal %d", int(sig)),
				uapi.SYS_RT_SIGACTION, uintptr(sig), table.Address(action), 0, sigsetSize())
		}
	}
	p.Call(label(StepSignals, "set the signal mask"),
		uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(mask), 0, sigsetSize())
	return nil
}
