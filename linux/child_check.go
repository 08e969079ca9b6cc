//go:build linux

package linux

import (
	"math"
	"strings"
)

// flags are Flags, and what Cgroup implies.
func (c *Child) flags() Flags {
	if c.Cgroup != nil {
		return c.Flags | IntoCgroup
	}
	return c.Flags
}

// check reports what can be known to be wrong without asking the kernel.
func (c *Child) check() error {
	if c == nil {
		return invalid("no Child")
	}
	for _, s := range []struct{ name, value string }{
		{"Path", c.Path}, {"Dir", c.Dir}, {"Chroot", c.Chroot},
	} {
		if strings.IndexByte(s.value, 0) >= 0 {
			return invalid("Child.%s %q holds a NUL byte", s.name, s.value)
		}
	}
	if err := noNUL("Args", c.Args); err != nil {
		return err
	}
	if err := noNUL("Env", c.Env); err != nil {
		return err
	}
	if err := c.Flags.check(); err != nil {
		return err
	}
	if bad := c.Unshare &^ (namespaces | EmptyMount); bad != 0 {
		return invalid("Child.Unshare takes namespaces only, not %v", bad)
	}
	switch news := c.Flags | c.Unshare; {
	case c.Path == "" && c.Exec == nil:
		return invalid("Child has neither Path nor Exec: no program to execute")
	case c.Path != "" && c.Exec != nil:
		return invalid("Child has both Path and Exec: which program to execute?")
	case c.Args != nil && len(c.Args) == 0:
		return invalid("Child.Args is empty: its first element is the name of the program")
	case news.has(EmptyMount) && c.Exec == nil:
		return invalid("flag EmptyMount: no path exists in the child, give the program as Child.Exec")
	case c.Flags.has(IntoCgroup) && c.Cgroup == nil:
		return invalid("flag IntoCgroup needs Child.Cgroup")
	case c.Emulate&^(AutoKill|NoNewPrivs) != 0:
		return invalid("Child.Emulate takes AutoReap and AutoKill, not %v", c.Emulate&^(AutoKill|NoNewPrivs))
	case c.Flags&c.Unshare != 0:
		return invalid("%v are in both Flags and Unshare", c.Flags&c.Unshare)
	case len(c.UidMappings)+len(c.GidMappings) > 0 && !news.has(NewUser):
		return invalid("UidMappings and GidMappings need a user namespace: add NewUser")
	case c.LeaveZombie && c.Flags.has(AutoReap):
		return invalid("LeaveZombie: a child with AutoReap leaves no zombie")
	case c.ExitSignal != 0 && c.Flags.has(AutoReap):
		return invalid("ExitSignal %d: a child with AutoReap sends no signal", c.ExitSignal)
	case c.ExitSignal < 0 || c.ExitSignal > lastSignal():
		return invalid("ExitSignal %d is not a signal", c.ExitSignal)
	case c.Pdeathsig < 0 || c.Pdeathsig > lastSignal():
		return invalid("Pdeathsig %d is not a signal", c.Pdeathsig)
	case c.Setctty && c.Foreground:
		return invalid("Setctty takes Ctty for the child's descriptor, Foreground for one of this program: not both")
	case c.Setctty && (c.Ctty < 0 || c.Ctty >= max(len(c.Files), 3)):
		return invalid("Setctty: the child has no descriptor %d", c.Ctty)
	case c.LandlockFlags != 0 && c.LandlockRuleset == nil:
		return invalid("LandlockFlags %#x without LandlockRuleset", c.LandlockFlags)
	case c.Pgid < 0:
		return invalid("Pgid %d is negative", c.Pgid)
	case c.Umask != nil && *c.Umask&^0o777 != 0:
		return invalid("Umask %#o is more than permissions", *c.Umask)
	case c.Nice != nil && (*c.Nice < -20 || *c.Nice > 19):
		return invalid("Nice %d is not between -20 and 19", *c.Nice)
	case c.CPUs != nil && len(c.CPUs) == 0:
		return invalid("CPUs is empty: the program could run nowhere")
	case c.OOMScoreAdj != nil && (*c.OOMScoreAdj < -1000 || *c.OOMScoreAdj > 1000):
		return invalid("OOMScoreAdj %d is not between -1000 and 1000", *c.OOMScoreAdj)
	case c.TimerSlack < 0 || uint64(c.TimerSlack) > math.MaxUint:
		return invalid("TimerSlack %v is not a time that this machine takes", c.TimerSlack)
	case c.TimerSlack != 0 && c.Scheduler != nil && c.Scheduler.Policy.realtime():
		return invalid("TimerSlack %v: the kernel has none for %v", c.TimerSlack, c.Scheduler.Policy)
	case c.SessionKeyring != nil && strings.IndexByte(*c.SessionKeyring, 0) >= 0:
		return invalid("Child.SessionKeyring %q holds a NUL byte", *c.SessionKeyring)
	case c.SessionKeyring != nil && strings.HasPrefix(*c.SessionKeyring, "."):
		return invalid("SessionKeyring %q: names that begin with a dot are the kernel's", *c.SessionKeyring)
	case c.NoFileSystem && (c.Dir != "" || c.Chroot != ""):
		return invalid("NoFileSystem: the program will be in no directory and have no root, so there can be neither Dir nor Chroot")
	case c.Listen && c.Seccomp == nil:
		return invalid("Listen without Seccomp: there is nothing to listen to")
	case len(c.SetTID) > 32:
		return invalid("SetTID has %d elements: PID namespaces nest 32 deep", len(c.SetTID))
	}
	for _, err := range []error{
		c.Scheduler.check(c.Nice), c.IOPriority.check(), c.MemoryPolicy.check(), c.Personality.check(), c.Securebits.check(),
	} {
		if err != nil {
			return err
		}
	}
	for i, tid := range c.SetTID {
		if tid < 1 || tid > 1<<22 {
			return invalid("SetTID[%d] %d is not a process ID", i, tid)
		}
	}
	for i, cap := range c.AmbientCaps {
		if cap > 63 {
			return invalid("AmbientCaps[%d] %d is not a capability", i, cap)
		}
		if c.Capabilities != nil && !c.Capabilities.Has(Capability(cap)) {
			return invalid("AmbientCaps[%d] is %v, which Capabilities does not have", i, Capability(cap))
		}
	}
	for i, cpu := range c.CPUs {
		if cpu < 0 || cpu >= maxCPUs {
			return invalid("CPUs[%d] %d is not the number of a CPU", i, cpu)
		}
	}
	if err := checkMap("UidMappings", c.UidMappings); err != nil {
		return err
	}
	return checkMap("GidMappings", c.GidMappings)
}

func noNUL(name string, ss []string) error {
	for i, s := range ss {
		if strings.IndexByte(s, 0) >= 0 {
			return invalid("Child.%s[%d] %q holds a NUL byte", name, i, s)
		}
	}
	return nil
}
