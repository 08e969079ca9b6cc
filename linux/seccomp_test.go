//go:build linux

package linux_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// Container engines hide clone3 by a seccomp filter that answers ENOSYS or
// EPERM. Children that do not need it are created all the same.
func TestWithoutClone3(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.ENOSYS, unix.EPERM} {
		t.Run(unix.ErrnoName(errno), func(t *testing.T) {
			if errno == unix.EPERM {
				needStatic(t) // with it comes glibc, which then cannot create threads
			}
			out, status := output(t, child("without clone3", strconv.Itoa(int(errno))))
			if strings.HasPrefix(out, "SKIP") {
				t.Skip(out)
			}
			if out != "" || !status.Success() {
				t.Errorf("%v:\n%s", status, out)
			}
		})
	}
}

var _ = helper("without clone3", func(args []string) int {
	answer, _ := strconv.Atoi(args[0])
	tmp, err := os.Open("/")
	if err != nil {
		return fail("%v", err)
	}
	// Caching must not make Probe blind to a filter that comes later.
	linux.Probe(linux.AutoReap | linux.NewUTS)
	if err := hide(unix.SYS_CLONE3, answer); err != nil {
		return fail("SKIP: no seccomp filter: %v", err)
	}
	failed := 0
	check := func(ok bool, format string, args ...any) {
		if !ok {
			failed = 1
			fmt.Printf(format+"\n", args...)
		}
	}

	for name, change := range map[string]func(*linux.Child){
		"AutoReap":   func(c *linux.Child) { c.Flags = linux.AutoReap },
		"AutoKill":   func(c *linux.Child) { c.Flags = linux.AutoKill },
		"EmptyMount": func(c *linux.Child) { c.Flags = linux.EmptyMount },
		"IntoCgroup": func(c *linux.Child) { c.Cgroup = tmp },
		"NewTime":    func(c *linux.Child) { c.Flags = linux.NewTime },
		"SetTID":     func(c *linux.Child) { c.SetTID = []int{1} },
	} {
		c := child("exit", "0")
		change(c)
		_, err := linux.Clone3(background, c)
		var unsupported *linux.UnsupportedError
		check(errors.Is(err, errors.ErrUnsupported) && errors.As(err, &unsupported) && unsupported.Feature == name,
			"%s: got error %v, want that it is unsupported", name, err)
		check(err != nil && strings.Contains(err.Error(), "seccomp filter"), "%s: error %v does not tell why", name, err)
	}
	for _, flags := range []linux.Flags{linux.AutoReap, linux.NewUTS, linux.AutoKill | linux.NoNewPrivs} {
		err := linux.Probe(flags)
		check(errors.Is(err, errors.ErrUnsupported), "Probe(%v): got %v, want that it is unsupported", flags, err)
	}

	signal.Ignore(syscall.SIGHUP) // stays ignored
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGUSR1)
	for name, test := range map[string]struct {
		change func(*linux.Child)
		ok     func(report) bool
	}{
		"plain": {func(*linux.Child) {}, func(r report) bool { return r.PPID == os.Getpid() }},
		"signals": {func(*linux.Child) {}, func(r report) bool {
			ignored, _ := strconv.ParseUint(r.Status["SigIgn"], 16, 64)
			return ignored&1 == 1
		}},
		"reset signals": {func(c *linux.Child) { c.ResetSignals = true }, func(r report) bool {
			ignored, _ := strconv.ParseUint(r.Status["SigIgn"], 16, 64)
			return ignored&1 == 0
		}},
		"NoNewPrivs": {func(c *linux.Child) { c.Flags = linux.NoNewPrivs }, func(r report) bool { return r.Status["NoNewPrivs"] == "1" }},
		"dir":        {func(c *linux.Child) { c.Dir = "/dev" }, func(r report) bool { return r.Dir == "/dev" }},
		"user namespace": {func(c *linux.Child) {
			c.Flags = linux.NewUser
			c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 3, HostID: os.Geteuid(), Size: 1}}
		}, func(r report) bool { return r.UID == 3 }},
	} {
		r, err := reportOf(test.change)
		check(err == nil && test.ok(r), "%s: got %v, %+v", name, err, r)
	}

	_, err = linux.Clone3(background, &linux.Child{Path: "/no/such"})
	check(errors.Is(err, os.ErrNotExist), "got error %v, want %v", err, os.ErrNotExist)
	c := child("kill", "9")
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("%v", err)
	}
	s, err := p.Wait(context.Background())
	check(err == nil && s.Signal() == syscall.SIGKILL, "got %v, %v, want signal: killed", s, err)
	return failed
})

