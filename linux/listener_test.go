//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// ask makes system calls that nothing else makes, and writes what the kernel says to
// each: the value, or the error.
var _ = helper("ask", func(calls []string) int {
	for _, call := range calls {
		var v uintptr
		var errno syscall.Errno
		switch name, arg, _ := strings.Cut(call, "="); name {
		case "getsid":
			v, _, errno = unix.Syscall(unix.SYS_GETSID, 0, 0, 0)
		case "getpgid": // of a process that there is not
			v, _, errno = unix.Syscall(unix.SYS_GETPGID, 0x7ffffff0, 0, 0)
		case "socket": // and write to what comes of it
			v, _, errno = unix.Syscall(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
			if errno == 0 {
				unix.Write(int(v), []byte("from the child"))
			}
		case "fd": // whether there is a descriptor
			n, _ := strconv.Atoi(arg)
			v, _, errno = unix.Syscall(unix.SYS_FCNTL, uintptr(n), unix.F_GETFD, 0)
		case "getfd": // take descriptors from the parent
			v, errno = takeFrom(os.Getppid())
		case "listen": // be supervisor in one's turn
			c := child("exit", "0")
			c.Flags, c.Listen, c.Seccomp = linux.NoNewPrivs, true, notifying()
			_, err := linux.Clone3(background, c)
			fmt.Println(err)
			continue
		case "stop":
			unix.Kill(os.Getpid(), unix.SIGSTOP)
			continue
		}
		if errno != 0 {
			fmt.Println(unix.ErrnoName(errno))
		} else {
			fmt.Println(v)
		}
	}
	return 0
})

// takeFrom takes seccomp listeners from another process, and returns how many.
func takeFrom(pid int) (taken uintptr, errno syscall.Errno) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err.(syscall.Errno)
	}
	for n := range 200 {
		got, err := unix.PidfdGetfd(fd, n, 0)
		if err != nil {
			if err != unix.EBADF {
				errno = err.(syscall.Errno)
			}
			continue
		}
		if link, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(got)); strings.Contains(link, "seccomp") {
			taken, errno = taken+1, 0
		}
		unix.Close(got)
	}
	return taken, errno
}

var notified = []string{"getsid", "getpgid", "socket", "socketcall"}

// notifying is a filter that asks about some calls.
func notifying(others ...seccomp.Rule) *seccomp.Program {
	p, err := (&seccomp.Filter{Default: seccomp.Allow, Rules: append(others, seccomp.Rule{Calls: notified, Action: seccomp.Notify})}).Compile()
	if err != nil {
		panic(err)
	}
	return p
}

// listened is a child whose calls are notified.
func listened(calls ...string) *linux.Child {
	c := child("ask", calls...)
	c.Flags, c.Listen, c.Seccomp = linux.NoNewPrivs, true, notifying()
	return c
}

// supervised creates a child, and returns what it writes, line by line.
func supervised(t *testing.T, c *linux.Child) (*linux.Process, func() string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	for len(c.Files) < 3 {
		c.Files = append(c.Files, nil)
	}
	c.Files[1] = w
	p, err := linux.Clone3(background, c)
	w.Close()
	if step, ok := errors.AsType[*linux.StepError](err); ok && step.Kind == linux.StepSeccomp && step.Errno == unix.EBUSY {
		t.Skip("this program is under a filter with a listener: ", err)
	}
	if err != nil {
		kerneltest.Need(t, "Listen", "5.0", err)
	}
	t.Cleanup(func() { p.Kill(); p.Close() })
	return p, func() string {
		r.SetReadDeadline(time.Now().Add(10 * time.Second))
		var line []byte
		var b [1]byte
		for {
			if n, _ := r.Read(b[:]); n == 0 || b[0] == '\n' {
				return string(line)
			}
			line = append(line, b[0])
		}
	}
}

// received is the next call of a child.
func received(t *testing.T, p *linux.Process) *seccomp.Notification {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	n, err := p.Listener().Receive(ctx)
	if err != nil {
		t.Fatal("Receive: ", err)
	}
	return n
}

