//go:build linux

package linux_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// mountIDs returns the mounts that a process sees in its namespace: listmount(2),
// for which no /proc is needed.
func mountIDs() ([]uint64, error) {
	request := struct {
		size, _   uint32
		id, param uint64
	}{size: 24, id: ^uint64(0)} // LSMT_ROOT
	var ids [256]uint64
	n, _, errno := unix.Syscall6(unix.SYS_LISTMOUNT, uintptr(unsafe.Pointer(&request)), uintptr(unsafe.Pointer(&ids)), uintptr(len(ids)), 0, 0, 0)
	if errno != 0 {
		return nil, errno
	}
	return ids[:n], nil
}

// look says what a process finds that has an empty mount namespace, does with it
// what it is told, and holds.
var _ = helper("look", func(args []string) int {
	ids, err := mountIDs()
	if err != nil {
		return fail("listmount: %v", err)
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return fail("%v", err)
	}
	dir, _ := os.Getwd()
	fmt.Printf("%d mounts, %d files in %s, process %d\n", len(ids), len(entries), dir, os.Getpid())
	for _, what := range args {
		var err error
		switch what {
		case "mkdir":
			err = os.Mkdir("/x", 0o755)
		case "create":
			err = os.WriteFile("/x", nil, 0o644)
		case "overmount":
			if err = unix.Mount("none", "/", "tmpfs", 0, ""); err != nil {
				break
			}
			// The root is still what is below.
			var mnt int
			if mnt, err = unix.OpenTree(unix.AT_FDCWD, "/..", unix.OPEN_TREE_CLOEXEC); err != nil {
				break
			}
			if err = unix.Fchdir(mnt); err != nil {
				break
			}
			if err = unix.Chroot("."); err != nil {
				break
			}
			if ids, err = mountIDs(); err == nil && len(ids) == 0 {
				err = errors.New("there are no mounts")
			}
			if err == nil {
				err = os.WriteFile("/file", []byte("x"), 0o644)
			}
		}
		fmt.Printf("%s: %v\n", what, err)
	}
	io.Copy(io.Discard, os.Stdin)
	return 0
})

const nothing = "1 mounts, 0 files in /, process "

