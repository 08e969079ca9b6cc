//go:build linux

package linux

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Process is a child of this program, held by a descriptor: a pidfd. Unlike a
// process ID it never comes to mean another process.
//
// A Process is to be waited for with Wait, or closed. Until then it uses a
// descriptor, and when it has ended, without AutoReap, an entry in the table of
// processes. One that has become garbage is closed, unless that would kill it
// (AutoKill). All methods can be called concurrently.
type Process struct {
	pid    int
	flags  Flags   // what the kernel does
	nearly Flags   // what this package does, as Child.Emulate says
	tree   Tree    // how its descendants end
	group  *Cgroup // of the tree, or nil
	guard  *guard  // of the group, or nil
	traced bool    // somebody in this program waits for its stops, and may for its end
	zombie bool    // somebody else reaps it

	listener   *Listener // of Child.Listen, which Close closes; as unenforced
	unenforced []string  // of Child.Landlock; set before anybody but Created has the Process

	mu     sync.Mutex
	fd     int    // the pidfd, or -1
	handle *PidFD // fd as lent by PidFD: it stays open until Close
	closed bool   // Close was called
	dying  bool   // Close has killed it, and fd is kept until it has ended

	borrowed bool // fd is somebody else's, who closes it

	inFlight bool          // Created has it
	closing  bool          // Close was called while it was in flight
	ended    bool          // status, rusage and err are final
	ticket   uint64        // with the watcher, or 0
	soon     *time.Timer   // will get one, or nil
	done     chan struct{} // if not nil, is closed when the process has ended or is closed
	status   ExitStatus
	err      error // why there is no status
	used     bool  // rusage is known
	rusage   syscall.Rusage

	gone chan struct{} // is closed when the group is, if the process has ended

	dropped runtime.Cleanup // closes a Process that is garbage
}

// newProcess returns a Process for a child that c describes.
func newProcess(c *Child, pid, fd int) *Process {
	return &Process{pid: pid, fd: fd, flags: c.Flags, nearly: c.nearly, tree: c.tree, group: c.group, guard: c.guard, traced: c.Ptrace, zombie: c.LeaveZombie}
}

// Pid returns the process ID. It is a number to print: unless the process is
// known to live, or to wait to be reaped, another one may have it.
func (p *Process) Pid() int { return p.pid }

// PidFD lends the pidfd of the process: it is closed by Close of the Process,
// and by nothing else. It is already closed if the process is, or if Wait has
// released the descriptor before it was asked for.
func (p *Process) PidFD() *PidFD {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handle == nil {
		p.handle = newPidFD(p.fd)
		p.handle.owner = p
		if p.closed || p.fd < 0 {
			p.handle.bar()
		}
	}
	return p.handle
}

// Signal sends a signal. It returns os.ErrProcessDone if the process has ended,
// and os.ErrClosed after Close. pidfd_send_signal(2).
func (p *Process) Signal(sig Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.traced && !p.closed {
		p.collect()
	}
	switch {
	case p.ended:
		return os.ErrProcessDone
	case p.closed:
		return os.ErrClosed
	}
	return pidfdFailure("pidfd_send_signal", unix.PidfdSendSignal(p.fd, sig, nil, 0))
}

