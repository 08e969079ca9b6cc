//go:build linux

package linux_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// The cases of the kernel's own tests of seccomp that are about what a filtered
// process may do, tools/testing/selftests/seccomp/seccomp_bpf.c, under their names.
// Cases about strict mode, tracers, uprobes and threads that are filtered together
// are not about a child.

// seccomp case makes the filters that are left, one process each, and then makes the
// calls that it is told, and writes what the kernel says.
var _ = helper("seccomp case", func(args []string) int {
	var filters []seccomp.Filter
	if err := json.Unmarshal([]byte(args[0]), &filters); err != nil {
		return fail("%v", err)
	}
	if len(filters) > 0 {
		c := child("seccomp case", append([]string{jsonOf(filters[1:])}, args[1:]...)...)
		c.Files = []*os.File{nil, os.Stdout, os.Stderr}
		f, err := filters[0].Compile()
		if err != nil {
			return fail("compile: %v", err)
		}
		c.Flags, c.Seccomp = linux.NoNewPrivs, f
		p, err := linux.Clone3(background, c)
		if err != nil {
			return fail("clone: %v", err)
		}
		s, _ := p.Wait(background)
		if s.Signal() != 0 { // as this one is to end too
			unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
			fmt.Print("signal ", int(s.Signal()))
			return 0
		}
		return s.Code()
	}
	for _, call := range args[1:] {
		words := strings.Fields(call)
		nr, ok := uapi.SyscallNumber(words[0])
		if words[0] == "-1" {
			nr = ^uintptr(0)
		} else if !ok {
			return fail("no call %s", words[0])
		}
		var a [6]uintptr
		for i, word := range words[1:] {
			n, _ := strconv.ParseUint(word, 0, 64)
			a[i] = uintptr(n)
		}
		if _, _, errno := unix.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
			fmt.Print(unix.ErrnoName(errno), " ")
		} else {
			fmt.Print("ok ")
		}
	}
	return 0
})

// answers is a filter that answers some calls.
func answers(action seccomp.Action, calls ...string) seccomp.Filter {
	return seccomp.Filter{Default: seccomp.Allow, Rules: []seccomp.Rule{{Calls: calls, Action: action}}}
}

// when is one that answers a call with such an argument.
func when(call string, action seccomp.Action, args ...seccomp.Arg) seccomp.Filter {
	return seccomp.Filter{Default: seccomp.Allow, Rules: []seccomp.Rule{{Calls: []string{call}, Args: args, Action: action}}}
}

