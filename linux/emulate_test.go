//go:build linux

package linux_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// A promise is what AutoReap or AutoKill promise, by whatever means. It is tried
// in a program of its own, whose only children are those it creates. It returns
// what is wrong.
type promise struct {
	name string
	root bool
	try  func(how linux.Flags) error // the flags that are emulated then
}

// emulating is child(name) with flags, all of which may be emulated.
func emulating(flags linux.Flags, name string, args ...string) *linux.Child {
	c := child(name, args...)
	c.Flags, c.Emulate = flags, flags&linux.AutoKill
	return c
}

// hasChildren reports whether this process has children, zombies or not.
func hasChildren() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil) != unix.ECHILD
}

// within waits until done returns true.
func within(d time.Duration, done func() bool) bool {
	for deadline := time.Now().Add(d); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

var promises = []promise{
	{name: "AutoReap: nobody has to wait, and Wait still tells", try: func(how linux.Flags) error {
		p, err := linux.Clone3(background, emulating(linux.AutoReap, "exit", "3"))
		if err != nil {
			return err
		}
		if p.Emulated() != how&linux.AutoReap {
			return fmt.Errorf("Emulated is %v, want %v", p.Emulated(), how&linux.AutoReap)
		}
		if !within(soon, func() bool { return !hasChildren() }) {
			return errors.New("the child has not been reaped")
		}
		if s, err := p.Wait(background); err != nil || s.Code() != 3 {
			return fmt.Errorf("Wait: %v, %v", s, err)
		}
		return p.Close()
	}},
	{name: "AutoReap: a Process that is dropped", try: func(linux.Flags) error {
		for range 20 {
			if _, err := linux.Clone3(background, emulating(linux.AutoReap, "exit", "3")); err != nil {
				return err
			}
		}
		if !within(soon, func() bool { return !hasChildren() }) {
			return errors.New("a child has not been reaped")
		}
		return nil
	}},
	{name: "AutoKill: Close kills", try: func(how linux.Flags) error {
		p, err := linux.Clone3(background, emulating(kill, "sleep"))
		if err != nil {
			return err
		}
		if p.Emulated() != how&linux.AutoKill {
			return fmt.Errorf("Emulated is %v, want %v", p.Emulated(), how&linux.AutoKill)
		}
		p.Close()
		if s, err := p.Wait(background); err != nil || s.Signal() != unix.SIGKILL {
			return fmt.Errorf("Wait: %v, %v", s, err)
		}
		if hasChildren() {
			return errors.New("the child has not been reaped")
		}
		return nil
	}},
	{name: "AutoKill: garbage kills nothing, nor does the end of a thread", try: func(linux.Flags) error {
		pids := make(chan int)
		errs := make(chan error, 1)
		goThread(func() {
			p, err := linux.Clone3(background, emulating(kill, "sleep"))
			if err != nil {
				errs <- err
				close(pids)
				return
			}
			pids <- p.Pid()
		})
		pid, ok := <-pids
		if !ok {
			return <-errs
		}
		for range 3 {
			runtime.GC()
			time.Sleep(20 * time.Millisecond)
		}
		if !procExists(pid) {
			return errors.New("the child is gone")
		}
		unix.Kill(pid, unix.SIGKILL)
		if !within(soon, func() bool { return !hasChildren() }) {
			return errors.New("the child has not been reaped")
		}
		return nil
	}},
	{name: "AutoKill: Created and its errors", try: func(linux.Flags) error {
		c := emulating(kill, "exit", "0")
		c.Created = func(*linux.Process) error { return io.ErrUnexpectedEOF }
		if p, err := linux.Clone3(background, c); !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("got %v, %v", p, err)
		}
		c.Created = func(*linux.Process) error { panic("of Created") }
		got := func() (v any) {
			defer func() { v = recover() }()
			linux.Clone3(background, c)
			return nil
		}()
		if got != "of Created" {
			return fmt.Errorf("a panic of Created came as %v", got)
		}
		c.Created = func(p *linux.Process) error { return p.Close() }
		if p, err := linux.Clone3(background, c); err == nil {
			return fmt.Errorf("got %v: a child closed by Created runs", p)
		}
		if hasChildren() {
			return errors.New("a child is left")
		}
		return nil
	}},
	{name: "AutoKill: in a new PID namespace", root: true, try: func(linux.Flags) error {
		p, err := linux.Clone3(background, emulating(kill|linux.NewPID, "sleep"))
		if err != nil {
			return err
		}
		p.Close()
		if s, err := p.Wait(background); err != nil || s.Signal() != unix.SIGKILL {
			return fmt.Errorf("Wait: %v, %v", s, err)
		}
		return nil
	}},
}

