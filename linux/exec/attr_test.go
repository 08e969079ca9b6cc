//go:build linux && !clone3_osexec

package exec_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"golang.org/x/sys/unix"
)

// The fields of linux.Child work.
func TestChildFields(t *testing.T) {
	c := command("status", "Umask", "SigIgn")
	umask := 0o027
	c.Umask = &umask
	if out, err := c.Output(); err != nil || !strings.Contains(string(out), "Umask:\t0027\n") {
		t.Errorf("Umask: got %q, %v", out, err)
	}

	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	c = command("echo", "by descriptor")
	c.Path, c.Exec = "", self
	if out, err := c.Output(); err != nil || string(out) != "by descriptor\n" {
		t.Errorf("Exec: got %q, %v", out, err)
	}

	c = command("echo")
	c.Child.Path = "/proc/self/exe"
	if err := c.Run(); err == nil || !strings.Contains(err.Error(), "set those of the Cmd") {
		t.Errorf("Child.Path: got %v", err)
	}
	c = command("echo")
	c.Chroot, c.SysProcAttr = "/", &syscall.SysProcAttr{Chroot: "/tmp"}
	if err := c.Run(); err == nil || !strings.Contains(err.Error(), "SysProcAttr.Chroot: Cmd.Child has another value") {
		t.Errorf("Chroot and SysProcAttr.Chroot: got %v", err)
	}
}

// clone(2) has no room for flags above 32 bits. os/exec drops them.
func TestCloneflagsAreNotDropped(t *testing.T) {
	if ^uintptr(0)>>32 == 0 {
		t.Skip("Cloneflags has 32 bits here")
	}
	c := command("status", "NoNewPrivs")
	nnp := uint64(linux.NoNewPrivs)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: uintptr(nnp)}
	if out, err := c.Output(); err != nil || string(out) != "NoNewPrivs:\t1\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestSysProcAttr(t *testing.T) {
	t.Run("PidFD", func(t *testing.T) {
		pidfd := -1
		c := command("sleep")
		c.SysProcAttr = &syscall.SysProcAttr{PidFD: &pidfd}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if err := unix.PidfdSendSignal(pidfd, unix.SIGTERM, nil, 0); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err == nil || err.Error() != "signal: terminated" {
			t.Errorf("got %v", err)
		}
		if err := unix.Close(pidfd); err != nil {
			t.Error("PidFD is not ours:", err)
		}
	})
	t.Run("cgroup", func(t *testing.T) {
		dir, name := cgroup(t)
		for how, use := range map[string]func(*exec.Cmd){
			"CgroupFD": func(c *exec.Cmd) {
				c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
			},
			"Cgroup": func(c *exec.Cmd) { c.Cgroup = dir },
		} {
			c := command("file", "/proc/self/cgroup")
			use(c)
			if out, err := c.Output(); err != nil || !strings.Contains(string(out), name) {
				t.Errorf("%s: the command is in %q, want %s; %v", how, out, name, err)
			}
		}
		if _, err := dir.Stat(); err != nil {
			t.Error("the directory is closed:", err)
		}
	})
	t.Run("Ptrace", func(t *testing.T) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		c := command("exit", "3")
		c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(c.Process.Pid, &status, 0, nil); err != nil || status.StopSignal() != syscall.SIGTRAP {
			t.Errorf("after exec: status %#x, %v, want a stop by SIGTRAP", status, err)
		}
		if err := syscall.PtraceDetach(c.Process.Pid); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err == nil || err.Error() != "exit status 3" {
			t.Errorf("got %v, want exit status 3", err)
		}
	})
	t.Run("signal in Cloneflags", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:   unix.CLONE_VFORK | unix.CLONE_VM | uintptr(syscall.SIGCHLD),
			Unshareflags: unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_THREAD,
		}
		if err := c.Run(); err != nil {
			t.Error(err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_THREAD}
		if err := c.Run(); err == nil || !strings.Contains(err.Error(), "CLONE_THREAD") || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("CLONE_THREAD: got %v", err)
		}
	})
	t.Run("CgroupFD that is none", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: 1 << 20}
		if err := c.Run(); !errors.Is(err, syscall.EBADF) {
			t.Errorf("got %v, want %v", err, syscall.EBADF)
		}
	})
	t.Run("step that fails", func(t *testing.T) {
		c := command("exit", "0")
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: 1 << 21}
		if err := c.Run(); err == nil || !strings.HasPrefix(err.Error(), "fork/exec (setpgid 2097152) /proc/self/exe: ") {
			t.Errorf("got %v", err)
		}
	})
}

// cgroup makes a control group for the test, and returns its name.
func cgroup(t *testing.T) (dir *os.File, name string) {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(root, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		path, err := os.MkdirTemp(root, "exec-test-")
		if err != nil {
			t.Skip("no cgroup can be made:", err)
		}
		t.Cleanup(func() { os.Remove(path) })
		if dir, err = os.Open(path); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dir.Close() })
		return dir, filepath.Base(path)
	}
	t.Skip("no cgroup2 file system is mounted")
	return nil, ""
}
