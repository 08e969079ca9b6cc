package linux

import (
	"fmt"

	"github.com/go-clone3/clone3/uapi"
)

// A Scope says whom a signal is for.
type Scope uint32

const (
	// ScopeDefault is the thread for a handle from OpenThread, else the
	// process.
	ScopeDefault Scope = 0

	// ScopeThread is the thread alone; of a process, its first thread.
	// PIDFD_SIGNAL_THREAD, Linux 6.9.
	ScopeThread Scope = uapi.PIDFD_SIGNAL_THREAD

	// ScopeProcess is the process: one of its threads takes the signal.
	// PIDFD_SIGNAL_THREAD_GROUP, Linux 6.9.
	ScopeProcess Scope = uapi.PIDFD_SIGNAL_THREAD_GROUP

	// ScopeProcessGroup is every process of the process group that has the
	// number of this process, which need not live any more.
	// PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9.
	ScopeProcessGroup Scope = uapi.PIDFD_SIGNAL_PROCESS_GROUP
)

var scopeNames = map[Scope]string{
	ScopeDefault:      "default",
	ScopeThread:       "thread",
	ScopeProcess:      "process",
	ScopeProcessGroup: "process group",
}

// String returns "process group", for example.
func (s Scope) String() string {
	if name, ok := scopeNames[s]; ok {
		return name
	}
	return fmt.Sprintf("%#x", uint32(s))
}