func TestSelftestsSeccomp(t *testing.T) {
	sys := fmt.Sprint("signal ", int(unix.SIGSYS))
	allow, log := answers(seccomp.Allow, "getppid"), answers(seccomp.Log, "getppid")
	errno, trap, kill := answers(seccomp.Errno(unix.EIO), "getppid"), answers(seccomp.Trap, "getppid"), answers(seccomp.KillProcess, "getppid")
	const trapped = "trapped" // Go's handler ends the program
	type filters = []seccomp.Filter
	for _, test := range []struct {
		name    string
		filters filters
		calls   []string
		want    string
	}{
		{"ALLOW_all", filters{{Default: seccomp.Allow}}, []string{"getppid", "getpid"}, "ok ok"},
		{"log_all", filters{{Default: seccomp.Log}}, []string{"getppid"}, "ok"},
		{"filter_flag_log", filters{{Default: seccomp.Allow, Log: true}}, []string{"getppid"}, "ok"},
		{"KILL_one", filters{kill}, []string{"getpid", "getppid"}, sys},
		{"KILL_one_arg_one", filters{when("getsid", seccomp.KillProcess, seccomp.Arg{Index: 0, Value: 0x7ffffff1})}, []string{"getsid 0", "getsid 0x7ffffff0", "getsid 0x7ffffff1"}, sys},
		{"KILL_one_arg_one, another", filters{when("getsid", seccomp.KillProcess, seccomp.Arg{Index: 0, Value: 0x7ffffff1})}, []string{"getsid 0", "getsid 0x7ffffff0"}, "ok ESRCH"},
		{"KILL_one_arg_six", filters{when("prctl", seccomp.KillProcess, seccomp.Arg{Index: 5, Value: 0xbabe})}, []string{"prctl 3 0 0 0 0 0xbabf", "prctl 3 0 0 0 0 0xbabe"}, sys},
		{"KILL_one_arg_six, another", filters{when("prctl", seccomp.KillProcess, seccomp.Arg{Index: 5, Value: 0xbabe})}, []string{"prctl 39 0 0 0 0 0xbabf"}, "ok"},
		{"KILL_process", filters{answers(seccomp.KillProcess, "getppid")}, []string{"getppid"}, sys},
		{"ERRNO_valid", filters{answers(seccomp.Errno(unix.E2BIG), "getppid")}, []string{"getppid", "getpid"}, "E2BIG ok"},
		{"ERRNO_zero", filters{answers(seccomp.Errno(0), "uname")}, []string{"uname 0"}, "ok"},
		{"ERRNO_order", filters{answers(seccomp.Errno(unix.EIO), "getppid"), answers(seccomp.Errno(unix.EXDEV), "getppid")}, []string{"getppid"}, "EXDEV"},
		{"TRAP.handler", filters{trap}, []string{"getpid", "getppid"}, trapped},
		{"precedence.allow_ok", filters{allow, log, allow}, []string{"getppid"}, "ok"},
		{"precedence.kill_is_highest", filters{allow, log, errno, trap, kill}, []string{"getppid"}, sys},
		{"precedence.kill_is_highest_in_any_order", filters{kill, trap, errno, log, allow}, []string{"getppid"}, sys},
		{"precedence.trap_is_second", filters{allow, log, errno, trap}, []string{"getppid"}, trapped},
		{"precedence.trap_is_second_in_any_order", filters{trap, errno, log, allow}, []string{"getppid"}, trapped},
		{"precedence.errno_is_third", filters{allow, log, errno}, []string{"getppid"}, "EIO"},
		{"precedence.errno_is_third_in_any_order", filters{errno, log, allow}, []string{"getppid"}, "EIO"},
		{"precedence.log_is_fifth", filters{allow, log}, []string{"getppid"}, "ok"},
		{"negative_ENOSYS", filters{{Default: seccomp.Allow}}, []string{"-1"}, "ENOSYS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := func(filters filters) string {
				c := child("seccomp case", append([]string{jsonOf(filters)}, test.calls...)...)
				c.Files = []*os.File{nil, nil, nil} // the runtime says what has trapped
				out, status := output(t, c)
				if status.Code() == 2 {
					return trapped
				}
				if i := strings.Index(out, "signal "); i >= 0 {
					out = out[i:]
				}
				return strings.TrimSpace(out)
			}
			if got := run(nil); strings.Contains(got, "signal") || got == trapped || !strings.HasPrefix(got, "ok") && test.name != "negative_ENOSYS" && !strings.HasPrefix(got, "EFAULT") {
				t.Fatalf("without a filter: %s", got)
			}
			if got := run(test.filters); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}

	// What this package does not let come to the kernel.
	for name, f := range map[string]seccomp.Filter{
		"ERRNO_capped":               answers(seccomp.Errno(4096), "getppid"),
		"arg_out_of_range":           when("getppid", seccomp.KillProcess, seccomp.Arg{Index: 6}),
		"KILL_unknown":               answers(seccomp.Action(0x12345), "getppid"),
		"unknown_ret_is_kill_inside": {Default: seccomp.Action(0x80020000)},
		"filter_size_limits":         manyRules(5000),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := f.Compile(); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("got error %v, want %v", err, syscall.EINVAL)
			}
		})
	}
	t.Run("KILL_all", func(t *testing.T) { // the program could not even be executed
		f, err := new(seccomp.Filter).Compile()
		if err != nil {
			t.Fatal(err)
		}
		_, err = linux.Clone3(background, &linux.Child{Path: "/does not exist", Flags: linux.NoNewPrivs, Seccomp: f})
		is(t, "Clone3", err, syscall.EINVAL)
	})
	t.Run("filter_size_limits, at the limit", func(t *testing.T) {
		f, err := new(manyRules(300)).Compile()
		if err != nil {
			t.Fatal(err)
		}
		c := child("exit", "0")
		c.Flags, c.Seccomp = linux.NoNewPrivs, f
		if s := wait(t, start(t, c)); !s.Success() {
			t.Error(s)
		}
	})
	t.Run("mode_filter_without_nnp", func(t *testing.T) {
		f, err := new(answers(seccomp.Errno(1), "getppid")).Compile()
		if err != nil {
			t.Fatal(err)
		}
		c := &linux.Child{Path: "/does not exist", Seccomp: f}
		if os.Geteuid() == 0 {
			c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
		}
		_, err = linux.Clone3(background, c)
		is(t, "Clone3", err, os.ErrPermission)
	})
}

