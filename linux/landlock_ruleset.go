//go:build linux

package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// newRuleset is NewLandlockRuleset.
func newRuleset(rules *landlock.Rules) (ruleset *os.File, unenforced []string, err error) {
	if rules.Log != 0 {
		return nil, nil, invalid("Log %v is no part of a Landlock ruleset: LandlockFlags are for it", rules.Log)
	}
	abi, err := landlockABI()
	if err != nil {
		return nil, nil, err
	}
	r, err := rules.Resolve(abi)
	if err != nil {
		return nil, nil, notEnforced(err)
	}
	if r.Empty() {
		return nil, nil, &UnsupportedError{Feature: "Landlock", Release: "5.13", Reason: "the kernel can enforce nothing of the rules", Err: unix.EOPNOTSUPP}
	}
	fd, _, errno := syscall.Syscall(uapi.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&r.Attr)), r.Size, 0)
	if errno != 0 {
		return nil, nil, os.NewSyscallError("landlock_create_ruleset", errno)
	}
	f := os.NewFile(fd, "landlock ruleset")
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	for _, p := range r.Paths {
		if err = addPath(fd, p); err != nil {
			return nil, nil, fmt.Errorf("linux: Landlock.Paths[%d]: %w", p.Rule, err)
		}
	}
	for _, p := range r.Ports {
		attr := uapi.LandlockNetPortAttr{AllowedAccess: uint64(p.Allowed), Port: uint64(p.Port)}
		if err = addRule(fd, uapi.LANDLOCK_RULE_NET_PORT, unsafe.Pointer(&attr), p.Flags); err != nil {
			return nil, nil, fmt.Errorf("linux: Landlock: allow port %d: %w", p.Port, err)
		}
	}
	return f, r.LeftOut, nil
}

// addPath adds a rule to a ruleset, by the path as this program sees it.
func addPath(ruleset uintptr, rule landlock.ResolvedPath) error {
	flags := unix.O_PATH | unix.O_CLOEXEC
	if rule.Directory {
		flags |= unix.O_DIRECTORY
	}
	if rule.NoFollow {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Open(rule.Path, flags, 0)
	if rule.Optional && errors.Is(err, unix.ENOENT) {
		return nil
	}
	var stat unix.Stat_t
	if err == nil {
		defer unix.Close(fd)
		err = unix.Fstat(fd, &stat)
	}
	if err != nil {
		return &fs.PathError{Op: "allow", Path: rule.Path, Err: err}
	}
	rights := rule.AllowedFile
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		rights = rule.Allowed
	}
	if rights == 0 && rule.Flags == 0 {
		return nil // which is no rule
	}
	var attr uapi.LandlockPathBeneathAttr
	attr.SetAllowedAccess(uint64(rights))
	attr.SetParentFd(int32(fd))
	if err := addRule(ruleset, uapi.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&attr), rule.Flags); err != nil {
		return &fs.PathError{Op: "allow", Path: rule.Path, Err: err}
	}
	return nil
}

func addRule(ruleset, kind uintptr, attr unsafe.Pointer, flags uint32) error {
	if _, _, errno := syscall.Syscall6(uapi.SYS_LANDLOCK_ADD_RULE, ruleset, kind, uintptr(attr), uintptr(flags), 0, 0); errno != 0 {
		return errno
	}
	return nil
}
