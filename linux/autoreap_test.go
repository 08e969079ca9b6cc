//go:build linux

package linux_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// need skips the test where the kernel does not know the flags.
func need(t testing.TB, flags linux.Flags) {
	t.Helper()
	kerneltest.Need(t, flags.String(), "7.1", linux.Probe(flags))
}

const kill = linux.AutoKill | linux.NoNewPrivs // what an unprivileged user may ask for

// observe returns another handle of the process, which does not keep it alive.
func observe(t testing.TB, p *linux.Process) int {
	t.Helper()
	fd, err := unix.PidfdOpen(p.Pid(), 0)
	if err != nil {
		t.Fatal("pidfd_open:", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// status returns what a pidfd says of its process after the end of that.
func status(t testing.TB, pidfd int) linux.ExitStatus {
	t.Helper()
	hangUp(t, pidfd)
	i, err := info(pidfd, uapi.PIDFD_INFO_EXIT, 88)
	if err != nil || i.Mask&uapi.PIDFD_INFO_EXIT == 0 {
		t.Fatalf("PIDFD_GET_INFO after POLLHUP: mask %#x, %v", i.Mask, err)
	}
	return linux.ExitStatus(i.ExitCode)
}

// alive fails the test if the process of a pidfd does not run on.
func alive(t testing.TB, pidfd int, when string) {
	t.Helper()
	if events := poll(t, pidfd, 100*time.Millisecond); events != 0 {
		t.Errorf("%s: the process has ended (poll says %#x), want it to live", when, events)
	}
}

// killed fails the test if the process of a pidfd is not killed soon.
func killed(t testing.TB, pidfd int) {
	t.Helper()
	if s := status(t, pidfd); s.Signal() != syscall.SIGKILL {
		t.Errorf("the process ended with %v, want signal: killed", s)
	}
}

// noChild fails the test if a child can be waited for.
func noChild(t testing.TB) {
	t.Helper()
	switch pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG|unix.WALL, nil); {
	case pid == 0 && err == nil && len(guards(os.Getpid())) == len(childrenOf(os.Getpid())):
		// The package's own are not meant.
	case err != syscall.ECHILD:
		t.Errorf("wait4: got %d, %v, want %v", pid, err, syscall.ECHILD)
	}
}

// The cases of the kernel's own test, tools/testing/selftests/pidfd/
// pidfd_autoreap_test.c, under their names.
func TestPidfdAutoreap(t *testing.T) {
	need(t, linux.AutoReap|linux.NoNewPrivs|linux.AutoKill)
	const autoreap, nnp, autokill = uapi.CLONE_AUTOREAP, uapi.CLONE_NNP, uapi.CLONE_PIDFD_AUTOKILL
	// rejected makes sure that the kernel rejects what Clone3 does not ask for.
	rejected := func(flags, exitSignal uint64) func(*testing.T) {
		return func(t *testing.T) {
			if err := rawClone3(uapi.CloneArgs{Flags: flags, ExitSignal: exitSignal}); err != unix.EINVAL {
				t.Errorf("got %v, want %v", err, unix.EINVAL)
			}
		}
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"autoreap_without_pidfd", func(t *testing.T) {
			c := child("hold")
			c.Flags = linux.AutoReap
			p, release := held(t, c)
			o := observe(t, p)
			p.Close()
			if err := p.Kill(); err != os.ErrClosed {
				t.Errorf("Kill after Close: got %v, want %v", err, os.ErrClosed)
			}
			release()
			status(t, o)
			noChild(t)
		}},
		{"autoreap_rejects_exit_signal", func(t *testing.T) {
			rejected(autoreap|uapi.CLONE_PIDFD, uint64(unix.SIGCHLD))(t)
			c := child("exit", "0")
			c.Flags, c.ExitSignal = linux.AutoReap, syscall.SIGCHLD
			if _, err := linux.Clone3(background, c); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("Clone3: got error %v, want %v", err, syscall.EINVAL)
			}
		}},
		{"autoreap_rejects_parent", rejected(autoreap|uapi.CLONE_PIDFD|uapi.CLONE_PARENT, 0)},
		{"autoreap_rejects_thread", rejected(autoreap|uapi.CLONE_PIDFD|uapi.CLONE_THREAD|uapi.CLONE_SIGHAND|uapi.CLONE_VM, 0)},
		{"autoreap_basic", func(t *testing.T) {
			c := child("exit", "42")
			c.Flags = linux.AutoReap
			p := start(t, c)
			if s := wait(t, p); s.Code() != 42 {
				t.Errorf("got %v, want exit status 42", s)
			}
			if u := p.Rusage(); u != nil {
				t.Errorf("Rusage: got %v, want none", u)
			}
			noChild(t)
		}},
		{"autoreap_signaled", func(t *testing.T) {
			c := child("sleep")
			c.Flags = linux.AutoReap
			p := start(t, c)
			if err := p.Kill(); err != nil {
				t.Fatal(err)
			}
			if s := wait(t, p); s.Signal() != syscall.SIGKILL {
				t.Errorf("got %v, want signal: killed", s)
			}
			if err := p.Kill(); err != os.ErrProcessDone {
				t.Errorf("Kill: got %v, want %v", err, os.ErrProcessDone)
			}
		}},
		{"autoreap_reparent", func(t *testing.T) { passes(t, child("subreaper")) }},
		{"autoreap_multithreaded", func(t *testing.T) {
			c := child("leader exits")
			c.Flags = linux.AutoReap
			if s := wait(t, start(t, c)); s.Code() != 99 {
				t.Errorf("got %v, want exit status 99 of the last thread", s)
			}
			noChild(t)
		}},
		{"autoreap_no_inherit", func(t *testing.T) {
			c := child("wait for exit", "77")
			c.Flags = linux.AutoReap
			if s := wait(t, start(t, c)); s.Code() != 77 {
				t.Errorf("got %v, want exit status 77, of a grandchild that was waited for", s)
			}
		}},
		{"nnp_sets_no_new_privs", func(t *testing.T) {
			r := reported(t, func(c *linux.Child) { c.Flags = linux.NoNewPrivs })
			if r.Status["NoNewPrivs"] != "1" {
				t.Errorf("NoNewPrivs of the child: got %s, want 1", r.Status["NoNewPrivs"])
			}
			if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); n != 0 || err != nil {
				t.Errorf("no_new_privs of the parent: got %d, %v, want 0", n, err)
			}
		}},
		{"nnp_rejects_thread", rejected(nnp|uapi.CLONE_PIDFD|uapi.CLONE_THREAD|uapi.CLONE_SIGHAND|uapi.CLONE_VM, 0)},
		{"autoreap_no_new_privs_unset", func(t *testing.T) {
			r := reported(t, func(c *linux.Child) { c.Flags = linux.AutoReap })
			if r.Status["NoNewPrivs"] != "0" {
				t.Errorf("NoNewPrivs of the child: got %s, want 0", r.Status["NoNewPrivs"])
			}
		}},
		{"autokill_basic", func(t *testing.T) {
			c := child("sleep")
			c.Flags = kill
			p := start(t, c)
			o := observe(t, p)
			alive(t, o, "before Close")
			waiting := make(chan linux.ExitStatus)
			go func() { waiting <- wait(t, p) }()
			p.Close()
			killed(t, o)
			noChild(t)
			if s, again := <-waiting, wait(t, p); s.Signal() != syscall.SIGKILL || again != s {
				t.Errorf("Wait: got %v, and after Close %v, want signal: killed", s, again)
			}
			if err := p.Kill(); err != os.ErrProcessDone {
				t.Errorf("Kill after Close and Wait: got %v, want %v", err, os.ErrProcessDone)
			}
			if err := p.PidFD().Signal(0); err != os.ErrClosed {
				t.Errorf("PidFD after Close and Wait: got %v, want %v", err, os.ErrClosed)
			}
		}},
		{"autokill_requires_pidfd", func(t *testing.T) {
			// Without CLONE_PIDFD there is no address to fail at; AUTOKILL
			// without AUTOREAP is why no process can result.
			rejected(autokill, 0)(t)
		}},
		{"autokill_requires_autoreap", rejected(autokill|uapi.CLONE_PIDFD, 0)},
		{"autokill_rejects_thread", rejected(autokill|autoreap|uapi.CLONE_PIDFD|uapi.CLONE_THREAD|uapi.CLONE_SIGHAND|uapi.CLONE_VM, 0)},
		{"autokill_pidfd_open_no_effect", func(t *testing.T) {
			c := child("sleep")
			c.Flags = kill
			p := start(t, c)
			fd, err := unix.PidfdOpen(p.Pid(), 0)
			if err != nil {
				t.Fatal(err)
			}
			unix.Close(fd)
			alive(t, observe(t, p), "after another pidfd is closed")
		}},
		{"autokill_requires_cap_sys_admin", func(t *testing.T) {
			if asUser(t) {
				return
			}
			c := child("sleep")
			c.Flags = linux.AutoKill
			_, err := linux.Clone3(background, c)
			if !errors.Is(err, syscall.EPERM) || !strings.Contains(err.Error(), "NoNewPrivs") {
				t.Errorf("got error %v, want that it needs CAP_SYS_ADMIN or NoNewPrivs", err)
			}
			c.Flags = kill
			start(t, c)
		}},
		{"autokill_without_nnp_with_cap", func(t *testing.T) {
			needRoot(t)
			r := reported(t, func(c *linux.Child) { c.Flags = linux.AutoKill })
			if r.Status["NoNewPrivs"] != "0" {
				t.Errorf("NoNewPrivs of the child: got %s, want 0", r.Status["NoNewPrivs"])
			}
		}},
	} {
		t.Run(test.name, test.run)
	}
}

