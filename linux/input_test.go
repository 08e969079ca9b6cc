//go:build linux

package linux_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// What the caller gets wrong is an error that says so. TestMain makes sure that
// no process and no descriptor is left.
func TestBadInputIsAnError(t *testing.T) {
	closed, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	tmp, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer tmp.Close()
	idMap := func(container, host, size int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: container, HostID: host, Size: size}}
	}
	for _, test := range []struct {
		name   string
		change func(*linux.Child)
		want   string // in the message
		is     error
	}{
		{"no program", func(c *linux.Child) { c.Path, c.Exec = "", nil }, "neither Path nor Exec", syscall.EINVAL},
		{"two programs", func(c *linux.Child) { c.Path = "/x" }, "both Path and Exec", syscall.EINVAL},
		{"empty args", func(c *linux.Child) { c.Args = []string{} }, "Args is empty", syscall.EINVAL},
		{"NUL in path", func(c *linux.Child) { c.Path, c.Exec = "/a\x00b", nil }, `Child.Path "/a\x00b" holds a NUL byte`, syscall.EINVAL},
		{"NUL in dir", func(c *linux.Child) { c.Dir = "\x00" }, "Child.Dir", syscall.EINVAL},
		{"NUL in chroot", func(c *linux.Child) { c.Chroot = "\x00" }, "Child.Chroot", syscall.EINVAL},
		{"NUL in args", func(c *linux.Child) { c.Args = []string{"a", "b\x00"} }, "Child.Args[1]", syscall.EINVAL},
		{"NUL in env", func(c *linux.Child) { c.Env = []string{"A=\x00"} }, "Child.Env[0]", syscall.EINVAL},
		{"closed file", func(c *linux.Child) { c.Files = []*os.File{nil, nil, nil, closed} }, "Child.Files /dev/null is closed", os.ErrClosed},
		{"closed program", func(c *linux.Child) { c.Exec = closed }, "Child.Exec /dev/null is closed", os.ErrClosed},
		{"closed cgroup", func(c *linux.Child) { c.Cgroup = closed }, "Child.Cgroup /dev/null is closed", os.ErrClosed},
		{"no cgroup", func(c *linux.Child) { c.Flags = linux.IntoCgroup }, "IntoCgroup needs Child.Cgroup", syscall.EINVAL},
		{"cgroup that is none", func(c *linux.Child) { c.Cgroup = tmp }, "is not a directory of a cgroup2 file system", syscall.EBADF},
		{"umask", func(c *linux.Child) { c.Umask = new(0o1777) }, "Umask 01777", syscall.EINVAL},
		{"exit signal", func(c *linux.Child) { c.ExitSignal = 129 }, "ExitSignal 129 is not a signal", syscall.EINVAL},
		{"negative exit signal", func(c *linux.Child) { c.ExitSignal = -1 }, "ExitSignal -1", syscall.EINVAL},
		{"exit signal with AutoReap", func(c *linux.Child) { c.ExitSignal, c.Flags = syscall.SIGCHLD, linux.AutoReap }, "a child with AutoReap sends no signal", syscall.EINVAL},
		{"zombie with AutoReap", func(c *linux.Child) { c.LeaveZombie, c.Flags = true, linux.AutoReap }, "a child with AutoReap leaves no zombie", syscall.EINVAL},
		{"pdeathsig", func(c *linux.Child) { c.Pdeathsig = 200 }, "Pdeathsig 200", syscall.EINVAL},
		{"too many TIDs", func(c *linux.Child) { c.SetTID = make([]int, 33) }, "SetTID has 33 elements", syscall.EINVAL},
		{"TID 0", func(c *linux.Child) { c.SetTID = []int{0} }, "SetTID[0] 0 is not a process ID", syscall.EINVAL},
		{"TID in use", func(c *linux.Child) { c.SetTID = []int{os.Getpid()} }, "SetTID", nil},
		{"more TIDs than namespaces", func(c *linux.Child) { c.SetTID = slices.Repeat([]int{77777}, 32) }, "SetTID", nil},
		{"map without namespace", func(c *linux.Child) { c.UidMappings = idMap(0, 0, 1) }, "add NewUser", syscall.EINVAL},
		{"empty range", func(c *linux.Child) { c.Flags, c.UidMappings = linux.NewUser, idMap(0, 0, 0) }, "UidMappings[0] {ContainerID: 0, HostID: 0, Size: 0} is no range", syscall.EINVAL},
		{"range beyond the last ID", func(c *linux.Child) {
			ids := uint64(1) << 32 // of which the last is none
			c.Flags, c.UidMappings = linux.NewUser, idMap(0, 0, int(ids))
		}, "is no range of IDs", syscall.EINVAL},
		{"negative ID", func(c *linux.Child) { c.Flags, c.GidMappings = linux.NewUser, idMap(-1, 0, 1) }, "GidMappings[0]", syscall.EINVAL},
		{"overlapping ranges", func(c *linux.Child) {
			c.Flags = linux.NewUser
			c.UidMappings = append(idMap(0, 1000, 10), idMap(9, 2000, 1)...)
		}, "UidMappings[0] and UidMappings[1] overlap", syscall.EINVAL},
		{"Setctty without descriptor", func(c *linux.Child) { c.Setctty, c.Ctty = true, 3 }, "the child has no descriptor 3", syscall.EINVAL},
		{"Setctty and Foreground", func(c *linux.Child) { c.Setctty, c.Foreground = true, true }, "not both", syscall.EINVAL},
		{"Setctty with no terminal", func(c *linux.Child) { c.Setsid, c.Setctty = true, true }, "set the controlling terminal to descriptor 0: inappropriate ioctl", syscall.ENOTTY},
		{"Foreground with no terminal", func(c *linux.Child) { c.Foreground, c.Ctty = true, int(tmp.Fd()) }, "the foreground of descriptor", syscall.ENOTTY},
		{"capability", func(c *linux.Child) { c.AmbientCaps = []uintptr{64} }, "AmbientCaps[0] 64", syscall.EINVAL},
		{"unknown capability", func(c *linux.Child) { c.AmbientCaps = []uintptr{63} }, "ca", nil},
		{"EmptyMount with a path", func(c *linux.Child) { c.Path, c.Exec, c.Flags = "/x", nil, linux.EmptyMount }, "no path exists in the child", syscall.EINVAL},
		{"EmptyMount by Unshare with a path", func(c *linux.Child) { c.Path, c.Exec, c.Unshare = "/x", nil, linux.EmptyMount }, "no path exists in the child", syscall.EINVAL},
		{"Unshare of no namespace", func(c *linux.Child) { c.Unshare = linux.AutoReap }, "not AutoReap", syscall.EINVAL},
		{"namespace twice", func(c *linux.Child) { c.Flags, c.Unshare = linux.NewUTS, linux.NewUTS }, "NewUTS are in both", syscall.EINVAL},
		{"AutoKill without AutoReap", func(c *linux.Child) { c.Flags = uapi.CLONE_PIDFD_AUTOKILL }, "needs AutoReap", syscall.EINVAL},
		{"unknown flag", func(c *linux.Child) { c.Flags = 1 << 63 }, "flags 0x8000000000000000 are not known", syscall.EINVAL},
		{"resource limit", func(c *linux.Child) { c.Rlimits = []linux.Rlimit{{Resource: 99}} }, "set resource limit 99: invalid argument", syscall.EINVAL},
		{"arguments too long", func(c *linux.Child) { c.Args = []string{strings.Repeat("x", 32*os.Getpagesize())} }, "argument list too long", syscall.E2BIG},
		{"no such program", func(c *linux.Child) { c.Path, c.Exec = "/no/such", nil }, "exec /no/such: no such file or directory", fs.ErrNotExist},
		{"program not on a path", func(c *linux.Child) { c.Path, c.Exec = "true", nil }, "exec true: no such file or directory", fs.ErrNotExist},
		{"program is a directory", func(c *linux.Child) { c.Path, c.Exec = "/", nil }, "exec /: permission denied", fs.ErrPermission},
		{"no such directory", func(c *linux.Child) { c.Dir = "/no/where" }, "chdir /no/where: no such file or directory", fs.ErrNotExist},
		{"directory is a file", func(c *linux.Child) { c.Dir = "/dev/null" }, "chdir /dev/null: not a directory", syscall.ENOTDIR},
		{"no such root", func(c *linux.Child) { c.Chroot = "/no/where" }, "chroot /no/where: no such file or directory", fs.ErrNotExist},
		{"process group of nobody", func(c *linux.Child) { c.Setpgid, c.Pgid = true, 1<<22-1 }, "setpgid 4194303: operation not permitted", syscall.EPERM},
		{"negative process group", func(c *linux.Child) { c.Setpgid, c.Pgid = true, -5 }, "Pgid -5 is negative", syscall.EINVAL},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "no such root" {
				needRoot(t)
			}
			c := child("exit", "0")
			test.change(c)
			p, err := linux.Clone3(background, c)
			if err == nil {
				t.Fatalf("Clone3 succeeded; the child ended with %v", wait(t, p))
			}
			if p != nil {
				t.Error("got a process along with the error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %q, want it to contain %q", err, test.want)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("errors.Is(%q, %q) is false", err, test.is)
			}
		})
	}
	if _, err := linux.Clone3(background, nil); err == nil {
		t.Error("Clone3(nil) succeeded")
	}
}

