//go:build linux

package linux

import (
	"fmt"
	"os"
	"slices"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// noNewPrivs gives up to gain privileges, where clone3 does not do so itself.
func (p *plan) noNewPrivs(c *Child) error {
	if c.Flags.has(NoNewPrivs) && (p.how.noPrivs || p.how.legacy) {
		p.Call(label(StepNoNewPrivs, "set no_new_privs"), uapi.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	return nil
}

// landlock enters a ruleset, by the number that it has in this program: the
// files are not placed yet.
func (p *plan) landlock(c *Child) error {
	if c.LandlockRuleset == nil {
		return nil
	}
	l := label(StepLandlock, "landlock_restrict_self")
	if l.Feature, l.Since = "LandlockRuleset", "5.13"; c.LandlockFlags != 0 {
		l.Feature, l.Since = "LandlockFlags", "6.15"
	}
	p.Call(l, uapi.SYS_LANDLOCK_RESTRICT_SELF, uintptr(p.ruleset), uintptr(c.LandlockFlags))
	return nil
}

// mayConfine reports whether the kernel lets the child confine itself: it might
// execute a program that gains privileges and is not meant to be confined.
func mayConfine(c *Child, field string) error {
	if c.Flags.has(NoNewPrivs) || c.newUser() && c.Capabilities == nil {
		return nil
	}
	data, err := capabilitiesHere()
	admin := err == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
	if noNew, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil && noNew == 1 {
		return nil
	}
	switch {
	case c.Credential != nil && c.Credential.Uid != 0 && os.Geteuid() == 0 && !slices.Contains(c.AmbientCaps, unix.CAP_SYS_ADMIN):
		admin = false // as the kernel takes it with the user 0
	case field == "Seccomp" && c.Capabilities != nil && !c.Capabilities.Has(CapSysAdmin):
		admin = false // it has been dropped by then
	}
	if !admin {
		return fmt.Errorf("linux: Child.%s needs the flag NoNewPrivs, or CAP_SYS_ADMIN by then: %w", field, unix.EPERM)
	}
	return nil
}
