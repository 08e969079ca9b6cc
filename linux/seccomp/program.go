package seccomp

import (
	"slices"

	"github.com/go-clone3/clone3/uapi"
)

// A Program is a compiled filter. It does not change; several goroutines may use
// it at once. Only Compile makes one that is of use.
type Program struct {
	machine machine
	def     Action
	rules   []rule
	log     bool
	code    []Instruction
}

// An Instruction is one of the kernel's classic BPF, laid out as struct
// sock_filter (linux/filter.h).
type Instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// Instructions returns a copy of the code, at most 4,096 instructions. It goes
// with its length into a struct sock_fprog (SockFprog), and with that into
// seccomp(SECCOMP_SET_MODE_FILTER).
func (p *Program) Instructions() []Instruction { return slices.Clone(p.code) }

// Flags returns what goes with the instructions: SECCOMP_FILTER_FLAG_LOG if
// Filter.Log is set. A listener is for the caller to ask for.
func (p *Program) Flags() uint32 {
	if p.log {
		return uapi.SECCOMP_FILTER_FLAG_LOG
	}
	return 0
}

// Notifies reports whether a call may get the answer Notify, for which there has
// to be a listener.
func (p *Program) Notifies() bool {
	return slices.Contains(p.code, Instruction{Code: ret, K: Notify.Value()})
}

// Decide returns what the kernel would answer to the system call of this number,
// made by a program of this architecture. It looks at the rules, not at the
// instructions.
func (p *Program) Decide(nr uintptr, args [6]uint64) Action {
	action, _ := p.decide(nr, args)
	return action
}

// DecidedBy returns the index in Filter.Rules of the rule that gives the answer of
// Decide, and -1 if none matches, or if the call is refused whatever the rules.
// Of several that together give the strictest answer, it is the first.
func (p *Program) DecidedBy(nr uintptr, args [6]uint64) int {
	_, rule := p.decide(nr, args)
	return rule
}

func (p *Program) decide(nr uintptr, args [6]uint64) (action Action, rule int) {
	n := uint32(nr)
	if p.machine.x32 && n >= x32Bit && n != skipped {
		return KillProcess, -1
	}
	if p.machine.narrow {
		for i := range args {
			args[i] &= Int
		}
	}
	// The strictest is of what the rules of a call inside this call could say,
	// from the first on whose conditions cannot be looked at.
	strictest, first := Allow, -1
	for i, r := range p.rules {
		if _, named := slices.BinarySearch(r.numbers, n); named {
			if first < 0 && r.holds(&args) {
				return r.action, i
			}
			if first >= 0 {
				strictest = stricter(strictest, r.action)
				if len(r.args) == 0 {
					return strictest, first
				}
			}
		}
		if r.inside(n, args[0]) {
			if first < 0 {
				first = i
			}
			strictest = stricter(strictest, r.action)
			if len(r.args) == 0 {
				return strictest, first
			}
		}
	}
	return stricter(strictest, p.def), first
}
