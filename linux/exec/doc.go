// Package exec runs external commands: it is os/exec, on top of package linux.
// A program that imports it in place of os/exec goes on to work:
//
//	import "github.com/go-clone3/clone3/linux/exec" // was "os/exec"
//
// # Which do I use
//
//	you want                                   you write
//	a command that dies with this program      Flags: linux.AutoKill | linux.NoNewPrivs
//	the same before Linux 7.1                  and Emulate: linux.AutoKill
//	all that it starts to end with it          KillTree: true
//	no privileges, and none to be gained       Flags: linux.NoNewPrivs, Capabilities
//	a tool that is not trusted                 Child: *confined, of linux.Confine
//	some files, ports and system calls alone   Landlock, Seccomp
//	limits                                     Rlimits, Nice, OOMScoreAdj, Cgroup
//	no descriptors but those it is given       CloseFiles: true
//	to stop it for sure, politely first        Cmd.Handle().Stop
//	to hold a process that another has begun   package linux: OpenPidFD, WaitProcess
//
// The guides are examples: DieWithTheParent, KillTheTree, WorkerPool, PluginHost,
// AgentsTool, and MovingFromOSExec.
//
// # Beyond os/exec
//
//   - A command can be anything that a [linux.Child] can. Cmd embeds one:
//     cmd.Flags = linux.AutoKill | linux.NoNewPrivs makes a child that ends
//     when this program does, however it ends, and that cannot gain
//     privileges. [Cmd.Handle] is the process as package linux holds it.
//   - [Cmd.Wait] keeps a goroutine waiting, not a thread. Two at most have one, as
//     commands mostly end soon, and lose it to the next.
//   - Starting takes less time, and does not depend on how much memory this
//     program uses, even with user namespaces.
//   - All of syscall.SysProcAttr works. Cloneflags can have the flags above
//     32 bits, which package syscall drops in silence. NoNewPrivs and Landlock,
//     which Go 1.28 is to add, do where they are there; any other field of a later
//     release that this package does not know is an error, if it is set.
//   - An error of Start says which step failed, in words: "fork/exec (setgid
//     1000) /bin/true: operation not permitted"; and [Cmd.FailedStep].
//   - A program that was written and closed can be executed at once, whatever
//     else is started meanwhile: "text file busy" is tried again for some tens
//     of milliseconds.
//   - A Stdin that is a Reader which never answers does not keep [Cmd.Wait] for
//     ever.
//   - A command can be run again, by [Cmd.Clone]. A Cmd that os/exec made can
//     be started here too, see [FromCmd].
//   - Where there are no descriptors left, garbage is collected, and Start tries
//     again.
//
// # To die with this program
//
// A command with linux.AutoKill is killed when this program ends, be it by
// SIGKILL. Three things are to be known:
//
//   - It needs Linux 7.1. Before, Start fails with an error that
//     errors.Is(err, errors.ErrUnsupported) finds; linux.Probe(linux.AutoKill)
//     asks in advance. With cmd.Emulate = linux.AutoKill there is the nearest
//     to it on any kernel, which linux.Process.Emulated describes: mainly, the
//     command can take it back. [Cmd.Clone] makes a command that can be started
//     in yet another way.
//   - Unless this program is privileged (CAP_SYS_ADMIN) it needs
//     linux.NoNewPrivs, too: the command could not be killed if it gained
//     privileges. Programs such as sudo then do not work in it.
//   - Only the command itself is killed, not what it has started in its turn.
//     For these set KillTree, see below, or run it in a PID namespace
//     (linux.NewPID), whose processes all end with the first.
//
// # To leave nothing behind
//
// With KillTree, which comes from linux.Child, all that a command has started in
// its turn ends with it: when it ends by itself, is killed, or its context ends.
// So Wait does not wait for the output of what was left in the background. Mostly
// that is done by a control group of its own; [Cmd.Handle] and Process.Tree tell
// whether it could be. With linux.AutoKill besides, the end of this program ends
// them too, but for those that only a search would find: see linux.TreeByCgroup.
//
// # Where a command may be stuck
//
// Start returns when the command has executed its program. That may take long: a
// file system does not answer, another process has a lease on the file, the
// control group is frozen. The context of [CommandContext] ends that too, and
// Start then returns an error that says how far the command has come. What no
// signal reaches, a system call in a file system that is gone, it does not end;
// os/exec is stuck there as well, and with it everybody who starts commands.
//
// Wait returns when all output is copied. That ends when the last process has
// closed the pipe, which may be one that the command has left behind: a bound is
// WaitDelay, or an *os.File as Stdout and Stderr. A Writer as Stdout that never
// returns is waited for.
//
// # Other systems
//
// Elsewhere than on Linux this package is os/exec, with the same types and fields,
// so that a program which uses it compiles on every GOOS. A field of a Child that
// SysProcAttr has there too, Setsid on Unix for example, does the same. All else
// that only Linux has is an error of Start, which errors.Is(err,
// errors.ErrUnsupported) finds and which names the field and the system; nothing is
// started then. The build tag clone3_osexec makes it so on Linux, for tests.
//
// # The same, and what is not
//
// [Error] and [ExitError] are the types of os/exec, and [ErrDot],
// [ErrNotFound] and [ErrWaitDelay] are its values: errors.Is and errors.As find
// them by either name. Cmd.Process is an *os.Process and Cmd.ProcessState an
// *os.ProcessState, as ever. Names are looked up and the environment is made
// unique by os/exec itself. The process of a Cmd that is dropped without Wait
// stays a zombie, as with os/exec, and GODEBUG=execwait=2 finds it. A command has
// one descriptor, which is closed when somebody waits for it: by Cmd.Wait, or by
// Cmd.Process.Wait or Release.
//
// Errors of Start are of type *fs.PathError, as they were, and Err in it is the
// bare error number wherever os/exec has one: os.IsNotExist and the like,
// err.Err.(syscall.Errno), errors.Is and errors.As tell the same.
//
// Where a program can tell the difference:
//
//   - Cmd is a type of its own. A function that takes an *os/exec.Cmd needs one.
//     A library that wants to start an *os/exec.Cmd itself, as terminal
//     libraries do, cannot be given one of this package; what it does besides
//     can mostly be had in a few lines, see the example "Terminal".
//   - In an error of Start because of another step than to execute the program,
//     Op has the step in parentheses after "fork/exec". If the kernel lacks what
//     was asked for Err is a [linux.UnsupportedError]. A child that was killed
//     on its way to its program, be it by the end of the context, is an error
//     that says so.
//   - A file that is already closed is an error; os/exec starts the command
//     without it.
//   - Where Stdin, Stdout or Stderr is nil, the child's descriptor is open for
//     both reading and writing: it is one /dev/null for all children.
//   - If Stdin is a Reader, Wait does not wait for it any more a tenth of a
//     second after the process has ended and nobody can read the input, or when
//     WaitDelay is over. The goroutine that reads from it stays until it answers.
//   - A program that really is open for writing fails with ETXTBSY some tens of
//     milliseconds later.
//   - If another part of this program has reaped the process, as wait4(-1) does,
//     or this program ignores SIGCHLD, Wait returns how the process has ended all
//     the same where the kernel knows it (Linux 6.15); of os/exec it is an error.
//   - Flags in SysProcAttr.Cloneflags that make no sense for a child that is to
//     execute a program, such as CLONE_THREAD, are refused by name.
//   - To call Wait from several goroutines is an error, as with os/exec. Here
//     one of them gets the result, the others ECHILD when that has returned;
//     with os/exec they may hang.
//   - Cmd.Process.Wait, as against Cmd.Wait, blocks a thread.
//
// With the flag linux.AutoReap, which linux.AutoKill includes, the kernel keeps
// less of a process that has ended:
//
//   - Cmd.ProcessState has the exit status, but no resource usage: all its
//     times are 0.
//   - Only Cmd.Wait can wait. Cmd.Process.Wait fails with ECHILD.
//   - Cmd.Process.Signal returns os.ErrProcessDone as soon as the process has
//     ended, also before Wait. So a context that ends after the process was
//     successful, and before Wait, is no error of Wait: Cancel finds nobody to
//     kill. Of os/exec it is one, as there is a zombie that takes the signal.
//   - With AutoKill, a command has two descriptors: that of Cmd.Process, and the
//     one that keeps it alive.
//
// With linux.AutoKill a process also ends when its Handle is closed, and Wait
// tells so: "signal: killed". It does not end when its Cmd is garbage collected,
// nor while the descriptor that SysProcAttr.PidFD asks for is open.
package exec