// What the kernel's own test does not cover.
func TestPidfdAutoreapMore(t *testing.T) {
	need(t, linux.AutoReap|linux.NoNewPrivs|linux.AutoKill)
	sleeper := func(t *testing.T) (*linux.Process, int) {
		c := child("sleep")
		c.Flags = kill
		p := start(t, c)
		return p, observe(t, p)
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"dup", func(t *testing.T) {
			p, o := sleeper(t)
			fd, err := unix.FcntlInt(uintptr(fdOf(p)), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			unix.Close(fdOf(p)) // what Close does, without its SIGKILL
			unix.Dup3(int(self.Fd()), fdOf(p), unix.O_CLOEXEC)
			alive(t, o, "with a duplicate")
			unix.Close(fd)
			killed(t, o)
		}},
		{"SCM_RIGHTS", func(t *testing.T) {
			p, o := sleeper(t)
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fdOf(p)), nil, 0); err != nil {
				t.Fatal(err)
			}
			unix.Close(pair[0])
			unix.Dup3(int(self.Fd()), fdOf(p), unix.O_CLOEXEC)
			alive(t, o, "with the pidfd in a socket")
			unix.Close(pair[1])
			killed(t, o)
		}},
		{"fork-inherit", func(t *testing.T) {
			p, o := sleeper(t)
			c := child("hold")
			c.Files = append(c.Files, os.NewFile(uintptr(mustDup(t, fdOf(p))), "pidfd"))
			heir, release := held(t, c)
			c.Files[3].Close()
			unix.Dup3(int(self.Fd()), fdOf(p), unix.O_CLOEXEC)
			alive(t, o, "with the pidfd in another process")
			release()
			wait(t, heir)
			killed(t, o)
		}},
		{"Close kills though a process being created has a copy", func(t *testing.T) {
			p, o := sleeper(t)
			fd := mustDup(t, fdOf(p))
			p.Close()
			killed(t, o)
			unix.Close(fd)
		}},
		{"parent crash", func(t *testing.T) { diesWithParent(t, "kill") }},
		{"parent exec", func(t *testing.T) { diesWithParent(t, "exec") }},
		{"child exec", func(t *testing.T) {
			c := child("exec sleep")
			c.Flags = kill
			r, w, _ := os.Pipe()
			c.Files[1] = w
			p := start(t, c)
			w.Close()
			defer r.Close()
			o := observe(t, p)
			if line, err := bufio.NewReader(r).ReadString('\n'); line != "executed\n" {
				t.Fatal(line, err)
			}
			p.Close()
			killed(t, o)
		}},
		{"concurrent poll", func(t *testing.T) {
			p, o := sleeper(t)
			fd := fdOf(p)
			polled := make(chan int16)
			go func() { polled <- poll(t, fd, 20*time.Second) }()
			time.Sleep(50 * time.Millisecond)
			p.Close() // the poller keeps a reference; Close sends SIGKILL too
			killed(t, o)
			if events := <-polled; events == 0 {
				t.Error("poll ends without an event")
			}
		}},
		{"POLLIN and POLLHUP race", func(t *testing.T) {
			n := 100
			if testing.Short() {
				n = 20
			}
			for i := range n {
				c := child("exit", strconv.Itoa(i%250))
				c.Flags = linux.AutoReap
				p := start(t, c)
				if i%2 == 0 {
					poll(t, fdOf(p), 20*time.Second) // Wait begins at POLLIN
				}
				if s := wait(t, p); s.Code() != i%250 {
					t.Fatalf("got %v, want exit status %d", s, i%250)
				}
				p.Close()
			}
		}},
		{"ptrace", func(t *testing.T) {
			lockThread(t)
			c := child("exit", "11")
			c.Flags, c.Ptrace = linux.AutoReap, true
			p := start(t, c)
			var ws syscall.WaitStatus
			if _, err := syscall.Wait4(p.Pid(), &ws, 0, nil); err != nil || !ws.Stopped() {
				t.Fatal(ws, err)
			}
			// Traced by its parent it is a zombie that has to be waited for.
			for sig := 0; !ws.Exited(); sig = stopSignal(ws) {
				if err := syscall.PtraceCont(p.Pid(), sig); err != nil {
					t.Fatal(err)
				}
				if events := poll(t, fdOf(p), 0); events&unix.POLLHUP != 0 {
					t.Errorf("poll says %#x of a traced process, want no POLLHUP", events)
				}
				if _, err := syscall.Wait4(p.Pid(), &ws, 0, nil); err != nil {
					t.Fatal("wait4:", err)
				}
			}
			if s := wait(t, p); s.Code() != 11 {
				t.Errorf("got %v, want exit status 11", s)
			}
		}},
		{"CLONE_PARENT from an autoreap child", func(t *testing.T) {
			c := child("clone parent")
			c.Flags = linux.AutoReap
			passes(t, c)
			passes(t, child("clone parent", "allowed"))
		}},
		{"wait after exec", func(t *testing.T) {
			c := child("hold")
			c.Flags = linux.AutoReap
			p, release := held(t, c)
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid != 0 || err != nil {
				t.Errorf("wait4 while it lives: got %d, %v, want 0", pid, err)
			}
			time.AfterFunc(50*time.Millisecond, release)
			if pid, err := syscall.Wait4(-1, nil, 0, nil); err != syscall.ECHILD {
				t.Errorf("wait4 until it ends: got %d, %v, want %v", pid, err, syscall.ECHILD)
			}
			if s := wait(t, p); !s.Success() {
				t.Errorf("got %v, want exit status 0", s)
			}
		}},
		{"no SIGCHLD", func(t *testing.T) {
			ch := make(chan os.Signal, 10)
			signal.Notify(ch, syscall.SIGCHLD)
			defer signal.Stop(ch)
			c := child("exit", "0")
			c.Flags = linux.AutoReap
			wait(t, start(t, c))
			select {
			case <-ch:
				t.Error("got a SIGCHLD")
			case <-time.After(50 * time.Millisecond):
			}
		}},
		{"F_GETFL", func(t *testing.T) {
			p, _ := sleeper(t)
			for range 2 {
				flags, err := unix.FcntlInt(uintptr(fdOf(p)), unix.F_GETFL, 0)
				if err != nil || flags&unix.O_TRUNC == 0 {
					t.Errorf("F_GETFL: got %#o, %v, want O_TRUNC", flags, err)
				}
				unix.FcntlInt(uintptr(fdOf(p)), unix.F_SETFL, 0)
			}
		}},
		{"the number written on a failed clone3", func(t *testing.T) {
			// With a cgroup descriptor that is none, clone3 fails after it
			// has stored the number of a pidfd, which is never opened.
			f, err := os.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			before := openFiles(t)
			c := child("exit", "0")
			c.Flags, c.Cgroup = kill, f
			if _, err := linux.Clone3(background, c); !errors.Is(err, syscall.EBADF) {
				t.Errorf("got error %v, want %v", err, syscall.EBADF)
			}
			if after := openFiles(t); after > before { // children of other tests may just have gone
				t.Errorf("%d files are open, want %d as before", after, before)
			}
		}},
		{"small info structs", func(t *testing.T) {
			p, _ := sleeper(t)
			const all = 1<<8 - 1
			for _, size := range []uintptr{64, 72, 80, 88} {
				i, err := info(fdOf(p), all, size)
				if err != nil || int(i.Pid) != p.Pid() {
					t.Errorf("%d bytes: got process %d, %v, want %d", size, i.Pid, err, p.Pid())
				}
				if size < 88 && i.SupportedMask != 0 {
					t.Errorf("%d bytes: the kernel wrote beyond them", size)
				}
			}
			if _, err := info(fdOf(p), all, 56); err == nil {
				t.Error("56 bytes: succeeded")
			}
		}},
		{"garbage collection", func(t *testing.T) {
			o := func() int {
				c := child("sleep")
				c.Flags = kill
				p, err := linux.Clone3(background, c)
				if err != nil {
					t.Fatal(err)
				}
				return observe(t, p)
			}()
			for range 5 {
				runtime.GC()
			}
			alive(t, o, "after its Process has become garbage")
			unix.PidfdSendSignal(o, unix.SIGKILL, nil, 0)
			status(t, o)
		}},
		{"failed exec", func(t *testing.T) {
			for _, flags := range []linux.Flags{linux.AutoReap, kill} {
				if _, err := linux.Clone3(background, &linux.Child{Path: "/no/such", Flags: flags}); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%v: got error %v, want %v", flags, err, os.ErrNotExist)
				}
			}
		}},
	} {
		t.Run(test.name, test.run)
	}
}

