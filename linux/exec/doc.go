//go:build linux

// Package exec runs external commands: it is os/exec, on top of package linux.
// A program that imports it in place of os/exec goes on to work:
//
//	import "github.com/go-clone3/clone3/linux/exec" // was "os/exec"
//
// and has more:
//
//   - A command can be anything that a [linux.Child] can. Cmd embeds one:
//     cmd.Flags = linux.AutoKill | linux.NoNewPrivs makes a child that ends
//     when this program does, however it ends, and that cannot gain
//     privileges. [Cmd.Handle] is the process as package linux holds it.
//   - [Cmd.Wait] keeps a goroutine waiting, not a thread.
//   - Starting takes less time, and does not depend on how much memory this
//     program uses, even with user namespaces.
//   - All of syscall.SysProcAttr works. Cloneflags can have the flags above
//     32 bits, which package syscall drops in silence.
//   - An error of Start says which step failed: "fork/exec /bin/true: setgid
//     1000: operation not permitted".
//   - A Cmd that os/exec made can be started here too, see [FromCmd].
//
// # The same, and what is not
//
// [Error] and [ExitError] are the types of os/exec, and [ErrDot],
// [ErrNotFound] and [ErrWaitDelay] are its values: errors.Is and errors.As find
// them by either name. Cmd.Process is an *os.Process and Cmd.ProcessState an
// *os.ProcessState, as ever. Names are looked up and the environment is made
// unique by os/exec itself. The process of a Cmd that is dropped without Wait
// stays a zombie, as with os/exec.
//
// Where a program can tell the difference:
//
//   - Cmd is a type of its own. A function that takes an *os/exec.Cmd needs one.
//   - Where Stdin, Stdout or Stderr is nil, the child's descriptor is open for
//     both reading and writing: it is one /dev/null for all children.
//   - Errors of Start are of type *fs.PathError, as they were. Its field Err is
//     the bare error number if the program could not be executed. If another
//     step failed it is an error that says so; errors.Is finds the number.
//     A file that is already closed is an error; os/exec starts the command
//     without it.
//   - Flags in SysProcAttr.Cloneflags that make no sense for a child that is to
//     execute a program, such as CLONE_THREAD, are refused by name.
//   - Cmd.Process.Wait, as against Cmd.Wait, blocks a thread.
//
// With the flag linux.AutoReap, which linux.AutoKill includes, the kernel keeps
// less of a process that has ended:
//
//   - Cmd.ProcessState has the exit status, but no resource usage: all its
//     times are 0.
//   - Only Cmd.Wait can wait. Cmd.Process.Wait fails with ECHILD.
//   - Cmd.Process.Signal returns os.ErrProcessDone as soon as the process has
//     ended, also before Wait.
//   - Cmd.Process holds a descriptor until it is garbage collected, or released
//     by Cmd.Process.Release, which can be called after Wait. This descriptor
//     does not keep the process alive.
//
// With linux.AutoKill a process also ends when its Handle is closed. It does not
// end when its Cmd is garbage collected, nor while the descriptor that
// SysProcAttr.PidFD asks for is open.
package exec
