//go:build linux

package linux_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// newCgroup creates a group, or skips the test where it cannot.
func newCgroup(t *testing.T, limits linux.CgroupLimits) *linux.Cgroup {
	t.Helper()
	parent := cgroupRoot(t)
	g, err := linux.CreateCgroup(parent, limits)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, unix.EROFS) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil && !errors.Is(err, os.ErrClosed) { // by the test
			t.Error(err)
		}
		if _, err := os.Stat(g.Path()); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", g.Path(), err)
		}
	})
	return g
}

// cgroupRoot returns where a cgroup2 file system is mounted.
func cgroupRoot(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	t.Skip("no cgroup2 file system is mounted")
	return ""
}

// Whatever a process of a group does, it and all it has started end with it.
func TestCgroupKillsAllThatIsInIt(t *testing.T) {
	kerneltest.Since(t, "cgroup.kill", "5.14")
	g := newCgroup(t, linux.CgroupLimits{})
	c := child("grow a tree", "3")
	c.Cgroup = g.Dir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Files[1] = w
	p := start(t, c)
	w.Close()
	// Each writes a byte, and all of them hold the pipe.
	for n := 0; n < 1+2+4+8; {
		m, err := r.Read(make([]byte, 8))
		if err != nil {
			t.Fatal(err)
		}
		n += m
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	r.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := r.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a process of the group lives")
	}
	if s := wait(t, p); s.Signal() != unix.SIGKILL {
		t.Errorf("the first ended with %v, want that it was killed", s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := g.WaitEmpty(ctx); err != nil {
		t.Error(err)
	}
}

// grow a tree starts two processes in sessions of their own, which do the same,
// so many levels deep, then tells that it is there and sleeps.
var _ = helper("grow a tree", func(args []string) int {
	if level := args[0]; level != "0" {
		for range 2 {
			next := itoa(int(level[0]-'0') - 1)
			c := child("grow a tree", next)
			c.Setsid, c.Files = true, []*os.File{nil, os.Stdout, os.Stderr}
			if _, err := linux.Clone3(background, c); err != nil {
				return fail("%v", err)
			}
		}
	}
	os.Stdout.Write([]byte{1})
	time.Sleep(time.Hour)
	return 0
})

func TestCgroupFreezes(t *testing.T) {
	g := newCgroup(t, linux.CgroupLimits{})
	c := child("hold")
	c.Cgroup = g.Dir()
	p, release := held(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := g.Freeze(ctx); err != nil {
		t.Fatal(err)
	}
	release()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if s, err := p.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("frozen: got %v, %v, want that it does not end", s, err)
	}
	if err := g.Thaw(ctx); err != nil {
		t.Fatal(err)
	}
	if s := wait(t, p); !s.Success() {
		t.Errorf("thawed: got %v, want success", s)
	}
}

func TestCgroupLimits(t *testing.T) {
	needRoot(t)
	g := newCgroup(t, linux.CgroupLimits{Memory: 64 << 20, Processes: 30, CPUs: 0.5})
	for file, want := range map[string]string{"memory.max": "67108864", "pids.max": "30", "cpu.max": "50000 100000"} {
		got, err := os.ReadFile(g.Path() + "/" + file)
		if err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("%s: got %q, %v, want %q", file, got, err, want)
		}
	}
}

// Limits for the groups below one cannot be enabled while that has processes of
// its own. The error says so, and no group is left.
func TestCgroupLimitsBelowOneWithProcesses(t *testing.T) {
	needRoot(t)
	g := newCgroup(t, linux.CgroupLimits{Memory: 64 << 20})
	c := child("hold")
	c.Cgroup = g.Dir()
	p, release := held(t, c)
	const why = "has processes of its own: move them to a group below it"
	if _, err := linux.CreateCgroup(g.Path(), linux.CgroupLimits{Memory: 32 << 20}); !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), why) {
		t.Errorf("got error %v, want %v: %s", err, unix.EBUSY, why)
	}
	below, err := os.ReadDir(g.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range below {
		if e.IsDir() {
			t.Errorf("%s is left", e.Name())
		}
	}
	release()
	wait(t, p)
	g2, err := linux.CreateCgroup(g.Path(), linux.CgroupLimits{Memory: 32 << 20})
	if err != nil {
		t.Fatal("once it is empty: ", err)
	}
	if err := g2.Close(); err != nil {
		t.Error(err)
	}
}