// Ranges that touch do not overlap.
func TestRangesOfIDsThatTouch(t *testing.T) {
	c := child("exit", "0")
	c.Flags = linux.NewUser
	c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 1, HostID: 100001, Size: 5}, {ContainerID: 0, HostID: 100000, Size: 1}}
	p, err := linux.Clone3(background, c)
	if errors.Is(err, syscall.EINVAL) || os.Geteuid() == 0 && err != nil {
		t.Fatal(err)
	}
	if p != nil {
		wait(t, p)
	}
}

func TestRefusedFlagsAreNamed(t *testing.T) {
	for flag, name := range map[linux.Flags]string{
		uapi.CLONE_VM: "CLONE_VM", uapi.CLONE_VFORK: "CLONE_VFORK", uapi.CLONE_FILES: "CLONE_FILES",
		uapi.CLONE_FS: "CLONE_FS", uapi.CLONE_SIGHAND: "CLONE_SIGHAND", uapi.CLONE_THREAD: "CLONE_THREAD",
		uapi.CLONE_PARENT: "CLONE_PARENT", uapi.CLONE_PTRACE: "CLONE_PTRACE", uapi.CLONE_UNTRACED: "CLONE_UNTRACED",
		uapi.CLONE_SETTLS: "CLONE_SETTLS", uapi.CLONE_PARENT_SETTID: "CLONE_PARENT_SETTID",
		uapi.CLONE_CHILD_SETTID: "CLONE_CHILD_SETTID", uapi.CLONE_CHILD_CLEARTID: "CLONE_CHILD_CLEARTID",
		uapi.CLONE_DETACHED: "CLONE_DETACHED", uapi.CLONE_SYSVSEM: "CLONE_SYSVSEM", uapi.CLONE_IO: "CLONE_IO",
	} {
		c := child("exit", "0")
		c.Flags = flag | linux.NoNewPrivs
		if _, err := linux.Clone3(background, c); err == nil || !strings.Contains(err.Error(), name) || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestStepErrorHasPath(t *testing.T) {
	c := child("exit", "0")
	c.Dir = "/no/where"
	_, err := linux.Clone3(background, c)
	var path *fs.PathError
	var step *linux.StepError
	if !errors.As(err, &path) || path.Op != "chdir" || path.Path != "/no/where" || path.Err != syscall.ENOENT {
		t.Errorf("got %#v, want a *fs.PathError for chdir /no/where", path)
	}
	if !errors.As(err, &step) || step.Step != "chdir /no/where" {
		t.Errorf("got %#v, want a *StepError for chdir /no/where", step)
	}
}

// As uid 1000 some steps are not permitted, whatever root may do.
func TestUnprivilegedStepsAreErrors(t *testing.T) {
	if asUser(t) {
		return
	}
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/unreadable", 0); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		change func(*linux.Child)
		want   string
	}{
		{func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 0, Gid: 0, NoSetGroups: true} }, "setgid 0: operation not permitted"},
		{func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000, Groups: []uint32{1}} }, "setgroups: operation not permitted"},
		{func(c *linux.Child) { c.Chroot = "/" }, "chroot /: operation not permitted"},
		{func(c *linux.Child) { c.Dir = dir + "/unreadable" }, "chdir " + dir + "/unreadable: permission denied"},
		{func(c *linux.Child) { c.Flags = linux.NewNet }, "clone3: NewNet without NewUser needs CAP_SYS_ADMIN: operation not permitted"},
		{func(c *linux.Child) { c.SetTID = []int{30303} }, "clone3: SetTID needs CAP_CHECKPOINT_RESTORE: operation not permitted"},
		{func(c *linux.Child) { c.Unshare = linux.NewUTS }, "unshare NewUTS: operation not permitted"},
		{func(c *linux.Child) { c.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN} }, "capset: operation not permitted"},
		{func(c *linux.Child) {
			c.Flags = linux.NewUser
			c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 10}}
		}, "uid_map: operation not permitted"},
	} {
		c := child("exit", "0")
		test.change(c)
		p, err := linux.Clone3(background, c)
		if err == nil {
			t.Errorf("Clone3 succeeded, want %q; the child ended with %v", test.want, wait(t, p))
		} else if !strings.Contains(err.Error(), test.want) || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got error %q, want %q", err, test.want)
		}
	}
}

func TestFilesThatCannotBeExecuted(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		name, content string
		mode          os.FileMode
		want          string
	}{
		{"not executable", "#!/bin/sh\n", 0o644, "permission denied"},
		{"empty", "", 0o755, "exec format error"},
		{"garbage", "\x7fELF garbage", 0o755, "exec format error"},
		{"no interpreter", "#!/no/such\n", 0o755, "no such file or directory"},
	} {
		path := filepath.Join(dir, test.name)
		if err := os.WriteFile(path, []byte(test.content), test.mode); err != nil {
			t.Fatal(err)
		}
		_, err := linux.Clone3(background, &linux.Child{Path: path})
		if want := "exec " + path + ": " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s: got error %v, want %s", test.name, err, want)
		}
	}
}

func TestTenThousandArguments(t *testing.T) {
	c := child("count")
	for len(c.Args) < 10_001 {
		c.Args = append(c.Args, "argument")
	}
	if out, _ := output(t, c); out != "10001" {
		t.Errorf("the child has %s arguments, want 10001", out)
	}
}
