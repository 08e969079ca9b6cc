package linux

import (
	"os"
	"time"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
)

// A Child describes a process to create: which program, with what, and what is
// to be done between the creation of the process and the execution of the
// program. [Clone3] makes it a process; it does not change the Child, which can
// be used again, also concurrently.
//
// Fields that syscall.SysProcAttr has too mean the same here, and are done in
// the same order. A zero field does nothing, where its comment says no more.
type Child struct {
	// Path is the program to execute. It is not searched for in $PATH. A
	// relative path is relative to Dir, and it is looked up after Chroot.
	Path string

	// Exec is the program to execute if Path is empty: an open file. A
	// script needs a file without the close-on-exec flag, which its
	// interpreter can open. execveat(2).
	Exec *os.File

	// Args are the arguments, beginning with the name of the program. If nil
	// that is Path, and nothing else.
	Args []string

	// Env is the environment, in the form "key=value". If nil it is the
	// environment of this program. Of several values for a key all are
	// passed on.
	Env []string

	// Dir is the directory to go to, after Chroot.
	Dir string

	// Files are the open files of the child: Files[i] becomes descriptor i.
	// Of the descriptors 0, 1 and 2 those without a file are /dev/null;
	// others, if nil, are closed.
	Files []*os.File

	// InheritFiles lets the program also have those descriptors of this
	// program that lack the close-on-exec flag; package os sets that always.
	// The time it takes to create the child then grows with the number of
	// descriptors that are open, and until it executes its program the child
	// keeps all of them open.
	//
	// Without it, the program gets Files and descriptors 0 to 2, and Exec if
	// that lacks the flag; the child closes all others before it does anything
	// else. close_range(2) with CLOSE_RANGE_UNSHARE, Linux 5.9; where there is
	// none, descriptors are listed in /proc and closed one by one.
	InheritFiles bool

	// Created, if not nil, is called when the process exists and waits, before
	// it does what the Child asks for, IDs of its user namespace apart. It is
	// the moment for what has to be done to a process from outside: to map its
	// IDs with newuidmap(1), to move a network device into its namespace, to
	// note its ID. An error, and the end of Clone3's context, end the child, and
	// Clone3 returns an error that unwraps to it.
	//
	// It is called in a goroutine of its own, and must not wait for the
	// process. To Close the Process takes effect when it has its program; with
	// AutoKill it ends the child.
	Created func(*Process) error

	// Flags say what kind of process to create.
	Flags Flags

	// Emulate are those of Flags that this package may do the nearest to where
	// the kernel lacks them: AutoReap and AutoKill. What that is, and in what
	// it is weaker, is told with [Process.Emulated]. Without it they are
	// errors there. NoNewPrivs may be listed, and needs no emulation.
	Emulate Flags

	// KillTree lets the descendants of the process end with it: when it ends by
	// itself or is killed, by Process.Kill and Stop, and with AutoKill by Close.
	// That is done by the best means there is, which Process.Tree tells, and in
	// what that falls short: with NewPID the kernel does it; else there is a
	// control group for the process, below Cgroup or that of this program, if
	// this program may create one there; else Kill looks for descendants in
	// /proc, and may miss some.
	//
	// With AutoKill, or its emulation, the end of this program ends them too: in
	// a PID namespace by the kernel, in a control group by a guard, which Tree
	// describes. Those that only a search would find are left.
	KillTree bool

	// Cgroup is the directory of the control group (version 2) to create the
	// child in. It implies the flag IntoCgroup.
	Cgroup *os.File

	// Unshare are namespaces that the child leaves by itself, once it exists.
	// That takes the same time as the same Flags, but not from this program.
	// With NewMount, the child's mounts are made private. With NewPID, and on
	// older kernels NewTime, not the child but its children are in the new
	// namespace. unshare(2).
	Unshare Flags

	// UidMappings and GidMappings are the IDs of the new user namespace. The
	// child writes them itself if NewUser is in Unshare, and mostly if they
	// map just the ID of this program; else it waits until this program has
	// written them. GidMappingsEnableSetgroups leaves the child the right to call
	// setgroups(2), which without privileges has to be given up.
	// user_namespaces(7).
	UidMappings                []IDMap
	GidMappings                []IDMap
	GidMappingsEnableSetgroups bool

	// Chroot is the root directory of the child. chroot(2).
	Chroot string

	// Credential are the user, the group and the supplementary groups.
	// setuid(2), setgid(2), setgroups(2).
	Credential *Credential

	// AmbientCaps are capabilities that the program gets, though its user may
	// not have them. capabilities(7).
	AmbientCaps []uintptr

	// Capabilities, if not nil, are all that the program and what it executes can
	// come to have: new(Capabilities) is none. They leave the bounding set, and
	// the permitted, inheritable and ambient ones; what the program did not have
	// it is not given. With NoNewPrivs the bounding set is left as it is, as it
	// then grants nothing; without, CAP_SETPCAP is needed. capabilities(7).
	Capabilities *Capabilities

	// Nice, if not nil, is the priority of the program, from -20, the highest, to
	// 19. To go below this program's needs CAP_SYS_NICE, or RLIMIT_NICE.
	// setpriority(2).
	Nice *int

	// CPUs, if not nil, are those that the program may run on, by their numbers.
	// sched_setaffinity(2).
	CPUs []int

	// Scheduler, if not nil, says by which policy the kernel gives the program
	// processor time, and with which parameters. The program begins with it, this
	// one keeps its own. sched_setattr(2), Linux 3.14.
	Scheduler *Scheduler

	// IOPriority, if not nil, is the priority by which the program reads and
	// writes disks. ioprio_set(2), Linux 2.6.13.
	IOPriority *IOPriority

	// MemoryPolicy, if not nil, says from which nodes of a NUMA machine the
	// program gets memory. set_mempolicy(2), Linux 2.6.7.
	MemoryPolicy *MemoryPolicy

	// TimerSlack, if not zero, is by how much the kernel may delay what the program
	// sleeps, so that timers end together: at least 1 ns, on 32 bits at most about
	// 4 s. By default it is what this program has, mostly 50 µs; those with
	// SchedFIFO, SchedRR and SchedDeadline have none, and then it is refused.
	// PR_SET_TIMERSLACK(2const), Linux 2.6.28.
	TimerSlack time.Duration

	// Personality, if not nil, is how the program sees the kernel, in place of
	// how this program does. personality(2).
	Personality *Personality

	// SessionKeyring, if not nil, gives the program a session keyring of its own,
	// instead of that of this program with its keys: a new one if it is "", or the
	// one of that name of the child's user, which is created if there is none.
	// The new keyring belongs to the user that the program has, and counts to the
	// quota of that user (EDQUOT). Kernels may be built without keys (ENOSYS), and
	// container engines deny them (EPERM).
	// KEYCTL_JOIN_SESSION_KEYRING(2const).
	SessionKeyring *string

	// Subreaper makes the program the one that adopts, and has to reap, those of
	// its descendants whose parents end, in place of the init of the PID namespace
	// or of another subreaper above. It keeps that until it ends, also when it
	// executes another program; those it creates do not have it.
	// PR_SET_CHILD_SUBREAPER(2const), Linux 3.4.
	Subreaper bool

	// Securebits are set in addition to those that this program has, none if zero.
	// That is done when the user has been changed and AmbientCaps are set, and
	// before Capabilities are dropped. It needs CAP_SETPCAP, but for the four that
	// are for interpreters. What is locked otherwise is EPERM. capabilities(7).
	Securebits Securebits

	// NoFileSystem lets the program have no file system: every path is EOPNOTSUPP
	// to it and to all that it executes and creates. What is left are the
	// descriptors it is given: a directory among them is a way in, to what is
	// below it and by ".." to what is above. The program is opened, by the rights and
	// the directories that the child has, and then executed as Exec; it has to be
	// statically linked and no script, as neither the dynamic linker nor an
	// interpreter would be found. Dir and Chroot cannot be set with it.
	//
	// It needs NoNewPrivs, or CAP_SYS_CHROOT. Without that capability the kernel
	// also denies it to who has been in a chroot(2) already (EPERM).
	// fchroot(2) with FD_FAILFS_ROOT, Linux 7.3.
	NoFileSystem bool

	// OOMScoreAdj, if not nil, says how soon the program is to be killed where
	// there is no memory left, from -1000, never, to 1000, first. To go below
	// this program's needs CAP_SYS_RESOURCE. It needs /proc.
	// proc_pid_oom_score_adj(5).
	OOMScoreAdj *int

	// Setsid makes the child the leader of a new session. setsid(2).
	Setsid bool

	// Setpgid puts the child into process group Pgid, or into a new one if
	// Pgid is 0. setpgid(2).
	Setpgid bool
	Pgid    int

	// Setctty makes the terminal that is the child's descriptor Ctty its
	// controlling terminal. That needs Setsid.
	Setctty bool

	// Foreground puts the child's process group into the foreground of the
	// terminal that is descriptor Ctty of this program. Implies Setpgid.
	Foreground bool
	Ctty       int

	// Noctty detaches the child's descriptor 0 from its controlling terminal.
	Noctty bool

	// Pdeathsig is sent to the child when the thread of this program that
	// created it ends, which may be long before this program does; prefer
	// AutoKill. PR_SET_PDEATHSIG(2const).
	Pdeathsig Signal

	// Ptrace lets this program trace the child: the thread that calls Clone3,
	// see runtime.LockOSThread. PTRACE_TRACEME in ptrace(2).
	Ptrace bool

	// LandlockRuleset confines the program: a ruleset, as
	// landlock_create_ruleset(2) returns it, to which all rules have been
	// added. The child enters it when all is done that needs the file system,
	// but for executing the program itself, which the rules have to allow.
	// LandlockFlags are those of the call. It needs NoNewPrivs, or
	// CAP_SYS_ADMIN. landlock_restrict_self(2), Linux 5.13, with flags 6.15.
	LandlockRuleset *os.File
	LandlockFlags   uint32

	// Seccomp, if not nil, says which system calls the program may make, as
	// compiled by Filter.Compile of package seccomp. It has to allow execve(2), or
	// execveat(2) with Exec or NoFileSystem, and exit_group(2). It needs NoNewPrivs, or
	// CAP_SYS_ADMIN. seccomp(2), Linux 3.17.
	Seccomp *seccomp.Program

	// Listen lets this program answer the system calls for which Seccomp has the
	// action Notify: Process.Listener has them. Without Listen such a Seccomp is
	// refused, as nobody would answer. The program does not start before this one
	// has the listener; for that Seccomp has to allow read(2) too, and sendmsg(2), or
	// this program be allowed pidfd_getfd(2), which a container may not be, nor one
	// without CAP_SYS_PTRACE if the child has another Credential (Linux 5.6).
	// The kernel lets a process have one listener, so the error is EBUSY if this
	// program is itself under a filter that has one.
	// SECCOMP_FILTER_FLAG_NEW_LISTENER, Linux 5.0; seccomp_unotify(2).
	Listen bool

	// Landlock, if not nil, says which files, ports and other processes the program
	// has to do with. The child enters it where LandlockRuleset is entered: paths
	// are those that the child sees, after Chroot, and by its rights. The rules have
	// to allow the program to be executed. What the kernel cannot enforce is an
	// UnsupportedError, unless they have BestEffort: then Process.Unenforced tells.
	// It needs NoNewPrivs, or CAP_SYS_ADMIN. landlock(7), Linux 5.13.
	Landlock *landlock.Rules

	// Umask, if not nil, are the permissions that files created by the
	// program do not get. umask(2).
	Umask *int

	// Rlimits are limits on resources. RLIMIT_NOFILE, if not listed, is what
	// it was when this program was started, before Go raised it.
	// prlimit(2).
	Rlimits []Rlimit

	// ResetSignals lets the program start with no signal blocked and none
	// ignored. Without it, it inherits both from this program.
	ResetSignals bool

	// ExitSignal is sent to this program when the child ends before it has
	// executed its program; from then on it is SIGCHLD. If 0 it is SIGCHLD.
	ExitSignal Signal

	// LeaveZombie leaves it to somebody else to reap the process when it has
	// ended: to an os.Process, or to wait4(2). Wait does not reap it then,
	// nor does Close.
	LeaveZombie bool

	// SetTID are the process IDs to give to the child: the first in its own
	// PID namespace, the next in the namespace around that, and so on.
	// Linux 5.5, needs CAP_CHECKPOINT_RESTORE.
	SetTID []int

	nearly Flags   // Flags that are emulated, and not in Flags any more
	tree   Tree    // how KillTree is done
	group  *Cgroup // for TreeByCgroup, which the Process closes
	guard  *guard  // of the group, or nil
}

// An Rlimit limits the use of a resource, such as unix.RLIMIT_CPU.
type Rlimit struct {
	Resource int
	Cur, Max uint64 // soft and hard limit
}
