//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	std "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux/exec"
)

// BenchmarkExec measures commands beside those of os/exec. All run the same
// child: as small as a program can be, so that what is measured is this package.
// Under "ratio" both take turns, and the metrics are how many times as long as
// clone3-exec os-exec takes: by the medians; by the fastest tenth, which others on
// the machine disturb less; and by the time of processors of all processes, which
// they hardly do.
func BenchmarkExec(b *testing.B) {
	quiet, kilobyte, bulk := writer(b, 0), writer(b, 1<<10), writer(b, 100<<20)
	for _, kind := range []struct {
		name       string
		bytes      int64
		ours, stds func() error
	}{
		{"nil-stdio", 0,
			func() error { return exec.Command(quiet).Run() },
			func() error { return std.Command(quiet).Run() }},
		{"output-1KB", 1 << 10,
			func() error { return whole(exec.Command(kilobyte).Output()) },
			func() error { return whole(std.Command(kilobyte).Output()) }},
		{"pipe-100MB", 100 << 20,
			func() error { return readAll(exec.Command(bulk)) },
			func() error { return readAll(std.Command(bulk)) }},
		{"combined-1KB", 1 << 10,
			func() error { return whole(exec.Command(kilobyte).CombinedOutput()) },
			func() error { return whole(std.Command(kilobyte).CombinedOutput()) }},
		{"writer-100MB", 100 << 20,
			func() error {
				return count(func(w io.Writer) error { c := exec.Command(bulk); c.Stdout = w; return c.Run() })
			},
			func() error {
				return count(func(w io.Writer) error { c := std.Command(bulk); c.Stdout = w; return c.Run() })
			}},
		{"parallel-8", 0,
			func() error { return eight(func() error { return exec.Command(quiet).Run() }) },
			func() error { return eight(func() error { return std.Command(quiet).Run() }) }},
	} {
		once := func(b *testing.B, run func() error) time.Duration {
			start := time.Now()
			if err := run(); err != nil {
				b.Fatal(err)
			}
			return time.Since(start)
		}
		single := func(run func() error) func(*testing.B) {
			return func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(kind.bytes)
				for b.Loop() {
					once(b, run)
				}
			}
		}
		b.Run("clone3-exec/"+kind.name, single(kind.ours))
		b.Run("os-exec/"+kind.name, single(kind.stds))
		b.Run("ratio/"+kind.name, func(b *testing.B) {
			var took [2][]time.Duration
			var used [2]time.Duration
			for b.Loop() {
				for i, run := range []func() error{kind.ours, kind.stds} {
					before := processorTime()
					took[i] = append(took[i], once(b, run))
					used[i] += processorTime() - before
				}
			}
			slices.Sort(took[0])
			slices.Sort(took[1])
			for name, n := range map[string]int{"x": len(took[0]) / 2, "p10-x": len(took[0]) / 10} {
				b.ReportMetric(float64(took[1][n])/float64(took[0][n]), name)
			}
			b.ReportMetric(float64(used[1])/float64(used[0]), "cpu-x")
			b.ReportMetric(0, "ns/op") // of both together, which says nothing
		})
	}
}

