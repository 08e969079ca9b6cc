package linux

import (
	"fmt"
	"time"

	"github.com/go-clone3/clone3/uapi"
)

// A SchedPolicy is a way in which the kernel gives processor time to a program.
// The zero value leaves it as it is. sched(7).
type SchedPolicy uint

// Each is one more than the number in C, as SCHED_NORMAL is 0 there.
const (
	SchedNormal   SchedPolicy = uapi.SCHED_NORMAL + 1   // SCHED_NORMAL, SCHED_OTHER: a fair share, by Nice
	SchedFIFO     SchedPolicy = uapi.SCHED_FIFO + 1     // SCHED_FIFO: before all others, as long as it wants
	SchedRR       SchedPolicy = uapi.SCHED_RR + 1       // SCHED_RR: the same, in turn with those of its priority
	SchedBatch    SchedPolicy = uapi.SCHED_BATCH + 1    // SCHED_BATCH: a fair share for who does not wait for a user
	SchedIdle     SchedPolicy = uapi.SCHED_IDLE + 1     // SCHED_IDLE: nearly nothing but what nobody else wants
	SchedDeadline SchedPolicy = uapi.SCHED_DEADLINE + 1 // SCHED_DEADLINE: some time in each period
	SchedExt      SchedPolicy = uapi.SCHED_EXT + 1      // SCHED_EXT: what a scheduler in BPF decides, or as SchedNormal; Linux 6.12
)

var schedPolicyNames = [...]string{
	SchedNormal: "SCHED_NORMAL", SchedFIFO: "SCHED_FIFO", SchedRR: "SCHED_RR", SchedBatch: "SCHED_BATCH",
	SchedIdle: "SCHED_IDLE", SchedDeadline: "SCHED_DEADLINE", SchedExt: "SCHED_EXT",
}

// String returns the name in C, "SCHED_FIFO", and "unchanged" for zero.
func (p SchedPolicy) String() string {
	switch {
	case p == 0:
		return "unchanged"
	case int(p) < len(schedPolicyNames) && schedPolicyNames[p] != "":
		return schedPolicyNames[p]
	}
	return fmt.Sprintf("policy %d", int(p)-1)
}

// A Scheduler says how a program gets processor time. It is handed down to what
// the program creates, if ResetOnFork is not set. The zero value leaves everything
// as it is. sched_setscheduler(2), sched_setattr(2).
//
// To leave SchedIdle, and for SchedFIFO, SchedRR and SchedDeadline, the kernel
// wants CAP_SYS_NICE; for SchedFIFO and SchedRR up to a priority RLIMIT_RTPRIO
// will do. The error is EPERM without. Until the program is executed the child
// runs by its new policy, and Clone3 waits for it: on a machine that has nothing
// to spare that can be long with SchedIdle.
type Scheduler struct {
	// Policy is the policy. If zero, only UtilMin and UtilMax can be set.
	Policy SchedPolicy

	// Priority is from 1, the lowest, to 99, for SchedFIFO and SchedRR, and 0 for
	// all others: their priority is Child.Nice.
	Priority int

	// Runtime, Deadline and Period are for SchedDeadline: the program gets
	// Runtime in each Period, not later than Deadline after that begins.
	// Runtime is at least 1,024 ns and at most Deadline, and that at most Period; a
	// Period of zero is as long as Deadline. The kernel refuses what all of them
	// together could not be given (EBUSY), and a program that may not use
	// all CPUs (EPERM).
	//
	// For SchedNormal and SchedBatch, Runtime asks for a slice: for how long the
	// program goes on once it runs, from 100 µs to 100 ms. Zero is the kernel's
	// own. It needs Child.Nice, which the kernel sets at the same time. Linux 6.12.
	Runtime, Deadline, Period time.Duration

	// ResetOnFork lets what the program creates have SchedNormal, and no
	// priority above the ordinary. SCHED_FLAG_RESET_ON_FORK.
	ResetOnFork bool

	// Reclaim lets a program with SchedDeadline use what others of its kind
	// leave. SCHED_FLAG_RECLAIM, Linux 4.13.
	Reclaim bool

	// SignalOverrun sends SIGXCPU to a program with SchedDeadline that wants
	// more than its Runtime. SCHED_FLAG_DL_OVERRUN, Linux 4.16.
	SignalOverrun bool

	// UtilMin and UtilMax, if not nil, say between which loads the kernel is to
	// think the program is, when it chooses the CPU and its frequency: from 0 to
	// 1024, the whole of the largest CPU. -1 takes back what this program has
	// (Linux 5.11). To raise them needs no privilege. Kernels may be built
	// without (EOPNOTSUPP). SCHED_FLAG_UTIL_CLAMP_MIN and _MAX, Linux 5.3.
	UtilMin, UtilMax *int
}

// The slices that the kernel makes of what it is asked for.
const minSlice, maxSlice = 100 * time.Microsecond, 100 * time.Millisecond

// fair reports whether a policy has slices.
func (p SchedPolicy) fair() bool { return p == SchedNormal || p == SchedBatch }

// realtime reports whether a policy comes before all ordinary ones.
func (p SchedPolicy) realtime() bool { return p == SchedFIFO || p == SchedRR || p == SchedDeadline }

