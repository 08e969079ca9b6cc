//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// Every benchmark runs what package linux does and what its peers do, in turns,
// on the same child: a static program of a few hundred bytes. BenchmarkSpawn,
// which others can be compared with by benchstat, makes as many children as it
// is told; the others make as many as their figures need.

// turn is how many children are made before it is another one's turn.
const turn = 20

// needTiny returns the program to create, or skips the benchmark.
func needTiny(b *testing.B) string {
	b.Helper()
	path := tinyProgram(b)
	if path == "" {
		b.Skip("no tiny child for this architecture")
	}
	return path
}

// BenchmarkSpawn creates one child and waits for it. Each variant takes turns
// with c-clone3, the least any program has to do: x-bound is how many times as
// long the variant takes, at the tenth percentile.
func BenchmarkSpawn(b *testing.B) {
	path := needTiny(b)
	type spawner func(b *testing.B, n int) []time.Duration
	inGo := func(by way) spawner {
		create := by(path)
		return func(b *testing.B, n int) []time.Duration {
			times := make([]time.Duration, n)
			for i := range times {
				start := time.Now()
				if err := create(); err != nil {
					b.Fatal(err)
				}
				times[i] = time.Since(start)
			}
			return times
		}
	}
	variants := []struct {
		name string
		run  spawner
	}{}
	ways := ways(openNull(b))
	for _, name := range []string{"clone3", "clone3-given-files", "clone3-inherit-files", "clone3-autoreap", "clone3-autokill", "StartProcess", "os-exec"} {
		if name != "clone3-autoreap" || linux.Probe(linux.AutoReap) == nil {
			variants = append(variants, struct {
				name string
				run  spawner
			}{name, inGo(ways[name])})
		}
	}
	var bound spawner
	if inC := cPeers(b); inC != nil {
		bound = inC("clone3", path, circumstances{}).do
		variants = append(variants, struct {
			name string
			run  spawner
		}{"posix_spawn", inC("posix_spawn", path, circumstances{}).do}, struct {
			name string
			run  spawner
		}{"c-clone3", inC("clone3", path, circumstances{}).do})
	}
	for _, v := range variants {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			var ours, bounds []time.Duration
			for left := b.N; left > 0; left -= turn {
				ours = append(ours, v.run(b, min(left, turn))...)
				b.StopTimer()
				if bound != nil {
					bounds = append(bounds, bound(b, min(left, turn))...)
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

// BenchmarkSpawnGrowth creates children from programs that have many
// descriptors, many children, or much memory. x-smallest is how many times as
// long it takes as from the program that it takes the least.
func BenchmarkSpawnGrowth(b *testing.B) {
	path, sleeper := needTiny(b), napProgram(b, 10*time.Minute)
	programs := []struct {
		name string
		c    circumstances
		gib  int // that have to be free
	}{
		{"10-descriptors", circumstances{Descriptors: 10}, 0},
		{"1000-descriptors", circumstances{Descriptors: 1000}, 0},
		{"10000-descriptors", circumstances{Descriptors: 10000}, 0},
		{"10-children", circumstances{Children: 10}, 0},
		{"5000-children", circumstances{Children: 5000}, 2},
		{"0-GiB", circumstances{}, 0},
		{"4-GiB", circumstances{GiB: 4}, 9},
	}
	names := []string{"clone3", "clone3-inherit-files", "c-clone3", "StartProcess", "os-exec"}
	times := map[string]map[string][]time.Duration{} // of the variants, of the programs
	var turns []func()
	inC := cPeers(b)
	for _, p := range programs {
		if freeGiB() < p.gib {
			b.Logf("too little memory for %s", p.name)
			continue
		}
		p.c.Sleeper = sleeper
		m := newMaker(b, p.c, nil)
		for _, name := range names {
			if times[name] == nil {
				times[name] = map[string][]time.Duration{}
			}
			of := times[name]
			if name != "c-clone3" {
				turns = append(turns, func() {
					of[p.name] = append(of[p.name], m.do(b, job{Way: name, Program: path, N: turn}).Times...)
				})
			} else if inC != nil {
				peer := inC("clone3", path, p.c)
				turns = append(turns, func() { of[p.name] = append(of[p.name], peer.do(b, turn)...) })
			}
		}
	}
	for range 15 {
		for _, turn := range turns {
			turn()
		}
	}
	for _, name := range names {
		smallest := 0.0
		for _, t := range times[name] {
			if p10 := percentile(t, 10); smallest == 0 || p10 < smallest {
				smallest = p10
			}
		}
		for _, p := range programs {
			if t := times[name][p.name]; t != nil {
				p10 := percentile(t, 10)
				reportLine(b, name+"/"+p.name, metrics{"p10-us": p10, "x-smallest": p10 / smallest})
			}
		}
	}
}

// BenchmarkSpawnParallel creates children from 8 goroutines, and in C from as
// many processes as there are processors here, or 2. A turn takes longer than
// with others, as its end is not parallel.
func BenchmarkSpawnParallel(b *testing.B) {
	path := needTiny(b)
	const n, goroutines, rounds = 400, 8, 10
	m := newMaker(b, circumstances{}, nil)
	names := []string{"clone3", "clone3-inherit-files", "StartProcess"}
	elapsed := map[string][]time.Duration{}
	var pair []*cPeer
	if inC := cPeers(b); inC != nil {
		pair = []*cPeer{inC("clone3", path, circumstances{}), inC("clone3", path, circumstances{})}
	}
	for range rounds {
		for _, name := range names {
			elapsed[name] = append(elapsed[name], m.do(b, job{Way: name, Program: path, N: n, Goroutines: goroutines}).Elapsed)
		}
		if pair != nil {
			start := time.Now()
			for _, p := range pair {
				p.ask(n / len(pair))
			}
			for _, p := range pair {
				p.times(b, n/len(pair))
			}
			elapsed["c-clone3"] = append(elapsed["c-clone3"], time.Since(start))
		}
	}
	for _, name := range append(names, "c-clone3") {
		if t := elapsed[name]; t != nil {
			perSecond := 1e6 * n / percentile(t, 50)
			reportLine(b, name, metrics{"spawns/s": perSecond, "x-StartProcess": percentile(elapsed["StartProcess"], 50) / percentile(t, 50)})
		}
	}
}

// BenchmarkSpawnStalled creates children from 8 goroutines, with and without a
// child that stands still on its way to its program. There is no peer: the rest
// of a program that uses os/exec stands still too.
func BenchmarkSpawnStalled(b *testing.B) {
	path := needTiny(b)
	m := newMaker(b, circumstances{}, nil)
	for _, name := range []string{"clone3", "clone3-inherit-files"} {
		var without, with []time.Duration
		for range 10 {
			j := job{Way: name, Program: path, N: 400, Goroutines: 8}
			without = append(without, m.do(b, j).Times...)
			j.Stalled = true
			with = append(with, m.do(b, j).Times...)
		}
		reportLine(b, name, metrics{
			"p50-us": percentile(with, 50), "p50-without-us": percentile(without, 50),
			"p99-us": percentile(with, 99), "p99-without-us": percentile(without, 99),
			"x-without": percentile(with, 99) / percentile(without, 99),
		})
	}
}

// BenchmarkSpawnUserNS creates a child in a new user namespace, whose IDs the
// parent maps, with some memory in use: by root, by a user, and by a user that
// has what other processes of that user have not, so that they are kept from
// looking into the memory of the child, which for that is a copy.
func BenchmarkSpawnUserNS(b *testing.B) {
	path := needTiny(b)
	needRoot(b)
	user := func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000} }
	protected := func(c *linux.Child) {
		user(c)
		c.AmbientCaps = []uintptr{unix.CAP_WAKE_ALARM}
	}
	for _, gib := range []int{0, 1, 4} {
		if freeGiB() < 3*gib {
			b.Logf("too little memory for %d GiB", gib)
			continue
		}
		slow := max(1, turn/(1+10*gib)) // children in a turn of who copies page tables
		root, asUser, asProtected := newMaker(b, circumstances{GiB: gib}, nil), newMaker(b, circumstances{GiB: min(gib, 1)}, user),
			newMaker(b, circumstances{GiB: gib}, protected)
		variants := []struct {
			name, way string
			maker     *maker
			n         int
		}{
			{"clone3", "clone3-user", root, turn},
			{"clone3-by-user", "clone3-user", asUser, turn}, // of whom 1 GiB is enough: it is not copied
			{"clone3-by-protected-user", "clone3-user", asProtected, slow},
			{"os-exec", "os-exec-user", root, slow},
		}
		times := make([][]time.Duration, len(variants))
		for range 8 {
			for i, v := range variants {
				times[i] = append(times[i], v.maker.do(b, job{Way: v.way, Program: path, N: v.n}).Times...)
			}
		}
		for i, v := range variants {
			p50 := percentile(times[i], 50)
			reportLine(b, fmt.Sprintf("%s/%dGiB", v.name, gib),
				metrics{"p50-us": p50, "x-faster-than-os-exec": percentile(times[len(times)-1], 50) / p50})
		}
		for _, m := range []*maker{root, asUser, asProtected} {
			m.close()
		}
	}
}

// BenchmarkWaitCPU takes the time of processors that creating a child and
// waiting for it costs, of this program and of the child, with and without a
// thread for one Wait at a time. The children end at once, or after 3 ms.
func BenchmarkWaitCPU(b *testing.B) {
	needTiny(b)
	with := newMaker(b, circumstances{}, nil)
	without := newMaker(b, circumstances{NoFront: true}, nil)
	others := newMaker(b, circumstances{}, nil)
	for _, life := range []time.Duration{0, 3 * time.Millisecond} {
		path, n := tinyProgram(b), 200
		if life > 0 {
			path, n = napProgram(b, life), 40
		}
		for _, goroutines := range []int{1, 2, 8} {
			var perSpawn [3][]time.Duration
			for range 10 {
				j := job{Way: "clone3", Program: path, N: n, Goroutines: goroutines}
				perSpawn[0] = append(perSpawn[0], with.do(b, j).CPU/time.Duration(n))
				perSpawn[1] = append(perSpawn[1], without.do(b, j).CPU/time.Duration(n))
				j.Way = "StartProcess"
				perSpawn[2] = append(perSpawn[2], others.do(b, j).CPU/time.Duration(n))
			}
			reportLine(b, fmt.Sprintf("%v/%d-goroutines", life, goroutines), metrics{
				"cpu-us": percentile(perSpawn[0], 50), "without-us": percentile(perSpawn[1], 50),
				"StartProcess-us": percentile(perSpawn[2], 50),
				"x-without":       percentile(perSpawn[0], 50) / percentile(perSpawn[1], 50),
			})
		}
	}
}

// BenchmarkWait waits for many sleeping children at once, kills and reaps them.
// Each operation runs in a process of its own, which counts its threads and
// measures its memory.
func BenchmarkWait(b *testing.B) {
	for _, n := range []int{100, 1000, 2500, 5000} {
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
// children: runtime.GC stops all goroutines, and so waits for who cannot be
// stopped. With "nothing" they create none.
func BenchmarkGCPauseUnderSpawn(b *testing.B) {
	path := needTiny(b)
	ways := ways(openNull(b))
	ways["nothing"] = func(string) func() error { return func() error { time.Sleep(time.Millisecond); return nil } }
	names := []string{"nothing", "clone3", "clone3-inherit-files", "StartProcess"}
	pauses, spawned, elapsed := map[string][]time.Duration{}, map[string]int64{}, map[string]time.Duration{}
	for range 5 {
		for _, name := range names {
			n, create := 100, ways[name](path)
			if name == "StartProcess" {
				n = 4
			}
			var stop atomic.Bool
			var count atomic.Int64
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					for !stop.Load() {
						if err := create(); err != nil {
							b.Error(err)
							return
						}
						count.Add(1)
					}
				})
			}
			start := time.Now()
			for range n {
				start := time.Now()
				runtime.GC()
				pauses[name] = append(pauses[name], time.Since(start))
			}
			elapsed[name] += time.Since(start)
			spawned[name] += count.Load()
			stop.Store(true)
			group.Wait()
		}
	}
	for _, name := range names {
		p50 := percentile(pauses[name], 50)
		reportLine(b, name, metrics{
			"p50-us": p50, "x-shorter-than-StartProcess": percentile(pauses["StartProcess"], 50) / p50,
			"spawns/s": float64(spawned[name]) / elapsed[name].Seconds(),
		})
	}
}