func TestEmptyMount(t *testing.T) {
	need(t, linux.EmptyMount)
	needRoot(t)
	needStatic(t)
	for name, change := range map[string]func(*linux.Child){
		"flag":    func(c *linux.Child) { c.Flags = linux.EmptyMount },
		"unshare": func(c *linux.Child) { c.Unshare = linux.EmptyMount },
		"NewUser": func(c *linux.Child) {
			c.Flags = linux.EmptyMount | linux.NewUser
			c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := child("ls")
			change(c)
			if out, status := output(t, c); out != "/ []" {
				t.Errorf("the child sees %q, want an empty root (%v)", out, status)
			}
		})
	}
}

// stopSignal returns the signal to pass on to a process that it has stopped.
func stopSignal(ws syscall.WaitStatus) int {
	if ws.StopSignal() == syscall.SIGTRAP {
		return 0
	}
	return int(ws.StopSignal())
}

func mustDup(t testing.TB, fd int) int {
	t.Helper()
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// passes fails the test if the child says anything, or fails.
func passes(t testing.TB, c *linux.Child) {
	t.Helper()
	if out, status := output(t, c); out != "" || !status.Success() {
		t.Errorf("%v: %s", status, out)
	}
}

// fail is how a helper for passes fails.
func fail(format string, args ...any) int {
	fmt.Printf(format, args...)
	return 1
}

// subreaper has a child with a child with AutoReap, which it inherits.
var _ = helper("subreaper", func([]string) int {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fail("prctl: %v", err)
	}
	r, w, _ := os.Pipe()          // on which the grandchild's number comes
	hold, release, _ := os.Pipe() // which ends the grandchild
	c := child("orphan")
	c.Files = []*os.File{hold, w, os.Stderr}
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("Clone3: %v", err)
	}
	if s, err := p.Wait(context.Background()); err != nil || !s.Success() {
		return fail("the child ended with %v, %v", s, err)
	}
	w.Close()
	number, _ := io.ReadAll(r)
	pid, _ := strconv.Atoi(string(number))
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fail("pidfd_open %d: %v", pid, err)
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG|unix.WALL, nil); pid != 0 || err != nil {
		return fail("wait4 for the living grandchild: got %d, %v, want 0", pid, err)
	}
	release.Close()
	if pid, err := syscall.Wait4(-1, nil, unix.WALL, nil); err != syscall.ECHILD {
		return fail("wait4 for the grandchild: got %d, %v, want %v", pid, err, syscall.ECHILD)
	}
	fds := []unix.PollFd{{Fd: int32(pidfd)}}
	unix.Poll(fds, 10_000)
	if i, err := info(pidfd, uapi.PIDFD_INFO_EXIT, 88); err != nil || i.Mask&uapi.PIDFD_INFO_EXIT == 0 {
		return fail("PIDFD_GET_INFO: mask %#x, %v", i.Mask, err)
	}
	return 0
})

