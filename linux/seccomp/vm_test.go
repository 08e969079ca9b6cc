package seccomp

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/net/bpf"
)

// A virtual machine runs a filter as the kernel does. It is golang.org/x/net's,
// which loads words with the highest byte first; so that is how it is given them.
type virtual struct {
	vm  *bpf.VM
	big bool
	in  [64]byte
}

func newVirtual(t testing.TB, code []Instruction, big bool) *virtual {
	t.Helper()
	raw := make([]bpf.RawInstruction, len(code))
	for i, c := range code {
		raw[i] = bpf.RawInstruction{Op: c.Code, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	decoded, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatalf("there are instructions that nobody knows: %v", decoded)
	}
	vm, err := bpf.NewVM(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return &virtual{vm: vm, big: big}
}

func (v *virtual) run(t testing.TB, audit, nr uint32, args [6]uint64) Action {
	t.Helper()
	binary.BigEndian.PutUint32(v.in[0:], nr)
	binary.BigEndian.PutUint32(v.in[4:], audit)
	binary.BigEndian.PutUint64(v.in[8:], 0x1122334455667788) // where the call is made
	for i, a := range args {
		if !v.big {
			a = a<<32 | a>>32
		}
		binary.BigEndian.PutUint64(v.in[16+8*i:], a)
	}
	answer, err := v.vm.Run(v.in[:])
	if err != nil {
		t.Fatal(err)
	}
	return Action(uint32(answer) ^ killProcess)
}

// checkCode holds the instructions against what the kernel takes: these
// operations alone, loads of whole words of seccomp_data, jumps that go forward
// and not beyond the end, and an end that returns.
func checkCode(t testing.TB, code []Instruction) {
	t.Helper()
	if len(code) == 0 || len(code) > uapi.BPF_MAXINSNS {
		t.Fatalf("there are %d instructions", len(code))
	}
	if code[len(code)-1].Code != ret {
		t.Fatal("the last instruction does not return")
	}
	reached := make([]bool, len(code))
	reached[0] = true
	to := func(from, over int) {
		if from+1+over >= len(code) {
			t.Fatalf("instruction %d jumps %d, and there are %d", from, over, len(code))
		}
		reached[from+1+over] = true
	}
	for i, c := range code {
		if !reached[i] {
			t.Fatalf("nothing leads to instruction %d, %+v", i, c)
		}
		switch c.Code {
		case load:
			if c.K%4 != 0 || c.K > 60 {
				t.Fatalf("instruction %d loads from %d", i, c.K)
			}
			to(i, 0)
		case and:
			to(i, 0)
		case jump:
			to(i, int(c.K))
		case jeq, jgt, jge, jset:
			to(i, int(c.Jt))
			to(i, int(c.Jf))
		case ret:
		default:
			t.Fatalf("instruction %d is %+v", i, c)
		}
	}
}

// A generator makes filters and calls that have something to do with each other.
type generator struct {
	*rand.Rand
	names  []string
	values []uint64 // of conditions so far, and near them
}

var interesting = []uint64{
	0, 1, 2, 3, 4, 15, 16, 20, 23, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000001, 0x1ffffffff, 0x10000000,
	0x10000001, 0x1000000010000000, 0x7fffffffffffffff, 0x8000000000000000, ^uint64(0), 0xffffffff00000000, 0xffff, 0xff000000ff,
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (g *generator) value() uint64 {
	switch g.IntN(6) {
	case 0:
		return g.Uint64()
	case 1:
		return pick(g.Rand, interesting)
	case 2:
		return uint64(g.IntN(32))
	}
	if len(g.values) == 0 {
		return uint64(g.Uint32())
	}
	v := pick(g.Rand, g.values)
	switch g.IntN(8) {
	case 0:
		return v + 1
	case 1:
		return v - 1
	case 2:
		return v<<32 | v>>32
	case 3:
		return v ^ 1<<g.IntN(64)
	case 4:
		return v & Int
	}
	return v
}

var actions = []Action{KillProcess, KillThread, Trap, Notify, Log, Allow, Allow, Errno(1), Errno(38), Errno(0), Errno(4095)}

func (g *generator) arg() Arg {
	a := Arg{Index: g.IntN(6), Op: Op(g.IntN(len(opNames))), Value: g.value()}
	if g.IntN(3) > 0 {
		a.Index = g.IntN(2)
	}
	switch g.IntN(5) {
	case 0:
		a.Mask = Int
	case 1:
		a.Mask = g.value()
	case 2:
		a.Mask = 1 << g.IntN(64)
	case 3:
		a.Mask = Int << 32
	}
	if a.Op == MaskedEqual && a.Mask == 0 {
		a.Mask = ^uint64(0)
	}
	if a.Mask != 0 && (a.Op == Equal || a.Op == NotEqual || a.Op == MaskedEqual) {
		a.Value &= a.Mask
	}
	g.values = append(g.values, a.Value)
	return a
}

func (g *generator) filter() *Filter {
	f := &Filter{Default: pick(g.Rand, actions)}
	few := []string{"socketcall", "ipc", "socket", "bind", "msgget", "shmat"}
	for range 4 {
		few = append(few, pick(g.Rand, g.names))
	}
	for range g.IntN(16) {
		r := Rule{Action: pick(g.Rand, actions)}
		for range 1 + g.IntN(4) {
			switch g.IntN(12) {
			case 0:
				r.Calls = append(r.Calls, pick(g.Rand, Sets()))
			case 1, 2, 3:
				r.Calls = append(r.Calls, pick(g.Rand, g.names))
			default:
				r.Calls = append(r.Calls, pick(g.Rand, few))
			}
		}
		for range max(0, g.IntN(6)-2) {
			r.Args = append(r.Args, g.arg())
		}
		f.Rules = append(f.Rules, r)
	}
	return f
}

// number returns the number of a call, most often of one that has a rule.
func (g *generator) number(p *Program) uint32 {
	switch g.IntN(12) {
	case 0:
		return g.Uint32()
	case 1:
		return pick(g.Rand, []uint32{0, x32Bit - 1, x32Bit, x32Bit + 1, 1<<31 - 1, 1 << 31, skipped - 1, skipped})
	case 2:
		return uint32(g.IntN(500))
	}
	if len(p.rules) == 0 {
		return uint32(g.IntN(500))
	}
	r := pick(g.Rand, p.rules)
	if len(r.nested) > 0 && g.IntN(2) == 0 {
		return pick(g.Rand, r.nested).nr
	} else if len(r.numbers) == 0 {
		return uint32(g.IntN(500))
	}
	nr := pick(g.Rand, r.numbers)
	if g.IntN(8) == 0 {
		nr += uint32(g.IntN(3)) - 1
	}
	return nr
}

func newGenerator(seed uint64, m machine) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7))}
	for _, name := range knownNames() {
		if _, ok := m.numbers[name]; ok {
			g.names = append(g.names, name)
		}
	}
	return g
}

