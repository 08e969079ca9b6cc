//go:build linux && !clone3_osexec

package exec_test

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// A job is a script, and whatever that starts.
func newJob(ctx context.Context, script string) *exec.Cmd {
	job := exec.CommandContext(ctx, "sh", "-c", script)
	// Processes that run in the background, in a session of their own, or whose
	// parents have ended, are ended too: with the script, when the context ends, and
	// with AutoKill when this program does.
	job.KillTree = true
	job.Flags = linux.AutoKill | linux.NoNewPrivs
	job.Emulate = linux.AutoKill // before Linux 7.1
	return job
}

// Kill the tree: a job that is cancelled, or whose time is over, leaves nothing
// behind that runs on, or holds its output open.
func Example_killTheTree() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	job := newJob(ctx, "sleep 1000 & echo started; sleep 1000")
	out, err := job.StdoutPipe()
	if err == nil {
		err = job.Start()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	// How it is done depends on what this program may: a control group or a PID
	// namespace is complete, and a search in /proc may miss some.
	if tree := job.Handle().Tree(); !tree.Complete() {
		_ = tree // log it: some may get away
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	fmt.Print(line)

	cancel()
	io.Copy(io.Discard, lines) // ends when nobody is left who could write
	fmt.Println(job.Wait())
	// Output:
	// started
	// signal: killed
}
