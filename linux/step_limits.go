//go:build linux

package linux

import (
	"syscall"

	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// umask sets the permissions that new files do not get.
func (p *plan) umask(c *Child) error {
	if c.Umask != nil {
		p.Call(label(StepUmask, "umask"), uapi.SYS_UMASK, uintptr(*c.Umask))
	}
	return nil
}

// rlimits sets limits on resources, and takes back what Go has done to the
// limit on open files.
func (p *plan) rlimits(c *Child) error {
	nofile := false
	for _, l := range c.Rlimits {
		nofile = nofile || l.Resource == unix.RLIMIT_NOFILE
		p.rlimit(l.Resource, program.Rlimit{Cur: l.Cur, Max: l.Max})
	}
	if was := program.OriginalNofile; !nofile && raised(was) {
		p.rlimit(unix.RLIMIT_NOFILE, was)
	}
	return nil
}

func (p *plan) rlimit(resource int, l program.Rlimit) {
	lim := table.In[program.Rlimit](&p.Table)
	*lim = l
	p.Call(labelN(StepRlimit, "set resource limit %d", resource),
		uapi.SYS_PRLIMIT64, 0, uintptr(resource), table.Address(lim), 0)
}

// raised reports whether the limit on open files is the one that package
// syscall has set in place of was. It sets the soft limit to one less than the
// hard limit, so that it can tell whether somebody else has changed it since.
func raised(was program.Rlimit) bool {
	var now syscall.Rlimit
	return was.Cur+1 < was.Max &&
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now) == nil &&
		now.Cur == was.Max-1 && now.Max == was.Max
}
