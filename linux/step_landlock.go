//go:build linux

package linux

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unsafe"

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

// allowPath adds a rule. What is opened for it is closed when the program is executed.
func (p *plan) allowPath(rule landlock.ResolvedPath) {
	l := labelPath(StepLandlock, "Landlock.Paths[%d]: allow", rule.Path)
	l.N = rule.Rule
	flags := uintptr(unix.O_PATH | unix.O_CLOEXEC)
	if rule.NoFollow {
		flags |= unix.O_NOFOLLOW
	}
	if rule.Directory {
		flags |= unix.O_DIRECTORY
	}
	// Where a path may be missing, what is then in place of its descriptor is none
	// (EBADF), be it the error number or the number of an eventfd (EBADFD).
	missing := syscall.Errno(0)
	open := func(nr uintptr, args ...uintptr) int { return p.Call(l, nr, args...) }
	if rule.Optional {
		missing = unix.EBADFD
		open = func(nr uintptr, args ...uintptr) int { return p.Unless(unix.ENOENT, l, nr, args...) }
	}
	// Of what is no directory a rule may have no right to directories (EINVAL).
	// Such a rule is refused whole; and in a directory it is for what is below.
	type addition struct {
		rights landlock.Access
		may    syscall.Errno
	}
	adds := []addition{{rule.AllowedFile, missing}}
	switch {
	case rule.Directory:
		adds = []addition{{rule.Allowed, missing}}
	case rule.AllowedFile != rule.Allowed:
		adds = []addition{{rule.Allowed, max(unix.EINVAL, missing)}, adds[0]}
	}
	adds = slices.DeleteFunc(adds, func(a addition) bool { return a.rights == 0 && rule.Flags == 0 }) // which is no rule
	path := p.CString(rule.Path)
	if len(adds) == 1 && storesNumbers {
		attr := p.ruleAttr(adds[0].rights)
		p.Store(open(uapi.SYS_OPENAT, openAtCwd, path, flags), attr.number())
		p.addRule(l, attr, rule.Flags, adds[0].may)
		return
	}
	// Only one call can be told the number of what was opened, so that it becomes
	// one that is known.
	known := p.fence.path
	if rule.Optional { // where it is missing that must not be the one of another rule
		p.Call(l, uapi.SYS_DUP3, uintptr(p.fence.none), uintptr(known), unix.O_CLOEXEC)
		p.Pass(open(uapi.SYS_OPENAT, openAtCwd, path, flags), p.Try(l, uapi.SYS_DUP3, 0, uintptr(known), unix.O_CLOEXEC), 0)
	} else {
		p.Pass(open(uapi.SYS_OPENAT, openAtCwd, path, flags), p.Call(l, uapi.SYS_DUP3, 0, uintptr(known), unix.O_CLOEXEC), 0)
	}
	for _, a := range adds {
		attr := p.ruleAttr(a.rights)
		attr.SetParentFd(int32(known))
		p.addRule(l, attr, rule.Flags, a.may)
	}
}

// A pathRule is the argument of a call that adds a rule, with room for a number of
// the size of a word.
type pathRule struct {
	uapi.LandlockPathBeneathAttr
	_ [4]byte
}

// number is the word in which the descriptor is, where storesNumbers.
func (r *pathRule) number() *uintptr {
	return (*uintptr)(unsafe.Add(unsafe.Pointer(r), landlockFD))
}

const landlockFD = 8 // where it is in the attribute

// storesNumbers is whether a word that holds a descriptor begins with its 32 bits,
// so that the result of a call can go there.
var storesNumbers = func() bool {
	var word uintptr
	return table.Address(table.Low32(&word)) == table.Address(&word)
}()

func (p *plan) ruleAttr(rights landlock.Access) *pathRule {
	attr := table.In[pathRule](&p.Table)
	attr.SetAllowedAccess(uint64(rights))
	return attr
}

// addRule adds the call for it, which may fail with an error, unless that is 0.
func (p *plan) addRule(l table.Label, attr *pathRule, flags uint32, may syscall.Errno) {
	args := []uintptr{uintptr(p.fence.ruleset), uapi.LANDLOCK_RULE_PATH_BENEATH, table.Address(attr), uintptr(flags)}
	if may == 0 {
		p.Call(l, uapi.SYS_LANDLOCK_ADD_RULE, args...)
	} else {
		p.Unless(may, l, uapi.SYS_LANDLOCK_ADD_RULE, args...)
	}
}

// fencedOff says what of the Landlock rules may be the reason that the program was
// denied (EACCES), or "" if they are not. It looks at paths as this program
// sees them.
func fencedOff(c *Child) string {
	if c.Landlock == nil || c.Landlock.Free&landlock.Execute != 0 {
		return ""
	}
	name := c.Path
	if name == "" {
		name = c.Exec.Name()
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.Dir, name)
	}
	name = filepath.Join(c.Chroot, name)
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	allowed := landlock.Access(0)
	var by []string
	for i, r := range c.Landlock.Paths {
		path := filepath.Join(c.Chroot, r.Path)
		if target, err := filepath.EvalSymlinks(path); err == nil && !r.NoFollow {
			path = target
		}
		if path == name || path == "/" || strings.HasPrefix(name, path+"/") {
			allowed |= r.Access
			by = append(by, fmt.Sprintf("Landlock.Paths[%d] %s", i, r.Access))
		}
	}
	const needed = landlock.Execute | landlock.ReadFile
	switch missing := needed &^ allowed; {
	case missing == 0:
		return "Landlock allows " + name + " by " + strings.Join(by, ", ") + ", but maybe not its interpreter or dynamic loader"
	case by == nil:
		return "no rule of Landlock.Paths is for " + name + ", which takes " + missing.String()
	default:
		return "Landlock allows " + name + " too little, which takes " + missing.String() + ": " + strings.Join(by, ", ")
	}
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
