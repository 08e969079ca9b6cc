//go:build linux

package seccomp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// Filters hold for good, so it is the test binary, executed once more, that
// installs them: with this variable set it runs the probe of that name, and
// never tests.
const probeVar = "CLONE3_SECCOMP_PROBE"

// controlVar makes the calls of a probe without its filter.
const controlVar = "CLONE3_SECCOMP_CONTROL"

func TestMain(m *testing.M) {
	name, ok := os.LookupEnv(probeVar)
	if !ok {
		os.Exit(m.Run())
	}
	// Thread-directed answers are to reach the thread that has the filter.
	runtime.LockOSThread()
	if os.Getenv(controlVar) == "" {
		filter := probes[name].filter
		p, err := filter.Compile()
		if err == nil {
			err = install(p)
		}
		if err != nil {
			fmt.Println("no filter:", err)
			os.Exit(1)
		}
	}
	for _, c := range probes[name].calls {
		_, _, errno := syscall.RawSyscall6(number(c.name), c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5])
		fmt.Println(int(errno))
	}
	os.Exit(0)
}

// install gives the filter to all threads of this process.
func install(p *Program) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	code := p.Instructions()
	prog := struct {
		n    uint16
		code *Instruction
	}{uint16(len(code)), &code[0]}
	flags := uintptr(p.Flags()) | uapi.SECCOMP_FILTER_FLAG_TSYNC
	n, _, errno := syscall.Syscall(uapi.SYS_SECCOMP, uapi.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	if n != 0 {
		return fmt.Errorf("thread %d has another filter", n)
	}
	return nil
}

// An Instruction is laid out as the kernel's.
var _ = [1]struct{}{}[unsafe.Sizeof(Instruction{})-8]

// number returns that of a call by its name.
func number(name string) uintptr {
	nr, ok := uapi.SyscallNumber(name)
	if !ok {
		panic("no system call is named " + name)
	}
	return nr
}

// A call is made under a filter, and ends with this error.
type call struct {
	name string
	args [6]uintptr
	want syscall.Errno
}

// testErrno is an error that none of these calls has.
const testErrno = syscall.Errno(99)

var wide = ^uintptr(0)>>32 != 0

// A probe is a filter and calls under it. The last may end the process.
type probe struct {
	filter Filter
	calls  []call
	end    string // of the process, at its last call; "" for none
}

func allowBut(rules ...Rule) Filter { return Filter{Default: Allow, Rules: rules} }

// lseek of a descriptor that there is not looks at none of its other arguments.
func lseekIf(a Arg) Filter {
	return allowBut(Rule{Calls: []string{"lseek"}, Args: []Arg{a}, Action: Errno(testErrno)})
}

// seek is an lseek with this second argument, of which half is the upper half
// where there is one.
func seek(low, half uintptr, want syscall.Errno) call {
	return call{"lseek", [6]uintptr{^uintptr(0), uintptr(uint64(low) | uint64(half)<<32)}, want}
}

const bad = syscall.EBADF

// badCall is how a process ends that SIGSYS kills; Go's runtime handles it else.
const badCall = "signal: bad system call"

