//go:build linux

package linux_test

import (
	"errors"
	"os/signal"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	asAdmin     = "CAP_SYS_ADMIN"
	needsUserNS = "a system that lets users create user namespaces"
)

// kernelAttempts ask for parts of the kernel that a program has no use for. A call
// that is made as it should not be reaches the kernel's check of who makes it, or
// an error that comes after that.
var kernelAttempts = []attempt{
	{name: "io_uring", denied: eperm, control: "a kernel that has it, and kernel.io_uring_disabled=0", try: func(f *field) error {
		return opened("io_uring_setup", 1, kept([120]byte{}))
	}},
	{name: "userfaultfd", denied: eperm, try: func(f *field) error { return opened("userfaultfd", unix.O_CLOEXEC|1) }},
	{name: "userfaultfd of the kernel's faults", denied: eperm, control: "CAP_SYS_PTRACE", try: func(f *field) error { return opened("userfaultfd", unix.O_CLOEXEC) }},
	{name: "bpf map", denied: eperm, control: "CAP_BPF, or kernel.unprivileged_bpf_disabled=0", try: func(f *field) error {
		attr := [16]uint32{2 /* array */, 4, 4, 1}
		return opened("bpf", 0, kept(attr), unsafe.Sizeof(attr))
	}},
	{name: "bpf program", denied: eperm, control: "CAP_BPF, or kernel.unprivileged_bpf_disabled=0", try: func(f *field) error {
		code := [4]uint32{0xb7, 0, 0x95, 0} // r0 = 0; exit
		attr := struct {
			kind, count   uint32
			code, license uint64
			rest          [100]byte
		}{kind: 1, count: 2, code: uint64(kept(code)), license: uint64(text("GPL"))}
		p := kept(attr)
		err := opened("bpf", 5, p, unsafe.Sizeof(attr))
		for errors.Is(err, unix.EAGAIN) { // a signal of Go's runtime has come
			err = opened("bpf", 5, p, unsafe.Sizeof(attr))
		}
		return err
	}},
	{name: "perf_event_open", denied: eperm, control: "CAP_PERFMON, or kernel.perf_event_paranoid", try: func(f *field) error {
		attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Config: unix.PERF_COUNT_SW_TASK_CLOCK, Bits: unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv}
		return opened("perf_event_open", kept(attr), 0, none, none, 0)
	}},
	{name: "add a key", denied: eperm, control: "a kernel that has it", try: func(f *field) error {
		return call("add_key", text("user"), text("clone3"), text("x"), 1, ^uintptr(1)) // KEY_SPEC_PROCESS_KEYRING
	}},
	{name: "the keyring of the user", denied: eperm, control: "a kernel that has it", try: func(f *field) error {
		return call("keyctl", 0, ^uintptr(3), 1) // KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING
	}},
	{name: "ask for a key", denied: eperm, control: "a kernel that has it", try: func(f *field) error {
		return beyond(call("request_key", text("user"), text("clone3-none"), 0, 0), unix.ENOKEY)
	}},
	{name: "personality without random addresses", denied: eperm, lasting: true, try: func(f *field) error { return call("personality", 0x0040000) }},
	{name: "personality that executes what it reads", denied: eperm, lasting: true, try: func(f *field) error { return call("personality", 0x0400000) }},
	{name: "memory policy", denied: eperm, control: "a kernel for several nodes", try: func(f *field) error { return call("set_mempolicy", 0, 0, 0) }},
	{name: "the kernel's log", denied: eperm, control: "CAP_SYSLOG, or kernel.dmesg_restrict=0", try: func(f *field) error { return call("syslog", 10, 0, 0) }},
	{name: "ports of the machine", denied: eperm, control: "CAP_SYS_RAWIO, on x86", lasting: true, try: func(f *field) error { return call("iopl", 3) }},
	{name: "a port of the machine", denied: eperm, control: "CAP_SYS_RAWIO, on x86", lasting: true, try: func(f *field) error { return call("ioperm", 0x80, 1, 1) }},

	{name: "mount", denied: eperm, control: asAdmin, lasting: true, try: func(f *field) error {
		return beyond(unix.Mount("none", f.In, "none such", 0, ""), unix.ENODEV)
	}},
	{name: "bind mount", denied: eperm, control: asAdmin, try: func(f *field) error {
		err := unix.Mount(f.Out, f.In+"/sub", "", unix.MS_BIND, "")
		if err == nil {
			unix.Unmount(f.In+"/sub", unix.MNT_DETACH)
		}
		return err
	}},
	{name: "open a file system", denied: eperm, control: asAdmin, try: func(f *field) error { return opened("fsopen", text("tmpfs"), 1) }},
	{name: "clone a mount", denied: eperm, control: asAdmin, try: func(f *field) error { return opened("open_tree", atCwd, text(f.In), 1|unix.O_CLOEXEC) }},
	{name: "move a mount", denied: eperm, control: asAdmin, try: func(f *field) error {
		return beyond(call("move_mount", atCwd, text(f.In), atCwd, text(f.In+"/sub"), 0), unix.EINVAL)
	}},
	{name: "change a mount", denied: eperm, control: asAdmin, try: func(f *field) error {
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOATIME}
		return beyond(call("mount_setattr", atCwd, text(f.In), 0, kept(attr), unsafe.Sizeof(attr)), unix.EINVAL)
	}},
	{name: "pick a file system", denied: eperm, control: asAdmin, try: func(f *field) error { return opened("fspick", atCwd, text("/"), 0) }},
	{name: "chroot", denied: eperm, control: "CAP_SYS_CHROOT", lasting: true, try: func(f *field) error { return unix.Chroot(f.Out) }},
	{name: "pivot_root", denied: eperm, control: asAdmin, lasting: true, try: func(f *field) error {
		return beyond(unix.PivotRoot(f.In, f.In), unix.EINVAL, unix.EBUSY)
	}},
	{name: "quotactl", denied: eperm, control: "a kernel that has quotas", try: func(f *field) error { return call("quotactl", 0x800001<<8, 0, 0, 0) }},
	{name: "swapon", denied: eperm, control: asAdmin, try: func(f *field) error { return beyond(call("swapon", text("/none such"), 0), unix.ENOENT) }},
	{name: "swapoff", denied: eperm, control: asAdmin, try: func(f *field) error { return beyond(call("swapoff", text("/none such")), unix.ENOENT) }},
	{name: "process accounting", denied: eperm, control: "CAP_SYS_PACCT, and a kernel that has it", try: func(f *field) error {
		return beyond(call("acct", text("/none such")), unix.ENOENT)
	}},
	{name: "reboot", denied: eperm, control: "CAP_SYS_BOOT", try: func(f *field) error { return beyond(call("reboot", 0, 0, 0, 0), unix.EINVAL) }},
	{name: "set the clock", denied: eperm, control: "CAP_SYS_TIME", try: func(f *field) error {
		var now unix.Timex
		if _, err := unix.Adjtimex(&now); err != nil {
			return err
		}
		_, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_FREQUENCY, Freq: now.Freq})
		return err
	}},
	{name: "load a module", denied: eperm, control: "CAP_SYS_MODULE, and a kernel with modules", try: func(f *field) error {
		return beyond(call("init_module", text("none"), 4, text("")), unix.ENOEXEC)
	}},
	{name: "load a module from a file", denied: eperm, control: "CAP_SYS_MODULE, and a kernel with modules", try: func(f *field) error {
		return beyond(call("finit_module", none, text(""), 0), unix.EBADF)
	}},
	{name: "unload a module", denied: eperm, control: "CAP_SYS_MODULE, and a kernel with modules", try: func(f *field) error {
		return beyond(call("delete_module", text("none_such"), unix.O_NONBLOCK), unix.ENOENT)
	}},
	{name: "load another kernel", denied: eperm, control: "CAP_SYS_BOOT, and a kernel that can", try: func(f *field) error {
		return beyond(call("kexec_load", 0, 0, 0, 0x4000), unix.EINVAL)
	}},
	{name: "set the host name", denied: eperm, control: asAdmin, try: func(f *field) error {
		var u unix.Utsname
		unix.Uname(&u)
		return unix.Sethostname([]byte(unix.ByteSliceToString(u.Nodename[:])))
	}},
	{name: "hang up the terminal", denied: eperm, control: "CAP_SYS_TTY_CONFIG", lasting: true, try: func(f *field) error {
		signal.Ignore(unix.SIGHUP) // which comes of it
		return call("vhangup")
	}},

	// Namespaces.
	{name: "a user namespace by unshare", denied: eperm, control: needsUserNS, try: func(f *field) error {
		return forked("unshare", unix.CLONE_NEWUSER)
	}},
	{name: "a user namespace by clone", denied: eperm, control: needsUserNS, try: func(f *field) error {
		how := cloneFlags(unix.CLONE_NEWUSER)
		return forked("clone", how[0], how[1])
	}},
	{name: "a user namespace by clone3", denied: []string{"ENOSYS"}, control: needsUserNS, try: func(f *field) error {
		args := [11]uint64{0: unix.CLONE_NEWUSER, 4: uint64(unix.SIGCHLD)}
		return forked("clone3", kept(args), 88)
	}},
	{name: "a mount namespace", denied: eperm, control: asAdmin, lasting: true, try: func(f *field) error { return unix.Unshare(unix.CLONE_NEWNS) }},
	{name: "a network namespace", denied: eperm, control: asAdmin, lasting: true, try: func(f *field) error { return unix.Unshare(unix.CLONE_NEWNET) }},
	{name: "a PID namespace by clone", denied: eperm, control: asAdmin, try: func(f *field) error {
		how := cloneFlags(unix.CLONE_NEWPID)
		return forked("clone", how[0], how[1])
	}},
	{name: "a time namespace", denied: eperm, control: asAdmin, lasting: true, try: func(f *field) error { return unix.Unshare(unix.CLONE_NEWTIME) }},
	{name: "join a namespace of its own", denied: eperm, control: asAdmin, lasting: true, try: func(f *field) error {
		fd, err := unix.Open("/proc/self/ns/uts", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		return unix.Setns(fd, unix.CLONE_NEWUTS)
	}},
	{name: "join the namespaces of another process", denied: eperm, control: asAdmin, lasting: true, try: func(f *field) error {
		return byPidfd(f, func(fd uintptr) error { return unix.Setns(int(fd), unix.CLONE_NEWUTS|unix.CLONE_NEWNET) })
	}},

	// Other ways into the kernel.
	{name: "a call of 32 bits", denied: []string{"SIGSYS"}, control: "amd64, and a kernel with IA32 emulation", lasting: true, try: func(f *field) error {
		return entry([]byte{0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3}) // mov eax, getpid; int 0x80; ret
	}},
	{name: "a call of x32", denied: []string{"SIGSYS"}, control: "amd64, and a kernel with x32", lasting: true, try: func(f *field) error {
		if runtime.GOARCH != "amd64" {
			return unix.ENOSYS
		}
		_, _, errno := unix.RawSyscall(0x40000000|unix.SYS_GETPID, 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	}},
}

// entry executes code, which is for amd64, on a thread of this process.
func entry(code []byte) error {
	if runtime.GOARCH != "amd64" {
		return unix.ENOSYS
	}
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	copy(b, code)
	start := unsafe.Pointer(unsafe.SliceData(b))
	function := unsafe.Pointer(&start)
	(*(*func())(unsafe.Pointer(&function)))()
	return nil
}

var privilegeAttempts = []attempt{
	{name: "become another user", denied: eperm, control: "CAP_SETUID", lasting: true, try: func(f *field) error { return call("setuid", 12345) }},
	{name: "become another group", denied: eperm, control: "CAP_SETGID", lasting: true, try: func(f *field) error { return call("setgid", 12345) }},
	{name: "join groups", denied: eperm, control: "CAP_SETGID", lasting: true, try: func(f *field) error {
		return call("setgroups", 1, kept([1]uint32{12345}))
	}},
	{name: "raise capabilities", denied: eperm, control: "root", lasting: true, try: func(f *field) error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		all := [2]unix.CapUserData{{Effective: 1 << 21, Permitted: 1 << 21}} // CAP_SYS_ADMIN
		return call("capset", kept(header), kept(all))
	}},
	{name: "make a capability ambient", denied: eperm, control: "root", lasting: true, try: func(f *field) error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		some := [2]unix.CapUserData{{Effective: 1 << 21, Permitted: 1 << 21, Inheritable: 1 << 21}}
		if err := call("capset", kept(header), kept(some)); err != nil {
			return err
		}
		return unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, 21, 0, 0)
	}},
	{name: "set securebits", denied: eperm, control: "CAP_SETPCAP", lasting: true, try: func(f *field) error { return unix.Prctl(unix.PR_SET_SECUREBITS, 1<<2, 0, 0, 0) }},
	{name: "a filter that allows what is denied", denied: eperm, control: "CAP_PERFMON, or kernel.perf_event_paranoid", lasting: true, try: func(f *field) error {
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		allow := [1]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
		program := struct {
			n    uint16
			code uintptr
		}{1, kept(allow)}
		if err := call("seccomp", unix.SECCOMP_SET_MODE_FILTER, 0, kept(program)); err != nil {
			return err
		}
		return opened("userfaultfd", unix.O_CLOEXEC|1)
	}},
	{name: "a filter that answers in place of the kernel", denied: eperm, control: "a kernel that has userfaultfd", lasting: true, try: func(f *field) error {
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		allow := [1]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
		program := struct {
			n    uint16
			code uintptr
		}{1, kept(allow)}
		listener, err := made("seccomp", unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, kept(program))
		if err != nil {
			return err
		}
		unix.Close(listener)
		return opened("userfaultfd", unix.O_CLOEXEC|1)
	}},
	{name: "Landlock rules that allow what is denied", denied: eacces, lasting: true, try: func(f *field) error {
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		ruleset, err := made("landlock_create_ruleset", kept(uint64(unix.LANDLOCK_ACCESS_FS_READ_FILE)), 8, 0)
		if err != nil {
			return err
		}
		return at("/", func(root int) error {
			rule := [3]uint32{0: unix.LANDLOCK_ACCESS_FS_READ_FILE, 2: uint32(root)}
			if strings.HasPrefix(runtime.GOARCH, "ppc64") && runtime.GOARCH != "ppc64le" || runtime.GOARCH == "s390x" || runtime.GOARCH == "mips" || runtime.GOARCH == "mips64" {
				rule[0], rule[1] = rule[1], rule[0]
			}
			if err := call("landlock_add_rule", uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, kept(rule), 0); err != nil {
				return err
			}
			if err := call("landlock_restrict_self", uintptr(ruleset), 0); err != nil {
				return err
			}
			return openFile(f.Out+"/secret", unix.O_RDONLY)
		})
	}},
	{name: "be allowed more by a child of its own", denied: eacces, try: func(f *field) error {
		return forked("openat", atCwd, text(f.Out+"/secret"), unix.O_RDONLY)
	}},
}
