//go:build linux

package linux

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// errKilled is why a child is gone of which no step has failed.
var errKilled = errors.New("the child was killed")

// Clone3 creates a child process that executes a program. It returns when the
// child has executed it; if that fails, or a step before, the error says which
// step, and no process is left.
//
// The caller waits for the returned Process, or closes it. Clone3 can be called
// concurrently.
//
// A flag the kernel does not know is an [UnsupportedError], and no process is
// created. Where there is no clone3(2), because the kernel is older than Linux
// 5.3, or denied by a seccomp filter, as container engines do, clone(2) is used,
// if it can do what the Child asks for.
func Clone3(c *Child) (*Process, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p, err := spawn(c, false)
	if e, ok := err.(cloneError); ok {
		reason := withoutClone3(syscall.Errno(e))
		if reason == "" {
			return nil, explain(c, syscall.Errno(e))
		}
		if err := checkLegacy(c, reason, syscall.Errno(e)); err != nil {
			return nil, err
		}
		if p, err = spawn(c, true); err != nil {
			if e, ok := err.(cloneError); ok {
				return nil, os.NewSyscallError("clone", syscall.Errno(e))
			}
		}
	}
	return p, err
}

// A cloneError is the answer to the call that was to create the process.
type cloneError syscall.Errno

func (e cloneError) Error() string { return syscall.Errno(e).Error() }

// spawn creates a process, by clone(2) if legacy, and waits until it has
// executed its program.
func spawn(c *Child, legacy bool) (*Process, error) {
	p, err := newPlan(c, legacy)
	if err != nil {
		return nil, err
	}
	defer p.free()
	if changesCredentials(c) {
		holdDumpable()
		defer releaseDumpable()
	}

	pid, err := p.clone(c)
	if err != nil {
		return nil, err
	}
	proc := &Process{pid: pid, fd: int(*p.pidfd), flags: c.Flags, traced: c.Ptrace, zombie: c.LeaveZombie}
	if p.gate[0] >= 0 {
		if err = p.openGate(c, pid); err != nil {
			p.closeGate()
		}
	}
	p.awaitExec()
	runtime.KeepAlive(c) // and its files, until the child has them
	if err == nil {
		err = p.outcome()
	}
	if err == nil {
		err = proc.adopt()
	}
	if err != nil {
		return nil, proc.bury(err)
	}
	return proc, nil
}

// clone creates the process.
//
// The kernel copies the table of descriptors there and then. A descriptor that
// another goroutine has just opened and not yet marked close-on-exec must not
// be among them, which is what [syscall.ForkLock] is for. A child with
// CloseFiles marks all descriptors itself.
func (p *plan) clone(c *Child) (int, error) {
	if !c.CloseFiles {
		syscall.ForkLock.Lock()
		defer syscall.ForkLock.Unlock()
	}
	pid, errno := p.run()
	if errno != 0 {
		return 0, cloneError(errno)
	}
	return pid, nil
}

// closeGate lets a waiting child read the end of the pipe, and exit.
func (p *plan) closeGate() {
	for i, fd := range p.gate {
		if fd >= 0 {
			syscall.Close(fd)
			p.gate[i] = -1
		}
	}
}

// awaitExec waits until the child no longer uses the memory of this program:
// because it has executed its program, or because it is gone. The kernel then
// zeroes tid and wakes who waits there (CLONE_CHILD_CLEARTID). The thread waits
// in the kernel, but another one runs goroutines meanwhile.
func (p *plan) awaitExec() {
	const futexWait = 0 // FUTEX_WAIT, not private
	for atomic.LoadInt32(p.tid) != 0 {
		syscall.Syscall6(uapi.SYS_FUTEX, uintptr(unsafe.Pointer(p.tid)), futexWait, 1, 0, 0, 0)
	}
	runtime.KeepAlive(p)
}

// withoutClone3 returns why there is no clone3(2), or "" if there is: then errno
// was an answer to the flags.
func withoutClone3(errno syscall.Errno) string {
	switch errno {
	case syscall.ENOSYS:
		return "the kernel is older than Linux 5.3, or a seccomp filter hides clone3"
	case syscall.EPERM:
		if callClone3(nil, 0) == syscall.EPERM {
			return "a seccomp filter denies clone3"
		}
	case syscall.EINVAL:
		// Linux 5.3 and 5.4 have clone3, but not what Clone3 always asks for.
		if errors.Is(probe(uapi.CLONE_CLEAR_SIGHAND), errors.ErrUnsupported) {
			return "clone3 of this kernel lacks CLONE_CLEAR_SIGHAND"
		}
	}
	return ""
}

// explain returns an error for what clone3 has answered.
func explain(c *Child, errno syscall.Errno) error {
	switch {
	case errno == syscall.EINVAL:
		if err := Probe(c.flags()); errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		if len(c.SetTID) > 0 {
			return &pidfdError{"clone3", "SetTID: more numbers than PID namespaces, or a number out of range", errno}
		}
	case errno == syscall.EPERM && c.Flags.has(AutoKill) && !c.Flags.has(NoNewPrivs):
		return &pidfdError{"clone3", "AutoKill without NoNewPrivs needs CAP_SYS_ADMIN", errno}
	case errno == syscall.EPERM && len(c.SetTID) > 0:
		return &pidfdError{"clone3", "SetTID needs CAP_CHECKPOINT_RESTORE", errno}
	case errno == syscall.EPERM && c.Flags&namespaces&^NewUser != 0 && !c.Flags.has(NewUser):
		return &pidfdError{"clone3", (c.Flags & namespaces).String() + " without NewUser needs CAP_SYS_ADMIN", errno}
	case errno == syscall.EPERM && c.Flags.has(EmptyMount) && !c.Flags.has(NewUser):
		return &pidfdError{"clone3", "EmptyMount without NewUser needs CAP_SYS_ADMIN", errno}
	case c.Cgroup != nil && errno == syscall.EBADF:
		return &pidfdError{"clone3", "Cgroup " + c.Cgroup.Name() + " is not a directory of a cgroup2 file system", errno}
	case errno == syscall.EEXIST:
		return &pidfdError{"clone3", "SetTID: the process ID is in use", errno}
	}
	return os.NewSyscallError("clone3", errno)
}

// callClone3 makes the bare system call, with arguments that create no process.
func callClone3(a *uapi.CloneArgs, size uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(uapi.SYS_CLONE3, uintptr(unsafe.Pointer(a)), size, 0)
	return errno
}
