package seccomp

import (
	"encoding/binary"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// script has libseccomp compile filters: of each line it takes the default
// action, then number, action, and conditions of each rule, and writes the
// instructions, as bytes.
const script = `
import ctypes, os, sys
lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
class Cmp(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
lib.seccomp_init.restype = ctypes.c_void_p
lib.seccomp_init.argtypes = [ctypes.c_uint32]
lib.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Cmp)]
lib.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
lib.seccomp_release.argtypes = [ctypes.c_void_p]
for line in sys.stdin:
    default, *rules = line.split(";")
    ctx = lib.seccomp_init(int(default))
    for rule in rules:
        nr, action, *conditions = rule.split(",")
        args = [Cmp(*map(int, c.split(":"))) for c in conditions]
        status = lib.seccomp_rule_add_array(ctx, int(action), int(nr), len(args), (Cmp * max(1, len(args)))(*args))
        if status: sys.exit("rule %s: %d" % (rule, status))
    r, w = os.pipe()
    status = lib.seccomp_export_bpf(ctx, w)
    if status: sys.exit("export: %d" % status)
    os.close(w)
    out = b""
    while part := os.read(r, 65536): out += part
    os.close(r)
    lib.seccomp_release(ctx)
    print(out.hex())
`

// libseccomp's numbers of what compares.
var theirOps = [...]int{Equal: 4, NotEqual: 1, Less: 2, LessEqual: 3, Greater: 6, GreaterEqual: 5, MaskedEqual: 7}

// Filters mean to libseccomp what they mean here, as far as it has them: one rule
// for a call, and one condition for an argument.
func TestVerdictsOfLibseccomp(t *testing.T) {
	if err := exec.Command("python3", "-c", `import ctypes; ctypes.CDLL("libseccomp.so.2")`).Run(); err != nil {
		t.Skip("there is no libseccomp, or no Python to call it:", err)
	}
	m, ok := machinesOf(t)[runtime.GOARCH]
	if !ok || runtime.GOARCH == "386" { // there it is libseccomp for amd64 that is found
		t.Skip("libseccomp is of another architecture")
	}
	const filters, calls = 200, 1000
	theirs := func(a Action) Action {
		if a == Errno(maxErrno) {
			return Errno(maxErrno - 1) // the last is too high for libseccomp
		}
		return a
	}
	var programs []*Program
	var generators []*generator
	var lines strings.Builder
	for seed := range uint64(filters) {
		g := newGenerator(seed, m)
		f := &Filter{Default: theirs(pick(g.Rand, actions))}
		g.Shuffle(len(g.names), func(i, j int) { g.names[i], g.names[j] = g.names[j], g.names[i] })
		lines.WriteString(strconv.FormatUint(uint64(f.Default.Value()), 10))
		for _, name := range g.names[:1+g.IntN(40)] {
			r := Rule{Calls: []string{name}, Action: theirs(pick(g.Rand, actions))}
			if r.Action == f.Default {
				continue // which libseccomp refuses
			}
			lines.WriteString(";" + strconv.Itoa(int(m.numbers[name])) + "," + strconv.FormatUint(uint64(r.Action.Value()), 10))
			for index := range g.IntN(4) {
				a := g.arg()
				if a.Index = index; a.Op != MaskedEqual {
					a.Mask = 0
				}
				r.Args = append(r.Args, a)
				first, second := a.Value, uint64(0)
				if a.Op == MaskedEqual {
					first, second = a.Mask, a.Value
				}
				for i, v := range []uint64{uint64(index), uint64(theirOps[a.Op]), first, second} {
					lines.WriteString([]string{",", ":", ":", ":"}[i] + strconv.FormatUint(v, 10))
				}
			}
			f.Rules = append(f.Rules, r)
		}
		lines.WriteString("\n")
		p, err := f.compile(m)
		if err != nil {
			t.Fatal(err)
		}
		programs, generators = append(programs, p), append(generators, g)
	}
	cmd := exec.Command("python3", "-c", script)
	cmd.Stdin = strings.NewReader(lines.String())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	compiled := strings.Fields(string(out))
	if len(compiled) != filters {
		t.Fatalf("libseccomp has compiled %d filters of %d", len(compiled), filters)
	}
	var ourLength, theirLength int
	for i, p := range programs {
		code := decodeCode(t, compiled[i])
		ourLength, theirLength = ourLength+len(p.code), theirLength+len(code)
		vm, g := newVirtual(t, code, m.big), generators[i]
		for range calls {
			nr := g.number(p)
			for nr >= x32Bit {
				nr = g.number(p)
			}
			var args [6]uint64
			for i := range args {
				args[i] = g.value()
			}
			if got, want := p.Decide(uintptr(nr), args), vm.run(t, m.audit, nr, args); got != want {
				t.Fatalf("filter %d, call %d with %#x: got %v, libseccomp says %v\n%s", i, nr, args, got, want, strings.Split(lines.String(), "\n")[i])
			}
		}
	}
	t.Logf("%d instructions, libseccomp %d", ourLength, theirLength)
}

func decodeCode(t *testing.T, text string) []Instruction {
	var raw []byte
	for pair := range slices.Chunk([]byte(text), 2) {
		v, err := strconv.ParseUint(string(pair), 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, byte(v))
	}
	var code []Instruction
	for b := range slices.Chunk(raw, 8) {
		code = append(code, Instruction{binary.NativeEndian.Uint16(b), b[2], b[3], binary.NativeEndian.Uint32(b[4:])})
	}
	return code
}
