//go:build linux

package linux_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// Every benchmark runs what package linux does and what its peers do, in turns,
// on the same child: a static program of a few hundred bytes.

// A spawner creates n children one after another, waits for each, and returns
// how long each took.
type spawner func(b *testing.B, n int) []time.Duration

func inGo(spawn func() error) spawner {
	return func(b *testing.B, n int) []time.Duration {
		times := make([]time.Duration, n)
		for i := range times {
			start := time.Now()
			if err := spawn(); err != nil {
				b.Fatal(err)
			}
			times[i] = time.Since(start)
		}
		return times
	}
}

var background = context.Background()

func byClone3(c *linux.Child) spawner {
	return inGo(func() error {
		p, err := linux.Clone3(background, c)
		if err != nil {
			return err
		}
		defer p.Close()
		if s, err := p.Wait(background); err != nil || s.Code() != 1 {
			return fmt.Errorf("%v, %v", s, err)
		}
		return nil
	})
}

// inC runs testdata/peer.c, or returns nil where it cannot be compiled.
func inC(b *testing.B, how, program string) spawner {
	bin := filepath.Join(b.TempDir(), "peer")
	if out, err := exec.Command("cc", "-O2", "-o", bin, "testdata/peer.c").CombinedOutput(); err != nil {
		b.Logf("no C peer: %v\n%s", err, out)
		return nil
	}
	cmd := exec.Command(bin, how, program)
	cmd.Env = []string{}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	return func(b *testing.B, n int) []time.Duration {
		fmt.Fprintln(in, n)
		times := make([]time.Duration, n)
		for i := range times {
			if !lines.Scan() {
				b.Fatal("the C peer has failed")
			}
			fmt.Sscan(lines.Text(), &times[i])
		}
		return times
	}
}

// percentile returns the p-th percentile in microseconds.
func percentile(times []time.Duration, p int) float64 {
	slices.Sort(times)
	return float64(times[len(times)*p/100]) / 1e3
}

// BenchmarkSpawn creates one child and waits for it. Each variant takes turns
// with c-clone3, the least any program has to do: x-bound is how many times as
// long the variant takes, at the tenth percentile.
func BenchmarkSpawn(b *testing.B) {
	path := tinyProgram(b)
	if path == "" {
		b.Skip("no tiny child for this architecture")
	}
	env, args := []string{}, []string{path}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	std := []*os.File{null, null, null}
	bound := inC(b, "clone3", path)
	for _, v := range []struct {
		name string
		run  spawner
	}{
		{"clone3", byClone3(&linux.Child{Path: path, Args: args, Env: env})},
		{"clone3-given-files", byClone3(&linux.Child{Path: path, Args: args, Env: env, Files: std})},
		{"clone3-inherit-files", byClone3(&linux.Child{Path: path, Args: args, Env: env, InheritFiles: true})},
		{"clone3-autoreap", byClone3(&linux.Child{Path: path, Args: args, Env: env, Flags: linux.AutoReap})},
		{"StartProcess", inGo(func() error {
			p, err := os.StartProcess(path, args, &os.ProcAttr{Env: env, Files: std})
			if err != nil {
				return err
			}
			_, err = p.Wait()
			return err
		})},
		{"os-exec", inGo(func() error {
			c := exec.Cmd{Path: path, Args: args, Env: env}
			if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
				return fmt.Errorf("got %v", err)
			}
			return nil
		})},
		{"posix_spawn", inC(b, "posix_spawn", path)},
		{"c-clone3", bound},
	} {
		if v.run == nil || v.name == "clone3-autoreap" && linux.Probe(linux.AutoReap) != nil {
			continue
		}
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			var ours, bounds []time.Duration
			for left := b.N; left > 0; left -= 20 {
				ours = append(ours, v.run(b, min(left, 20))...)
				b.StopTimer()
				if bound != nil {
					bounds = append(bounds, bound(b, min(left, 20))...)
				}
				b.StartTimer()
			}
			p10 := percentile(ours, 10)
			b.ReportMetric(p10, "p10-us")
			b.ReportMetric(percentile(ours, 50), "p50-us")
			if bound != nil {
				b.ReportMetric(p10/percentile(bounds, 10), "x-bound")
			}
		})
	}
}

