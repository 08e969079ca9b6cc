package seccomp

import "github.com/go-clone3/clone3/uapi"

// A machine is what a filter has to know of an architecture.
type machine struct {
	audit  uint32 // AUDIT_ARCH_*
	big    bool   // the upper half of an argument comes first
	narrow bool   // arguments have 32 bits
	x32    bool   // there is a second table, whose numbers have a bit more

	numbers map[string]uint32 // of its system calls
}

// The machines that Go knows, but for the numbers.
var machines = map[string]machine{
	"386":      {audit: uapi.AUDIT_ARCH_I386, narrow: true},
	"amd64":    {audit: uapi.AUDIT_ARCH_X86_64, x32: true},
	"arm":      {audit: uapi.AUDIT_ARCH_ARM, narrow: true},
	"arm64":    {audit: uapi.AUDIT_ARCH_AARCH64},
	"loong64":  {audit: uapi.AUDIT_ARCH_LOONGARCH64},
	"mips":     {audit: uapi.AUDIT_ARCH_MIPS, big: true, narrow: true},
	"mips64":   {audit: uapi.AUDIT_ARCH_MIPS64, big: true},
	"mips64le": {audit: uapi.AUDIT_ARCH_MIPSEL64},
	"mipsle":   {audit: uapi.AUDIT_ARCH_MIPSEL, narrow: true},
	"ppc64":    {audit: uapi.AUDIT_ARCH_PPC64, big: true},
	"ppc64le":  {audit: uapi.AUDIT_ARCH_PPC64LE},
	"riscv64":  {audit: uapi.AUDIT_ARCH_RISCV64},
	"s390x":    {audit: uapi.AUDIT_ARCH_S390X, big: true},
}

const (
	x32Bit  = 0x40000000 // of the numbers of x32
	skipped = 0xffffffff // the number with which a tracer has the kernel skip a call
)

// A multiplexer is a system call that makes others: which is the first argument,
// and theirs are in memory, where no filter can look.
type multiplexer struct {
	name  string
	mask  uint64 // what the kernel looks at of the first argument
	calls map[string]uint64
}

var multiplexers = [...]multiplexer{
	{"socketcall", Int, map[string]uint64{
		"socket": 1, "bind": 2, "connect": 3, "listen": 4, "accept": 5, "getsockname": 6, "getpeername": 7,
		"socketpair": 8, "send": 9, "recv": 10, "sendto": 11, "recvfrom": 12, "shutdown": 13, "setsockopt": 14,
		"getsockopt": 15, "sendmsg": 16, "recvmsg": 17, "accept4": 18, "recvmmsg": 19, "sendmmsg": 20,
	}},
	{"ipc", 1<<16 - 1, map[string]uint64{ // above are versions of the interface
		"semop": 1, "semget": 2, "semctl": 3, "semtimedop": 4, "msgsnd": 11, "msgrcv": 12, "msgget": 13, "msgctl": 14,
		"shmat": 21, "shmdt": 22, "shmget": 23, "shmctl": 24,
	}},
}
