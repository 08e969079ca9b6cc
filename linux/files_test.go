//go:build linux

package linux_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

var _ = helper("count", func([]string) int {
	fmt.Print(len(os.Args))
	return 0
})

// marks writes which files of a directory the n descriptors from 3 on are.
var _ = helper("marks", func(args []string) int {
	n, _ := strconv.Atoi(args[0])
	for fd := 3; fd < 3+n; fd++ {
		target, err := os.Readlink(fmt.Sprint("/proc/self/fd/", fd))
		if name, ok := strings.CutPrefix(target, args[1]+"/"); err == nil && ok {
			fmt.Print(name, " ")
		} else if target == "/dev/null" { // others are of this program itself
			fmt.Print(target, " ")
		} else {
			fmt.Print("none ")
		}
	}
	return 0
})

// Whatever numbers files have, and however often they are given, they come to
// their places.
func TestFilesComeToTheirPlaces(t *testing.T) {
	dir := t.TempDir()
	var files []*os.File
	for i := range 12 {
		f, err := os.Create(fmt.Sprint(dir, "/", i))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	seeds := uint64(60)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 0))
		c := child("marks")
		var want strings.Builder
		n := random.IntN(20)
		for range n {
			if i := random.IntN(14); i < 12 {
				c.Files = append(c.Files, files[i])
				fmt.Fprint(&want, i, " ")
			} else {
				c.Files = append(c.Files, nil)
				want.WriteString("none ")
			}
		}
		c.Args = append(c.Args, strconv.Itoa(n), dir)
		if out, status := output(t, c); out != want.String() {
			t.Fatalf("seed %d: descriptors 3 and up are %q, want %q (%v)", seed, out, want.String(), status)
		}
	}
}

// The same for the standard descriptors, among which the parent's own are
// swapped.
func TestStandardFilesSwap(t *testing.T) {
	in, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := reported(t, func(c *linux.Child) { c.Files = []*os.File{os.Stderr, nil, in, os.Stdin, os.Stdout} })
	// Descriptor 1 is the pipe through which the child reports.
	for fd, f := range map[string]string{"0": "/proc/self/fd/2", "2": "/dev/zero", "3": "/proc/self/fd/0", "4": "/proc/self/fd/1"} {
		want, err := os.Readlink(f)
		if err != nil {
			want = f
		}
		if r.Files[fd] != want {
			t.Errorf("descriptor %s is %s, want %s", fd, r.Files[fd], want)
		}
	}
}

// The program may have a number that a file takes.
func TestExecAmongFiles(t *testing.T) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := child("count")
	c.Exec = f
	for len(c.Files) < int(f.Fd())+3 {
		c.Files = append(c.Files, os.Stderr)
	}
	if out, status := output(t, c); out != "1" {
		t.Errorf("the child wrote %q, want 1 (%v)", out, status)
	}
}

// A program may have many descriptors before it creates its first child, and
// /dev/null then has a high number. Its children do not get a table as large.
func TestStandardFilesOfAProgramWithManyDescriptors(t *testing.T) {
	passes(t, child("many descriptors"))
	passes(t, child("null denied"))
}

// null denied may not open /dev/null any more, but has it.
var _ = helper("null denied", func([]string) int {
	for range 100 {
		if _, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return fail("%v", err)
		}
	}
	for i := range 2 {
		c := child("exit", "5")
		c.Files = nil
		p, err := linux.Clone3(background, c)
		if err != nil {
			return fail("%v", err)
		}
		// Once denied the program may not find its libraries either.
		if s, err := p.Wait(background); err != nil || i == 0 && s.Code() != 5 {
			return fail("got %v, %v, want exit status 5", s, err)
		}
		if i == 0 {
			if err := filterCall(unix.SYS_OPENAT, unix.SECCOMP_RET_ERRNO|uint32(unix.EACCES)); err != nil {
				return 0 // no filter, no denial
			}
		}
	}
	return 0
})

var _ = helper("many descriptors", func([]string) int {
	for range 100 {
		if _, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return fail("%v", err)
		}
	}
	for _, files := range [][]*os.File{nil, {nil, nil, os.Stderr}, {os.Stderr}, {nil, os.Stderr, nil, nil, os.Stderr}} {
		r, w, err := os.Pipe()
		if err != nil {
			return fail("%v", err)
		}
		c := child("descriptors")
		c.Files = append([]*os.File{}, files...)
		for len(c.Files) < 6 {
			c.Files = append(c.Files, nil)
		}
		c.Files[5] = w
		p, err := linux.Clone3(background, c)
		w.Close()
		if err != nil {
			return fail("%v", err)
		}
		out, _ := io.ReadAll(r)
		r.Close()
		if s, err := p.Wait(background); err != nil || !s.Success() {
			return fail("%v, %v: %s", s, err, out)
		}
		p.Close()
		for i := range 3 {
			null := i >= len(files) || files[i] == nil
			if got := strings.Contains(string(out), fmt.Sprintf("%d /dev/null\n", i)); got != null && null {
				return fail("%d files: descriptor %d is not /dev/null: %s", len(files), i, out)
			}
		}
		if n := strings.Count(string(out), "\n"); n > 6 {
			return fail("%d files: the child has others: %s", len(files), out)
		}
	}
	return 0
})

// descriptors writes to descriptor 5 which of the first hundred it was given.
var _ = helper("descriptors", func([]string) int {
	out := os.NewFile(5, "out")
	for fd := range 100 {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		target, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		fmt.Fprintf(out, "%d %s\n", fd, target)
	}
	return 0
})