// Kill kills the process: it sends SIGKILL. With [Child].KillTree it kills the
// descendants too.
func (p *Process) Kill() error {
	p.mu.Lock()
	group, search := p.group, p.tree == TreeBySearch && !p.inFlight
	p.mu.Unlock()
	if search {
		_, err := p.PidFD().KillTree(nil)
		return err
	}
	if group == nil {
		return p.Signal(syscall.SIGKILL)
	}
	alive := p.Signal(0)
	if err := group.Kill(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	err := p.Signal(syscall.SIGKILL) // it may have been moved to another group
	if alive == nil && errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop ends the process: it asks with sig, such as SIGTERM, and if the process
// has not ended when grace is over, kills it. It returns how the process ended.
//
// If ctx ends first, the process is killed at once, and unless it has ended by
// then, Stop returns the context's error without waiting any longer.
func (p *Process) Stop(ctx context.Context, sig Signal, grace time.Duration) (ExitStatus, error) {
	if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	patience, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	status, err := p.Wait(patience)
	if err == nil || patience.Err() == nil {
		return status, err
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	return p.Wait(ctx)
}

// Close gives up the process.
//
// With AutoKill it is killed, and Wait returns how it has ended; the descriptor
// is closed when it has. Only if the process may not be killed, because it has
// other credentials, the descriptor is closed at once, which kills it too.
//
// Without AutoKill it goes on, and when it ends it is reaped: by the kernel with
// AutoReap, by whoever wants to with LeaveZombie, else by this package. Waits in
// progress return os.ErrClosed. Close can be called again, and does nothing then.
func (p *Process) Close() error {
	if p.tree == TreeBySearch && p.diesWhenClosed() {
		p.Kill()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	if p.inFlight { // Created has called Close
		if p.closing = true; p.diesWhenClosed() {
			unix.PidfdSendSignal(p.fd, unix.SIGKILL, nil, 0)
		}
		return nil
	}
	p.closed = true
	if p.listener != nil {
		p.listener.Close()
	}
	if p.handle != nil {
		p.handle.bar()
	}
	if !p.ended {
		p.collect()
	}
	if !p.ended && p.diesWhenClosed() {
		if p.group != nil {
			p.group.Kill()
		}
		// To close the pidfd is enough, except while a process being
		// created by another goroutine still has a copy of it. And then
		// nobody can tell how the process has ended.
		switch unix.PidfdSendSignal(p.fd, unix.SIGKILL, nil, 0) {
		case nil, unix.ESRCH:
			p.dying = true
			p.watch() // fd is closed when the process has ended
			return nil
		}
	}
	switch {
	case p.ended, p.group == nil && (p.flags.has(AutoReap) || p.zombie):
	default:
		p.watch() // fd is closed when the process has ended
		p.dropped.Stop()
		p.leaveFront()
		p.wake()
		return nil
	}
	p.release()
	p.wake()
	return nil
}

// diesWhenClosed reports whether Close ends the process.
func (p *Process) diesWhenClosed() bool { return (p.flags | p.nearly).has(AutoKill) }

// Emulated returns those of the flags that this package emulates, because the
// kernel lacks them and [Child].Emulate allows it; zero if the kernel does all.
//
// AutoReap is emulated by reaping the child as soon as it has ended, also if
// nobody waits. It is weaker: a SIGCHLD is sent; a wait for any child in this
// program, wait4(-1), may take the status; there is a zombie for some time; and
// if this program ends first, whoever adopts the child has to reap it. There is
// an Rusage.
//
// AutoKill is emulated by PR_SET_PDEATHSIG(2const): the kernel kills the child
// when the thread that has created it ends. That is the calling thread, if it is
// the first of this program (as of the main function, when an init function has
// called runtime.LockOSThread), and else one of a few which this package keeps for
// that, until this program ends or executes another: there it takes nearly twice
// the time to create a child. Close kills too. It is weaker: the child can take it
// back, by prctl(2), and does so by changing its user or group, as a server that
// gives up root; and the pidfd alone, once copied to another process, keeps and
// kills nothing. It needs NoNewPrivs, as a program that gains privileges is not
// killed. Where such a thread of this package is to be the parent, Clone3 refuses if
// the thread that calls it differs in what a child inherits. The user and group
// IDs, capabilities, namespaces, root and working directory, no_new_privs,
// scheduling and CPUs are compared; seccomp filters, umask, I/O priority, memory
// policy and keyrings of a thread cannot be.
func (p *Process) Emulated() Flags { return p.nearly }

// Unenforced says in words what of [Child].Landlock the kernel cannot enforce, and so
// does not. It is nil unless the rules have BestEffort. Child.Created is not told.
func (p *Process) Unenforced() []string { return slices.Clone(p.unenforced) }

// release closes the descriptor.
func (p *Process) release() {
	p.leaveFront()
	p.unwatch()
	switch {
	case p.fd < 0:
		return
	case p.borrowed:
	case p.handle != nil: // which may be in use
		p.handle.bar()
		p.handle.done()
	default:
		p.closeFD(p.fd)
	}
	p.fd = -1
	p.dropped.Stop()
}

// closeFD closes the pidfd, which nobody uses any more.
func (p *Process) closeFD(fd int) {
	if p.flags.has(AutoKill) {
		lethal.close(fd)
		return
	}
	syscall.Close(fd)
}

// wake lets those who wait look again.
func (p *Process) wake() {
	if p.done != nil {
		close(p.done)
		p.done = nil
	}
	if p.handle != nil {
		p.handle.notify()
	}
}

// adopt takes on a process that has just executed its program.
//
// Whoever lets the last reference to a pidfd with AutoKill go kills the process.
// The watcher refers to the Process, so that the garbage collector does not.
func (p *Process) adopt() {
	p.mu.Lock()
	p.inFlight = false
	switch {
	case p.fd < 0, p.closing:
	case p.ended:
		p.endGroup()
		if p.handle == nil {
			p.release()
		}
	case p.flags.has(AutoKill):
		lethal.add(p.fd)
		p.watchSoon()
	case p.nearly != 0, p.group != nil:
		p.watchSoon() // to do what is to be done at the end, and not to become garbage
	default:
		p.dropped = runtime.AddCleanup(p, remains.close, remains{p.pid, p.fd, p.flags, p.zombie})
	}
	closing := p.closing
	p.mu.Unlock()
	if closing {
		p.Close()
	}
}

// remains are what is left of a Process that has become garbage.
type remains struct {
	pid, fd int
	flags   Flags
	zombie  bool
}

func (r remains) close() {
	p := &Process{pid: r.pid, fd: r.fd, flags: r.flags, zombie: r.zombie}
	p.Close()
}

// bury makes an end of a process that has not come to execute its program, or
// is not wanted any more, and returns why, given what is known of it.
func (p *Process) bury(why error) error {
	p.mu.Lock()
	if p.zombie && p.ended { // as Created has seen
		waitid(p.fd, new(childInfo), unix.WNOHANG, nil)
	}
	p.inFlight, p.zombie, p.group = false, false, nil // nobody else knows of it
	p.mu.Unlock()
	p.Signal(syscall.SIGKILL)
	status, err := p.Wait(context.Background())
	p.Close()
	if step, ok := why.(*StepError); ok && step.Err == errKilled && err == nil {
		step.Err = &killedError{status}
	}
	return why
}

// A killedError says which signal killed a child before its program.
type killedError struct{ status ExitStatus }

func (e *killedError) Error() string { return errKilled.Error() + ": " + e.status.String() }

func (e *killedError) Unwrap() error { return errKilled }