// The listener is handed over whatever else the child does, and by both ways.
func TestListener(t *testing.T) {
	deny := func(calls ...string) *seccomp.Program {
		return notifying(seccomp.Rule{Calls: calls, Action: seccomp.Errno(unix.EPERM)})
	}
	for name, change := range map[string]func(*linux.Child){
		"sent":                func(*linux.Child) {},
		"taken":               func(c *linux.Child) { c.Seccomp = deny("sendmsg", "socketpair", "sendto") },
		"InheritFiles":        func(c *linux.Child) { c.InheritFiles = true },
		"taken, InheritFiles": func(c *linux.Child) { c.InheritFiles, c.Seccomp = true, deny("sendmsg") },
		"many files": func(c *linux.Child) {
			for range 40 {
				c.Files = append(c.Files, os.Stderr)
			}
		},
		"many files, InheritFiles": func(c *linux.Child) {
			c.InheritFiles = true
			for range 40 {
				c.Files = append(c.Files, os.Stderr)
			}
		},
		"Created":    func(c *linux.Child) { c.Created = func(*linux.Process) error { return nil } },
		"own memory": func(c *linux.Child) { c.Flags |= linux.NewUser; ownIDs(c) },
		"KillTree":   func(c *linux.Child) { c.KillTree = true },
		"Capabilities, Umask": func(c *linux.Child) {
			c.Capabilities, c.Umask, c.Setsid, c.ResetSignals = new(linux.Capabilities), new(0o77), true, true
		},
		"Credential": func(c *linux.Child) {
			if os.Geteuid() == 0 {
				c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
			}
		},
		"taken, user": func(c *linux.Child) { c.Seccomp = deny("sendmsg"); c.Flags |= linux.NewUser; ownIDs(c) },
	} {
		t.Run(name, func(t *testing.T) {
			c := listened("getsid", "getpgid", "getsid", "socket", "fd=77", "getsid", "fd=77")
			change(c)
			p, says := supervised(t, c)
			l := p.Listener()
			n := received(t, p)
			if nr := uintptr(unix.SYS_GETSID); n.Call != "getsid" || n.Number != nr || n.Args[0] != 0 || n.IP == 0 || n.Arch == 0 {
				t.Errorf("got %+v, want a call of getsid", n)
			}
			if n.Thread == 0 {
				t.Error("the thread is not known")
			}
			is(t, "Valid", l.Valid(n), nil)
			is(t, "Return", l.Return(n, 4711), nil)
			if got := says(); got != "4711" {
				t.Errorf("the child has got %s, want 4711", got)
			}
			is(t, "Return again", l.Return(n, 4711), linux.ErrNotWaiting)
			is(t, "Valid", l.Valid(n), linux.ErrNotWaiting)
			if n = received(t, p); n.Args[0] != 0x7ffffff0 {
				t.Errorf("got arguments %x", n.Args)
			}
			is(t, "Fail", l.Fail(n, unix.EXDEV), nil)
			if got := says(); got != "EXDEV" {
				t.Errorf("the child has got %s, want EXDEV", got)
			}
			is(t, "Continue", l.Continue(received(t, p)), nil)
			if got := says(); !slices.Contains([]string{"EXDEV", "4711"}, got) {
				if _, err := strconv.Atoi(got); err != nil {
					t.Errorf("the child has got %s, want the session", got)
				}
			} else {
				t.Errorf("the child has got %s", got)
			}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			if n = received(t, p); n.Call != "socket" && n.Call != "socketcall" {
				t.Errorf("got %+v, want a call of socket", n)
			}
			fd, err := l.ReturnFile(n, w, true)
			if err != nil {
				t.Fatal("ReturnFile: ", err)
			}
			if got := says(); got != strconv.Itoa(fd) {
				t.Errorf("the child has got %s, want %d", got, fd)
			}
			b := make([]byte, 32)
			if k, _ := r.Read(b); string(b[:k]) != "from the child" {
				t.Errorf("the child has written %q", b[:k])
			}
			if got := says(); got != "EBADF" {
				t.Errorf("descriptor 77 of the child: %s", got)
			}
			n = received(t, p)
			if fd, err := l.AddFile(n, w, 77, false); fd != 77 || err != nil {
				t.Errorf("AddFile: %d, %v", fd, err)
			}
			if fd, err := l.AddFile(n, w, -1, true); fd < 3 || err != nil {
				t.Errorf("AddFile: %d, %v", fd, err)
			}
			is(t, "Return", l.Return(n, 0), nil)
			if got := says() + " " + says(); got != "0 0" {
				t.Errorf("the child has got %s", got)
			}
			if s := wait(t, p); !s.Success() {
				t.Errorf("the child ended with %v", s)
			}
			if _, err := l.Receive(background); err != io.EOF {
				t.Errorf("when all have ended, Receive: got error %v, want %v", err, io.EOF)
			}
			is(t, "AddFile", addFile(l, n, w), linux.ErrNotWaiting)
		})
	}
}

