//go:build linux

package linux_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// guarded starts a program that has a tree in a control group below dir, and says
// which process is the guard. The reader ends with the last of the tree.
func guarded(t *testing.T, dir string, args ...string) (p *linux.Process, guard int, r *os.File) {
	t.Helper()
	kerneltest.Since(t, "cgroup.kill", "5.14")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	told, tells, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	c := child("with a tree", append([]string{dir, itoa(rebelCount())}, args...)...)
	goes, on, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close() // when all have got away
	c.Files = []*os.File{goes, w, tells}
	p = start(t, c)
	goes.Close()
	w.Close()
	tells.Close()
	line, _ := bufio.NewReader(told).ReadString('\n')
	if guard, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatalf("the program said %q", line)
	}
	away(t, r, rebelCount())
	return p, guard, r
}

// isGuard reports whether a process is a guard, and lives.
func isGuard(pid int) bool {
	stat, _ := os.ReadFile(statPath(pid))
	_, rest, ok := strings.Cut(string(stat), " (clone3-guard) ")
	return ok && !strings.HasPrefix(rest, "Z")
}

// guards lists the children of a process that are guards.
func guards(pid int) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		stat, _ := os.ReadFile("/proc/" + e.Name() + "/stat") // pid (comm) state ppid
		n, err := strconv.Atoi(e.Name())
		if _, rest, ok := strings.Cut(string(stat), " (clone3-guard) "); ok && err == nil &&
			strings.Fields(rest)[1] == strconv.Itoa(pid) && strings.Fields(rest)[0] != "Z" {
			pids = append(pids, n)
		}
	}
	return pids
}

// It has a tree of rebels, and much memory. What it is asked to do at the end it
// does at the end of its input.
var _ = helper("with a tree", func(args []string) int {
	dir, err := os.Open(args[0])
	if err != nil {
		return fail("%v\n", err)
	}
	memory := make([]byte, 64<<20)
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	unix.Dup3(1, 200, unix.O_CLOEXEC) // what is open may have any number
	c := child("leader of rebels", "stays", args[1])
	c.Files[1], c.Cgroup, c.KillTree = os.Stdout, dir, true
	if args[2] != "unguarded" {
		c.Flags, c.Emulate = kill, linux.AutoKill
	}
	p, err := linux.Clone3(background, c)
	if err != nil {
		return fail("%v\n", err)
	}
	if p.Tree() != linux.TreeByCgroup {
		return fail("the tree is ended %v\n", p.Tree())
	}
	found := append(guards(os.Getpid()), 0)
	fmt.Fprintln(os.Stderr, found[0])
	io.Copy(io.Discard, os.Stdin)
	switch args[2] {
	case "exits":
		return 0
	case "panics":
		panic("as asked")
	case "executes":
		os.Setenv(helperVar, "exit")
		return fail("%v", unix.Exec("/proc/self/exe", []string{"exit", "0"}, os.Environ()))
	}
	time.Sleep(time.Hour)
	_ = memory[0]
	return 0
})

// The tree in a control group ends with the program, however that ends.
func TestGuardKillsTheTree(t *testing.T) {
	for _, end := range []string{"killed", "exits", "panics", "executes"} {
		if testing.Short() && (end == "exits" || end == "panics") {
			continue
		}
		t.Run(end, func(t *testing.T) {
			dir := cgroup(t)
			p, guard, r := guarded(t, dir, end)
			if guard == 0 {
				t.Fatal("there is no guard")
			}
			if end == "killed" {
				p.Kill()
			}
			wait(t, p)
			over(t, r)
			noGroupIsLeft(t, dir)
			if !within(soon, func() bool { return !isGuard(guard) }) {
				t.Error("the guard is left")
			}
		})
	}
}

// Without a guard the tree is left, which shows that the guard it is who kills.
func TestTreeWithoutGuardIsLeft(t *testing.T) {
	dir := cgroup(t)
	p, guard, r := guarded(t, dir, "unguarded")
	if guard != 0 {
		t.Error("there is a guard, of a tree that is not to end with the program")
	}
	p.Kill()
	wait(t, p)
	r.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := r.Read(make([]byte, 1)); !os.IsTimeout(err) {
		t.Errorf("got %v, want that the tree lives on", err)
	}
	groups, _ := filepath.Glob(dir + "/clone3-*")
	for _, group := range groups {
		os.WriteFile(group+"/cgroup.kill", []byte("1"), 0)
	}
	over(t, r)
	for _, group := range groups {
		within(soon, func() bool { return unix.Rmdir(group) == nil })
	}
}

