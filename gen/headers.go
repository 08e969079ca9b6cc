package main

import (
	"github.com/go-clone3/clone3/gen/internal/model"
)

// groups is what package uapi is made of: a file z<name>.go for each, and
// z<name>_linux_<arch>.go for what differs. A header more is a line more.
var groups = []model.Group{
	{Name: "sched", Headers: []model.Header{{Path: "linux/sched.h"}, {Path: "linux/sched/types.h"}}},
	{Name: "pidfd", Headers: []model.Header{
		{Path: "linux/pidfd.h"},
		{Path: "linux/fcntl.h", Prefixes: []string{"PIDFD_", "FD_PIDFS_"}},
	}},
	{Name: "wait", Headers: []model.Header{{Path: "linux/wait.h"}}},
	{Name: "nsfs", Headers: []model.Header{{Path: "linux/nsfs.h"}}},
	{Name: "syscalls", Headers: []model.Header{{Path: "asm/unistd.h", Names: syscallNames, Prefixes: []string{"__NR_landlock_"}}}},
}

// syscallNames are the system calls that package linux makes.
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
