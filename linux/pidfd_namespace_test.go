//go:build linux

package linux_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

func inodeOf(t testing.TB, name string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// needNamespace skips the test on a kernel that was configured without a kind of
// namespace, as small ones are without time namespaces.
func needNamespace(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat("/proc/self/ns/" + name); err != nil {
		t.Skip("the kernel is configured without this kind of namespace: ", err)
	}
}

// Each namespace is the one that /proc shows.
func TestNamespaceOpensAllKinds(t *testing.T) {
	f, p, _ := living(t, child("hold"))
	for kind := linux.CgroupNamespace; kind <= linux.UTSNamespace; kind++ {
		t.Run(kind.String(), func(t *testing.T) {
			needNamespace(t, kind.String())
			file, err := f.Namespace(kind)
			kerneltest.Need(t, "Namespace", "6.11", err)
			defer file.Close()
			var st unix.Stat_t
			if err := unix.Fstat(int(file.Fd()), &st); err != nil {
				t.Fatal(err)
			}
			if want := inodeOf(t, fmt.Sprintf("/proc/%d/ns/%v", p.Pid(), kind)); st.Ino != want {
				t.Errorf("got namespace %d, want %d", st.Ino, want)
			}
			if flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 || err != nil {
				t.Errorf("flags %#x, %v, want close-on-exec", flags, err)
			}
		})
	}
	_, err := f.Namespace(-1)
	is(t, "Namespace(-1)", err, unix.EINVAL)
}

func TestRulesOfNamespace(t *testing.T) {
	kerneltest.Need(t, "Namespace", "6.11", linux.Supported(linux.OpNamespace))
	f, _, _ := living(t, child("hold"))
	t.Run("argument: EINVAL", func(t *testing.T) {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(number(t, f)), uapi.PIDFD_GET_NET_NAMESPACE, 1)
		is(t, "ioctl", errno, unix.EINVAL)
	})
	t.Run("zombie, reaped: ESRCH", func(t *testing.T) {
		z, _ := zombie(t)
		for kind := linux.CgroupNamespace; kind <= linux.UTSNamespace; kind++ {
			_, err := z.Namespace(kind)
			is(t, "zombie "+kind.String(), err, os.ErrProcessDone)
		}
		_, err := reaped(t).Namespace(linux.NetNamespace)
		is(t, "reaped", err, os.ErrProcessDone)
	})
	t.Run("another user's process: EACCES", func(t *testing.T) {
		if asUser(t) {
			return
		}
		init := anotherUsers(t)
		_, err := init.Namespace(linux.NetNamespace)
		is(t, "Namespace", err, unix.EACCES)
	})
}

// A thread joins the namespaces, this program does not.
func TestInNamespaces(t *testing.T) {
	needRoot(t)
	for _, test := range []struct {
		name  string
		flags linux.Flags
		links []string
	}{
		{"uts", linux.NewUTS, []string{"uts"}},
		{"ipc", linux.NewIPC, []string{"ipc"}},
		{"net", linux.NewNet, []string{"net"}},
		{"cgroup", linux.NewCgroup, []string{"cgroup"}},
		{"mnt", linux.NewMount, []string{"mnt"}},
		{"pid", linux.NewPID, []string{"pid_for_children"}},
		{"several", linux.NewUTS | linux.NewIPC | linux.NewMount | linux.NewNet, []string{"uts", "ipc", "mnt", "net"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := child("hold")
			c.Flags = test.flags
			f, p, _ := living(t, c)
			ran := false
			err := f.InNamespaces(test.flags, func() error {
				ran = true
				for _, link := range test.links {
					mine := inodeOf(t, "/proc/thread-self/ns/"+link)
					if theirs := inodeOf(t, fmt.Sprintf("/proc/%d/ns/%s", p.Pid(), link)); mine != theirs {
						t.Errorf("the thread is in %s namespace %d, want %d", link, mine, theirs)
					}
				}
				return fs.ErrExist
			})
			is(t, "InNamespaces", err, fs.ErrExist)
			if !ran {
				t.Error("the function was not called")
			}
			for _, link := range test.links {
				if inodeOf(t, "/proc/thread-self/ns/"+link) == inodeOf(t, fmt.Sprintf("/proc/%d/ns/%s", p.Pid(), link)) {
					t.Errorf("this program is in the child's %s namespace", link)
				}
			}
		})
	}
}

