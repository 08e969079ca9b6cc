//go:build linux && !clone3_osexec

package exec_test

import (
	"fmt"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// startServerThatDiesWithUs starts a program that ends when this one does: when it returns from
// main, panics, is killed, or runs out of memory.
func startServerThatDiesWithUs(name string, args ...string) (*exec.Cmd, error) {
	server := exec.Command(name, args...)
	// The kernel kills the server when the last descriptor of its handle is closed.
	// Who is not root may ask for that together with NoNewPrivs alone: a program
	// that gained privileges could not be killed.
	server.Flags = linux.AutoKill | linux.NoNewPrivs
	// Before Linux 7.1, the nearest there is: linux.Process.Emulated says in what it
	// is weaker. Without this line, Start fails there with an error that
	// errors.Is(err, errors.ErrUnsupported) finds.
	server.Emulate = linux.AutoKill
	// What the server starts in its turn ends with it.
	server.KillTree = true
	return server, server.Start()
}

// Die with the parent: a server for this program alone, of a language, a model or
// a database, is not left behind.
func Example_dieWithTheParent() {
	server, err := startServerThatDiesWithUs("sleep", "1000")
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Handle().Close() // as the kernel does when this program ends
	fmt.Println(server.Wait())
	// Output: signal: killed
}