// manyFilters make a million inputs for every architecture.
var manyFilters = 2000

// The instructions answer as the rules do: on every architecture, in another
// implementation of the kernel's virtual machine.
func TestInstructionsDecideAsTheRules(t *testing.T) {
	const calls = 500
	filters := manyFilters
	if testing.Short() {
		filters = 40
	}
	for arch, m := range machinesOf(t) {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			seen := map[Action]int{}
			for seed := range filters {
				g := newGenerator(uint64(seed), m)
				f := g.filter()
				p, err := f.compile(m)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				checkCode(t, p.code)
				vm := newVirtual(t, p.code, m.big)
				for range calls {
					nr := g.number(p)
					var args [6]uint64
					for i := range args {
						args[i] = g.value()
					}
					want := p.Decide(uintptr(nr), args)
					if m.narrow {
						for i := range args {
							args[i] &= Int
						}
					}
					if got := vm.run(t, m.audit, nr, args); got != want {
						t.Fatalf("seed %d: call %d with %#x: the instructions say %v, the rules %v\n%s", seed, nr, args, got, want, describe(f))
					}
					seen[want]++
				}
				foreign := pick(g.Rand, []uint32{0, m.audit ^ 0x40000000, m.audit ^ 0x80000000, m.audit + 1, g.Uint32()})
				if got := vm.run(t, foreign, g.number(p), [6]uint64{}); got != KillProcess && foreign != m.audit {
					t.Fatalf("seed %d: a call of architecture %#x: got %v, want %v", seed, foreign, got, KillProcess)
				}
			}
			for _, a := range slices.Compact(slices.Sorted(slices.Values(actions))) {
				if seen[a] == 0 {
					t.Errorf("no call has got the answer %v", a)
				}
			}
		})
	}
}

func describe(f *Filter) string {
	s := fmt.Sprintf("default %v\n", f.Default)
	for _, r := range f.Rules {
		s += fmt.Sprintf("%v %v: %v\n", r.Calls, r.Args, r.Action)
	}
	return s
}
