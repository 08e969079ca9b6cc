//go:build linux

package linux

import (
	"os"
	"sync"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// devNull opens /dev/null once. It is the file of all children that are given
// none, and never closed.
var devNull = sync.OnceValues(func() (int, error) {
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	return fd, nil
})

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

// placeFiles makes the files the descriptors 0, 1, 2 and so on.
func (p *plan) placeFiles(c *Child) error {
	for i := range max(len(c.Files), 3) {
		fd, err := -1, error(nil)
		switch {
		case i < len(c.Files) && c.Files[i] != nil:
			fd, err = descriptor("Files", c.Files[i])
		case i < 3:
			fd, err = devNull()
		}
		if err != nil {
			return err
		}
		p.files = append(p.files, fd)
	}
	n := len(p.files)
	moved := func(fd int) int {
		return p.call(label{verb: "move descriptor %d", n: fd},
			uapi.SYS_FCNTL, uintptr(fd), unix.F_DUPFD_CLOEXEC, uintptr(n))
	}

	// A file whose number is below its place would be overwritten before it
	// has come there. It makes way to a number above all places, as does the
	// program.
	from := make([]int, 0, 16)
	for i, fd := range p.files {
		step := 0
		if 0 <= fd && fd < i {
			step = moved(fd)
		}
		from = append(from, step)
	}
	if c.Exec != nil {
		fd, err := descriptor("Exec", c.Exec)
		if err != nil {
			return err
		}
		if p.exec = fd; fd < n {
			p.execStep = moved(fd)
		}
	}

	for i, fd := range p.files {
		switch {
		case fd < 0:
			p.try(label{verb: "close descriptor %d", n: i}, uapi.SYS_CLOSE, uintptr(i))
		case fd == i:
			p.call(label{verb: "keep descriptor %d", n: i}, uapi.SYS_FCNTL, uintptr(i), unix.F_SETFD, 0)
		default:
			step := p.call(label{verb: "place descriptor %d", n: i}, uapi.SYS_DUP3, uintptr(fd), uintptr(i), 0)
			if from[i] > 0 {
				p.pass(from[i], step, 0)
			}
		}
	}
	return nil
}

// closeFiles lets all other descriptors be closed when the program is
// executed, not before: the program itself may be one of them.
func (p *plan) closeFiles(c *Child) error {
	if c.CloseFiles {
		p.call(label{verb: "close all other descriptors", feature: "CloseFiles", since: "5.11"},
			uapi.SYS_CLOSE_RANGE, uintptr(len(p.files)), uintptr(^uint32(0)), unix.CLOSE_RANGE_CLOEXEC)
	}
	return nil
}
