//go:build linux

package linux_test

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// Benchmarks of the pictures that `make bench-report` draws. All variants of one
// take turns in one run, each in a process of its own where what one does might
// slow down another, and how much they do depends on no -benchtime.

func byLinuxExec(program string) func() error {
	return func() error {
		c := exec.Cmd{Path: program, Args: []string{program}, Env: []string{}}
		if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}
}

// A figureVariant is one line or bar of a picture.
type figureVariant struct {
	name string
	turn func() []time.Duration
}

// inTurns lets variants create children in turns, and reports the percentiles of
// each.
func inTurns(b *testing.B, rounds int, variants []figureVariant) {
	times := make([][]time.Duration, len(variants))
	for round := range rounds {
		for i := range variants {
			i := (i + round) % len(variants) // nobody is always the first after somebody
			times[i] = append(times[i], variants[i].turn()...)
		}
	}
	for i, v := range variants {
		reportLine(b, v.name, metrics{"p10-us": percentile(times[i], 10), "p50-us": percentile(times[i], 50), "p90-us": percentile(times[i], 90)})
	}
}

// BenchmarkFigureSpawn creates a child and waits for it, by each of the ways
// there are.
func BenchmarkFigureSpawn(b *testing.B) {
	path := needTiny(b)
	var variants []figureVariant
	for _, name := range []string{"clone3", "linux-exec", "StartProcess", "os-exec"} {
		m := newMaker(b, circumstances{}, nil)
		variants = append(variants, figureVariant{name, func() []time.Duration { return m.do(b, job{Way: name, Program: path, N: turn}).Times }})
	}
	if inC := cPeers(b); inC != nil {
		for name, how := range map[string]string{"c-posix_spawn": "posix_spawn", "c-clone3": "clone3"} {
			peer := inC(how, path, circumstances{})
			variants = append(variants, figureVariant{name, func() []time.Duration { return peer.do(b, turn) }})
		}
	}
	inTurns(b, 100, variants)
}

// BenchmarkFigureDescriptors creates children from programs that have more and
// more descriptors open.
func BenchmarkFigureDescriptors(b *testing.B) {
	path := needTiny(b)
	inC := cPeers(b)
	var variants []figureVariant
	for _, n := range []int{10, 100, 1000, 3000, 10000} {
		c := circumstances{Descriptors: n}
		m := newMaker(b, c, nil)
		for _, name := range []string{"clone3", "os-exec"} {
			variants = append(variants, figureVariant{fmt.Sprint(name, "/", n), func() []time.Duration {
				return m.do(b, job{Way: name, Program: path, N: turn}).Times
			}})
		}
		if inC != nil {
			peer := inC("clone3", path, c)
			variants = append(variants, figureVariant{fmt.Sprint("c-clone3/", n), func() []time.Duration { return peer.do(b, turn) }})
		}
	}
	inTurns(b, 30, variants)
}

// BenchmarkFigureHeap creates children in a new user namespace, from programs
// that use more and more memory.
func BenchmarkFigureHeap(b *testing.B) {
	path := needTiny(b)
	var variants []figureVariant
	for _, gib := range []int{0, 1, 2, 4} {
		if freeGiB() < gib+2 {
			b.Logf("too little memory for %d GiB", gib)
			continue
		}
		m := newMaker(b, circumstances{GiB: gib}, nil)
		for name, n := range map[string]int{"clone3-user": turn, "os-exec-user": max(1, turn/(1+10*gib))} {
			variants = append(variants, figureVariant{fmt.Sprint(name, "/", gib), func() []time.Duration {
				return m.do(b, job{Way: name, Program: path, N: n}).Times
			}})
		}
	}
	inTurns(b, 20, variants)
}

