//go:build linux

package linux_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux"
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