// eachMeans runs a test with the kernel's means and with those of this package,
// which are others in the first thread of a program: where the kernel has some,
// clone3 is hidden from the helper that arg goes to.
func eachMeans(t *testing.T, test func(t *testing.T, arg string)) {
	t.Run("kernel", func(t *testing.T) {
		need(t, linux.AutoKill)
		test(t, "kernel")
	})
	t.Run("emulated", func(t *testing.T) { test(t, "emulated") })
	if testing.Short() {
		return
	}
	t.Run("emulated in the first thread", func(t *testing.T) { test(t, "emulated in the first thread") })
}

// byMeans makes of a function a helper that obeys the argument of eachMeans, the
// first of args. The function is told which flags are emulated.
func byMeans(do func(args []string, how linux.Flags) int) func(args []string) int {
	return func(args []string) int {
		if args[0] == "kernel" {
			return do(args[1:], 0)
		}
		if linux.Probe(linux.AutoKill) == nil {
			if err := hide(unix.SYS_CLONE3, int(unix.ENOSYS)); err != nil {
				return fail("SKIP: no seccomp filter: %v", err)
			}
		}
		if args[0] != "emulated" {
			return do(args[1:], linux.AutoKill)
		}
		status := make(chan int)
		go func() { // helpers have locked the first thread
			runtime.LockOSThread()
			status <- do(args[1:], linux.AutoKill)
		}()
		return <-status
	}
}

func TestPromisesAreKept(t *testing.T) {
	eachMeans(t, func(t *testing.T, means string) {
		for _, promise := range promises {
			t.Run(promise.name, func(t *testing.T) {
				if promise.root {
					needRoot(t)
				}
				out, status := output(t, child("keep promise", means, promise.name))
				if strings.HasPrefix(out, "SKIP") {
					t.Skip(out)
				}
				if out != "" || !status.Success() {
					t.Errorf("%v: %s", status, out)
				}
			})
		}
	})
}

var _ = helper("keep promise", byMeans(func(args []string, how linux.Flags) int {
	for _, promise := range promises {
		if promise.name == args[0] {
			if err := promise.try(how); err != nil {
				return fail("%v", err)
			}
			return 0
		}
	}
	return fail("no promise %q", args[0])
}))

// Die with the parent, whatever it dies of, and while it creates children.
func TestChildrenDieWithTheirParent(t *testing.T) {
	many := 30
	if testing.Short() {
		many = 10
	}
	eachMeans(t, func(t *testing.T, means string) {
		for _, end := range []string{"killed", "exits", "panics", "executes"} {
			if testing.Short() && (end == "exits" || end == "panics") {
				continue
			}
			t.Run(end, func(t *testing.T) {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				c := child("prolific", means, end, itoa(many+10))
				c.Files = []*os.File{nil, w, nil}
				p := start(t, c)
				w.Close()
				lines := bufio.NewScanner(r)
				n := 0
				for lines.Scan() {
					if strings.HasPrefix(lines.Text(), "SKIP") {
						wait(t, p)
						t.Skip(lines.Text())
					}
					if n++; n == many && end == "killed" {
						p.Kill()
					}
				}
				// All copies of the pipe are closed: by the parent and by its children.
				if wait(t, p); n < many {
					t.Errorf("the parent had %d children, want %d", n, many)
				}
			})
		}
	})
}