func TestCgroupErrors(t *testing.T) {
	if _, err := linux.CreateCgroup(t.TempDir(), linux.CgroupLimits{}); err == nil || !strings.Contains(err.Error(), "cgroup2") {
		t.Errorf("a directory elsewhere: got error %v", err)
	}
	if _, err := linux.CreateCgroup("/no/such", linux.CgroupLimits{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: got error %v, want %v", err, os.ErrNotExist)
	}
	if _, err := linux.CreateCgroup("", linux.CgroupLimits{Memory: -1}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a negative limit: got error %v, want %v", err, unix.EINVAL)
	}
}

// Groups that a process has created below are removed too.
func TestCgroupCloseRemovesWhatIsBelow(t *testing.T) {
	g := newCgroup(t, linux.CgroupLimits{})
	if err := os.MkdirAll(g.Path()+"/a/b", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(g.Path()+"/c", 0o755); err != nil {
		t.Fatal(err)
	}
}

// Close is told nothing of how long it takes the processes to end, and removes
// their group in any case.
func TestCgroupCloseWaitsForTheEndOfAll(t *testing.T) {
	kerneltest.Since(t, "cgroup.kill", "5.14")
	g := newCgroup(t, linux.CgroupLimits{})
	c := child("grow a tree", "3")
	c.Cgroup = g.Dir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Files[1] = w
	start(t, c)
	w.Close()
	for n := 0; n < 1+2+4+8; { // each writes a byte
		m, err := r.Read(make([]byte, 8))
		if err != nil {
			t.Fatal(err)
		}
		n += m
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	r.SetReadDeadline(time.Now().Add(time.Second))
	if n, err := r.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("after Close a process of the group lives")
	}
}

func TestCgroupDir(t *testing.T) {
	for name, test := range map[string]struct{ mounts, groups, want string }{
		"version 2 alone": {
			"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
			"0::/user.slice/session-1.scope\n", "/sys/fs/cgroup/user.slice/session-1.scope"},
		"both versions": {
			"31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			"4:memory:/a\n0::/b\n", "/sys/fs/cgroup/unified/b"},
		"a part is mounted": {
			"30 23 0:26 /docker/1234 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
			"0::/docker/1234/x\n", "/sys/fs/cgroup/x"},
		"another part is mounted": {
			"30 23 0:26 /docker/5 /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "0::/docker/1234\n", ""},
		"a blank in the path": {
			`30 23 0:26 / /sys/my\040cgroup rw - cgroup2 cgroup rw` + "\n", "0::/\n", "/sys/my cgroup"},
		"none":        {"22 1 0:20 / /proc rw - proc proc rw\n", "0::/\n", ""},
		"version 1":   {"31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/a\n", ""},
		"not a mount": {"- cgroup2 x\n\n- \n", "0::/\n", ""},
	} {
		got, err := linux.CgroupDir(test.mounts, test.groups)
		if got != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, test.want)
		}
	}
}

// What is closed says so.
func TestClosedCgroup(t *testing.T) {
	g, err := linux.CreateCgroup(cgroup(t), linux.CgroupLimits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	self, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if err := g.Kill(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Kill: %v, want os.ErrClosed", err)
	}
	if _, err := linux.DupPidFD(g.Dir()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("DupPidFD: %v, want os.ErrClosed", err)
	}
	if _, err := self.KillTree(g.Dir()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("KillTree: %v, want os.ErrClosed", err)
	}
}
