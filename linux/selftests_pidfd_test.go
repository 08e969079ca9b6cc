//go:build linux

package linux_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// The cases of the kernel's own tests, tools/testing/selftests/pidfd/*.c, under
// their names, as far as they can be written with this package. A test is a file
// there. pidfd_autoreap_test.c is TestPidfdAutoreap.

// threads has two threads. The second one writes its ID and then obeys what it
// reads: "leader exits", "exit", "exec".
var _ = helper("threads", func([]string) int {
	leave := make(chan bool)
	go func() {
		runtime.LockOSThread()
		fmt.Println(unix.Gettid())
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			switch lines.Text() {
			case "leader exits":
				leave <- true
			case "exit":
				os.Exit(42)
			case "exec": // by a path that does without the first thread
				err := syscall.Exec("/proc/thread-self/exe", []string{"helper"}, append(environ(), helperVar+"=executed"))
				os.Exit(fail("exec: %v", err))
			}
		}
		os.Exit(1)
	}()
	<-leave
	syscall.Syscall(unix.SYS_EXIT, 0, 0, 0) // this thread, the first, and not its P
	return 1
})

var _ = helper("executed", func([]string) int {
	fmt.Println("executed")
	io.Copy(io.Discard, os.Stdin)
	return 43
})

// A group is a process of two threads.
type group struct {
	t       *testing.T
	process *linux.Process
	leader  *linux.PidFD // the process
	first   *linux.PidFD // its first thread, as a thread, or nil
	second  *linux.PidFD // its second thread, or nil
	tid     int          // of the second thread
	in      *os.File
	out     *bufio.Reader
}

func newGroup(t *testing.T) *group {
	t.Helper()
	c := child("threads")
	stdin, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); out.Close() })
	c.Files[0], c.Files[1] = stdin, stdout
	g := &group{t: t, process: start(t, c), in: in, out: bufio.NewReader(out)}
	stdin.Close()
	stdout.Close()
	leader, err := g.process.PidFD().Dup()
	g.leader = own(t, leader, err)
	fmt.Sscan(g.line(), &g.tid)
	if linux.Supported(linux.OpOpenThread) == nil {
		first, err := linux.OpenThread(g.process.Pid())
		g.first = own(t, first, err)
		second, err := linux.OpenThread(g.tid)
		g.second = own(t, second, err)
	}
	return g
}