var _ = helper("prolific", byMeans(func(args []string, _ linux.Flags) int {
	enough, _ := strconv.Atoi(args[1])
	for i := range 100 {
		c := emulating(kill, "sleep")
		c.Files[1] = os.Stdout
		p, err := linux.Clone3(background, c)
		if err != nil {
			return fail("%v\n", err)
		}
		fmt.Println(p.Pid())
		if i < enough {
			continue
		}
		switch args[0] {
		case "exits":
			os.Exit(0)
		case "panics":
			go func() { panic("as asked") }()
		case "executes":
			os.Setenv(helperVar, "exit")
			return fail("%v\n", syscall.Exec("/proc/self/exe", []string{"exit", "0"}, os.Environ()))
		}
	}
	time.Sleep(time.Hour)
	return 0
}))

// Where a filter denies clone3, as that of a container engine, children are created
// by clone.
func TestDeniedClone3(t *testing.T) {
	path := tinyProgram(t) // others may need clone3 themselves
	if path == "" {
		t.Skip("no program for this architecture")
	}
	out, status := output(t, child("denied clone3", path))
	if strings.HasPrefix(out, "SKIP") {
		t.Skip(out)
	}
	if out != "" || !status.Success() {
		t.Errorf("%v: %s", status, out)
	}
}

var _ = helper("denied clone3", func(args []string) int {
	if err := hide(unix.SYS_CLONE3, int(unix.EPERM)); err != nil {
		return fail("SKIP: no seccomp filter: %v", err)
	}
	p, err := linux.Clone3(background, &linux.Child{Path: args[0], Env: []string{}})
	if err != nil {
		return fail("%v", err)
	}
	if s, err := p.Wait(background); err != nil || s.Code() != 1 {
		return fail("%v, %v", s, err)
	}
	return 0
})

// What is emulated is weaker. These are the ways in which it is.
func TestEmulationIsWeaker(t *testing.T) {
	for _, name := range []string{"SIGCHLD", "taken back by prctl", "taken back by setuid"} {
		t.Run(name, func(t *testing.T) {
			if strings.HasSuffix(name, "setuid") {
				needRoot(t)
			}
			out, status := output(t, child("weaker", "emulated", name))
			if strings.HasPrefix(out, "SKIP") {
				t.Skip(out)
			}
			if out != "" || !status.Success() {
				t.Errorf("%v: %s", status, out)
			}
		})
	}
}

var _ = helper("weaker", byMeans(func(args []string, _ linux.Flags) int {
	switch args[0] {
	case "SIGCHLD":
		sent := make(chan os.Signal, 1)
		signal.Notify(sent, unix.SIGCHLD)
		p, err := linux.Clone3(background, emulating(linux.AutoReap, "exit", "0"))
		if err != nil {
			return fail("%v", err)
		}
		p.Wait(background)
		select {
		case <-sent:
		case <-time.After(soon):
			return fail("no SIGCHLD has come")
		}
	default:
		r, w, err := os.Pipe()
		if err != nil {
			return fail("%v", err)
		}
		c := child("parent of one that takes it back", "emulated", args[0])
		c.Files = []*os.File{nil, w, os.Stderr}
		p, err := linux.Clone3(background, c)
		if err != nil {
			return fail("%v", err)
		}
		w.Close()
		lines := bufio.NewReader(r)
		var pid int
		if _, err := fmt.Fscan(lines, &pid); err != nil {
			return fail("%v", err)
		}
		p.Kill()
		p.Wait(background)
		time.Sleep(20 * time.Millisecond)
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			return fail("the child is gone (%v): it has taken back nothing", err)
		}
	}
	return 0
}))

var _ = helper("parent of one that takes it back", byMeans(func(args []string, _ linux.Flags) int {
	c := emulating(kill, args[0])
	c.Files[1], c.Files[2] = os.Stdout, os.Stderr
	if _, err := linux.Clone3(background, c); err != nil {
		return fail("%v", err)
	}
	time.Sleep(time.Hour)
	return 0
}))

var (
	_ = helper("taken back by prctl", func([]string) int {
		return takenBack(unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0))
	})
	_ = helper("taken back by setuid", func([]string) int { return takenBack(syscall.Setuid(1000)) })
)

func takenBack(err error) int {
	if err != nil {
		return fail("%v", err)
	}
	fmt.Println(os.Getpid())
	time.Sleep(20 * time.Second)
	return 0
}

