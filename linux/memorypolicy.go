package linux

import "fmt"

// A MemoryMode says from which nodes of a machine with several memories (NUMA) a
// program gets memory. set_mempolicy(2); the numbers are those of
// linux/mempolicy.h.
type MemoryMode uint

const (
	MemoryDefault            MemoryMode = iota // MPOL_DEFAULT: from the node of the CPU it runs on
	MemoryPreferred                            // MPOL_PREFERRED: from one node, if that has some
	MemoryBind                                 // MPOL_BIND: from some nodes only
	MemoryInterleave                           // MPOL_INTERLEAVE: from some nodes in turn
	MemoryLocal                                // MPOL_LOCAL: from the node of the CPU, whatever this program has; Linux 3.8
	MemoryPreferredMany                        // MPOL_PREFERRED_MANY: from some nodes, if they have some; Linux 5.15
	MemoryWeightedInterleave                   // MPOL_WEIGHTED_INTERLEAVE: in turn, by weights; Linux 6.9
)

// memoryModes has the names, how many nodes each takes, and the first release that
// has it, where that is not old.
var memoryModes = [...]struct {
	name        string
	least, most int
	release     string
}{
	MemoryDefault:            {"MPOL_DEFAULT", 0, 0, ""},
	MemoryPreferred:          {"MPOL_PREFERRED", 1, 1, ""},
	MemoryBind:               {"MPOL_BIND", 1, maxNodes, ""},
	MemoryInterleave:         {"MPOL_INTERLEAVE", 1, maxNodes, ""},
	MemoryLocal:              {"MPOL_LOCAL", 0, 0, ""},
	MemoryPreferredMany:      {"MPOL_PREFERRED_MANY", 1, maxNodes, "5.15"},
	MemoryWeightedInterleave: {"MPOL_WEIGHTED_INTERLEAVE", 1, maxNodes, "6.9"},
}

// maxNodes is how many nodes a kernel can be built for.
const maxNodes = 1024

// String returns the name in C: "MPOL_BIND".
func (m MemoryMode) String() string {
	if int(m) < len(memoryModes) {
		return memoryModes[m].name
	}
	return fmt.Sprintf("memory mode %d", uint(m))
}

// A MemoryPolicy says where a program's memory comes from. The zero value is the
// kernel's default. set_mempolicy(2). Kernels may be built without (ENOSYS).
type MemoryPolicy struct {
	Mode MemoryMode

	// Nodes are their numbers: one for MemoryPreferred, none for MemoryDefault
	// and MemoryLocal, at least one else. Nodes that do not exist, or that the
	// control group does not allow, are EINVAL if none is left.
	Nodes []int

	// StaticNodes keeps Nodes what they are when the control group comes to
	// allow others, RelativeNodes counts them among those that it allows. Not
	// both. MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES.
	StaticNodes, RelativeNodes bool

	// Balance lets the kernel move memory to the node where it is used, within
	// Nodes, for MemoryBind. MPOL_F_NUMA_BALANCING, Linux 5.12.
	Balance bool
}

// The flags that go with a mode: linux/mempolicy.h.
const (
	mpolStaticNodes   = 1 << 15
	mpolRelativeNodes = 1 << 14
	mpolNumaBalancing = 1 << 13
)

// value returns the mode with its flags, as C has it.
func (p *MemoryPolicy) value() uintptr {
	v := uintptr(p.Mode)
	for _, f := range []struct {
		on  bool
		bit uintptr
	}{{p.StaticNodes, mpolStaticNodes}, {p.RelativeNodes, mpolRelativeNodes}, {p.Balance, mpolNumaBalancing}} {
		if f.on {
			v |= f.bit
		}
	}
	return v
}

func (p *MemoryPolicy) check() error {
	if p == nil {
		return nil
	}
	if int(p.Mode) >= len(memoryModes) {
		return invalid("MemoryPolicy.Mode: %v is not known to this package", p.Mode)
	}
	switch mode := memoryModes[p.Mode]; {
	case len(p.Nodes) < mode.least || len(p.Nodes) > mode.most:
		return invalid("MemoryPolicy has %d Nodes, which %v does not take", len(p.Nodes), p.Mode)
	case mode.most == 0 && (p.StaticNodes || p.RelativeNodes):
		return invalid("MemoryPolicy: %v has no nodes that could be static or relative", p.Mode)
	case p.StaticNodes && p.RelativeNodes:
		return invalid("MemoryPolicy: nodes are StaticNodes or RelativeNodes, not both")
	case p.Balance && p.Mode != MemoryBind:
		return invalid("MemoryPolicy.Balance is for MPOL_BIND, not for %v", p.Mode)
	}
	for i, n := range p.Nodes {
		if n < 0 || n >= maxNodes {
			return invalid("MemoryPolicy.Nodes[%d] %d is not the number of a node", i, n)
		}
	}
	return nil
}
