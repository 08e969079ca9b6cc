//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const asMetadata = "metadata: Landlock has no right for it, and a filter sees no path"

var fileAttempts = []attempt{
	{name: "read", denied: eacces, try: func(f *field) error { return openFile(f.Out+"/secret", unix.O_RDONLY) }},
	{name: "read by a link in the directory", denied: eacces, try: func(f *field) error { return openFile(f.In+"/link", unix.O_RDONLY) }},
	{name: "read by ..", denied: eacces, try: func(f *field) error { return openFile(f.In+"/sub/../../out/secret", unix.O_RDONLY) }},
	{name: "read by openat of a path descriptor", denied: eacces, try: func(f *field) error {
		return at(f.Out, func(dir int) error { return openFileAt(dir, "secret", unix.O_RDONLY) })
	}},
	{name: "read by /proc/self/fd of a path descriptor", denied: eacces, try: func(f *field) error {
		return at(f.Out+"/secret", func(fd int) error { return openFile(fmt.Sprint("/proc/self/fd/", fd), unix.O_RDONLY) })
	}},
	{name: "read by openat2", denied: []string{"ENOSYS"}, try: func(f *field) error {
		how := kept(unix.OpenHow{Flags: unix.O_RDONLY})
		return opened("openat2", atCwd, text(f.Out+"/secret"), how, unsafe.Sizeof(unix.OpenHow{}))
	}},
	{name: "read after chdir", denied: eacces, lasting: true, try: func(f *field) error {
		if err := unix.Chdir(f.Out); err != nil {
			return err
		}
		return openFile("secret", unix.O_RDONLY)
	}},
	{name: "map for execution", denied: eacces, try: func(f *field) error {
		fd, err := unix.Open(f.Out+"/mapped", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		b, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
		if err == nil {
			unix.Munmap(b)
		}
		return err
	}},
	{name: "list", denied: eacces, try: func(f *field) error { return openFile(f.Out, unix.O_RDONLY|unix.O_DIRECTORY) }},
	{name: "list the parent directory", denied: eacces, try: func(f *field) error { return openFile(f.In+"/..", unix.O_RDONLY|unix.O_DIRECTORY) }},
	{name: "write", denied: eacces, try: func(f *field) error { return openFile(f.Out+"/write", unix.O_WRONLY) }},
	{name: "append", denied: eacces, try: func(f *field) error { return openFile(f.Out+"/write", unix.O_WRONLY|unix.O_APPEND) }},
	{name: "create", denied: eacces, try: func(f *field) error { return openFile(f.Out+"/new", unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY) }},
	{name: "create without a name", denied: eacces, try: func(f *field) error { return openFile(f.Out, unix.O_TMPFILE|unix.O_RDWR) }},
	{name: "truncate", denied: eacces, try: func(f *field) error { return unix.Truncate(f.Out+"/truncate", 1) }},
	{name: "truncate by opening to read", denied: eacces, try: func(f *field) error { return openFile(f.Out+"/shorten", unix.O_RDONLY|unix.O_TRUNC) }},
	{name: "truncate what may be read", denied: eacces, try: func(f *field) error { return unix.Truncate(f.Shared+"/truncate", 1) }},
	{name: "truncate what may be read by opening to read", denied: eacces, try: func(f *field) error { return openFile(f.Shared+"/shorten", unix.O_RDONLY|unix.O_TRUNC) }},
	{name: "truncate what may be read by opening it in mode 3", denied: eacces, try: func(f *field) error { return openFile(f.Shared+"/mode3", uapiAccmode|unix.O_TRUNC) }},
	{name: "write what may be read", denied: eacces, try: func(f *field) error { return openFile(f.Shared+"/write", unix.O_RDWR) }},
	{name: "write what may be read by its descriptor", denied: eacces, try: func(f *field) error {
		fd, err := unix.Open(f.Shared+"/write", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return openFile(fmt.Sprint("/proc/self/fd/", fd), unix.O_RDWR)
	}},
	{name: "create beside what may be read", denied: eacces, try: func(f *field) error { return openFile(f.Shared+"/new", unix.O_CREAT|unix.O_WRONLY) }},
	{name: "execute what may be read", denied: eacces, try: func(f *field) error {
		return beyond(unix.Exec(f.Shared+"/program", []string{"program"}, nil), unix.ENOEXEC)
	}},
	{name: "link in what may be read", denied: []string{"EACCES", "EXDEV"}, try: func(f *field) error { return unix.Link(f.Shared+"/link", f.In+"/linked4") }},
	{name: "remove", denied: eacces, try: func(f *field) error { return unix.Unlink(f.Out + "/remove") }},
	{name: "make a directory", denied: eacces, try: func(f *field) error { return unix.Mkdir(f.Out+"/newdir", 0o700) }},
	{name: "remove a directory", denied: eacces, try: func(f *field) error { return unix.Rmdir(f.Out + "/empty") }},
	{name: "make a fifo", denied: eacces, try: func(f *field) error { return unix.Mkfifo(f.Out+"/newfifo", 0o600) }},
	{name: "make a socket", denied: eacces, try: func(f *field) error { return unix.Mknod(f.Out+"/newsocket", unix.S_IFSOCK|0o600, 0) }},
	{name: "make a symbolic link", denied: eacces, try: func(f *field) error { return unix.Symlink("secret", f.Out+"/newlink") }},
	{name: "make a device in the directory", denied: []string{"EPERM", "EACCES"}, control: "CAP_MKNOD", try: func(f *field) error {
		return unix.Mknod(f.In+"/device", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 1)))
	}},
	{name: "make a block device in the directory", denied: []string{"EPERM", "EACCES"}, control: "CAP_MKNOD", try: func(f *field) error {
		return unix.Mknod(f.In+"/block", unix.S_IFBLK|0o600, int(unix.Mkdev(7, 0)))
	}},
	{name: "rename", denied: eacces, try: func(f *field) error { return unix.Rename(f.Out+"/rename", f.Out+"/renamed") }},
	{name: "rename a directory", denied: eacces, try: func(f *field) error { return unix.Rename(f.Out+"/olddir", f.Out+"/newerdir") }},
	{name: "move in", denied: []string{"EACCES", "EXDEV"}, try: func(f *field) error { return unix.Rename(f.Out+"/steal", f.In+"/stolen") }},
	{name: "move out", denied: []string{"EACCES", "EXDEV"}, try: func(f *field) error { return unix.Rename(f.In+"/file2", f.Out+"/planted") }},
	{name: "exchange", denied: []string{"EACCES", "EXDEV"}, try: func(f *field) error {
		return unix.Renameat2(unix.AT_FDCWD, f.In+"/swap", unix.AT_FDCWD, f.Out+"/swap", unix.RENAME_EXCHANGE)
	}},
	{name: "rename the directory itself", denied: eacces, lasting: true, try: func(f *field) error { return unix.Rename(f.In, f.In+"2") }},
	{name: "link in", denied: []string{"EACCES", "EXDEV"}, try: func(f *field) error { return unix.Link(f.Out+"/link", f.In+"/linked") }},
	{name: "link in by descriptor", denied: []string{"EACCES", "EXDEV"}, try: func(f *field) error {
		return at(f.Out+"/link", func(fd int) error {
			return unix.Linkat(unix.AT_FDCWD, fmt.Sprint("/proc/self/fd/", fd), unix.AT_FDCWD, f.In+"/linked2", unix.AT_SYMLINK_FOLLOW)
		})
	}},
	{name: "link out", denied: []string{"EACCES", "EXDEV"}, try: func(f *field) error { return unix.Link(f.In+"/file3", f.Out+"/planted3") }},
	{name: "execute", denied: eacces, try: func(f *field) error {
		return beyond(unix.Exec(f.Out+"/program", []string{"program"}, nil), unix.ENOEXEC) // it is none
	}},
	{name: "execute by descriptor", denied: eacces, try: func(f *field) error {
		return at(f.Out+"/program", func(fd int) error {
			return beyond(call("execveat", uintptr(fd), text(""), kept([2]uintptr{text("x")}), kept([1]uintptr{}), unix.AT_EMPTY_PATH), unix.ENOEXEC)
		})
	}},
	{name: "execute from memory", allowed: "what it executes is confined as it is", try: func(f *field) error {
		fd, err := unix.MemfdCreate("program", unix.MFD_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		unix.Write(fd, []byte("no program"))
		return beyond(call("execveat", uintptr(fd), text(""), kept([2]uintptr{text("x")}), kept([1]uintptr{}), unix.AT_EMPTY_PATH), unix.ENOEXEC)
	}},
	{name: "read by a leaked directory", denied: []string{"EBADF"}, try: func(f *field) error { return openFileAt(f.LeakedDir, "secret", unix.O_RDONLY) }},
	{name: "leave by a leaked directory", denied: []string{"EBADF"}, lasting: true, try: func(f *field) error { return unix.Fchdir(f.LeakedDir) }},
	{name: "read a leaked file", denied: []string{"EBADF"}, try: func(f *field) error {
		_, err := unix.Pread(f.LeakedFile, make([]byte, 4), 0)
		return err
	}},
	{name: "write a leaked file", denied: []string{"EBADF"}, try: func(f *field) error {
		_, err := unix.Pwrite(f.LeakedFile, []byte("mine"), 0)
		return err
	}},

	{name: "read a device", denied: eacces, try: func(f *field) error { return openFile("/dev/ptmx", unix.O_RDONLY|unix.O_NOCTTY) }},
	{name: "ioctl of a device that is opened for that alone", denied: eacces, try: func(f *field) error {
		fd, err := unix.Open("/dev/ptmx", uapiAccmode|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		_, err = unix.IoctlGetUint32(fd, unix.TIOCGPTN)
		return err
	}},
	{name: "open the terminal anew", denied: eacces, try: func(f *field) error { return openFile("/dev/tty", unix.O_RDWR) }},
	{name: "open the terminal by /proc", denied: eacces, try: func(f *field) error {
		return openFile(fmt.Sprint("/proc/self/fd/", givenTTY), unix.O_RDWR|unix.O_NOCTTY)
	}},
	{name: "read the kernel's memory", denied: []string{"EACCES", "EPERM", "ENOENT"}, control: "root, and /dev/mem", try: func(f *field) error { return openFile("/dev/mem", unix.O_RDONLY) }},
	{name: "read /proc/kcore", denied: []string{"EPERM", "EACCES"}, control: "root, and a kernel that has it", try: func(f *field) error { return openFile("/proc/kcore", unix.O_RDONLY) }},
	{name: "write the kernel's log", denied: eacces, control: "root", try: func(f *field) error { return openFile("/dev/kmsg", unix.O_WRONLY) }},
	{name: "open a block device", denied: eacces, control: "root, and a device", try: func(f *field) error {
		var err error = unix.ENOENT
		for _, name := range []string{"/dev/vda", "/dev/sda", "/dev/loop0", "/dev/ram0", "/dev/sr0"} {
			if _, e := os.Stat(name); e == nil {
				return openFile(name, unix.O_RDONLY|unix.O_NONBLOCK)
			}
		}
		return err
	}},
	{name: "share memory in /dev/shm", denied: eacces, try: func(f *field) error {
		name := fmt.Sprint("/dev/shm/clone3-", os.Getpid())
		defer unix.Unlink(name)
		return openFile(name, unix.O_CREAT|unix.O_RDWR)
	}},
	{name: "write to /tmp", denied: eacces, try: func(f *field) error {
		name := fmt.Sprint("/tmp/clone3-", os.Getpid())
		defer unix.Unlink(name)
		return openFile(name, unix.O_CREAT|unix.O_RDWR)
	}},

	// What would serve others later.
	{name: "leave a set-user-ID program", denied: eperm, try: func(f *field) error { return unix.Chmod(f.In+"/mode", 0o4755) }},
	{name: "leave a set-group-ID program by descriptor", denied: eperm, try: func(f *field) error {
		fd, err := unix.Open(f.In+"/mode", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Fchmod(fd, 0o2755)
	}},
	{name: "create a set-user-ID program", denied: eperm, try: func(f *field) error {
		fd, err := unix.Open(f.In+"/setuid", unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o4755)
		unix.Close(fd)
		return err
	}},
	{name: "create a set-user-ID program without a name", denied: eperm, try: func(f *field) error {
		fd, err := unix.Open(f.In, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o4755)
		unix.Close(fd)
		return err
	}},
	{name: "create a set-user-ID program by mknod", denied: eperm, try: func(f *field) error { return unix.Mknod(f.In+"/setuid2", unix.S_IFREG|0o4755, 0) }},
	{name: "create a set-user-ID program by openat2", denied: []string{"ENOSYS"}, try: func(f *field) error {
		how := kept(unix.OpenHow{Flags: unix.O_CREAT | unix.O_WRONLY, Mode: 0o4755})
		return opened("openat2", atCwd, text(f.In+"/setuid3"), how, unsafe.Sizeof(unix.OpenHow{}))
	}},
}

var metadataAttempts = []attempt{
	{name: "stat", allowed: asMetadata, try: func(f *field) error { return unix.Stat(f.Out+"/secret", new(unix.Stat_t)) }},
	{name: "read a symbolic link", allowed: asMetadata, try: func(f *field) error {
		_, err := unix.Readlink("/proc/self/exe", make([]byte, 100))
		return err
	}},
	{name: "chmod", allowed: asMetadata, try: func(f *field) error { return unix.Chmod(f.Out+"/mode", 0o700) }},
	{name: "fchmodat2", allowed: asMetadata, control: "Linux 6.6", try: func(f *field) error {
		return at(f.Out+"/mode", func(fd int) error { return call("fchmodat2", uintptr(fd), text(""), 0o700, unix.AT_EMPTY_PATH) })
	}},
	{name: "chown", allowed: asMetadata, try: func(f *field) error { return unix.Chown(f.Out+"/mode", f.UID, -1) }},
	{name: "give a file to another user", denied: eperm, control: "CAP_CHOWN", try: func(f *field) error { return unix.Chown(f.In+"/file", 12345, 12345) }},
	{name: "set times", allowed: asMetadata, try: func(f *field) error {
		return unix.UtimesNanoAt(unix.AT_FDCWD, f.Out+"/mode", []unix.Timespec{{Sec: 1}, {Sec: 1}}, 0)
	}},
	{name: "set an extended attribute", allowed: asMetadata, control: "a file system that has them", try: func(f *field) error {
		return unix.Setxattr(f.Out+"/mode", "user.mine", []byte("x"), 0)
	}},
	{name: "give a program capabilities", denied: []string{"EPERM"}, control: "CAP_SETFCAP", try: func(f *field) error {
		return unix.Setxattr(f.In+"/file", "security.capability", []byte{0, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0)
	}},
	{name: "watch by inotify", allowed: "tells names and times, as stat does; who minds denies inotify_add_watch", try: func(f *field) error {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		_, err = unix.InotifyAddWatch(fd, f.Out, unix.IN_ALL_EVENTS)
		return err
	}},
	{name: "watch by fanotify", denied: eperm, control: "root, or a kernel that lets users", try: func(f *field) error {
		fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_REPORT_FID, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_MODIFY, unix.AT_FDCWD, f.Out+"/secret")
	}},
	{name: "get a handle of a file", allowed: asMetadata, control: "a file system that has them", try: func(f *field) error {
		_, _, err := unix.NameToHandleAt(unix.AT_FDCWD, f.Out+"/secret", 0)
		return err
	}},
	{name: "open by a handle", denied: eperm, control: "CAP_DAC_READ_SEARCH", try: func(f *field) error {
		h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, f.Out+"/secret", 0)
		if err != nil {
			return err
		}
		return at(f.Out, func(int) error {
			dir, err := unix.Open(f.In, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(dir)
			fd, err := unix.OpenByHandleAt(dir, h, unix.O_RDONLY|unix.O_CLOEXEC)
			unix.Close(fd)
			return err
		})
	}},
}

var procAttempts = []attempt{
	{name: "read the environment of another process", denied: eacces, try: func(f *field) error { return read(proc(f, "environ")) }},
	{name: "read the memory of another process by /proc", denied: eacces, try: func(f *field) error { return openFile(proc(f, "mem"), unix.O_RDONLY) }},
	{name: "write the memory of another process by /proc", denied: eacces, try: func(f *field) error { return openFile(proc(f, "mem"), unix.O_RDWR) }},
	{name: "read the mappings of another process", denied: eacces, try: func(f *field) error { return openFile(proc(f, "maps"), unix.O_RDONLY) }},
	{name: "go to the root of another process", denied: []string{"EACCES"}, lasting: true, try: func(f *field) error { return unix.Chdir(proc(f, "root")) }},
	{name: "go to the directory of another process", denied: []string{"EACCES"}, lasting: true, try: func(f *field) error { return unix.Chdir(proc(f, "cwd")) }},
	{name: "open a descriptor of another process by /proc", denied: eacces, try: func(f *field) error {
		return openFile(fmt.Sprint(proc(f, "fd/"), f.Victim.FD), unix.O_RDONLY|unix.O_NONBLOCK)
	}},
	{name: "open a namespace of another process", denied: eacces, try: func(f *field) error { return openFile(proc(f, "ns/uts"), unix.O_RDONLY) }},
	{name: "read the command line of another process", allowed: "/proc is readable, for ps and the like; take it out of Landlock.Paths to deny it", try: func(f *field) error {
		return read(proc(f, "cmdline"))
	}},
	{name: "make another process die first", denied: eacces, try: func(f *field) error { return openFile(proc(f, "oom_score_adj"), unix.O_WRONLY) }},
	{name: "rename another process", denied: eacces, try: func(f *field) error { return openFile(proc(f, "comm"), unix.O_WRONLY) }},
	{name: "write core_pattern", denied: eacces, control: "user 0", try: func(f *field) error { return openFile("/proc/sys/kernel/core_pattern", unix.O_WRONLY) }},
	{name: "write modprobe's path", denied: eacces, control: "user 0, and a kernel with modules", try: func(f *field) error { return openFile("/proc/sys/kernel/modprobe", unix.O_WRONLY) }},
	{name: "write sysrq-trigger", denied: eacces, control: "user 0", try: func(f *field) error { return openFile("/proc/sysrq-trigger", unix.O_WRONLY) }},
	{name: "leave the control group", denied: eacces, control: "root, or a group that belongs to the user", try: func(f *field) error {
		return openFile("/sys/fs/cgroup/cgroup.procs", unix.O_WRONLY)
	}},
	{name: "write a setting of /sys", denied: eacces, control: "user 0, and /sys", try: func(f *field) error { return openFile("/sys/kernel/rcu_expedited", unix.O_WRONLY) }},
}

var (
	eacces = []string{"EACCES"}
	eperm  = []string{"EPERM"}
)

const (
	uapiAccmode = 3
	atCwd       = ^uintptr(99) // AT_FDCWD
)

func proc(f *field, name string) string { return fmt.Sprintf("/proc/%d/%s", f.Victim.PID, name) }

func openFile(name string, flags int) error { return openFileAt(unix.AT_FDCWD, name, flags) }

func openFileAt(dir int, name string, flags int) error {
	fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0o600)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func read(name string) error {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Read(fd, make([]byte, 100))
	return err
}

// at calls do with a descriptor that is no more than a path.
func at(path string, do func(fd int) error) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return do(fd)
}
