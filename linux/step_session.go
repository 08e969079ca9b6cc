//go:build linux

package linux

import (
	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// session starts a new session.
func (p *plan) session(c *Child) error {
	if c.Setsid {
		p.Call(label(StepSession, "setsid"), uapi.SYS_SETSID)
	}
	return nil
}

// processGroup enters a process group.
func (p *plan) processGroup(c *Child) error {
	if c.Setpgid || c.Foreground {
		p.Call(labelN(StepProcessGroup, "setpgid %d", c.Pgid), uapi.SYS_SETPGID, 0, uintptr(c.Pgid))
	}
	return nil
}

// foreground puts the process group into the foreground of its terminal.
func (p *plan) foreground(c *Child) error {
	if !c.Foreground {
		return nil
	}
	group := &p.Words(1)[0]
	*group = uintptr(c.Pgid)
	if c.Pgid == 0 {
		p.Store(p.Call(label(StepForeground, "getpid"), uapi.SYS_GETPID), group)
	}
	p.Call(labelN(StepForeground, "make the process group the foreground of descriptor %d", c.Ctty),
		uapi.SYS_IOCTL, uintptr(c.Ctty), unix.TIOCSPGRP, table.Address(table.Low32(group)))
	return nil
}

// terminal leaves or sets the controlling terminal.
func (p *plan) terminal(c *Child) error {
	if c.Noctty {
		p.Call(label(StepTerminal, "leave the controlling terminal"), uapi.SYS_IOCTL, 0, unix.TIOCNOTTY)
	}
	if c.Setctty {
		p.Call(labelN(StepTerminal, "set the controlling terminal to descriptor %d", c.Ctty),
			uapi.SYS_IOCTL, uintptr(c.Ctty), unix.TIOCSCTTY, 1)
	}
	return nil
}
