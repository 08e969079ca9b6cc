//go:build linux

package linux

import (
	"errors"
	"os"
	"syscall"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A fence is what a child needs to make a Landlock ruleset: the rules, and numbers
// of descriptors that nobody else uses. They are taken here, so that the child has
// them too, whatever it inherits.
type fence struct {
	rules   landlock.Resolved
	ruleset int // its number in the child
	path    int // that of the path of a rule
	none    int // a descriptor that can be in no rule
}

// openFence resolves Child.Landlock for this kernel, and takes the numbers.
func (p *plan) openFence(c *Child) error {
	if c.Landlock == nil {
		return nil
	}
	if err := mayConfine(c, "Landlock"); err != nil {
		return err
	}
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	rules, err := c.Landlock.Resolve(abi)
	if err != nil {
		return notEnforced(err)
	}
	p.unenforced = rules.LeftOut
	if rules.Empty() { // with BestEffort
		return nil
	}
	none, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("eventfd2", err)
	}
	p.fence = &fence{rules: rules, ruleset: -1, path: -1, none: none}
	for _, number := range []*int{&p.fence.ruleset, &p.fence.path} {
		if *number, err = unix.FcntlInt(uintptr(none), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return os.NewSyscallError("fcntl(F_DUPFD_CLOEXEC)", err)
		}
		p.need(*number)
	}
	p.need(none)
	return nil
}

// close closes what holds the numbers in this program.
func (f *fence) close() {
	for _, fd := range []int{f.ruleset, f.path, f.none} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// landlockABI asks for the version of Landlock that the kernel has, 0 if it has
// none or was started without.
func landlockABI() (int, error) {
	abi, _, errno := syscall.RawSyscall(uapi.SYS_LANDLOCK_CREATE_RULESET, 0, 0, uapi.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(abi), nil
	case unix.ENOSYS, unix.EOPNOTSUPP:
		return 0, nil
	}
	return 0, os.NewSyscallError("landlock_create_ruleset", errno)
}

// enterFence makes the ruleset and enters it.
func (p *plan) enterFence(c *Child) error {
	f := p.fence
	if f == nil {
		return nil
	}
	attr := table.In[uapi.LandlockRulesetAttr](&p.Table)
	*attr = f.rules.Attr
	l := label(StepLandlock, "landlock_create_ruleset")
	create := p.Call(l, uapi.SYS_LANDLOCK_CREATE_RULESET, table.Address(attr), f.rules.Size, 0)
	p.Pass(create, p.Call(l, uapi.SYS_DUP3, 0, uintptr(f.ruleset), unix.O_CLOEXEC), 0)
	for _, rule := range f.rules.Paths {
		p.allowPath(rule)
	}
	for _, rule := range f.rules.Ports {
		attr := table.In[uapi.LandlockNetPortAttr](&p.Table)
		attr.AllowedAccess, attr.Port = uint64(rule.Allowed), uint64(rule.Port)
		p.Call(labelN(StepLandlock, "allow port %d", int(rule.Port)), uapi.SYS_LANDLOCK_ADD_RULE,
			uintptr(f.ruleset), uapi.LANDLOCK_RULE_NET_PORT, table.Address(attr), uintptr(rule.Flags))
	}
	p.Call(label(StepLandlock, "landlock_restrict_self"), uapi.SYS_LANDLOCK_RESTRICT_SELF, uintptr(f.ruleset), uintptr(f.rules.RestrictFlags))
	return nil
}

// allowPath adds a rule. Only one of its calls can tell the number of the path that
// was opened, so that it becomes one that is known. What is opened meanwhile is
// closed when the program is executed.
func (p *plan) allowPath(rule landlock.ResolvedPath) {
	f := p.fence
	l := labelPath(StepLandlock, "allow", rule.Path)
	path := p.CString(rule.Path)
	const flags = unix.O_PATH | unix.O_CLOEXEC
	if !rule.Optional {
		open := p.Call(l, uapi.SYS_OPENAT, openAtCwd, path, flags)
		p.Pass(open, p.Call(l, uapi.SYS_DUP3, 0, uintptr(f.path), unix.O_CLOEXEC), 0)
	} else {
		// Where it is missing the number must not be that of another rule.
		p.Call(l, uapi.SYS_DUP3, uintptr(f.none), uintptr(f.path), unix.O_CLOEXEC)
		open := p.Unless(unix.ENOENT, l, uapi.SYS_OPENAT, openAtCwd, path, flags)
		p.Pass(open, p.Try(l, uapi.SYS_DUP3, 0, uintptr(f.path), unix.O_CLOEXEC), 0)
	}
	add := func(rights landlock.Access, may syscall.Errno) {
		if rights == 0 && rule.Flags == 0 {
			return // which is no rule
		}
		attr := table.In[uapi.LandlockPathBeneathAttr](&p.Table)
		attr.SetAllowedAccess(uint64(rights))
		attr.SetParentFd(int32(f.path))
		args := []uintptr{uintptr(f.ruleset), uapi.LANDLOCK_RULE_PATH_BENEATH, table.Address(attr), uintptr(rule.Flags)}
		if may == 0 {
			p.Call(l, uapi.SYS_LANDLOCK_ADD_RULE, args...)
		} else {
			p.Unless(may, l, uapi.SYS_LANDLOCK_ADD_RULE, args...)
		}
	}
	// Of what is no directory a rule may have no right to directories (EINVAL).
	// Such a rule is refused whole; and in a directory it is for what is below.
	missing := syscall.Errno(0)
	if rule.Optional {
		missing = unix.EBADFD
	}
	if rule.AllowedFile != rule.Allowed {
		add(rule.Allowed, max(unix.EINVAL, missing))
	}
	add(rule.AllowedFile, missing)
}

// notEnforced gives an error of package landlock the form of others about what the
// kernel lacks.
func notEnforced(err error) error {
	var lacks *landlock.UnsupportedError
	if errors.As(err, &lacks) {
		return &UnsupportedError{Feature: "Landlock", Release: lacks.Release, Reason: lacks.Error(), Err: err}
	}
	return err
}
