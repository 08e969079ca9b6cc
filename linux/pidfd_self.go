//go:build linux

package linux

import "github.com/go-clone3/clone3/uapi"

var (
	self       = newPidFD(uapi.PIDFD_SELF_THREAD_GROUP)
	selfThread = newPidFD(uapi.PIDFD_SELF_THREAD)
)

// Self lends a handle of this process that takes no descriptor and never fails
// to be opened. The kernel takes it for signals and for memory; all other
// methods are an [UnsupportedError], as those are before the release.
// PIDFD_SELF_THREAD_GROUP, Linux 6.17.
func Self() *PidFD { return self }

// SelfThread lends a handle of the thread that calls a method, in the manner of
// [Self]. Without runtime.LockOSThread that is whatever thread the goroutine is
// on. PIDFD_SELF_THREAD, Linux 6.16.
func SelfThread() *PidFD { return selfThread }

func (f *PidFD) isSelf() bool { return f == self || f == selfThread }

// selfSupported reports that the kernel does not know this process without a
// descriptor, if that is what f is.
func (f *PidFD) selfSupported() error {
	switch f {
	case self:
		return Supported(OpSelf)
	case selfThread:
		return Supported(OpSelfThread)
	}
	return nil
}
