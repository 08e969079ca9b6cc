package linux

import (
	"fmt"
	"strings"

	"github.com/go-clone3/clone3/uapi"
)

// A Capability is one of the privileges into which the kernel divides what root
// may do. capabilities(7).
type Capability uint

const (
	CapChown             Capability = uapi.CAP_CHOWN              // change owners of files
	CapDACOverride       Capability = uapi.CAP_DAC_OVERRIDE       // read, write and execute files whatever their permissions
	CapDACReadSearch     Capability = uapi.CAP_DAC_READ_SEARCH    // read files and directories whatever their permissions
	CapFOwner            Capability = uapi.CAP_FOWNER             // do with files what their owner may
	CapFSetID            Capability = uapi.CAP_FSETID             // keep set-user-ID and set-group-ID bits
	CapKill              Capability = uapi.CAP_KILL               // send signals to anybody
	CapSetGID            Capability = uapi.CAP_SETGID             // change groups
	CapSetUID            Capability = uapi.CAP_SETUID             // change users
	CapSetPCap           Capability = uapi.CAP_SETPCAP            // change the bounding set and securebits
	CapLinuxImmutable    Capability = uapi.CAP_LINUX_IMMUTABLE    // set the immutable and append-only attributes
	CapNetBindService    Capability = uapi.CAP_NET_BIND_SERVICE   // bind ports below 1024
	CapNetBroadcast      Capability = uapi.CAP_NET_BROADCAST      // not used by the kernel
	CapNetAdmin          Capability = uapi.CAP_NET_ADMIN          // configure the network
	CapNetRaw            Capability = uapi.CAP_NET_RAW            // use raw and packet sockets
	CapIPCLock           Capability = uapi.CAP_IPC_LOCK           // lock memory
	CapIPCOwner          Capability = uapi.CAP_IPC_OWNER          // use System V IPC whatever its permissions
	CapSysModule         Capability = uapi.CAP_SYS_MODULE         // load kernel modules
	CapSysRawIO          Capability = uapi.CAP_SYS_RAWIO          // access I/O ports and memory
	CapSysChroot         Capability = uapi.CAP_SYS_CHROOT         // chroot, and join mount namespaces
	CapSysPtrace         Capability = uapi.CAP_SYS_PTRACE         // look into any process
	CapSysPacct          Capability = uapi.CAP_SYS_PACCT          // switch process accounting
	CapSysAdmin          Capability = uapi.CAP_SYS_ADMIN          // mount, and most else of an administrator
	CapSysBoot           Capability = uapi.CAP_SYS_BOOT           // reboot and kexec
	CapSysNice           Capability = uapi.CAP_SYS_NICE           // raise priorities
	CapSysResource       Capability = uapi.CAP_SYS_RESOURCE       // exceed limits on resources
	CapSysTime           Capability = uapi.CAP_SYS_TIME           // set clocks
	CapSysTTYConfig      Capability = uapi.CAP_SYS_TTY_CONFIG     // hang up and configure terminals
	CapMknod             Capability = uapi.CAP_MKNOD              // make device files
	CapLease             Capability = uapi.CAP_LEASE              // take leases on any file
	CapAuditWrite        Capability = uapi.CAP_AUDIT_WRITE        // write to the audit log
	CapAuditControl      Capability = uapi.CAP_AUDIT_CONTROL      // configure auditing
	CapSetFCap           Capability = uapi.CAP_SETFCAP            // set capabilities of files
	CapMACOverride       Capability = uapi.CAP_MAC_OVERRIDE       // override mandatory access control
	CapMACAdmin          Capability = uapi.CAP_MAC_ADMIN          // configure mandatory access control
	CapSyslog            Capability = uapi.CAP_SYSLOG             // read the kernel log
	CapWakeAlarm         Capability = uapi.CAP_WAKE_ALARM         // set timers that wake the machine
	CapBlockSuspend      Capability = uapi.CAP_BLOCK_SUSPEND      // keep the machine from being suspended
	CapAuditRead         Capability = uapi.CAP_AUDIT_READ         // read the audit log; Linux 3.16
	CapPerfmon           Capability = uapi.CAP_PERFMON            // watch performance; Linux 5.8
	CapBPF               Capability = uapi.CAP_BPF                // load BPF programs; Linux 5.8
	CapCheckpointRestore Capability = uapi.CAP_CHECKPOINT_RESTORE // choose process IDs; Linux 5.9
)

