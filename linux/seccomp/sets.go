package seccomp

import (
	"slices"
	"strings"
	"sync"
)

// A set is named by what its calls are about. The names are of all
// architectures, and separated by white space.
type set struct{ name, calls string }

// What @default leaves out; the package comment says what each breaks.
var denied = [...]set{
	{"@clock", `adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime`},

	{"@debug", `kcmp perf_event_open pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace
		sys_debug_setcontext uprobe uretprobe`},

	{"@keyring", `add_key keyctl request_key`},

	{"@module", `create_module delete_module finit_module get_kernel_syms init_module query_module`},

	{"@mount", `chroot fchroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree
		open_tree_attr pivot_root umount umount2`},

	{"@namespace", `setns unshare`},

	{"@obsolete", `_sysctl afs_syscall bdflush break ftime getpmsg gtty idle lock mpx multiplexer nfsservctl prof
		profil putpmsg reserved177 reserved193 reserved221 reserved82 security sgetmask ssetmask stty sysfs tuxcall
		ulimit unused109 unused150 unused18 unused28 unused59 unused84 uselib usr26 usr32 ustat vm86 vm86old
		vserver`},

	{"@privileged", `acct bpf fanotify_init get_mempolicy io_uring_enter io_uring_register io_uring_setup
		lookup_dcookie mbind migrate_pages move_pages open_by_handle_at personality quotactl quotactl_fd set_mempolicy
		set_mempolicy_home_node setdomainname sethostname syslog userfaultfd vhangup`},

	{"@raw-io", `ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write rtas s390_pci_mmio_read
		s390_pci_mmio_write spu_create spu_run`},

	{"@reboot", `kexec_file_load kexec_load reboot`},

	{"@swap", `swapoff swapon`},
}

var others = [...]set{
	{"@filesystem", `access chdir chmod chown chown32 close creat faccessat faccessat2 fallocate fchdir fchmod
		fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fgetxattr file_getattr file_setattr flistxattr
		fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 ftruncate ftruncate64 futimesat getcwd
		getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
		lchown lchown32 lgetxattr link linkat listxattr listxattrat llistxattr lremovexattr lsetxattr lstat lstat64
		mkdir mkdirat mknod mknodat name_to_handle_at newfstatat oldfstat oldlstat oldstat open open_by_handle_at openat openat2
		readdir readlink readlinkat removexattr removexattrat rename renameat renameat2 rmdir setxattr setxattrat
		stat stat64 statfs statfs64 statx symlink symlinkat truncate truncate64 umask unlink unlinkat utime
		utimensat utimensat_time64 utimes`},

	{"@network", `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
		recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socket socketcall socketpair`},

	{"@process", `clone clone3 execve execveat fork kill pidfd_open pidfd_send_signal process_mrelease
		rt_sigqueueinfo rt_tgsigqueueinfo setns tgkill tkill unshare vfork wait4 waitid waitpid`},
}

// sets returns all sets by name.
var sets = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	allowed := knownNames()
	for _, s := range denied {
		m[s.name] = strings.Fields(s.calls)
		allowed = slices.DeleteFunc(allowed, func(name string) bool { return slices.Contains(m[s.name], name) })
	}
	for _, s := range others {
		m[s.name] = strings.Fields(s.calls)
	}
	m["@default"] = allowed
	return m
})

// Sets returns the names of all sets of system calls that Rule.Calls takes,
// sorted. The package comment says what each is.
func Sets() []string {
	var names []string
	for name := range sets() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Set returns the system calls of a set, sorted, of all architectures, and nil if
// there is no set of that name.
func Set(name string) []string { return slices.Clone(sets()[name]) }
