//go:build linux

package linux

import (
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// AdviseMemory gives the kernel advice about ranges of the process's memory,
// and returns for how many bytes it was taken: fewer than asked for if some
// range is not memory of the process.
//
// The advice for another process is unix.MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED
// or MADV_COLLAPSE, of which Linux 5.10 knows the first two only; any other is
// EINVAL. It needs CAP_SYS_NICE, and that this program may read the process, as
// ptrace(2) has it; else it is EPERM.
// process_madvise(2), Linux 5.10.
func (f *PidFD) AdviseMemory(advice int, ranges []MemoryRange) (int, error) {
	fd, err := f.use()
	if err != nil {
		return 0, err
	}
	defer f.done()
	n, _, errno := syscall.Syscall6(uapi.SYS_PROCESS_MADVISE, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(ranges))), uintptr(len(ranges)), uintptr(advice), 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.ENOSYS, unix.EPERM:
		if err := Supported(OpAdviseMemory); err != nil {
			return 0, err
		}
	case unix.EBADF:
		if err := f.selfSupported(); err != nil {
			return 0, err
		}
	}
	return 0, pidfdFailure("process_madvise", errno)
}

// ReleaseMemory frees the memory of a process that was killed, faster than the
// process does while it ends. The calling thread does the work.
//
// The error is EINVAL for a process that is not about to end; EAGAIN if not all
// could be freed, and it may be tried again; os.ErrProcessDone if there is
// nothing left to free. process_mrelease(2), Linux 5.15.
func (f *PidFD) ReleaseMemory() error {
	fd, err := f.use()
	if err != nil {
		return err
	}
	defer f.done()
	_, _, errno := syscall.Syscall(uapi.SYS_PROCESS_MRELEASE, uintptr(fd), 0, 0)
	switch errno {
	case 0:
		return nil
	case unix.ENOSYS, unix.EPERM:
		if err := Supported(OpReleaseMemory); err != nil {
			return err
		}
	case unix.EINVAL:
		return &pidfdError{"process_mrelease", "the process has not been killed", errno}
	case unix.EBADF:
		if err := f.selfSupported(); err != nil {
			return err
		}
	}
	return pidfdFailure("process_mrelease", errno)
}
