//go:build linux

package linux

import (
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
