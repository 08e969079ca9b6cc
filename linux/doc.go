//go:build linux

// Package linux creates processes with clone3(2) and holds them by pidfds.
//
// It is for programs that need more of Linux than os/exec and
// syscall.SysProcAttr offer, without cgo:
//
//   - the flags of clone3 beyond 32 bits, which package syscall drops in
//     silence: here a flag that is not supported is an error;
//   - children that the kernel reaps ([AutoReap]), that die with this program
//     ([AutoKill]), that gain no privileges ([NoNewPrivs]);
//   - a new user namespace without a copy of this program's page tables;
//   - waiting for any number of processes without threads, with a context;
//   - which step of creating the child has failed, in words.
//
// [Clone3] makes a [Child], which is a description, a [Process].
//
// # Life of a process
//
// A [Process] is to be waited for or closed.
//
// [Process.Wait] returns how it has ended. Its context ends the waiting, not the
// process. Without [AutoReap] it is then reaped; with it the kernel has done so,
// and the status comes from the pidfd. If somebody else in this program reaps
// all children, by wait4 with -1, the status still comes from the pidfd, from
// Linux 6.15 on.
//
// [Process.Close] lets the process go; when it ends this package reaps it. With
// AutoKill, Close kills it. So does the end of this program, whatever the reason
// for it, as the kernel then closes the pidfd. Nothing else does: a Process with
// AutoKill that has become garbage is not closed.
//
// [Process.Stop] asks, waits a while, and kills.
//
// Waiting takes goroutines, not threads: all processes are watched by one epoll
// instance, which the poller of the Go runtime watches in its turn. One Wait at
// a time may have a thread, as that is quicker. For all this the package keeps,
// from when they are first needed, one goroutine and three descriptors.
//
// # Between clone3 and exec
//
// What a Child asks for besides its program, such as a directory, credentials or
// open files, the new process has to do itself, before it executes the program.
// Clone3 prepares all of it before: a table of system calls with their
// arguments, and the memory they use. The child shares the memory of this
// program (CLONE_VM) and runs down that table, in a few lines of assembly that
// use no stack and no Go code. So it does not matter what other threads do at
// the time; no lock can be held that is never released, nothing is allocated,
// and no goroutine is stopped. All signals are blocked meanwhile, and no handler
// of this program exists in the child (CLONE_CLEAR_SIGHAND).
//
// This program does not stand still (no CLONE_VFORK): Clone3 waits, like for any
// slow system call, until the child has executed its program or is gone
// (CLONE_CHILD_CLEARTID). Results come back in the table, so the error tells
// which step has failed.
//
// Descriptors are copied by clone3. [syscall.ForkLock] is held for that call
// alone, and with [Child].CloseFiles not at all.
//
// A change of credentials in the child makes the kernel forget that this program
// is dumpable, as it goes by memory. It is set again when no such child shares
// the memory any more.
//
// # Kernels
//
// The four flags of Linux 7.1 need that release; [Probe] tells, without creating
// a process. Everything else needs Linux 5.4 (5.10 is the oldest tested), and
// where clone3 is missing or denied by a seccomp filter, clone(2) is used for
// what it can do. Single features that need more say so. Errors about what the
// kernel lacks are [UnsupportedError], and errors.Is finds errors.ErrUnsupported.
//
// On old kernels, 5.10 but not 6.1, a signal that dumps core (as SIGSYS of a
// seccomp filter) kills this program too, if it hits a child before exec.
//
// # What is not here
//
// Threads, and children that share descriptors, directory or signal handlers
// with this program: [Child].Flags refuses these flags, each with a reason. A
// child is always a program executed: there is no fork. Searching $PATH, pipes
// and copying output are the business of os/exec and packages like it.
package linux
