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
//   - An error of Start is of the form that os/exec gives it, and says which step
//     failed: "fork/exec (setgid 1000) /bin/true: operation not permitted".
//     [Cmd.FailedStep] is that step for programs.
//   - The context of CommandContext also ends a command that stands still before
//     its program: whose control group is frozen, or whose file another process
//     has a lease on. os/exec waits, and so do all others who start processes.
//   - A program that was just written and closed can be executed (ETXTBSY,
//     go.dev/issue/22315): Start tries again for some tens of milliseconds.
//   - A Reader as Stdin that never answers does not keep Wait from returning once
//     nobody can read what it would bring (go.dev/issue/10338).
//   - [Cmd.CloseFiles] keeps all descriptors from the command that are not given
//     to it, and lets it start in the same time however many there are.
//   - [Cmd.Clone] makes a command that can be started again; [FromCmd] one of a
//     command that os/exec has made.
//
// linux.AutoKill and linux.AutoReap need Linux 7.1: before, Start returns an error
// that errors.Is(err, errors.ErrUnsupported) finds, and [linux.Probe] tells in
// advance. A user without CAP_SYS_ADMIN has to add linux.NoNewPrivs to AutoKill;
// NoNewPrivs itself works on all kernels. What the command has started in its
// turn is not killed with it.
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
//   - Errors of Start are of type *fs.PathError, and Err is the bare error number
//     wherever it is that with os/exec; Op says in brackets what failed, if that
//     is not to execute the program. A feature that the kernel lacks is a
//     *linux.UnsupportedError in Err, and a context that ends before the program
//     is executed an error that is the context's. A file that is already closed
//     is an error; os/exec starts the command without it.
//   - A field of SysProcAttr that a later release of Go has added is an error, if
//     it is set and not known here, and not dropped. Those of Go 1.28, NoNewPrivs,
//     UseLandlock, LandlockFD and LandlockFlags, are known.
//   - Wait may leave a goroutine behind that waits for a Reader as Stdin, see there.
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
//   - While it runs the command has two descriptors, that of Cmd.Process and one
//     of this package; otherwise it has one. Both are closed when it has been
//     waited for.
//
// With linux.AutoKill a process also ends when its Handle is closed. It does not
// end when its Cmd is garbage collected, nor while the descriptor that
// SysProcAttr.PidFD asks for is open.
package exec
