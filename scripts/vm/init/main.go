//go:build linux

// Init is the first process of a test machine: it makes an ordinary system of
// the bare kernel, runs the plan and powers off.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-clone3/clone3/scripts/internal/guest"
	"github.com/go-clone3/clone3/scripts/internal/pid1"
)

// A mount is a file system that tests expect. Those that the kernel lacks are
// left out.
type mount struct {
	kind, dir, data string
	flags           uintptr
}

const safe = unix.MS_NOSUID | unix.MS_NODEV

var mounts = []mount{
	{"proc", "/proc", "", safe},
	{"sysfs", "/sys", "", safe},
	{"devtmpfs", "/dev", "", unix.MS_NOSUID},
	{"devpts", "/dev/pts", "ptmxmode=0666", unix.MS_NOSUID},
	{"tmpfs", "/dev/shm", "mode=1777", safe},
	{"tmpfs", "/tmp", "mode=1777", safe},
	{"tmpfs", "/run", "mode=755", safe},
	{"cgroup2", "/sys/fs/cgroup", "", safe},
	{"securityfs", "/sys/kernel/security", "", safe},
}

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: only the first process of a test machine runs this: it powers off")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Println("init:", err)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	time.Sleep(time.Hour) // the first process must not end
}

func run() error {
	var plan guest.Plan
	text, err := os.ReadFile(guest.PlanFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return err
	}
	mark := func(kind string, n int) { fmt.Print(guest.Mark{Kind: kind, N: n}.Line(plan.Nonce)) }
	mark(guest.Booted, 0)
	if err := setUp(); err != nil {
		return err
	}
	for i, r := range plan.Runs {
		mark(guest.Start, i)
		status, err := execute(r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Package, err)
		}
		mark(guest.Exit, status)
	}
	mark(guest.Done, 0)
	unix.IoctlSetInt(1, unix.TCSBRK, 1) // wait until the console has written it
	return nil
}

func setUp() error {
	if t, err := unix.IoctlGetTermios(1, unix.TCGETS); err == nil {
		t.Oflag &^= unix.OPOST // the output as it is, without carriage returns
		unix.IoctlSetTermios(1, unix.TCSETS, t)
	}
	for _, m := range mounts {
		os.MkdirAll(m.dir, 0o755)
		if err := unix.Mount(m.kind, m.dir, m.kind, m.flags, m.data); err != nil && err != unix.ENODEV && err != unix.ENOENT {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	for name, target := range map[string]string{
		"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2",
	} {
		os.Symlink(target, name)
	}
	for file, text := range map[string]string{
		"/proc/sys/kernel/printk":               "1", // panics only
		"/proc/sys/kernel/sysrq":                "1",
		"/sys/fs/cgroup/cgroup.subtree_control": "+cpu +memory +pids",
	} {
		os.WriteFile(file, []byte(text), 0) // what the kernel lacks, tests find out
	}
	return pid1.Loopback()
}

// execute runs r to its end and returns its exit status. What it started is
// killed then, so that the next run finds an empty system.
func execute(r guest.Run) (status int, err error) {
	home := fmt.Sprintf("/tmp/home-%d", r.UID)
	for _, dir := range []string{home, r.Dir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return 0, err
		}
		if err := os.Chown(dir, r.UID, r.UID); err != nil {
			return 0, err
		}
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	attr := &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: uint32(r.UID), Gid: uint32(r.UID)}}
	if group, err := delegate(r.UID); err == nil {
		defer group.Close()
		attr.UseCgroupFD, attr.CgroupFD = true, int(group.Fd())
	}
	p, err := os.StartProcess(r.Args[0], r.Args, &os.ProcAttr{
		Dir:   r.Dir,
		Env:   []string{"HOME=" + home, "PATH=/bin", "TMPDIR=/tmp", fmt.Sprintf("USER=user%d", r.UID)},
		Files: []*os.File{null, in, in},
		Sys:   attr,
	})
	in.Close()
	if err != nil {
		return 0, err
	}
	copied := make(chan struct{})
	go func() {
		io.Copy(os.Stdout, out)
		close(copied)
	}()
	status = pid1.Reap(p.Pid)
	unix.Kill(-1, unix.SIGKILL)
	<-copied
	pid1.Reap(0)
	return status, nil
}

// delegate makes a control group that belongs to uid.
func delegate(uid int) (*os.File, error) {
	dir := fmt.Sprintf("/sys/fs/cgroup/user-%d", uid)
	os.Mkdir(dir, 0o755)
	for _, name := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
		if err := os.Chown(filepath.Join(dir, name), uid, uid); err != nil {
			return nil, err
		}
	}
	return os.Open(dir)
}
