// Confiner confines itself and executes a program: what is done by programs that
// cannot have a child confined by its creation. It is measured beside package
// linux.
//
//	confiner PROGRAM [ARGUMENT...]
package main

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

func main() {
	fmt.Fprintln(os.Stderr, "confiner:", confined(os.Args[1:]))
	os.Exit(125)
}

func confined(args []string) error {
	runtime.LockOSThread() // whose all of this is, and which executes the program
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	rules := landlock.Rules{ABI: 1, Paths: landlock.ReadExecute("/")}
	resolved, err := rules.Resolve(1)
	if err != nil {
		return err
	}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&resolved.Attr)), resolved.Size, 0)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	for _, p := range resolved.Paths {
		fd, err := unix.Open(p.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Path, err)
		}
		var beneath uapi.LandlockPathBeneathAttr
		beneath.SetAllowedAccess(uint64(p.Allowed))
		beneath.SetParentFd(int32(fd))
		if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, uapi.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&beneath)), 0, 0, 0); errno != 0 {
			return fmt.Errorf("landlock: %s: %w", p.Path, errno)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	filter, err := seccomp.Default().Compile()
	if err != nil {
		return err
	}
	instructions := filter.Instructions()
	program := unix.SockFprog{Len: uint16(len(instructions)), Filter: (*unix.SockFilter)(unsafe.Pointer(&instructions[0]))}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	runtime.KeepAlive(instructions)
	return unix.Exec(args[0], args, os.Environ())
}
