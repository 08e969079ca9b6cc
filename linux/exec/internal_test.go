//go:build linux && !clone3_osexec

package exec

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

func TestProcessState(t *testing.T) {
	usage := &syscall.Rusage{Utime: syscall.Timeval{Sec: 1}, Stime: syscall.Timeval{Sec: 2}}
	for _, test := range []struct {
		status linux.ExitStatus
		usage  *syscall.Rusage
		text   string
		code   int
		user   time.Duration
	}{
		{0, usage, "exit status 0", 0, time.Second},
		{3 << 8, usage, "exit status 3", 3, time.Second},
		{9, nil, "signal: killed", -1, 0},
		{6 | 0x80, nil, "signal: aborted (core dumped)", -1, 0},
	} {
		s, err := processState(42, test.status, test.usage)
		if err != nil {
			t.Fatal(err)
		}
		if s.Pid() != 42 || s.String() != test.text || s.ExitCode() != test.code || s.UserTime() != test.user ||
			s.Success() != (test.status == 0) || s.Sys() != syscall.WaitStatus(test.status) {
			t.Errorf("status %#x: got pid %d, %q, code %d, user time %v", test.status, s.Pid(), s, s.ExitCode(), s.UserTime())
		}
	}
	if !makesStates() || !handles() {
		t.Error("AutoReap cannot be used with this release of Go")
	}
}

// A namespace that is created and left at once is not created, but where that
// makes a difference; and what a Child unshares it still does.
func TestNamespacesOfBoth(t *testing.T) {
	for name, test := range map[string]struct {
		child          linux.Child
		clone, unshare uintptr
		flags, left    linux.Flags
	}{
		"created":              {linux.Child{Flags: linux.NewIPC}, unix.CLONE_NEWUTS, 0, linux.NewIPC | linux.NewUTS, 0},
		"with the signal":      {linux.Child{}, unix.CLONE_NEWTIME | uintptr(syscall.SIGCHLD), 0, linux.NewTime, 0},
		"without":              {linux.Child{}, unix.CLONE_NEWTIME, 0, linux.NewTime, 0},
		"left":                 {linux.Child{Unshare: linux.NewIPC}, 0, unix.CLONE_NEWUTS, 0, linux.NewIPC | linux.NewUTS},
		"created and left":     {linux.Child{}, unix.CLONE_NEWUTS | unix.CLONE_NEWIPC, unix.CLONE_NEWUTS, linux.NewIPC, linux.NewUTS},
		"left by the Child":    {linux.Child{Unshare: linux.NewUTS}, unix.CLONE_NEWUTS, 0, 0, linux.NewUTS},
		"a level, or children": {linux.Child{}, unix.CLONE_NEWUSER | unix.CLONE_NEWPID, unix.CLONE_NEWUSER | unix.CLONE_NEWPID, linux.NewUser | linux.NewPID, linux.NewUser | linux.NewPID},
	} {
		child := test.child
		if _, err := take(&child, &syscall.SysProcAttr{Cloneflags: test.clone, Unshareflags: test.unshare}); err != nil {
			t.Fatal(err)
		}
		if child.Flags != test.flags || child.Unshare != test.left {
			t.Errorf("%s: Flags %v and Unshare %v, want %v and %v", name, child.Flags, child.Unshare, test.flags, test.left)
		}
	}
}

// A process that is done is one to package os, too.
func TestNobodyIsDone(t *testing.T) {
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/proc/self/exe", Args: []string{"test", "-test.run=^$", "-test.list=^$"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone, err := osProcess(p, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Kill(); err == nil || err.Error() != "os: process already finished" || gone.Pid != p.Pid() {
		t.Errorf("Kill: got %v; pid %d, want %d", err, gone.Pid, p.Pid())
	}
}

// What finish does, package os takes for the end of a process.
func TestFinish(t *testing.T) {
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if !finish(p) || !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) || hasHandle(p) {
			t.Error("the process is not done; package os of this release of Go is another one")
		}
	}
}