// capabilityNames are those of C.
var capabilityNames = [...]string{
	CapChown:             "CAP_CHOWN",
	CapDACOverride:       "CAP_DAC_OVERRIDE",
	CapDACReadSearch:     "CAP_DAC_READ_SEARCH",
	CapFOwner:            "CAP_FOWNER",
	CapFSetID:            "CAP_FSETID",
	CapKill:              "CAP_KILL",
	CapSetGID:            "CAP_SETGID",
	CapSetUID:            "CAP_SETUID",
	CapSetPCap:           "CAP_SETPCAP",
	CapLinuxImmutable:    "CAP_LINUX_IMMUTABLE",
	CapNetBindService:    "CAP_NET_BIND_SERVICE",
	CapNetBroadcast:      "CAP_NET_BROADCAST",
	CapNetAdmin:          "CAP_NET_ADMIN",
	CapNetRaw:            "CAP_NET_RAW",
	CapIPCLock:           "CAP_IPC_LOCK",
	CapIPCOwner:          "CAP_IPC_OWNER",
	CapSysModule:         "CAP_SYS_MODULE",
	CapSysRawIO:          "CAP_SYS_RAWIO",
	CapSysChroot:         "CAP_SYS_CHROOT",
	CapSysPtrace:         "CAP_SYS_PTRACE",
	CapSysPacct:          "CAP_SYS_PACCT",
	CapSysAdmin:          "CAP_SYS_ADMIN",
	CapSysBoot:           "CAP_SYS_BOOT",
	CapSysNice:           "CAP_SYS_NICE",
	CapSysResource:       "CAP_SYS_RESOURCE",
	CapSysTime:           "CAP_SYS_TIME",
	CapSysTTYConfig:      "CAP_SYS_TTY_CONFIG",
	CapMknod:             "CAP_MKNOD",
	CapLease:             "CAP_LEASE",
	CapAuditWrite:        "CAP_AUDIT_WRITE",
	CapAuditControl:      "CAP_AUDIT_CONTROL",
	CapSetFCap:           "CAP_SETFCAP",
	CapMACOverride:       "CAP_MAC_OVERRIDE",
	CapMACAdmin:          "CAP_MAC_ADMIN",
	CapSyslog:            "CAP_SYSLOG",
	CapWakeAlarm:         "CAP_WAKE_ALARM",
	CapBlockSuspend:      "CAP_BLOCK_SUSPEND",
	CapAuditRead:         "CAP_AUDIT_READ",
	CapPerfmon:           "CAP_PERFMON",
	CapBPF:               "CAP_BPF",
	CapCheckpointRestore: "CAP_CHECKPOINT_RESTORE",
}

// String returns the name in C: "CAP_SYS_ADMIN".
func (c Capability) String() string {
	if c < Capability(len(capabilityNames)) {
		return capabilityNames[c]
	}
	return fmt.Sprintf("capability %d", uint(c))
}

// Capabilities are a set of capabilities. The zero value has none.
type Capabilities uint64

// NewCapabilities returns the set of some capabilities.
func NewCapabilities(caps ...Capability) Capabilities {
	var s Capabilities
	for _, c := range caps {
		if c < 64 {
			s |= 1 << c
		}
	}
	return s
}

// ParseCapabilities reads a set from names as C has them, with or without "CAP_",
// in upper or lower case, with commas or "|" between them. "none", or nothing, is
// the empty set.
func ParseCapabilities(text string) (Capabilities, error) {
	var s Capabilities
	for name := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '|' || r == ' ' }) {
		if strings.EqualFold(name, "none") {
			continue
		}
		full := strings.ToUpper(name)
		if !strings.HasPrefix(full, "CAP_") {
			full = "CAP_" + full
		}
		found := false
		for c, known := range capabilityNames {
			if known == full {
				s |= 1 << c
				found = true
			}
		}
		if !found {
			return 0, invalid("%q is not a capability: names are like CAP_NET_ADMIN or net_admin", name)
		}
	}
	return s, nil
}

// Has reports whether the set has a capability.
func (s Capabilities) Has(c Capability) bool { return c < 64 && s&(1<<c) != 0 }

// String returns the names, joined by "|", or "none"; what has no name is printed
// in hexadecimal.
func (s Capabilities) String() string {
	if s == 0 {
		return "none"
	}
	var names []string
	for c, name := range capabilityNames {
		if s.Has(Capability(c)) {
			names = append(names, name)
			s &^= 1 << c
		}
	}
	if s != 0 {
		names = append(names, fmt.Sprintf("%#x", uint64(s)))
	}
	return strings.Join(names, "|")
}