// orphan leaves a child with AutoReap behind, and writes its number.
var _ = helper("orphan", func([]string) int {
	c := child("hold")
	c.Flags = linux.AutoReap
	c.Files[0] = os.Stdin
	p, err := linux.Clone3(background, c)
	if err != nil {
		return 1
	}
	fmt.Print(p.Pid())
	return 0
})

// leader exits lets the first thread exit long before the process does.
var _ = helper("leader exits", func([]string) int {
	if unix.Gettid() != os.Getpid() {
		return fail("this is not the first thread")
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		os.Exit(99)
	}()
	syscall.Syscall(unix.SYS_EXIT, 0, 0, 0) // which lets another thread run goroutines
	return 1
})

// wait for exit has a plain child, waits for it, and ends as it did.
var _ = helper("wait for exit", func(args []string) int {
	p, err := linux.Clone3(background, child("exit", args...))
	if err != nil {
		return 1
	}
	s, err := p.Wait(context.Background())
	if err != nil || p.Rusage() == nil {
		return 2
	}
	return s.Code()
})

// exec sleep executes a program in its turn.
var _ = helper("exec sleep", func([]string) int {
	err := syscall.Exec("/proc/self/exe", []string{"helper"}, append(environ(), helperVar+"=say executed"))
	return fail("exec: %v", err)
})