// What cannot be emulated is refused, with the reason.
func TestEmulationIsRefused(t *testing.T) {
	for name, want := range map[string]string{
		"no NoNewPrivs": "without NoNewPrivs", "Ptrace": "Ptrace", "Pdeathsig": "Pdeathsig 15", "not allowed": "", "AutoReap alone": "",
		"nice": "scheduling", "directory": "working directory", "CPUs": "set of CPUs", "namespace": "uts namespace", "user": "user or group IDs",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "namespace" || name == "user" {
				needRoot(t)
			}
			out, status := output(t, child("refused", "emulated", name))
			if strings.HasPrefix(out, "SKIP") {
				t.Skip(out)
			}
			if !status.Success() || !strings.Contains(out, want) {
				t.Errorf("%v: %s, want an error with %q", status, out, want)
			}
		})
	}
}

var _ = helper("refused", byMeans(func(args []string, _ linux.Flags) int {
	c := emulating(kill, "exit", "0")
	if p, err := linux.Clone3(background, c); err != nil { // and its thread has been made
		return fail("by itself: %v", err)
	} else if _, err := p.Wait(background); err != nil {
		return fail("by itself: %v", err)
	}
	err := error(nil)
	switch args[0] {
	case "no NoNewPrivs":
		c.Flags = linux.AutoKill
	case "Ptrace":
		c.Ptrace = true
	case "Pdeathsig":
		c.Pdeathsig = unix.SIGTERM
	case "not allowed":
		c.Emulate = 0
	case "AutoReap alone":
		c.Emulate = linux.AutoReap
	case "nice":
		err = unix.Setpriority(unix.PRIO_PROCESS, 0, 7)
	case "directory":
		if err = unix.Unshare(unix.CLONE_FS); err == nil {
			err = unix.Chdir("/")
		}
	case "CPUs":
		var set unix.CPUSet
		if unix.SchedGetaffinity(0, &set) != nil || set.Count() < 2 {
			return fail("SKIP: there is one CPU")
		}
		for i := range 1024 {
			if set.IsSet(i) {
				set.Clear(i)
				break
			}
		}
		err = unix.SchedSetaffinity(0, &set)
	case "namespace":
		err = unix.Unshare(unix.CLONE_NEWUTS)
	case "user":
		if _, _, errno := unix.RawSyscall(unix.SYS_SETUID, 1000, 0, 0); errno != 0 {
			err = errno
		}
	}
	if err != nil {
		return fail("SKIP: %v", err)
	}
	p, err := linux.Clone3(background, c)
	if p != nil || !errors.Is(err, errors.ErrUnsupported) {
		return fail("got %v, %v, want an error", p, err)
	}
	fmt.Println(err)
	return 0
}))

// The first thread of a program does not end before that does: what is its own, a
// child of it inherits, and the end of the goroutine that it was locked to kills
// nobody.
func TestEmulationInTheFirstThread(t *testing.T) {
	out, status := output(t, child("first thread", "emulated in the first thread"))
	if strings.HasPrefix(out, "SKIP") {
		t.Skip(out)
	}
	if out != "" || !status.Success() {
		t.Errorf("%v: %s", status, out)
	}
}

var _ = helper("first thread", byMeans(func(args []string, _ linux.Flags) int {
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 7); err != nil {
		return fail("SKIP: %v", err)
	}
	c := emulating(kill, "nice")
	r, w, err := os.Pipe()
	if err != nil {
		return fail("%v", err)
	}
	c.Files = []*os.File{r, os.Stdout, os.Stderr}
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("%v", err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond) // the other goroutine is gone by then
		w.Close()
		if s, err := p.Wait(background); err != nil || !s.Success() {
			os.Exit(fail("the child has %v, %v", s, err))
		}
		os.Exit(0)
	}()
	runtime.Goexit()
	return 0
}))

// It waits to be told to, and has a priority of 7.
var _ = helper("nice", func([]string) int {
	io.Copy(io.Discard, os.Stdin)
	if n, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err != nil || 20-n != 7 {
		return fail("a priority of %d, %v", 20-n, err)
	}
	return 0
})
