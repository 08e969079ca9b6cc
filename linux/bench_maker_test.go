//go:build linux

package linux_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// What is to be compared is made in turns, a few children at a time, by
// processes that are all there from the beginning: so what else the machine does
// meanwhile is the same for all, and the ratios mean something.

// A way to create children that end with status 1, and to wait for them: it
// returns a function that does so once.
type way func(program string) (create func() error)

var background = context.Background()

func byClone3(c linux.Child) way {
	c.Env = []string{}
	return func(program string) func() error {
		c := c
		c.Path = program
		return func() error {
			p, err := linux.Clone3(background, &c)
			if err != nil {
				return err
			}
			defer p.Close()
			if s, err := p.Wait(background); err != nil || s.Code() != 1 {
				return fmt.Errorf("%v, %v", s, err)
			}
			return nil
		}
	}
}

func byStartProcess(files []*os.File) way {
	return func(program string) func() error {
		return func() error {
			p, err := os.StartProcess(program, []string{program}, &os.ProcAttr{Env: []string{}, Files: files})
			if err != nil {
				return err
			}
			_, err = p.Wait()
			return err
		}
	}
}

func byExec(attr *syscall.SysProcAttr) way {
	return func(program string) func() error {
		return func() error {
			c := exec.Cmd{Path: program, Args: []string{program}, Env: []string{}, SysProcAttr: attr}
			if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
				return fmt.Errorf("got %v", err)
			}
			return nil
		}
	}
}

// ways are those of package linux and of its peers. A null file is for those
// who are to be given one.
func ways(null *os.File) map[string]way {
	files := []*os.File{null, null, null}
	user := syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, GidMappingsEnableSetgroups: os.Geteuid() == 0,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}}
	if os.Geteuid() == 0 { // more than the child could map itself
		user.UidMappings[0].Size, user.GidMappings[0].Size = 1000, 1000
	}
	return map[string]way{
		"clone3":               byClone3(linux.Child{}),
		"clone3-given-files":   byClone3(linux.Child{Files: files}),
		"clone3-inherit-files": byClone3(linux.Child{InheritFiles: true}),
		"clone3-autoreap":      byClone3(linux.Child{Flags: linux.AutoReap, Files: files}),
		"clone3-autokill":      byClone3(linux.Child{Flags: kill, Emulate: kill}), // emulated before 7.1
		"StartProcess":         byStartProcess(files),
		"os-exec":              byExec(nil),
		"linux-exec":           byLinuxExec,
		"clone3-user": byClone3(linux.Child{Flags: linux.NewUser, UidMappings: user.UidMappings,
			GidMappings: user.GidMappings, GidMappingsEnableSetgroups: user.GidMappingsEnableSetgroups}),
		"os-exec-user": byExec(&user),
	}
}

// circumstances are what a maker has.
type circumstances struct {
	Descriptors int    // that are open
	Children    int    // that live, and are held
	Sleeper     string // their program
	GiB         int    // of memory in use
	NoFront     bool   // no Wait gets a thread
}

// A job is what a maker is asked for.
type job struct {
	Way        string
	Program    string
	N          int // children
	Goroutines int // that create them, at the same time
	Stalled    bool
}

// A result is what a maker answers.
type result struct {
	Times   []time.Duration // from before a child is created until its status is known
	Elapsed time.Duration   // for all of them
	CPU     time.Duration   // of the maker and its children
	Err     string
}

// A maker is a process that creates children.
type maker struct {
	in    *os.File
	out   *bufio.Scanner
	close func()
}

// newMaker returns a maker, or skips the benchmark where there can be none.
func newMaker(b *testing.B, circumstances circumstances, change func(*linux.Child)) *maker {
	b.Helper()
	with, err := json.Marshal(circumstances)
	if err != nil {
		b.Fatal(err)
	}
	c := child("make children", string(with))
	if change != nil {
		change(c)
	}
	stdin, in, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer stdin.Close()
	out, stdout, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer stdout.Close()
	c.Files = []*os.File{stdin, stdout, os.Stderr}
	p, err := linux.Clone3(background, c)
	if err != nil {
		in.Close()
		out.Close()
		b.Fatal(err)
	}
	m := &maker{in, bufio.NewScanner(out), sync.OnceFunc(func() {
		in.Close() // which ends it
		p.Wait(background)
		p.Close()
		out.Close()
	})}
	b.Cleanup(m.close)
	m.out.Buffer(nil, 1<<20)
	if r := m.answer(b); r.Err != "" {
		b.Skip(r.Err)
	}
	return m
}

func (m *maker) answer(b *testing.B) result {
	b.Helper()
	var r result
	if !m.out.Scan() {
		b.Fatal("a maker has failed")
	}
	if err := json.Unmarshal(m.out.Bytes(), &r); err != nil {
		b.Fatal(err)
	}
	return r
}

func (m *maker) do(b *testing.B, j job) result {
	b.Helper()
	if err := json.NewEncoder(m.in).Encode(j); err != nil {
		b.Fatal(err)
	}
	r := m.answer(b)
	if r.Err != "" {
		b.Fatalf("%s: %s", j.Way, r.Err)
	}
	return r
}

var _ = helper("make children", func(args []string) int {
	runtime.UnlockOSThread() // of the helper: a goroutine on a thread of its own is slower
	answer := json.NewEncoder(os.Stdout)
	var c circumstances
	if err := json.Unmarshal([]byte(args[0]), &c); err != nil {
		return fail("%v", err)
	}
	end, err := c.meet()
	if err != nil {
		answer.Encode(result{Err: err.Error()})
		return 1
	}
	defer end()
	answer.Encode(result{})
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fail("%v", err)
	}
	ways := ways(null)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var j job
		if err := json.Unmarshal(in.Bytes(), &j); err != nil {
			return fail("%v", err)
		}
		answer.Encode(j.run(ways[j.Way]))
	}
	return 0
})

