//go:build linux

package linux

import (
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// exitInfo asks a pidfd for the status of its process, which the kernel keeps
// once the process is reaped, by whomever. It returns false as long as it is
// not. The kernel may tell that a process has ended, by POLLIN or by ECHILD,
// before it has the status; with POLLHUP it always has it.
// PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15.
func exitInfo(pidfd int) (ExitStatus, bool, error) {
	info := uapi.PidfdInfo{Mask: uapi.PIDFD_INFO_EXIT}
	for {
		_, _, errno := syscall.RawSyscall(uapi.SYS_IOCTL, uintptr(pidfd), uapi.PIDFD_GET_INFO, uintptr(unsafe.Pointer(&info)))
		switch errno {
		case 0:
			return ExitStatus(info.ExitCode), info.Mask&uapi.PIDFD_INFO_EXIT != 0, nil
		case syscall.EINTR:
			continue
		}
		return 0, false, errno
	}
}
