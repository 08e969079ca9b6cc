//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux"
)

// With memory.oom.group an OOM kills all processes of a group, and the kernel
// kills whoever shares their memory. A program that has a child in flight there
// survives it all the same.
func TestOOMOfGroupSparesCaller(t *testing.T) {
	needRoot(t)
	dir := newCgroup(t, linux.CgroupLimits{Memory: 30 << 20}).Path()
	if err := os.WriteFile(dir+"/memory.oom.group", []byte("1"), 0); err != nil {
		t.Skip("memory.oom.group: ", err)
	}
	below := filepath.Join(dir, "below") // which has no memory controller of its own
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, dir string }{{"lent memory", dir}, {"as it is", dir}, {"as it is, below", below}} {
		c := child("spawn into a group that dies", test.dir, test.name)
		out, status := output(t, c)
		lives := status.Success() && strings.Contains(out, "alive")
		if want := test.name != "lent memory"; lives != want {
			t.Errorf("%s: the program lives: %v, want %v: %v, %q", test.name, lives, want, status, out)
		}
	}
}

var _ = helper("spawn into a group that dies", func(args []string) int {
	dir, err := os.Open(args[0])
	if err != nil {
		return fail("%v", err)
	}
	if args[1] == "lent memory" {
		linux.LendMemory()
	}
	victim := child("exit", "0")
	victim.Cgroup = dir
	victim.Created = func(*linux.Process) error {
		swell := child("swell")
		swell.Cgroup = dir
		p, err := linux.Clone3(background, swell)
		if err != nil {
			return err
		}
		defer p.Close()
		_, err = p.Wait(background)
		return err
	}
	p, err := linux.Clone3(background, victim)
	if err == nil {
		_, err = p.Wait(background)
	}
	fmt.Println("alive", err)
	return 0
})

// Who may write memory.oom.group of a group can make it kill its members while a
// child is in flight there. It is enough that another user can.
func TestOOMGroupOfAnotherUser(t *testing.T) {
	needRoot(t)
	g := newCgroup(t, linux.CgroupLimits{Memory: 1 << 40})
	dir := g.Path()
	if err := os.Chown(dir+"/memory.oom.group", 1000, 1000); err != nil {
		t.Skip("memory.oom.group: ", err)
	}
	if !linux.OwnMemory(&linux.Child{Cgroup: g.Dir()}) {
		t.Error("the child shares the memory of this program")
	}
	if err := os.Chown(dir+"/memory.oom.group", 0, 0); err != nil {
		t.Fatal(err)
	}
	if linux.OwnMemory(&linux.Child{Cgroup: g.Dir()}) {
		t.Error("the child has memory of its own, though nobody else can write memory.oom.group")
	}
}

// swell takes memory until it is killed.
var _ = helper("swell", func([]string) int {
	var all [][]byte
	for range 1 << 10 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
	return len(all) & 1
})
