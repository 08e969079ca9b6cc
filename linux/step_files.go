//go:build linux

package linux

import (
	"os"
	"slices"
	"sync/atomic"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// null is the descriptor of /dev/null and 1, once opened. It is the file of all
// children that are given none, and never closed.
var null atomic.Int32

// devNull returns the descriptor of /dev/null. A program that closes descriptors
// which it does not know may have closed this one too, and opened something
// else by its number: so it is looked at each time.
func devNull() (int, error) {
	if fd := int(null.Load()) - 1; fd >= 0 {
		if is, err := isNull(fd); err != nil {
			return -1, err
		} else if is {
			return fd, nil
		}
		null.CompareAndSwap(int32(fd)+1, 0)
	}
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	if null.CompareAndSwap(0, int32(fd)+1) {
		return fd, nil
	}
	unix.Close(fd) // another goroutine was faster
	return devNull()
}

// isNull reports whether a descriptor is that of /dev/null, open for both
// reading and writing. An error says that this cannot be known now: it is no
// reason to give the descriptor up, which nobody would close then.
func isNull(fd int) (is bool, err error) {
	call := "fstat"
	var stat unix.Stat_t
	var flags int
	if err = unix.Fstat(fd, &stat); err == nil {
		call = "fcntl"
		flags, err = unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	}
	switch err {
	case nil:
		const null = 1<<8 | 3 // as the kernel numbers devices
		return flags&unix.O_ACCMODE == unix.O_RDWR && stat.Mode&unix.S_IFMT == unix.S_IFCHR && uint64(stat.Rdev) == null, nil
	case unix.EBADF:
		return false, nil
	}
	return false, &os.PathError{Op: call, Path: os.DevNull, Err: err}
}

// descriptor returns the descriptor of a file that is lent to the child.
func descriptor(field string, f *os.File) (int, error) {
	fd := f.Fd()
	if int(fd) < 0 {
		return -1, &fileError{field, f.Name()}
	}
	return int(fd), nil
}

// A fileError says that a file given to a child is closed.
type fileError struct{ field, name string }

func (e *fileError) Error() string { return "linux: Child." + e.field + " " + e.name + " is closed" }

func (e *fileError) Unwrap() error { return os.ErrClosed }

// lowNull is how low the number of /dev/null has to be for a child to begin with
// it. The smallest table of descriptors has so many places; to copy one that is
// larger takes longer than to open /dev/null once more.
const lowNull = 64

// toOpen stands for /dev/null among the files, if the child opens it.
const toOpen = -2

// nullFile returns the descriptor of /dev/null, or toOpen. It is high in a
// program that has opened many others before its first child.
func (p *plan) nullFile(c *Child) (int, error) {
	fd, err := devNull()
	if err == nil && fd >= lowNull && p.how.sharesFiles(c) && !p.how.keepNull && !c.Flags.has(EmptyMount) {
		return toOpen, nil
	}
	return fd, err
}

// openNull lets the child open /dev/null, if it has to. All descriptors that it
// does not need are closed, so the number is known.
func (p *plan) openNull() {
	number := 0
	for _, fd := range p.needed {
		if fd == number {
			number++
		}
	}
	p.Demand(uintptr(number), labelPath(StepFiles, "open", os.DevNull),
		uapi.SYS_OPENAT, openAtCwd, p.CString(os.DevNull), unix.O_RDWR|unix.O_CLOEXEC)
	for i, fd := range p.files {
		if fd == toOpen {
			p.files[i] = number
		}
	}
	p.need(number)
}

// openAtCwd is AT_FDCWD as a word.
const openAtCwd = ^uintptr(0) - 99

// failedToOpenNull reports whether a child has failed to: this program may have
// been denied it since it has done so itself.
func failedToOpenNull(f table.Failure) bool {
	return f.Label.Kind == int(StepFiles) && f.Label.Verb == "open" && f.Errno() != 0
}

// findFiles notes which descriptors of this program the child needs, and for
// what.
func (p *plan) findFiles(c *Child) error {
	null := -1 // until one is needed
	for i := range max(len(c.Files), 3) {
		fd, err := -1, error(nil)
		switch {
		case i < len(c.Files) && c.Files[i] != nil:
			fd, err = descriptor("Files", c.Files[i])
		case i < 3:
			if null == -1 {
				null, err = p.nullFile(c)
			}
			fd = null
		}
		if err != nil {
			return err
		}
		p.files = append(p.files, fd)
		p.need(fd)
	}
	if c.Exec != nil {
		fd, err := descriptor("Exec", c.Exec)
		if err != nil {
			return err
		}
		p.program = fd
		p.need(fd)
	}
	if c.LandlockRuleset != nil {
		fd, err := descriptor("LandlockRuleset", c.LandlockRuleset)
		if err != nil {
			return err
		}
		p.ruleset = fd
		p.need(fd)
	}
	if c.Foreground {
		p.need(c.Ctty)
	}
	return nil
}

// need notes a descriptor of this program that the child needs.
func (p *plan) need(fd int) {
	if i, found := slices.BinarySearch(p.needed, fd); fd >= 0 && !found {
		p.needed = slices.Insert(p.needed, i, fd)
	}
}

// sharesFiles reports whether the child begins with the descriptors of this
// program instead of copies. To copy them takes as long as there are many.
func (h how) sharesFiles(c *Child) bool { return !c.InheritFiles && !h.listFiles }

// spareCloses is how many more descriptors than are open now a child can close
// that lists them.
const spareCloses = 64

// unshareFiles lets the child have descriptors of its own, and no others than it
// needs. That is done first: nobody else's are kept open by a child that is
// stopped on its way to its program, such as the handle of a child with
// AutoKill, or a file that is being written and about to be executed.
func (p *plan) unshareFiles(c *Child) error {
	if c.InheritFiles {
		p.closeLethal()
		return nil
	}
	l := label(StepFiles, "close all other descriptors")
	if p.how.listFiles {
		// The child has copies, which this program lists when it is at the
		// gate.
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return &UnsupportedError{Feature: "a Child without InheritFiles", Release: "5.9", Err: err,
				Reason: "the kernel is older than Linux 5.9, or a seccomp filter hides close_range, and there is no /proc to list descriptors"}
		}
		p.waitAtGate(c)
		for range len(open) + spareCloses {
			p.spare = append(p.spare, p.Try(l, uapi.SYS_CLOSE, ^uintptr(0)))
		}
		return nil
	}
	// What is above the highest is not even copied.
	highest := -1
	if n := len(p.needed); n > 0 {
		highest = p.needed[n-1]
	}
	p.closeRange(l, highest+1, -1, unix.CLOSE_RANGE_UNSHARE)
	// Below the places of files there is nothing worth closing: they are about
	// to be taken. But a child with AutoKill must not have its own handle.
	next := len(p.files)
	opens := slices.Contains(p.files, toOpen)
	if c.Flags.has(AutoKill) || opens {
		next = 0
	}
	for _, fd := range p.needed {
		if fd > next {
			p.closeRange(l, next, fd-1, 0)
		}
		next = max(next, fd+1)
	}
	if opens {
		p.openNull()
	}
	return nil
}