func TestExcerpt(t *testing.T) {
	const text = "abcdefghijklmnopqrstuvwxyz"
	for limit := range 30 {
		for size := 1; size < 30; size++ {
			x := excerpt{limit: limit}
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				if got, err := x.Write([]byte(rest[:n])); got != n || err != nil {
					t.Fatalf("Write: got %d, %v", got, err)
				}
				rest = rest[n:]
			}
			got := string(x.bytes())
			head, tail, cut := strings.Cut(got, "\n... omitting ")
			switch {
			case 2*limit >= len(text):
				if got != text {
					t.Errorf("limit %d, writes of %d: got %q", limit, size, got)
				}
			default:
				count, end, _ := strings.Cut(tail, " bytes ...\n")
				if !cut || head != text[:limit] || end != text[len(text)-limit:] || count != strconv.Itoa(len(text)-2*limit) {
					t.Errorf("limit %d, writes of %d: got %q", limit, size, got)
				}
			}
			if len(x.tail) > 2*limit+size {
				t.Errorf("limit %d: keeps %d bytes", limit, len(x.tail))
			}
		}
	}
}

// What is read at once is all there is, be it more than one piece, and what is not
// is left whole to who reads next.
func TestCopyUntil(t *testing.T) {
	type end struct {
		bytes  int
		closed bool
	}
	for name, test := range map[string]struct {
		ends []end
		late bool // it has taken too long already
		all  bool
		left int // of the copies
	}{
		"nothing":                {[]end{{0, true}, {0, true}}, false, true, 0},
		"little":                 {[]end{{1 << 10, true}, {1, true}}, false, true, 0},
		"one piece":              {[]end{{2 << 10, true}, {2<<10 + 1, true}}, false, true, 0},
		"many pieces":            {[]end{{20 << 10, true}, {0, true}}, false, true, 0},
		"one pipe":               {[]end{{5 << 10, true}}, false, true, 0},
		"much":                   {[]end{{little + 4<<10, true}, {0, true}}, false, false, 1},
		"late":                   {[]end{{5 << 10, true}, {0, true}}, true, false, 1},
		"somebody has the first": {[]end{{5 << 10, false}, {10, true}}, false, false, 1},
		"somebody has the other": {[]end{{10, true}, {5 << 10, false}}, false, false, 1},
		"somebody has both":      {[]end{{0, false}, {0, false}}, false, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			ended, err := unix.Eventfd(1, unix.EFD_CLOEXEC) // tells like a pidfd
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(ended)
			var p pipes
			var outs []*bytes.Buffer
			var writers []int
			for _, e := range test.ends {
				r, w, err := openPipe()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := unix.FcntlInt(uintptr(w), unix.F_SETPIPE_SZ, 2*little); err != nil {
					t.Skip(err)
				}
				out := new(bytes.Buffer)
				p.copies = append(p.copies, copier{output: &outlet{w: out, fd: r}})
				outs = append(outs, out)
				if n, err := unix.Write(w, bytes.Repeat([]byte("x"), e.bytes)); n != e.bytes {
					t.Fatal(n, err)
				}
				if e.closed {
					unix.Close(w)
				} else {
					writers = append(writers, w)
				}
			}
			deadline := time.Since(loaded) + time.Hour
			if test.late {
				deadline = 0
			}
			if all := p.copyUntil(ended, deadline); all != test.all || len(p.copies) != test.left {
				t.Errorf("got %v, %d copies are left, want %v, %d", all, len(p.copies), test.all, test.left)
			}
			for _, w := range writers {
				unix.Close(w)
			}
			for _, c := range p.copies {
				c.output.open()
				if err := pump(c.output.w, c.output.file); err != nil {
					t.Error(err)
				}
				c.output.Close()
			}
			for i, e := range test.ends {
				if outs[i].Len() != e.bytes {
					t.Errorf("pipe %d: got %d bytes, want %d", i, outs[i].Len(), e.bytes)
				}
			}
		})
	}
}

// Where the poller cannot have it, an end of a pipe blocks, and does not fail. To
// the poller that is the same as a file, which it cannot have either.
func TestPolled(t *testing.T) {
	nonblocking := func(f *os.File) bool {
		t.Helper()
		conn, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		flags := 0
		conn.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0) })
		if err != nil {
			t.Fatal(err)
		}
		return flags&unix.O_NONBLOCK != 0
	}
	r, w, err := openPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(w)
	pipe := polled(r, "pipe")
	defer pipe.Close()
	if err := pipe.SetDeadline(time.Now()); err != nil || !nonblocking(pipe) {
		t.Errorf("a pipe: deadline %v, nonblocking %v", err, nonblocking(pipe))
	}
	fd, err := unix.Open("/proc/self/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := polled(fd, "file")
	defer file.Close()
	if err := file.SetDeadline(time.Now()); err == nil || nonblocking(file) {
		t.Errorf("a file: deadline %v, nonblocking %v", err, nonblocking(file))
	}
}
