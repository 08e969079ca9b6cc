package kernel

// A port is a directory under arch/ of the kernel. Its headers serve every
// word size and byte order.
type port struct {
	Name string
	// Mark is a file that only this port has in asm/. Where every port has
	// the file, MarkText is what only this one says in it.
	Mark, MarkText string
	// Unistd is how the system call headers are made. A port that has a
	// Makefile.syscalls says it there instead.
	Unistd []unistdHeader
}

// A unistdHeader is a header of system call numbers in asm/ that the kernel
// makes from a table.
type unistdHeader struct {
	Name   string   // "unistd_64.h"
	Table  string   // the path of the table in the kernel tree
	ABIs   []string // the words of the table's second column that count
	Others []string // the words that do not
	Shared bool     // whether the table has words of other ports too; if not, an unknown word is an error
	Offset string   // a macro that is added to every number
	Count  bool     // whether the number of system calls follows, for the kernel alone
	// Script, where it exists, makes the header instead of the kernel's common
	// script: sorted by number and with a licence line.
	Script string
}

const (
	x86Tables  = "arch/x86/entry/syscalls/"
	mipsTables = "arch/mips/kernel/syscalls/"
	armTable   = "arch/arm/tools/syscall.tbl"
	ppcTable   = "arch/powerpc/kernel/syscalls/syscall.tbl"
	s390Table  = "arch/s390/kernel/syscalls/syscall.tbl"
	s390Script = "arch/s390/kernel/syscalls/syscalltbl"
)

// ports is every port that has a GOARCH, in the order of model.Arches.
var ports = []port{
	{Name: "x86", Mark: "vm86.h", Unistd: []unistdHeader{
		{Name: "unistd_32.h", Table: x86Tables + "syscall_32.tbl", ABIs: []string{"i386"}, Count: true},
		{Name: "unistd_64.h", Table: x86Tables + "syscall_64.tbl", ABIs: []string{"common", "64"}, Others: []string{"x32"}, Count: true},
		{Name: "unistd_x32.h", Table: x86Tables + "syscall_64.tbl", ABIs: []string{"common", "x32"}, Others: []string{"64"}, Count: true, Offset: "__X32_SYSCALL_BIT"},
	}},
	{Name: "arm", Mark: "unistd-eabi.h", Unistd: []unistdHeader{
		{Name: "unistd-eabi.h", Table: armTable, ABIs: []string{"common", "eabi"}, Others: []string{"oabi"}, Offset: "__NR_SYSCALL_BASE"},
		{Name: "unistd-oabi.h", Table: armTable, ABIs: []string{"common", "oabi"}, Others: []string{"eabi"}, Offset: "__NR_SYSCALL_BASE"},
	}},
	{Name: "arm64", Mark: "sve_context.h"},
	{Name: "loongarch", Mark: "hwcap.h", MarkText: "HWCAP_LOONGARCH_"},
	{Name: "mips", Mark: "sgidefs.h", Unistd: []unistdHeader{
		{Name: "unistd_n32.h", Table: mipsTables + "syscall_n32.tbl", ABIs: []string{"common", "n32"}, Offset: "__NR_Linux"},
		{Name: "unistd_n64.h", Table: mipsTables + "syscall_n64.tbl", ABIs: []string{"common", "n64"}, Offset: "__NR_Linux"},
		{Name: "unistd_o32.h", Table: mipsTables + "syscall_o32.tbl", ABIs: []string{"common", "o32"}, Offset: "__NR_Linux"},
	}},
	{Name: "powerpc", Mark: "bootx.h", Unistd: []unistdHeader{
		{Name: "unistd_32.h", Table: ppcTable, ABIs: []string{"common", "nospu", "32"}, Others: []string{"64", "spu"}, Count: true},
		{Name: "unistd_64.h", Table: ppcTable, ABIs: []string{"common", "nospu", "64"}, Others: []string{"32", "spu"}, Count: true},
	}},
	{Name: "riscv", Mark: "hwcap.h", MarkText: "COMPAT_HWCAP_ISA_"},
	{Name: "s390", Mark: "zcrypt.h", Unistd: []unistdHeader{
		{Name: "unistd_32.h", Table: s390Table, ABIs: []string{"common", "32"}, Others: []string{"64"}, Count: true, Script: s390Script},
		{Name: "unistd_64.h", Table: s390Table, ABIs: []string{"common", "64"}, Others: []string{"32"}, Count: true, Script: s390Script},
	}},
}
