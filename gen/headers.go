package main

// groups is what package uapi is made of: a file z<name>.go for each, and
// z<name>_linux_<arch>.go for what differs. A header more is a line more.
var groups = []Group{
	{"sched", []Header{{Path: "linux/sched.h"}, {Path: "linux/sched/types.h"}}},
	{"pidfd", []Header{
		{Path: "linux/pidfd.h"},
		{Path: "linux/fcntl.h", Prefixes: []string{"PIDFD_", "FD_PIDFS_"}},
	}},
	{"wait", []Header{{Path: "linux/wait.h"}}},
	{"nsfs", []Header{{Path: "linux/nsfs.h"}}},
	{"syscalls", []Header{{Path: "asm/unistd.h", Names: syscallNames, Prefixes: []string{"__NR_landlock_"}}}},
}

// syscallNames are the system calls that package linux makes.
var syscallNames = []string{
	"__NR_clone",
	"__NR_clone3",
	"__NR_close_range",
	"__NR_execve",
	"__NR_execveat",
	"__NR_futex",
	"__NR_name_to_handle_at",
	"__NR_open_by_handle_at",
	"__NR_pidfd_getfd",
	"__NR_pidfd_open",
	"__NR_pidfd_send_signal",
	"__NR_prctl",
	"__NR_prlimit64",
	"__NR_process_madvise",
	"__NR_process_mrelease",
	"__NR_sched_setattr",
	"__NR_seccomp",
	"__NR_setns",
	"__NR_unshare",
	"__NR_wait4",
	"__NR_waitid",
}
