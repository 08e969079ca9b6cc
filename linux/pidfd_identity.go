//go:build linux

package linux

import (
	"os"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// ID returns the number of the process, which no other process gets before the
// machine is started anew. A process and its first thread have the same.
// The inode number of a pidfd, Linux 6.9. In programs of 32 bits Linux 6.16:
// a kernel of 32 bits has half of the number elsewhere, FS_IOC_GETVERSION.
func (f *PidFD) ID() (uint64, error) {
	if err := Supported(OpID); err != nil {
		return 0, err
	}
	fd, err := f.descriptor("ID")
	if err != nil {
		return 0, err
	}
	defer f.done()
	id, errno := inode(fd)
	if errno != 0 {
		return 0, os.NewSyscallError("fstat", errno)
	}
	return id, nil
}

// fsIocGetVersion is FS_IOC_GETVERSION of linux/fs.h: _IOR('v', 1, long), where
// FS_IOC_GETFLAGS is _IOR('f', 1, long).
const fsIocGetVersion = unix.FS_IOC_GETFLAGS ^ ('f'^'v')<<8

// inode returns the whole inode number of a pidfd. A kernel of 32 bits keeps
// the upper half elsewhere; one of 64 bits answers 0 there.
func inode(fd int) (uint64, syscall.Errno) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err.(syscall.Errno)
	}
	var high uint32
	if wordSize == 4 {
		_, _, errno := syscall.RawSyscall(uapi.SYS_IOCTL, uintptr(fd), fsIocGetVersion, uintptr(unsafe.Pointer(&high)))
		if errno == unix.ENOTTY { // a kernel of 64 bits: 6.18 wants its own size of long, and fills in 4 bytes
			_, _, errno = syscall.RawSyscall(uapi.SYS_IOCTL, uintptr(fd), fsIocGetVersion^(4^8)<<16, uintptr(unsafe.Pointer(&high)))
		}
		if errno != 0 {
			return 0, errno
		}
	}
	return uint64(high)<<32 | st.Ino, 0
}

// Equal reports whether two handles are of the same process. It may have ended.
// fstat(2), Linux 6.9 or 6.16; see ID.
func (f *PidFD) Equal(g *PidFD) (bool, error) {
	a, err := f.ID()
	if err != nil {
		return false, err
	}
	b, err := g.ID()
	return a == b && err == nil, err
}

// SameDescription reports whether two handles are duplicates: the same open
// file description, which the kernel closes when all of them are closed. That
// is what keeps a child with AutoKill alive.
// fcntl(2) with F_DUPFD_QUERY, Linux 6.10.
func (f *PidFD) SameDescription(g *PidFD) (bool, error) {
	fd, err := f.descriptor("SameDescription")
	if err != nil {
		return false, err
	}
	defer f.done()
	other, err := g.descriptor("SameDescription")
	if err != nil {
		return false, err
	}
	defer g.done()
	same, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_QUERY, other)
	if err == unix.EINVAL {
		if err := Supported(OpSameDescription); err != nil {
			return false, err
		}
	}
	return same == 1, os.NewSyscallError("fcntl", err)
}

// IsThread reports whether the handle is of a thread, as of [OpenThread].
// fcntl(2) with F_GETFL: PIDFD_THREAD, Linux 6.9.
func (f *PidFD) IsThread() (bool, error) { return f.status("IsThread", uapi.PIDFD_THREAD) }

// KillsOnClose reports whether the kernel kills the process when the last
// duplicate of the handle is closed: it is that of a child with AutoKill.
// fcntl(2) with F_GETFL: O_TRUNC, Linux 7.1.
func (f *PidFD) KillsOnClose() (bool, error) { return f.status("KillsOnClose", unix.O_TRUNC) }

// status reports whether a file status flag is set.
func (f *PidFD) status(method string, flag int) (bool, error) {
	fd, err := f.descriptor(method)
	if err != nil {
		return false, err
	}
	defer f.done()
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return flags&flag != 0 && err == nil, os.NewSyscallError("fcntl", err)
}