func addFile(l *linux.Listener, n *seccomp.Notification, f *os.File) error {
	_, err := l.AddFile(n, f, -1, true)
	return err
}

// What is left open by the handing over is nothing: neither here nor in the program.
func TestListenerLeavesNothing(t *testing.T) {
	for _, inherit := range []bool{false, true} {
		r := reported(t, func(c *linux.Child) {
			c.Flags, c.Listen, c.Seccomp, c.InheritFiles = linux.NoNewPrivs, true, compiled(t, seccomp.Allow, seccomp.Rule{Calls: []string{"swapoff"}, Action: seccomp.Notify}), inherit
		})
		for fd, target := range r.Files {
			if strings.HasPrefix(target, "socket:") || strings.Contains(target, "seccomp") {
				t.Errorf("InheritFiles %v: descriptor %s of the program is %s", inherit, fd, target)
			}
		}
	}
}

// Without who answers, calls fail and nobody waits: the Listener is closed by itself
// and by its Process, also while somebody receives.
func TestListenerCloses(t *testing.T) {
	for name, end := range map[string]func(*linux.Process){
		"Listener.Close": func(p *linux.Process) { p.Listener().Close() },
		"Process.Close":  func(p *linux.Process) { p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p, says := supervised(t, listened("getsid", "getpgid"))
			l := p.Listener()
			n := received(t, p)
			left := make(chan error)
			go func() {
				_, err := l.Receive(background)
				left <- err
			}()
			end(p)
			if got := says() + " " + says(); got != "ENOSYS ENOSYS" {
				t.Errorf("the child has got %s, want ENOSYS", got)
			}
			is(t, "Receive", <-left, os.ErrClosed)
			_, err := l.Receive(background)
			is(t, "Receive", err, os.ErrClosed)
			is(t, "Return", l.Return(n, 0), os.ErrClosed)
			is(t, "Valid", l.Valid(n), os.ErrClosed)
			is(t, "AddFile", addFile(l, n, os.Stderr), os.ErrClosed)
			is(t, "Close", l.Close(), nil)
		})
	}
	t.Run("garbage", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		c := listened("getsid")
		c.Files[1] = w
		drop(t, c)
		w.Close()
		done := make(chan string)
		go func() {
			text, _ := io.ReadAll(r)
			done <- string(text)
		}()
		for deadline := time.After(20 * time.Second); ; {
			runtime.GC()
			select {
			case got := <-done:
				if got != "ENOSYS\n" {
					t.Errorf("the child has got %q, want ENOSYS", got)
				}
				return
			case <-deadline:
				t.Fatal("the child still waits")
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
}

// Whoever has called may be gone: the next call is another's.
func TestListenerOfKilled(t *testing.T) {
	p, _ := supervised(t, listened("getsid"))
	l := p.Listener()
	n := received(t, p)
	is(t, "Kill", p.Kill(), nil)
	wait(t, p)
	for what, err := range map[string]error{"Valid": l.Valid(n), "Return": l.Return(n, 0), "Fail": l.Fail(n, unix.EIO),
		"Continue": l.Continue(n), "AddFile": addFile(l, n, os.Stderr)} {
		is(t, what, err, linux.ErrNotWaiting)
	}
	// It was killed before its call was received.
	p, _ = supervised(t, listened("getsid"))
	time.Sleep(20 * time.Millisecond)
	is(t, "Kill", p.Kill(), nil)
	wait(t, p)
	if n, err := p.Listener().Receive(background); err != io.EOF {
		t.Errorf("Receive: %+v, %v, want %v", n, err, io.EOF)
	}
}

// Receive ends with its context, and the next one receives.
func TestListenerContext(t *testing.T) {
	p, says := supervised(t, listened("stop", "getsid", "getsid", "getsid"))
	l := p.Listener()
	why := errors.New("why")
	for range 3 {
		ctx, cancel := context.WithCancelCause(background)
		time.AfterFunc(5*time.Millisecond, func() { cancel(why) })
		_, err := l.Receive(ctx)
		is(t, "Receive", err, why)
		_, err = l.Receive(ctx)
		is(t, "Receive", err, why)
	}
	// One that waits for its turn ends too.
	long, end := context.WithCancel(background)
	first := make(chan error)
	go func() {
		_, err := l.Receive(long)
		first <- err
	}()
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	_, err := l.Receive(ctx)
	is(t, "Receive", err, context.DeadlineExceeded)
	end()
	is(t, "Receive", <-first, context.Canceled)
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(background, time.Minute)
			defer cancel()
			n, err := l.Receive(ctx)
			if err == nil {
				err = l.Return(n, 5)
			}
			is(t, "Receive", err, nil)
		})
	}
	go func() {
		for { // it may not have stopped yet
			p.Signal(unix.SIGCONT)
			time.Sleep(5 * time.Millisecond)
			if p.Signal(0) != nil {
				return
			}
		}
	}()
	group.Wait()
	if got := says() + says() + says(); got != "555" {
		t.Errorf("the child has got %s, want 555", got)
	}
	wait(t, p)
}