// The cases of the kernel's own test, tools/testing/selftests/filesystems/
// empty_mntns/clone3_empty_mntns_test.c, under their names, as far as they are
// not in TestEmptyMount and TestRejectedFlags.
func TestClone3EmptyMntns(t *testing.T) {
	need(t, linux.EmptyMount)
	needStatic(t)
	ours := func(t *testing.T) int {
		b, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
	looks := func(t *testing.T, flags linux.Flags, args ...string) string {
		t.Helper()
		c := child("look", args...)
		c.Flags = flags
		out, status := output(t, c)
		if !status.Success() {
			t.Errorf("%v: %q", status, out)
		}
		return out
	}
	empty := func(t *testing.T, flags linux.Flags) {
		t.Helper()
		if out := looks(t, flags); !strings.HasPrefix(out, nothing) {
			t.Errorf("the child finds %q, want %q", out, nothing)
		}
	}
	t.Run("eperm_without_caps", func(t *testing.T) {
		if asUser(t) {
			return
		}
		c := child("look")
		c.Flags = linux.EmptyMount
		_, err := linux.Clone3(background, c)
		is(t, "Clone3", err, unix.EPERM)
		if err == nil || !strings.Contains(err.Error(), "CAP_SYS_ADMIN") {
			t.Errorf("got %v, want that it needs CAP_SYS_ADMIN", err)
		}
	})
	if os.Geteuid() != 0 {
		t.Skip("the rest needs root")
	}
	t.Run("implies_newns", func(t *testing.T) {
		c := child("hold")
		c.Flags = linux.EmptyMount
		_, p, _ := living(t, c)
		if inodeOf(t, fmt.Sprintf("/proc/%d/ns/mnt", p.Pid())) == inodeOf(t, "/proc/self/ns/mnt") {
			t.Error("the child is in the mount namespace of its parent")
		}
	})
	t.Run("with_newpid", func(t *testing.T) {
		if out := looks(t, linux.EmptyMount|linux.NewPID); out != nothing+"1\n" {
			t.Errorf("the child finds %q, want %q", out, nothing+"1")
		}
	})
	t.Run("with_other_ns_flags", func(t *testing.T) {
		empty(t, linux.EmptyMount|linux.NewUTS|linux.NewIPC|linux.NewNet|linux.NewCgroup)
	})
	t.Run("with_explicit_newns", func(t *testing.T) { empty(t, linux.EmptyMount|linux.NewMount) })
	t.Run("parent_unchanged", func(t *testing.T) {
		ns, n := inodeOf(t, "/proc/self/ns/mnt"), ours(t)
		empty(t, linux.EmptyMount)
		if inodeOf(t, "/proc/self/ns/mnt") != ns || ours(t) != n {
			t.Errorf("this program has %d mounts, want %d as before, in the same namespace", ours(t), n)
		}
	})
	t.Run("many_parent_mounts", func(t *testing.T) {
		c := child("many mounts")
		c.Flags = linux.NewMount
		passes(t, c)
	})
	t.Run("mount_properties", func(t *testing.T) {
		out := looks(t, linux.EmptyMount, "mkdir", "create")
		for _, what := range []string{"mkdir", "create"} {
			if !strings.Contains(out, what+": ") || strings.Contains(out, what+": <nil>") {
				t.Errorf("%s succeeds in a root that does not change: %q", what, out)
			}
		}
	})
	t.Run("listmount_single_entry", func(t *testing.T) { empty(t, linux.EmptyMount) })
	t.Run("child_overmount_tmpfs", func(t *testing.T) {
		if out := looks(t, linux.EmptyMount, "overmount"); !strings.Contains(out, "overmount: <nil>") {
			t.Errorf("got %q", out)
		}
	})
	t.Run("repeated", func(t *testing.T) {
		for range 5 {
			empty(t, linux.EmptyMount)
		}
	})
	t.Run("setns_into_child_mntns", func(t *testing.T) {
		c := child("hold")
		c.Flags = linux.EmptyMount
		f, _, _ := living(t, c)
		err := f.InNamespaces(linux.NewMount, func() error {
			ids, err := mountIDs()
			if err != nil || len(ids) != 1 {
				return fmt.Errorf("%d mounts, %v, want 1", len(ids), err)
			}
			if entries, err := os.ReadDir("/"); err != nil || len(entries) > 0 {
				return fmt.Errorf("%v, %v, want nothing", entries, err)
			}
			return nil
		})
		is(t, "InNamespaces", err, nil)
	})
	t.Run("clone3_newns_full_copy", func(t *testing.T) {
		c := child("mounts")
		c.Flags = linux.NewMount
		out, _ := output(t, c)
		if n := strings.Count(out, "\n"); n != ours(t) {
			t.Errorf("the child has %d mounts, want %d as its parent", n, ours(t))
		}
	})
}

// many mounts mounts much, and has a child that finds nothing of it.
var _ = helper("many mounts", func([]string) int {
	if err := unix.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil && err != unix.EINVAL {
		return fail("mount: %v", err)
	}
	dir, err := os.MkdirTemp("", "mounts")
	if err != nil {
		return fail("%v", err)
	}
	defer os.RemoveAll(dir)
	for range 20 {
		if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
			return fail("mount: %v", err)
		}
		defer unix.Unmount(dir, unix.MNT_DETACH)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fail("%v", err)
	}
	c := child("look")
	c.Flags = linux.EmptyMount
	c.Files[1] = w
	p, err := linux.Clone3(background, c)
	w.Close()
	if err != nil {
		return fail("%v", err)
	}
	out, _ := io.ReadAll(r)
	p.Wait(background)
	if !strings.HasPrefix(string(out), nothing) {
		return fail("the child finds %q, want %q", out, nothing)
	}
	return 0
})
