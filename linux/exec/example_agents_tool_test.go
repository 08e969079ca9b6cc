//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"golang.org/x/sys/unix"
)

// runTool runs a command that a model has thought of, on a repository. It tells, in
// unenforced, what this kernel cannot keep it from.
func runTool(ctx context.Context, repo, script string) (output []byte, unenforced []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// No network, no privileges, and no files but the system's and those in repo, of
	// which .git, with hooks that its user would execute later, stays as it is.
	confined, err := linux.Confine(repo, ".git")
	if err != nil {
		return nil, nil, err
	}
	confined.Landlock.BestEffort = true // without it, what the kernel lacks is an error

	tool := exec.CommandContext(ctx, "sh", "-c", script)
	tool.Child = *confined
	tool.Dir = repo
	tool.Env = linux.CleanEnv(filepath.Join(repo, "tmp")) // no keys, no tokens
	tool.CloseFiles = true
	// It ends with this program, when its time is over, and with all it has started.
	tool.Flags |= linux.AutoKill
	tool.Emulate = linux.AutoKill
	tool.KillTree = true
	tool.Rlimits = []linux.Rlimit{{Resource: unix.RLIMIT_FSIZE, Cur: 1 << 30, Max: 1 << 30}}
	output, err = tool.CombinedOutput()
	if p := tool.Handle(); p != nil {
		unenforced = p.Unenforced()
	}
	return output, unenforced, err
}

// An agent's tool, confined: it writes to its directories and nowhere else, has no
// network, no privileges and no secrets, and leaves no process behind.
func Example_agentsTool() {
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	repo := filepath.Join(dir, "repo")
	for _, sub := range []string{".git", "src", "tmp"} {
		if err := os.MkdirAll(filepath.Join(repo, sub), 0o755); err != nil {
			fmt.Println(err)
			return
		}
	}
	_, unenforced, err := runTool(context.Background(), repo, "echo fixed >src/main.go; echo evil >.git/hook; echo evil >../outside")
	if len(unenforced) > 0 {
		_ = unenforced // show it to who decides whether that is enough
	}
	fmt.Println("succeeded:", err == nil)
	for _, name := range []string{"src/main.go", ".git/hook", "../outside"} {
		_, err := os.Stat(filepath.Join(repo, name))
		fmt.Println("wrote", name+":", err == nil)
	}
	// Output:
	// succeeded: false
	// wrote src/main.go: true
	// wrote .git/hook: false
	// wrote ../outside: false
}