// Any number of goroutines receive, and no threads.
func TestListenersUseNoThreads(t *testing.T) {
	n := 40
	if testing.Short() {
		n = 12
	}
	ctx, cancel := context.WithCancel(background)
	var group sync.WaitGroup
	before := threadsOf(t)
	for range n {
		c := child("sleep")
		c.Flags, c.Listen, c.Seccomp = linux.NoNewPrivs, true, notifying()
		p, _ := supervised(t, c)
		for range 3 {
			group.Go(func() { p.Listener().Receive(ctx) })
		}
	}
	time.Sleep(50 * time.Millisecond)
	if now := threadsOf(t); now > before+n/2 {
		t.Errorf("%d threads for %d listeners, there were %d", now, n, before)
	}
	cancel()
	group.Wait()
}

func threadsOf(t *testing.T) int {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	return len(tasks)
}

// A filter that would ask about what the child has to do before its program, or
// forbid it, is refused before there is a child.
func TestListenerRefused(t *testing.T) {
	ask := func(calls ...string) *seccomp.Program {
		return notifying(seccomp.Rule{Calls: calls, Action: seccomp.Notify})
	}
	for want, c := range map[string]*linux.Child{
		"notify to read":       {Seccomp: ask("read"), Listen: true},
		"notify to execve":     {Seccomp: ask("execve"), Listen: true},
		"notify to exit_group": {Seccomp: ask("exit_group"), Listen: true},
		"errno 1 to read":      {Seccomp: notifying(seccomp.Rule{Calls: []string{"read"}, Action: seccomp.Errno(1)}), Listen: true},
		"Listen is not set":    {Seccomp: notifying()},
		"no action Notify":     {Seccomp: compiled(t, seccomp.Allow), Listen: true},
	} {
		c.Path, c.Flags = "/does not exist", linux.NoNewPrivs
		if _, err := linux.Clone3(background, c); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v", want, err)
		}
	}
	p, _ := supervised(t, listened("getsid"))
	n := received(t, p)
	for what, err := range map[string]error{"value -1": p.Listener().Return(n, -1), "value -4095": p.Listener().Return(n, -4095),
		"number 0": p.Listener().Fail(n, 0), "number 4096": p.Listener().Fail(n, 4096)} {
		if !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: got error %v", what, err)
		}
	}
}

