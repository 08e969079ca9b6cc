//go:build linux

package linux_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// The cases of the kernel's own tests of clone3, tools/testing/selftests/clone3,
// under their names.

// sizedClone3 calls clone3 with arguments of some size, in a page of zeros that
// ends where no memory is, or in room for more. As in rawClone3 no process
// results, and EFAULT says that the kernel accepts the arguments.
func sizedClone3(t *testing.T, size uintptr, fill func(*uapi.CloneArgs)) error {
	t.Helper()
	page := os.Getpagesize()
	room, err := unix.Mmap(-1, 0, 3*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(room)
	args := (*uapi.CloneArgs)(unsafe.Pointer(unsafe.SliceData(room)))
	args.Flags, args.Pidfd = uapi.CLONE_PIDFD|uapi.CLONE_VM, ^uint64(0)
	fill(args)
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(args)), size, 0)
	if errno == 0 {
		panic("clone3 has created a process")
	}
	return errno
}

// clone3.c: what sizes of the structure, signals and flags are taken. It is what
// a program by an older or a newer header gives.
func TestClone3Arguments(t *testing.T) {
	if err := linux.Probe(0); err != nil {
		t.Skip(err)
	}
	const (
		size0 = 64 // of the first version
		size  = unsafe.Sizeof(uapi.CloneArgs{})
	)
	const accepted = unix.EFAULT
	none := func(*uapi.CloneArgs) {}
	beyond := func(at uintptr) func(*uapi.CloneArgs) { // a number where newer kernels may have a field
		return func(a *uapi.CloneArgs) { *(*uint64)(unsafe.Add(unsafe.Pointer(a), at)) = 1 }
	}
	exit := func(signal uint64) func(*uapi.CloneArgs) {
		return func(a *uapi.CloneArgs) { a.ExitSignal = signal }
	}
	flags := func(flags uint64) func(*uapi.CloneArgs) { return func(a *uapi.CloneArgs) { a.Flags |= flags } }
	page := uintptr(os.Getpagesize())
	for _, test := range []struct {
		name string
		size uintptr
		fill func(*uapi.CloneArgs)
		want error
	}{
		{"simple clone3()", size, none, accepted},
		{"clone3() in a new PID_NS", size, flags(uapi.CLONE_NEWPID), accepted},
		{"CLONE_ARGS_SIZE_VER0", size0, none, accepted},
		{"CLONE_ARGS_SIZE_VER0 - 8", size0 - 8, none, unix.EINVAL},
		{"no size", 0, none, unix.EINVAL},
		{"sizeof(struct clone_args) + 8, zeros", size + 8, none, accepted},
		{"sizeof(struct clone_args) + 16, zeros", size + 16, none, accepted},
		{"sizeof(struct clone_args) + 8, no zeros", size + 8, beyond(size), unix.E2BIG},
		{"sizeof(struct clone_args) * 2, no zeros", 2 * size, beyond(2*size - 8), unix.E2BIG},
		{"size of a page", page, none, accepted},
		{"size of a page + 8", page + 8, none, unix.E2BIG},
		{"exit_signal of more than 32 bits", size, exit(0xbadc0ded00000000), unix.EINVAL},
		{"negative exit_signal as 32 bits", size, exit(0x00000000badc0ded), unix.EINVAL},
		{"exit_signal above NSIG in a byte", size, exit(0xc0), unix.EINVAL},
		{"exit_signal of more than a byte", size, exit(0x100), unix.EINVAL},
		{"exit_signal SIGCHLD", size, exit(uint64(unix.SIGCHLD)), accepted},
		{"CLONE_DETACHED", size, flags(uapi.CLONE_DETACHED), unix.EINVAL},
		{"all handlers shared and cleared", size, flags(uapi.CLONE_SIGHAND | uapi.CLONE_CLEAR_SIGHAND), unix.EINVAL},
		{"a flag that is none", size, flags(1 << 63), unix.EINVAL},
		{"all flags", size, flags(^uint64(0)), unix.EINVAL},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := sizedClone3(t, test.size, test.fill)
			if test.want == accepted && err == unix.EPERM && os.Geteuid() != 0 {
				t.Skip("needs a privilege: ", err)
			}
			is(t, "clone3", err, test.want)
		})
	}
	t.Run("a structure that cannot be read", func(t *testing.T) {
		_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, ^uintptr(0)-page, size, 0)
		is(t, "clone3", errno, unix.EFAULT)
	})
}

