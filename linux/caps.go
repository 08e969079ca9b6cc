//go:build linux

package linux

import (
	"math"
	"os"
	"sync"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// keepCaps keeps the permitted capabilities when the user changes.
func (p *plan) keepCaps(c *Child) error {
	if len(c.AmbientCaps) > 0 {
		p.call(label{verb: "keep capabilities"}, uapi.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1)
	}
	return nil
}

// ambientCaps raises capabilities in the ambient set. For that they have to be
// permitted and inheritable.
func (p *plan) ambientCaps(c *Child) error {
	if len(c.AmbientCaps) == 0 {
		return nil
	}
	hdr := in[unix.CapUserHeader](&p.arena)
	hdr.Version = unix.LINUX_CAPABILITY_VERSION_3
	data := in[[2]unix.CapUserData](&p.arena)

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
	p.call(label{verb: "capset"}, uapi.SYS_CAPSET, address(hdr), uintptr(unsafe.Pointer(data)))
	for _, n := range c.AmbientCaps {
		p.call(label{verb: "raise ambient capability %d", n: int(n)},
			uapi.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n)
	}
	return nil
}

// dumpable is whether this program can be traced, and leaves a core dump.
//
// The kernel notes it not with a process but with its memory, and takes it away
// when a process changes its credentials. So does a child that still shares its
// memory with this program. That is as it should be as long as there is such a
// child: what may trace the child could read the memory of this program. When
// the last one has its own memory, it is given back.
var dumpable struct {
	sync.Mutex
	children int  // that change their credentials and have no memory of their own
	was      bool // before there were any
}

// changesCredentials reports whether a step of c does.
func changesCredentials(c *Child) bool {
	return c.Credential != nil || len(c.AmbientCaps) > 0 || c.Unshare.has(NewUser)
}

func holdDumpable() {
	d := &dumpable
	d.Lock()
	defer d.Unlock()
	if d.children++; d.children == 1 {
		r, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		d.was = err == nil && r == 1
	}
}

func releaseDumpable() {
	d := &dumpable
	d.Lock()
	defer d.Unlock()
	if d.children--; d.children == 0 && d.was {
		unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	}
}