// The kernel lets a process have one listener, and says so to its children.
func TestListenerInsideOfAnother(t *testing.T) {
	p, says := supervised(t, listened("listen"))
	go func() {
		for {
			n, err := p.Listener().Receive(background)
			if err != nil {
				return
			}
			p.Listener().Continue(n)
		}
	}()
	if got := says(); !strings.Contains(got, "the kernel allows one") {
		t.Errorf("got %q, want that the kernel allows one", got)
	}
	wait(t, p)
}

// No program runs whose listener this one cannot take.
func TestListenerWithoutDescriptors(t *testing.T) {
	for _, way := range []string{"sent", "taken", "denied"} {
		out, status := output(t, child("listen without descriptors", way))
		if strings.HasPrefix(out, "SKIP") {
			t.Skip(out)
		}
		if out != "" || !status.Success() {
			t.Errorf("%s: %v\n%s", way, status, out)
		}
	}
}

var _ = helper("listen without descriptors", func(args []string) int {
	r, w, err := os.Pipe()
	if err != nil {
		return fail("%v", err)
	}
	c := listened("fd=0")
	c.Files[1] = w
	want := []error{unix.EMFILE}
	if args[0] != "sent" {
		c.Seccomp = notifying(seccomp.Rule{Calls: []string{"sendmsg"}, Action: seccomp.Errno(unix.EPERM)})
	}
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("SKIP %v", err)
	}
	p.Wait(background)
	p.Close()
	r.Read(make([]byte, 8))
	if args[0] == "denied" {
		if err := hide(unix.SYS_PIDFD_GETFD, int(unix.EPERM)); err != nil {
			return fail("SKIP %v", err)
		}
		want = []error{unix.EPERM}
	} else {
		// The pair of sockets and the pidfd still have a place, the listener
		// has none: the limit is on the highest number.
		var held []int
		for free := 0; ; {
			fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return fail("%v", err)
			}
			held = append(held, fd)
			if free++; free == 20 {
				for _, fd := range held[len(held)-3:] {
					unix.Close(fd)
				}
				unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(fd + 1), Max: uint64(fd + 1)})
				break
			}
		}
	}
	if _, err = linux.Clone3(background, c); err == nil {
		return fail("no error\n")
	}
	step, ok := errors.AsType[*linux.StepError](err)
	if !ok || !errors.Is(err, want[0]) {
		return fail("got error %v, want %v\n", err, want[0])
	}
	if args[0] == "denied" && step.Kind != linux.StepListener {
		return fail("got error %v of %v\n", err, step.Kind)
	}
	w.Close()
	if text, _ := io.ReadAll(r); len(text) > 0 {
		return fail("the program has run: %q\n", text)
	}
	return 0
})

// Every system call of the handing over fails with each of some errors, in this
// program and in the child: what comes of it is a listener, or an error that names
// what has failed, and nothing is left.
func TestListenerFaults(t *testing.T) {
	skipped := 0
	calls := map[string]uintptr{"socketpair": unix.SYS_SOCKETPAIR, "fcntl": unix.SYS_FCNTL, "seccomp": unix.SYS_SECCOMP, "sendmsg": unix.SYS_SENDMSG,
		"recvmsg": unix.SYS_RECVMSG, "pidfd_getfd": unix.SYS_PIDFD_GETFD, "shutdown": unix.SYS_SHUTDOWN, "prctl": unix.SYS_PRCTL,
		"clone3": unix.SYS_CLONE3, "close_range": uapi.SYS_CLOSE_RANGE}
	for name, nr := range calls {
		for _, errno := range []syscall.Errno{unix.EINTR, unix.ENOMEM, unix.EMFILE, unix.EPERM, unix.ENOSYS} {
			if nr == unix.SYS_CLONE3 && errno != unix.ENOSYS {
				skipped++ // glibc then creates no threads
				continue
			}
			out, status := output(t, child("listen with a fault", strconv.Itoa(int(nr)), strconv.Itoa(int(errno))))
			if strings.HasPrefix(out, "SKIP") {
				skipped++
			} else if out != "" || !status.Success() {
				t.Errorf("%s, %v: %v\n%s", name, unix.ErrnoName(errno), status, out)
			}
		}
	}
	if skipped == 5*len(calls) {
		t.Skip("no filter")
	}
}