// manyRules is a filter of n rules that cannot be made into fewer.
func manyRules(n int) seccomp.Filter {
	f := seccomp.Filter{Default: seccomp.Allow}
	for i := range n {
		f.Rules = append(f.Rules, seccomp.Rule{Calls: []string{"getsid"}, Args: []seccomp.Arg{{Index: 0, Value: uint64(1<<30 + i)}}, Action: seccomp.Errno(1 + i%100)})
	}
	return f
}

// The cases about notifications.
func TestSelftestsSeccompNotification(t *testing.T) {
	within := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(background, time.Minute)
		t.Cleanup(cancel)
		return ctx
	}
	t.Run("user_notification_basic", func(t *testing.T) {
		p, says := supervised(t, listened("getsid", "getpgid", "getsid"))
		for _, value := range []int64{0, 1 << 20, 116} {
			n := received(t, p)
			if n.Call != []string{"getsid", "getpgid"}[value>>20] {
				t.Errorf("got a call of %s", n.Call)
			}
			is(t, "Return", p.Listener().Return(n, value), nil)
			if got := says(); got != strconv.FormatInt(value, 10) {
				t.Errorf("the child has got %s, want %d", got, value)
			}
		}
		if s := wait(t, p); !s.Success() {
			t.Error(s)
		}
	})
	t.Run("user_notification_kill_in_middle", func(t *testing.T) {
		p, _ := supervised(t, listened("getsid"))
		n := received(t, p)
		is(t, "Valid", p.Listener().Valid(n), nil)
		p.Kill()
		wait(t, p)
		is(t, "Valid", p.Listener().Valid(n), linux.ErrNotWaiting)
		is(t, "Return", p.Listener().Return(n, 0), unix.ENOENT)
	})
	t.Run("user_notification_closed_listener", func(t *testing.T) {
		p, says := supervised(t, listened("getsid", "getpgid"))
		received(t, p)
		p.Listener().Close()
		if got := says() + " " + says(); got != "ENOSYS ENOSYS" {
			t.Errorf("the child has got %s", got)
		}
	})
	t.Run("user_notification_child_pid_ns", func(t *testing.T) { // the number is the one that this program sees
		c := listened("getsid")
		c.Flags |= linux.NewUser | linux.NewPID
		ownIDs(c)
		p, _ := supervised(t, c)
		n := received(t, p)
		if n.Thread <= 1 {
			t.Errorf("the thread is %d", n.Thread)
		}
		if _, err := os.Stat("/proc/" + strconv.Itoa(p.Pid()) + "/task/" + strconv.Itoa(n.Thread)); err != nil {
			t.Errorf("thread %d is not one of the child: %v", n.Thread, err)
		}
	})
	t.Run("user_notification_continue", func(t *testing.T) {
		p, says := supervised(t, listened("getsid", "getpgid"))
		is(t, "Continue", p.Listener().Continue(received(t, p)), nil)
		if got := says(); strings.HasPrefix(got, "E") {
			t.Errorf("the child has got %s", got)
		}
		is(t, "Continue", p.Listener().Continue(received(t, p)), nil)
		if got := says(); got != "ESRCH" {
			t.Errorf("the child has got %s, want ESRCH, which the kernel answers", got)
		}
	})
	t.Run("user_notification_filter_empty", func(t *testing.T) {
		p, _ := supervised(t, listened("fd=0"))
		time.AfterFunc(20*time.Millisecond, func() { p.Wait(background) }) // which older kernels wait for
		if _, err := p.Listener().Receive(within(t)); err != io.EOF {
			t.Errorf("got error %v, want %v", err, io.EOF)
		}
	})
	t.Run("user_notification_addfd_rlimit", func(t *testing.T) {
		c := listened("getsid", "getsid")
		c.Rlimits = []linux.Rlimit{{Resource: unix.RLIMIT_NOFILE, Cur: 12, Max: 12}}
		p, says := supervised(t, c)
		n := received(t, p)
		_, err := p.Listener().AddFile(n, os.Stderr, 12, true)
		is(t, "AddFile above the limit", err, unix.EBADF)
		for i := 0; err != unix.EMFILE && i < 20; i++ {
			if _, err = p.Listener().AddFile(n, os.Stderr, -1, true); errors.Is(err, unix.EMFILE) {
				break
			}
		}
		is(t, "AddFile to a full table", err, unix.EMFILE)
		_, err = p.Listener().ReturnFile(n, os.Stderr, true)
		is(t, "ReturnFile to a full table", err, unix.EMFILE)
		is(t, "Return", p.Listener().Return(n, 9), nil) // it still waits
		if got := says(); got != "9" {
			t.Errorf("the child has got %s, want 9", got)
		}
	})
	t.Run("user_notification_sync", func(t *testing.T) {
		p, says := supervised(t, listened("getsid"))
		if err := p.Listener().Sync(true); errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		is(t, "Return", p.Listener().Return(received(t, p), 8), nil)
		if got := says(); got != "8" {
			t.Errorf("the child has got %s, want 8", got)
		}
	})
	t.Run("user_notification_fifo", func(t *testing.T) { // calls are received in their order
		p, _ := supervised(t, listened(strings.Fields(strings.Repeat("getsid getpgid ", 8))...))
		for i := range 16 {
			n := received(t, p)
			if want := []string{"getsid", "getpgid"}[i%2]; n.Call != want {
				t.Errorf("call %d is %s, want %s", i, n.Call, want)
			}
			is(t, "Return", p.Listener().Return(n, int64(i)), nil)
		}
	})
	t.Run("user_notification_wait_killable_fatal", func(t *testing.T) {
		p, _ := supervised(t, listened("getsid"))
		n := received(t, p)
		p.Signal(unix.SIGKILL)
		if s := wait(t, p); s.Signal() != unix.SIGKILL {
			t.Error(s)
		}
		is(t, "Return", p.Listener().Return(n, 0), linux.ErrNotWaiting)
	})
	t.Run("user_notification_wait_killable_pre_notification", func(t *testing.T) {
		p, says := supervised(t, listened("getsid"))
		for range 20 { // it may call again each time, until it is received
			p.Signal(unix.SIGURG)
			runtime.Gosched()
		}
		for {
			n := received(t, p)
			if err := p.Listener().Return(n, 7); err == nil {
				break
			} else if !errors.Is(err, linux.ErrNotWaiting) {
				t.Fatal(err)
			}
		}
		if got := says(); got != "7" {
			t.Errorf("the child has got %s, want 7", got)
		}
	})
}