// BenchmarkSpawnUserNS creates a child in a new user namespace, whose IDs this
// program maps, with some memory in use.
func BenchmarkSpawnUserNS(b *testing.B) {
	path := tinyProgram(b)
	if path == "" || os.Geteuid() != 0 {
		b.Skip("needs root and a tiny child")
	}
	maps := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1000}}
	for _, gib := range []int{0, 1, 4} {
		var info syscall.Sysinfo_t
		syscall.Sysinfo(&info)
		if uint64(info.Freeram)*uint64(info.Unit) < uint64(gib+1)<<30 {
			b.Logf("too little memory for %d GiB", gib)
			continue
		}
		heap := make([]byte, gib<<30)
		for i := 0; i < len(heap); i += 4096 {
			heap[i] = 1
		}
		b.Run(fmt.Sprintf("clone3/%dGiB", gib), func(b *testing.B) {
			b.ReportAllocs()
			run := byClone3(&linux.Child{Path: path, Env: []string{}, Flags: linux.NewUser,
				UidMappings: maps, GidMappings: maps, GidMappingsEnableSetgroups: true})
			b.ReportMetric(percentile(run(b, b.N), 50), "p50-us")
		})
		b.Run(fmt.Sprintf("os-exec/%dGiB", gib), func(b *testing.B) {
			b.ReportAllocs()
			run := inGo(func() error {
				c := exec.Cmd{Path: path, Args: []string{path}, Env: []string{}, SysProcAttr: &syscall.SysProcAttr{
					Cloneflags: syscall.CLONE_NEWUSER, UidMappings: maps, GidMappings: maps, GidMappingsEnableSetgroups: true}}
				if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
					return fmt.Errorf("got %v", err)
				}
				return nil
			})
			b.ReportMetric(percentile(run(b, b.N), 50), "p50-us")
		})
		runtime.KeepAlive(heap)
		heap = nil
		debug.FreeOSMemory()
	}
}

// BenchmarkWait waits for many sleeping children at once, kills and reaps them.
// Each operation runs in a process of its own, which counts its threads and
// measures its memory.
func BenchmarkWait(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		for _, how := range []string{"clone3", "os-exec"} {
			b.Run(fmt.Sprintf("%s/%d", how, n), func(b *testing.B) {
				var threads, mb, ms float64
				for range b.N {
					out, status := output(b, child("many sleepers", how, itoa(n)))
					var t, m, r float64
					if _, err := fmt.Sscan(out, &t, &m, &r); err != nil {
						b.Skipf("%v: %v: %s", err, status, out)
					}
					threads, mb, ms = threads+t, mb+m, ms+r
				}
				b.ReportMetric(threads/float64(b.N), "threads")
				b.ReportMetric(mb/float64(b.N), "MB")
				b.ReportMetric(ms/float64(b.N), "ms-to-reap")
			})
		}
	}
}

var _ = helper("many sleepers", func(args []string) int {
	var n int
	fmt.Sscan(args[1], &n)
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		return fail("no sleep command")
	}
	debug.SetMaxThreads(20000)
	var group sync.WaitGroup
	var kills []func() error
	for range n {
		if args[0] == "clone3" {
			p, err := linux.Clone3(background, &linux.Child{Path: sleep, Args: []string{"sleep", "1000"}, Env: []string{}})
			if err != nil {
				return fail("%v", err)
			}
			kills = append(kills, p.Kill)
			group.Go(func() { p.Wait(background) })
			continue
		}
		c := exec.Command(sleep, "1000")
		if err := c.Start(); err != nil {
			return fail("%v", err)
		}
		kills = append(kills, c.Process.Kill)
		group.Go(func() { c.Wait() })
	}
	time.Sleep(500 * time.Millisecond)
	threads, mb := 0, 0
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "Threads: %d", &threads)
		fmt.Sscanf(line, "VmRSS: %d", &mb)
	}
	start := time.Now()
	for _, kill := range kills {
		kill()
	}
	group.Wait()
	fmt.Println(threads, float64(mb)/1024, float64(time.Since(start).Microseconds())/1000)
	return 0
})

// BenchmarkGCPauseUnderSpawn collects garbage while 8 goroutines create
// children: one operation is one runtime.GC, which stops all goroutines, and so
// waits for who cannot be stopped.
func BenchmarkGCPauseUnderSpawn(b *testing.B) {
	path := tinyProgram(b)
	if path == "" {
		b.Skip("no tiny child for this architecture")
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	child := &linux.Child{Path: path, Env: []string{}}
	attr := &os.ProcAttr{Env: []string{}, Files: []*os.File{null, null, null}}
	for _, v := range []struct {
		name  string
		spawn func() error
	}{
		{"clone3", func() error {
			p, err := linux.Clone3(background, child)
			if err == nil {
				_, err = p.Wait(background)
				p.Close()
			}
			return err
		}},
		{"StartProcess", func() error {
			p, err := os.StartProcess(path, []string{path}, attr)
			if err == nil {
				_, err = p.Wait()
			}
			return err
		}},
	} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			var stop atomic.Bool
			var spawned atomic.Int64
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					for !stop.Load() {
						if err := v.spawn(); err != nil {
							b.Error(err)
							return
						}
						spawned.Add(1)
					}
				})
			}
			start := time.Now()
			pauses := make([]time.Duration, b.N)
			for i := range pauses {
				start := time.Now()
				runtime.GC()
				pauses[i] = time.Since(start)
			}
			elapsed := time.Since(start)
			stop.Store(true)
			group.Wait()
			b.ReportMetric(percentile(pauses, 50), "p50-us")
			b.ReportMetric(float64(spawned.Load())/elapsed.Seconds(), "spawns/s")
		})
	}
}
