//go:build linux

package linux

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// An FDInfo is what /proc/self/fdinfo tells of a pidfd.
type FDInfo struct {
	// Pid is the process ID: -1 if the process has been reaped, 0 if it is
	// outside of the PID namespace that /proc shows.
	Pid int

	// NSPid are its IDs in that PID namespace, which is Pid, and in those
	// nested in it, down to its own: the last of a container's init is 1.
	NSPid []int
}

// FDInfo reads what /proc tells of the handle. /proc/self/fdinfo, Linux 5.2.
func (f *PidFD) FDInfo() (FDInfo, error) {
	fd, err := f.descriptor("FDInfo")
	if err != nil {
		return FDInfo{}, err
	}
	defer f.done()
	return fdInfo(fd)
}

func fdInfo(fd int) (FDInfo, error) {
	// Threads of a program can have different descriptors.
	text, err := readFile(fmt.Sprintf("/proc/thread-self/fdinfo/%d", fd))
	if err != nil {
		return FDInfo{}, err
	}
	return parseFDInfo(string(text))
}

// Pid returns the process ID, in this program's PID namespace. It is a number to
// print: the process may end, and another one get it. From Linux 6.13 it is that
// of Info, before it is that of FDInfo. The error is os.ErrProcessDone for a
// process that has been reaped.
func (f *PidFD) Pid() (int, error) {
	if f.isSelf() {
		return os.Getpid(), nil
	}
	info, err := f.Info()
	if err == nil {
		if !info.Has(InfoPID) {
			return 0, os.ErrProcessDone
		}
		return info.Pid, nil
	}
	if _, old := err.(*UnsupportedError); !old {
		return 0, err
	}
	fdinfo, err := f.FDInfo()
	switch {
	case err != nil:
		return 0, err
	case fdinfo.Pid < 0:
		return 0, os.ErrProcessDone
	case fdinfo.Pid == 0:
		return 0, invalid("the process is outside of this PID namespace")
	}
	return fdinfo.Pid, nil
}

func parseFDInfo(text string) (FDInfo, error) {
	var info FDInfo
	found := false
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "Pid":
			pid, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				return FDInfo{}, fmt.Errorf("linux: fdinfo: %w", err)
			}
			info.Pid, found = pid, true
		case "NSpid":
			info.NSPid = nil
			for _, s := range strings.Fields(value) {
				pid, err := strconv.Atoi(s)
				if err != nil {
					return FDInfo{}, fmt.Errorf("linux: fdinfo: %w", err)
				}
				info.NSPid = append(info.NSPid, pid)
			}
		}
	}
	if !found {
		return FDInfo{}, invalid("fdinfo has no Pid: not that of a pidfd")
	}
	return info, nil
}