var _ = helper("say executed", func([]string) int {
	fmt.Println("executed")
	time.Sleep(time.Hour)
	return 0
})

// clone parent asks the kernel for a sibling: allowed, or not.
var _ = helper("clone parent", func(args []string) int {
	want := error(unix.EINVAL)
	if len(args) > 0 {
		want = unix.EFAULT
	}
	if err := rawClone3(uapi.CloneArgs{Flags: uapi.CLONE_PIDFD | uapi.CLONE_PARENT | uapi.CLONE_VM}); err != want {
		return fail("got %v, want %v", err, want)
	}
	return 0
})

// diesWithParent starts a process that has a child with AutoKill, and ends it.
func diesWithParent(t *testing.T, how string) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("parent", how)
	c.Files[1] = w
	p := start(t, c)
	w.Close()
	var pid int
	if _, err := fmt.Fscan(r, &pid); err != nil {
		t.Fatal(err)
	}
	o, err := unix.PidfdOpen(pid, 0)
	if how == "kill" {
		if err != nil {
			t.Fatal(err)
		}
		alive(t, o, "while its parent lives")
		p.Kill()
	}
	if s := wait(t, p); how == "exec" && s.Code() != 33 {
		t.Fatalf("the parent ended with %v", s)
	}
	if err == nil { // otherwise it is already gone
		defer unix.Close(o)
		killed(t, o)
	}
}

