//go:build linux

package linux_test

import (
	"bytes"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	isGated = "the process is not reached by it: what can be done with the descriptor is denied"
	pages   = 4096
	none    = ^uintptr(0)
)

var processAttempts = []attempt{
	{name: "signal another process", denied: eperm, allowed: beforeScopes, try: func(f *field) error { return unix.Kill(f.Victim.PID, 0) }},
	{name: "signal another thread", denied: eperm, allowed: beforeScopes, try: func(f *field) error { return unix.Tgkill(f.Victim.PID, f.Victim.PID, 0) }},
	{name: "signal by tkill", denied: eperm, allowed: beforeScopes, try: func(f *field) error { return call("tkill", uintptr(f.Victim.PID), 0) }},
	{name: "signal the parent", denied: eperm, allowed: beforeScopes, try: func(f *field) error { return unix.Kill(unix.Getppid(), 0) }},
	{name: "signal a process group", denied: eperm, allowed: beforeScopes, try: func(f *field) error {
		group, err := unix.Getpgid(f.Victim.PID)
		if err != nil {
			return err
		}
		return unix.Kill(-group, 0)
	}},
	{name: "queue a signal", denied: eperm, allowed: beforeScopes, try: func(f *field) error {
		info := [32]int32{int32(unix.SIGURG), -1, -1} // SI_QUEUE, wherever si_code is
		return call("rt_sigqueueinfo", uintptr(f.Victim.PID), uintptr(unix.SIGURG), kept(info))
	}},
	{name: "signal by pidfd", denied: eperm, allowed: beforeScopes, try: func(f *field) error {
		return byPidfd(f, func(fd uintptr) error { return call("pidfd_send_signal", fd, 0, 0, 0) })
	}},
	{name: "let a pipe signal another process", denied: eperm, allowed: beforeScopes, try: func(f *field) error {
		var pipe [2]int
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			return err
		}
		defer unix.Close(pipe[0])
		defer unix.Close(pipe[1])
		if _, err := unix.FcntlInt(uintptr(pipe[0]), unix.F_SETOWN, f.Victim.PID); err != nil {
			return err
		}
		if _, err := unix.FcntlInt(uintptr(pipe[0]), unix.F_SETSIG, int(unix.SIGSTOP)); err != nil {
			return err
		}
		if _, err := unix.FcntlInt(uintptr(pipe[0]), unix.F_SETFL, unix.O_ASYNC); err != nil {
			return err
		}
		unix.Write(pipe[1], []byte("x"))
		unix.FcntlInt(uintptr(pipe[0]), unix.F_SETFL, 0) // or to close it signals too
		for range 50 {
			if stat, err := os.ReadFile(proc(f, "stat")); err != nil {
				return err
			} else if i := bytes.LastIndexByte(stat, ')'); stat[i+2] == 'T' {
				return unix.Kill(f.Victim.PID, unix.SIGCONT)
			}
			time.Sleep(time.Millisecond)
		}
		return unix.EPERM // which nobody says
	}},
	{name: "open a pidfd", allowed: isGated, try: func(f *field) error { return byPidfd(f, func(uintptr) error { return nil }) }},

	{name: "trace another process", denied: eperm, control: "Yama that allows it", lasting: true, try: func(f *field) error {
		return call("ptrace", unix.PTRACE_SEIZE, uintptr(f.Victim.PID), 0, 0)
	}},
	{name: "attach to another process", denied: eperm, control: "Yama that allows it", lasting: true, try: func(f *field) error {
		if err := unix.PtraceAttach(f.Victim.PID); err != nil {
			return err
		}
		unix.Wait4(f.Victim.PID, nil, unix.WALL, nil)
		return unix.PtraceDetach(f.Victim.PID)
	}},
	// Who is traced stops at every signal, so that is a child.
	{name: "let the parent trace", denied: eperm, try: func(f *field) error { return forked("ptrace", unix.PTRACE_TRACEME) }},
	{name: "read the memory of another process", denied: eperm, control: "Yama that allows it", try: func(f *field) error { return overMemory(f, "process_vm_readv") }},
	{name: "write the memory of another process", denied: eperm, control: "Yama that allows it", try: func(f *field) error { return overMemory(f, "process_vm_writev") }},
	{name: "advise on the memory of another process", denied: eperm, control: "root", try: func(f *field) error {
		return byPidfd(f, func(fd uintptr) error {
			vec := kept([2]uintptr{uintptr(f.Victim.Secret) &^ (pages - 1), pages})
			return call("process_madvise", fd, vec, 1, unix.MADV_COLD, 0)
		})
	}},
	{name: "take a descriptor of another process", denied: eperm, control: "Yama that allows it", try: func(f *field) error {
		return byPidfd(f, func(fd uintptr) error { return opened("pidfd_getfd", fd, uintptr(f.Victim.FD), 0) })
	}},
	{name: "compare with another process", denied: eperm, control: "a kernel that has it", try: func(f *field) error {
		return call("kcmp", uintptr(f.Victim.PID), uintptr(unix.Getpid()), 0, 0, 0)
	}},
	{name: "get the robust list of another process", denied: eperm, control: "Yama that allows it", try: func(f *field) error {
		return call("get_robust_list", uintptr(f.Victim.PID), kept(uintptr(0)), kept(uintptr(0)))
	}},
	{name: "set a limit of another process", denied: eperm, try: func(f *field) error {
		var old unix.Rlimit
		if err := unix.Prlimit(f.Victim.PID, unix.RLIMIT_CORE, nil, &old); err != nil {
			return err
		}
		return unix.Prlimit(f.Victim.PID, unix.RLIMIT_CORE, &old, nil)
	}},
	{name: "ask for a limit of another process", allowed: "it changes nothing", try: func(f *field) error {
		return unix.Prlimit(f.Victim.PID, unix.RLIMIT_CORE, nil, new(unix.Rlimit))
	}},
	{name: "set the priority of another process", denied: eperm, try: func(f *field) error { return unix.Setpriority(unix.PRIO_PROCESS, f.Victim.PID, 5) }},
	{name: "set the priority of the parent's group", denied: eperm, control: "a group that is not of a lower priority", try: func(f *field) error {
		group, err := unix.Getpgid(f.Victim.PID)
		if err != nil {
			return err
		}
		now, err := unix.Getpriority(unix.PRIO_PGRP, group)
		if err != nil {
			return err
		}
		return unix.Setpriority(unix.PRIO_PGRP, group, 20-now)
	}},
	{name: "set the CPUs of another process", denied: eperm, try: func(f *field) error {
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(f.Victim.PID, &set); err != nil {
			return err
		}
		return unix.SchedSetaffinity(f.Victim.PID, &set)
	}},
	{name: "set the scheduler of another process", denied: eperm, try: func(f *field) error {
		return call("sched_setscheduler", uintptr(f.Victim.PID), 3 /* SCHED_BATCH */, kept(int32(0)))
	}},
	{name: "set the scheduling attributes of another process", denied: eperm, try: func(f *field) error {
		attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: 3, Nice: 5}
		return call("sched_setattr", uintptr(f.Victim.PID), kept(attr), 0)
	}},
	{name: "set the I/O priority of another process", denied: eperm, try: func(f *field) error {
		return call("ioprio_set", 1, uintptr(f.Victim.PID), 2<<13|7)
	}},
	{name: "move the memory of another process", denied: eperm, control: "a kernel for several nodes", try: func(f *field) error {
		return call("migrate_pages", uintptr(f.Victim.PID), 2, kept(uintptr(1)), kept(uintptr(1)))
	}},
	{name: "become a child of the parent's", denied: eperm, try: func(f *field) error { return cloneParent() }},

	// What is shared by number or name.
	{name: "share memory of System V", denied: eacces, control: "a kernel that has it", try: func(f *field) error {
		_, err := made("shmat", uintptr(f.Victim.Shm), 0, 0)
		return err
	}},
	{name: "create shared memory of System V", denied: eacces, control: "a kernel that has it", try: func(f *field) error {
		id, err := made("shmget", unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600)
		call("shmctl", uintptr(id), unix.IPC_RMID, 0)
		return err
	}},
	{name: "send to a message queue of System V", denied: eacces, control: "a kernel that has it", try: func(f *field) error {
		return call("msgsnd", uintptr(f.Victim.Queue), kept([2]uintptr{1, 1}), 1, unix.IPC_NOWAIT)
	}},
	{name: "use a semaphore of System V", denied: eacces, control: "a kernel that has it", try: func(f *field) error {
		return call("semop", uintptr(f.Victim.Sem), kept([3]uint16{0, 1, unix.IPC_NOWAIT}), 1)
	}},
	{name: "open a message queue of POSIX", denied: eacces, control: "a kernel that has it", try: func(f *field) error {
		return opened("mq_open", text(f.Victim.MQ), unix.O_RDWR, 0, 0)
	}},

	// Terminals.
	{name: "type into the terminal", denied: eperm, control: "dev.tty.legacy_tiocsti, or root", try: func(f *field) error {
		return call("ioctl", givenTTY, unix.TIOCSTI, kept(byte('x')))
	}},
	{name: "type with the upper half of the command set", denied: eperm, control: "dev.tty.legacy_tiocsti, or root", try: func(f *field) error {
		high := uint64(1) << 32
		return call("ioctl", givenTTY, unix.TIOCSTI|uintptr(high), kept(byte('x')))
	}},
	{name: "set a line discipline", denied: eperm, try: func(f *field) error { return call("ioctl", givenTTY, unix.TIOCSETD, kept(int32(0))) }},
	{name: "take the terminal as a console", denied: eperm, control: "root on a console", try: func(f *field) error {
		return call("ioctl", givenTTY, 0x541c /* TIOCLINUX */, kept(byte(6)))
	}},
}