// Who kills the guard gets another one, and the tree ends with the program.
func TestGuardIsReplaced(t *testing.T) {
	dir := cgroup(t)
	p, guard, r := guarded(t, dir, "killed")
	for range 3 {
		if err := unix.Kill(guard, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if !within(soon, func() bool {
			now := guards(p.Pid())
			if len(now) == 1 && now[0] != guard {
				guard = now[0]
				return true
			}
			return false
		}) {
			t.Fatal("there is no other guard")
		}
	}
	onGuard(t, guard)
	p.Kill()
	wait(t, p)
	over(t, r)
	noGroupIsLeft(t, dir)
}

// onGuard waits until a guard reads.
func onGuard(t *testing.T, guard int) {
	t.Helper()
	// Others than root may not see the descriptors of one that is not dumpable.
	if !within(soon, func() bool { return (os.Geteuid() != 0 || len(fds(guard)) == 3) && rss(t, guard) < 4<<20 }) {
		t.Fatalf("the guard has descriptors %v and %d bytes of its own", fds(guard), rss(t, guard))
	}
}

func fds(pid int) (names []string) {
	entries, _ := os.ReadDir("/proc/" + itoa(pid) + "/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/" + itoa(pid) + "/fd/" + e.Name())
		names = append(names, e.Name()+" "+target)
	}
	return names
}

// rss returns how much memory of its own a process has.
func rss(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n << 10
		}
	}
	t.Fatal("no RssAnon")
	return 0
}

// The guard keeps nothing of the program: no descriptor, so no pipe stays open; no
// memory, of which it began with a copy; and no signal but SIGKILL ends it.
func TestGuardHasNothing(t *testing.T) {
	needRoot(t) // it is not dumpable
	dir := cgroup(t)
	p, guard, r := guarded(t, dir, "killed")
	onGuard(t, guard)
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGSEGV} {
		unix.Kill(guard, sig)
	}
	unix.Kill(guard, unix.SIGSTOP)
	unix.Kill(guard, unix.SIGCONT)
	time.Sleep(20 * time.Millisecond)
	if now := guards(p.Pid()); len(now) != 1 || now[0] != guard {
		t.Errorf("a signal has ended the guard: it was %d, now %v", guard, now)
	}
	p.Kill()
	wait(t, p)
	over(t, r)
	noGroupIsLeft(t, dir)
}

// A guard below a group of somebody else ends with its last tree.
func TestGuardsEnd(t *testing.T) {
	dir := cgroup(t)
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kerneltest.Since(t, "cgroup.kill", "5.14")
	before := len(guards(os.Getpid()))
	var ps []*linux.Process
	for range 20 {
		c := child("sleep")
		c.Cgroup, c.KillTree, c.Flags, c.Emulate = f, true, kill, linux.AutoKill
		ps = append(ps, start(t, c))
	}
	if n := len(guards(os.Getpid())) - before; n != 2 { // each is for 16 trees
		t.Errorf("%d guards, want 2", n)
	}
	for _, p := range ps {
		p.Kill()
		wait(t, p)
	}
	if n := len(guards(os.Getpid())) - before; n != 0 {
		t.Errorf("%d guards are left", n)
	}
	// A child that cannot be created needs none.
	_, err = linux.Clone3(background, &linux.Child{Path: "/does not exist", Cgroup: f, KillTree: true, Flags: kill, Emulate: linux.AutoKill})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if n := len(guards(os.Getpid())) - before; n != 0 {
		t.Errorf("%d guards are left of a child that could not be created", n)
	}
	noGroupIsLeft(t, dir)
}

// One below this program's own group stays, and the next tree has it.
func TestGuardStays(t *testing.T) {
	tree := func() linux.Tree {
		c := child("exit", "0")
		c.KillTree, c.Flags, c.Emulate = true, kill, linux.AutoKill
		p := start(t, c)
		wait(t, p)
		return p.Tree()
	}
	if tree() != linux.TreeByCgroup {
		t.Skip("no control group can be created here")
	}
	before := guards(os.Getpid())
	tree()
	if after := guards(os.Getpid()); len(after) == 0 || !slices.Equal(before, after) {
		t.Errorf("guards were %v, and are %v", before, after)
	}
}

// Somebody removes the group of a guard with that above.
func TestGuardWhoseGroupIsGone(t *testing.T) {
	dir := cgroup(t)
	group, err := linux.CreateCgroup(dir, linux.CgroupLimits{})
	if err != nil {
		t.Fatal(err)
	}
	kerneltest.Since(t, "cgroup.kill", "5.14")
	before := len(guards(os.Getpid()))
	c := child("sleep")
	c.Cgroup, c.KillTree, c.Flags, c.Emulate = group.Dir(), true, kill, linux.AutoKill
	p := start(t, c)
	if err := group.Close(); err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	if !within(soon, func() bool { return len(guards(os.Getpid())) == before }) {
		t.Error("the guard is left")
	}
}
