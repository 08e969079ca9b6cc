package main

// An Arch is a GOARCH on linux and what the kernel calls it.
type Arch struct {
	GOARCH    string
	Kernel    string // the directory under arch/
	Bits      int    // of a pointer and of a long
	BigEndian bool
	Syscalls  SyscallTable
}

// A SyscallTable says where a kernel tree keeps the system call numbers of an
// architecture.
type SyscallTable struct {
	Path   string   // of the .tbl file in the tree
	ABIs   []string // the words of its second column that count; nil for all
	Offset int      // added to every number (mips)
}

// arches is the list of `go tool dist list` for linux.
var arches = []Arch{
	{GOARCH: "386", Kernel: "x86", Bits: 32, Syscalls: SyscallTable{Path: "arch/x86/entry/syscalls/syscall_32.tbl", ABIs: []string{"i386"}}},
	{GOARCH: "amd64", Kernel: "x86", Bits: 64, Syscalls: SyscallTable{Path: "arch/x86/entry/syscalls/syscall_64.tbl", ABIs: []string{"common", "64"}}},
	{GOARCH: "arm", Kernel: "arm", Bits: 32, Syscalls: SyscallTable{Path: "arch/arm/tools/syscall.tbl", ABIs: []string{"common", "eabi"}}},
	{GOARCH: "arm64", Kernel: "arm64", Bits: 64, Syscalls: SyscallTable{Path: "arch/arm64/tools/syscall_64.tbl", ABIs: []string{"common", "64", "renameat", "rlimit", "memfd_secret"}}},
	{GOARCH: "loong64", Kernel: "loongarch", Bits: 64, Syscalls: SyscallTable{Path: "scripts/syscall.tbl", ABIs: []string{"common", "64", "memfd_secret"}}},
	{GOARCH: "mips", Kernel: "mips", Bits: 32, BigEndian: true, Syscalls: SyscallTable{Path: "arch/mips/kernel/syscalls/syscall_o32.tbl", Offset: 4000}},
	{GOARCH: "mips64", Kernel: "mips", Bits: 64, BigEndian: true, Syscalls: SyscallTable{Path: "arch/mips/kernel/syscalls/syscall_n64.tbl", Offset: 5000}},
	{GOARCH: "mips64le", Kernel: "mips", Bits: 64, Syscalls: SyscallTable{Path: "arch/mips/kernel/syscalls/syscall_n64.tbl", Offset: 5000}},
	{GOARCH: "mipsle", Kernel: "mips", Bits: 32, Syscalls: SyscallTable{Path: "arch/mips/kernel/syscalls/syscall_o32.tbl", Offset: 4000}},
	{GOARCH: "ppc64", Kernel: "powerpc", Bits: 64, BigEndian: true, Syscalls: SyscallTable{Path: "arch/powerpc/kernel/syscalls/syscall.tbl", ABIs: []string{"common", "nospu", "64"}}},
	{GOARCH: "ppc64le", Kernel: "powerpc", Bits: 64, Syscalls: SyscallTable{Path: "arch/powerpc/kernel/syscalls/syscall.tbl", ABIs: []string{"common", "nospu", "64"}}},
	{GOARCH: "riscv64", Kernel: "riscv", Bits: 64, Syscalls: SyscallTable{Path: "scripts/syscall.tbl", ABIs: []string{"common", "64", "riscv", "rlimit", "memfd_secret"}}},
	{GOARCH: "s390x", Kernel: "s390", Bits: 64, BigEndian: true, Syscalls: SyscallTable{Path: "arch/s390/kernel/syscalls/syscall.tbl", ABIs: []string{"common", "64"}}},
}
