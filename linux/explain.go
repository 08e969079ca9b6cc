//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// explain returns an error for what clone3, or clone, has answered: what the
// number means to a caller who has described c.
func explain(c *Child, call string, errno syscall.Errno) error {
	why := ""
	switch errno {
	case syscall.EINVAL:
		if err := Probe(c.flags() &^ NoNewPrivs); errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		if len(c.SetTID) > 0 {
			why = "SetTID: more numbers than PID namespaces, or a number out of range"
		}
	case syscall.E2BIG: // before Linux 5.7 there was no field for it
		if c.Cgroup != nil {
			return &UnsupportedError{Feature: "IntoCgroup", Release: "5.7", Err: errno}
		}
	case syscall.EPERM:
		why = missingPrivilege(c)
	case syscall.EEXIST:
		why = "SetTID: the process ID is in use"
	case syscall.EAGAIN:
		why = tooMany(c)
	case syscall.ENOSPC:
		if news := c.Flags & (namespaces | EmptyMount); news != 0 {
			why = news.String() + ": too many namespaces, or too deeply nested: see /proc/sys/user/max_*_namespaces"
		}
	}
	if why == "" && c.Cgroup != nil {
		reason := cgroupReasons[errno]
		if errno == unix.ENOENT && unix.Faccessat(int(c.Cgroup.Fd()), "cgroup.procs", unix.F_OK, 0) != nil {
			reason = cgroupReasons[unix.ENODEV] // which is the answer only to who comes at the same moment
		}
		if reason != "" {
			why = "Cgroup " + c.Cgroup.Name() + " " + reason
		}
	}
	if why == "" {
		return os.NewSyscallError(call, errno)
	}
	return &pidfdError{call, why, errno}
}

// explainStep adds to the error of a step what its number means there, if that is
// not what it mostly means.
func explainStep(c *Child, err error) error {
	e, ok := err.(*StepError)
	if !ok {
		return err
	}
	if lacks, ok := e.Err.(*UnsupportedError); ok && lacks.Feature == "SchedExt" {
		lacks.Reason = "the kernel is older than Linux 6.12, or built without CONFIG_SCHED_CLASS_EXT"
		return e
	}
	why := ""
	switch {
	case e.Kind == StepExec && c.NoFileSystem && strings.HasPrefix(e.Step, "exec ") && (e.Errno == unix.EOPNOTSUPP || e.Errno == unix.ENOENT):
		why = "without a file system (NoFileSystem) its interpreter is not found: the program has to be statically linked"
	case e.Kind == StepExec && e.Errno == unix.EACCES:
		why = fencedOff(c)
	case e.Kind == StepNoFileSystem && e.Errno == unix.EPERM:
		why = "this program is in a chroot, or the child has neither NoNewPrivs nor CAP_SYS_CHROOT"
	case e.Kind == StepSeccomp && c.Listen && e.Errno == unix.EBUSY:
		why = "this program is itself under a filter that has a listener, and the kernel allows one"
	case e.Kind == StepPriority && c.Scheduler != nil && c.Scheduler.Policy == SchedDeadline && e.Errno == unix.EBUSY:
		why = "there is not enough processor time left for its Runtime"
	}
	if why != "" {
		if pe, ok := e.Err.(*fs.PathError); ok {
			e.Err = &fs.PathError{Op: pe.Op, Path: pe.Path, Err: &reasonError{why, e.Errno}}
		} else {
			e.Err = &reasonError{why, e.Errno}
		}
	}
	return e
}

// A reasonError says what an error number means where it was met.
type reasonError struct {
	why   string
	errno syscall.Errno
}

func (e *reasonError) Error() string { return e.errno.Error() + ": " + e.why }

// Is finds the number, and what that stands for; but not that the kernel lacks
// something, which EOPNOTSUPP would say.
func (e *reasonError) Is(target error) bool {
	return target == e.errno || target != errors.ErrUnsupported && e.errno.Is(target)
}

func (e *reasonError) As(target any) bool {
	errno, ok := target.(*syscall.Errno)
	if ok {
		*errno = e.errno
	}
	return ok
}

// cgroupReasons say what is the matter with Child.Cgroup: cgroups(7), and
// Documentation/admin-guide/cgroup-v2.rst of the kernel.
var cgroupReasons = map[syscall.Errno]string{
	unix.EBADF:      "is not a directory of a cgroup2 file system",
	unix.EACCES:     "must not be entered: this program may not write cgroup.procs there, or in the group that both are below",
	unix.ENOENT:     "has been removed, or is outside of the cgroup namespace of this program",
	unix.ENODEV:     "has been removed",
	unix.EBUSY:      "has controllers for its children enabled, and so takes no processes: create a group below it",
	unix.EOPNOTSUPP: "is of type \"domain invalid\": its cgroup.type has to be set to threaded first, or another group taken",
}

// missingPrivilege says what may be missing for a child that was denied.
func missingPrivilege(c *Child) string {
	switch {
	case c.Flags.has(AutoKill) && !c.Flags.has(NoNewPrivs):
		return "AutoKill without NoNewPrivs needs CAP_SYS_ADMIN"
	case len(c.SetTID) > 0:
		return "SetTID needs CAP_CHECKPOINT_RESTORE"
	case c.Flags.has(NewUser):
		return "NewUser is denied, by a limit of the system (kernel.unprivileged_userns_clone, a security module), or as this program is in a chroot"
	case c.Flags&namespaces != 0:
		return (c.Flags & namespaces).String() + " without NewUser needs CAP_SYS_ADMIN"
	case c.Flags.has(EmptyMount):
		return "EmptyMount without NewUser needs CAP_SYS_ADMIN"
	}
	return ""
}

// tooMany says which limit on processes is reached, as far as that can be known:
// the kernel has one answer for all.
func tooMany(c *Child) string {
	if c.Cgroup != nil {
		dir := int(c.Cgroup.Fd())
		current, err1 := readNumberAt(dir, "pids.current")
		limit, err2 := readNumberAt(dir, "pids.max")
		if err1 == nil && err2 == nil && current >= limit {
			return fmt.Sprintf("Cgroup %s has %d processes, and pids.max is %d", c.Cgroup.Name(), current, limit)
		}
	}
	why := "too many processes: "
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &lim) == nil && lim.Cur != unix.RLIM_INFINITY {
		why += fmt.Sprintf("RLIMIT_NPROC of this user is %d, ", lim.Cur)
	}
	return why + "pids.max of this control group or of one above it, or kernel.threads-max or kernel.pid_max"
}

// readNumberAt reads a file with a number in a directory.
func readNumberAt(dir int, name string) (uint64, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	var b [32]byte
	n, err := f.Read(b[:])
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(b[:n])), 10, 64)
}