// BenchmarkFigureConfined creates children that may read and execute files
// alone, and make no system call of those that seccomp.Default refuses: by one
// of them, by both; and by a program in between, which confines itself and
// executes the child, as it is done without this package.
func BenchmarkFigureConfined(b *testing.B) {
	path := needTiny(b)
	filter := defaultFilter(b)
	c := linux.Child{Path: path, Env: []string{}, Flags: linux.NoNewPrivs, Landlock: &readExecute}
	if p, err := linux.Clone3(background, &c); err != nil {
		b.Skip(err)
	} else {
		p.Wait(background)
		p.Close()
	}
	variant := func(name string, create func() error, n int) figureVariant {
		return figureVariant{name, func() []time.Duration {
			times := make([]time.Duration, n)
			for i := range times {
				start := time.Now()
				if err := create(); err != nil {
					b.Fatalf("%s: %v", name, err)
				}
				times[i] = time.Since(start)
			}
			return times
		}}
	}
	between := func() error {
		h := osexec.Command("/proc/self/exe", path)
		h.Env = helperEnv("confine myself")
		if err := h.Run(); err == nil || h.ProcessState.ExitCode() != 1 {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}
	inTurns(b, 40, []figureVariant{
		variant("plain", byClone3(linux.Child{})(path), turn),
		variant("nonewprivs", byClone3(linux.Child{Flags: linux.NoNewPrivs})(path), turn),
		variant("landlock", byClone3(linux.Child{Flags: linux.NoNewPrivs, Landlock: &readExecute})(path), turn),
		variant("seccomp", byClone3(linux.Child{Flags: linux.NoNewPrivs, Seccomp: filter})(path), turn),
		variant("both", byClone3(linux.Child{Flags: linux.NoNewPrivs, Landlock: &readExecute, Seccomp: filter})(path), turn),
		variant("os-exec", byExec(nil)(path), turn),
		variant("os-exec-helper", between, turn/4),
	})
}

var readExecute = landlock.Rules{ABI: 1, Paths: landlock.ReadExecute("/")}

func defaultFilter(t testing.TB) *seccomp.Program {
	t.Helper()
	filter, err := seccomp.Default().Compile()
	if err != nil {
		t.Fatal(err)
	}
	return filter
}

var _ = helper("confine myself", func(args []string) int {
	// A helper is on the first thread, which executes the program at the end.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fail("no_new_privs: %v", err)
	}
	rules, err := readExecute.Resolve(1)
	if err != nil {
		return fail("landlock: %v", err)
	}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules.Attr)), rules.Size, 0)
	if errno != 0 {
		return fail("landlock: %v", errno)
	}
	for _, p := range rules.Paths {
		fd, err := unix.Open(p.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return fail("%s: %v", p.Path, err)
		}
		var beneath uapi.LandlockPathBeneathAttr
		beneath.SetAllowedAccess(uint64(p.Allowed))
		beneath.SetParentFd(int32(fd))
		if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, uapi.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&beneath)), 0, 0, 0); errno != 0 {
			return fail("landlock: %v", errno)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fail("landlock: %v", errno)
	}
	filter, err := seccomp.Default().Compile()
	if err != nil {
		return fail("seccomp: %v", err)
	}
	instructions := filter.Instructions()
	program := unix.SockFprog{Len: uint16(len(instructions)), Filter: (*unix.SockFilter)(unsafe.Pointer(&instructions[0]))}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fail("seccomp: %v", err)
	}
	runtime.KeepAlive(instructions)
	if len(args) > 1 { // the program is this one, and runs another helper
		return fail("%v", unix.Exec(args[0], append([]string{"helper"}, args[2:]...), helperEnv(args[1])))
	}
	return fail("%v", unix.Exec(args[0], args, []string{}))
})

// TestConfinesMyself sees that what is compared with is confined, too.
func TestConfinesMyself(t *testing.T) {
	needLandlock(t, readExecute)
	file := filepath.Join(t.TempDir(), "file")
	for _, test := range []struct {
		child *linux.Child
		want  string
	}{
		{child("how confined", file), "NoNewPrivs 0, Seccomp 0, may write true"},
		{child("confine myself", "/proc/self/exe", "how confined", file), "NoNewPrivs 1, Seccomp 2, may write false"},
	} {
		if got, _ := output(t, test.child); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

var _ = helper("how confined", func(args []string) int {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return fail("%v", err)
	}
	var nnp, filter int
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "NoNewPrivs: %d", &nnp)
		fmt.Sscanf(line, "Seccomp: %d", &filter)
	}
	err = os.WriteFile(args[0], nil, 0o600)
	fmt.Printf("NoNewPrivs %d, Seccomp %d, may write %v", nnp, filter, err == nil)
	return 0
})
