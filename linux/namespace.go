package linux

import (
	"fmt"
)

// A Namespace is a kind of namespace that a process is in, see namespaces(7).
type Namespace int

const (
	CgroupNamespace          Namespace = iota // PIDFD_GET_CGROUP_NAMESPACE
	IPCNamespace                              // PIDFD_GET_IPC_NAMESPACE
	MountNamespace                            // PIDFD_GET_MNT_NAMESPACE
	NetNamespace                              // PIDFD_GET_NET_NAMESPACE
	PIDNamespace                              // PIDFD_GET_PID_NAMESPACE
	PIDNamespaceForChildren                   // PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE
	TimeNamespace                             // PIDFD_GET_TIME_NAMESPACE
	TimeNamespaceForChildren                  // PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE
	UserNamespace                             // PIDFD_GET_USER_NAMESPACE
	UTSNamespace                              // PIDFD_GET_UTS_NAMESPACE
)

// namespaceNames lists the names in /proc/PID/ns.
var namespaceNames = [...]string{
	CgroupNamespace:          "cgroup",
	IPCNamespace:             "ipc",
	MountNamespace:           "mnt",
	NetNamespace:             "net",
	PIDNamespace:             "pid",
	PIDNamespaceForChildren:  "pid_for_children",
	TimeNamespace:            "time",
	TimeNamespaceForChildren: "time_for_children",
	UserNamespace:            "user",
	UTSNamespace:             "uts",
}

// String returns the name that the kind has in /proc/PID/ns, such as "mnt".
func (n Namespace) String() string {
	if n < 0 || int(n) >= len(namespaceNames) {
		return fmt.Sprintf("namespace %d", int(n))
	}
	return namespaceNames[n]
}
