//go:build linux

package linux_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// The order of steps matters where one takes away what another needs.

// To change the root directory takes a privilege that the new user lacks.
func TestChrootComesBeforeUser(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	c := child("ls")
	c.Chroot, c.Credential = dir, &syscall.Credential{Uid: 1000, Gid: 1000}
	_, err := linux.Clone3(background, &linux.Child{Path: "/no/such", Chroot: c.Chroot, Credential: c.Credential})
	if step, ok := errors.AsType[*linux.StepError](err); !ok || step.Kind != linux.StepExec {
		t.Errorf("got error %v, want that only exec fails", err)
	}
}

// Whether the directory can be entered is for the new user to say.
func TestDirIsEnteredByUser(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := child("exit", "0")
	c.Dir, c.Credential = dir, &syscall.Credential{Uid: 1000, Gid: 1000}
	_, err := linux.Clone3(background, c)
	step, ok := errors.AsType[*linux.StepError](err)
	if !ok || step.Kind != linux.StepChdir || step.Errno != unix.EACCES || !errors.Is(err, os.ErrPermission) {
		t.Errorf("got error %v, want that chdir is denied", err)
	}
}

// A limit on open files is for the program: its files may have higher numbers on
// their way, and even in their places.
func TestLimitsComeAfterFiles(t *testing.T) {
	c := child("count")
	c.Rlimits = []linux.Rlimit{{Resource: unix.RLIMIT_NOFILE, Cur: 6, Max: 6}}
	for len(c.Files) < 9 {
		c.Files = append(c.Files, os.Stderr)
	}
	_, err := linux.Clone3(background, &linux.Child{Path: "/no/such", Files: c.Files, Rlimits: c.Rlimits})
	if step, ok := errors.AsType[*linux.StepError](err); !ok || step.Kind != linux.StepExec {
		t.Errorf("got error %v, want that only exec fails", err)
	}
}

// A file in the way of another makes way to a number that is nobody's place.
func TestFilesInTheWayMakeRoom(t *testing.T) {
	for _, inherit := range []bool{false, true} {
		t.Run(fmt.Sprintf("InheritFiles=%v", inherit), func(t *testing.T) {
			dir := t.TempDir()
			var files []*os.File
			for i := range 4 {
				f, err := os.Create(fmt.Sprint(dir, "/", i))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				files = append(files, f)
			}
			// The numbers of holes are free, and places; below them is that of
			// low, whose place is above them. What is opened meanwhile may take
			// some of the holes, but not all.
			low, hole := files[0], files[1]
			const holes = 8
			free := 0
			for range holes {
				fd, err := unix.FcntlInt(hole.Fd(), unix.F_DUPFD_CLOEXEC, 0)
				if err != nil {
					t.Fatal(err)
				}
				free = max(free, fd)
			}
			for fd := free; fd > free-holes; fd-- {
				unix.Close(fd)
			}
			c := child("marks")
			c.Files = append(c.Files, make([]*os.File, free-len(c.Files))...)
			c.Files = append(c.Files, files[3], low)
			c.InheritFiles = inherit
			c.Args = append(c.Args, itoa(free+2-3), dir)
			want := strings.Repeat("none ", free-3) + "3 0 "
			if out, status := output(t, c); out != want {
				t.Errorf("descriptors 3 and up are %q, want %q (%v)", out, want, status)
			}
		})
	}
}

// A descriptor that is not given is not there, whatever its number: right behind
// the places of files, between the files and above them.
func TestDescriptorsNotGivenAreClosed(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	const places = 40
	given, err := unix.FcntlInt(zero.Fd(), unix.F_DUPFD_CLOEXEC, places+10)
	if err != nil {
		t.Fatal(err)
	}
	full := os.NewFile(uintptr(given), "given")
	defer full.Close()
	for _, fd := range []int{places, places + 1, given - 1, given + 1, given + 100} {
		if err := unix.Dup3(int(zero.Fd()), fd, 0); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
	}
	c := func(c *linux.Child) {
		for len(c.Files) < places {
			c.Files = append(c.Files, os.Stderr)
		}
		c.Files[places-1] = full
	}
	r := reported(t, c)
	for fd, target := range r.Files {
		if target == "/dev/zero" && fd != itoa(places-1) {
			t.Errorf("descriptor %s of the child is %s", fd, target)
		}
	}
	if got := r.Files[itoa(places-1)]; got != "/dev/zero" {
		t.Errorf("descriptor %d of the child is %q, want /dev/zero", places-1, got)
	}
}

// Nor is a file there by its number in this program, where that comes right
// behind the places.
func TestNumbersOfGivenFilesAreClosed(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	if _, err := unix.FcntlInt(zero.Fd(), unix.F_SETFD, 0); err != nil { // exec would close it
		t.Fatal(err)
	}
	r := reported(t, func(c *linux.Child) {
		for len(c.Files) < int(zero.Fd()) {
			c.Files = append(c.Files, os.Stderr)
		}
		c.Files[len(c.Files)-1] = zero
	})
	at := int(zero.Fd())
	if r.Files[itoa(at-1)] != "/dev/zero" || r.Files[itoa(at)] == "/dev/zero" {
		t.Errorf("descriptors %d and %d of the child are %q and %q, want only the first to be the file", at-1, at, r.Files[itoa(at-1)], r.Files[itoa(at)])
	}
}

// Nothing of the gate reaches the program.
func TestGateStaysOutside(t *testing.T) {
	for _, inherit := range []bool{false, true} {
		called := false
		r := reported(t, func(c *linux.Child) {
			c.InheritFiles = inherit
			c.Created = func(*linux.Process) error {
				called = true
				return nil
			}
		})
		for fd, target := range r.Files {
			if strings.HasPrefix(target, "socket:") {
				t.Errorf("InheritFiles %v: descriptor %s of the child is %s", inherit, fd, target)
			}
		}
		if !called {
			t.Errorf("InheritFiles %v: Created was not called", inherit)
		}
	}
}

// What is written to a standard descriptor that was not given is dropped.
func TestNullIsWritable(t *testing.T) {
	if s := wait(t, start(t, child("write to all three"))); !s.Success() {
		t.Errorf("got %v, want success", s)
	}
}

var _ = helper("write to all three", func([]string) int {
	for fd := range 2 {
		if _, err := unix.Write(fd, []byte("x")); err != nil {
			return fail("descriptor %d: %v", fd, err)
		}
	}
	return 0
})