// closeLethal closes the handles of children with AutoKill that the child has
// copies of: it might stand still for long, and they are to die with this
// program. None of them is closed, and its number used again, as long as
// ForkLock is held.
func (p *plan) closeLethal() {
	fds := lethal.list()
	for i := 0; i < len(fds); {
		n := 1
		for i+n < len(fds) && fds[i+n] == fds[i]+n {
			n++
		}
		p.Try(label(StepFiles, "close the handles of other children"), uapi.SYS_CLOSE_RANGE, uintptr(fds[i]), uintptr(fds[i]+n-1), 0)
		i += n
	}
}

// closeRange closes descriptors from first to last, or with -1 all from first.
func (p *plan) closeRange(l table.Label, first, last int, flags uintptr) {
	p.Call(l, uapi.SYS_CLOSE_RANGE, uintptr(first), uintptr(uint32(last)), flags)
}

// closeListed lets the child close those of the descriptors open in it that it
// does not need. It waits at the gate meanwhile.
func (p *plan) closeListed(open []int) error {
	next := 0
	for _, fd := range open {
		if _, needed := slices.BinarySearch(p.needed, fd); needed {
			continue
		}
		if next == len(p.spare) {
			return &StepError{Kind: StepFiles, Step: "close all other descriptors", Errno: unix.EAGAIN, Err: unix.EAGAIN}
		}
		p.SetArgs(p.spare[next], uintptr(fd))
		next++
	}
	return nil
}

// placeFiles makes the files the descriptors 0, 1, 2 and so on, and closes what
// has served to do so.
func (p *plan) placeFiles(c *Child) error {
	n := len(p.files)
	free := n // which may be, in a child that knows what it has
	moved := func(fd int) int {
		l := labelN(StepFiles, "move descriptor %d", fd)
		if c.InheritFiles {
			return p.Call(l, uapi.SYS_FCNTL, uintptr(fd), unix.F_DUPFD_CLOEXEC, uintptr(n))
		}
		for ; slices.Contains(p.needed, free); free++ {
		}
		free++
		return p.Call(l, uapi.SYS_DUP3, uintptr(fd), uintptr(free-1), unix.O_CLOEXEC)
	}

	// A file whose number is below its place would be overwritten before it
	// has come there, unless that number is a place of its own too. It makes
	// way to a number above all places, as does the program.
	from := make([]int, 0, 16)
	for i, fd := range p.files {
		call := 0
		if 0 <= fd && fd < i && p.files[fd] != fd {
			call = moved(fd)
		}
		from = append(from, call)
	}
	if 0 <= p.program && p.program < n {
		p.programs = moved(p.program)
	}
	for i, fd := range p.files {
		switch {
		case fd < 0:
			p.Try(labelN(StepFiles, "close descriptor %d", i), uapi.SYS_CLOSE, uintptr(i))
		case fd == i:
			p.Call(labelN(StepFiles, "keep descriptor %d", i), uapi.SYS_FCNTL, uintptr(i), unix.F_SETFD, 0)
		default:
			call := p.Call(labelN(StepFiles, "place descriptor %d", i), uapi.SYS_DUP3, uintptr(fd), uintptr(i), 0)
			if from[i] > 0 {
				p.Pass(from[i], call, 0)
			}
		}
	}
	if c.InheritFiles {
		return nil
	}
	for _, fd := range p.needed {
		if fd >= n && fd != p.program && !(c.Listen && fd == p.gate.there) {
			p.Try(labelN(StepFiles, "close descriptor %d", fd), uapi.SYS_CLOSE, uintptr(fd))
		}
	}
	return nil
}
