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
//   - children that get no descriptors but those they are given;
//   - creation that a context bounds, and which step of it has failed, in words
//     and as a [StepKind].
//
// [Clone3] makes a [Child], which is a description, a [Process].
//
// # Which do I use
//
//	you want                                     you write
//	to run a command, with pipes and $PATH       package linux/exec, which has all of this
//	a child that dies with this program          Flags: AutoKill | NoNewPrivs
//	the same before Linux 7.1                    and Emulate: AutoKill
//	its descendants to end with it               KillTree, see Process.Tree
//	no zombie, and nobody to wait                Flags: AutoReap
//	to wait, with a context and no thread        Process.Wait, WaitProcess
//	to ask it to end, and then to kill it        Process.Stop
//	to be PID 1, or to inherit orphans           ReapOrphans
//	limits for a child and its children          CreateCgroup, Child.Cgroup
//	to confine it                                Confine, or Landlock, Seccomp, Capabilities
//	to hold a process of somebody else's         OpenPidFD, OpenProcess, OpenPeer
//	to know how a stranger has ended             PidFD.Wait
//	to hand a process to another program         PidFD.File, AdoptPidFD, DupPidFD
//	to know whether the kernel has it            Probe, Supported
//
// The guides are examples: Init, PassAHandle, WaitForStrangers and MovingFromXSys
// here, and in package linux/exec DieWithTheParent, KillTheTree, WorkerPool,
// PluginHost, AgentsTool and MovingFromOSExec.
//
// # Life of a process
//
// A [Process] is to be waited for or closed. One that is dropped is closed, when
// the garbage collector finds it, unless it has AutoKill.
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
// from when they are first needed, one goroutine and three descriptors; and to
// emulate AutoKill, a thread for each child that is created at a time. What the
// kernel has no memory, descriptors or watches for is looked at every 10 ms
// instead, until it has.
//
// # Between clone3 and exec
//
// What a Child asks for besides its program, such as a directory, credentials or
// open files, the new process has to do itself, before it executes the program.
// Clone3 prepares all of it before: a table of system calls with their
// arguments, and the memory they use. The child runs down that table, in a few
// lines of assembly that use no stack and no Go code. So it does not matter what
// other threads do at the time; no lock can be held that is never released, and
// nothing is allocated. All signals are blocked meanwhile, and no handler of this
// program exists in the child (CLONE_CLEAR_SIGHAND). Results come back in the
// table, so the error tells which step has failed.
//
// The thread that creates a child sleeps in clone3 until the child has executed
// its program or is gone (CLONE_VFORK). To the Go runtime that is a slow system
// call like any other: goroutines go on on other threads, and so does the garbage
// collector. As three system calls belong together there, the functions by which
// package syscall tells the runtime of one are linked to by name:
// runtime.entersyscall, entersyscallblock and exitsyscall, which the runtime
// keeps for those who have to (go.dev/issue/67401). What waits for all threads,
// syscall.AllThreadsSyscall and so syscall.Setuid, waits for this one too, as
// with os/exec.
//
// # A child that does not come to its program
//
// It may stand still on its way: its control group is frozen, another process
// has a lease on the file, a file system does not answer, somebody stops it. That
// holds up one thread and the goroutine that called Clone3, no other spawn, no
// user of [syscall.ForkLock], and not the garbage collector. The context of
// Clone3 bounds it: when that has ended, a child that has not come to its program
// within another 20 ms is killed. What no signal reaches is not (a system call
// in a file system that is gone, a frozen group of cgroup version 1).
//
// If this program ends meanwhile, a child that was created in [Child].Cgroup does
// not start any more, nor one that waits at the gate for its IDs or for
// [Child].Created. One that stands still within execve(2) executes its program
// later.
//
// # What a child in flight shares
//
// Memory: the child has that of this program (CLONE_VM) until it executes its
// own. With CLONE_VFORK the kernel knows that it is lent: an OOM killer that
// looks for a victim passes by the child, and what is written to the child's
// oom_score_adj stays the child's. There is one exception, an OOM that kills all
// members of a control group (memory.oom.group) and with them whoever shares
// their memory: a child that is created in such a group, or in one where another
// user than root and this program's can make it so, has a copy of the memory. To
// copy it takes the longer the more there is, about 15 ms for a GiB.
//
// The kernel decides by the child's credentials who may look into it, and so
// into this program. A child in a new user namespace is open to all processes of
// the user who has created it, even if this program is not. Therefore this
// program is not dumpable (PR_SET_DUMPABLE) while root has such a child in
// flight: nobody can look into either of them, who has not CAP_SYS_PTRACE. For
// other users that is not possible, as the maps of IDs could not be written:
// there, if this program has capabilities, or Yama's ptrace_scope says that
// processes of one user are closed to each other, the child has a copy of the
// memory, as with os/exec. Others can then read that copy, as long as the child
// is in flight, but write nothing to this program. A
// program that sets PR_SET_DUMPABLE itself is to use [SetDumpable].
//
// Some settings belong to the memory, and so would be changed in this program as
// well: whether memory can become executable (PR_SET_MDWE), is merged or made of
// huge pages, and what goes into a core dump. [Child] has no fields for them; a
// program sets them itself. Scheduling, I/O priority, memory policy, timer slack,
// personality, keyrings, securebits and the subreaper belong to the child.
//
// Descriptors: the child begins with those of this program (CLONE_FILES), and as
// its first step unshares the few it needs and closes the rest, which takes the
// same time however many there are. One that stands still even before that,
// which is possible in a frozen control group, keeps all of them open when this
// program ends, until it goes. With [Child].InheritFiles the table is copied, and
// ForkLock held, by all such spawns together, until that is done; the copies
// last until the program is executed.
//
// # Confinement
//
// [Confine] makes a Child for a program that is not trusted, out of parts that can
// also be used alone. What each part keeps the program from, and since which Linux,
// where that is not 5.13; "-" is what it does not keep it from:
//
//	                               Landlock          seccomp           no capabilities,  Confine
//	                                                 (ConfineFilter)   NoNewPrivs
//	read, write, execute files     yes               -                 -                 yes
//	  truncate them                6.2               by path           -                 yes
//	  their mode, owner and times  -                 set-user-ID only  -                 of its user's: no
//	  that they exist              -                 -                 -                 no
//	devices: ioctl                 6.10              terminals         -                 yes
//	TCP                            6.7, but a        no sockets        -                 yes
//	                               filter is needed
//	UDP                            7.2               no sockets        -                 yes
//	other sockets                  -                 no sockets        raw, packet       yes
//	unix sockets by path           7.1               no sockets        -                 yes
//	abstract unix sockets          6.12              no sockets        -                 yes
//	signals to others              6.12              -                 -                 6.12
//	trace others, their memory     yes               yes               others' of root   yes
//	  command lines in /proc       by its paths      -                 -                 no
//	limits, priorities of others   -                 yes               by root: most     yes
//	shared memory and queues       /dev/shm          yes               -                 yes
//	mount, chroot, namespaces      mount             yes               without a user    yes
//	                                                                   namespace
//	set-user-ID programs           -                 -                 yes               yes
//	less used parts of the kernel  -                 yes               bpf, modules,     yes
//	                                                                   clocks and so on
//	memory, CPU, processes         -                 -                 -                 no: Rlimits, Cgroup
//	descriptors it is given        -                 -                 -                 no: Files
//
// All of that is tried by make escape on several kernels; testdata/escape.txt has
// the attempts, and what comes of them with each part. Two lines need more words.
// Landlock alone lets TCP be connected by sending (TCP Fast Open) on some kernels
// before 7.3, and other protocols that come to the same, as Multipath TCP, on all:
// [seccomp.Sockets] has the rules against it. And with CAP_PERFMON, which root
// has, the environment and the mappings of other processes can be read on Linux 6.18
// and 7.3, though not on 6.12, whatever Landlock's rules are.
//
// None of this protects from faults of the kernel. The program makes the calls
// that it is left with on the same kernel as everybody else, and a fault in one of
// them, of which some are found every year, is a way out of all that is on this
// page. A filter makes fewer of them reachable; only another kernel, in a virtual
// machine, makes them another's. Nor does it protect from what others do with
// what the program leaves behind: whoever runs the Makefile, hook or binary that it
// has written runs it unconfined.
//
// # Kernels
//
// The flags of Linux 7.1 need that release, NoNewPrivs apart; [Probe] tells,
// without creating a process. Everything else needs Linux 5.4 (5.10 is the
// oldest tested), and where clone3 is missing or denied by a seccomp filter,
// clone(2) is used for what it can do. Single features that need more say so.
// Errors about what the kernel lacks are [UnsupportedError], and errors.Is finds
// errors.ErrUnsupported.
//
// On old kernels, 5.10 but not 6.1, a signal that dumps core (as SIGSYS of a
// seccomp filter) kills this program too, if it hits a child before exec.
//
// # Older kernels
//
// NoNewPrivs is the same guarantee on all of them. With [Child].Emulate, AutoReap
// and AutoKill have the nearest there is; [Process.Emulated] tells, and has the
// whole of it:
//
//	                        kernel, from 7.1     emulated
//	AutoReap
//	  who reaps             the kernel           this package, at once
//	  SIGCHLD               none                 is sent
//	  wait4(-1) elsewhere   finds nothing        may take the status (known still, from 6.15)
//	  this program ends     reaped               left to who adopts it
//	AutoKill
//	  Close                 kills                kills
//	  this program ends,    kills                kills, unless the child has taken
//	   or executes another                        it back: by prctl(2), or by
//	                                              changing its user or group
//	  what it is tied to    copies of the pidfd  a thread of this program
//	  who may               root, or NoNewPrivs  NoNewPrivs, and a thread like all others
//
// # Other systems
//
// This package compiles on every GOOS, with the same types, constants and
// functions. What it is about only Linux has: elsewhere every function that can
// fail returns an [UnsupportedError] that names the system, and nothing is done.
//
// # What is not here
//
// Threads, and children that share descriptors, directory or signal handlers
// with this program: [Child].Flags refuses these flags, each with a reason. A
// child is always a program executed: there is no fork. Searching $PATH, pipes
// and copying output are the business of os/exec and packages like it.
package linux
