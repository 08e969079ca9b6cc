//go:build linux

package linux

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// The memory of this program is also that of a child in flight, and the kernel
// asks the child's credentials who may look into it. In a user namespace of its
// own, every process of the user who has created that has all capabilities over
// the child: it could read and write the memory of this program through it, even
// if this program has privileges, or Yama keeps processes of one user from
// looking into each other.
//
// So such a child is not to be looked into at all, which is noted with the
// memory (PR_SET_DUMPABLE), or has memory of its own, which is a copy. The first
// is quick, but a process that is not dumpable and not root can neither write
// its own uid_map nor have it written. The second takes as long as there is
// memory to be copied.

// ownMemory reports whether the child is to have memory of its own. Tests that
// attack set it.
var ownMemory = func(c *Child) bool { return closedToOthers(c) || diesByGroup(c) }

// closedToOthers reports whether the child comes to be in a user namespace where
// others may look into it who may not look into this program, and which is not
// root's.
func closedToOthers(c *Child) bool {
	return c.newUser() && os.Geteuid() != 0 && (hasCapabilities() || restrictsPtrace())
}

// diesByGroup reports whether the child is created in a control group of which
// an OOM kills all members (memory.oom.group), as in the containers of some
// engines, or of which another user can make it so. The kernel then kills all that
// share their memory too, and does not look whether that is lent.
func diesByGroup(c *Child) bool {
	if c.Cgroup == nil {
		return false
	}
	dir := int(c.Cgroup.Fd())
	// It is so if any group on the way up says so.
	for up := ""; len(up) < 3*64; up += "../" {
		kills, err := oomKillsGroup(dir, up+"memory.oom.group")
		if kills {
			return true
		}
		// The root has no such file, nor has a group without the controller.
		if err != nil && err != unix.ENOENT {
			return true // who knows?
		}
		if err != nil && unix.Faccessat(dir, up+"cgroup.procs", unix.F_OK, 0) != nil {
			return false // above the root
		}
	}
	return true // who nests groups like that?
}

// oomKillsGroup reports whether a file memory.oom.group has a 1, or another user
// can write one.
func oomKillsGroup(dir int, name string) (bool, error) {
	value, stat, err := readFirst(dir, name)
	others := int(stat.Uid) != os.Geteuid() && stat.Uid != 0 || stat.Mode&0o022 != 0
	return err == nil && (others || value != '0'), err
}

// newUser reports whether the child comes to be in a new user namespace.
func (c *Child) newUser() bool { return (c.Flags | c.Unshare).has(NewUser) }

// hasCapabilities reports whether this program has privileges that another one
// of its user may lack.
func hasCapabilities() bool {
	data, err := capabilitiesHere()
	return err != nil || data[0].Permitted|data[1].Permitted != 0
}

// capabilitiesHere returns the capabilities of the calling thread.
func capabilitiesHere() (data [2]unix.CapUserData, err error) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	err = os.NewSyscallError("capget", unix.Capget(&hdr, &data[0]))
	return data, err
}

// restrictsPtrace reports whether processes cannot look into others of their
// user: kernel/yama/ptrace_scope of proc_sys_kernel(5). Where that cannot be
// known it is taken for true.
func restrictsPtrace() bool {
	scope, _, err := readFirst(unix.AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		_, proc := os.Stat("/proc/sys/kernel/ostype")
		return err != unix.ENOENT || proc != nil // else there is no Yama
	}
	return scope != '0'
}

// dumpable is whether this program can be looked into by others, and leaves a
// core dump, while there are children in flight to which that matters.
//
// It is taken away for a child in a new user namespace; and the kernel takes it
// away by itself when a child changes its credentials. When the last such child
// has memory of its own it is given back.
var dumpable struct {
	sync.Mutex
	children int  // in flight, to which it matters
	was      bool // before there were any, or what the program has set since
}

// changesCredentials reports whether the child does so while it has the memory
// of this program.
func changesCredentials(c *Child, how how) bool {
	return !how.ownMemory && (c.Credential != nil || len(c.AmbientCaps) > 0 || c.Capabilities != nil || c.newUser())
}

// holdDumpable keeps others from looking into the child c. If that fails, as
// under a seccomp filter, there must be no such child.
func holdDumpable(c *Child) error {
	d := &dumpable
	d.Lock()
	defer d.Unlock()
	was, err := d.was, error(nil)
	if d.children == 0 {
		was, err = isDumpable()
	}
	if c.newUser() && os.Geteuid() == 0 || c.Capabilities != nil && hasCapabilities() {
		if was && err == nil {
			err = os.NewSyscallError("prctl(PR_SET_DUMPABLE)", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
		}
		if err != nil {
			return fmt.Errorf("linux: keep others from looking into a child that comes to have other capabilities: %w", err)
		}
	}
	d.was = was
	d.children++
	return nil
}

func releaseDumpable() {
	d := &dumpable
	d.Lock()
	defer d.Unlock()
	if d.children--; d.children == 0 && d.was {
		unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	}
}

func isDumpable() (bool, error) {
	r, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	return r == 1, os.NewSyscallError("prctl(PR_GET_DUMPABLE)", err)
}

// SetDumpable sets whether this program can be looked into by other processes of
// its user, and leaves a core dump: PR_SET_DUMPABLE(2const).
//
// A program that also creates children with Credential, AmbientCaps, Capabilities or
// a new user namespace does so by this function. While such a child is on its way to its
// program, which shares the memory of this one until then, this program is not
// dumpable, and afterwards it is again, if it was. What prctl(2) sets meanwhile
// is lost, what this function sets is not. It can be called concurrently.
func SetDumpable(on bool) error {
	d := &dumpable
	d.Lock()
	defer d.Unlock()
	if d.children > 0 {
		if d.was = on; on {
			return nil // when they have their own memory
		}
	}
	value := uintptr(0)
	if on {
		value = 1
	}
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_DUMPABLE, value, 0, 0, 0))
}
