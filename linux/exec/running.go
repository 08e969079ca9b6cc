//go:build linux && !clone3_osexec

package exec

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-clone3/clone3/linux"
)

// An engine is what a Cmd has on Linux to start its process and hold it.
type engine struct {
	started int32            // 1 once Start was called; no atomic type: a Cmd may be copied
	failed  *linux.StepError // why Start has failed, if by a step
	running *running         // once Start has succeeded
	pipes   pipes
	stack   []byte // who has made it, see debug.go
}

// A running is a command that was started.
//
// A process is held by one descriptor, that of Cmd.Process, which package os
// closes as soon as somebody has waited for the process. Only where this cannot
// be, proc is kept: with AutoKill, as the process ends with its descriptor; and
// where package os has none, or the kernel reaps all children as SIGCHLD is
// ignored.
type running struct {
	proc     *linux.Process // as Clone3 has made it; closed if it is not kept
	kept     bool
	autoReap bool
	copying  *copying // or nil if there is nothing to copy

	mu   sync.Mutex
	lent *linux.Process // what Handle has lent, or nil

	// ended is closed when the process has ended, which ending tells then. It
	// is nil if nobody waits for that but Wait.
	ended  chan struct{}
	ending ending

	waiting atomic.Bool   // Wait was called
	waited  chan struct{} // closed when it has returned

	// Of the context. One of the channels tells what has come of its end:
	// handOver only to a Wait that is ready to go on with it.
	handOver, final chan verdict
	forget          func() bool
}

// An ending is how a process has ended, or why that is not known.
type ending struct {
	status linux.ExitStatus
	err    error
}

// hold makes c.Process of a process that was created, and what else is to be
// known of it.
func (c *Cmd) hold(proc *linux.Process, child *linux.Child) (*running, error) {
	r := &running{proc: proc, autoReap: !child.LeaveZombie, waited: make(chan struct{})}
	var p *os.Process
	err := withDescriptors(func() (err error) {
		p, err = osProcess(proc, r.autoReap)
		return err
	})
	if err != nil && r.autoReap { // the ID may soon be that of another process
		proc.Kill()
		proc.Wait(context.Background())
		proc.Close()
		return nil, err
	}
	r.kept = has(child.Flags, linux.AutoKill) || proc.Emulated() != 0 || child.KillTree || signal.Ignored(syscall.SIGCHLD) || !hasHandle(p)
	if !r.kept {
		proc.Close()
	}
	c.Process = p
	if r.autoReap && c.ctx != nil && c.ctx.Done() != nil {
		// The context may live on and refer to the command, and Wait may never
		// be called.
		r.ended = make(chan struct{})
		go r.attend(p)
	}
	return r, nil
}

// attend waits for the end of the process, and closes its descriptor.
func (r *running) attend(p *os.Process) {
	r.ending.status, r.ending.err = r.await(context.Background(), p)
	finish(p)
	close(r.ended)
}

// await waits until the process has ended. It does not reap.
func (r *running) await(ctx context.Context, p *os.Process) (linux.ExitStatus, error) {
	if r.kept {
		return r.proc.Wait(ctx)
	}
	return linux.WaitProcess(ctx, p)
}

// wait waits until the process has ended, reaps it, and returns how it has ended.
// For that there is only Process.Wait, which also makes Process know that it is
// done. It has to block no thread: the process has ended by then.
func (r *running) wait(p *os.Process) (*os.ProcessState, error) {
	defer r.close()
	e := ending{}
	if r.ended != nil {
		<-r.ended
		e = r.ending
	} else {
		e.status, e.err = r.await(context.Background(), p)
	}
	if r.autoReap {
		finish(p)
	} else {
		state, err := p.Wait()
		if !errors.Is(err, syscall.ECHILD) || errors.Is(e.err, os.ErrProcessDone) {
			return state, err
		}
		// Somebody else has reaped it, but the status may be known.
	}
	if e.err != nil {
		return nil, e.err
	}
	return processState(r.proc.Pid(), e.status, r.proc.Rusage())
}

// close closes all descriptors but that of Cmd.Process.
func (r *running) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proc.Close()
	if r.lent != nil {
		r.lent.Close()
	}
}

// handle returns the process as package linux holds it.
func (r *running) handle(p *os.Process) *linux.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lent == nil && !r.kept {
		withDescriptors(func() (err error) {
			r.lent, err = linux.HoldProcess(p)
			return err
		})
	}
	if r.lent == nil {
		return r.proc
	}
	return r.lent
}

// duplicate returns a descriptor of the caller's own, -1 if there can be none.
func (r *running) duplicate(p *os.Process) int {
	dup, err := -1, error(nil)
	use := func(fd int) {
		if dup, err = duplicateFD(fd); err != nil {
			dup = -1
		}
	}
	r.withPidFD(p, use)
	return dup
}

// withPidFD calls a function with the descriptor of the process, if it has one.
func (r *running) withPidFD(p *os.Process, use func(fd int)) {
	if r.kept {
		r.proc.PidFD().WithFD(use)
	} else {
		p.WithHandle(func(handle uintptr) { use(int(handle)) })
	}
}

// Handle returns the process as package linux holds it, once the command is
// started, or nil before. It is lent: [Cmd.Wait] closes it. A caller that does
// not call Wait is to close it instead. Without AutoKill it has a descriptor of
// its own, which is opened by the first call of Handle; it is a closed Process if
// there is none left, and when the command was waited for.
//
// To wait for the process with a context, to stop it, and with AutoKill to close
// it, is fine. The zombie it may leave is reaped by Cmd.Wait.
func (c *Cmd) Handle() *linux.Process {
	if c.running == nil {
		return nil
	}
	return c.running.handle(c.Process)
}
