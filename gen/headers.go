package main

import (
	"github.com/go-clone3/clone3/gen/internal/model"
)

// groups is what package uapi is made of: a file z<name>.go for each, and
// z<name>_linux_<arch>.go for what differs. A header more is a line more.
var groups = []model.Group{
	{Name: "sched", Headers: all("linux/sched.h", "linux/sched/types.h")},
	{Name: "pidfd", Headers: []model.Header{
		{Path: "linux/pidfd.h"},
		{Path: "linux/fcntl.h", Prefixes: []string{"PIDFD_", "FD_PIDFS_"}},
	}},
	{Name: "wait", Headers: all("linux/wait.h")},
	{Name: "nsfs", Headers: all("linux/nsfs.h")},
	{Name: "syscalls", Table: "syscallTable", Exclude: noSyscalls, Headers: []model.Header{
		{Path: "asm/unistd.h", Names: syscallNames, Prefixes: []string{"__NR_", "__ARM_NR_"}},
	}},
	// What confines a process.
	{Name: "capability", Headers: all("linux/capability.h", "linux/securebits.h")},
	{Name: "prctl", Headers: append([]model.Header{{Path: "linux/const.h", Prefixes: []string{"_BITUL"}}}, all("linux/prctl.h")...)},
	{Name: "keyctl", Headers: all("linux/keyctl.h")},
	{Name: "landlock", Headers: all("linux/landlock.h")},
	{Name: "seccomp", Headers: []model.Header{
		{Path: "linux/seccomp.h"},
		{Path: "linux/filter.h"},
		{Path: "linux/bpf_common.h"},
		{Path: "linux/audit.h", Prefixes: []string{"AUDIT_ARCH_"}},
	}},
	// What it finds.
	{Name: "mount", Headers: all("linux/mount.h")},
	// openat2.h comes first because it includes linux/types.h: asm/fcntl.h of mips
	// looks at __BITS_PER_LONG, and does not include what defines it.
	{Name: "fcntl", Headers: append(all("linux/openat2.h", "linux/fcntl.h", "linux/close_range.h", "linux/stat.h", "linux/memfd.h"),
		model.Header{Path: "asm/fcntl.h", Prefixes: []string{"O_", "F_", "FD_", "LOCK_", "flock"}})},
	{Name: "magic", Headers: all("linux/magic.h")},
	{Name: "net", Headers: []model.Header{
		{Path: "linux/sockios.h", Prefixes: []string{"SIOCGIFFLAGS", "SIOCSIFFLAGS"}},
		{Path: "linux/if.h", Prefixes: []string{"IFF_", "IFNAMSIZ"}},
	}},
	// What it may use.
	{Name: "limits", Headers: append(all("linux/resource.h", "linux/ioprio.h", "linux/personality.h"),
		model.Header{Path: "asm/resource.h", Prefixes: []string{"RLIM"}})},
	{Name: "futex", Headers: all("linux/futex.h")},
}

// all are headers of which everything is wanted.
func all(paths ...string) (headers []model.Header) {
	for _, path := range paths {
		headers = append(headers, model.Header{Path: path})
	}
	return headers
}

// noSyscalls are the names of asm/unistd.h that begin like the number of a
// system call and are none: the bases from which they count, and what the
// kernel keeps to itself.
var noSyscalls = []string{"__NR_*[A-Z]*", "__NR_syscalls", "__ARM_NR_*[A-Z]*"}

// syscallNames are the system calls that package linux makes, and that every
// kernel of its age has to have.
var syscallNames = []string{
	"__NR_capset",
	"__NR_chdir",
	"__NR_chroot",
	"__NR_clone",
	"__NR_clone3",
	"__NR_close",
	"__NR_close_range",
	"__NR_dup3",
	"__NR_execve",
	"__NR_execveat",
	"__NR_exit_group",
	"__NR_fcntl",
	"__NR_futex",
	"__NR_getpid",
	"__NR_getppid",
	"__NR_ioctl",
	"__NR_mount",
	"__NR_name_to_handle_at",
	"__NR_open_by_handle_at",
	"__NR_openat",
	"__NR_pidfd_getfd",
	"__NR_pidfd_open",
	"__NR_pidfd_send_signal",
	"__NR_prctl",
	"__NR_prlimit64",
	"__NR_process_madvise",
	"__NR_process_mrelease",
	"__NR_ptrace",
	"__NR_read",
	"__NR_rt_sigaction",
	"__NR_rt_sigprocmask",
	"__NR_sched_setattr",
	"__NR_seccomp",
	"__NR_setgid",
	"__NR_setgroups",
	"__NR_setns",
	"__NR_setpgid",
	"__NR_setsid",
	"__NR_setuid",
	"__NR_umask",
	"__NR_unshare",
	"__NR_wait4",
	"__NR_waitid",
	"__NR_write",
}
