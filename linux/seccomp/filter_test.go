package seccomp

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// What is wrong with a filter is an error that names the rule and what to do.
func TestCompileRefuses(t *testing.T) {
	m := machinesOf(t)["amd64"]
	good := Rule{Calls: []string{"read"}, Action: Allow}
	arg := func(a Arg) []Rule {
		return []Rule{good, {Calls: []string{"read"}, Args: []Arg{{}, a}, Action: Allow}}
	}
	for name, test := range map[string]struct {
		filter Filter
		rule   int
		call   string
		want   string
	}{
		"no calls":           {Filter{Rules: []Rule{good, {Action: Allow}}}, 1, "", "it names no system call"},
		"no such call":       {Filter{Rules: []Rule{{Calls: []string{"read", "opemat"}}}}, 0, "opemat", `no system call is named "opemat": did you mean "openat"?`},
		"letters":            {Filter{Rules: []Rule{{Calls: []string{"OpenAt"}}}}, 0, "OpenAt", `did you mean "openat"?`},
		"constant":           {Filter{Rules: []Rule{{Calls: []string{"xyzzyplugh"}}}}, 0, "xyzzyplugh", `no system call is named "xyzzyplugh"`},
		"empty name":         {Filter{Rules: []Rule{{Calls: []string{""}}}}, 0, "", `no system call is named ""`},
		"no such set":        {Filter{Rules: []Rule{good, good, {Calls: []string{"@mounts"}}}}, 2, "@mounts", `no set of system calls is named "@mounts": did you mean "@mount"?`},
		"index below":        {Filter{Rules: arg(Arg{Index: -1})}, 1, "", "argument -1: system calls have arguments 0 to 5"},
		"index above":        {Filter{Rules: arg(Arg{Index: 6})}, 1, "", "argument 6: system calls have arguments 0 to 5"},
		"operation":          {Filter{Rules: arg(Arg{Op: 7})}, 1, "", "unknown comparison"},
		"no mask":            {Filter{Rules: arg(Arg{Op: MaskedEqual, Value: 1})}, 1, "", "has no mask"},
		"never equal":        {Filter{Rules: arg(Arg{Mask: Int, Value: 1 << 32})}, 1, "", "never equal"},
		"never masked equal": {Filter{Rules: arg(Arg{Op: MaskedEqual, Mask: 1, Value: 3})}, 1, "", "never equal"},
		"always not equal":   {Filter{Rules: arg(Arg{Op: NotEqual, Mask: 1, Value: 3})}, 1, "", "never equal"},
		"errno":              {Filter{Rules: []Rule{{Calls: []string{"read"}, Action: Errno(4096)}}}, 0, "", "from 0 to 4095"},
		"errno below":        {Filter{Rules: []Rule{{Calls: []string{"read"}, Action: Errno(-1)}}}, 0, "", "from 0 to 4095"},
		"errno, far":         {Filter{Default: Errno(1 << 16)}, -1, "", "from 0 to 4095"},
		"default":            {Filter{Default: 12345}, -1, "", "is unknown"},
		"action":             {Filter{Rules: []Rule{{Calls: []string{"read"}, Action: Allow + 1}}}, 0, "", "is unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := test.filter.compile(m)
			var e *Error
			if p != nil || !errors.As(err, &e) || !errors.Is(err, syscall.EINVAL) {
				t.Fatalf("got %v, %v, want an Error", p, err)
			}
			if e.Rule != test.rule || e.Call != test.call || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got rule %d, call %q, %v; want rule %d, call %q, %s", e.Rule, e.Call, err, test.rule, test.call, test.want)
			}
			if names := strings.Contains(err.Error(), "rule "); names != (test.rule >= 0) {
				t.Errorf("%v names a rule: %v", err, names)
			}
		})
	}
}

// Names that other architectures have are ignored, and the rule holds for the rest.
func TestNamesOfOtherArchitectures(t *testing.T) {
	for arch, m := range machinesOf(t) {
		p, err := (&Filter{Rules: []Rule{
			{Calls: knownNames(), Args: []Arg{{Value: 1}}, Action: Errno(2)},
			{Calls: []string{"riscv_hwprobe", "s390_sthyi", "vm86", "get_tls", "spu_run", "sysmips"}, Action: Errno(1)},
			{Calls: []string{"open", "openat"}, Action: Allow},
		}}).compile(m)
		if err != nil {
			t.Errorf("%s: %v", arch, err)
			continue
		}
		if got := p.Decide(uintptr(m.numbers["openat"]), [6]uint64{}); got != Allow {
			t.Errorf("%s: openat: got %v, want allow", arch, got)
		}
	}
}

