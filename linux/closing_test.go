//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// filesOf returns what the descriptors of a process are.
func filesOf(pid int) map[string]string {
	dir := "/proc/" + itoa(pid) + "/fd/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	files := map[string]string{}
	for _, e := range entries {
		if target, err := os.Readlink(dir + e.Name()); err == nil {
			files[e.Name()] = target
		}
	}
	return files
}

// A child in flight has no descriptors but those it needs: not those of its
// siblings, which would not end with this program, nor its own handle.
func TestChildInFlightHasOnlyItsFiles(t *testing.T) {
	kerneltest.Since(t, "close_range", "5.9")
	for _, flags := range []linux.Flags{0, linux.AutoReap, linux.AutoKill | linux.NoNewPrivs} {
		t.Run(flags.String(), func(t *testing.T) {
			kerneltest.Need(t, flags.String(), "7.1", linux.Probe(flags))
			handle := func(f map[string]string) bool {
				for _, target := range f {
					if strings.Contains(target, "pidfd") || strings.HasPrefix(target, "pidfd:") {
						return true
					}
				}
				return false
			}
			sibling := child("sleep")
			sibling.Flags = flags
			start(t, sibling)
			low, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(low)
			high, err := unix.FcntlInt(uintptr(low), unix.F_DUPFD, 700)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(high)

			var files map[string]string
			c := child("exit", "0")
			c.Flags = flags
			c.Created = func(p *linux.Process) error {
				files = filesOf(p.Pid())
				return nil
			}
			wait(t, start(t, c))
			if handle(files) {
				t.Errorf("the child in flight has %v, want no pidfd among them", files)
			}
			// 0 to 2 are about to become its own, and are then the program's.
			above := 0
			for fd, target := range files {
				var n int
				fmt.Sscan(fd, &n)
				if n > 2 && target == "/dev/zero" {
					t.Errorf("the child in flight has descriptor %s, %s", fd, target)
				}
				if n > 2 {
					above++
				}
			}
			const needed = 4 // /dev/null, the program, its end of the gate, and what descriptor 2 may be
			if above > needed {
				t.Errorf("the child in flight has %v, want at most %d above 2", files, needed)
			}

			// What is looked for is there to be seen if it is not closed.
			c.InheritFiles = true
			wait(t, start(t, c))
			zeros := slices.DeleteFunc([]string{itoa(low), itoa(high)}, func(fd string) bool { return files[fd] != "/dev/zero" })
			if len(zeros) != 2 || !handle(files) && flags&linux.AutoReap == 0 {
				t.Errorf("with InheritFiles the child in flight has %v, want /dev/zero twice, and a pidfd", files)
			}
		})
	}
}

// The handle of a child may get any number that is free, also that of a standard
// file of the child.
func TestChildInFlightHasNoHandleOfItsOwn(t *testing.T) {
	flags := linux.AutoKill | linux.NoNewPrivs
	kerneltest.Need(t, flags.String(), "7.1", linux.Probe(flags))
	if out, status := output(t, child("low handle")); out != "" || !status.Success() {
		t.Errorf("%v\n%s", status, out)
	}
}

var _ = helper("low handle", func([]string) int {
	c := child("exit", "0")
	c.Files = nil
	c.Flags = linux.AutoKill | linux.NoNewPrivs
	spawn := func() {
		p, err := linux.Clone3(background, c)
		if err != nil {
			fmt.Println(err)
			return
		}
		p.Wait(background)
	}
	spawn() // what the package keeps open gets other numbers
	out, err := unix.Dup(1)
	if err != nil {
		return fail("%v\n", err)
	}
	os.Stdout = os.NewFile(uintptr(out), "stdout")
	for fd := range 3 { // two for the gate, and one for the handle
		unix.Close(fd)
	}
	c.Created = func(p *linux.Process) error {
		if fd := fdOf(p); fd > 2 {
			fmt.Printf("the handle is descriptor %d: this test does not test it\n", fd)
		}
		for fd, target := range filesOf(p.Pid()) {
			if strings.Contains(target, "pidfd") {
				fmt.Printf("descriptor %s of the child in flight is %s\n", fd, target)
			}
		}
		return nil
	}
	spawn()
	return 0
})

// Where there is no close_range(2), or clone3(2), a program gets no other
// descriptors than where there is.
func TestNothingIsInheritedWithout(t *testing.T) { withMissing(t, "inheritor") }

var _ = helper("inheritor", func(hidden []string) int {
	low, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
	if err != nil {
		return fail("%v", err)
	}
	for i := range 40 {
		if _, err := unix.FcntlInt(uintptr(low), unix.F_DUPFD, 20+3*i); err != nil {
			return fail("%v", err)
		}
	}
	stderr, _ := os.Readlink("/proc/self/fd/2")
	exe, err := os.Open("/proc/self/exe") // which has a number that a file takes
	if err != nil {
		return fail("%v", err)
	}
	if err := hideAll(hidden); err != nil {
		return fail("SKIP: no seccomp filter: %v", err)
	}
	for name, test := range map[string]struct {
		change func(*linux.Child)
		want   []string // the descriptors above 2
		leaks  bool
	}{
		"plain":        {func(*linux.Child) {}, nil, false},
		"files":        {func(c *linux.Child) { c.Files = append(c.Files, os.Stderr, nil, os.Stderr) }, []string{"3", "5"}, false},
		"Dir":          {func(c *linux.Child) { c.Dir = "/" }, nil, false},
		"Created":      {func(c *linux.Child) { c.Created = func(*linux.Process) error { return nil } }, nil, false},
		"NewUser":      {func(c *linux.Child) { c.Flags = linux.NewUser; ownIDs(c) }, nil, false},
		"InheritFiles": {func(c *linux.Child) { c.InheritFiles = true }, nil, true},
		"Exec among files": {func(c *linux.Child) {
			c.Exec = exe
			for len(c.Files) < int(exe.Fd())+3 {
				c.Files = append(c.Files, os.Stderr)
			}
		}, func() (want []string) {
			for fd := 3; fd < int(exe.Fd())+3; fd++ {
				want = append(want, itoa(fd))
			}
			return want
		}(), false},
	} {
		r, err := reportOf(test.change)
		if err != nil {
			fmt.Printf("%s: %v\n", name, err)
			continue
		}
		leaks := false
		for _, target := range r.Files {
			leaks = leaks || target == "/dev/zero" || strings.HasPrefix(target, "socket:") && target != stderr
		}
		if leaks != test.leaks {
			fmt.Printf("%s: the program has a descriptor of this one: %v, want %v; it has %v\n", name, leaks, test.leaks, r.Files)
		}
		for _, fd := range test.want {
			if _, there := r.Files[fd]; !there {
				fmt.Printf("%s: the program has no descriptor %s but %v\n", name, fd, r.Files)
			}
		}
	}
	return 0
})
