//go:build linux && !clone3_osexec

package exec

import (
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