// A filter is as long as the kernel takes, and no longer.
func TestLongestFilter(t *testing.T) {
	m := machinesOf(t)["arm64"]
	f := &Filter{Default: Allow}
	last := 0
	for i := range uint64(4096) {
		f.Rules = append(f.Rules, Rule{Calls: []string{"read"}, Args: []Arg{{Value: i<<32 | i}}, Action: Errno(int(i%7 + 1))})
		p, err := f.compile(m)
		if err != nil {
			if !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "4096") {
				t.Errorf("got error %v", err)
			}
			break
		}
		last = len(p.Instructions())
	}
	if last < 4090 || last > 4096 {
		t.Errorf("the longest filter has %d instructions, want almost 4096", last)
	}
}

// Where a jump does not reach, there is a way on: each length of a body, and each
// number of calls, around all multiples of what a jump reaches.
func TestJumpsOfEveryLength(t *testing.T) {
	m := machinesOf(t)["amd64"]
	for n := 1; n < 300; n++ {
		f := &Filter{Default: Allow}
		for i := range n {
			f.Rules = append(f.Rules, Rule{
				Calls: []string{"read"}, Args: []Arg{{Index: 1, Mask: Int, Value: uint64(i)}, {Index: 0, Op: Less, Value: 1}}, Action: Errno(i),
			})
		}
		p, err := f.compile(m)
		if err != nil {
			t.Fatal(err)
		}
		checkCode(t, p.code)
		vm := newVirtual(t, p.code, m.big)
		for i := range n + 1 {
			want := Errno(i)
			if i == n {
				want = Allow
			}
			if got := vm.run(t, m.audit, m.numbers["read"], [6]uint64{0, uint64(i)}); got != want {
				t.Fatalf("%d rules, argument %d: got %v, want %v", n, i, got, want)
			}
			if got := vm.run(t, m.audit, m.numbers["read"], [6]uint64{1, uint64(i)}); got != Allow {
				t.Fatalf("%d rules, argument %d, first 1: got %v, want %v", n, i, got, Allow)
			}
		}
	}
	names := slices.DeleteFunc(knownNames(), func(name string) bool { _, ok := m.numbers[name]; return !ok })
	for n := 0; n <= len(names); n += 7 {
		f := &Filter{Default: Allow}
		for i, name := range names[:n] {
			f.Rules = append(f.Rules, Rule{Calls: []string{name}, Action: Errno(i)})
		}
		p, err := f.compile(m)
		if err != nil {
			t.Fatal(err)
		}
		checkCode(t, p.code)
		vm := newVirtual(t, p.code, m.big)
		for i, name := range names {
			want := Errno(i)
			if i >= n {
				want = Allow
			}
			if got := vm.run(t, m.audit, m.numbers[name], [6]uint64{}); got != want {
				t.Fatalf("%d calls, %s: got %v, want %v", n, name, got, want)
			}
		}
	}
}

// The calls that socketcall and ipc make are treated as those, and strictly where
// their arguments are wanted.
func TestCallsInsideCalls(t *testing.T) {
	m := machinesOf(t)["386"]
	eq := func(v uint64) []Arg { return []Arg{{Mask: Int, Value: v}} }
	const socket, bind, listen = 1, 2, 4
	for name, test := range map[string]struct {
		rules []Rule
		call  string
		arg   uint64
		want  Action
	}{
		"denied":            {[]Rule{{Calls: []string{"socket"}, Action: Errno(1)}}, "socketcall", socket, Errno(1)},
		"another":           {[]Rule{{Calls: []string{"socket"}, Action: Errno(1)}}, "socketcall", bind, Allow},
		"some denied":       {[]Rule{{Calls: []string{"socket"}, Args: eq(16), Action: Errno(1)}}, "socketcall", socket, Errno(1)},
		"some allowed":      {[]Rule{{Calls: []string{"socket"}, Args: eq(1), Action: Allow}, {Calls: []string{"socket"}, Action: Errno(3)}}, "socketcall", socket, Errno(3)},
		"some killed":       {[]Rule{{Calls: []string{"socket"}, Args: eq(1), Action: Errno(3)}, {Calls: []string{"@network"}}}, "socketcall", socket, KillProcess},
		"socketcall before": {[]Rule{{Calls: []string{"socketcall"}, Action: Log}, {Calls: []string{"bind"}, Action: Trap}}, "socketcall", bind, Log},
		"socketcall after":  {[]Rule{{Calls: []string{"bind"}, Action: Trap}, {Calls: []string{"socketcall"}, Action: Log}}, "socketcall", bind, Trap},
		"socketcall, other": {[]Rule{{Calls: []string{"bind"}, Action: Trap}, {Calls: []string{"socketcall"}, Action: Log}}, "socketcall", listen, Log},
		"ipc":               {[]Rule{{Calls: []string{"shmat"}, Action: Errno(1)}}, "ipc", 21, Errno(1)},
		"ipc of a version":  {[]Rule{{Calls: []string{"shmat"}, Action: Errno(1)}}, "ipc", 1<<16 | 21, Errno(1)},
		"itself":            {[]Rule{{Calls: []string{"socket"}, Args: eq(16), Action: Errno(1)}}, "socket", 16, Errno(1)},
		"itself, another":   {[]Rule{{Calls: []string{"socket"}, Args: eq(16), Action: Errno(1)}}, "socket", 2, Allow},
	} {
		p, err := (&Filter{Default: Allow, Rules: test.rules}).compile(m)
		if err != nil {
			t.Fatal(err)
		}
		nr, args := m.numbers[test.call], [6]uint64{test.arg}
		if got := p.Decide(uintptr(nr), args); got != test.want {
			t.Errorf("%s: the rules say %v, want %v", name, got, test.want)
		}
		if got := newVirtual(t, p.code, m.big).run(t, m.audit, nr, args); got != test.want {
			t.Errorf("%s: the instructions say %v, want %v", name, got, test.want)
		}
	}
}

