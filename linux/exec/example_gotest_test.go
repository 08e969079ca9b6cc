//go:build linux && !clone3_osexec

package exec_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// startServer starts what a test needs, and sees to it that nothing is left: when
// the test is over the command is killed with all that it has started; when the
// test binary is gone before, by a panic, a timeout or ^C, so it is as well.
func startServer(t testing.TB, name string, arg ...string) io.Reader {
	cmd := exec.CommandContext(t.Context(), name, arg...) // which ends just before Cleanup
	cmd.KillTree = true
	cmd.Flags = linux.AutoKill | linux.NoNewPrivs
	cmd.Emulate = linux.AutoKill // before Linux 7.1
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() })
	return out
}

// What a test starts does not outlive it, nor the go command that runs it.
func Example_leftoversOfTests() {
	test := func(t *testing.T) {
		server := startServer(t, "sh", "-c", "sleep 1000 & echo ready; sleep 1000")
		ready := make([]byte, 6)
		io.ReadFull(server, ready)
		fmt.Println(strings.TrimSpace(string(ready)))
	}
	// In a file of tests this is func TestServer(t *testing.T).
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "TestServer", F: test}})
	fmt.Println("passed:", ok)
	// Output:
	// ready
	// passed: true
}
