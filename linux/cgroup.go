//go:build linux

package linux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Cgroup is a control group (version 2) that this program has created for
// children: with [Child].Cgroup set to its Dir they are born in it, and what they
// start is in it too, whatever it does to get away. So it is the means to kill,
// stop and limit a whole tree of processes. cgroups(7).
//
// A Cgroup is to be closed. All methods can be called concurrently.
type Cgroup struct{ dir *os.File }

// CgroupLimits limit what the processes of a [Cgroup] use together. A zero field
// is no limit. Each needs its controller, which CreateCgroup enables for the groups
// below the parent; the kernel allows that if the parent has no processes of its
// own.
type CgroupLimits struct {
	Memory    int64   // bytes: memory.max
	Processes int64   // and threads: pids.max
	CPUs      float64 // of processor time a second: cpu.max
}

// CreateCgroup creates a control group below parent, which is the directory of one.
// If parent is empty it is the group that this program is in.
//
// It needs the right to write there: root has it, and others in a group that was
// delegated to them, as systemd does for each user. The error is a
// *fs.PathError, or says why a limit cannot be set; nothing is left then. If
// there is no cgroup2 file system it is an [UnsupportedError].
// cgroups(7), Linux 4.5.
func CreateCgroup(parent string, limits CgroupLimits) (*Cgroup, error) {
	if limits.Memory < 0 || limits.Processes < 0 || limits.CPUs < 0 {
		return nil, invalid("CgroupLimits %+v: no limit is negative", limits)
	}
	if parent == "" {
		var err error
		if parent, err = ownCgroup(); err != nil {
			return nil, err
		}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(parent, &fs); err != nil {
		return nil, &os.PathError{Op: "statfs", Path: parent, Err: err}
	}
	if int64(fs.Type) != unix.CGROUP2_SUPER_MAGIC {
		return nil, invalid("CreateCgroup: %s is not in a cgroup2 file system", parent)
	}
	path, err := os.MkdirTemp(parent, "clone3-*")
	if err != nil {
		return nil, err
	}
	if err := limits.set(parent, path); err != nil {
		os.Remove(path)
		return nil, err
	}
	dir, err := os.Open(path)
	if err != nil {
		os.Remove(path)
		return nil, err
	}
	return &Cgroup{dir}, nil
}

// set writes the limits of a group.
func (l CgroupLimits) set(parent, path string) error {
	const period = 100_000 // microseconds, what the kernel has as well
	for _, f := range []struct {
		controller, file, value string
		set                     bool
	}{
		{"memory", "memory.max", strconv.FormatInt(l.Memory, 10), l.Memory > 0},
		{"pids", "pids.max", strconv.FormatInt(l.Processes, 10), l.Processes > 0},
		{"cpu", "cpu.max", fmt.Sprintf("%d %d", int64(l.CPUs*period), period), l.CPUs > 0},
	} {
		if !f.set {
			continue
		}
		name := path + "/" + f.file
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			if err := enable(parent, f.controller); err != nil {
				return err
			}
		}
		if err := os.WriteFile(name, []byte(f.value), 0); err != nil {
			return err
		}
	}
	return nil
}

// enable enables a controller for the groups below one.
func enable(parent, controller string) error {
	available, err := readFile(parent + "/cgroup.controllers")
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(string(available)), controller) {
		return &UnsupportedError{Feature: "the " + controller + " controller", Err: unix.ENOENT,
			Reason: parent + "/cgroup.controllers does not list it: it is not enabled above, or used by version 1"}
	}
	err = os.WriteFile(parent+"/cgroup.subtree_control", []byte("+"+controller), 0)
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("linux: the %s controller cannot be enabled below %s, which has processes of its own: move them to a group below it, or take another parent: %w",
			controller, parent, err)
	}
	return err
}

// ownCgroup returns the directory of the group that this program is in.
func ownCgroup() (string, error) {
	mounts, err := readFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	groups, err := readFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	dir, err := cgroupDir(string(mounts), string(groups))
	if err != nil {
		return "", err
	}
	return dir, nil
}

