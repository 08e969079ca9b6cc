//go:build linux

package seccomp_test

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
)

// Take from a program what it has no use for: here the network, but for unix
// sockets, which logs and name services need.
func Example() {
	const unix = 1 // AF_UNIX
	f := seccomp.Default()
	f.Rules = slices.Insert(f.Rules, 0, seccomp.Rule{
		Calls:  []string{"socket"},
		Args:   []seccomp.Arg{{Index: 0, Op: seccomp.NotEqual, Mask: seccomp.Int, Value: unix}},
		Action: seccomp.Errno(syscall.EACCES),
	})
	p, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{unix}))
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{2}) == seccomp.Errno(syscall.EACCES))
	fmt.Println(p.Decide(uapi.SYS_MOUNT, [6]uint64{}) == seccomp.Errno(syscall.EPERM))
	fmt.Println(len(p.Instructions()) < uapi.BPF_MAXINSNS)
	// Output:
	// allow
	// true
	// true
	// true
}

// Let a program compute, and nothing else: all other calls kill it.
func ExampleFilter() {
	f := seccomp.Filter{Rules: []seccomp.Rule{{
		Calls:  []string{"read", "write", "brk", "mmap", "mmap2", "munmap", "rt_sigreturn", "exit", "exit_group"},
		Action: seccomp.Allow,
	}}}
	p, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Decide(uapi.SYS_READ, [6]uint64{}), p.Decide(uapi.SYS_OPENAT, [6]uint64{}))
	// Output: allow kill process
}

// A name that is spelt wrong is no filter that lets everything through.
func ExampleFilter_Compile() {
	f := seccomp.Filter{Default: seccomp.Allow, Rules: []seccomp.Rule{{Calls: []string{"ptraced"}}}}
	_, err := f.Compile()
	fmt.Println(err)
	var wrong *seccomp.Error
	fmt.Println(errors.As(err, &wrong), wrong.Call, errors.Is(err, syscall.EINVAL))
	// Output:
	// seccomp: rule 0: no system call is named "ptraced": did you mean "ptrace"?
	// true ptraced true
}

// The kernel looks at the lower half of an int: what a program puts into the upper
// one must not get it around a condition.
func ExampleArg() {
	const netlink = 16 // AF_NETLINK
	f := seccomp.Filter{Default: seccomp.Allow, Rules: []seccomp.Rule{{
		Calls:  []string{"socket"},
		Args:   []seccomp.Arg{{Index: 0, Mask: seccomp.Int, Value: netlink}},
		Action: seccomp.Errno(syscall.EPERM),
	}}}
	p, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{netlink}))
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{1<<32 | netlink}))
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{1}))
	// Output:
	// errno 1
	// errno 1
	// allow
}

func ExampleErrno() {
	fmt.Println(seccomp.Errno(syscall.EPERM), seccomp.Errno(1) == seccomp.Errno(syscall.EPERM))
	n, ok := seccomp.Errno(syscall.EPERM).Errno()
	fmt.Println(n, ok)
	// Output:
	// errno 1 true
	// 1 true
}

// User namespaces stay shut, and a C library that is told that there is no clone3
// creates its threads by clone.
func ExampleNoUserNamespaces() {
	f := seccomp.Filter{Default: seccomp.Allow, Rules: seccomp.NoUserNamespaces()}
	p, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Decide(uapi.SYS_UNSHARE, [6]uint64{uapi.CLONE_NEWUSER}))
	fmt.Println(p.Decide(uapi.SYS_UNSHARE, [6]uint64{uapi.CLONE_FILES}))
	fmt.Println(p.Decide(uapi.SYS_CLONE3, [6]uint64{}) == seccomp.Errno(syscall.ENOSYS))
	// Output:
	// errno 1
	// allow
	// true
}

func ExampleSet() {
	fmt.Println(seccomp.Set("@keyring"), seccomp.Set("@swap"))
	fmt.Println(slices.Contains(seccomp.Sets(), "@mount"), slices.Contains(seccomp.Set("@default"), "mount"))
	// Output:
	// [add_key keyctl request_key] [swapoff swapon]
	// true false
}

// A filter with Notify needs a listener, for which package linux cares.
func ExampleProgram() {
	f := seccomp.Filter{Default: seccomp.Allow, Log: true, Rules: []seccomp.Rule{{
		Calls: []string{"mount"}, Action: seccomp.Notify,
	}}}
	p, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Notifies(), p.Flags() == uapi.SECCOMP_FILTER_FLAG_LOG, len(p.Instructions()) > 0)
	fmt.Println(p.Decide(uapi.SYS_MOUNT, [6]uint64{}), p.DecidedBy(uapi.SYS_MOUNT, [6]uint64{}))
	// Output:
	// true true true
	// notify 0
}

// TCP and UDP, and nothing of the network that gets around Landlock's ports.
func ExampleSockets() {
	const inet, stream, mptcp = 2, 1, 262
	f := seccomp.Filter{Default: seccomp.Allow, Rules: seccomp.Sockets(inet)}
	p, err := f.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{inet, stream}))
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{inet, stream, mptcp}) == seccomp.Errno(syscall.EPROTONOSUPPORT))
	fmt.Println(p.Decide(uapi.SYS_SOCKET, [6]uint64{16, stream}) == seccomp.Errno(syscall.EACCES))
	// Output:
	// allow
	// true
	// true
}
