package linux

import (
	"fmt"
	"strings"

	"github.com/go-clone3/clone3/uapi"
)

// A Personality changes how a program sees the kernel, for programs that were
// written for another one. Zero is Linux as it is. personality(2).
type Personality uint32

const (
	PerLinux32          Personality = uapi.PER_LINUX32        // PER_LINUX32: uname(2) tells of the 32-bit machine
	PerUname26          Personality = uapi.UNAME26            // UNAME26: uname(2) tells of a Linux 2.6; Linux 3.1
	PerNoRandomAddress  Personality = uapi.ADDR_NO_RANDOMIZE  // ADDR_NO_RANDOMIZE: the same addresses each time, which attackers like
	PerMapPageZero      Personality = uapi.MMAP_PAGE_ZERO     // MMAP_PAGE_ZERO: address 0 can be read
	PerCompatLayout     Personality = uapi.ADDR_COMPAT_LAYOUT // ADDR_COMPAT_LAYOUT: memory is mapped upwards, as of old
	PerReadImpliesExec  Personality = uapi.READ_IMPLIES_EXEC  // READ_IMPLIES_EXEC: memory that can be read can be executed
	PerAddress32        Personality = uapi.ADDR_LIMIT_32BIT   // ADDR_LIMIT_32BIT: addresses have 32 bits
	PerAddress3GB       Personality = uapi.ADDR_LIMIT_3GB     // ADDR_LIMIT_3GB: addresses below 3 GiB
	PerShortInode       Personality = uapi.SHORT_INODE        // SHORT_INODE: no use
	PerWholeSeconds     Personality = uapi.WHOLE_SECONDS      // WHOLE_SECONDS: no use
	PerStickyTimeouts   Personality = uapi.STICKY_TIMEOUTS    // STICKY_TIMEOUTS: select(2) does not tell what time is left
	PerFunctionPointers Personality = uapi.FDPIC_FUNCPTRS     // FDPIC_FUNCPTRS: of signal handlers, on machines without memory management
)

var personalityNames = []struct {
	bit  Personality
	name string
}{
	{PerLinux32, "PER_LINUX32"}, {PerUname26, "UNAME26"}, {PerNoRandomAddress, "ADDR_NO_RANDOMIZE"}, {PerFunctionPointers, "FDPIC_FUNCPTRS"},
	{PerMapPageZero, "MMAP_PAGE_ZERO"}, {PerCompatLayout, "ADDR_COMPAT_LAYOUT"}, {PerReadImpliesExec, "READ_IMPLIES_EXEC"},
	{PerAddress32, "ADDR_LIMIT_32BIT"}, {PerShortInode, "SHORT_INODE"}, {PerWholeSeconds, "WHOLE_SECONDS"},
	{PerStickyTimeouts, "STICKY_TIMEOUTS"}, {PerAddress3GB, "ADDR_LIMIT_3GB"},
}

// String returns the names in C, joined by "|", or "PER_LINUX"; bits without a name
// are printed in hexadecimal.
func (p Personality) String() string {
	var names []string
	for _, n := range personalityNames {
		if p&n.bit == n.bit {
			names = append(names, n.name)
			p &^= n.bit
		}
	}
	if p != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(p)))
	}
	if names == nil {
		return "PER_LINUX"
	}
	return strings.Join(names, "|")
}

// check reports bits that have no name: other systems, which the kernel has
// forgotten, and the number by which personality(2) is asked.
func (p *Personality) check() error {
	if p == nil {
		return nil
	}
	unknown := *p
	for _, n := range personalityNames {
		unknown &^= n.bit
	}
	if unknown != 0 {
		return invalid("Personality %v: %#x is not known to this package", *p, uint32(unknown))
	}
	return nil
}
