//go:build linux

package linux

import (
	"strconv"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// maxCPUs is how many CPUs a kernel can be built for.
const maxCPUs = 8192

// priorities sets what decides when the program runs, and when it is killed for
// memory. It comes before the child gives up what that may need, and while the
// child has this program's root.
func (p *plan) priorities(c *Child) error {
	if c.OOMScoreAdj != nil {
		// The child has lent memory: only by CLONE_VFORK the kernel knows that,
		// and leaves the score of this program alone.
		const file = "/proc/self/oom_score_adj"
		value := strconv.Itoa(*c.OOMScoreAdj)
		open := p.Call(labelPath(StepPriority, "open", file), uapi.SYS_OPENAT, openAtCwd, p.CString(file), unix.O_WRONLY|unix.O_CLOEXEC)
		write := p.Demand(uintptr(len(value)), labelPath(StepPriority, "write "+value+" to", file), uapi.SYS_WRITE, 0, p.CString(value), uintptr(len(value)))
		p.Pass(open, write, 0)
	}
	if c.Nice != nil {
		p.Call(labelN(StepPriority, "set nice to %d", *c.Nice), uapi.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, uintptr(*c.Nice))
	}
	if c.CPUs != nil {
		last := 0
		for _, cpu := range c.CPUs {
			last = max(last, cpu)
		}
		const bits = int(8 * unsafe.Sizeof(uintptr(0)))
		mask := p.Words(last/bits + 1)
		for _, cpu := range c.CPUs {
			mask[cpu/bits] |= 1 << (cpu % bits)
		}
		p.Call(label(StepPriority, "sched_setaffinity"), uapi.SYS_SCHED_SETAFFINITY, 0,
			uintptr(len(mask))*unsafe.Sizeof(uintptr(0)), table.Address(&mask[0]))
	}
	return nil
}
