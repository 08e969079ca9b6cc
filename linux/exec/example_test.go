//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	std "os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

func ExampleCommand() {
	out, err := exec.Command("echo", "hello").Output()
	fmt.Printf("%s%v", out, err)
	// Output:
	// hello
	// <nil>
}

// A worker that ends when this program does, even if that is killed.
func ExampleCmd() {
	worker := exec.Command("sleep", "1000")
	worker.Flags = linux.AutoKill | linux.NoNewPrivs
	worker.Emulate = linux.AutoKill // before Linux 7.1
	if err := worker.Start(); err != nil {
		fmt.Println(err)
		return
	}
	worker.Process.Kill()
	fmt.Println(worker.Wait())
}

// This program starts another, which starts a worker with AutoKill. When the
// other program is killed with SIGKILL, and can do no more about it, its worker
// ends as well.
func Example_diesWithProgram() {
	program := command("parent", "AutoKill") // starts the worker, see parent
	out, _ := program.StdoutPipe()           // which the worker writes to as well
	if err := program.Start(); err != nil {
		fmt.Println(err)
		return
	}
	var started string
	fmt.Fscanln(out, &started)
	fmt.Println("worker", started)

	program.Process.Kill()
	io.Copy(io.Discard, out) // ends when nobody can write any more
	fmt.Println("worker gone")
	fmt.Println("program:", program.Wait())
	// Output:
	// worker started
	// worker gone
	// program: signal: killed
}

// parent is a program that starts a worker, and does not end by itself.
func parent(args []string) int {
	worker := command("sleep")
	worker.Stdout = os.Stdout
	if args[0] == "AutoKill" {
		worker.Flags = linux.AutoKill | linux.NoNewPrivs
		worker.Emulate = linux.AutoKill
	}
	if err := worker.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started", worker.Process.Pid)
	time.Sleep(time.Hour)
	return 0
}

// Stop a command politely, with package linux.
func ExampleCmd_Handle() {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return
	}
	cmd.Handle().Stop(context.Background(), syscall.SIGTERM, 5*time.Second)
	fmt.Println(cmd.Wait())
	// Output: signal: terminated
}

// A library is handed a command that somebody made with os/exec.
func ExampleFromCmd() {
	given := std.Command("tr", "a-z", "A-Z")

	cmd, err := exec.FromCmd(context.Background(), given)
	if err != nil {
		fmt.Println(err)
		return
	}
	cmd.CloseFiles = true // and whatever else a linux.Child can have
	cmd.Stdin = strings.NewReader("hello")
	out, err := cmd.Output()
	fmt.Printf("%s %v", out, err)
	// Output: HELLO <nil>
}

// What cannot be had everywhere is asked for, and done without where it is not
// there.
func ExampleCmd_Clone() {
	cmd := exec.Command("worker")
	cmd.Flags = linux.AutoKill | linux.NoNewPrivs
	out, err := cmd.Output()
	if errors.Is(err, errors.ErrUnsupported) { // before Linux 7.1
		cmd = cmd.Clone()
		cmd.Flags = linux.NoNewPrivs
		out, err = cmd.Output()
	}
	fmt.Printf("%s %v\n", out, err)
}

// The error is what os/exec returns, and the step is told besides.
func ExampleCmd_FailedStep() {
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: "/nowhere"}
	err := cmd.Run()
	if os.IsPermission(err) || os.IsNotExist(err) {
		fmt.Println(cmd.FailedStep().Kind)
	}
	// Output:
	// chroot
}