// Who is told that a call is denied is told by which rule.
func TestDecidedBy(t *testing.T) {
	f := &Filter{Default: Allow, Rules: []Rule{
		{Calls: []string{"read"}, Args: []Arg{{Value: 1}}, Action: Errno(1)},
		{Calls: []string{"bind"}, Args: []Arg{{Value: 1}}, Action: Errno(1)},
		{Calls: []string{"@network", "read"}, Action: Errno(2)},
	}}
	for arch, m := range machinesOf(t) {
		p, err := f.compile(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			call string
			arg  uint64
			want int
		}{{"read", 1, 0}, {"read", 2, 2}, {"bind", 1, 1}, {"bind", 2, 2}, {"listen", 1, 2}, {"write", 1, -1}, {"socketcall", 2, 1}, {"socketcall", 3, 2}, {"socketcall", 99, 2}} {
			if nr, ok := m.numbers[test.call]; ok {
				if got := p.DecidedBy(uintptr(nr), [6]uint64{test.arg}); got != test.want {
					t.Errorf("%s: %s(%d): got rule %d, want %d", arch, test.call, test.arg, got, test.want)
				}
			}
		}
		if got := p.DecidedBy(x32Bit, [6]uint64{}); got != -1 {
			t.Errorf("%s: x32: got rule %d, want none", arch, got)
		}
	}
}

// x32 is refused whatever the rules, and what a tracer skips is no x32.
func TestOtherTables(t *testing.T) {
	m := machinesOf(t)["amd64"]
	p, err := (&Filter{Default: Allow}).compile(m)
	if err != nil {
		t.Fatal(err)
	}
	vm := newVirtual(t, p.code, m.big)
	for nr, want := range map[uint32]Action{0: Allow, x32Bit - 1: Allow, x32Bit: KillProcess, x32Bit + 520: KillProcess, skipped - 1: KillProcess, skipped: Allow} {
		if got, code := p.Decide(uintptr(nr), [6]uint64{}), vm.run(t, m.audit, nr, [6]uint64{}); got != want || code != want {
			t.Errorf("%#x: the rules say %v, the instructions %v, want %v", nr, got, code, want)
		}
	}
	if got := vm.run(t, machines["386"].audit, 0, [6]uint64{}); got != KillProcess {
		t.Errorf("a call of 32 bits: got %v, want %v", got, KillProcess)
	}
}

// The same filter gives the same instructions, also at once, and what is returned
// is the caller's.
func TestCompileIsDeterministic(t *testing.T) {
	m := machinesOf(t)["arm"]
	f := newGenerator(3, m).filter()
	f.Rules = append(f.Rules, Default().Rules...)
	first, err := f.compile(m)
	if err != nil {
		t.Fatal(err)
	}
	want := first.Instructions()
	first.Instructions()[0].K++
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			p, err := f.compile(m)
			if err != nil || !slices.Equal(p.Instructions(), want) {
				t.Errorf("got other instructions, %v", err)
			}
		})
	}
	wg.Wait()
	if !slices.Equal(first.Instructions(), want) {
		t.Error("a caller has changed the program")
	}
	calls, args := []string{"read"}, []Arg{{Value: 1}}
	p, err := (&Filter{Default: Allow, Rules: []Rule{{Calls: calls, Args: args}}}).compile(m)
	calls[0], args[0].Value = "write", 2
	if err != nil || p.Decide(uintptr(m.numbers["read"]), [6]uint64{1}) != KillProcess {
		t.Error("who has changed the filter has changed the program")
	}
}

