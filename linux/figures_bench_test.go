//go:build linux

package linux_test

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
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
	helper := confiner(b)
	between := func() error {
		h := osexec.Cmd{Path: helper, Args: []string{helper, path}, Env: []string{}}
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

// confiner builds testdata/confiner, or skips where it cannot.
func confiner(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "confiner")
	if out, err := osexec.Command("go", "build", "-o", bin, "./testdata/confiner").CombinedOutput(); err != nil {
		t.Skipf("no confiner: %v\n%s", err, out)
	}
	return bin
}

// TestConfiner sees that what is compared with is confined, too.
func TestConfiner(t *testing.T) {
	needLandlock(t, readExecute)
	file := filepath.Join(t.TempDir(), "file")
	test, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plain, confined := child("how confined", file), child("how confined", file)
	confined.Path, confined.Exec = confiner(t), nil
	confined.Args = append([]string{"confiner", test}, confined.Args[1:]...)
	for _, test := range []struct {
		child *linux.Child
		want  string
	}{
		{plain, "NoNewPrivs 0, Seccomp 0, may write true"},
		{confined, "NoNewPrivs 1, Seccomp 2, may write false"},
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