func (g *group) line() string {
	g.t.Helper()
	line, err := g.out.ReadString('\n')
	if err != nil {
		g.t.Fatalf("the process is gone: %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

func (g *group) tell(what string) { fmt.Fprintln(g.in, what) }

// leaderExits lets the first thread exit, and waits until it has.
func (g *group) leaderExits() {
	g.t.Helper()
	g.tell("leader exits")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(statPath(g.process.Pid()))
		if _, rest, _ := strings.Cut(string(stat), ") "); err == nil && strings.HasPrefix(rest, "Z") {
			return
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("the first thread does not exit: %q, %v", stat, err)
		}
	}
}

// lives fails the test if a handle of the process, or of its first thread, has
// anything to tell.
func (g *group) lives(when string) {
	g.t.Helper()
	alive(g.t, number(g.t, g.leader), when)
	if g.first == nil {
		return
	}
	kerneltest.Since(g.t, "the first thread's handle tells of the process", "6.16")
	alive(g.t, number(g.t, g.first), when+", first thread")
}

// ended returns what a handle tells of an end that is final.
func (g *group) ended(f *linux.PidFD) linux.ExitStatus {
	g.t.Helper()
	is(g.t, "WaitEnd", f.WaitEnd(g.t.Context()), nil)
	s, err := f.Wait(g.t.Context())
	kerneltest.Need(g.t, "PIDFD_INFO_EXIT", "6.15", err)
	return s
}

func TestPidfdInfoOfThreads(t *testing.T) {
	noThread := func(t *testing.T, g *group) {
		t.Helper()
		if _, err := linux.OpenPidFD(g.tid); !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
			t.Errorf("a thread opened as a process: got %v, want ENOENT or EINVAL", err)
		}
	}
	noExit := func(t *testing.T, f *linux.PidFD) {
		t.Helper()
		if i, err := f.Info(); err != nil || i.Has(linux.InfoExit) {
			t.Errorf("Info of a process with a thread that runs: got %+v, %v, want no status", i, err)
		}
	}
	t.Run("thread_group", func(t *testing.T) {
		needInfo(t)
		g := newGroup(t)
		noThread(t, g)
		g.leaderExits()
		g.lives("when the first thread has exited")
		noExit(t, g.leader)
		g.tell("exit")
		if s := wait(t, g.process); s.Code() != 42 {
			t.Errorf("Wait: got %v, want exit status 42, of the last thread", s)
		}
		for name, f := range map[string]*linux.PidFD{"process": g.leader, "first thread": g.first} {
			if s := g.ended(f); s.Code() != 42 {
				t.Errorf("%s: got %v, want exit status 42", name, s)
			}
		}
	})
	for name, leaderExits := range map[string]bool{"thread_group_exec": true, "thread_group_exec_thread": false} {
		t.Run(name, func(t *testing.T) {
			needInfo(t)
			g := newGroup(t)
			noThread(t, g)
			if leaderExits {
				g.leaderExits()
			}
			g.tell("exec")
			if line := g.line(); line != "executed" {
				t.Fatal(line)
			}
			// The thread has become the first one, and has its number.
			g.lives("when a thread has executed a program")
			noExit(t, g.leader)
			if s := g.ended(g.second); !s.Success() {
				t.Errorf("the thread's old number: got %v, want exit status 0", s)
			}
			g.in.Close()
			if s := wait(t, g.process); s.Code() != 43 {
				t.Errorf("Wait: got %v, want exit status 43, of the program executed", s)
			}
			if s := g.ended(g.leader); s.Code() != 43 {
				t.Errorf("the process: got %v, want exit status 43", s)
			}
		})
	}
}

func TestPidfdPoll(t *testing.T) {
	type waiter struct {
		name string
		end  func(*testing.T, *group) // of the process
	}
	waiters := []waiter{
		{"poll", func(t *testing.T, g *group) {
			if events := poll(t, number(t, g.leader), 20*time.Second); events&unix.POLLIN == 0 {
				t.Errorf("poll: got %#x, want POLLIN", events)
			}
			wait(t, g.process)
		}},
		{"wait", func(t *testing.T, g *group) {
			if s := wait(t, g.process); s.Code() != 42 && s.Code() != 43 {
				t.Errorf("Wait: got %v", s)
			}
		}},
	}
	for _, w := range waiters {
		t.Run("poll_exec/"+w.name, func(t *testing.T) {
			g := newGroup(t)
			g.tell("exec")
			if line := g.line(); line != "executed" {
				t.Fatal(line)
			}
			alive(t, number(t, g.leader), "when a thread has executed a program")
			g.in.Close()
			w.end(t, g)
		})
		t.Run("poll_leader_exit/"+w.name, func(t *testing.T) {
			g := newGroup(t)
			g.leaderExits()
			alive(t, number(t, g.leader), "when the first thread has exited")
			g.tell("exit")
			w.end(t, g)
		})
	}
}

func TestPidfdSendSignal(t *testing.T) {
	t.Run("send_signal_recycled_pid", func(t *testing.T) {
		needRoot(t)
		kerneltest.Since(t, "SetTID", "5.5")
		pid := freePID()
		c := child("exit", "0")
		c.SetTID = []int{pid}
		p := start(t, c)
		g, err := p.PidFD().Dup()
		old := own(t, g, err)
		wait(t, p)
		c = child("hold")
		c.SetTID = []int{pid}
		_, _, release := living(t, c)
		is(t, "Signal of who had the number before", old.Signal(unix.SIGKILL), os.ErrProcessDone)
		is(t, "kill of the number", unix.Kill(pid, 0), nil)
		release()
	})
}

// undumpable says when no other process may look into it.
var _ = helper("undumpable", func([]string) int {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fail("prctl: %v", err)
	}
	fmt.Println(os.Getpid())
	io.Copy(io.Discard, os.Stdin)
	return 0
})

