//go:build linux

package linux

import (
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// personality changes how the program sees the kernel.
func (p *plan) personality(c *Child) error {
	if c.Personality != nil {
		p.Call(label(StepPersonality, "set the personality to "+c.Personality.String()), uapi.SYS_PERSONALITY, uintptr(*c.Personality))
	}
	return nil
}

// subreaper makes the child one that adopts. It is noted with what threads of a
// process share besides memory, of which the child has its own.
func (p *plan) subreaper(c *Child) error {
	if c.Subreaper {
		p.Call(label(StepSubreaper, "become a subreaper"), uapi.SYS_PRCTL, unix.PR_SET_CHILD_SUBREAPER, 1)
	}
	return nil
}

// keyring joins a session keyring.
func (p *plan) keyring(c *Child) error {
	if c.SessionKeyring == nil {
		return nil
	}
	name, verb := uintptr(0), "join a new session keyring"
	if *c.SessionKeyring != "" {
		name, verb = p.CString(*c.SessionKeyring), "join the session keyring "+*c.SessionKeyring
	}
	p.Call(label(StepKeyring, verb), uapi.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, name)
	return nil
}

// failfsRoot is FD_FAILFS_ROOT as a word.
const failfsRoot = ^uintptr(0) - (-uapi.FD_FAILFS_ROOT - 1)

// noFileSystem takes the file system away: the root, from which absolute paths go,
// and the directory, from which others do. The program is opened before.
func (p *plan) noFileSystem(c *Child) error {
	if !c.NoFileSystem {
		return nil
	}
	if c.Path != "" {
		p.opened = p.Call(labelPath(StepExec, "open", c.Path), uapi.SYS_OPENAT, openAtCwd, p.CString(c.Path), unix.O_PATH|unix.O_CLOEXEC)
	}
	l := label(StepNoFileSystem, "leave the file system")
	l.Feature, l.Since = "NoFileSystem", "7.3"
	p.Call(l, uapi.SYS_FCHROOT, failfsRoot, 0)
	p.Call(l, uapi.SYS_FCHDIR, failfsRoot)
	return nil
}
