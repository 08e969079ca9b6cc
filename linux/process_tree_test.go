//go:build linux

package linux_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// A rebel is a descendant that tries to get away: each round it forks, the parent
// ends, and the child begins a session. SIGTERM is ignored. All hold the pipe.
var _ = helper("rebel", func(args []string) int {
	signal.Ignore(unix.SIGTERM)
	if args[0] != "0" {
		c := child("rebel", string(args[0][0]-1))
		c.Files[1], c.Setsid = os.Stdout, true
		if _, err := linux.Clone3(background, c); err != nil {
			return fail("%v", err)
		}
		return 0
	}
	os.Stdout.WriteString("away\n")
	time.Sleep(time.Hour)
	return 1
})

// rebelCount is how many lines of rebels there are: each is four programs.
func rebelCount() int {
	if testing.Short() {
		return 2
	}
	return 10
}

// leader of rebels starts them.
var _ = helper("leader of rebels", func(args []string) int {
	lines, _ := strconv.Atoi(args[1])
	for range lines {
		c := child("rebel", "3")
		c.Files[1] = os.Stdout
		if _, err := linux.Clone3(background, c); err != nil {
			return fail("%v", err)
		}
	}
	if args[0] == "ends" {
		time.Sleep(200 * time.Millisecond)
		return 0
	}
	time.Sleep(time.Hour)
	return 0
})

// uprising starts a leader with KillTree, and returns a reader that ends when the
// last of its descendants has.
func uprising(t *testing.T, c *linux.Child) (*linux.Process, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	c.KillTree = true
	c.Files[1] = w
	p, err := linux.Clone3(background, c)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Close()
	})
	return p, r
}

// away waits until so many have got away.
func away(t *testing.T, r *os.File, n int) {
	t.Helper()
	b := make([]byte, 5)
	for range n {
		if _, err := r.Read(b); err != nil || string(b) != "away\n" {
			t.Fatalf("got %q, %v", b, err)
		}
	}
}

// over waits until none is left that holds the pipe.
func over(t *testing.T, r *os.File) {
	t.Helper()
	r.SetReadDeadline(time.Now().Add(soon))
	for b := make([]byte, 64); ; {
		if _, err := r.Read(b); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a descendant has got away")
		} else if err != nil {
			return
		}
	}
}

// noGroupIsLeft fails if a control group of this package is left below dir.
func noGroupIsLeft(t *testing.T, dir string) {
	t.Helper()
	var left []string
	if !within(soon, func() bool {
		left, _ = filepath.Glob(dir + "/clone3-*")
		return len(left) == 0
	}) {
		t.Errorf("left: %s", left)
	}
}

// Kill of a process that lives is no error, however soon it ends.
func TestKillOfATree(t *testing.T) {
	kerneltest.Since(t, "cgroup.kill", "5.14")
	dir, err := os.Open(cgroup(t))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for range 20 {
		c := child("sleep")
		c.Cgroup, c.KillTree = dir, true
		p := start(t, c)
		if err := p.Kill(); err != nil {
			t.Error("Kill:", err)
		}
		wait(t, p)
		if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Kill of one that has ended: %v", err)
		}
	}
}

func TestTreeEndsWithItsProcess(t *testing.T) {
	for _, means := range []linux.Tree{linux.TreeByCgroup, linux.TreeByNamespace} {
		for name, end := range map[string]func(*linux.Process){
			"Kill":  func(p *linux.Process) { p.Kill() },
			"Close": func(p *linux.Process) { p.Kill(); p.Close() },
			"Stop":  func(p *linux.Process) { p.Stop(background, unix.SIGTERM, time.Millisecond) },
			"a signal of another": func(p *linux.Process) {
				unix.Kill(p.Pid(), unix.SIGKILL)
			},
			"frozen": func(p *linux.Process) {
				if means == linux.TreeByCgroup {
					freeze(t, p)
				}
				p.Kill()
			},
			"its own":  nil,
			"AutoKill": func(p *linux.Process) { p.Close() },
		} {
			if testing.Short() && name != "Kill" && name != "its own" && name != "AutoKill" {
				continue
			}
			t.Run(means.String()+"/"+name, func(t *testing.T) {
				dir := ""
				c := child("leader of rebels", "stays", itoa(rebelCount()))
				if end == nil {
					c = child("leader of rebels", "ends", itoa(rebelCount()))
				}
				if means == linux.TreeByNamespace {
					needRoot(t)
					c.Flags = linux.NewPID
				} else {
					kerneltest.Since(t, "cgroup.kill", "5.14")
					dir = cgroup(t)
					f, err := os.Open(dir)
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					c.Cgroup = f
				}
				if name == "AutoKill" {
					c.Flags |= kill
					c.Emulate = linux.AutoKill
				}
				p, r := uprising(t, c)
				if p.Tree() != means || !p.Tree().Complete() {
					t.Fatalf("the tree is ended %v, want %v", p.Tree(), means)
				}
				if end != nil {
					away(t, r, rebelCount())
					end(p)
				}
				if end == nil { // also if nobody waits
					over(t, r)
				}
				if name == "Close" { // which lets Wait return at once
					over(t, r)
					if dir != "" {
						noGroupIsLeft(t, dir)
					}
					return
				}
				wait(t, p)
				if left, _ := filepath.Glob(dir + "/clone3-*"); dir != "" && len(left) > 0 {
					t.Errorf("left when Wait has returned: %s", left)
				}
				over(t, r)
			})
		}
	}
}

