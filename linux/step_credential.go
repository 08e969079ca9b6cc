//go:build linux

package linux

import (
	"math"
	"os"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// keepCaps keeps the permitted capabilities when the user changes.
func (p *plan) keepCaps(c *Child) error {
	if len(c.AmbientCaps) > 0 || c.Securebits != 0 && becomesUser(c) {
		p.Call(label(StepCapabilities, "keep capabilities"), uapi.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1)
	}
	return nil
}

// becomesUser reports whether the child, which has the user 0, changes to another,
// with whom it loses its capabilities, or with PR_SET_KEEPCAPS the effective ones.
func becomesUser(c *Child) bool {
	return c.Credential != nil && c.Credential.Uid != 0 && (os.Geteuid() == 0 || c.newUser())
}

// securebits adds to the securebits of this program. That takes a capability
// which the child, if it has changed its user, has to make effective meanwhile.
func (p *plan) securebits(c *Child) error {
	if c.Securebits == 0 {
		return nil
	}
	if c.Securebits&forInterpreters != 0 && !knowsExecCheck() {
		return &UnsupportedError{Feature: "Securebits " + (c.Securebits & forInterpreters).String(), Release: "6.14", Err: unix.EINVAL}
	}
	bits := c.Securebits
	if !c.newUser() { // where there are none
		has, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
		if err != nil {
			return os.NewSyscallError("prctl(PR_GET_SECUREBITS)", err)
		}
		if has&uapi.SECBIT_KEEP_CAPS_LOCKED == 0 {
			has &^= uapi.SECBIT_KEEP_CAPS
		}
		bits |= Securebits(has)
	}
	set := func() {
		p.Call(label(StepCapabilities, "set "+c.Securebits.String()), uapi.SYS_PRCTL, unix.PR_SET_SECUREBITS, uintptr(bits))
	}
	if !becomesUser(c) {
		set()
		return nil
	}
	data, err := afterUser(c)
	if err != nil {
		return err
	}
	data[0].Effective = 1 << CapSetPCap
	p.capset("make CAP_SETPCAP effective", data)
	set()
	data[0].Effective = 0
	if len(c.AmbientCaps) == 0 { // then there was no other reason to keep them
		data[0].Permitted, data[1].Permitted = 0, 0
	}
	p.capset("give up the capabilities of user 0", data)
	return nil
}

// knowsExecCheck reports whether the kernel is one that has securebits for
// interpreters: to others it says EPERM, whoever they are. They came with a flag of
// execveat(2), of which the kernel says first whether it knows it. Nothing is
// executed: there is no such descriptor.
func knowsExecCheck() bool {
	var empty byte
	_, _, errno := syscall.RawSyscall6(uapi.SYS_EXECVEAT, ^uintptr(0), uintptr(unsafe.Pointer(&empty)), 0, 0, unix.AT_EMPTY_PATH|uapi.AT_EXECVE_CHECK, 0)
	return errno != unix.EINVAL
}

// afterUser returns the capabilities of the child when it has changed its user and
// kept the permitted ones, and is to have its ambient ones.
func afterUser(c *Child) (data [2]unix.CapUserData, err error) {
	if c.newUser() { // where the child has them all
		for i := range data {
			data[i].Permitted, data[i].Effective = math.MaxUint32, math.MaxUint32
		}
	} else if data, err = capabilitiesHere(); err != nil {
		return data, err
	}
	if becomesUser(c) {
		// The kernel has taken them with the user 0, and will give them
		// back with the program.
		data[0].Effective, data[1].Effective = 0, 0
	}
	for _, n := range c.AmbientCaps {
		data[n/32].Permitted |= 1 << (n % 32)
		data[n/32].Inheritable |= 1 << (n % 32)
	}
	return data, nil
}

// capset adds a call that sets the capabilities.
func (p *plan) capset(verb string, to [2]unix.CapUserData) {
	hdr := table.In[unix.CapUserHeader](&p.Table)
	hdr.Version = unix.LINUX_CAPABILITY_VERSION_3
	data := table.In[[2]unix.CapUserData](&p.Table)
	*data = to
	p.Call(label(StepCapabilities, verb), uapi.SYS_CAPSET, table.Address(hdr), uintptr(unsafe.Pointer(data)))
}

// ambientCaps raises capabilities in the ambient set. For that they have to be
// permitted and inheritable.
func (p *plan) ambientCaps(c *Child) error {
	if len(c.AmbientCaps) == 0 {
		return nil
	}
	data, err := afterUser(c)
	if err != nil {
		return err
	}
	p.capset("capset", data)
	for _, n := range c.AmbientCaps {
		p.Call(labelN(StepCapabilities, "raise ambient capability %d", int(n)),
			uapi.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n)
	}
	return nil
}

// credential changes user and groups.
func (p *plan) credential(c *Child) error {
	cred := c.Credential
	if cred == nil {
		return nil
	}
	// Where setgroups(2) is denied, setting no groups is what can be done.
	denied := c.GidMappings != nil && !c.GidMappingsEnableSetgroups && len(cred.Groups) == 0
	if !cred.NoSetGroups && !denied {
		p.Call(label(StepCredential, "setgroups"), sysSetgroups, uintptr(len(cred.Groups)), table.Numbers(&p.Table, cred.Groups))
	}
	p.Call(labelN(StepCredential, "setgid %d", int(cred.Gid)), sysSetgid, uintptr(cred.Gid))
	p.Call(labelN(StepCredential, "setuid %d", int(cred.Uid)), sysSetuid, uintptr(cred.Uid))
	return nil
}

// bounding takes out of the bounding set what the program is not to have. With
// NoNewPrivs it needs not, and may not be able to. A change of the user may take
// away the right to.
func (p *plan) bounding(c *Child) error {
	if c.Capabilities == nil || c.Flags.has(NoNewPrivs) {
		return nil
	}
	fresh := c.newUser() // where it is full
	for n := Capability(0); n < 64; n++ {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0)
		if err != nil {
			break // the kernel has no more
		}
		if (has == 1 || fresh) && !c.Capabilities.Has(n) {
			p.Call(label(StepCapabilities, "drop "+n.String()), uapi.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(n))
		}
	}
	return nil
}

// dropCapabilities leaves the child those of its capabilities that the program is
// to have. Nothing after needs any.
func (p *plan) dropCapabilities(c *Child) error {
	if c.Capabilities == nil {
		return nil
	}
	data, err := capabilitiesHere()
	if err != nil {
		return err
	}
	becomes := becomesUser(c)
	for i := range data {
		d := &data[i]
		if c.newUser() {
			d.Permitted, d.Inheritable = math.MaxUint32, 0 // as for ambientCaps
		}
		if becomes && len(c.AmbientCaps) == 0 {
			d.Permitted = 0 // the kernel has taken them with the user 0
		}
		for _, n := range c.AmbientCaps {
			if int(n/32) == i {
				d.Permitted |= 1 << (n % 32)
				d.Inheritable |= 1 << (n % 32)
			}
		}
		keep := uint32(*c.Capabilities >> (32 * i))
		d.Permitted, d.Inheritable = d.Permitted&keep, d.Inheritable&keep
		d.Effective = d.Permitted
	}
	p.capset("drop all but "+c.Capabilities.String(), data)
	return nil
}
