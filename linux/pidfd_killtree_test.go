//go:build linux

package linux_test

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// tree is a process with children and grandchildren: breadth of them, depth
// generations. It writes their numbers.
var _ = helper("tree", func(args []string) int {
	depth, _ := strconv.Atoi(args[0])
	os.Stdout.WriteString(itoa(os.Getpid()) + "\n")
	if depth > 0 {
		for range 2 {
			c := child("tree", itoa(depth-1))
			c.Files[1] = os.Stdout
			if _, err := linux.Clone3(background, c); err != nil {
				return 1
			}
		}
	}
	time.Sleep(time.Hour)
	return 1
})

// forest starts a tree of 7 processes and returns handles of all of them, the
// first of its root.
func forest(t *testing.T, change func(*linux.Child)) (*linux.PidFD, []*linux.PidFD) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("tree", "2")
	c.Files[1] = w
	change(c)
	p := start(t, c)
	w.Close()
	var all []*linux.PidFD
	for range 7 {
		pid := scanInt(t, r)
		if c.Flags&linux.NewPID != 0 {
			continue // numbers of its own
		}
		f, err := linux.OpenPidFD(pid)
		all = append(all, own(t, f, err))
		t.Cleanup(func() { f.Signal(unix.SIGKILL) })
	}
	return p.PidFD(), all
}

func TestKillTreeWithoutCgroupKillsWhatItFinds(t *testing.T) {
	root, all := forest(t, func(*linux.Child) {})
	complete, err := root.KillTree(nil)
	if complete || err != nil {
		t.Errorf("KillTree: got %v, %v, want that it is not complete", complete, err)
	}
	for _, f := range all {
		is(t, "WaitEnd", f.WaitEnd(t.Context()), nil)
	}
}

func TestKillTreeOfAPIDNamespaceIsComplete(t *testing.T) {
	needRoot(t)
	root, _ := forest(t, func(c *linux.Child) { c.Flags = linux.NewPID })
	complete, err := root.KillTree(nil)
	if !complete || err != nil {
		t.Errorf("KillTree: got %v, %v, want that it is complete", complete, err)
	}
	if status, err := root.Wait(t.Context()); status.Signal() != unix.SIGKILL || err != nil {
		t.Errorf("Wait: got %v, %v", status, err)
	}
}

// Also what no longer has its parent is killed.
func TestKillTreeWithCgroupIsComplete(t *testing.T) {
	dir, err := os.Open(cgroup(t))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	root, all := forest(t, func(c *linux.Child) { c.Cgroup = dir })
	all[1].Signal(unix.SIGKILL)
	is(t, "WaitEnd", all[1].WaitEnd(t.Context()), nil)
	complete, err := root.KillTree(dir)
	kerneltest.Need(t, "cgroup.kill", "5.14", err)
	if !complete {
		t.Error("KillTree is not complete")
	}
	for _, f := range all {
		is(t, "WaitEnd", f.WaitEnd(t.Context()), nil)
	}
}

// The process is killed whether it is in the control group or not.
func TestKillTreeWithAnotherCgroup(t *testing.T) {
	dir, err := os.Open(cgroup(t))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	p, _ := held(t, child("hold"))
	complete, err := p.PidFD().KillTree(dir)
	kerneltest.Need(t, "cgroup.kill", "5.14", err)
	if status := wait(t, p); !complete || status.Signal() != unix.SIGKILL {
		t.Errorf("got complete %v, %v, want the process killed", complete, status)
	}
}

// The processes are stopped before any is killed, so that none gets away.
func TestKillTreeStopsBeforeItKills(t *testing.T) {
	for range 30 {
		root, all := forest(t, func(*linux.Child) {})
		leaf, err := all[len(all)-1].Pid()
		if err != nil {
			t.Fatal(err)
		}
		stopped := make(chan bool)
		go func() {
			for {
				stat, err := os.ReadFile(statPath(leaf))
				_, after, _ := strings.Cut(string(stat), ") ")
				switch {
				case strings.HasPrefix(after, "T"):
					stopped <- true
					return
				case err != nil || strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X"):
					stopped <- false
					return
				}
			}
		}()
		if _, err := root.KillTree(nil); err != nil {
			t.Error(err)
		}
		if <-stopped {
			return
		}
	}
	t.Error("no process has been seen that was stopped")
}

// Who kills the tree that it is part of is not killed itself, nor stopped.
func TestKillTreeSparesCaller(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("parent of a killer")
	c.Files[1], c.Setpgid = w, true
	p := start(t, c)
	w.Close()
	t.Cleanup(func() { unix.Kill(-p.Pid(), unix.SIGKILL) })
	r.SetReadDeadline(time.Now().Add(20 * time.Second))
	if out, err := io.ReadAll(r); string(out) != "false <nil>" || err != nil {
		t.Errorf("the one that kills says %q, %v", out, err)
	}
}

var (
	_ = helper("parent of a killer", func([]string) int {
		c := child("kill parent")
		c.Files[1] = os.Stdout
		if _, err := linux.Clone3(background, c); err != nil {
			return fail("%v", err)
		}
		time.Sleep(time.Hour)
		return 1
	})
	_ = helper("kill parent", func([]string) int {
		f, err := linux.OpenPidFD(os.Getppid())
		if err != nil {
			return fail("%v", err)
		}
		fmt.Print(f.KillTree(nil))
		return 0
	})
)

func TestKillTreeErrors(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	_, err = f.KillTree(dir)
	is(t, "directory that is no cgroup", err, os.ErrNotExist)
	is(t, "the process", f.Signal(0), nil)
	_, err = reaped(t).KillTree(nil)
	is(t, "reaped", err, os.ErrProcessDone)
	_, err = linux.Self().KillTree(nil)
	is(t, "Self", err, unix.EINVAL)
}