// Actions are the kernel's values, say what they are, and the strictest is the one
// that the kernel takes of several.
func TestActions(t *testing.T) {
	order := []Action{KillProcess, KillThread, Trap, Errno(1), Notify, Log, Allow}
	for i, want := range []struct {
		value uint32
		text  string
	}{{0x80000000, "kill process"}, {0, "kill thread"}, {0x30000, "trap"}, {0x50001, "errno 1"}, {0x7fc00000, "notify"}, {0x7ffc0000, "log"}, {0x7fff0000, "allow"}} {
		if got := order[i]; got.Value() != want.value || got.String() != want.text {
			t.Errorf("got %#x, %v, want %#x, %s", got.Value(), got, want.value, want.text)
		}
		for _, later := range order[i:] {
			if stricter(order[i], later) != order[i] || stricter(later, order[i]) != order[i] {
				t.Errorf("%v is not stricter than %v", order[i], later)
			}
		}
	}
	var zero Action
	if zero != KillProcess || Allow.check() != nil || Action(7).check() == nil {
		t.Error("the zero value does not kill the process, or what is an action is not told")
	}
	if n, ok := Errno(38).Errno(); n != 38 || !ok {
		t.Errorf("got %d, %v, want 38", n, ok)
	}
	if n, ok := KillThread.Errno(); ok {
		t.Errorf("%v has the error %d", KillThread, n)
	}
}

// What goes with the instructions.
func TestFlags(t *testing.T) {
	m := machinesOf(t)["amd64"]
	for _, test := range []struct {
		filter   Filter
		flags    uint32
		notifies bool
	}{
		{Filter{}, 0, false},
		{Filter{Log: true}, 2, false},
		{Filter{Rules: []Rule{{Calls: []string{"read"}, Action: Notify}}}, 0, true},
		{Filter{Rules: []Rule{{Calls: []string{"read"}, Action: Allow}, {Calls: []string{"read"}, Action: Notify}}}, 0, false},
	} {
		p, err := test.filter.compile(m)
		if err != nil || p.Flags() != test.flags || p.Notifies() != test.notifies {
			t.Errorf("%+v: got flags %d, notifies %v, %v", test.filter, p.Flags(), p.Notifies(), err)
		}
	}
}

// bytesSource makes choices of what a fuzzer has found, and goes on by chance.
type bytesSource struct {
	bytes []byte
	*rand.PCG
}

func (s *bytesSource) Uint64() uint64 {
	if len(s.bytes) == 0 {
		return s.PCG.Uint64()
	}
	var v uint64
	for i := range min(8, len(s.bytes)) {
		v |= uint64(s.bytes[i]) << (56 - 8*i) // the upper bits decide
	}
	s.bytes = s.bytes[min(2, len(s.bytes)):]
	return v
}

// Whatever the rules: a filter is never too long, jumps nowhere but forward and
// inside, and answers as the rules do. What is refused is refused with a reason.
func FuzzCompile(f *testing.F) {
	machines := machinesOf(f)
	archs := slices.Sorted(func(yield func(string) bool) {
		for arch := range machines {
			if !yield(arch) {
				return
			}
		}
	})
	f.Add([]byte("a filter"), byte(1), "openat", 0, byte(0), uint64(0), uint64(0))
	f.Add([]byte{}, byte(0), "@default", 5, byte(6), uint64(Int), uint64(7))
	f.Add(make([]byte, 300), byte(12), "socket", 1, byte(3), uint64(1)<<63, uint64(0))
	f.Add([]byte{255, 255, 0, 1, 128}, byte(5), "@nosuch", 6, byte(8), uint64(0), uint64(1))
	f.Fuzz(func(t *testing.T, choices []byte, arch byte, name string, index int, op byte, mask, value uint64) {
		m := machines[archs[int(arch)%len(archs)]]
		g := newGenerator(0, m)
		g.Rand = rand.New(&bytesSource{choices, rand.NewPCG(1, 2)})
		filter := g.filter()
		filter.Rules = slices.Insert(filter.Rules, g.IntN(len(filter.Rules)+1), Rule{
			Calls: []string{name}, Args: []Arg{{index, Op(op), mask, value}}, Action: pick(g.Rand, actions),
		})
		p, err := filter.compile(m)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("got error %v", err)
			}
			return
		}
		g.values = append(g.values, value)
		checkCode(t, p.code)
		vm := newVirtual(t, p.code, m.big)
		for range 50 {
			nr := g.number(p)
			var args [6]uint64
			for i := range args {
				if args[i] = g.value(); m.narrow {
					args[i] &= Int
				}
			}
			if got, want := vm.run(t, m.audit, nr, args), p.Decide(uintptr(nr), args); got != want {
				t.Fatalf("call %d with %#x: the instructions say %v, the rules %v\n%s", nr, args, got, want, describe(filter))
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Default().Compile(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	p, err := Default().Compile()
	if err != nil {
		b.Fatal(err)
	}
	nr := uintptr(p.machine.numbers["execveat"])
	for b.Loop() {
		p.Decide(nr, [6]uint64{})
	}
}
