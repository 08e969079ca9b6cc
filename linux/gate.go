//go:build linux

package linux

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A gate is where a child waits, as one of its first steps, until this program
// has done for it what it cannot do itself. It is a pair of connected sockets:
// the child writes a byte to say that it has come, and reads one to go on. If
// this program ends before, the child reads the end, and exits.
type gate struct {
	here, there int  // the sockets of this program, and of the child
	added       bool // the steps of the child are

	done     chan struct{} // closed when attend has returned
	err      error         // of attend
	panicked any           // what Created has panicked with
}

// openGate makes a gate, if the child needs one.
func (p *plan) openGate(c *Child) error {
	if !p.waitsEarly(c) && !c.Listen {
		return nil
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socketpair", err)
	}
	p.gate = &gate{here: fds[0], there: fds[1], done: make(chan struct{})}
	if c.Listen {
		if err := p.keepGate(); err != nil {
			return err
		}
	}
	p.need(p.gate.there)
	return nil
}

// waitsEarly reports whether the child waits before it does anything else, and not
// only at its end, to hand over a listener.
func (p *plan) waitsEarly(c *Child) bool {
	return c.Created != nil || mappedByParent(c) || p.how.listFiles && !c.InheritFiles
}

// waitAtGate lets the child wait.
func (p *plan) waitAtGate(c *Child) error {
	g := p.gate
	if g == nil || g.added {
		return nil
	}
	g.added = true
	if c.InheritFiles || p.how.listFiles { // or it would not read the end
		p.Try(label(StepGate, "close the gate"), uapi.SYS_CLOSE, uintptr(g.here))
	}
	if !p.waitsEarly(c) {
		return nil
	}
	b := p.Raw(1)
	p.Demand(1, label(StepGate, "come to the gate"), uapi.SYS_WRITE, uintptr(g.there), table.Address(&b[0]), 1)
	p.Demand(1, label(StepGate, "wait at the gate"), uapi.SYS_READ, uintptr(g.there), table.Address(&b[0]), 1)
	return nil
}

// attend waits for the child to come to the gate, does what it waits for, and
// lets it go on. If that fails the child is killed.
func (p *plan) attend(c *Child, f *flight) {
	g := p.gate
	defer close(g.done)
	if p.waitsEarly(c) && !p.attendEarly(c, f) || p.listener == nil {
		return
	}
	if g.err = p.listener.take(p, f); g.err != nil {
		g.turnAway(f)
	}
}

// attendEarly does so for a child that waits at the gate early, and reports whether
// it goes on.
func (p *plan) attendEarly(c *Child, f *flight) (on bool) {
	g := p.gate
	came, err := g.read()
	if err != nil { // else the child would wait for ever
		g.err = gateFailed("wait for the child at the gate", err)
		g.turnAway(f)
	}
	if !came {
		return false // the child is gone, and its table tells why
	}
	g.err = &StepError{Kind: StepCreated, Step: "Child.Created", Err: errors.New("the function has not returned")}
	defer func() {
		if g.panicked = recover(); g.panicked != nil || g.err != nil {
			g.turnAway(f)
		}
	}()
	if g.err = p.serve(c, f); g.err == nil {
		g.err = g.open()
	}
	return g.err == nil
}

// open lets the child go on, unless it has just been killed.
func (g *gate) open() error {
	var err error
	for range interruptions {
		if _, err = unix.SendmsgN(g.here, []byte{0}, nil, nil, unix.MSG_NOSIGNAL); err != unix.EINTR {
			break
		}
	}
	switch err {
	case nil, unix.EPIPE, unix.ECONNRESET:
		return nil
	}
	return gateFailed("let the child go on", err)
}

func gateFailed(step string, err error) error {
	return &StepError{Kind: StepGate, Step: step, Errno: errnoOf(err), Err: err}
}

// serve does what the child at the gate waits for.
func (p *plan) serve(c *Child, f *flight) error {
	proc, err := p.atGate(c, f)
	if err != nil {
		return err
	}
	if len(p.spare) > 0 {
		open, err := openIn(proc)
		if err != nil {
			return &StepError{Kind: StepFiles, Step: "list the descriptors of the child", Errno: errnoOf(err), Err: err}
		}
		if err := p.closeListed(open); err != nil {
			return err
		}
	}
	if mappedByParent(c) {
		if err := writeMaps(c, proc); err != nil {
			return err
		}
	}
	if c.Created == nil {
		return nil
	}
	if err := c.Created(proc); err != nil {
		return &StepError{Kind: StepCreated, Step: "Child.Created", Errno: errnoOf(err), Err: err}
	}
	return nil
}

// atGate returns the Process of a child at the gate.
func (p *plan) atGate(c *Child, f *flight) (*Process, error) {
	pid := int(*p.born)
	if p.how.legacy { // it is the number that the child has in its own namespace
		var err error
		if pid, err = newPidFD(int(*p.pidfd)).Pid(); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.proc = newProcess(c, pid, int(*p.pidfd))
	f.proc.inFlight = true
	return f.proc, nil
}

// read waits for the child, and reports whether it has come. It has not, and
// will not, if it is gone.
func (g *gate) read() (came bool, err error) {
	var b [1]byte
	for range interruptions {
		var n int
		if n, err = unix.Read(g.here, b[:]); err != unix.EINTR {
			return n == 1, err
		}
	}
	return false, err
}

// turnAway ends the child. One that cannot be killed reads the end, and exits.
func (g *gate) turnAway(f *flight) {
	f.tryKill()
	unix.Shutdown(g.here, unix.SHUT_RDWR)
	f.kill()
}

// leave lets attend return, once the child has landed, and returns its error.
func (g *gate) leave() error {
	if unix.Shutdown(g.here, unix.SHUT_RDWR) != nil {
		// As the child has no copy any more, this does as well: but it may
		// take as long as another child in flight has one.
		syscall.Close(g.there)
		g.there = -1
	}
	<-g.done
	return g.err
}

func (g *gate) close() {
	syscall.Close(g.here)
	syscall.Close(g.there)
}

// procDir returns the directory of a process in /proc, which may be that of
// another PID namespace and have other numbers. The process must not be reaped
// as long as the directory is used.
func procDir(proc *Process) (string, error) {
	info, err := fdInfo(proc.fd)
	if err != nil {
		return "", fmt.Errorf("linux: /proc is needed to find the child there: %w", err)
	}
	if info.Pid <= 0 {
		return "", errors.New("linux: /proc does not show the child: it is that of another PID namespace")
	}
	return "/proc/" + strconv.Itoa(info.Pid) + "/", nil
}

// openIn lists the descriptors that are open in a child at the gate.
func openIn(proc *Process) ([]int, error) {
	dir, err := procDir(proc)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir + "fd")
	if err != nil {
		return nil, err
	}
	var open []int
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			open = append(open, fd)
		}
	}
	return open, nil
}
