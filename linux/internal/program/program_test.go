//go:build linux

package program

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// runChild makes a child go through steps, and returns how it ended and what the
// steps returned.
func runChild(t *testing.T, handOff bool, steps ...Step) (syscall.WaitStatus, []int) {
	t.Helper()
	type memory struct {
		all, old [2]uint64
		args     uapi.CloneArgs
		steps    [20]Step
	}
	m := new(memory)
	address := func(p unsafe.Pointer) uintptr { return uintptr(p) }
	m.all = [2]uint64{^uint64(0), ^uint64(0)}
	m.args = uapi.CloneArgs{Flags: uapi.CLONE_VM | uapi.CLONE_VFORK, ExitSignal: uint64(syscall.SIGCHLD)}
	size := uintptr(8)
	switch runtime.GOARCH {
	case "mips", "mipsle", "mips64", "mips64le":
		size = 16
	}
	table := append(m.steps[:0],
		Step{Nr: uapi.SYS_RT_SIGPROCMASK, Args: [6]uintptr{unix.SIG_SETMASK, address(unsafe.Pointer(&m.all)), address(unsafe.Pointer(&m.old)), size}},
		Step{Nr: uapi.SYS_CLONE3, Args: [6]uintptr{address(unsafe.Pointer(&m.args)), unsafe.Sizeof(m.args)}},
		Step{Nr: uapi.SYS_RT_SIGPROCMASK, Args: [6]uintptr{unix.SIG_SETMASK, address(unsafe.Pointer(&m.old)), 0, size}},
	)
	for i, s := range steps {
		s.Result = Pending
		if s.Dst == 0 {
			s.Dst = address(unsafe.Pointer(&m.steps[First+i].Result))
		} else { // an argument of the step after
			s.Dst = address(unsafe.Pointer(&m.steps[First+i+1].Args[s.Dst-1]))
		}
		table = append(table, s)
	}
	Run(&m.steps[0], handOff)
	pid := int(table[Clone].Result)
	switch errno := syscall.Errno(-pid); {
	case pid > 0:
	case errno == syscall.ENOSYS, errno == syscall.EPERM:
		t.Skip("clone3: ", errno)
	default:
		t.Fatal("clone3: ", errno)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	var results []int
	for _, s := range table[First:] {
		results = append(results, int(s.Result))
	}
	runtime.KeepAlive(m)
	return status, results
}

const pending = -4095

var fail = Step{Nr: uapi.SYS_CLOSE, Args: [6]uintptr{^uintptr(0)}, Span: AnyValue}

func TestStepsRunUntilOneFails(t *testing.T) {
	status, results := runChild(t, false,
		Step{Nr: uapi.SYS_GETPPID, Span: AnyValue},
		Step{Nr: uapi.SYS_CLOSE, Args: [6]uintptr{^uintptr(0)}, Span: Anything},
		fail,
		Step{Nr: uapi.SYS_GETPID, Span: AnyValue})
	if status.ExitStatus() != ExitStatus {
		t.Errorf("the child ended with %#x, want exit status %d", status, ExitStatus)
	}
	for i, want := range []int{os.Getpid(), -int(syscall.EBADF), -int(syscall.EBADF), pending} {
		if results[i] != want {
			t.Errorf("step %d: got %d, want %d", i, results[i], want)
		}
	}
}

func TestStepDemandsResult(t *testing.T) {
	for _, test := range []struct {
		want uintptr
		next bool
	}{{uintptr(os.Getpid()), true}, {uintptr(os.Getpid()) + 1, false}, {uintptr(os.Getpid()) - 1, false}, {0, false}} {
		_, results := runChild(t, false,
			Step{Nr: uapi.SYS_GETPPID, Low: test.want, Span: 0},
			fail)
		if next := results[1] != pending; next != test.next {
			t.Errorf("demanding %d of getppid, which returned %d: next step run: %v, want %v", test.want, results[0], next, test.next)
		}
	}
}

// A result goes to the argument instead of what was there, and is kept as well.
func TestResultBecomesArgument(t *testing.T) {
	_, results := runChild(t, false,
		Step{Nr: uapi.SYS_GETPID, Span: AnyValue, Dst: 1 + 0}, // argument 0 of
		Step{Nr: unix.SYS_GETPGID, Args: [6]uintptr{^uintptr(0)}, Span: AnyValue},
		fail)
	if results[0] <= 0 || results[0] == os.Getpid() {
		t.Errorf("getpid(): got %d, want the child's ID", results[0])
	}
	if results[1] != unix.Getpgrp() {
		t.Errorf("getpgid(getpid()): got %d, want %d", results[1], unix.Getpgrp())
	}
}

// A futex call has its fifth and sixth argument where they tell, which on some
// architectures is not where the first four are.
func TestSixArguments(t *testing.T) {
	const cmpRequeue = 4 // FUTEX_CMP_REQUEUE
	words := &[2]uint32{1234, 0}
	call := func(second *uint32, value uintptr) Step {
		return Step{Nr: uapi.SYS_FUTEX, Span: Anything, Args: [6]uintptr{
			uintptr(unsafe.Pointer(&words[0])), cmpRequeue, 0, 0, uintptr(unsafe.Pointer(second)), value}}
	}
	_, results := runChild(t, false, call(&words[1], 1234), call(&words[1], 1235), call(nil, 1234), fail)
	runtime.KeepAlive(words)
	if want := []int{0, -int(syscall.EAGAIN), -int(syscall.EFAULT)}; results[0] != want[0] || results[1] != want[1] || results[2] >= 0 {
		t.Errorf("got %d, want %d", results[:3], want)
	}
}

func TestFailedCloneReturns(t *testing.T) {
	args := new(uapi.CloneArgs)
	table := new([First]Step)
	table[Block] = Step{Nr: uapi.SYS_GETPID}
	table[Clone] = Step{Nr: uapi.SYS_CLONE3, Args: [6]uintptr{uintptr(unsafe.Pointer(args)), 1}}
	table[Unblock] = Step{Nr: uapi.SYS_GETPID}
	Run(&table[0], false)
	runtime.KeepAlive(args)
	if errno := syscall.Errno(-table[Clone].Result); errno != syscall.EINVAL && errno != syscall.ENOSYS && errno != syscall.EPERM {
		t.Errorf("got %v, want %v", errno, syscall.EINVAL)
	}
}

// The signals that were blocked before are blocked after.
func TestRunRestoresSignalMask(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after, was unix.Sigset_t
	unix.PthreadSigmask(unix.SIG_SETMASK, &before, &was)
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &was, nil)
	runChild(t, false, fail)
	unix.PthreadSigmask(unix.SIG_BLOCK, nil, &after)
	if before != after {
		t.Errorf("signal mask: got %v, want %v as before", after, before)
	}
}

