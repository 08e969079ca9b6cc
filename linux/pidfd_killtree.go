//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// KillTree kills the process and its descendants. It reports whether it has
// reached all of them for sure.
//
// With a control group (version 2), an open directory that the process has been
// created in, all processes in it and below are killed, whatever they do
// meanwhile: cgroup.kill, Linux 5.14. If the process is the first of a PID
// namespace, as with NewPID, to kill it is enough. In both cases complete is
// true.
//
// With nil the processes below it are looked for in /proc, stopped, and killed
// when no more are found. A descendant whose parent has ended before that has
// been given another parent and is not found: complete is false, whatever has
// been found.
//
// This program is not killed where it is one of them, except with a control
// group. KillTree does not wait for any of them to end. If the process has ended
// already, its descendants have other parents: with nil, the error is
// os.ErrProcessDone.
func (f *PidFD) KillTree(cgroup *os.File) (complete bool, err error) {
	if f.isSelf() {
		return false, invalid("KillTree of Self")
	}
	if cgroup != nil {
		if err := killCgroup(cgroup); err != nil {
			return false, err
		}
		// It should be among them, and is meant to die in any case.
		if err := f.Signal(unix.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return false, err
		}
		return true, nil
	}
	info, err := f.FDInfo()
	if err != nil {
		return false, err
	}
	if n := len(info.NSPid); n > 1 && info.NSPid[n-1] == 1 {
		err := f.Signal(unix.SIGKILL)
		return err == nil, err
	}
	return false, f.killFound()
}

// killCgroup kills all processes of a control group.
func killCgroup(dir *os.File) error {
	name := dir.Name() + "/cgroup.kill"
	err := control(dir, func(fd int) error {
		kill, err := unix.Openat(fd, "cgroup.kill", unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &fs.PathError{Op: "open", Path: name, Err: err}
		}
		defer unix.Close(kill)
		if _, err := unix.Write(kill, []byte("1")); err != nil {
			return &fs.PathError{Op: "write", Path: name, Err: err}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return &UnsupportedError{Feature: "cgroup.kill", Release: "5.14", Reason: name + " does not exist", Err: err}
	}
	return err
}

const (
	stopRounds = 100                  // how often to look whether all are stopped
	stopPause  = 2 * time.Millisecond // between two looks
)

// killFound kills the process and its descendants as far as they are found.
//
// They are all stopped first, so that none creates another or loses its parent
// while they are looked for. A process stops soon after it has been told to, and
// may create one until then, so it takes a look at all of them stopped to know
// that these are all.
func (f *PidFD) killFound() error {
	pid, err := f.Pid()
	if err != nil {
		return err
	}
	found := map[int]*PidFD{pid: f}
	defer func() {
		for _, g := range found {
			if g != f {
				g.Close()
			}
		}
	}()
	if err := f.Signal(unix.SIGSTOP); err != nil {
		return err
	}
	for range stopRounds {
		processes, err := processTable()
		if err != nil {
			break // and kill those that are known
		}
		if !addChildren(found, processes) && allStopped(found, processes) {
			break
		}
		time.Sleep(stopPause)
	}
	for p, g := range found {
		if e := g.Signal(unix.SIGKILL); e != nil && !errors.Is(e, os.ErrProcessDone) && err == nil {
			err = fmt.Errorf("linux: kill process %d: %w", p, e)
		}
	}
	return err
}

// addChildren stops and adds the processes whose parent is among those found. It
// reports whether there was one.
func addChildren(found map[int]*PidFD, processes map[int]procStat) (added bool) {
	for again := true; again; {
		again = false
		for pid, stat := range processes {
			if found[pid] != nil || found[stat.ppid] == nil || stat.state == 'Z' || pid == os.Getpid() {
				continue
			}
			g, err := openChild(pid, stat.ppid)
			if err != nil {
				continue // it has ended
			}
			g.Signal(unix.SIGSTOP)
			found[pid] = g
			added, again = true, true
		}
	}
	return added
}

// openChild opens a process if it is a child of another. What /proc tells is of
// the process that is open if that has not been reaped afterwards.
func openChild(pid, ppid int) (*PidFD, error) {
	g, err := OpenPidFD(pid)
	if err != nil {
		return nil, err
	}
	stat, err := readStat(pid)
	if err == nil && stat.ppid != ppid {
		err = unix.ECHILD
	}
	if err == nil {
		if err = g.Signal(0); errors.Is(err, fs.ErrPermission) {
			err = nil // it is there
		}
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// allStopped reports whether no process found can create another one.
func allStopped(found map[int]*PidFD, processes map[int]procStat) bool {
	for pid := range found {
		switch stat, ok := processes[pid]; {
		case !ok:
		case stat.state != 'T' && stat.state != 't' && stat.state != 'Z' && stat.state != 'X':
			return false
		}
	}
	return true
}

// A procStat is what is of interest of /proc/PID/stat.
type procStat struct {
	state byte
	ppid  int
}

// processTable reads /proc.
func processTable() (map[int]procStat, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	table := make(map[int]procStat, len(entries))
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if stat, err := readStat(pid); err == nil {
			table[pid] = stat
		}
	}
	return table, nil
}

func readStat(pid int) (procStat, error) {
	text, err := readFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, err
	}
	return parseStat(string(text))
}

// parseStat reads "PID (NAME) STATE PPID ...". The name may hold anything.
func parseStat(text string) (procStat, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 2 || len(fields[0]) != 1 {
		return procStat{}, invalid("%q is not of /proc/PID/stat", text)
	}
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		return procStat{}, invalid("%q is not of /proc/PID/stat: %v", text, err)
	}
	return procStat{fields[0][0], ppid}, nil
}