const beforeScopes = "before Linux 6.12, where whoever asks for it has Signals free"

// byPidfd opens one of the victim.
func byPidfd(f *field, do func(fd uintptr) error) error {
	fd, err := unix.PidfdOpen(f.Victim.PID, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return do(uintptr(fd))
}

// overMemory reads the victim's secret, or writes it as it is.
func overMemory(f *field, name string) error {
	here := kept([2]uintptr{kept(secret), 8})
	there := kept([2]uintptr{uintptr(f.Victim.Secret), 8})
	return call(name, uintptr(f.Victim.PID), here, 1, there, 1, 0)
}

// forked makes a system call in a child, and returns the error that it has there.
// It may be one that creates a child in its turn, which ends at once.
func forked(name string, args ...uintptr) error {
	nr, ok := callNumber(name)
	if !ok {
		return unix.ENOSYS
	}
	var six [6]uintptr
	copy(six[:], args)
	pid, errno := fork(nr, &six, cloneFlags(0))
	if errno != 0 {
		return errno
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(int(pid), &status, unix.WALL, nil); err != nil {
		return err
	}
	if status.Signaled() {
		return unix.EFAULT
	}
	if code := status.ExitStatus(); code != 0 {
		return unix.Errno(code)
	}
	return nil
}

// cloneFlags returns the first arguments of clone, for a child that is a process.
func cloneFlags(flags uintptr) [2]uintptr {
	if flags |= uintptr(unix.SIGCHLD); runtime.GOARCH == "s390x" {
		return [2]uintptr{0, flags}
	}
	return [2]uintptr{flags, 0}
}

// fork calls no function in the child that the runtime could stop: there is nobody
// to wake it.
//
//go:nosplit
//go:norace
func fork(nr uintptr, args *[6]uintptr, how [2]uintptr) (pid uintptr, errno unix.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, how[0], how[1], 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	_, _, errno = syscall.RawSyscall6(nr, args[0], args[1], args[2], args[3], args[4], args[5])
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0, 0, 0, 0)
	}
}

// cloneParent lets a child create a sibling of itself, which this process reaps.
func cloneParent() error {
	how := cloneFlags(unix.CLONE_PARENT)
	err := forked("clone", how[0], how[1])
	if err == nil {
		unix.Wait4(-1, nil, unix.WALL, nil)
	}
	return err
}
