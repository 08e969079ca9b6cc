//go:build linux

package linux

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// An Orphan is a process that this program has inherited, and that has ended.
type Orphan struct {
	Pid    int // which is free to be another process's by now
	Status ExitStatus
	Rusage Rusage
}

// ReapOrphans lets this program inherit what its descendants leave behind, and reaps
// it in the background until ctx ends. From its return on nothing below this program
// that loses its parent is missed. Each Orphan is told to reaped, unless that is nil,
// by one goroutine. Once that has come to its end, done receives why: what
// context.Cause returns, or what has failed.
//
// A process whose parent ends gets another: the first of its PID namespace, as
// the program of a container is, or below that the nearest child subreaper. Who
// inherits is to reap, or zombies remain. Until done receives, this program is a child
// subreaper. It is to be called before this program can inherit
// anything else than it started itself, and once at a time.
//
// The children that this program starts itself are left to whoever waits for
// them: a zombie is taken for inherited if it hangs on the first thread of this
// program, where the kernel puts it, and nobody in this program has a pidfd of
// it, as package linux, os and os/exec have of all that they start. A child that
// was started by other means (syscall.ForkExec, C) on the first thread, which may
// be any goroutine's, cannot be told from an orphan.
//
// Where the kernel lists no children of threads (CONFIG_PROC_CHILDREN), pidfds
// alone decide. /proc is needed, and a handler of SIGCHLD is set with os/signal.
// PR_SET_CHILD_SUBREAPER(2const), Linux 3.4; pidfd_open(2), Linux 5.3.
func ReapOrphans(ctx context.Context, reaped func(Orphan)) (done <-chan error, err error) {
	restore, err := becomeSubreaper()
	if err != nil {
		return nil, err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	why := make(chan error, 1)
	go func() {
		err := reapUntil(ctx, ended, reaped)
		signal.Stop(ended)
		restore()
		why <- err
	}()
	return why, nil
}

// reapUntil is ReapOrphans in its goroutine: ended tells of children.
func reapUntil(ctx context.Context, ended <-chan os.Signal, reaped func(Orphan)) error {
	// A signal that comes while the channel is full is none too few, but there is
	// no harm in looking.
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for {
			orphans, err := reapOrphans()
			for _, o := range orphans {
				if reaped != nil {
					reaped(o)
				}
			}
			if err != nil {
				return err
			}
			if len(orphans) == 0 {
				break
			}
		}
		select {
		case <-ended:
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// becomeSubreaper makes this program inherit the orphans below it. restore undoes
// that.
func becomeSubreaper() (restore func(), err error) {
	var was int32
	if err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&was)), 0, 0, 0); err != nil {
		return nil, os.NewSyscallError("prctl", err)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, os.NewSyscallError("prctl", err)
	}
	return func() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, uintptr(was), 0, 0, 0) }, nil
}

// reapOrphans reaps the orphans that have ended by now.
func reapOrphans() ([]Orphan, error) {
	children, err := firstThreadsChildren()
	if err != nil {
		return nil, err
	}
	// Each is opened before it is looked who else has it open: whoever waits for
	// it reaps it before closing, and then there is nothing to reap here.
	zombies := map[uint64]int{} // to their pidfds
	defer func() {
		for _, fd := range zombies {
			unix.Close(fd)
		}
	}()
	for _, pid := range children {
		if !isZombie(pid) {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err == unix.ESRCH || err == unix.EINVAL {
			continue // somebody has reaped it
		}
		if err != nil {
			return nil, os.NewSyscallError("pidfd_open", err)
		}
		zombies[identify(fd)] = fd
	}
	if len(zombies) == 0 {
		return nil, nil
	}
	owned, err := openElsewhere(zombies)
	if err != nil {
		return nil, err
	}
	var orphans []Orphan
	for id, fd := range zombies {
		if owned[id] {
			continue
		}
		var info childInfo
		var o Orphan
		if errno := waitid(fd, &info, unix.WNOHANG, &o.Rusage); errno == 0 && info.pid() != 0 {
			o.Pid, o.Status = int(info.pid()), info.status()
			orphans = append(orphans, o)
		}
	}
	return orphans, nil
}

// firstThreadsChildren lists the children that hang on the first thread, where
// the kernel puts orphans. A child of another thread was started by this program.
func firstThreadsChildren() ([]int, error) {
	pid := strconv.Itoa(os.Getpid())
	text, err := readFile("/proc/self/task/" + pid + "/children")
	if errors.Is(err, fs.ErrNotExist) {
		return allChildren()
	}
	if err != nil {
		return nil, err
	}
	var children []int
	for s := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(s); err == nil {
			children = append(children, n)
		}
	}
	return children, nil
}

// allChildren lists the children of all threads.
func allChildren() ([]int, error) {
	processes, err := processTable()
	if err != nil {
		return nil, err
	}
	var children []int
	for pid, stat := range processes {
		if stat.ppid == os.Getpid() {
			children = append(children, pid)
		}
	}
	slices.Sort(children)
	return children, nil
}

// isZombie reports whether a child has ended, and leaves it as it is.
func isZombie(pid int) bool {
	var info childInfo
	for {
		_, _, errno := syscall.RawSyscall6(uapi.SYS_WAITID, unix.P_PID, uintptr(pid), uintptr(unsafe.Pointer(&info)),
			unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0 && info.pid() != 0
		}
	}
}

// identify returns a number of the process that a pidfd is of, which no other
// process has as long as this one is not reaped. It is 0 for other descriptors.
func identify(fd int) uint64 {
	if Supported(OpID) == nil { // the inode number
		if checkPidFD(fd) != nil {
			return 0
		}
		id, _ := inode(fd)
		return id
	}
	target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil || !strings.Contains(target, "pidfd") {
		return 0
	}
	info, _ := fdInfo(fd)
	return uint64(max(info.Pid, 0))
}

// openElsewhere lists the processes that this program has open by other
// descriptors than those given.
func openElsewhere(given map[uint64]int) (map[uint64]bool, error) {
	mine := map[int]bool{}
	for _, fd := range given {
		mine[fd] = true
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	open := map[uint64]bool{}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && !mine[fd] {
			open[identify(fd)] = true
		}
	}
	return open, nil
}
