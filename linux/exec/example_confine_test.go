//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// tool returns a command for what an agent wants to run: it works in a directory,
// sees the system's programs, and ends with all that it has started.
func tool(ctx context.Context, workdir, script string) (*exec.Cmd, error) {
	confined, err := linux.Confine(workdir)
	if err != nil {
		return nil, err
	}
	confined.Landlock.BestEffort = true // before Linux 6.12; see linux.Process.Unenforced
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Child = *confined
	cmd.KillTree = true
	cmd.CloseFiles = true // which a plain Child does by itself
	cmd.Dir, cmd.Env = workdir, linux.CleanEnv(workdir)
	return cmd, nil
}

// An agent's tool, confined.
func Example_confined() {
	workdir, err := os.MkdirTemp("", "tool")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(workdir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd, err := tool(ctx, workdir, "echo kept > file; cat file; echo lost 2>/dev/null > ../file || echo cannot write outside")
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := cmd.Output()
	fmt.Printf("%s%v\n", out, err)
	// Output:
	// kept
	// cannot write outside
	// <nil>
}
