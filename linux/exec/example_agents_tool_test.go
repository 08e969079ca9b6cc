//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"golang.org/x/sys/unix"
)

// runTool runs a command that a model has thought of.
func runTool(ctx context.Context, workdir, script string) (output []byte, unenforced []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	filter := seccomp.Default()
	filter.Rules = slices.Concat(seccomp.NoUserNamespaces(),
		[]seccomp.Rule{{Calls: []string{"socket"}, Action: seccomp.Errno(syscall.EPERM)}}, filter.Rules)
	calls, err := filter.Compile()
	if err != nil {
		return nil, nil, err
	}
	tool := exec.CommandContext(ctx, "sh", "-c", script)
	tool.Dir = workdir
	tool.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + workdir} // no keys, no tokens
	tool.CloseFiles = true
	// It ends with this program, when its time is over, and with all it has started.
	tool.Flags, tool.Emulate, tool.KillTree = linux.AutoKill|linux.NoNewPrivs, linux.AutoKill, true
	// It may read the system and do what it likes in one directory.
	tool.Capabilities = new(linux.Capabilities)
	tool.Seccomp = calls
	tool.Landlock = &landlock.Rules{
		Paths: slices.Concat(
			landlock.Optional(landlock.ReadExecute("/bin", "/usr", "/lib", "/lib64")),
			landlock.Optional(landlock.ReadOnly("/etc/ld.so.cache")),
			landlock.Paths(landlock.ReadFile|landlock.WriteFile, "/dev/null"),
			landlock.ReadWrite(workdir),
		),
		BestEffort: true, // what the kernel cannot enforce is told below
	}
	tool.Rlimits = []linux.Rlimit{{Resource: unix.RLIMIT_FSIZE, Cur: 1 << 30, Max: 1 << 30}}
	output, err = tool.CombinedOutput()
	if p := tool.Handle(); p != nil {
		unenforced = p.Unenforced()
	}
	return output, unenforced, err
}

// An agent's tool, confined: it writes to its directory and nowhere else, has no
// network, no privileges and no secrets, and leaves no process behind.
func Example_agentsTool() {
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	workdir, outside := filepath.Join(dir, "work"), filepath.Join(dir, "outside")
	if err := os.Mkdir(workdir, 0o700); err != nil {
		fmt.Println(err)
		return
	}
	_, unenforced, err := runTool(context.Background(), workdir, "echo kept >kept; echo lost >"+outside)
	if len(unenforced) > 0 {
		_ = unenforced // show it to who decides whether that is enough
	}
	kept, _ := os.ReadFile(filepath.Join(workdir, "kept"))
	_, lost := os.Stat(outside)
	fmt.Printf("%ssucceeded: %t, escaped: %t\n", kept, err == nil, lost == nil)
	// Output:
	// kept
	// succeeded: false, escaped: false
}