var _ = helper("listen with a fault", func(args []string) int {
	nr, _ := strconv.Atoi(args[0])
	errno, _ := strconv.Atoi(args[1])
	for _, sent := range []bool{true, false} {
		c := child("exit", "0")
		c.Flags, c.Listen, c.Seccomp = linux.NoNewPrivs, true, notifying()
		if !sent {
			c.Seccomp = notifying(seccomp.Rule{Calls: []string{"sendmsg"}, Action: seccomp.Errno(unix.EPERM)})
		}
		once := func() error {
			p, err := linux.Clone3(background, c)
			if err != nil {
				return err
			}
			if p.Listener() == nil {
				return errors.New("no error, and no listener")
			}
			_, err = p.Wait(background)
			p.Close()
			return err
		}
		if sent {
			if err := once(); err != nil {
				return fail("SKIP %v", err)
			}
			if err := hide(uintptr(nr), errno); err != nil {
				return fail("SKIP %v", err)
			}
		}
		before, _ := os.ReadDir("/proc/self/fd")
		err := once()
		after, _ := os.ReadDir("/proc/self/fd")
		if nr == unix.SYS_CLONE3 || nr == uapi.SYS_CLOSE_RANGE { // without which there are other ways
			if err != nil && syscall.Errno(errno) == unix.ENOSYS {
				return fail("got error %v\n", err)
			}
		}
		if err != nil && !errors.Is(err, syscall.Errno(errno)) && !errors.Is(err, errors.ErrUnsupported) {
			return fail("got error %v\n", err)
		}
		if len(after) > len(before) {
			return fail("%d descriptors, there were %d; the error is %v\n", len(after), len(before), err)
		}
		if unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) != unix.ECHILD {
			return fail("a child is left; the error is %v\n", err)
		}
	}
	return 0
})

// If this program ends, whenever that is, the child does not start or its calls fail:
// it does not wait for ever.
func TestListenerWhenParentEnds(t *testing.T) {
	n := 40
	if testing.Short() {
		n = 10
	}
	for i := range n {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := child("listen until killed")
		c.Files[1] = w
		p := start(t, c)
		w.Close()
		if i > 0 {
			r.Read(make([]byte, 1)) // it is about to
			time.Sleep(time.Duration(i) * 100 * time.Microsecond)
		}
		p.Kill()
		wait(t, p)
		gone := make(chan struct{})
		go func() { // nobody has the pipe any more
			io.Copy(io.Discard, r)
			close(gone)
		}()
		select {
		case <-gone:
		case <-time.After(30 * time.Second):
			t.Fatal("a child of a program that has ended still waits")
		}
		r.Close()
	}
}

var _ = helper("listen until killed", func([]string) int {
	c := listened("getsid")
	c.Files[1] = os.Stdout
	os.Stdout.Write([]byte{1})
	for {
		p, err := linux.Clone3(background, c)
		if err != nil {
			return fail("%v", err)
		}
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		if n, err := p.Listener().Receive(ctx); err == nil {
			p.Listener().Continue(n)
		}
		cancel()
		p.Kill()
		p.Wait(background)
		p.Close()
	}
})

