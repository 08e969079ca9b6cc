package seccomp

import (
	"runtime"
	"strings"

	"github.com/go-clone3/clone3/uapi"
)

// Default returns a filter for programs that are not trusted, to be edited: it
// allows the set @default, much like container engines do, but no user namespaces,
// no typing into the terminal, and no personality with which memory is easier to
// attack. What is left out fails with EPERM, and what is newer than this
// package with ENOSYS, so that a C library falls back to what is older. The
// package comment tells what breaks. Unlike container engines it denies ptrace,
// io_uring and what else is in @debug; and it leaves the families of sockets to
// other rules, AF_VSOCK too, by which a virtual machine talks to its host.
func Default() *Filter {
	rules := NoUserNamespaces()
	for _, p := range personalities {
		rules = append(rules, Rule{Calls: []string{"personality"}, Args: []Arg{{Mask: Int, Value: p}}, Action: Allow})
	}
	var calls []string
	for _, s := range denied {
		if s.name != "@obsolete" { // they fail with ENOSYS without a filter
			calls = append(calls, s.name)
		}
	}
	for _, c := range terminal() {
		rules = append(rules, Rule{Calls: []string{"ioctl"}, Args: []Arg{{Index: 1, Mask: Int, Value: c}}, Action: Errno(eperm)})
	}
	return &Filter{
		Default: Errno(enosys),
		Rules: append(rules,
			Rule{Calls: calls, Action: Errno(eperm)},
			Rule{Calls: []string{"@default"}, Action: Allow},
		),
	}
}

// The personalities that a program may have with Default: none that makes what it
// reads executable, or its addresses known.
var personalities = [...]uint64{
	0,          // PER_LINUX
	8,          // PER_LINUX32
	0x0020000,  // UNAME26
	0x0020008,  // both
	0xffffffff, // asks only
}

// terminal returns the commands of ioctl that type into a terminal, which another
// program reads then: TIOCSTI, TIOCLINUX.
func terminal() []uint64 {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		return []uint64{0x5472, 0x5483}
	}
	return []uint64{0x5412, 0x541c}
}

// NoUserNamespaces returns rules, to be put before others, with which a program
// creates and enters no user namespace. In one of its own it would have all
// capabilities, and with them most of the kernel to attack.
//
// clone and unshare fail with EPERM if they ask for one, and setns if it asks for
// one or for whatever its descriptor is. clone3 has its flags in memory, where no
// filter looks: it fails with ENOSYS, upon which C libraries use clone. Go's
// runtime and os/exec do not need it; a program that creates children in control
// groups by clone3 breaks.
func NoUserNamespaces() []Rule {
	user := func(index int) []Arg {
		return []Arg{{Index: index, Op: MaskedEqual, Mask: uapi.CLONE_NEWUSER, Value: uapi.CLONE_NEWUSER}}
	}
	flags := 0
	if runtime.GOARCH == "s390x" {
		flags = 1 // the stack is first there
	}
	return []Rule{
		{Calls: []string{"clone"}, Args: user(flags), Action: Errno(eperm)},
		{Calls: []string{"clone3"}, Action: Errno(enosys)},
		{Calls: []string{"unshare"}, Args: user(0), Action: Errno(eperm)},
		{Calls: []string{"setns"}, Args: user(1), Action: Errno(eperm)},
		{Calls: []string{"setns"}, Args: []Arg{{Index: 1, Mask: Int}}, Action: Errno(eperm)},
	}
}