// BenchmarkManyAtOnce runs 2,000 short commands, 64 at a time, with each package
// in turn. The metrics are how many times as long as clone3-exec os-exec takes for
// all of them, for the median and for the slowest hundredth; and how many threads
// more this program has then, after clone3-exec and after os-exec in its turn, as
// threads stay.
func BenchmarkManyAtOnce(b *testing.B) {
	const commands, atOnce = 2000, 64
	quiet := writer(b, 0)
	run := func(run func() error) (all, p50, p99 time.Duration, threads int) {
		took := make([]time.Duration, commands)
		next := make(chan int)
		errs := make(chan error, commands)
		before := threadCount(b)
		var wg sync.WaitGroup
		began := time.Now()
		for range atOnce {
			wg.Go(func() {
				for i := range next {
					start := time.Now()
					if err := run(); err != nil {
						errs <- err
					}
					took[i] = time.Since(start)
				}
			})
		}
		for i := range commands {
			next <- i
		}
		close(next)
		wg.Wait()
		if len(errs) > 0 {
			b.Fatal(<-errs)
		}
		all = time.Since(began)
		slices.Sort(took)
		return all, took[commands/2], took[commands*99/100], threadCount(b) - before
	}
	var ours, stds [3]time.Duration
	var threads [2]int
	n := 0
	for b.Loop() {
		for i, f := range []func() error{
			func() error { return exec.Command(quiet).Run() }, func() error { return std.Command(quiet).Run() },
		} {
			all, p50, p99, more := run(f)
			sums := []*[3]time.Duration{&ours, &stds}[i]
			sums[0], sums[1], sums[2] = sums[0]+all, sums[1]+p50, sums[2]+p99
			threads[i] += more
		}
		n++
	}
	for i, name := range []string{"x", "p50-x", "p99-x"} {
		b.ReportMetric(float64(stds[i])/float64(ours[i]), name)
	}
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(float64(ours[2].Microseconds())/float64(n), "p99-us")
	b.ReportMetric(float64(threads[0]), "threads")
	b.ReportMetric(float64(threads[1]), "std-threads")
}

// threadCount returns how many threads this program has.
func threadCount(b *testing.B) int {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		b.Fatal(err)
	}
	return len(tasks)
}

// processorTime returns how much this program and its children have used.
func processorTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		syscall.Getrusage(who, &usage)
		sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return sum
}

// eight runs a command 8 times at once.
func eight(run func() error) error {
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() { errs <- run() }()
	}
	var all []error
	for range cap(errs) {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// whole checks the output of a kilobyte.
func whole(out []byte, err error) error {
	if err == nil && len(out) != 1<<10 {
		err = fmt.Errorf("got %d bytes", len(out))
	}
	return err
}

// A counter is a Writer that nobody has optimised copying for, as io.Discard.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// count lets a command write 100 MB to a counter.
func count(run func(w io.Writer) error) error {
	var n counter
	err := run(&n)
	if err == nil && n != 100<<20 {
		err = fmt.Errorf("got %d bytes", n)
	}
	return err
}

// A piped command is one of either package.
type piped interface {
	StdoutPipe() (io.ReadCloser, error)
	Start() error
	Wait() error
}

// readAll reads 100 MB through a pipe.
func readAll(c piped) error {
	r, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, r)
	if err == nil && n != 100<<20 {
		err = fmt.Errorf("got %d bytes", n)
	}
	return errors.Join(err, c.Wait())
}

// writer makes a program that writes n bytes. It needs a C compiler, and falls
// back on what the system has.
func writer(b *testing.B, n int) string {
	const source = `
static char zero[65536];

static long call(long nr, long a, long b, long c)
{
#if defined(__x86_64__)
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#else
#error "not known here"
#endif
}

#include <asm/unistd.h>

void _start(void)
{
	long left = BYTES;
	while (left > 0) {
		long n = call(__NR_write, 1, (long)zero, left < 65536 ? left : 65536);
		if (n <= 0)
			break;
		left -= n;
	}
	for (;;)
		call(__NR_exit_group, left != 0, 0, 0);
}
`
	dir := b.TempDir()
	src, bin := filepath.Join(dir, "writer.c"), filepath.Join(dir, "writer")
	if err := os.WriteFile(src, []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	cc := std.CommandContext(context.Background(), "cc", "-Os", "-static", "-nostdlib", "-fno-stack-protector",
		"-Wl,--build-id=none", "-DBYTES="+strconv.Itoa(n), "-o", bin, src)
	if out, err := cc.CombinedOutput(); err == nil {
		return bin
	} else {
		b.Logf("no minimal child (%v), using the system's programs\n%s", err, out)
	}
	script := "#!/bin/sh\nexec head -c " + strconv.Itoa(n) + " /dev/zero\n"
	if n == 0 {
		script = "#!/bin/sh\n"
	}
	if err := os.WriteFile(bin, []byte(script), 0o700); err != nil {
		b.Fatal(err)
	}
	return bin
}