// OriginalNofile is what the parent of this test has, unless that is a Go
// program that has raised it: then it is at least a limit.
func TestOriginalNofile(t *testing.T) {
	if OriginalNofile.Max == 0 || OriginalNofile.Cur > OriginalNofile.Max {
		t.Errorf("got %+v", OriginalNofile)
	}
	if got, want := RlimitNofile(), uintptr(syscall.RLIMIT_NOFILE); got != want {
		t.Errorf("RLIMIT_NOFILE: got %d, want %d", got, want)
	}
}

// While the child sleeps before its program, so does the thread that has created
// it, but no other goroutine, even if there is but one processor for them, and
// not the garbage collector.
func TestOthersRunWhileChildIsInFlight(t *testing.T) {
	for _, handOff := range []bool{true, false} {
		for _, procs := range []int{1, 4} {
			t.Run(fmt.Sprintf("handOff=%v procs=%d", handOff, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				// The child waits for the end of the pipe, which only another
				// goroutine can bring about.
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				buf, in, out := new([1]byte), r.Fd(), w.Fd()
				go func() {
					runtime.GC()
					w.Close()
				}()
				_, results := runChild(t, handOff,
					Step{Nr: uapi.SYS_CLOSE, Args: [6]uintptr{out}, Span: Anything},
					Step{Nr: uapi.SYS_READ, Args: [6]uintptr{in, uintptr(unsafe.Pointer(buf)), 1}, Span: AnyValue},
					fail)
				runtime.KeepAlive(buf)
				if results[1] != 0 {
					t.Errorf("read: got %d, want 0", results[1])
				}
			})
		}
	}
}

// The number of RLIMIT_NOFILE is 7 but on mips, in the kernel's headers of all
// architectures.
func TestNumberOfTheLimitOnFiles(t *testing.T) {
	for _, goarch := range []string{"386", "amd64", "arm", "arm64", "loong64", "ppc64", "ppc64le", "riscv64", "s390x"} {
		if got := rlimitNofile(goarch); got != 7 {
			t.Errorf("%s: got %d, want 7", goarch, got)
		}
	}
	for _, goarch := range []string{"mips", "mipsle", "mips64", "mips64le"} {
		if got := rlimitNofile(goarch); got != 5 {
			t.Errorf("%s: got %d, want 5", goarch, got)
		}
	}
}