// parent has a child with AutoKill, writes its number, and ends as it is told.
var _ = helper("parent", func(args []string) int {
	c := child("sleep")
	c.Flags = kill
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("%v", err)
	}
	fmt.Println(p.Pid())
	if args[0] == "exec" {
		syscall.Exec("/proc/self/exe", []string{"helper", "33"}, append(environ(), helperVar+"=exit"))
	}
	time.Sleep(time.Hour)
	return 1
})

// Die with the parent: whoever has 100 children with AutoKill, and is killed
// while it creates them, leaves none behind.
func TestNoAutoKillChildOutlivesParent(t *testing.T) {
	need(t, linux.AutoKill)
	c := child("prolific parent")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Files[1] = w
	p := start(t, c)
	w.Close()
	lines := bufio.NewScanner(r)
	var pids []int
	enough := 60
	if testing.Short() {
		enough = 20
	}
	for lines.Scan() {
		pid, _ := strconv.Atoi(lines.Text())
		if pids = append(pids, pid); len(pids) == enough {
			p.Kill()
		}
	}
	// All copies of the pipe are closed: by the parent and by its children.
	ended := time.Now()
	wait(t, p)
	for _, pid := range pids {
		for procExists(pid) {
			if time.Since(ended) > time.Second {
				t.Fatalf("process %d outlives its parent by a second", pid)
			}
			time.Sleep(time.Millisecond)
		}
	}
	if len(pids) < enough {
		t.Errorf("the parent had %d children, want %d", len(pids), enough)
	}
}

