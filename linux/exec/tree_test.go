//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	std "os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// What a command leaves behind holds its output, and with that Wait. With
// KillTree nothing is left behind.
func TestKillTree(t *testing.T) {
	var out, stderr bytes.Buffer
	kill := func() {
		if pid, err := strconv.Atoi(stderr.String()); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	c := command("orphan")
	c.KillTree, c.Stdout, c.Stderr = true, &out, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if tree := c.Handle().Tree(); !tree.Complete() {
		time.Sleep(200 * time.Millisecond)
		c.WaitDelay = time.Millisecond
		c.Handle().Kill()
		t.Logf("as it is ended %v only, Wait returns %v", tree, c.Wait())
		kill()
		t.Skip("no control group can be created here")
	}
	if err := c.Wait(); err != nil {
		t.Errorf("Wait: %v", err)
	}

	stderr.Reset()
	theirs := std.Command(c.Path, c.Args[1:]...)
	theirs.Env, theirs.Stdout, theirs.Stderr, theirs.WaitDelay = c.Env, &out, &stderr, 50*time.Millisecond
	if err := theirs.Run(); err != std.ErrWaitDelay {
		t.Errorf("os/exec: got %v, want %v", err, std.ErrWaitDelay)
	}
	kill()
}

// The end of the context ends the tree.
func TestKillTreeByContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Env = append(c.Environ(), helperVar+"=grandparent")
	c.KillTree = true
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := out.Read(b); err != nil {
		t.Fatal(err)
	}
	cancel()
	if n, err := out.Read(b); n != 0 || err == nil { // until the grandchild has ended
		t.Errorf("read: %d, %v", n, err)
	}
	var ee *exec.ExitError
	if err := c.Wait(); !errors.As(err, &ee) || ee.String() != "signal: killed" {
		t.Errorf("Wait: %v", err)
	}
	if tree := c.Handle().Tree(); tree == linux.TreeLeft {
		t.Errorf("the tree is %v", tree)
	}
}

func init() {
	helpers["grandparent"] = func([]string) int {
		c := command("sleep")
		c.Stdout = os.Stdout
		if err := c.Start(); err != nil {
			return 1
		}
		os.Stdout.WriteString("x")
		time.Sleep(time.Hour)
		return 0
	}
}
