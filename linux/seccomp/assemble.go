package seccomp

import (
	"slices"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// The operations that a filter needs.
const (
	load = uapi.BPF_LD | uapi.BPF_W | uapi.BPF_ABS
	and  = uapi.BPF_ALU | uapi.BPF_AND | uapi.BPF_K
	jump = uapi.BPF_JMP | uapi.BPF_JA
	jeq  = uapi.BPF_JMP | uapi.BPF_JEQ | uapi.BPF_K
	jgt  = uapi.BPF_JMP | uapi.BPF_JGT | uapi.BPF_K
	jge  = uapi.BPF_JMP | uapi.BPF_JGE | uapi.BPF_K
	jset = uapi.BPF_JMP | uapi.BPF_JSET | uapi.BPF_K
	ret  = uapi.BPF_RET | uapi.BPF_K
)

const (
	nrOffset   = uint32(unsafe.Offsetof(uapi.SeccompData{}.Nr))
	archOffset = uint32(unsafe.Offsetof(uapi.SeccompData{}.Arch))
	argsOffset = uint32(unsafe.Offsetof(uapi.SeccompData{}.Args))
)

// reach is how far a conditional jump goes.
const reach = 255

// An assembler writes a program from its end to its beginning: jumps go forward
// only, so where they lead is known when they are written.
type assembler struct {
	code   []Instruction // the last first
	copies map[place]int // the last instruction that leads to a place
}

// A place is where the program goes on: an instruction by its index, or the end
// with an action.
type place struct {
	at     int // -1 for the end
	action Action
}

func end(a Action) place { return place{-1, a} }

func (a *assembler) emit(i Instruction) place {
	a.code = append(a.code, i)
	return place{at: len(a.code) - 1}
}

// near returns an instruction that leads to the place, and which a jump reaches
// that is written after at most n others.
func (a *assembler) near(p place, n int) int {
	reached := func(at int) bool { return len(a.code)+n-1-at <= reach }
	if p.at >= 0 && reached(p.at) {
		return p.at
	}
	at, ok := a.copies[p]
	if !ok || !reached(at) {
		at = a.here(p).at
		a.copies[p] = at
	}
	return at
}

// branch goes on at yes if the condition holds for what is loaded.
func (a *assembler) branch(code uint16, k uint32, yes, no place) place {
	if yes == no {
		return yes
	}
	y := a.near(yes, 1)
	n := a.near(no, 0)
	here := len(a.code)
	return a.emit(Instruction{code, uint8(here - 1 - y), uint8(here - 1 - n), k})
}

// loaded loads a word before it goes on at next, which is what was written last,
// unless nothing is to be tested there.
func (a *assembler) loaded(offset, mask uint32, next place) place {
	if next.at < 0 || next.at != len(a.code)-1 {
		return next
	}
	if mask != ^uint32(0) {
		a.emit(Instruction{Code: and, K: mask})
	}
	return a.emit(Instruction{Code: load, K: offset})
}

// here returns the place as what was written last.
func (a *assembler) here(p place) place {
	switch {
	case p.at < 0:
		return a.emit(Instruction{Code: ret, K: p.action.Value()})
	case p.at < len(a.code)-1:
		return a.emit(Instruction{Code: jump, K: uint32(len(a.code) - 1 - p.at)})
	}
	return p
}

// assemble returns the program. Its order is: the architecture, the number of the
// call in a tree of halves, and the bodies that look at arguments.
func (m *machine) assemble(spans []span) []Instruction {
	a := &assembler{copies: map[place]int{}}
	places := map[*body]place{}
	for _, s := range slices.Backward(spans) {
		if _, ok := places[s.body]; !ok {
			places[s.body] = m.body(a, s.body)
		}
	}
	var tree func([]span) place
	tree = func(spans []span) place {
		if len(spans) == 1 {
			return places[spans[0].body]
		}
		middle := len(spans) / 2
		above := tree(spans[middle:])
		below := tree(spans[:middle])
		return a.branch(jge, spans[middle].from, above, below)
	}
	number := tree(spans)
	if number.at >= 0 {
		number = a.loaded(nrOffset, ^uint32(0), a.here(number))
	}
	a.here(a.loaded(archOffset, ^uint32(0), a.branch(jeq, m.audit, number, end(KillProcess))))
	slices.Reverse(a.code)
	return a.code
}

// body writes the branches of a body.
func (m *machine) body(a *assembler, b *body) place {
	next := end(b.rest)
	for _, br := range slices.Backward(b.branches) {
		yes := end(br.action)
		for _, arg := range slices.Backward(br.args) {
			yes = m.arg(a, arg, yes, next)
		}
		next = yes
	}
	return next
}

// arg writes the comparison of an argument, which the kernel gives in two halves.
// One that always or never holds is none.
func (m *machine) arg(a *assembler, arg Arg, yes, no place) place {
	high := half{argsOffset + 8*uint32(arg.Index), uint32(arg.Mask >> 32), uint32(arg.Value >> 32)}
	low := half{high.offset, uint32(arg.Mask), uint32(arg.Value)}
	if m.big {
		low.offset += 4
	} else {
		high.offset += 4
	}
	switch arg.Op {
	case NotEqual:
		return high.equal(a, low.equal(a, no, yes), yes)
	case Less:
		return high.above(a, low.compare(a, jge, no, yes), no, yes)
	case LessEqual:
		return high.above(a, low.compare(a, jgt, no, yes), no, yes)
	case Greater:
		return high.above(a, low.compare(a, jgt, yes, no), yes, no)
	case GreaterEqual:
		return high.above(a, low.compare(a, jge, yes, no), yes, no)
	}
	return high.equal(a, low.equal(a, yes, no), no)
}

// A half is 32 bits of an argument, and what they are compared with. A value for
// what has no bits is 0.
type half struct{ offset, mask, value uint32 }

// equal goes on at yes if the half equals its value.
func (h half) equal(a *assembler, yes, no place) place {
	switch {
	case h.mask == 0:
		return yes
	case h.mask&(h.mask-1) == 0 && h.value == 0: // one bit
		return a.loaded(h.offset, ^uint32(0), a.branch(jset, h.mask, no, yes))
	case h.mask&(h.mask-1) == 0:
		return a.loaded(h.offset, ^uint32(0), a.branch(jset, h.mask, yes, no))
	}
	return a.loaded(h.offset, h.mask, a.branch(jeq, h.value, yes, no))
}

// compare goes on at yes if the half is greater, or greater or equal.
func (h half) compare(a *assembler, code uint16, yes, no place) place {
	if h.mask == 0 {
		if code == jge && h.value == 0 {
			return yes
		}
		return no
	}
	return a.loaded(h.offset, h.mask, a.branch(code, h.value, yes, no))
}

// above goes on at yes if the half is greater than its value, and at low if they
// are equal.
func (h half) above(a *assembler, low, yes, no place) place {
	if h.mask == 0 {
		return low
	}
	equal := a.branch(jeq, h.value, low, no)
	return a.loaded(h.offset, h.mask, a.branch(jgt, h.value, yes, equal))
}
