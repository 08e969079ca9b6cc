package linux

import (
	"fmt"
	"strconv"
)

// An Op is something to be done with a [PidFD], for [Supported].
type Op int

const (
	OpOpen               Op = iota // OpenPidFD, and WaitEnd
	OpOpenThread                   // OpenThread
	OpReap                         // AdoptPidFD, Reap, WaitEvent, and Wait for children
	OpSignal                       // Signal, Queue
	OpSignalScope                  // SignalTo, with a Scope
	OpSelf                         // Self
	OpSelfThread                   // SelfThread
	OpGetFD                        // GetFD
	OpSetns                        // Setns, InNamespaces
	OpNamespace                    // Namespace
	OpInfo                         // Info
	OpInfoExit                     // Info with InfoExit, and Wait for others than children
	OpInfoCoreDump                 // Info with InfoCoreDump
	OpInfoSupported                // Info with InfoSupported
	OpInfoCoreDumpSignal           // Info with InfoCoreDumpSignal
	OpInfoCoreDumpCode             // Info with InfoCoreDumpCode
	OpID                           // ID, Equal
	OpSameDescription              // SameDescription
	OpHandle                       // Handle, OpenHandle
	OpXattr                        // SetXattr, Xattr, RemoveXattr, Xattrs
	OpAdviseMemory                 // AdviseMemory
	OpReleaseMemory                // ReleaseMemory
	OpPeer                         // OpenPeer
	OpMessage                      // PassPidFD, ReceivedPidFD
)

// opNames has what errors call each Op, and the first release that has it.
var opNames = [...]struct{ name, release string }{
	OpOpen:               {"pidfd_open", "5.3"},
	OpOpenThread:         {"pidfd_open with PIDFD_THREAD", "6.9"},
	OpReap:               {"waitid with P_PIDFD", "5.4"},
	OpSignal:             {"pidfd_send_signal", "5.1"},
	OpSignalScope:        {"pidfd_send_signal with PIDFD_SIGNAL_THREAD_GROUP", "6.9"},
	OpSelf:               {"PIDFD_SELF_THREAD_GROUP", "6.17"},
	OpSelfThread:         {"PIDFD_SELF_THREAD", "6.16"},
	OpGetFD:              {"pidfd_getfd", "5.6"},
	OpSetns:              {"setns with a pidfd", "5.8"},
	OpNamespace:          {"PIDFD_GET_USER_NAMESPACE", "6.11"},
	OpInfo:               {"PIDFD_GET_INFO", "6.13"},
	OpInfoExit:           {"PIDFD_INFO_EXIT", "6.15"},
	OpInfoCoreDump:       {"PIDFD_INFO_COREDUMP", "6.16"},
	OpInfoSupported:      {"PIDFD_INFO_SUPPORTED_MASK", "6.19"},
	OpInfoCoreDumpSignal: {"PIDFD_INFO_COREDUMP_SIGNAL", "6.19"},
	OpInfoCoreDumpCode:   {"PIDFD_INFO_COREDUMP_CODE", "7.1"},
	OpID:                 {"the ID of a pidfd", idRelease()},
	OpSameDescription:    {"F_DUPFD_QUERY", "6.10"},
	OpHandle:             {"file handles of pidfds", "6.14"},
	OpXattr:              {"extended attributes of pidfds", "6.17"},
	OpAdviseMemory:       {"process_madvise", "5.10"},
	OpReleaseMemory:      {"process_mrelease", "5.15"},
	OpPeer:               {"SO_PEERPIDFD", "6.5"},
	OpMessage:            {"SO_PASSPIDFD", "6.5"},
}

// idRelease is the release that tells programs of this word size all of an ID.
func idRelease() string {
	if strconv.IntSize == 32 {
		return "6.16"
	}
	return "6.9"
}

// String returns what the kernel calls the operation, such as "pidfd_getfd".
func (op Op) String() string {
	if op < 0 || int(op) >= len(opNames) {
		return fmt.Sprintf("operation %d", int(op))
	}
	return opNames[op].name
}
