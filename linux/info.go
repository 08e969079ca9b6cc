package linux

import (
	"fmt"
	"strings"

	"github.com/go-clone3/clone3/uapi"
)

// InfoFields say which fields of an [Info] are filled in.
type InfoFields uint64

const (
	InfoPID            InfoFields = uapi.PIDFD_INFO_PID             // Pid, Tgid, Ppid; Linux 6.13
	InfoCreds          InfoFields = uapi.PIDFD_INFO_CREDS           // Ruid to Fsgid; Linux 6.13
	InfoCgroup         InfoFields = uapi.PIDFD_INFO_CGROUPID        // CgroupID; Linux 6.13
	InfoExit           InfoFields = uapi.PIDFD_INFO_EXIT            // Exit; Linux 6.15
	InfoCoreDump       InfoFields = uapi.PIDFD_INFO_COREDUMP        // CoreDump; Linux 6.16
	InfoSupported      InfoFields = uapi.PIDFD_INFO_SUPPORTED_MASK  // Supported; Linux 6.19
	InfoCoreDumpSignal InfoFields = uapi.PIDFD_INFO_COREDUMP_SIGNAL // CoreDumpSignal; Linux 6.19
	InfoCoreDumpCode   InfoFields = uapi.PIDFD_INFO_COREDUMP_CODE   // CoreDumpCode; Linux 7.1
)

// infoFields lists the fields, with the end of each in struct pidfd_info.
var infoFields = []struct {
	bit  InfoFields
	name string
	end  uintptr
}{
	{InfoPID, "PID", 28},
	{InfoCreds, "Creds", 60},
	{InfoCgroup, "Cgroup", 16},
	{InfoExit, "Exit", 64},
	{InfoCoreDump, "CoreDump", 68},
	{InfoSupported, "Supported", 80}, // where it is in Linux 6.19 and 7.0
	{InfoCoreDumpSignal, "CoreDumpSignal", 72},
	{InfoCoreDumpCode, "CoreDumpCode", 76},
}

// String returns the names of the fields, joined by "|"; bits without a name
// are printed in hexadecimal.
func (f InfoFields) String() string {
	var names []string
	for _, field := range infoFields {
		if f&field.bit != 0 {
			names = append(names, field.name)
			f &^= field.bit
		}
	}
	if f != 0 || names == nil {
		names = append(names, fmt.Sprintf("%#x", uint64(f)))
	}
	return strings.Join(names, "|")
}

// A CoreDump says what became, or would become, of a core dump.
type CoreDump uint32

const (
	CoreDumped   CoreDump = uapi.PIDFD_COREDUMPED    // there was one
	CoreDumpSkip CoreDump = uapi.PIDFD_COREDUMP_SKIP // there would be none
	CoreDumpUser CoreDump = uapi.PIDFD_COREDUMP_USER // it is the user's
	CoreDumpRoot CoreDump = uapi.PIDFD_COREDUMP_ROOT // it is for privileged users only
)

// An Info is what the kernel tells about a process. A field is filled in if Has
// says so, else zero: processes that have been reaped have no IDs any more,
// others no exit status, and older kernels lack fields.
//
// It was right when the kernel was asked. Process IDs are those of this
// program's PID namespace, user IDs those of its user namespace: 65534 for one
// that this does not have.
type Info struct {
	Fields InfoFields // the fields that are filled in

	Pid  int // the process, or the thread
	Tgid int // the process
	Ppid int // its parent, or 0 if that is outside of this PID namespace

	Ruid, Rgid   uint32 // real user and group
	Euid, Egid   uint32 // effective
	Suid, Sgid   uint32 // saved
	Fsuid, Fsgid uint32 // for files

	// CgroupID is the process's control group (version 2): the inode number
	// of its directory. Of a process that has been reaped it is the last.
	CgroupID uint64

	// Exit is how the process has ended, once it has been reaped. Of a
	// process with several threads it can lack the mark of a core dump that
	// wait(2) tells, if another thread than the first has dumped.
	Exit ExitStatus

	// CoreDump is whether a crash would be dumped, or with CoreDumped, was.
	// If it was, CoreDumpSignal and CoreDumpCode (si_code) are the reason.
	// The kernel tells nothing of a dump into a file: only of one into a
	// socket, or to a program with %F; see core(5). Exit.CoreDump tells of all.
	CoreDump       CoreDump
	CoreDumpSignal Signal
	CoreDumpCode   int32

	// Supported are the fields that the kernel knows.
	Supported InfoFields
}

// Has reports whether all these fields are filled in.
func (i *Info) Has(fields InfoFields) bool { return i.Fields&fields == fields }
