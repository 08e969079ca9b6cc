//go:build linux

package linux

import (
	"math"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A plan is a Child turned into a table of system calls. Plans are used again,
// see newPlan.
type plan struct {
	table.Table
	how how

	mask  *sigset // the signals that are blocked in the thread that clones
	pidfd *int32  // the handle, which is one once born is set
	born  *int32  // not 0 once the child exists

	files    []int // descriptors in this program that become 0, 1, ... or -1
	needed   []int // descriptors in this program that the child needs, in order
	program  int   // the descriptor of Child.Exec, or -1
	parent   int   // the descriptor of this program, or byNumber, or unseen
	ruleset  int   // the descriptor of Child.LandlockRuleset
	programs int   // the call whose result is its number by then, or 0
	spare    []int // the calls that can close a descriptor each
	gate     *gate // or nil: the child waits for nobody
	opened   int   // the call that opens Child.Path for a child that cannot later, or 0

	listener *handOver // or nil: there is nothing to hand over

	fence      *fence   // or nil: the child makes no Landlock ruleset
	unenforced []string // what of it the kernel cannot
}

// how says by which means a child is created. The zero value is what the kernel
// does best; where it lacks that, Clone3 tries again.
type how struct {
	legacy    bool // by clone(2): there is no clone3(2)
	noPrivs   bool // NoNewPrivs is a step: the kernel has no such flag
	listFiles bool // descriptors are listed, and closed one by one: there is no close_range(2)
	ownMemory bool // see ownMemory
	keepNull  bool // the child uses /dev/null as this program has it, whatever its number
}

// order lists what is done in the child, in this order. Where there is no
// other reason it is that of package syscall.
var order = []func(*plan, *Child) error{
	(*plan).unshareFiles,  // first: until then all descriptors are those of this program
	(*plan).findParent,    // it may be long ago that the child was created
	(*plan).resetHandlers, // before signals are unblocked: one would run on the memory of the parent
	(*plan).keepCaps,      // before the IDs change
	(*plan).waitAtGate,    // what follows may need what this program does meanwhile
	(*plan).mapIDs,        // what follows may need the new IDs
	(*plan).session,
	(*plan).processGroup,
	(*plan).foreground, // before signals are unblocked: the kernel may send SIGTTOU
	(*plan).unshare,
	(*plan).priorities, // by the rights and the /proc of this program
	(*plan).schedule,   // as those; affinity comes before, as it is refused to SchedDeadline
	(*plan).personality,
	(*plan).subreaper,
	(*plan).chroot,
	(*plan).bounding, // a change of the user may take the right to
	(*plan).credential,
	(*plan).ambientCaps,
	(*plan).securebits, // they may forbid ambient capabilities, and keep those that a change of the user takes
	(*plan).keyring,    // it is to be the new user's
	(*plan).chdir,      // by the rights that the program will have
	(*plan).deathWish,  // a change of credentials clears it
	(*plan).noNewPrivs, // landlock asks for it
	(*plan).enterFence, // as landlock
	(*plan).landlock,   // nothing after needs the file system, but for the program
	(*plan).placeFiles,
	(*plan).terminal,     // Ctty is a descriptor of the child
	(*plan).noFileSystem, // no step after it uses a path, nor moves a descriptor
	(*plan).umask,
	(*plan).rlimits,          // after the files: they may have passed through higher numbers
	(*plan).trace,            // nothing before needs to be traced
	(*plan).dropCapabilities, // nothing after needs any
	(*plan).signals,          // nothing before is to be interrupted
	(*plan).filter,           // what comes after it has to allow
	(*plan).handOver,         // the listener of the filter
	(*plan).execute,
	(*plan).survives,
}

var plans = sync.Pool{New: func() any { return new(plan) }}

// newPlan compiles c. The plan is to be given back with free.
func newPlan(c *Child, how how) (*plan, error) {
	p := plans.Get().(*plan)
	p.how, p.program, p.parent = how, -1, byNumber
	if how.ownMemory {
		p.Apart()
	}
	err := p.begin(c)
	for i := 0; err == nil && i < len(order); i++ {
		err = order[i](p, c)
	}
	if err == nil {
		err = p.Link()
	}
	if err != nil {
		p.free()
		return nil, err
	}
	return p, nil
}

// free closes what the plan has opened and gives back its memory.
func (p *plan) free() {
	if p.gate != nil {
		p.gate.close()
	}
	if p.parent >= 0 {
		unix.Close(p.parent)
	}
	if p.fence != nil {
		p.fence.close()
	}
	if p.listener != nil {
		p.listener.close()
	}
	p.Reset()
	*p = plan{Table: p.Table, files: p.files[:0], needed: p.needed[:0], spare: p.spare[:0]}
	plans.Put(p)
}

// begin finds the files that the child needs, and adds the calls of the parent.
func (p *plan) begin(c *Child) error {
	if err := p.findFiles(c); err != nil {
		return err
	}
	if err := p.openGate(c); err != nil {
		return err
	}
	if err := p.openParent(c); err != nil {
		return err
	}
	if err := p.openFence(c); err != nil {
		return err
	}
	all := table.In[sigset](&p.Table)
	*all = sigset{math.MaxUint64, math.MaxUint64}
	p.mask = table.In[sigset](&p.Table)
	p.pidfd = table.In[int32](&p.Table)
	*p.pidfd = -1
	p.born = table.In[int32](&p.Table)
	if p.how.legacy { // it is the child that writes it
		p.born = p.Common()
	}

	a := table.In[uapi.CloneArgs](&p.Table)
	// The calling thread sleeps until the child has executed its program:
	// only by that (CLONE_VFORK) the kernel sees that the memory is lent.
	a.Flags = uint64(c.flags()|implied) | uapi.CLONE_VFORK | uapi.CLONE_PARENT_SETTID
	if p.how.noPrivs || p.how.legacy {
		a.Flags &^= uint64(NoNewPrivs)
	}
	if !p.how.ownMemory {
		a.Flags |= uapi.CLONE_VM
	}
	if p.how.sharesFiles(c) {
		a.Flags |= uapi.CLONE_FILES
	}
	a.Pidfd = uint64(table.Address(p.pidfd))
	a.ParentTid = uint64(table.Address(p.born))
	a.ExitSignal = uint64(syscall.SIGCHLD)
	switch {
	case c.Flags.has(AutoReap):
		a.ExitSignal = 0
	case c.ExitSignal != 0:
		a.ExitSignal = uint64(c.ExitSignal)
	}
	if n := len(c.SetTID); n > 0 {
		a.SetTid, a.SetTidSize = uint64(table.Numbers(&p.Table, c.SetTID)), uint64(n)
	}
	if c.Cgroup != nil {
		fd, err := descriptor("Cgroup", c.Cgroup)
		if err != nil {
			return err
		}
		a.Cgroup = uint64(fd)
	}

	none := table.Label{}
	p.Call(none, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(all), table.Address(p.mask), sigsetSize())
	if p.how.legacy {
		p.Call(none, uapi.SYS_CLONE, legacyArgs(runtime.GOARCH, a)...)
	} else {
		p.Call(none, uapi.SYS_CLONE3, table.Address(a), unsafe.Sizeof(*a))
	}
	p.Call(none, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(p.mask), 0, sigsetSize())
	return nil
}
