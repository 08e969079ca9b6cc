package linux

import (
	"fmt"
	"strings"

	"github.com/go-clone3/clone3/uapi"
)

// Flags say what kind of process [Clone3] creates. They are the flags of
// clone3(2) that are of use to a program about to be executed; the zero value
// asks for nothing special.
//
// Two more are always in effect: the handle of a [Process] is a pidfd
// (CLONE_PIDFD), and the child has no signal handlers of its parent
// (CLONE_CLEAR_SIGHAND).
type Flags uint64

const (
	// AutoReap lets the kernel reap the child when it ends: no zombie, no
	// SIGCHLD, nobody has to wait. Wait still tells its status, by the
	// handle. There is no resource usage.
	// CLONE_AUTOREAP, Linux 7.1.
	AutoReap Flags = uapi.CLONE_AUTOREAP

	// NoNewPrivs keeps the child, and all its descendants, from gaining
	// privileges by executing a file: the set-user-ID and set-group-ID bits
	// and file capabilities have no effect. Kernels without the flag do the
	// same by a step of the child, before it executes its program; Probe tells
	// whether there is the flag, Clone3 does not fail without.
	// CLONE_NNP, Linux 7.1; PR_SET_NO_NEW_PRIVS(2const).
	NoNewPrivs Flags = uapi.CLONE_NNP

	// AutoKill ties the child's life to the handle: the kernel kills it when
	// the last copy of the pidfd is closed, so by Close, and by the end of
	// this program however it ends. Descendants of the child are not killed.
	// Includes AutoReap, as the kernel demands. Without NoNewPrivs it needs
	// the capability CAP_SYS_ADMIN.
	// CLONE_PIDFD_AUTOKILL, Linux 7.1.
	AutoKill Flags = uapi.CLONE_PIDFD_AUTOKILL | AutoReap

	// EmptyMount gives the child a mount namespace of its own with nothing
	// in it but an empty root directory. The program is to be given as
	// Child.Exec, and has to be statically linked.
	// CLONE_EMPTY_MNTNS, Linux 7.1.
	EmptyMount Flags = uapi.CLONE_EMPTY_MNTNS

	// IntoCgroup creates the child in the control group Child.Cgroup, which
	// when set implies this flag.
	// CLONE_INTO_CGROUP, Linux 5.7; cgroups(7).
	IntoCgroup Flags = uapi.CLONE_INTO_CGROUP

	// The child gets new namespaces, see namespaces(7). All but NewUser need
	// CAP_SYS_ADMIN, which a child has that gets a NewUser too.
	NewCgroup Flags = uapi.CLONE_NEWCGROUP // CLONE_NEWCGROUP, cgroup_namespaces(7)
	NewIPC    Flags = uapi.CLONE_NEWIPC    // CLONE_NEWIPC, ipc_namespaces(7)
	NewMount  Flags = uapi.CLONE_NEWNS     // CLONE_NEWNS, mount_namespaces(7)
	NewNet    Flags = uapi.CLONE_NEWNET    // CLONE_NEWNET, network_namespaces(7)
	NewPID    Flags = uapi.CLONE_NEWPID    // CLONE_NEWPID, pid_namespaces(7)
	NewTime   Flags = uapi.CLONE_NEWTIME   // CLONE_NEWTIME, Linux 5.6, time_namespaces(7)
	NewUser   Flags = uapi.CLONE_NEWUSER   // CLONE_NEWUSER, user_namespaces(7)
	NewUTS    Flags = uapi.CLONE_NEWUTS    // CLONE_NEWUTS, uts_namespaces(7)
)

const (
	namespaces = NewCgroup | NewIPC | NewMount | NewNet | NewPID | NewTime | NewUser | NewUTS
	implied    = Flags(uapi.CLONE_PIDFD | uapi.CLONE_CLEAR_SIGHAND)
)

