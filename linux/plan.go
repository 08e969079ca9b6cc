//go:build linux

package linux

import (
	"fmt"
	"io/fs"
	"math"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A plan is a Child turned into a table of system calls, and the memory that
// these read and write. Plans are used again, see newPlan.
type plan struct {
	arena
	steps   []program.Step
	labels  []label // labels[i] says what steps[i] does
	forward []forward
	legacy  bool // clone(2) instead of clone3(2)

	mask  *sigset // the signals that are blocked in the thread that clones
	pidfd *int32  // the handle, once created
	tid   *int32  // 1 until the child has executed its program or is gone

	gate  [2]int // the child reads from gate[0] until its IDs are mapped
	files []int  // descriptors in this program that become 0, 1, ... or -1

	// What to execute if not a path: a descriptor, or the result of a step.
	exec, execStep int
}

// A label says in words what a step does.
type label struct {
	verb string // such as "chdir", or "setgid %d"
	path string // what it is done to, if that is a path
	n    int    // the number for verb

	// A step that older kernels refuse with ENOSYS or EINVAL, and for no other
	// reason, names what it is for and the first release that has it.
	feature, since string
}

// A forward passes the result of a step on to an argument of a later one.
type forward struct{ from, to, arg int }

// order lists what is done in the child, in this order. Where there is no
// other reason it is that of package syscall.
var order = []func(*plan, *Child) error{
	(*plan).resetHandlers, // first: a handler would run on the memory of the parent
	(*plan).keepCaps,      // before the IDs change
	(*plan).mapIDs,        // what follows may need the new IDs
	(*plan).session,
	(*plan).processGroup,
	(*plan).foreground, // before signals are unblocked: the kernel may send SIGTTOU
	(*plan).unshare,
	(*plan).chroot,
	(*plan).credential,
	(*plan).ambientCaps,
	(*plan).chdir,     // by the rights that the program will have
	(*plan).deathWish, // a change of credentials clears it
	(*plan).placeFiles,
	(*plan).terminal, // Ctty is a descriptor of the child
	(*plan).umask,
	(*plan).rlimits,    // after the files: they may have passed through higher numbers
	(*plan).closeFiles, // all descriptors have their places
	(*plan).trace,      // nothing before needs to be traced
	(*plan).signals,    // nothing before is to be interrupted
	(*plan).execute,
}

var plans = sync.Pool{New: func() any { return new(plan) }}

// newPlan compiles c. The plan is to be given back with free.
func newPlan(c *Child, legacy bool) (*plan, error) {
	p := plans.Get().(*plan)
	p.legacy = legacy
	p.gate = [2]int{-1, -1}
	p.exec, p.execStep = -1, 0
	if err := p.begin(c); err != nil {
		p.free()
		return nil, err
	}
	for _, add := range order {
		if err := add(p, c); err != nil {
			p.free()
			return nil, err
		}
	}
	p.link()
	return p, nil
}

// free closes what the plan has opened and gives back its memory.
func (p *plan) free() {
	p.closeGate()
	clear(p.labels) // they hold strings of the caller
	p.reset()
	p.steps, p.labels, p.forward, p.files = p.steps[:0], p.labels[:0], p.forward[:0], p.files[:0]
	p.mask, p.pidfd, p.tid = nil, nil, nil
	plans.Put(p)
}

// call adds a system call that must not fail, and returns its place.
func (p *plan) call(l label, nr uintptr, args ...uintptr) int {
	s := program.Step{Nr: nr, Result: program.Pending, Span: program.AnyValue}
	copy(s.Args[:], args)
	p.steps = append(p.steps, s)
	p.labels = append(p.labels, l)
	return len(p.steps) - 1
}

// try adds a system call that may fail, and returns its place.
func (p *plan) try(l label, nr uintptr, args ...uintptr) int {
	i := p.call(l, nr, args...)
	p.steps[i].Span = program.Anything
	return i
}

// demand adds a system call that must return want.
func (p *plan) demand(want uintptr, l label, nr uintptr, args ...uintptr) {
	i := p.call(l, nr, args...)
	p.steps[i].Low, p.steps[i].Span = want, 0
}

// pass makes the result of step from argument arg of step to.
func (p *plan) pass(from, to, arg int) {
	p.forward = append(p.forward, forward{from, to, arg})
}

// store lets the result of step from go to a word of the arena too.
func (p *plan) store(from int, to *uintptr) { p.steps[from].Dst = address(to) }

// link sets the addresses within the table, which from now on must not grow.
func (p *plan) link() {
	for i := range p.steps {
		if s := &p.steps[i]; s.Dst == 0 {
			s.Dst = address(&s.Result)
		}
	}
	for _, f := range p.forward {
		p.steps[f.from].Dst = address(&p.steps[f.to].Args[f.arg])
	}
}

// begin adds the calls of the parent.
func (p *plan) begin(c *Child) error {
	all := in[sigset](&p.arena)
	*all = sigset{math.MaxUint64, math.MaxUint64}
	p.mask = in[sigset](&p.arena)
	p.pidfd = in[int32](&p.arena)
	*p.pidfd = -1
	p.tid = in[int32](&p.arena)
	*p.tid = 1

	a := in[uapi.CloneArgs](&p.arena)
	a.Flags = uint64(c.flags()|implied) | uapi.CLONE_VM | uapi.CLONE_CHILD_CLEARTID
	a.Pidfd = uint64(address(p.pidfd))
	a.ChildTid = uint64(address(p.tid))
	a.ExitSignal = uint64(syscall.SIGCHLD)
	switch {
	case c.Flags.has(AutoReap):
		a.ExitSignal = 0
	case c.ExitSignal != 0:
		a.ExitSignal = uint64(c.ExitSignal)
	}
	if n := len(c.SetTID); n > 0 {
		a.SetTid, a.SetTidSize = uint64(numbers(&p.arena, c.SetTID)), uint64(n)
	}
	if c.Cgroup != nil {
		fd, err := descriptor("Cgroup", c.Cgroup)
		if err != nil {
			return err
		}
		a.Cgroup = uint64(fd)
	}

	p.call(label{}, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, address(all), address(p.mask), sigsetSize())
	if p.legacy {
		p.call(label{}, uapi.SYS_CLONE, legacyArgs(a)...)
	} else {
		p.call(label{}, uapi.SYS_CLONE3, address(a), unsafe.Sizeof(*a))
	}
	p.call(label{}, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, address(p.mask), 0, sigsetSize())
	return nil
}

// run creates the child and returns its number.
func (p *plan) run() (pid int, errno syscall.Errno) {
	program.Run(unsafe.SliceData(p.steps))
	r := p.steps[program.Clone].Result
	if r > program.AnyValue {
		return 0, syscall.Errno(-r)
	}
	return int(r), 0
}

// outcome tells, once the child has executed its program or is gone, which
// step has failed. If none has, the program runs, or has run.
func (p *plan) outcome() error {
	for i := program.First; i < len(p.steps); i++ {
		switch s := &p.steps[i]; {
		case s.Result == program.Pending:
			if i == len(p.steps)-1 {
				return nil
			}
			return &StepError{p.labels[i].String(), errKilled}
		case s.Result-s.Low > s.Span:
			return p.labels[i].failed(s.Result)
		}
	}
	return nil
}

// failed returns the error of a step that has returned r.
func (l label) failed(r uintptr) error {
	errno := syscall.Errno(-r)
	var err error = errno
	switch {
	case r <= program.AnyValue:
		err = fmt.Errorf("unexpected result %d", int(r))
	case l.since != "" && (errno == syscall.ENOSYS || errno == syscall.EINVAL):
		err = &UnsupportedError{Feature: l.feature, Release: l.since, Err: errno}
	case l.path != "":
		err = &fs.PathError{Op: l.verb, Path: l.path, Err: err}
	}
	return &StepError{l.String(), err}
}

func (l label) String() string {
	switch {
	case l.path != "":
		return l.verb + " " + l.path
	case strings.Contains(l.verb, "%"):
		return fmt.Sprintf(l.verb, l.n)
	}
	return l.verb
}