// A child that is created in a PID namespace is in it.
func TestChildrenAreCreatedInAPIDNamespace(t *testing.T) {
	needRoot(t)
	c := child("hold")
	c.Flags = linux.NewPID
	f, _, _ := living(t, c)
	is(t, "InNamespaces", f.InNamespaces(linux.NewPID, func() error {
		p, err := linux.Clone3(background, child("hold"))
		if err != nil {
			return err
		}
		defer p.Close()
		defer p.Kill()
		if info, err := p.PidFD().FDInfo(); err != nil || len(info.NSPid) < 2 {
			t.Errorf("the child has numbers %v, %v", info.NSPid, err)
		}
		return nil
	}), nil)
}

func TestRulesOfSetns(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	fd := number(t, f)
	t.Run("no, or other flags: EINVAL", func(t *testing.T) {
		is(t, "0", f.Setns(0), unix.EINVAL)
		is(t, "AutoReap", f.Setns(linux.AutoReap|linux.NewNet), unix.EINVAL)
		is(t, "0, the kernel", unix.Setns(fd, 0), unix.EINVAL)
		is(t, "CLONE_VM, the kernel", unix.Setns(fd, unix.CLONE_VM), unix.EINVAL)
	})
	t.Run("process has ended: ESRCH", func(t *testing.T) {
		z, _ := zombie(t)
		is(t, "zombie", z.Setns(linux.NewUTS), os.ErrProcessDone)
		is(t, "reaped", reaped(t).Setns(linux.NewUTS), os.ErrProcessDone)
	})
	t.Run("user namespace, with threads: EINVAL", func(t *testing.T) {
		is(t, "Setns", f.Setns(linux.NewUser), unix.EINVAL)
		is(t, "the kernel", unix.Setns(fd, unix.CLONE_NEWUSER), unix.EINVAL)
	})
	t.Run("time namespace, with threads: EUSERS", func(t *testing.T) {
		needNamespace(t, "time")
		is(t, "Setns", f.Setns(linux.NewTime), unix.EUSERS)
		if os.Geteuid() == 0 {
			is(t, "the kernel", unix.Setns(fd, unix.CLONE_NEWTIME), unix.EUSERS)
		}
	})
	t.Run("mount namespace, with a shared directory: EINVAL", func(t *testing.T) {
		needRoot(t)
		is(t, "Setns", f.Setns(linux.NewMount), unix.EINVAL)
	})
	t.Run("PID namespace that is no descendant: EINVAL", func(t *testing.T) {
		needRoot(t)
		c := child("join its parent's")
		c.Flags = linux.NewPID
		file, err := linux.OpenPidFD(os.Getpid())
		own(t, file, err)
		given, err := file.File()
		if err != nil {
			t.Fatal(err)
		}
		defer given.Close()
		c.Files = append(c.Files, given)
		if out, _ := output(t, c); out != "EINVAL" {
			t.Errorf("got %s", out)
		}
	})
	t.Run("mount namespace with others: changes the directories of all threads, refused", func(t *testing.T) {
		is(t, "Setns", f.Setns(linux.NewMount|linux.NewUTS), unix.EINVAL)
	})
	t.Run("all or nothing", func(t *testing.T) {
		needRoot(t)
		c := child("hold")
		c.Flags = linux.NewUTS
		g, _, _ := living(t, c)
		before := inodeOf(t, "/proc/self/ns/uts")
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			is(t, "the kernel", unix.Setns(number(t, g), unix.CLONE_NEWUTS|unix.CLONE_NEWUSER), unix.EINVAL)
			if after := inodeOf(t, "/proc/thread-self/ns/uts"); after != before {
				t.Error("the UTS namespace was joined")
			}
		}()
		<-done
	})
	t.Run("unprivileged: EPERM", func(t *testing.T) {
		if asUser(t) {
			return
		}
		init := anotherUsers(t)
		is(t, "another user's process", init.Setns(linux.NewUTS), unix.EPERM)
		self, err := linux.OpenPidFD(os.Getpid())
		own(t, self, err)
		is(t, "this process", self.Setns(linux.NewUTS), unix.EPERM)
	})
}

var _ = helper("join its parent's", func([]string) int {
	f, err := linux.AdoptPidFD(3)
	if err != nil {
		return fail("%v", err)
	}
	runtime.LockOSThread()
	err = f.Setns(linux.NewPID)
	var errno syscall.Errno
	errors.As(err, &errno)
	fmt.Print(unix.ErrnoName(errno))
	return 0
})
