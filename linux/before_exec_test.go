//go:build linux

package linux_test

import (
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// A child that does not come to its program sends ExitSignal.
func TestExitSignal(t *testing.T) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGUSR1)
	defer signal.Stop(ch)
	_, err := linux.Clone3(background, &linux.Child{Path: "/no/such", ExitSignal: syscall.SIGUSR1})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, os.ErrNotExist)
	}
	select {
	case <-ch:
	case <-time.After(20 * time.Second):
		t.Error("no SIGUSR1 has come")
	}
}

// A child may be killed at any step: the error tells which it was, and this
// program survives. It does not on old kernels, where a signal that dumps core
// kills all that share the memory.
func TestKilledBeforeExec(t *testing.T) {
	kerneltest.Since(t, "a child's core dump spares its parent", "6.1")
	out, status := output(t, child("killed at setsid"))
	if strings.HasPrefix(out, "SKIP") {
		t.Skip(out)
	}
	if want := "setsid: the child was killed: signal: bad system call"; !strings.HasPrefix(out, want) {
		t.Errorf("got error %q, want %q (%v)", out, want, status)
	}
}

var _ = helper("killed at setsid", func([]string) int {
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	if err := filterCall(unix.SYS_SETSID, unix.SECCOMP_RET_KILL_PROCESS); err != nil {
		return fail("SKIP: no seccomp filter: %v", err)
	}
	c := child("exit", "0")
	c.Setsid = true
	_, err := linux.Clone3(background, c)
	return fail("%v", err)
})

// A descriptor that another goroutine opens under ForkLock, and then marks
// close-on-exec, does not reach a child: it is not created before.
func TestForkLockKeepsDescriptorsFromChildren(t *testing.T) {
	for range 3 {
		syscall.ForkLock.RLock()
		fd, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(20*time.Millisecond, func() { // in which a child would be created
			syscall.CloseOnExec(fd)
			syscall.ForkLock.RUnlock()
		})
		files := reported(t, func(c *linux.Child) { c.InheritFiles = true }).Files
		unix.Close(fd)
		for fd, target := range files {
			if target == "/dev/zero" {
				t.Fatalf("descriptor %s of the child is %s", fd, target)
			}
		}
	}
}
