//go:build linux

package linux

import (
	"os"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// The steps of a child, each a function that adds to a plan what a Child asks
// for. They run in the parent, before there is a child. Their order is given
// in plan.go.

// session starts a new session.
func (p *plan) session(c *Child) error {
	if c.Setsid {
		p.call(label{verb: "setsid"}, uapi.SYS_SETSID)
	}
	return nil
}

// processGroup enters a process group.
func (p *plan) processGroup(c *Child) error {
	if c.Setpgid || c.Foreground {
		p.call(label{verb: "setpgid %d", n: c.Pgid}, uapi.SYS_SETPGID, 0, uintptr(c.Pgid))
	}
	return nil
}

// foreground puts the process group into the foreground of its terminal.
func (p *plan) foreground(c *Child) error {
	if !c.Foreground {
		return nil
	}
	group := &p.words(1)[0]
	*group = uintptr(c.Pgid)
	if c.Pgid == 0 {
		p.store(p.call(label{verb: "getpid"}, uapi.SYS_GETPID), group)
	}
	p.call(label{verb: "make the process group the foreground of descriptor %d", n: c.Ctty},
		uapi.SYS_IOCTL, uintptr(c.Ctty), unix.TIOCSPGRP, address(low32(group)))
	return nil
}

// low32 returns the half of a word that holds a number of 32 bits.
func low32(w *uintptr) *int32 {
	halves := (*[wordSize / 4]int32)(unsafe.Pointer(w))
	if one := uintptr(1); *(*byte)(unsafe.Pointer(&one)) == 1 { // little endian
		return &halves[0]
	}
	return &halves[len(halves)-1]
}

// unshare leaves namespaces, and maps the IDs of a user namespace it enters.
func (p *plan) unshare(c *Child) error {
	if c.Unshare == 0 {
		return nil
	}
	flags := c.Unshare &^ EmptyMount // whose bit unshare(2) does not have
	if c.Unshare.has(EmptyMount) {
		flags |= uapi.UNSHARE_EMPTY_MNTNS
	}
	p.call(label{verb: "unshare " + c.Unshare.String()}, uapi.SYS_UNSHARE, uintptr(flags))
	if c.Unshare.has(NewUser) {
		p.mapOwnIDs(c)
	}
	if c.Unshare.has(NewMount) {
		// Mounts may be shared with the namespace left, and are where
		// systemd runs. Whoever asks for a namespace does not want that.
		root := p.cstring("/")
		p.call(label{verb: "make the mounts private"}, uapi.SYS_MOUNT, root, root, 0, unix.MS_REC|unix.MS_PRIVATE, 0)
	}
	return nil
}

// chroot changes the root directory.
func (p *plan) chroot(c *Child) error {
	if c.Chroot != "" {
		p.call(label{verb: "chroot", path: c.Chroot}, uapi.SYS_CHROOT, p.cstring(c.Chroot))
	}
	return nil
}

// credential changes user and groups.
func (p *plan) credential(c *Child) error {
	cred := c.Credential
	if cred == nil {
		return nil
	}
	// Where setgroups(2) is denied, setting no groups is what can be done.
	denied := c.GidMappings != nil && !c.GidMappingsEnableSetgroups && len(cred.Groups) == 0
	if !cred.NoSetGroups && !denied {
		p.call(label{verb: "setgroups"}, sysSetgroups, uintptr(len(cred.Groups)), numbers(&p.arena, cred.Groups))
	}
	p.call(label{verb: "setgid %d", n: int(cred.Gid)}, sysSetgid, uintptr(cred.Gid))
	p.call(label{verb: "setuid %d", n: int(cred.Uid)}, sysSetuid, uintptr(cred.Uid))
	return nil
}

// chdir changes the directory.
func (p *plan) chdir(c *Child) error {
	if c.Dir != "" {
		p.call(label{verb: "chdir", path: c.Dir}, uapi.SYS_CHDIR, p.cstring(c.Dir))
	}
	return nil
}

// deathWish asks for a signal when the parent's thread ends. If the parent has
// ended before, the child does not start: nobody is left to send the signal.
func (p *plan) deathWish(c *Child) error {
	if c.Pdeathsig == 0 {
		return nil
	}
	p.call(label{verb: "set the parent death signal to %d", n: int(c.Pdeathsig)},
		uapi.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(c.Pdeathsig))
	if !c.Flags.has(NewPID) { // where the parent has no number
		p.demand(uintptr(os.Getpid()), label{verb: "look for the parent"}, uapi.SYS_GETPPID)
	}
	return nil
}

// terminal leaves or sets the controlling terminal.
func (p *plan) terminal(c *Child) error {
	if c.Noctty {
		p.call(label{verb: "leave the controlling terminal"}, uapi.SYS_IOCTL, 0, unix.TIOCNOTTY)
	}
	if c.Setctty {
		p.call(label{verb: "set the controlling terminal to descriptor %d", n: c.Ctty},
			uapi.SYS_IOCTL, uintptr(c.Ctty), unix.TIOCSCTTY, 1)
	}
	return nil
}

// umask sets the permissions that new files do not get.
func (p *plan) umask(c *Child) error {
	if c.Umask != nil {
		p.call(label{verb: "umask"}, uapi.SYS_UMASK, uintptr(*c.Umask))
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
	lim := in[program.Rlimit](&p.arena)
	*lim = l
	p.call(label{verb: "set resource limit %d", n: resource},
		uapi.SYS_PRLIMIT64, 0, uintptr(resource), address(lim), 0)
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

// trace makes the child traced by its parent.
func (p *plan) trace(c *Child) error {
	if c.Ptrace {
		p.call(label{verb: "ptrace"}, uapi.SYS_PTRACE, unix.PTRACE_TRACEME)
	}
	return nil
}

// signals sets the signals that are blocked, and with ResetSignals those that
// are ignored, to what the program is to find.
func (p *plan) signals(c *Child) error {
	mask := p.mask
	if c.ResetSignals {
		mask = in[sigset](&p.arena)
		action := in[sigaction](&p.arena)
		for sig := range settable {
			p.call(label{verb: "reset signal %d", n: int(sig)},
				uapi.SYS_RT_SIGACTION, uintptr(sig), address(action), 0, sigsetSize())
		}
	}
	p.call(label{verb: "set the signal mask"},
		uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, address(mask), 0, sigsetSize())
	return nil
}

// execute executes the program.
func (p *plan) execute(c *Child) error {
	args := c.Args
	if args == nil {
		args = []string{c.Path}
	}
	env := c.Env
	if env == nil {
		env = syscall.Environ()
	}
	argv, envp := p.cstrings(args), p.cstrings(env)
	if c.Path != "" {
		p.call(label{verb: "exec", path: c.Path}, uapi.SYS_EXECVE, p.cstring(c.Path), argv, envp)
		return nil
	}
	i := p.call(label{verb: "exec", path: c.Exec.Name()},
		uapi.SYS_EXECVEAT, uintptr(p.exec), p.cstring(""), argv, envp, unix.AT_EMPTY_PATH)
	if p.execStep > 0 {
		p.pass(p.execStep, i, 0)
	}
	return nil
}
