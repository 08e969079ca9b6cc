//go:build linux

package linux

import (
	"os"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// Info asks the kernel about the process. No privileges are needed.
//
// From Linux 6.15 it also tells how a process ended that has been reaped, by
// whomever; in 6.13 and 6.14 that is os.ErrProcessDone. The error is EREMOTE
// for a process outside of this program's PID namespace.
// PIDFD_GET_INFO, Linux 6.13.
func (f *PidFD) Info() (Info, error) {
	fd, err := f.descriptor("Info")
	if err != nil {
		return Info{}, err
	}
	raw := uapi.PidfdInfo{Mask: uapi.PIDFD_INFO_EXIT | uapi.PIDFD_INFO_COREDUMP | uapi.PIDFD_INFO_SUPPORTED_MASK}
	errno := getInfo(fd, &raw)
	if errno == unix.ESRCH && signalNone(fd, ScopeDefault) == unix.EINVAL {
		errno = unix.EREMOTE // as 6.18 says of a process that it does not show, 6.17 does not
	}
	f.done()
	if errno != 0 {
		return Info{}, infoFailure(errno)
	}
	return decodeInfo(&raw, unsafe.Sizeof(raw)), nil
}

// getInfo makes the bare system call.
//
// The kernel looks for an exit status first and for the process then. If the
// process is reaped in between it finds neither, and says ESRCH. The status is
// there by then, so a second call tells.
func getInfo(fd int, info *uapi.PidfdInfo) syscall.Errno {
	mask := info.Mask
	signals := 0
	for again := true; ; info.Mask = mask {
		_, _, errno := syscall.RawSyscall(uapi.SYS_IOCTL, uintptr(fd), uapi.PIDFD_GET_INFO, uintptr(unsafe.Pointer(info)))
		switch {
		case errno == unix.EINTR && signals < interruptions:
			signals++
		case errno == unix.ESRCH && again && mask&uapi.PIDFD_INFO_EXIT != 0:
			again = false
		default:
			return errno
		}
	}
}

func infoFailure(errno syscall.Errno) error {
	switch errno {
	case unix.ESRCH:
		return os.ErrProcessDone
	case unix.EREMOTE:
		return &pidfdError{"PIDFD_GET_INFO", "the process is outside of this PID namespace", errno}
	case unix.ENOTTY, unix.EINVAL: // 6.1 and 6.12
		if err := Supported(OpInfo); err != nil {
			return err
		}
	}
	return os.NewSyscallError("PIDFD_GET_INFO", errno)
}

// decodeInfo returns what the kernel has filled in of the first size bytes of
// a struct.
//
// The kernel sets the bit of a field also where that has not fitted. It moved
// supported_mask from offset 72 to 80 in Linux 7.1, and put there coredump_code,
// which has a bit of its own; at least one bit is always supported.
func decodeInfo(raw *uapi.PidfdInfo, size uintptr) Info {
	fields := InfoFields(raw.Mask)
	if size < unsafe.Sizeof(*raw) {
		for _, field := range infoFields {
			if size < field.end {
				fields &^= field.bit
			}
		}
	}
	var supported InfoFields
	if fields&InfoSupported != 0 {
		if size >= unsafe.Sizeof(*raw) {
			supported = InfoFields(raw.SupportedMask)
		}
		if supported == 0 {
			supported = InfoFields(*(*uint64)(unsafe.Pointer(&raw.CoredumpCode)))
		}
	}
	if raw.CoredumpMask == 0 {
		fields &^= InfoCoreDump // up to 6.18, for a process that has been reaped
	}
	i := Info{Fields: fields, Supported: supported}
	if fields&InfoPID != 0 {
		i.Pid, i.Tgid, i.Ppid = int(raw.Pid), int(raw.Tgid), int(raw.Ppid)
	}
	if fields&InfoCreds != 0 {
		i.Ruid, i.Rgid, i.Euid, i.Egid = raw.Ruid, raw.Rgid, raw.Euid, raw.Egid
		i.Suid, i.Sgid, i.Fsuid, i.Fsgid = raw.Suid, raw.Sgid, raw.Fsuid, raw.Fsgid
	}
	if fields&InfoCgroup != 0 {
		i.CgroupID = raw.Cgroupid
	}
	if fields&InfoExit != 0 {
		i.Exit = ExitStatus(raw.ExitCode)
	}
	if fields&InfoCoreDump != 0 {
		i.CoreDump = CoreDump(raw.CoredumpMask)
	}
	if fields&InfoCoreDumpSignal != 0 {
		i.CoreDumpSignal = syscall.Signal(raw.CoredumpSignal)
	}
	if fields&InfoCoreDumpCode != 0 {
		i.CoreDumpCode = int32(raw.CoredumpCode)
	}
	return i
}

// exitInfo asks a pidfd for the status of its process, which the kernel keeps
// once the process is reaped, by whomever. It returns false as long as it is
// not. The kernel may tell that a process has ended, by POLLIN or by ECHILD,
// before it has the status; with POLLHUP it always has it.
// PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15.
func exitInfo(pidfd int) (status ExitStatus, known bool, errno syscall.Errno) {
	info := uapi.PidfdInfo{Mask: uapi.PIDFD_INFO_EXIT}
	if errno = getInfo(pidfd, &info); errno != 0 {
		return 0, false, errno
	}
	return ExitStatus(info.ExitCode), info.Mask&uapi.PIDFD_INFO_EXIT != 0, 0
}

// keepsNoExit reports whether the errno of exitInfo means that this kernel has no
// status of a process that was reaped. Any other may pass.
func keepsNoExit(errno syscall.Errno) bool {
	switch errno {
	case unix.ENOTTY, unix.EINVAL, unix.ESRCH: // before 6.13; 6.13 and 6.14
		return true
	}
	return false
}
