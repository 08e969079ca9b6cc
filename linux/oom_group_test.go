//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// memoryGroup creates a control group that may use so much memory, or skips the
// test where it cannot.
func memoryGroup(t *testing.T, max string) string {
	t.Helper()
	needRoot(t)
	const root = "/sys/fs/cgroup"
	controllers, err := os.ReadFile(root + "/cgroup.controllers")
	if err != nil || !strings.Contains(string(controllers), "memory") {
		t.Skip("no memory controller of cgroup version 2")
	}
	if err := os.WriteFile(root+"/cgroup.subtree_control", []byte("+memory"), 0); err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp(root, "clone3-test-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		os.WriteFile(dir+"/cgroup.kill", []byte("1"), 0)
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if err := os.Remove(dir); err == nil {
				return
			} else if time.Now().After(deadline) {
				t.Error(err)
				return
			}
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "memory.max"), []byte(max), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// With memory.oom.group an OOM kills all processes of a group, and the kernel
// kills whoever shares their memory. A program that has a child in flight there
// survives it all the same.
func TestOOMOfGroupSparesCaller(t *testing.T) {
	dir := memoryGroup(t, "30M")
	if err := os.WriteFile(dir+"/memory.oom.group", []byte("1"), 0); err != nil {
		t.Skip("memory.oom.group: ", err)
	}
	below := filepath.Join(dir, "below") // which has no memory controller of its own
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(below)
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
		hog := child("hog")
		hog.Cgroup = dir
		p, err := linux.Clone3(background, hog)
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
	dir := memoryGroup(t, "max")
	if err := os.Chown(dir+"/memory.oom.group", 1000, 1000); err != nil {
		t.Skip("memory.oom.group: ", err)
	}
	group, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	if !linux.OwnMemory(&linux.Child{Cgroup: group}) {
		t.Error("the child shares the memory of this program")
	}
	if err := os.Chown(dir+"/memory.oom.group", 0, 0); err != nil {
		t.Fatal(err)
	}
	if linux.OwnMemory(&linux.Child{Cgroup: group}) {
		t.Error("the child has memory of its own, though nobody else can write memory.oom.group")
	}
}

// hog takes memory until it is killed.
var _ = helper("hog", func([]string) int {
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