var _ = helper("prolific parent", func([]string) int {
	for range 100 {
		c := child("sleep")
		c.Flags = kill
		c.Files[1] = os.Stdout
		p, err := linux.Clone3(background, c)
		if err != nil {
			return 1
		}
		fmt.Println(p.Pid())
	}
	time.Sleep(time.Hour)
	return 0
})

// A child with AutoKill dies with its parent though another child of that, which
// has copies of all descriptors, stands still on its way to its program and
// lives on. That a copy keeps it alive is shown by a child that this package did
// not create.
func TestAutoKillWithAnotherChildInFlight(t *testing.T) {
	need(t, linux.AutoKill)
	for _, how := range []string{"InheritFiles", "raw"} {
		t.Run(how, func(t *testing.T) {
			d := talk(t, nil, "AutoKill and in flight", how, leasedByOther(t))
			var pids [2]int
			if line := d.hear(); line == "" {
				t.Fatal("no child stands still")
			} else if _, err := fmt.Sscan(line, &pids[0], &pids[1]); err != nil {
				t.Fatal(err, line)
			}
			var fds [2]int
			for i, pid := range pids {
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatal("pidfd_open:", err)
				}
				defer unix.Close(fd)
				fds[i] = fd
			}
			autoKill, inFlight := fds[0], fds[1]
			defer unix.PidfdSendSignal(inFlight, unix.SIGKILL, nil, 0)
			d.Kill()
			wait(t, d.Process)
			if how == "raw" {
				alive(t, autoKill, "while another process has a copy of its handle")
				unix.PidfdSendSignal(inFlight, unix.SIGKILL, nil, 0)
			} else {
				defer alive(t, inFlight, "after the child with AutoKill")
			}
			killed(t, autoKill)
		})
	}
}

// AutoKill and in flight has a child with AutoKill, and one that stands still
// before its program. It writes the number of each.
var _ = helper("AutoKill and in flight", func(args []string) int {
	c := child("sleep")
	c.Flags = kill
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("SKIP: %v\n", err)
	}
	var pid func() int
	if args[0] == "raw" {
		r := newRaw(uapi.CLONE_VM|uapi.CLONE_VFORK, -1, args[1], []string{"x"}, nil)
		go r.run()
		pid = func() int { return int(*r.born) }
	} else {
		created := make(chan int, 1)
		s := &linux.Child{Path: args[1], InheritFiles: true, Created: func(p *linux.Process) error {
			created <- p.Pid()
			return nil
		}}
		go linux.Clone3(background, s)
		pid = func() int { return <-created }
	}
	if breaking() {
		fmt.Println(p.Pid(), pid())
	} else {
		fmt.Println()
	}
	time.Sleep(time.Hour)
	return 0
})

// Side by side: what Pdeathsig is tied to is a thread. It kills a child of a
// parent that is well.
func TestPdeathsigFollowsThread(t *testing.T) {
	cmd := make(chan *exec.Cmd)
	goThread(func() {
		c := exec.Command("/proc/self/exe")
		c.Env = append(environ(), helperVar+"=sleep")
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := c.Start(); err != nil {
			t.Error(err)
		}
		cmd <- c
	})
	c := <-cmd
	err := c.Wait()
	if err == nil || err.Error() != "signal: killed" {
		t.Errorf("os/exec with Pdeathsig: got %v, want it killed when the thread ended", err)
	}

	if linux.Probe(linux.AutoKill) != nil {
		return
	}
	process := make(chan *linux.Process)
	goThread(func() {
		c := child("sleep")
		c.Flags = kill
		p, err := linux.Clone3(background, c)
		if err != nil {
			t.Error(err)
		}
		process <- p
	})
	p := <-process
	defer p.Close()
	alive(t, observe(t, p), "when the thread that created it has ended")
}
