package seccomp

import (
	"encoding/binary"
	"slices"

	"github.com/go-clone3/clone3/uapi"
)

// Compile returns the filter for the architecture that this program runs on. The
// same filter gives the same instructions.
//
// Calls of another architecture, and of x32 on amd64, kill the process: their
// numbers mean something else. So a filter with which a program of 64 bits may
// execute one of 32 bits lets that die at its first call.
//
// The calls that socketcall and ipc make, on 386 and some others, are treated as
// if they were made themselves; but their arguments are in memory, where no
// filter can look. Where a rule depends on those, the answer is the strictest
// that the rules could give.
//
// An [Error] says which rule is wrong, and unwraps to EINVAL; so is a filter that
// needs more than the kernel's 4,096 instructions. Where there is no seccomp,
// errors.Is(err, errors.ErrUnsupported).
func (f *Filter) Compile() (*Program, error) {
	m, err := running()
	if err != nil {
		return nil, err
	}
	return f.compile(m)
}

func (f *Filter) compile(m machine) (*Program, error) {
	if err := f.Default.check(); err != nil {
		return nil, err
	}
	p := &Program{machine: m, def: f.Default, log: f.Log}
	for i, r := range f.Rules {
		resolved, err := m.resolve(r)
		if err != nil {
			return nil, inRule(i, err)
		}
		p.rules = append(p.rules, resolved)
	}
	p.code = m.assemble(p.spans())
	if n := len(p.code); n > uapi.BPF_MAXINSNS {
		return nil, invalid("the filter needs %d instructions, and the kernel takes %d: name fewer calls with conditions on arguments", n, uapi.BPF_MAXINSNS)
	}
	return p, nil
}

// A span is all numbers from one on, up to the next span, and what is to be done
// with these calls.
type span struct {
	from uint32
	body *body
}

// A body is tried in the order of its branches.
type body struct {
	branches []branch
	rest     Action // if none holds
}

// A branch is what to do if all conditions hold.
type branch struct {
	args   []Arg
	action Action
}

// spans orders by number what the rules say. Calls for which they say the same
// have the same body.
func (p *Program) spans() []span {
	// Which call, and in the lower half, which rule.
	var mentions []uint64
	for i, r := range p.rules {
		for _, nr := range r.numbers {
			mentions = append(mentions, uint64(nr)<<32|uint64(i))
		}
		for _, n := range r.nested {
			mentions = append(mentions, uint64(n.nr)<<32|uint64(i))
		}
	}
	slices.Sort(mentions)
	mentions = slices.Compact(mentions)

	bodies := map[string]*body{}
	var key []byte
	shared := func(b body) *body {
		if n := len(b.branches); n > 0 && len(b.branches[n-1].args) == 0 {
			b.rest, b.branches = b.branches[n-1].action, b.branches[:n-1]
		}
		for n := len(b.branches); n > 0 && b.branches[n-1].action == b.rest; n-- {
			b.branches = b.branches[:n-1] // which changes nothing
		}
		key = binary.NativeEndian.AppendUint32(key[:0], uint32(b.rest))
		for _, br := range b.branches {
			key = binary.NativeEndian.AppendUint32(key, uint32(br.action))
			key = binary.NativeEndian.AppendUint32(key, uint32(len(br.args)))
			for _, a := range br.args {
				key = append(key, byte(a.Index), byte(a.Op))
				key = binary.NativeEndian.AppendUint64(key, a.Mask)
				key = binary.NativeEndian.AppendUint64(key, a.Value)
			}
		}
		if same := bodies[string(key)]; same != nil {
			return same
		}
		b.branches = slices.Clone(b.branches)
		bodies[string(key)] = &b
		return &b
	}
	plain := shared(body{rest: p.def})
	spans := []span{{0, plain}}
	add := func(from uint32, b *body) {
		if last := len(spans) - 1; spans[last].from == from {
			spans = spans[:last]
		}
		if last := len(spans) - 1; last < 0 || spans[last].body != b {
			spans = append(spans, span{from, b})
		}
	}
	var b body
	for len(mentions) > 0 {
		nr := uint32(mentions[0] >> 32)
		b = body{b.branches[:0], p.def}
		for len(mentions) > 0 && uint32(mentions[0]>>32) == nr {
			p.say(&b, nr, int(uint32(mentions[0])))
			mentions = mentions[1:]
		}
		add(nr, shared(b))
		add(nr+1, plain)
	}
	if p.machine.x32 {
		add(x32Bit, shared(body{rest: KillProcess}))
		add(skipped, plain)
	}
	return spans
}

// say adds to a body what a rule says of the call nr.
func (p *Program) say(b *body, nr uint32, i int) {
	r := &p.rules[i]
	if _, named := slices.BinarySearch(r.numbers, nr); named {
		b.add(&p.machine, r.args, r.action)
	}
	for _, n := range r.nested {
		if n.nr == nr {
			b.add(&p.machine, []Arg{{Op: MaskedEqual, Mask: n.mask, Value: n.call}}, p.nestedAction(n, i))
		}
	}
}

// add adds a branch, unless it is never taken, or one before it decides all that
// it would. What always holds is left out.
func (b *body) add(m *machine, args []Arg, action Action) {
	var open []Arg
	for _, a := range args {
		switch a, always, never := m.simplify(a); {
		case never:
			return
		case !always:
			open = append(open, a)
		}
	}
	if !slices.ContainsFunc(b.branches, func(br branch) bool { return len(br.args) == 0 || slices.Equal(br.args, open) }) {
		b.branches = append(b.branches, branch{open, action})
	}
}

// simplify returns the condition without what the machine's arguments do not
// have, and whether it always or never holds.
func (m *machine) simplify(a Arg) (simple Arg, always, never bool) {
	if m.narrow {
		a.Mask &= Int
	}
	switch a.Op {
	case NotEqual:
		return a, a.Value&^a.Mask != 0, a.Mask == 0 && a.Value == 0
	case Less:
		return a, a.Mask < a.Value, a.Value == 0
	case LessEqual:
		return a, a.Mask <= a.Value, false
	case Greater:
		return a, false, a.Mask <= a.Value
	case GreaterEqual:
		return a, a.Value == 0, a.Mask < a.Value
	}
	return a, a.Mask == 0 && a.Value == 0, a.Value&^a.Mask != 0
}

// nestedAction returns the strictest that the rules from this one on could say of
// a call that another one makes. Its first branch has the last word.
func (p *Program) nestedAction(n nested, from int) Action {
	strictest := p.rules[from].action
	if len(p.rules[from].args) == 0 {
		return strictest
	}
	for _, r := range p.rules[from+1:] {
		if slices.Contains(r.numbers, n.nr) || slices.Contains(r.nested, n) {
			strictest = stricter(strictest, r.action)
			if len(r.args) == 0 {
				return strictest
			}
		}
	}
	return stricter(strictest, p.def)
}