// check reports what can be known to be wrong.
func (s *Scheduler) check(nice *int) error {
	if s == nil {
		return nil
	}
	static := s.Policy == SchedFIFO || s.Policy == SchedRR
	switch {
	case s.Policy == 0:
		if s.Priority != 0 || s.times() || s.ResetOnFork || s.Reclaim || s.SignalOverrun {
			return invalid("Scheduler has no Policy: without, only UtilMin and UtilMax can be set")
		}
	case int(s.Policy) >= len(schedPolicyNames) || schedPolicyNames[s.Policy] == "":
		return invalid("Scheduler.Policy: %v is not known to this package", s.Policy)
	case static && (s.Priority < 1 || s.Priority > 99):
		return invalid("Scheduler.Priority %d is not between 1 and 99", s.Priority)
	case !static && s.Priority != 0:
		return invalid("Scheduler.Priority %d: %v has none, it goes by Child.Nice", s.Priority, s.Policy)
	case s.Policy != SchedDeadline && (s.Reclaim || s.SignalOverrun || s.Deadline != 0 || s.Period != 0):
		return invalid("Scheduler: Deadline, Period, Reclaim and SignalOverrun are for SCHED_DEADLINE, not for %v", s.Policy)
	case s.Policy == SchedDeadline:
		if s.Runtime < 1024 || s.Deadline < s.Runtime || s.Period != 0 && s.Period < s.Deadline {
			return invalid("Scheduler: Runtime %v, Deadline %v, Period %v: Runtime is at least 1.024µs and at most Deadline, that at most Period", s.Runtime, s.Deadline, s.Period)
		}
	case s.Runtime != 0 && !s.Policy.fair():
		return invalid("Scheduler.Runtime is for SCHED_DEADLINE, SCHED_NORMAL and SCHED_BATCH, not for %v", s.Policy)
	case s.Runtime != 0 && (s.Runtime < minSlice || s.Runtime > maxSlice):
		return invalid("Scheduler.Runtime %v is not between %v and %v", s.Runtime, minSlice, maxSlice)
	case s.Runtime != 0 && nice == nil:
		return invalid("Scheduler.Runtime with %v needs Child.Nice, which the kernel sets at the same time", s.Policy)
	}
	for _, u := range []struct {
		name  string
		value *int
	}{{"UtilMin", s.UtilMin}, {"UtilMax", s.UtilMax}} {
		if u.value != nil && (*u.value < -1 || *u.value > 1024) {
			return invalid("Scheduler.%s %d is not between 0 and 1024, nor -1", u.name, *u.value)
		}
	}
	if s.UtilMin != nil && s.UtilMax != nil && *s.UtilMax != -1 && *s.UtilMin > *s.UtilMax {
		return invalid("Scheduler.UtilMin %d is above UtilMax %d", *s.UtilMin, *s.UtilMax)
	}
	return nil
}

func (s *Scheduler) times() bool { return s.Runtime != 0 || s.Deadline != 0 || s.Period != 0 }

// An IOClass is a class of priorities for reading and writing disks.
// ioprio_set(2).
type IOClass uint

const (
	IODefault    IOClass = uapi.IOPRIO_CLASS_NONE // IOPRIO_CLASS_NONE: by the policy and Child.Nice
	IORealtime   IOClass = uapi.IOPRIO_CLASS_RT   // IOPRIO_CLASS_RT: before all others; needs CAP_SYS_ADMIN or CAP_SYS_NICE
	IOBestEffort IOClass = uapi.IOPRIO_CLASS_BE   // IOPRIO_CLASS_BE: the ordinary
	IOIdle       IOClass = uapi.IOPRIO_CLASS_IDLE // IOPRIO_CLASS_IDLE: when nobody else wants the disk
)

var ioClassNames = [...]string{
	IODefault: "IOPRIO_CLASS_NONE", IORealtime: "IOPRIO_CLASS_RT", IOBestEffort: "IOPRIO_CLASS_BE", IOIdle: "IOPRIO_CLASS_IDLE",
}

// String returns the name in C: "IOPRIO_CLASS_IDLE".
func (c IOClass) String() string {
	if int(c) < len(ioClassNames) {
		return ioClassNames[c]
	}
	return fmt.Sprintf("I/O class %d", uint(c))
}

// An IOPriority is the priority by which a program reads and writes disks, where
// their I/O scheduler has priorities. The zero value goes by the scheduling policy
// and Child.Nice. ioprio_set(2).
type IOPriority struct {
	Class IOClass

	// Level is from 0, the highest, to 7, in the classes IORealtime and
	// IOBestEffort, and 0 in the others.
	Level int

	// DurationLimit, if not 0, is the command duration limit, 1 to 7, that the
	// disk is to hold, for the same classes. IOPRIO_HINT_DEV_DURATION_LIMIT_1
	// and so on, Linux 6.5.
	DurationLimit int
}

// value returns the number in C.
func (p IOPriority) value() uint {
	return uint(p.Class)<<uapi.IOPRIO_CLASS_SHIFT | uint(p.DurationLimit)<<uapi.IOPRIO_HINT_SHIFT | uint(p.Level)
}

func (p *IOPriority) check() error {
	switch {
	case p == nil:
		return nil
	case int(p.Class) >= len(ioClassNames):
		return invalid("IOPriority.Class: %v is not known to this package", p.Class)
	case p.Level < 0 || p.Level > uapi.IOPRIO_LEVEL_MASK:
		return invalid("IOPriority.Level %d is not between 0 and 7", p.Level)
	case p.DurationLimit < 0 || p.DurationLimit > uapi.IOPRIO_HINT_DEV_DURATION_LIMIT_7:
		return invalid("IOPriority.DurationLimit %d is not between 1 and 7, nor 0", p.DurationLimit)
	case (p.Class == IODefault || p.Class == IOIdle) && (p.Level != 0 || p.DurationLimit != 0):
		return invalid("IOPriority: %v has no Level and no DurationLimit", p.Class)
	}
	return nil
}
