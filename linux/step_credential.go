//go:build linux

package linux

import (
	"math"
	"os"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// keepCaps keeps the permitted capabilities when the user changes.
func (p *plan) keepCaps(c *Child) error {
	if len(c.AmbientCaps) > 0 {
		p.Call(label(StepCapabilities, "keep capabilities"), uapi.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1)
	}
	return nil
}

// ambientCaps raises capabilities in the ambient set. For that they have to be
// permitted and inheritable.
func (p *plan) ambientCaps(c *Child) error {
	if len(c.AmbientCaps) == 0 {
		return nil
	}
	hdr := table.In[unix.CapUserHeader](&p.Table)
	hdr.Version = unix.LINUX_CAPABILITY_VERSION_3
	data := table.In[[2]unix.CapUserData](&p.Table)

	news := c.Flags | c.Unshare
	if news.has(NewUser) { // where the child has them all
		for i := range data {
			data[i].Permitted, data[i].Effective = math.MaxUint32, math.MaxUint32
		}
	} else if err := unix.Capget(hdr, &data[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	if cred := c.Credential; cred != nil && cred.Uid != 0 && (os.Geteuid() == 0 || news.has(NewUser)) {
		// The kernel has taken them with the user 0, and will give them
		// back with the program.
		data[0].Effective, data[1].Effective = 0, 0
	}
	for _, n := range c.AmbientCaps {
		data[n/32].Permitted |= 1 << (n % 32)
		data[n/32].Inheritable |= 1 << (n % 32)
	}
	p.Call(label(StepCapabilities, "capset"), uapi.SYS_CAPSET, table.Address(hdr), uintptr(unsafe.Pointer(data)))
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
	hdr := table.In[unix.CapUserHeader](&p.Table)
	hdr.Version = unix.LINUX_CAPABILITY_VERSION_3
	data := table.In[[2]unix.CapUserData](&p.Table)
	if err := unix.Capget(hdr, &data[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	becomes := c.Credential != nil && c.Credential.Uid != 0 && (os.Geteuid() == 0 || c.newUser())
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
	p.Call(label(StepCapabilities, "drop all but "+c.Capabilities.String()), uapi.SYS_CAPSET, table.Address(hdr), uintptr(unsafe.Pointer(data)))
	return nil
}