func (c circumstances) meet() (end func(), err error) {
	linux.SetFront(!c.NoFront)
	for range c.Descriptors {
		if _, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return nil, err
		}
	}
	var children []*linux.Process
	heap := make([]byte, c.GiB<<30)
	end = func() {
		for _, p := range children {
			p.Kill()
			p.Wait(background)
		}
		runtime.KeepAlive(heap)
	}
	for range c.Children {
		p, err := linux.Clone3(background, &linux.Child{Path: c.Sleeper, Env: []string{}})
		if err != nil {
			end()
			return nil, err
		}
		children = append(children, p)
	}
	for i := 0; i < len(heap); i += 4096 {
		heap[i] = 1
	}
	return end, nil
}

func (j job) run(by way) (r result) {
	create := by(j.Program)
	if j.Stalled {
		end, err := stalledChild(j.Way == "clone3-inherit-files")
		if err != nil {
			return result{Err: err.Error()}
		}
		defer end()
	}
	r.Times = make([]time.Duration, j.N)
	var next atomic.Int64
	var failed atomic.Value
	var group sync.WaitGroup
	cpu, began := cpuTime(), time.Now()
	for range max(j.Goroutines, 1) {
		group.Go(func() {
			for i := int(next.Add(1)); i <= j.N && failed.Load() == nil; i = int(next.Add(1)) {
				start := time.Now()
				if err := create(); err != nil {
					failed.Store(err.Error())
				}
				r.Times[i-1] = time.Since(start)
			}
		})
	}
	group.Wait()
	r.Elapsed, r.CPU = time.Since(began), cpuTime()-cpu
	if err := failed.Load(); err != nil {
		r.Err = err.(string)
	}
	return r
}

// cpuTime is what this program has used, and its children that were reaped.
func cpuTime() (sum time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		unix.Getrusage(who, &u)
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// stalledChild creates a child that does not get on until end is called: the
// file of its program is under a lease, which is not given up.
func stalledChild(inherit bool) (end func(), err error) {
	f, err := os.CreateTemp("", "leased")
	if err != nil {
		return nil, err
	}
	path := f.Name()
	f.Chmod(0o755)
	f.Close()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	clean := func() {
		unix.Close(fd) // and the lease with it
		os.Remove(path)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		clean()
		return nil, fmt.Errorf("no lease: %w", err)
	}
	ctx, cancel := context.WithCancel(background)
	done := make(chan error)
	go func() {
		p, err := linux.Clone3(ctx, &linux.Child{Path: path, Env: []string{}, InheritFiles: inherit})
		if err == nil {
			p.Close()
		}
		done <- err
	}()
	end = func() {
		cancel()
		<-done
		clean()
	}
	for {
		// The lease is being broken when the child has come to its program.
		lease, err := unix.FcntlInt(uintptr(fd), unix.F_GETLEASE, 0)
		if err != nil || lease != unix.F_WRLCK {
			return end, err
		}
		select {
		case err := <-done:
			clean()
			return nil, errors.Join(errors.New("the child does not stall"), err)
		case <-time.After(time.Millisecond):
		}
	}
}

// A cPeer is testdata/peer.c, a program in C.
type cPeer struct {
	in  io.Writer
	out *bufio.Scanner
}

// cPeers compiles it, and starts it each time it is called. Where it cannot be
// compiled there is no function.
func cPeers(b *testing.B) func(how, program string, c circumstances) *cPeer {
	bin := filepath.Join(b.TempDir(), "peer")
	if out, err := exec.Command("cc", "-O2", "-o", bin, "testdata/peer.c").CombinedOutput(); err != nil {
		b.Logf("no C peer: %v\n%s", err, out)
		return nil
	}
	return func(how, program string, c circumstances) *cPeer {
		cmd := exec.Command(bin, how, program, itoa(c.Descriptors), itoa(c.Children), c.Sleeper, itoa(c.GiB))
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
		p := &cPeer{in, bufio.NewScanner(out)}
		if p.line(b) != "ready" {
			b.Fatal("the C peer has failed")
		}
		return p
	}
}

func (p *cPeer) line(b *testing.B) string {
	if !p.out.Scan() {
		b.Fatal("the C peer has failed")
	}
	return p.out.Text()
}

// ask lets the peer begin to create n children, whose times are read later.
func (p *cPeer) ask(n int) { fmt.Fprintln(p.in, n) }

func (p *cPeer) times(b *testing.B, n int) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		fmt.Sscan(p.line(b), &times[i])
	}
	return times
}

func (p *cPeer) do(b *testing.B, n int) []time.Duration {
	p.ask(n)
	return p.times(b, n)
}

// openNull opens /dev/null for a benchmark.
func openNull(b *testing.B) *os.File {
	b.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { null.Close() })
	return null
}

// percentile returns the p-th percentile in microseconds.
func percentile(times []time.Duration, p int) float64 {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return float64(times[len(times)*p/100]) / 1e3
}

// metrics are what a benchmark reports, by their units.
type metrics map[string]float64

// reportLine makes a line of a benchmark of what was measured before, all of it
// together and as often as it needs, whatever -benchtime asks for.
func reportLine(b *testing.B, name string, m metrics) {
	b.Run(name, func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		for unit, value := range m {
			b.ReportMetric(value, unit)
		}
	})
}

// freeGiB returns how much memory is free.
func freeGiB() int {
	var info syscall.Sysinfo_t
	syscall.Sysinfo(&info)
	return int(uint64(info.Freeram) * uint64(info.Unit) >> 30)
}