// outputOf runs a child without a test, and returns what it writes.
func outputOf(c *linux.Child) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	c.Files[1] = w
	p, err := linux.Clone3(background, c)
	w.Close()
	if err != nil {
		return "", err
	}
	text, _ := io.ReadAll(r)
	_, err = p.Wait(context.Background())
	return string(text), err
}

// reportOf runs the report helper without a test.
func reportOf(change func(*linux.Child)) (r report, err error) {
	c := child("report")
	change(c)
	text, err := outputOf(c)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(text), &r)
}

// hide makes a system call fail in all threads, as long as the process lives.
func hide(nr uintptr, errno int) error {
	return filterCall(nr, unix.SECCOMP_RET_ERRNO|uint32(errno))
}

// filterCall does so with a system call in all threads, and in children.
func filterCall(nr uintptr, action uint32) error {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		result = unix.BPF_RET | unix.BPF_K
	)
	filter := []unix.SockFilter{
		{Code: load}, // the number of the call
		{Code: equal, K: uint32(nr), Jf: 1},
		{Code: result, K: action},
		{Code: result, K: unix.SECCOMP_RET_ALLOW},
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	r, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if e != 0 {
		return e
	}
	if r != 0 {
		return fmt.Errorf("thread %d does not take it", r)
	}
	return nil
}

func TestProbe(t *testing.T) {
	for range 2 { // the second answer is a cached one
		for _, flags := range []linux.Flags{0, linux.NewUser, linux.NewUTS | linux.NewNet | linux.NewMount | linux.NewIPC | linux.NewPID} {
			if err := linux.Probe(flags); err != nil {
				t.Errorf("Probe(%v): %v", flags, err)
			}
		}
		if err := linux.Probe(1 << 63); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Probe(1<<63): got %v, want that it is not known to the package", err)
		}
	}
}

// The kernel is asked about each flag by itself, as root and as another user.
func TestProbeAgreesWithRelease(t *testing.T) {
	if asUser(t) {
		defer probeAgrees(t)
		return
	}
	probeAgrees(t)
}

func probeAgrees(t *testing.T) {
	for flag, release := range map[linux.Flags]string{
		linux.AutoReap: "7.1", linux.NoNewPrivs: "7.1", linux.AutoKill: "7.1", linux.EmptyMount: "7.1",
		linux.IntoCgroup: "5.7", linux.NewTime: "5.6", linux.NewCgroup: "5.3",
	} {
		t.Run(flag.String(), func(t *testing.T) {
			err := linux.Probe(flag)
			var unsupported *linux.UnsupportedError
			if errors.As(err, &unsupported) && (unsupported.Feature != flag.String() || unsupported.Release != release) {
				t.Errorf("got %v, want it to name %v and %s", err, flag, release)
			}
			kerneltest.Need(t, flag.String(), release, err)
		})
	}
}

func TestFlagsString(t *testing.T) {
	for flags, want := range map[linux.Flags]string{
		0:                                   "0x0",
		linux.AutoReap:                      "AutoReap",
		linux.AutoKill | linux.AutoReap:     "AutoKill",
		linux.AutoKill | linux.NoNewPrivs:   "AutoKill|NoNewPrivs",
		linux.NewUser | linux.NewNet:        "NewNet|NewUser",
		linux.NewUser | 1<<50:               "NewUser|0x4000000000000",
		linux.AutoKill &^ linux.AutoReap:    "0x1000000000",
		linux.EmptyMount | linux.IntoCgroup: "EmptyMount|IntoCgroup",
	} {
		if got := flags.String(); got != want {
			t.Errorf("%#x: got %s, want %s", uint64(flags), got, want)
		}
	}
	names := strings.Split(linux.Flags(1<<38-1).String(), "|")
	if !slices.Contains(names, "NewUTS") {
		t.Errorf("got %v, want all names", names)
	}
}
