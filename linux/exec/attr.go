//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"io"
	"os"
	"reflect"
	"syscall"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// take adds to child what a has. PidFD is not for the child. The files that it
// returns are to be closed when the child is created, also if there is an error.
func take(child *linux.Child, a *syscall.SysProcAttr) (lent []io.Closer, err error) {
	if a == nil {
		return nil, nil
	}
	more, err := laterFields(reflect.ValueOf(a).Elem())
	if err != nil {
		return nil, err
	}
	lend := func(use bool, name string, fd int) *os.File {
		if !use || err != nil {
			return nil
		}
		var f *os.File
		if f, err = borrowed(name, fd); err == nil {
			lent = append(lent, f)
		}
		return f
	}
	cgroup := lend(a.UseCgroupFD, "CgroupFD", a.CgroupFD)
	ruleset := lend(more.useLandlock, "LandlockFD", more.landlockFD)
	if err != nil {
		return lent, err
	}
	flags, unshare := cloneFlags(a.Cloneflags), unshareFlags(a.Unshareflags)
	err = errors.Join(
		merge("Chroot", &child.Chroot, a.Chroot),
		merge("Credential", &child.Credential, a.Credential),
		merge("Ptrace", &child.Ptrace, a.Ptrace),
		merge("Setsid", &child.Setsid, a.Setsid),
		merge("Setpgid", &child.Setpgid, a.Setpgid),
		merge("Setctty", &child.Setctty, a.Setctty),
		merge("Noctty", &child.Noctty, a.Noctty),
		merge("Ctty", &child.Ctty, a.Ctty),
		merge("Foreground", &child.Foreground, a.Foreground),
		merge("Pgid", &child.Pgid, a.Pgid),
		merge("Pdeathsig", &child.Pdeathsig, a.Pdeathsig),
		merge("UidMappings", &child.UidMappings, a.UidMappings),
		merge("GidMappings", &child.GidMappings, a.GidMappings),
		merge("GidMappingsEnableSetgroups", &child.GidMappingsEnableSetgroups, a.GidMappingsEnableSetgroups),
		merge("AmbientCaps", &child.AmbientCaps, a.AmbientCaps),
		merge("Cgroup", &child.Cgroup, cgroup),
		merge("LandlockFD", &child.LandlockRuleset, ruleset),
		merge("LandlockFlags", &child.LandlockFlags, more.landlockFlags),
	)
	if err != nil {
		return lent, err
	}
	if more.noNewPrivs {
		child.Flags |= linux.NoNewPrivs
	}
	child.Unshare |= unshare
	// A namespace that is left at once need not be created, except where
	// that makes a level or concerns children only.
	child.Flags |= flags &^ (child.Unshare &^ (linux.NewUser | linux.NewPID | linux.NewTime))
	return lent, nil
}

// borrowed returns a file for a descriptor that is the caller's: a copy, as an
// os.File closes what it is made of.
func borrowed(name string, fd int) (*os.File, error) {
	dup, err := duplicateFD(fd)
	if err != nil {
		return nil, &attrError{name, err}
	}
	return os.NewFile(uintptr(dup), name), nil
}

// merge sets a field of a Child to a value, unless that is zero. If the field
// has another value already, that is an error.
func merge[T any](name string, field *T, value T) error {
	v := reflect.ValueOf(&value).Elem()
	switch f := reflect.ValueOf(field).Elem(); {
	case v.IsZero():
	case f.IsZero():
		*field = value
	case !reflect.DeepEqual(*field, value):
		return &attrError{name, errAnotherValue}
	}
	return nil
}

// cloneFlags returns what SysProcAttr.Cloneflags asks for. The signal is the one
// that package syscall adds itself. How the memory is shared until the program
// is executed is not for the caller to say, and makes no difference to it.
func cloneFlags(f uintptr) linux.Flags {
	const signal = 0x7f // of CSIGNAL, which is 0xff; the last bit is CLONE_NEWTIME
	if f&signal == uintptr(syscall.SIGCHLD) {
		f &^= signal
	}
	return linux.Flags(f &^ (unix.CLONE_VM | unix.CLONE_VFORK))
}

// unshareFlags returns what SysProcAttr.Unshareflags asks for. The child has its
// own files, directory, semaphore adjustments and signal handlers, and one
// thread; there is nothing to unshare.
func unshareFlags(f uintptr) linux.Flags {
	const emptyMount = 0x00100000 // UNSHARE_EMPTY_MNTNS, Linux 7.1
	flags := linux.Flags(f &^ (unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SYSVSEM | unix.CLONE_SIGHAND | unix.CLONE_THREAD | emptyMount))
	if f&emptyMount != 0 {
		flags |= linux.EmptyMount
	}
	return flags
}