// freePID returns a number that no process has, far from those given next.
func freePID() int {
	pid := (os.Getpid() + 12_000) % 30_000
	for pid < 1000 || procExists(pid) {
		pid++
	}
	return pid
}

// clone3_set_tid.c
func TestClone3SetTID(t *testing.T) {
	kerneltest.Since(t, "SetTID", "5.5")
	if os.Geteuid() != 0 {
		c := child("exit", "0")
		c.SetTID = []int{freePID()}
		_, err := linux.Clone3(background, c)
		is(t, "without privileges: EPERM", err, unix.EPERM)
		t.Skip("the rest needs root")
	}
	create := func(flags linux.Flags, tids ...int) (*linux.Process, error) {
		c := child("hold")
		c.Flags, c.SetTID = flags, tids
		c.Files[0] = nil // which ends at once
		return linux.Clone3(background, c)
	}
	free := freePID()
	for _, test := range []struct {
		name  string
		flags linux.Flags
		tids  []int
		want  int // the ID that this program sees
	}{
		{"success", 0, []int{free}, free},
		{"success again: the number is free again", 0, []int{free}, free},
		{"success, PID 1 of a new namespace", linux.NewPID, []int{1}, 0},
		{"success, in both namespaces", linux.NewPID, []int{1, free}, free},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := create(test.flags, test.tids...)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if test.want != 0 && p.Pid() != test.want {
				t.Errorf("got process %d, want %d", p.Pid(), test.want)
			}
			if s := wait(t, p); !s.Success() {
				t.Error(s)
			}
		})
	}
	taken := start(t, child("sleep"))
	var nested [33]int
	for i := range nested {
		nested[i] = 1
	}
	for _, test := range []struct {
		name  string
		flags linux.Flags
		tids  []int
		want  error
	}{
		{"EEXIST", 0, []int{taken.Pid()}, unix.EEXIST},
		{"EEXIST, this program", 0, []int{os.Getpid()}, unix.EEXIST},
		{"EEXIST, in the outer one of two namespaces", linux.NewPID, []int{1, taken.Pid()}, unix.EEXIST},
		{"too many levels", linux.NewPID, nested[:32], unix.EINVAL},
		{"too many levels for any kernel", linux.NewPID, nested[:], unix.EINVAL},
		{"PID 2 where there is no PID 1", linux.NewPID, []int{2}, unix.EINVAL},
		{"PID 0", 0, []int{0}, unix.EINVAL},
		{"negative PID", 0, []int{-1}, unix.EINVAL},
		{"PID above all", 0, []int{1 << 22}, unix.EINVAL},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := create(test.flags, test.tids...)
			is(t, "Clone3", err, test.want)
			if err == nil {
				wait(t, p)
				p.Close()
			}
		})
	}
	t.Run("PID 2, in a namespace that has PID 1", func(t *testing.T) {
		path := napProgram(t, time.Minute) // which has no other threads
		if path == "" {
			t.Skip("no tiny child for this architecture")
		}
		first := start(t, &linux.Child{Path: path, Env: []string{}, Flags: linux.NewPID})
		err := first.PidFD().InNamespaces(linux.NewPID, func() error {
			for range 2 {
				p, err := create(0, 2, freePID())
				if err != nil {
					return err
				}
				defer p.Close()
				if info, err := p.PidFD().FDInfo(); err == nil && (len(info.NSPid) < 2 || info.NSPid[len(info.NSPid)-1] != 2) {
					t.Errorf("the child has numbers %v, want 2 as the last", info.NSPid)
				}
				wait(t, p)
			}
			return nil
		})
		is(t, "InNamespaces", err, nil)
	})
	t.Run("PID of a thread", func(t *testing.T) {
		_, err := create(0, otherThread(t))
		var errno syscall.Errno
		if !errors.As(err, &errno) || errno != unix.EEXIST {
			t.Errorf("got %v, want EEXIST", err)
		}
	})
}
