//go:build linux

package linux

import (
	"strconv"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// schedule sets by which policy the program runs, how it reads and writes disks,
// and where its memory comes from. All of it is the child's own: only processes that
// are threads of one share some of it.
func (p *plan) schedule(c *Child) error {
	if err := p.scheduler(c); err != nil {
		return err
	}
	if io := c.IOPriority; io != nil {
		l := label(StepPriority, "set the I/O priority to "+io.Class.String()+" "+strconv.Itoa(io.Level))
		if io.DurationLimit != 0 {
			l.Feature, l.Since = "IOPriority.DurationLimit", "6.5"
		}
		p.Call(l, uapi.SYS_IOPRIO_SET, uapi.IOPRIO_WHO_PROCESS, 0, uintptr(io.value()))
	}
	if c.TimerSlack != 0 {
		slack := uintptr(c.TimerSlack)
		p.Call(label(StepPriority, "set the timer slack to "+c.TimerSlack.String()), uapi.SYS_PRCTL, unix.PR_SET_TIMERSLACK, slack)
		// To a child whose policy has none the kernel says nothing, and does nothing.
		p.Demand(slack, label(StepPriority, "look for the timer slack "+c.TimerSlack.String()), uapi.SYS_PRCTL, unix.PR_GET_TIMERSLACK)
	}
	return p.memoryPolicy(c)
}

// scheduler sets the policy. sched_setscheduler(2) leaves the nice value as it is,
// which sched_setattr(2) does not: that is for what only it can.
func (p *plan) scheduler(c *Child) error {
	s := c.Scheduler
	if s == nil {
		return nil
	}
	set := func(l table.Label, attr uapi.SchedAttr) {
		a := table.In[uapi.SchedAttr](&p.Table)
		*a = attr
		a.Size = uint32(unsafe.Sizeof(attr))
		p.Call(l, uapi.SYS_SCHED_SETATTR, 0, table.Address(a), 0)
	}
	policy := uint32(s.Policy - 1)
	l := label(StepPriority, "set the scheduling policy to "+s.Policy.String())
	switch {
	case s.Policy == 0:
	case s.times():
		attr := uapi.SchedAttr{SchedPolicy: policy, SchedRuntime: uint64(s.Runtime), SchedDeadline: uint64(s.Deadline), SchedPeriod: uint64(s.Period)}
		for _, f := range []struct {
			on  bool
			bit uint64
		}{{s.ResetOnFork, uapi.SCHED_FLAG_RESET_ON_FORK}, {s.Reclaim, uapi.SCHED_FLAG_RECLAIM}, {s.SignalOverrun, uapi.SCHED_FLAG_DL_OVERRUN}} {
			if f.on {
				attr.SchedFlags |= f.bit
			}
		}
		if s.Policy.fair() {
			attr.SchedNice = int32(*c.Nice)
			if err := hasSlices(); err != nil {
				return err
			}
		}
		set(l, attr)
	default:
		if s.Policy == SchedExt {
			l.Feature, l.Since = "SchedExt", "6.12"
		}
		if s.ResetOnFork {
			policy |= uapi.SCHED_RESET_ON_FORK
		}
		p.Call(l, uapi.SYS_SCHED_SETSCHEDULER, 0, uintptr(policy), table.Numbers(&p.Table, []int{s.Priority}))
	}
	if s.UtilMin == nil && s.UtilMax == nil {
		return nil
	}
	attr := uapi.SchedAttr{SchedFlags: uapi.SCHED_FLAG_KEEP_ALL}
	l = label(StepPriority, "set the utilization that the scheduler sees")
	for _, u := range []struct {
		value *int
		to    *uint32
		bit   uint64
	}{{s.UtilMin, &attr.SchedUtilMin, uapi.SCHED_FLAG_UTIL_CLAMP_MIN}, {s.UtilMax, &attr.SchedUtilMax, uapi.SCHED_FLAG_UTIL_CLAMP_MAX}} {
		if u.value == nil {
			continue
		}
		*u.to = uint32(*u.value)
		attr.SchedFlags |= u.bit
		if *u.value == -1 {
			l.Feature, l.Since = "to take a utilization back", "5.11"
		}
	}
	set(l, attr)
	return nil
}

// hasSlices reports whether the kernel gives a fair share in slices of a length
// that one can ask for: others ignore it. They are told of who has a fair share.
func hasSlices() error {
	lacks := &UnsupportedError{Feature: "Scheduler.Runtime with a fair policy", Release: "6.12", Err: unix.EINVAL}
	for pid := range uintptr(2) { // this thread, and if it has none, the first process
		var attr uapi.SchedAttr
		if _, _, errno := syscall.RawSyscall6(uapi.SYS_SCHED_GETATTR, pid, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0, 0, 0); errno != 0 {
			continue
		}
		if SchedPolicy(attr.SchedPolicy + 1).fair() {
			if attr.SchedRuntime == 0 {
				return lacks
			}
			return nil
		}
	}
	lacks.Reason = "whether the kernel has it cannot be known: neither this thread nor process 1 has a fair share"
	return lacks
}

// memoryPolicy sets where memory comes from.
func (p *plan) memoryPolicy(c *Child) error {
	m := c.MemoryPolicy
	if m == nil {
		return nil
	}
	for _, f := range []struct {
		asked         bool
		mode          uintptr
		name, release string
	}{
		{memoryModes[m.Mode].release != "", uintptr(m.Mode), "MemoryPolicy " + m.Mode.String(), memoryModes[m.Mode].release},
		{m.Balance, m.value(), "MemoryPolicy.Balance", "5.12"},
	} {
		if f.asked && !knowsMemoryMode(f.mode) {
			return &UnsupportedError{Feature: f.name, Release: f.release, Err: unix.EINVAL}
		}
	}
	var nodes, bits uintptr
	if len(m.Nodes) > 0 {
		const word = int(8 * unsafe.Sizeof(uintptr(0)))
		last := 0
		for _, n := range m.Nodes {
			last = max(last, n)
		}
		mask := p.Words(last/word + 1)
		for _, n := range m.Nodes {
			mask[n/word] |= 1 << (n % word)
		}
		nodes, bits = table.Address(&mask[0]), uintptr(len(mask)*word)+1 // the kernel counts one less
	}
	p.Call(label(StepPriority, "set the memory policy to "+m.Mode.String()), uapi.SYS_SET_MEMPOLICY, m.value(), nodes, bits)
	return nil
}

// knowsMemoryMode reports whether the kernel knows a mode: it says so of no memory
// at all. Of nodes it has other answers with the same number.
func knowsMemoryMode(mode uintptr) bool {
	_, _, errno := syscall.RawSyscall6(uapi.SYS_MBIND, 0, 0, mode, 0, 0, 0)
	return errno != unix.EINVAL
}
