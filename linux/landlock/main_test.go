//go:build linux

package landlock_test

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/scripts/leaktest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// With this variable the test binary is the program that is confined.
const helperVar = "CLONE3_TEST_HELPER"

func TestMain(m *testing.M) {
	if mode, ok := os.LookupEnv(helperVar); ok {
		runtime.LockOSThread() // which alone is confined
		if err := attempt(mode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// What packages net and os/signal keep, the latter when fuzzing.
	warm()
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, unix.SIGWINCH)
	signal.Stop(interrupt)
	os.Exit(leaktest.Run(m))
}

// running returns the running kernel's ABI, or skips the test.
func running(t *testing.T) int {
	t.Helper()
	abi, _, errno := unix.Syscall(uapi.SYS_LANDLOCK_CREATE_RULESET, 0, 0, uapi.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
	case unix.EOPNOTSUPP:
		t.Skip("Landlock, of Linux 5.13, is disabled at boot")
	case unix.ENOSYS:
		kerneltest.Since(t, "Landlock", "5.13")
		t.Skip("Landlock, of Linux 5.13, is not in this kernel, or a filter hides it")
	default:
		t.Fatal(errno)
	}
	return int(abi)
}

// ruleset makes the calls that rules come to, but for the last one.
func ruleset(r *landlock.Resolved) (int, error) {
	n, _, errno := unix.Syscall(uapi.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&r.Attr)), r.Size, 0)
	if errno != 0 {
		return -1, fmt.Errorf("landlock_create_ruleset %+v: %w", r.Attr, errno)
	}
	fd := int(n)
	for _, p := range r.Paths {
		if err := pathRule(fd, p); err != nil && !(p.Optional && err == unix.ENOENT) {
			unix.Close(fd)
			return -1, fmt.Errorf("rule %+v: %w", p, err)
		}
	}
	for _, p := range r.Ports {
		attr := uapi.LandlockNetPortAttr{AllowedAccess: uint64(p.Allowed), Port: uint64(p.Port)}
		if _, _, errno := unix.Syscall6(uapi.SYS_LANDLOCK_ADD_RULE, n, uapi.LANDLOCK_RULE_NET_PORT, uintptr(unsafe.Pointer(&attr)), uintptr(p.Flags), 0, 0); errno != 0 {
			unix.Close(fd)
			return -1, fmt.Errorf("rule %+v: %w", p, errno)
		}
	}
	return fd, nil
}

func pathRule(ruleset int, p landlock.ResolvedPath) error {
	fd, err := unix.Open(p.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	allowed := p.Allowed
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		allowed = p.AllowedFile
	}
	return addPath(ruleset, fd, allowed, p.Flags)
}

func addPath(ruleset, fd int, allowed landlock.Access, flags uint32) error {
	var attr uapi.LandlockPathBeneathAttr
	attr.SetAllowedAccess(uint64(allowed))
	attr.SetParentFd(int32(fd))
	if _, _, errno := unix.Syscall6(uapi.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), uapi.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), uintptr(flags), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// confine confines this thread.
func confine(r *landlock.Resolved) error {
	fd, err := ruleset(r)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(uapi.SYS_LANDLOCK_RESTRICT_SELF, uintptr(fd), uintptr(r.RestrictFlags), 0); errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	return nil
}
