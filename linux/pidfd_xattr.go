//go:build linux

package linux

import (
	"bytes"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// SetXattr attaches a value to the process, for all programs with the
// privilege to see it. It stays as long as the process, and after that as long
// as some handle of it; no handle has to be kept for it meanwhile. The name
// begins with "trusted.".
//
// It needs CAP_SYS_ADMIN. The error is EOPNOTSUPP for another kind of name.
// fsetxattr(2), Linux 6.17.
func (f *PidFD) SetXattr(name string, value []byte) error {
	return f.xattr("SetXattr", func(fd int) error {
		return os.NewSyscallError("fsetxattr", unix.Fsetxattr(fd, name, value, 0))
	})
}

// Xattr returns a value that is attached to the process. The error is ENODATA
// if there is none, and without CAP_SYS_ADMIN always. fgetxattr(2), Linux 6.17.
func (f *PidFD) Xattr(name string) (value []byte, err error) {
	err = f.xattr("Xattr", func(fd int) (err error) {
		value, err = grow(func(b []byte) (int, error) { return unix.Fgetxattr(fd, name, b) })
		return os.NewSyscallError("fgetxattr", err)
	})
	return value, err
}

// RemoveXattr removes a value. It needs CAP_SYS_ADMIN. The error is ENODATA if
// there is none. fremovexattr(2), Linux 6.17.
func (f *PidFD) RemoveXattr(name string) error {
	return f.xattr("RemoveXattr", func(fd int) error {
		return os.NewSyscallError("fremovexattr", unix.Fremovexattr(fd, name))
	})
}

// Xattrs returns the names of the values that are attached to the process:
// without CAP_SYS_ADMIN, none. flistxattr(2), Linux 6.17.
func (f *PidFD) Xattrs() (names []string, err error) {
	err = f.xattr("Xattrs", func(fd int) error {
		list, err := grow(func(b []byte) (int, error) { return unix.Flistxattr(fd, b) })
		for name := range bytes.SplitSeq(list, []byte{0}) {
			if len(name) > 0 {
				names = append(names, string(name))
			}
		}
		return os.NewSyscallError("flistxattr", err)
	})
	return names, err
}

// xattr calls f with the descriptor.
func (f *PidFD) xattr(method string, call func(fd int) error) error {
	if err := Supported(OpXattr); err != nil {
		return err
	}
	fd, err := f.descriptor(method)
	if err != nil {
		return err
	}
	defer f.done()
	return call(fd)
}

// grow calls read with more and more room, until that is enough.
func grow(read func([]byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		b := make([]byte, size)
		n, err := read(b)
		if err == syscall.ERANGE && size < 1<<20 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return b[:n], nil
	}
}