// Another process of the same user can take the listener as it can everything of a
// program that it may attach to, and not otherwise.
func TestListenerIsNotTaken(t *testing.T) {
	for how, denied := range map[string]bool{"plain": false, "not dumpable": true, "other user": true, "filter": true} {
		t.Run(how, func(t *testing.T) {
			c := child("supervise a thief", how)
			if how == "other user" {
				needRoot(t)
			} else if os.Geteuid() == 0 { // whom nobody without capabilities may attach to
				c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
			}
			out, status := output(t, c)
			if strings.HasPrefix(out, "SKIP") {
				t.Skip(out)
			}
			if !status.Success() {
				t.Fatalf("%v: %s", status, out)
			}
			n, err := strconv.Atoi(strings.TrimSpace(out))
			switch taken := err == nil && n > 0; {
			case denied && taken:
				t.Errorf("the child has taken %d listeners of its parent", n)
			case !denied && !taken:
				if scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && scope[0] != '0' {
					t.Skipf("ptrace_scope is %s", scope)
				}
				t.Errorf("the attack does not work where nothing protects from it: %s", out)
			}
		})
	}
}

var _ = helper("supervise a thief", func(args []string) int {
	c := listened("getfd")
	c.Files[1] = os.Stdout
	switch args[0] {
	case "not dumpable":
		linux.SetDumpable(false)
	case "other user":
		linux.SetDumpable(true)
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	case "filter":
		linux.SetDumpable(true) // which it is not, having changed its user
		c.Seccomp = notifying(seccomp.Rule{Calls: []string{"pidfd_getfd", "ptrace"}, Action: seccomp.Errno(unix.EPERM)})
	case "plain":
		linux.SetDumpable(true)
	}
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("SKIP %v", err)
	}
	go func() {
		for {
			n, err := p.Listener().Receive(background)
			if err != nil {
				return
			}
			p.Listener().Continue(n)
		}
	}()
	p.Wait(background)
	return 0
})

func TestListenerSync(t *testing.T) {
	p, says := supervised(t, listened("getsid"))
	for _, on := range []bool{true, false, true} {
		kerneltest.Need(t, "Listener.Sync", "6.6", p.Listener().Sync(on))
	}
	is(t, "Return", p.Listener().Return(received(t, p), 3), nil)
	if got := says(); got != "3" {
		t.Errorf("the child has got %s, want 3", got)
	}
	if !p.Listener().WaitsKillable() {
		t.Error("calls are interrupted by signals")
	}
}

// A call that was received is not interrupted by a signal, where the kernel can.
func TestListenerAndSignals(t *testing.T) {
	p, says := supervised(t, listened("getsid"))
	if !p.Listener().WaitsKillable() {
		kerneltest.Since(t, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "5.19")
		t.Fatal("calls are interrupted by signals")
	}
	n := received(t, p)
	for range 5 {
		p.Signal(unix.SIGURG) // which Go handles
		time.Sleep(2 * time.Millisecond)
		is(t, "Valid", p.Listener().Valid(n), nil)
	}
	is(t, "Return", p.Listener().Return(n, 6), nil)
	if got := says(); got != "6" {
		t.Errorf("the child has got %s, want 6", got)
	}
}

var _ = helper("ask many", func(args []string) int {
	n, _ := strconv.Atoi(args[0])
	for range n {
		unix.RawSyscall(unix.SYS_GETSID, 0, 0, 0)
	}
	return 0
})

// From a call to the end of its answer, with the two in turn and without.
func BenchmarkListener(b *testing.B) {
	for _, sync := range []bool{false, true} {
		b.Run(fmt.Sprintf("sync=%v", sync), func(b *testing.B) {
			c := child("ask many", strconv.Itoa(b.N))
			c.Flags, c.Listen, c.Seccomp = linux.NoNewPrivs, true, notifying()
			p, err := linux.Clone3(background, c)
			if err != nil {
				b.Skip(err)
			}
			defer p.Close()
			l := p.Listener()
			if sync && l.Sync(true) != nil {
				b.Skip("since Linux 6.6")
			}
			for range b.N {
				n, err := l.Receive(background)
				if err == nil {
					err = l.Return(n, 0)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			p.Wait(background)
		})
	}
}
