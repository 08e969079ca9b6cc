//go:build linux

package linux

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// GetFD returns a duplicate of the process's descriptor n, which the caller
// closes. It is the same open file description: both have one offset, and a
// pidfd of a child with AutoKill has to be closed in both.
//
// The error is EBADF if the process has no descriptor n, and EPERM if this
// program may not attach to the process, as ptrace(2) has it. A process that is
// about to end is os.ErrProcessDone. pidfd_getfd(2), Linux 5.6.
func (f *PidFD) GetFD(n int) (*os.File, error) {
	fd, err := f.descriptor("GetFD")
	if err != nil {
		return nil, err
	}
	defer f.done()
	got, err := unix.PidfdGetfd(fd, n, 0)
	switch err {
	case nil:
		return os.NewFile(uintptr(got), fmt.Sprintf("descriptor %d of another process", n)), nil
	case unix.EBADF:
		if ended(fd) { // 5.10 says the same of a zombie
			return nil, os.ErrProcessDone
		}
		return nil, &pidfdError{"pidfd_getfd", fmt.Sprintf("the process has no descriptor %d", n), unix.EBADF}
	case unix.EPERM, unix.ENOSYS:
		if err := Supported(OpGetFD); err != nil {
			return nil, err
		}
	}
	return nil, pidfdFailure("pidfd_getfd", err)
}