// named lists the flags that have a name, and since which release the kernel
// knows them. AutoKill comes before AutoReap, which it contains.
var named = []struct {
	flag    Flags
	name    string
	release string
}{
	{AutoKill, "AutoKill", "7.1"},
	{AutoReap, "AutoReap", "7.1"},
	{NoNewPrivs, "NoNewPrivs", "7.1"},
	{EmptyMount, "EmptyMount", "7.1"},
	{IntoCgroup, "IntoCgroup", "5.7"},
	{NewCgroup, "NewCgroup", "5.3"},
	{NewIPC, "NewIPC", "5.3"},
	{NewMount, "NewMount", "5.3"},
	{NewNet, "NewNet", "5.3"},
	{NewPID, "NewPID", "5.3"},
	{NewTime, "NewTime", "5.6"},
	{NewUser, "NewUser", "5.3"},
	{NewUTS, "NewUTS", "5.3"},
}

// refused lists the flags of clone3(2) that Clone3 does not take, and why.
var refused = []struct {
	flag   Flags
	name   string
	reason string
}{
	{uapi.CLONE_VM, "CLONE_VM", "Clone3 decides how the memory is shared until exec"},
	{uapi.CLONE_VFORK, "CLONE_VFORK", "Clone3 always waits for exec"},
	{uapi.CLONE_FILES, "CLONE_FILES", "Clone3 decides how descriptors are shared until exec; see Child.InheritFiles"},
	{uapi.CLONE_FS, "CLONE_FS", "the child's steps would change the directory, root and umask of this program"},
	{uapi.CLONE_SIGHAND, "CLONE_SIGHAND", "the child's steps would change the signal handlers of this program"},
	{uapi.CLONE_THREAD, "CLONE_THREAD", "a thread cannot execute a program of its own"},
	{uapi.CLONE_PARENT, "CLONE_PARENT", "this program could not wait for the child"},
	{uapi.CLONE_PTRACE, "CLONE_PTRACE", "use Child.Ptrace"},
	{uapi.CLONE_UNTRACED, "CLONE_UNTRACED", "only the kernel may set it"},
	{uapi.CLONE_SETTLS, "CLONE_SETTLS", "the program to execute sets up its own thread-local storage"},
	{uapi.CLONE_PARENT_SETTID, "CLONE_PARENT_SETTID", "Clone3 uses it to learn of the creation; use Process.Pid"},
	{uapi.CLONE_CHILD_SETTID, "CLONE_CHILD_SETTID", "it writes to the memory of this program; use Process.Pid"},
	{uapi.CLONE_CHILD_CLEARTID, "CLONE_CHILD_CLEARTID", "it writes to the memory of this program"},
	{uapi.CLONE_DETACHED, "CLONE_DETACHED", "the kernel has no use for it any more"},
	{uapi.CLONE_SYSVSEM, "CLONE_SYSVSEM", "the child would share the semaphore adjustments of this program"},
	{uapi.CLONE_IO, "CLONE_IO", "the child would share the I/O context of this program"},
}

// String returns the names of the flags, joined by "|"; bits without a name
// are printed in hexadecimal.
func (f Flags) String() string {
	var names []string
	for _, n := range named {
		if f.has(n.flag) {
			names = append(names, n.name)
			f &^= n.flag
		}
	}
	if f != 0 || names == nil {
		names = append(names, fmt.Sprintf("%#x", uint64(f)))
	}
	return strings.Join(names, "|")
}

// has reports whether all bits of g are set in f.
func (f Flags) has(g Flags) bool { return f&g == g }

// check reports the flags that Clone3 does not take.
func (f Flags) check() error {
	for _, r := range refused {
		if f.has(r.flag) {
			return invalid("flag %s: %s", r.name, r.reason)
		}
	}
	known := implied
	for _, n := range named {
		known |= n.flag
	}
	if f&^known != 0 {
		return invalid("flags %#x are not known to this package", uint64(f&^known))
	}
	if f&AutoKill == AutoKill&^AutoReap {
		return invalid("flag AutoKill (CLONE_PIDFD_AUTOKILL) needs AutoReap")
	}
	return nil
}
