//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"fmt"
	"os"
	std "os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// before is what a careful program does with os/exec.
func before(ctx context.Context, script string) ([]byte, error) {
	runtime.LockOSThread() // for Pdeathsig: the command is killed when the thread ends
	defer runtime.UnlockOSThread()
	cmd := std.CommandContext(ctx, "sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // to kill the children too, those that stay in the group
		Pdeathsig: syscall.SIGKILL,
	}
	cmd.Cancel = func() error {
		if cmd.Process.Pid <= 0 {
			return os.ErrProcessDone
		}
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // or another group's, if that has ended
	}
	cmd.WaitDelay = time.Second // as what is left behind holds the output open
	return cmd.Output()
}

// after is the same with this package: the import is another, and the rest is
// three fields. SysProcAttr works as ever, for what else there is in it.
func after(ctx context.Context, script string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.KillTree = true
	cmd.Flags = linux.AutoKill | linux.NoNewPrivs
	cmd.Emulate = linux.AutoKill
	return cmd.Output()
}

// Moving from os/exec:
//
//	os/exec                                  here
//	Setpgid, kill(-pid), WaitDelay           KillTree
//	Pdeathsig, runtime.LockOSThread          Flags: linux.AutoKill, Emulate
//	prctl in a helper program                Flags: linux.NoNewPrivs
//	setpriv, prlimit, nice in front of it    Capabilities, Rlimits, Nice
//	Process.Signal, if it still runs         the same, or Cmd.Handle
//	go cmd.Wait(), a thread each             the same, a goroutine each
//	a library that takes an *os/exec.Cmd     FromCmd, the other way about
func Example_movingFromOSExec() {
	for _, run := range []func(context.Context, string) ([]byte, error){before, after} {
		out, err := run(context.Background(), "echo hello")
		fmt.Printf("%s%v\n", out, err)
	}
	// Output:
	// hello
	// <nil>
	// hello
	// <nil>
}