func TestPidfdGetfd(t *testing.T) {
	t.Run("disable_ptrace", func(t *testing.T) {
		if asUser(t) {
			return
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		c := child("undumpable")
		c.Files[1] = w
		f, _, _ := living(t, c)
		w.Close()
		scanInt(t, r)
		_, err = f.GetFD(1)
		is(t, "GetFD", err, unix.EPERM)
	})
}

// manyNamespaces are those that one thread of several can join.
var manyNamespaces = []struct {
	flag linux.Flags
	kind linux.Namespace
	file string // of the thread that has joined it
}{
	{linux.NewMount, linux.MountNamespace, "mnt"},
	{linux.NewPID, linux.PIDNamespace, "pid_for_children"},
	{linux.NewUTS, linux.UTSNamespace, "uts"},
	{linux.NewIPC, linux.IPCNamespace, "ipc"},
	{linux.NewNet, linux.NetNamespace, "net"},
	{linux.NewCgroup, linux.CgroupNamespace, "cgroup"},
}

func TestPidfdSetns(t *testing.T) {
	incremental := func(t *testing.T, open func(p *linux.Process, kind linux.Namespace) (*os.File, error)) {
		needRoot(t)
		c := child("hold")
		for _, n := range manyNamespaces {
			c.Flags |= n.flag
		}
		_, p, _ := living(t, c)
		done := make(chan struct{})
		goThread(func() {
			defer close(done)
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				t.Error(err)
				return
			}
			var files []*os.File // before /proc is that of another mount namespace
			var want []uint64
			for _, n := range manyNamespaces {
				file, err := open(p, n.kind)
				if err != nil {
					t.Errorf("%v: %v", n.kind, err)
					return
				}
				defer file.Close()
				var st unix.Stat_t
				unix.Fstat(int(file.Fd()), &st)
				files, want = append(files, file), append(want, st.Ino)
			}
			for i, n := range manyNamespaces {
				if err := unix.Setns(int(files[i].Fd()), int(n.flag)); err != nil {
					t.Errorf("setns %v: %v", n.kind, err)
				}
				if got := inodeOf(t, "/proc/thread-self/ns/"+n.file); got != want[i] {
					t.Errorf("the thread is in %v namespace %d, want %d", n.kind, got, want[i])
				}
				for j, later := range manyNamespaces[i+1:] {
					if inodeOf(t, "/proc/thread-self/ns/"+later.file) == want[i+1+j] {
						t.Errorf("with %v the thread has joined %v too", n.kind, later.kind)
					}
				}
			}
		})
		<-done
	}
	t.Run("nsfd_incremental", func(t *testing.T) {
		incremental(t, func(p *linux.Process, kind linux.Namespace) (*os.File, error) {
			return os.Open(fmt.Sprintf("/proc/%d/ns/%v", p.Pid(), kind))
		})
	})
	t.Run("pidfd_derived_nsfd_incremental", func(t *testing.T) {
		kerneltest.Need(t, "Namespace", "6.11", linux.Supported(linux.OpNamespace))
		incremental(t, func(p *linux.Process, kind linux.Namespace) (*os.File, error) { return p.PidFD().Namespace(kind) })
	})
	t.Run("no_foul_play", func(t *testing.T) {
		// Who is in one user namespace may not join what belongs to another.
		all := linux.NewUser
		for _, n := range manyNamespaces {
			all |= n.flag
		}
		c := child("hold")
		c.Flags = all
		victim, err := linux.Clone3(background, c)
		if errors.Is(err, unix.EPERM) {
			t.Skip("user namespaces are denied here: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer victim.Close()
		defer victim.Kill()
		file, err := victim.PidFD().File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		c = child("foul play")
		c.Flags = linux.NewUser | linux.NewUTS
		c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		c.Files = append(c.Files, file)
		passes(t, c)
	})
}

// foul play has all capabilities, in its own user namespace, and tries to join
// the namespaces of the process with descriptor 3.
var _ = helper("foul play", func([]string) int {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNET); err != nil {
		return fail("this should be allowed: unshare: %v", err)
	}
	for _, n := range manyNamespaces {
		if err := unix.Setns(3, int(n.flag)); err != unix.EPERM {
			return fail("%v: got %v, want EPERM", n.kind, err)
		}
	}
	return 0
})

func TestPidfdFileHandle(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	needHandle(t, f)
	fd := number(t, f)
	t.Run("child_pidns", func(t *testing.T) {
		needRoot(t)
		c := child("hold")
		c.Flags = linux.NewPID
		inside, _, _ := living(t, c)
		g, err := linux.OpenHandle(needHandle(t, inside))
		own(t, g, err)
		if equal, err := g.Equal(inside); !equal || err != nil {
			t.Errorf("Equal: got %v, %v", equal, err)
		}
	})
	t.Run("lookup_must_fail", func(t *testing.T) {
		for _, name := range []string{"x", "..", "."} {
			got, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			is(t, "openat "+name, err, unix.ENOTDIR)
			if err == nil {
				unix.Close(got)
			}
		}
	})
	t.Run("flags", func(t *testing.T) {
		raw, _, err := unix.NameToHandleAt(fd, "", unix.AT_EMPTY_PATH)
		if err != nil {
			t.Fatal(err)
		}
		for name, flags := range map[string]int{"O_RDONLY": 0, "O_RDWR": unix.O_RDWR, "O_CLOEXEC": unix.O_CLOEXEC,
			"O_NONBLOCK": unix.O_NONBLOCK, "all": unix.O_RDWR | unix.O_CLOEXEC | unix.O_NONBLOCK} {
			got, err := unix.OpenByHandleAt(fd, raw, flags)
			if is(t, name, err, nil); err == nil {
				unix.Close(got)
			}
		}
		for name, flags := range map[string]int{"O_APPEND": unix.O_APPEND, "O_CREAT": unix.O_CREAT, "O_DIRECTORY": unix.O_DIRECTORY,
			"O_EXCL and O_CREAT": unix.O_EXCL | unix.O_CREAT, "O_NOATIME": unix.O_NOATIME, "O_NOFOLLOW": unix.O_NOFOLLOW,
			"O_PATH": unix.O_PATH, "O_SYNC": unix.O_SYNC, "O_TRUNC": unix.O_TRUNC, "O_TMPFILE": unix.O_TMPFILE} {
			got, err := unix.OpenByHandleAt(fd, raw, flags)
			if is(t, name, err, unix.EINVAL); err == nil {
				unix.Close(got)
			}
		}
		nameToHandle := func(flags int) error {
			room := struct {
				size uint32
				kind int32
				_    [128]byte
			}{size: 128}
			var mount [2]uint64
			empty := [1]byte{}
			_, _, errno := unix.Syscall6(unix.SYS_NAME_TO_HANDLE_AT, uintptr(fd), uintptr(unsafe.Pointer(&empty)),
				uintptr(unsafe.Pointer(&room)), uintptr(unsafe.Pointer(&mount)), uintptr(flags), 0)
			if errno == 0 {
				return nil
			}
			return errno
		}
		const (
			handleFID         = 0x200 // AT_HANDLE_FID
			handleMountUnique = 0x1   // AT_HANDLE_MNT_ID_UNIQUE
			handleConnectable = 0x2   // AT_HANDLE_CONNECTABLE
		)
		is(t, "AT_HANDLE_FID", nameToHandle(unix.AT_EMPTY_PATH|handleFID), nil)
		is(t, "AT_HANDLE_MNT_ID_UNIQUE", nameToHandle(unix.AT_EMPTY_PATH|handleMountUnique), nil)
		if err := nameToHandle(unix.AT_EMPTY_PATH | handleConnectable); err == nil {
			t.Error("AT_HANDLE_CONNECTABLE: succeeded")
		}
		is(t, "AT_RECURSIVE", nameToHandle(unix.AT_EMPTY_PATH|unix.AT_RECURSIVE), unix.EINVAL)
	})
}
