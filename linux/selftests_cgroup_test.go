//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// The cases of the kernel's own tests of control groups, test_kill.c and
// test_freezer.c of tools/testing/selftests/cgroup, under their names, as far as
// a program that creates processes comes to see them.

// openCgroup makes a control group below another.
func openCgroup(t *testing.T, path string) *os.File {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dir.Close()
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if err := os.Remove(path); err == nil || os.IsNotExist(err) {
				return // else what was in it has not quite gone
			}
		}
	})
	return dir
}

// events waits until cgroup.events says so.
func events(t *testing.T, dir *os.File, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(dir.Name() + "/cgroup.events")
		if err == nil && strings.Contains(string(b), want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has %q, %v, want %s", dir.Name(), b, err, want)
		}
	}
}

func control(t *testing.T, dir *os.File, file, value string) {
	t.Helper()
	if err := os.WriteFile(dir.Name()+"/"+file, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// bomb has children that have children, and all of them go on to create more.
var _ = helper("bomb", func(args []string) int {
	var depth int
	fmt.Sscan(args[0], &depth)
	for depth > 0 {
		p, err := linux.Clone3(background, child("bomb", itoa(depth-1)))
		if err != nil {
			return 1
		}
		if depth%2 == 0 {
			p.Wait(background)
		}
		p.Close()
		time.Sleep(time.Millisecond)
	}
	return 0
})

func TestCgroupKill(t *testing.T) {
	needRoot(t)
	path := cgroup(t)
	if _, err := os.Stat(path + "/cgroup.kill"); err != nil {
		kerneltest.Since(t, "cgroup.kill", "5.14")
		t.Fatal(err)
	}
	t.Run("forkbomb", func(t *testing.T) {
		dir := openCgroup(t, path+"/bomb")
		c := child("bomb", "2")
		c.Cgroup = dir
		p := start(t, c)
		time.Sleep(100 * time.Millisecond)
		if complete, err := p.PidFD().KillTree(dir); !complete || err != nil {
			t.Errorf("KillTree: got %v, %v, want that it is complete", complete, err)
		}
		if s := wait(t, p); s.Signal() != unix.SIGKILL {
			t.Errorf("got %v, want signal: killed", s)
		}
		events(t, dir, "populated 0")
	})
	t.Run("clone_into_killed", func(t *testing.T) {
		// To kill is no state: who comes later lives.
		dir := openCgroup(t, path+"/killed")
		control(t, dir, "cgroup.kill", "1")
		c := child("exit", "3")
		c.Cgroup = dir
		for range 3 {
			p, err := linux.Clone3(background, c)
			if err != nil { // measured: killed in 6.18, not in 6.12 and 7.3
				kerneltest.Since(t, "a control group that was killed takes processes", "7.3")
				t.Fatal(err)
			}
			if s := wait(t, p); s.Code() != 3 {
				t.Errorf("got %v, want exit status 3", s)
			}
			p.Close()
		}
	})
}

func TestCgroupFreezer(t *testing.T) {
	needRoot(t)
	path := cgroup(t)
	if _, err := os.Stat(path + "/cgroup.freeze"); err != nil {
		t.Skip("no cgroup.freeze: ", err) // not in all configurations
	}
	freeze := func(t *testing.T, dir *os.File) {
		t.Helper()
		control(t, dir, "cgroup.freeze", "1")
		t.Cleanup(func() { os.WriteFile(dir.Name()+"/cgroup.freeze", []byte("0"), 0) })
		events(t, dir, "frozen 1")
	}
	thaw := func(t *testing.T, dir *os.File) {
		t.Helper()
		control(t, dir, "cgroup.freeze", "0")
		events(t, dir, "frozen 0")
	}
	inside := func(t *testing.T, dir *os.File) (*linux.Process, func()) {
		c := child("hold")
		c.Cgroup = dir
		return held(t, c)
	}
	t.Run("simple", func(t *testing.T) {
		dir := openCgroup(t, path+"/simple")
		p, release := inside(t, dir)
		freeze(t, dir)
		release()
		alive(t, fdOf(p), "frozen")
		thaw(t, dir)
		if s := wait(t, p); !s.Success() {
			t.Error(s)
		}
	})
	t.Run("kill", func(t *testing.T) {
		dir := openCgroup(t, path+"/kill")
		p, _ := inside(t, dir)
		freeze(t, dir)
		is(t, "Kill", p.Kill(), nil)
		if s := wait(t, p); s.Signal() != unix.SIGKILL {
			t.Errorf("got %v, want signal: killed", s)
		}
	})
	t.Run("tree", func(t *testing.T) {
		dir := openCgroup(t, path+"/tree")
		below := openCgroup(t, path+"/tree/below")
		p, release := inside(t, below)
		freeze(t, dir)
		events(t, below, "frozen 1")
		release()
		alive(t, fdOf(p), "frozen from above")
		thaw(t, dir)
		wait(t, p)
	})
	t.Run("mkdir", func(t *testing.T) {
		dir := openCgroup(t, path+"/mkdir")
		freeze(t, dir)
		below := openCgroup(t, path+"/mkdir/below")
		events(t, below, "frozen 1")
		began := make(chan struct{})
		landed := make(chan error)
		go func() {
			c := child("exit", "0")
			c.Cgroup = below
			close(began)
			p, err := linux.Clone3(background, c)
			if err == nil {
				p.Wait(background)
				p.Close()
			}
			landed <- err
		}()
		<-began
		events(t, below, "populated 1")
		select {
		case err := <-landed:
			t.Errorf("a child executes its program in a group made in a frozen one: %v", err)
			return
		case <-time.After(50 * time.Millisecond):
		}
		thaw(t, dir)
		is(t, "Clone3", <-landed, nil)
	})
	t.Run("vfork", func(t *testing.T) {
		// A child in flight is frozen as any other, and this program is not.
		dir := openCgroup(t, path+"/vfork")
		freeze(t, dir)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		landed := make(chan error)
		go func() {
			c := child("exit", "0")
			c.Cgroup = dir
			p, err := linux.Clone3(ctx, c)
			if err == nil {
				p.Close()
			}
			landed <- err
		}()
		events(t, dir, "populated 1")
		events(t, dir, "frozen 1")
		if s := wait(t, start(t, child("exit", "8"))); s.Code() != 8 {
			t.Errorf("another child: got %v, want exit status 8", s)
		}
		cancel()
		if err := <-landed; !errors.Is(err, context.Canceled) {
			t.Errorf("Clone3: got error %v, want %v", err, context.Canceled)
		}
		events(t, dir, "populated 0")
	})
	t.Run("forkbomb", func(t *testing.T) {
		dir := openCgroup(t, path+"/bomb")
		c := child("bomb", "2")
		c.Cgroup = dir
		p := start(t, c)
		time.Sleep(100 * time.Millisecond)
		freeze(t, dir)
		if complete, err := p.PidFD().KillTree(dir); err != nil {
			kerneltest.Need(t, "cgroup.kill", "5.14", err)
		} else if !complete {
			t.Error("KillTree is not complete")
		}
		wait(t, p)
		events(t, dir, "populated 0")
	})
	t.Run("migrate", func(t *testing.T) {
		from, to := openCgroup(t, path+"/from"), openCgroup(t, path+"/to")
		p, release := inside(t, from)
		freeze(t, to)
		control(t, to, "cgroup.procs", itoa(p.Pid()))
		events(t, to, "frozen 1")
		release()
		alive(t, fdOf(p), "moved to a frozen group")
		control(t, from, "cgroup.procs", itoa(p.Pid()))
		wait(t, p)
	})
	t.Run("stopped", func(t *testing.T) {
		dir := openCgroup(t, path+"/stopped")
		p, release := inside(t, dir)
		f, err := p.PidFD().Dup()
		g := own(t, f, err)
		is(t, "Signal", p.Signal(unix.SIGSTOP), nil)
		if event, err := g.WaitEvent(t.Context()); err != nil || event.Kind != linux.Stopped {
			t.Errorf("WaitEvent: got %v, %v, want that it has stopped", event, err)
		}
		freeze(t, dir)
		thaw(t, dir)
		release()
		alive(t, fdOf(p), "stopped, and thawed")
		is(t, "Signal", p.Signal(unix.SIGCONT), nil)
		wait(t, p)
	})
}
