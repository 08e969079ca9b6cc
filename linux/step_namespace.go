//go:build linux

package linux

import (
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// unshare leaves namespaces, and maps the IDs of a user namespace it enters.
func (p *plan) unshare(c *Child) error {
	if c.Unshare == 0 {
		return nil
	}
	flags := c.Unshare &^ EmptyMount // whose bit unshare(2) does not have
	if c.Unshare.has(EmptyMount) {
		flags |= uapi.UNSHARE_EMPTY_MNTNS
	}
	p.Call(label(StepUnshare, "unshare "+c.Unshare.String()), uapi.SYS_UNSHARE, uintptr(flags))
	if c.Unshare.has(NewUser) {
		p.mapOwnIDs(c)
	}
	if c.Unshare.has(NewMount) {
		// Mounts may be shared with the namespace left, and are where
		// systemd runs. Whoever asks for a namespace does not want that.
		root := p.CString("/")
		p.Call(label(StepUnshare, "make the mounts private"), uapi.SYS_MOUNT, root, root, 0, unix.MS_REC|unix.MS_PRIVATE, 0)
	}
	return nil
}

// chroot changes the root directory.
func (p *plan) chroot(c *Child) error {
	if c.Chroot != "" {
		p.Call(labelPath(StepChroot, "chroot", c.Chroot), uapi.SYS_CHROOT, p.CString(c.Chroot))
	}
	return nil
}

// chdir changes the directory.
func (p *plan) chdir(c *Child) error {
	if c.Dir != "" {
		p.Call(labelPath(StepChdir, "chdir", c.Dir), uapi.SYS_CHDIR, p.CString(c.Dir))
	}
	return nil
}