var probes = map[string]probe{
	"errno": {allowBut(
		Rule{Calls: []string{"sync", "getppid"}, Action: Errno(syscall.EPERM)},
		Rule{Calls: []string{"@keyring"}, Action: Errno(testErrno)},
	), []call{
		{"sync", [6]uintptr{}, syscall.EPERM}, {"getppid", [6]uintptr{}, syscall.EPERM}, {"keyctl", [6]uintptr{}, testErrno},
		{"request_key", [6]uintptr{}, testErrno}, {"getpid", [6]uintptr{}, 0}, {"lseek", [6]uintptr{^uintptr(0)}, bad},
	}, ""},
	"done without": {allowBut(Rule{Calls: []string{"lseek"}, Action: Errno(0)}), []call{seek(0, 0, 0)}, ""},
	"clone3": {allowBut(NoUserNamespaces()...), []call{
		{"clone3", [6]uintptr{0, 0}, syscall.ENOSYS}, {"unshare", [6]uintptr{uapi.CLONE_NEWUSER}, syscall.EPERM},
		{"unshare", [6]uintptr{0}, 0}, {"setns", [6]uintptr{^uintptr(0), 0}, syscall.EPERM},
		{"setns", [6]uintptr{^uintptr(0), uapi.CLONE_NEWNET}, bad},
	}, ""},
	"equal": {lseekIf(Arg{Index: 1, Value: 5 | 3<<32}), []call{
		seek(5, 3, onlyWide(testErrno)), seek(5, 0, bad), seek(5, 2, bad), seek(4, 3, bad),
	}, ""},
	"equal, of a half": {lseekIf(Arg{Index: 1, Mask: Int, Value: 5}), []call{
		seek(5, 0, testErrno), seek(5, 3, testErrno), seek(4, 0, bad),
	}, ""},
	"not equal": {lseekIf(Arg{Index: 1, Op: NotEqual, Value: 5}), []call{
		seek(5, 0, bad), seek(5, 1, onlyWide(testErrno)), seek(6, 0, testErrno),
	}, ""},
	"less": {lseekIf(Arg{Index: 1, Op: Less, Value: 5 | 3<<32}), []call{
		seek(4, 3, testErrno), seek(5, 3, notWide(testErrno)), seek(9, 2, testErrno), seek(0, 4, notWide(testErrno)),
	}, ""},
	"less or equal": {lseekIf(Arg{Index: 1, Op: LessEqual, Value: 5 | 3<<32}), []call{
		seek(5, 3, testErrno), seek(6, 3, notWide(testErrno)), seek(9, 2, testErrno), seek(0, 4, notWide(testErrno)),
	}, ""},
	"greater": {lseekIf(Arg{Index: 1, Op: Greater, Value: 5 | 3<<32}), []call{
		seek(6, 3, onlyWide(testErrno)), seek(5, 3, bad), seek(9, 2, bad), seek(0, 4, onlyWide(testErrno)),
	}, ""},
	"greater or equal": {lseekIf(Arg{Index: 1, Op: GreaterEqual, Value: 5 | 3<<32}), []call{
		seek(5, 3, onlyWide(testErrno)), seek(4, 3, bad), seek(9, 2, bad), seek(0, 4, onlyWide(testErrno)),
	}, ""},
	"masked": {lseekIf(Arg{Index: 1, Op: MaskedEqual, Mask: 0xf0 | 0xf<<32, Value: 0x50 | 3<<32}), []call{
		seek(0x5f, 3, onlyWide(testErrno)), seek(0x50, 0x13, onlyWide(testErrno)), seek(0x50, 0, bad), seek(0x4f, 3, bad),
	}, ""},
	"all arguments": {allowBut(Rule{Calls: []string{"lseek"}, Action: Errno(testErrno), Args: []Arg{
		{Index: 0, Mask: Int, Value: Int}, {Index: 1, Value: 7}, {Index: 2, Mask: Int, Op: Greater, Value: 1},
	}}), []call{
		{"lseek", [6]uintptr{^uintptr(0), 7, 2}, testErrno}, {"lseek", [6]uintptr{^uintptr(0), 7, 1}, bad},
		{"lseek", [6]uintptr{^uintptr(0), 8, 2}, bad},
	}, ""},
	"first rule": {allowBut(
		Rule{Calls: []string{"lseek"}, Args: []Arg{{Index: 1, Value: 1}}, Action: Allow},
		Rule{Calls: []string{"lseek"}, Args: []Arg{{Index: 1, Op: Less, Value: 9}}, Action: Errno(98)},
		Rule{Calls: []string{"@filesystem", "lseek"}, Action: Errno(testErrno)},
	), []call{seek(1, 0, bad), seek(2, 0, 98), seek(9, 0, testErrno), {"chdir", [6]uintptr{}, testErrno}}, ""},
	"kill":         {allowBut(Rule{Calls: []string{"sync"}}), []call{{"getpid", [6]uintptr{}, 0}, {"sync", [6]uintptr{}, 0}}, badCall},
	"trap":         {allowBut(Rule{Calls: []string{"sync"}, Action: Trap}), []call{{"sync", [6]uintptr{}, 0}}, "exit status 2"},
	"notify":       {allowBut(Rule{Calls: []string{"sync"}, Action: Notify}), []call{{"sync", [6]uintptr{}, syscall.ENOSYS}}, ""},
	"log":          {Filter{Default: Allow, Log: true, Rules: []Rule{{Calls: []string{"lseek"}, Action: Log}}}, []call{seek(0, 0, bad)}, ""},
	"zero filter":  {Filter{}, []call{{"getpid", [6]uintptr{}, 0}}, badCall},
	"Default":      {*Default(), []call{{"mount", [6]uintptr{}, syscall.EPERM}, {"clone3", [6]uintptr{}, syscall.ENOSYS}, {"lseek", [6]uintptr{^uintptr(0)}, bad}}, ""},
	"long program": {longFilter(), []call{{"lseek", [6]uintptr{^uintptr(0), 700}, testErrno}, {"lseek", [6]uintptr{^uintptr(0), 1}, bad}, {"sync", [6]uintptr{1}, testErrno}}, ""},
}

