//go:build linux

package linux

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
)

// filter makes the child one whose system calls are filtered. It is the last
// thing but for executing the program.
func (p *plan) filter(c *Child) error {
	if c.Seccomp == nil {
		return nil
	}
	if err := mayConfine(c, "Seccomp"); err != nil {
		return err
	}
	switch notifies := c.Seccomp.Notifies(); {
	case notifies && !c.Listen:
		return invalid("Seccomp has the action Notify, and nobody would answer: Listen is not set")
	case !notifies && c.Listen:
		return invalid("Listen: Seccomp has no action Notify, there is nothing to listen to")
	}
	flags := uintptr(c.Seccomp.Flags())
	if c.Listen {
		listens, err := p.expectListener()
		if err != nil {
			return err
		}
		flags |= listens
	}
	code := c.Seccomp.Instructions()
	const size = unsafe.Sizeof(seccomp.Instruction{})
	words := p.Words((len(code)*int(size) + int(unsafe.Sizeof(uintptr(0))) - 1) / int(unsafe.Sizeof(uintptr(0))))
	copy(unsafe.Slice((*seccomp.Instruction)(unsafe.Pointer(unsafe.SliceData(words))), len(code)), code)
	fprog := p.Words(2) // struct sock_fprog: a length of 16 bits, and an address
	*(*uint16)(unsafe.Pointer(&fprog[0])) = uint16(len(code))
	fprog[1] = table.Address(unsafe.SliceData(words))
	l := label(StepSeccomp, "filter system calls")
	l.Feature, l.Since = "Seccomp", "3.17"
	install := p.Call(l, uapi.SYS_SECCOMP, uapi.SECCOMP_SET_MODE_FILTER, flags, table.Address(&fprog[0]))
	if p.listener != nil {
		p.listener.install = install
	}
	return nil
}

// survives reports whether the child comes to its program under its filter: it has
// to be let execute that, and if it cannot, end.
func (p *plan) survives(c *Child) error {
	if c.Seccomp == nil {
		return nil
	}
	nr, args := p.Last()
	for _, call := range []struct {
		nr   uintptr
		args [6]uintptr
		ends bool // whatever kills does as well
	}{{nr, args, false}, {program.ExitGroup, [6]uintptr{program.ExitStatus}, true}} {
		allowed := []seccomp.Action{seccomp.Allow, seccomp.Log}
		if call.ends {
			allowed = append(allowed, seccomp.KillProcess, seccomp.KillThread)
		}
		if action := decision(c.Seccomp, call.nr, call.args[:]...); !slices.Contains(allowed, action) {
			by := "of none of its rules"
			if rule := c.Seccomp.DecidedBy(call.nr, widened(call.args[:])); rule >= 0 {
				by = fmt.Sprintf("of rule %d", rule)
			}
			return invalid("Seccomp answers %v to %s, because %s: the child needs it to execute its program", action, uapi.SyscallName(call.nr), by)
		}
	}
	return nil
}