// cgroupDir finds the directory of a group in the texts of /proc/self/mountinfo
// and /proc/self/cgroup.
func cgroupDir(mounts, groups string) (string, error) {
	unsupported := func(why string) error {
		return &UnsupportedError{Feature: "a control group of version 2", Release: "4.5", Reason: why, Err: unix.ENOENT}
	}
	group, found := "", false
	for line := range strings.Lines(groups) {
		if g, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			group, found = strings.TrimSuffix(g, " (deleted)"), true
		}
	}
	if !found {
		return "", unsupported("/proc/self/cgroup has none")
	}
	for line := range strings.Lines(mounts) {
		// ID, parent, device, root, mount point, options... - type...
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if len(fields) < 5 || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		root, point := unescape(fields[3]), unescape(fields[4])
		if below, err := filepath.Rel(root, group); err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return filepath.Join(point, below), nil
		}
	}
	return "", unsupported("no cgroup2 file system is mounted that has this program's group")
}

// unescape undoes what the kernel does to blanks in /proc/self/mountinfo.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// Dir lends the directory of the group, for [Child].Cgroup. Close closes it.
func (g *Cgroup) Dir() *os.File { return g.dir }

// Path returns the path of the directory.
func (g *Cgroup) Path() string { return g.dir.Name() }

// Kill kills all processes in the group and below, whatever they do meanwhile.
// It does not wait for their end. cgroup.kill, Linux 5.14.
func (g *Cgroup) Kill() error { return killCgroup(g.dir) }

// Freeze stops all processes in the group and below, and waits until all are.
// They can be killed. A child created in a frozen group does not start before
// Thaw. If ctx ends first, Freeze returns its error, and the group may still
// come to be frozen. cgroup.freeze, Linux 5.2.
func (g *Cgroup) Freeze(ctx context.Context) error { return g.freeze(ctx, "1") }

// Thaw lets the processes of a frozen group go on.
func (g *Cgroup) Thaw(ctx context.Context) error { return g.freeze(ctx, "0") }

func (g *Cgroup) freeze(ctx context.Context, want string) error {
	if err := os.WriteFile(g.Path()+"/cgroup.freeze", []byte(want), 0); err != nil {
		return err
	}
	return g.await(ctx, "frozen "+want)
}

// WaitEmpty waits until there is no process in the group and below. If ctx ends
// first, WaitEmpty returns its error.
func (g *Cgroup) WaitEmpty(ctx context.Context) error { return g.await(ctx, "populated 0") }

// await waits for a line in the group's events.
func (g *Cgroup) await(ctx context.Context, line string) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		events, err := readFile(g.Path() + "/cgroup.events")
		if err != nil {
			return err
		}
		if slices.Contains(strings.Split(string(events), "\n"), line) {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Close kills all processes in the group and below, waits until they are gone,
// for ten seconds at most, and removes the group with those that its processes
// have created below it. If it fails it can be called again. Zombies do not keep
// a group from being removed.
func (g *Cgroup) Close() error {
	if _, err := os.Stat(g.Path()); errors.Is(err, fs.ErrNotExist) {
		return g.dir.Close() // somebody else has removed it
	}
	if err := g.Kill(); err != nil && removeCgroup(g.Path()) != nil { // there is somebody in it
		return err
	} else if err != nil {
		return g.dir.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := g.WaitEmpty(ctx); err != nil {
		return fmt.Errorf("linux: %s still has processes: %w", g.Path(), err)
	}
	if err := removeCgroup(g.Path()); err != nil {
		return err
	}
	return g.dir.Close()
}

// removeCgroup removes an empty group, and those below it before. It is no error if
// somebody else removes one of them meanwhile.
func removeCgroup(path string) error {
	if err := syscall.Rmdir(path); err == nil || err == syscall.ENOENT {
		return nil
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeCgroup(path + "/" + e.Name()); err != nil {
				return err
			}
		}
	}
	err = syscall.Rmdir(path)
	if err == syscall.ENOENT {
		err = nil
	}
	return syscallPath("rmdir", path, err)
}

func syscallPath(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
