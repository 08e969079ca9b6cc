//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-clone3/clone3/scripts/internal/pid1"
)

// enterCommand makes this program the first process of a machine.
const enterCommand = "enter"

// Where a machine has the host's Go and modules.
const (
	goDir      = "/usr/local/go"
	modulesDir = "/var/cache/modules"
)

// A visit is all that enter has to know.
type visit struct {
	Root, Go, Modules string // directories of the host
	Env               []string
	UID               int
	Dir               string // in the machine
	Case              place
}

// enter runs the command of a case in the machine in root, and returns its exit
// status.
func (h host) enter(ctx context.Context, root string, uid int, c place, dir string, output io.Writer) (int, error) {
	home, user := "/root", "root"
	if uid != 0 {
		home, user = "/home/"+someoneName, someoneName
	}
	env := append([]string{
		"PATH=" + goDir + "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + home, "USER=" + user, "LOGNAME=" + user, "GOTOOLCHAIN=local", "LANG=" + cmp.Or(c.Locale, "C.UTF-8"),
	}, h.env...)
	c.Command = cmp.Or(c.Command, tests)
	text, err := json.Marshal(visit{root, h.goroot, h.modules, env, uid, dir, c})
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", enterCommand, string(text))
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	if c.Offline {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWNET
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// enter is the first process of a machine. It returns the status to exit with.
func enter(text string) int {
	var v visit
	err := json.Unmarshal([]byte(text), &v)
	if err == nil {
		err = v.mount()
	}
	status := 0
	if err == nil {
		status, err = v.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "enter:", err)
		return 125
	}
	return status
}

// mount lays the machine's file systems out, and makes it the root: not with
// chroot(2), since whoever is in such a place may not create user namespaces.
func (v visit) mount() error {
	in := func(path string) string { return filepath.Join(v.Root, path) }
	mounts := []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""}, // nothing of this gets out
		{v.Root, v.Root, "", unix.MS_BIND, ""},           // pivot_root takes a mount
		{"/dev", in("dev"), "", unix.MS_BIND | unix.MS_REC, ""},
		{"/sys", in("sys"), "", unix.MS_BIND | unix.MS_REC, ""},
		{"proc", in("proc"), "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{v.Go, in(goDir), "", unix.MS_BIND, ""},
		{"", in(goDir), "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY, ""},
		{v.Modules, in(modulesDir), "", unix.MS_BIND, ""},
		{"", in(modulesDir), "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY, ""},
	}
	for _, m := range mounts {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
			return &os.PathError{Op: "mount", Path: m.target, Err: err}
		}
	}
	if v.Case.Tmp != "" {
		if err := unix.Mount("tmpfs", in("tmp"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777,size="+v.Case.Tmp); err != nil {
			return &os.PathError{Op: "mount", Path: in("tmp"), Err: err}
		}
	}
	if v.Case.Offline {
		if err := pid1.Loopback(); err != nil {
			return err
		}
	}
	for _, step := range []func() error{
		func() error { return os.Chdir(v.Root) },
		func() error { return unix.PivotRoot(".", ".") }, // the old one is on top of it then
		func() error { return unix.Unmount(".", unix.MNT_DETACH) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return os.Chdir(v.Dir)
}

// run runs the command, as a child that is waited for like the orphans of the
// machine, or in place of this process.
func (v visit) run() (int, error) {
	syscall.Umask(cmp.Or(v.Case.Umask, 0o022))
	argv := []string{"sh", "-c", v.Case.Command}
	if v.Case.PID1 {
		argv[2] = "exec " + argv[2]
		for _, err := range []error{syscall.Setgroups([]int{v.UID}), syscall.Setgid(v.UID), syscall.Setuid(v.UID)} {
			if err != nil {
				return 0, err
			}
		}
		return 0, syscall.Exec("/bin/sh", argv, v.Env)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	credential := &syscall.Credential{Uid: uint32(v.UID), Gid: uint32(v.UID), Groups: []uint32{uint32(v.UID)}}
	p, err := os.StartProcess("/bin/sh", argv, &os.ProcAttr{
		Dir: v.Dir, Env: v.Env, Files: []*os.File{null, os.Stdout, os.Stderr},
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: credential},
	})
	if err != nil {
		return 0, err
	}
	return pid1.Reap(p.Pid), nil
}