// onlyWide is the answer where arguments have 64 bits; on others the upper halves
// of the calls here are lost, and the conditions do not hold.
func onlyWide(errno syscall.Errno) syscall.Errno {
	if wide {
		return errno
	}
	return bad
}

// notWide is the answer where arguments have 32 bits.
func notWide(errno syscall.Errno) syscall.Errno {
	if wide {
		return bad
	}
	return errno
}

// longFilter is one whose jumps have to go further than a jump can.
func longFilter() Filter {
	var rules []Rule
	for _, name := range []string{"lseek", "sync"} {
		for i := range uint64(400) {
			rules = append(rules, Rule{Calls: []string{name}, Args: []Arg{{Index: int(i % 2), Mask: Int, Value: 301 + i}}, Action: Errno(testErrno)})
		}
	}
	return allowBut(append(rules, Rule{Calls: []string{"sync"}, Action: Errno(testErrno)})...)
}

// probed runs a probe, and returns what its calls have answered, and how it ends.
func probed(t *testing.T, name string, env ...string) ([]string, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), env...), probeVar+"="+name, "GORACE=atexit_sleep_ms=0", "GOTRACEBACK=none")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(out), "no filter: ") {
		t.Fatalf("%s", out)
	}
	end, _ := strings.CutSuffix(cmd.ProcessState.String(), " (core dumped)")
	return strings.Fields(string(out)), end
}

// The kernel takes what is compiled, and does as the rules say. Without the
// filter the same calls answer otherwise: else they would prove nothing.
func TestKernelDecidesAsTheRules(t *testing.T) {
	for name, test := range probes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, end := probed(t, name)
			control, controlEnd := probed(t, name, controlVar+"=1")
			calls := test.calls
			if test.end == "" {
				test.end = "exit status 0"
			} else {
				calls = calls[:len(calls)-1]
			}
			if end != test.end || controlEnd != "exit status 0" {
				t.Errorf("the process ends with %q, without the filter with %q, want %q", end, controlEnd, test.end)
			}
			if len(got) != len(calls) || len(control) != len(test.calls) {
				t.Fatalf("got %v, without the filter %v, want %d answers", got, control, len(calls))
			}
			for i, c := range calls {
				want := strconv.Itoa(int(c.want))
				if got[i] != want {
					t.Errorf("%s%v: got %s, want %d (%v)", c.name, c.args, got[i], int(c.want), c.want)
				}
				byFilter := c.want != bad && (c.want != 0 || name == "done without")
				switch same := control[i] == want; {
				case same == !byFilter:
				case same && hidden[c.name] == c.want:
					t.Logf("%s is kept from this program anyway", c.name)
				default:
					t.Errorf("%s%v without the filter: got %s, with it %s", c.name, c.args, control[i], got[i])
				}
			}
		})
	}
}

// What may answer so without a filter: for a user who may not, or in a container.
var hidden = map[string]syscall.Errno{
	"mount": syscall.EPERM, "clone3": syscall.ENOSYS, "unshare": syscall.EPERM, "keyctl": syscall.EPERM, "request_key": syscall.EPERM,
}
