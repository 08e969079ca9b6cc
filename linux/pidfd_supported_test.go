//go:build linux

package linux_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// releases are when each operation came, as measured on kernels, or where those
// on either side cannot be had, from the history of the kernel.
var releases = map[linux.Op]string{
	linux.OpOpen: "5.3", linux.OpOpenThread: "6.9", linux.OpReap: "5.4",
	linux.OpSignal: "5.1", linux.OpSignalScope: "6.9", linux.OpSelf: "6.17", linux.OpSelfThread: "6.16",
	linux.OpGetFD: "5.6", linux.OpSetns: "5.8", linux.OpNamespace: "6.11",
	linux.OpInfo: "6.13", linux.OpInfoExit: "6.15", linux.OpInfoCoreDump: "6.16",
	linux.OpInfoSupported: "6.19", linux.OpInfoCoreDumpSignal: "6.19", linux.OpInfoCoreDumpCode: "7.1",
	linux.OpID: idRelease(), linux.OpSameDescription: "6.10", linux.OpHandle: "6.14", linux.OpXattr: "6.17",
	linux.OpAdviseMemory: "5.10", linux.OpReleaseMemory: "5.15", linux.OpPeer: "6.5", linux.OpMessage: "6.5",
}

// idRelease is when a program of this word size got all of an ID.
func idRelease() string {
	if strconv.IntSize == 32 {
		return "6.16"
	}
	return "6.9"
}

// Every kernel has what came with its release or before, and nothing else.
func TestSupportedByRelease(t *testing.T) {
	for op := linux.OpOpen; op <= linux.OpMessage; op++ {
		t.Run(op.String(), func(t *testing.T) {
			release, ok := releases[op]
			if !ok {
				t.Fatal("not in the table")
			}
			err := linux.Supported(op)
			var unsupported *linux.UnsupportedError
			if errors.As(err, &unsupported) && unsupported.Release != release {
				t.Errorf("%v: says release %s, want %s", op, unsupported.Release, release)
			}
			if again := linux.Supported(op); fmt.Sprint(again) != fmt.Sprint(err) {
				t.Errorf("asked again: got %v, want %v", again, err)
			}
			kerneltest.Need(t, op.String(), release, err)
			if kerneltest.Before(release) {
				t.Errorf("supported, though it came with Linux %s", release)
			}
		})
	}
	for _, op := range []linux.Op{-1, linux.OpMessage + 1} {
		is(t, op.String(), linux.Supported(op), unix.EINVAL)
	}
}

func TestSupportedNeedsNoPrivileges(t *testing.T) {
	if asUser(t) {
		return
	}
	for op := linux.OpOpen; op <= linux.OpMessage; op++ {
		if err := linux.Supported(op); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: got %v, want an answer", op, err)
		}
	}
}

// What a filter hides is not supported, whatever the kernel has said before.
func TestSupportedUnderSeccomp(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.ENOSYS, unix.EPERM, unix.EACCES} {
		t.Run(unix.ErrnoName(errno), func(t *testing.T) {
			out, status := output(t, child("filtered", itoa(int(errno))))
			if strings.HasPrefix(out, "SKIP") {
				t.Skip(out)
			}
			if out != "" || !status.Success() {
				t.Errorf("%v:\n%s", status, out)
			}
		})
	}
}

var _ = helper("filtered", func(args []string) int {
	var answer int
	fmt.Sscan(args[0], &answer)
	self, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		return fail("%v", err)
	}
	hidden := map[linux.Op]uintptr{
		linux.OpOpen: unix.SYS_PIDFD_OPEN, linux.OpSignal: unix.SYS_PIDFD_SEND_SIGNAL,
		linux.OpSelf: unix.SYS_PIDFD_SEND_SIGNAL, linux.OpGetFD: unix.SYS_PIDFD_GETFD,
		linux.OpAdviseMemory: unix.SYS_PROCESS_MADVISE, linux.OpReleaseMemory: unix.SYS_PROCESS_MRELEASE,
		linux.OpSetns: unix.SYS_SETNS, linux.OpHandle: unix.SYS_NAME_TO_HANDLE_AT,
	}
	for op := range hidden {
		linux.Supported(op) // and cached
	}
	failed := 0
	for op, nr := range hidden {
		if err := hide(nr, answer); err != nil {
			return fail("SKIP: no seccomp filter: %v", err)
		}
		err := linux.Supported(op)
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "seccomp") {
			failed = fail("%v: got %v, want that a filter is the reason\n", op, err)
		}
	}
	for what, call := range map[string]func() error{
		"OpenPidFD":     func() error { _, err := linux.OpenPidFD(os.Getpid()); return err },
		"GetFD":         func() error { _, err := self.GetFD(0); return err },
		"AdviseMemory":  func() error { _, err := self.AdviseMemory(0, nil); return err },
		"ReleaseMemory": self.ReleaseMemory,
	} {
		if err := call(); answer != int(unix.EACCES) && !errors.Is(err, errors.ErrUnsupported) {
			failed = fail("%s: got %v, want that it is not supported\n", what, err)
		}
	}
	return failed
})
