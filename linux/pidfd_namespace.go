//go:build linux

package linux

import (
	"errors"
	"os"
	"runtime"
	"syscall"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// namespaceRequests lists the requests to open namespaces.
var namespaceRequests = [...]uintptr{
	CgroupNamespace:          uapi.PIDFD_GET_CGROUP_NAMESPACE,
	IPCNamespace:             uapi.PIDFD_GET_IPC_NAMESPACE,
	MountNamespace:           uapi.PIDFD_GET_MNT_NAMESPACE,
	NetNamespace:             uapi.PIDFD_GET_NET_NAMESPACE,
	PIDNamespace:             uapi.PIDFD_GET_PID_NAMESPACE,
	PIDNamespaceForChildren:  uapi.PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE,
	TimeNamespace:            uapi.PIDFD_GET_TIME_NAMESPACE,
	TimeNamespaceForChildren: uapi.PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE,
	UserNamespace:            uapi.PIDFD_GET_USER_NAMESPACE,
	UTSNamespace:             uapi.PIDFD_GET_UTS_NAMESPACE,
}

// Namespace opens a namespace of the process. The caller closes the file.
//
// The error is EACCES if this program may not read the process's namespaces,
// as ptrace(2) has it: another user's process, for example. It is
// os.ErrProcessDone for a zombie too, and EOPNOTSUPP if the kernel is built
// without namespaces of the kind, or this one is about to go.
// PIDFD_GET_CGROUP_NAMESPACE and so on, Linux 6.11.
func (f *PidFD) Namespace(kind Namespace) (*os.File, error) {
	if kind < 0 || int(kind) >= len(namespaceRequests) {
		return nil, invalid("%v is none that this package knows", kind)
	}
	fd, err := f.descriptor("Namespace")
	if err != nil {
		return nil, err
	}
	defer f.done()
	n, _, errno := syscall.Syscall(uapi.SYS_IOCTL, uintptr(fd), namespaceRequests[kind], 0)
	switch errno {
	case 0:
		return os.NewFile(n, kind.String()+" namespace"), nil
	case unix.ENOTTY, unix.EINVAL:
		if err := Supported(OpNamespace); err != nil {
			return nil, err
		}
	}
	return nil, pidfdFailure("PIDFD_GET_"+kind.String()+"_NAMESPACE", errno)
}

// InNamespaces calls do on a thread that has joined namespaces of the process,
// and returns its error. The thread is a new one and ends with do: goroutines
// that do starts, and what they call, are not in the namespaces.
//
// A child that do creates, with Clone3 or os/exec, is. With NewPID that is all
// there is: only children are in the PID namespace, which has to be a descendant
// of this program's. With NewMount the thread also has a working directory of
// its own, the root of the namespace.
//
// See Setns for errors.
func (f *PidFD) InNamespaces(namespaces Flags, do func() error) error {
	var err error
	onThreadThatEnds(func() {
		if namespaces.has(NewMount) {
			// Threads share the working directory, which the mount
			// namespace is to replace.
			if err = os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_FS)); err != nil {
				return
			}
		}
		if err = f.setns(namespaces); err == nil {
			err = errors.New("linux: the function called in namespaces has not returned")
			err = do()
		}
	})
	return err
}

// onThreadThatEnds calls f on a thread that ends with it, and waits for both.
// The first thread of a program never ends, and is what /proc/PID shows of it: if
// the goroutine happens to be on that, it keeps it, so that another gets another.
func onThreadThatEnds(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			onThreadThatEnds(f)
			runtime.UnlockOSThread()
			return
		}
		f() // and the thread is never unlocked
	}()
	<-done
}

// Setns lets the calling thread join namespaces of the process, all or none:
// NewNet for its network namespace, and so on.
//
// The goroutine must be locked to the thread, see runtime.LockOSThread, and never
// unlocked unless the thread has gone back: else other goroutines come to run in
// these namespaces. InNamespaces takes care of that. Rules of the kernel for a
// program with threads, as every Go program is one:
//
//   - NewUser is refused (EINVAL), and NewTime (EUSERS).
//   - NewMount needs a thread that does not share its working directory, after
//     unshare(2) with CLONE_FS. Together with others the kernel takes it all the
//     same, and changes the root and working directory of all threads that share
//     them: Setns refuses that, InNamespaces can do it.
//   - NewPID is for children that the thread creates, not for itself.
//
// The error is EPERM if this program may not read the process, as ptrace(2) has
// it, or has no CAP_SYS_ADMIN in the namespaces, which NewMount and NewUTS and
// so on need. setns(2) with a pidfd, Linux 5.8.
func (f *PidFD) Setns(join Flags) error {
	if join.has(NewMount) && join != NewMount {
		return invalid("setns: NewMount together with others changes the root directory of all threads: use InNamespaces, or a call for each")
	}
	return f.setns(join)
}

func (f *PidFD) setns(join Flags) error {
	switch {
	case join == 0 || join&^namespaces != 0:
		return invalid("setns: %v are not namespaces", join)
	case join.has(NewUser):
		return invalid("setns: NewUser: a program with threads, as every Go program is, cannot join a user namespace")
	case join.has(NewTime):
		return &pidfdError{"setns", "NewTime: a program with threads, as every Go program is, cannot join a time namespace", unix.EUSERS}
	}
	fd, err := f.descriptor("Setns")
	if err != nil {
		return err
	}
	defer f.done()
	err = unix.Setns(fd, int(join))
	switch err {
	case nil:
		return nil
	case unix.EINVAL:
		if join.has(NewMount) {
			return &pidfdError{"setns", "NewMount needs a thread with a working directory of its own: use InNamespaces", unix.EINVAL}
		}
		if join.has(NewPID) {
			return &pidfdError{"setns", "NewPID: not a descendant of this program's PID namespace", unix.EINVAL}
		}
	}
	return pidfdFailure("setns", err)
}