// freeze freezes the control group that a process is in.
func freeze(t *testing.T, p *linux.Process) {
	t.Helper()
	text, err := os.ReadFile("/proc/" + itoa(p.Pid()) + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
				if os.WriteFile(root+group+"/cgroup.freeze", []byte("1"), 0) == nil {
					return
				}
			}
			t.Fatal("the group cannot be frozen: ", group)
		}
	}
}

// Where there can be no control group, Kill looks for descendants, and what it
// says of itself is true: those who have got away live on.
func TestTreeBySearch(t *testing.T) {
	if asUser(t) {
		return
	}
	c := child("leader of rebels", "stays", itoa(rebelCount()))
	p, r := uprising(t, c)
	if p.Tree() != linux.TreeBySearch {
		t.Skip("a control group can be created here")
	}
	if p.Tree().Complete() {
		t.Error("a search is complete")
	}
	away(t, r, rebelCount())
	p.Kill()
	wait(t, p)
	r.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want that those who have got away live on", err)
	}
	for _, pid := range rebelsLeft(t) {
		unix.Kill(pid, unix.SIGKILL)
	}
	over(t, r)

	c = child("tree", "3")
	p, r = uprising(t, c)
	for range 15 {
		scanInt(t, r)
	}
	p.Kill()
	over(t, r)
	wait(t, p)
}

// rebelsLeft finds the processes that are rebels, by their environment.
func rebelsLeft(t *testing.T) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		env, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if pid, err := strconv.Atoi(e.Name()); err == nil && strings.Contains("\x00"+string(env), "\x00"+helperVar+"=rebel\x00") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// A child that is tried again, as its program is busy, is created in the same
// group.
func TestTreeOfBusyProgram(t *testing.T) {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "program"), os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	time.AfterFunc(5*time.Millisecond, func() { f.Close() })
	p, err := linux.Clone3(background, &linux.Child{Path: f.Name(), KillTree: true})
	if !errors.Is(err, unix.ENOEXEC) { // it is empty
		t.Errorf("got %v, %v, want %v", p, err, unix.ENOEXEC)
	}
}

// A bomb is stopped by the limit of the group around, and ended.
func TestTreeOfForkBomb(t *testing.T) {
	kerneltest.Since(t, "cgroup.kill", "5.14")
	dir := cgroup(t)
	if err := os.WriteFile(dir+"/pids.max", []byte("50"), 0); err != nil {
		t.Skip("pids cannot be limited: ", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := child("fork bomb")
	c.Cgroup = f
	p, r := uprising(t, c)
	away(t, r, 1)
	time.Sleep(50 * time.Millisecond)
	p.Kill()
	over(t, r)
	wait(t, p)
	noGroupIsLeft(t, dir)
}

var _ = helper("fork bomb", func([]string) int {
	os.Stdout.WriteString("away\n")
	for {
		c := child("fork bomb")
		c.Files[1] = os.Stdout
		if _, err := linux.Clone3(context.Background(), c); err != nil {
			time.Sleep(time.Millisecond)
		}
	}
})

// What a control group is not: a prison for who may write to the one above.
func TestTreeByCgroupIsLeftOnPurpose(t *testing.T) {
	kerneltest.Since(t, "cgroup.kill", "5.14")
	dir := cgroup(t)
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := child("one who leaves", dir)
	c.Cgroup = f
	p, r := uprising(t, c)
	away(t, r, 1)
	p.Kill()
	wait(t, p)
	r.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want that who has left lives on", err)
	}
	procs, _ := os.ReadFile(dir + "/cgroup.procs")
	for pid := range strings.FieldsSeq(string(procs)) {
		n, _ := strconv.Atoi(pid)
		unix.Kill(n, unix.SIGKILL)
	}
	over(t, r)
	noGroupIsLeft(t, dir)
}

var _ = helper("one who leaves", func(args []string) int {
	if len(args) > 1 {
		if err := os.WriteFile(args[0]+"/cgroup.procs", []byte("0"), 0); err != nil {
			return fail("%v", err)
		}
		os.Stdout.WriteString("away\n")
	} else {
		c := child("one who leaves", args[0], "now")
		c.Files[1] = os.Stdout
		if _, err := linux.Clone3(context.Background(), c); err != nil {
			return fail("%v", err)
		}
	}
	time.Sleep(time.Hour)
	return 0
})
