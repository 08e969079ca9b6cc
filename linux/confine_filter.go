//go:build linux

package linux

import (
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// connectUnixABI is the first Landlock that has what a filter has to do before.
const connectUnixABI = 9

// confineHere returns the version of Landlock that the kernel has, and the filter for
// it.
func confineHere() (abi int, filter *seccomp.Program, err error) {
	if abi, err = landlockABI(); err == nil {
		filter, err = confineFilter(abi)
	}
	return abi, filter, err
}

// filterHere returns the filter for this kernel.
func filterHere(families []int) (*seccomp.Filter, error) {
	abi, err := landlockABI()
	if err != nil {
		return nil, err
	}
	return filterFor(abi, families...), nil
}

// compiledFilters has the filters by the Landlock that they are for.
var compiledFilters [landlock.MaxABI + 1]struct {
	once    sync.Once
	program *seccomp.Program
	err     error
}

// confineFilter returns the compiled filter, which all children share.
func confineFilter(abi int) (*seccomp.Program, error) {
	abi = min(abi, landlock.MaxABI)
	f := &compiledFilters[abi]
	f.once.Do(func() { f.program, f.err = filterFor(abi).Compile() })
	return f.program, f.err
}

// filterFor returns the filter for a kernel with that Landlock.
func filterFor(abi int, families ...int) *seccomp.Filter {
	if abi >= connectUnixABI && !slices.Contains(families, unix.AF_UNIX) {
		families = append(slices.Clone(families), unix.AF_UNIX)
	}
	rules := slices.Concat(seccomp.Sockets(families...), noShared, noSetID(), others(), terminals())
	if !slices.Contains(families, unix.AF_UNIX) {
		rules = append(rules, pairs()...)
	}
	if abi < tcpABI && len(families) == 0 {
		rules = append(rules, deny(unix.EACCES, "bind connect")) // of sockets that it was given
	}
	if abi < truncateABI {
		rules = append(rules, noTruncate...)
	}
	f := seccomp.Default()
	f.Rules = slices.Concat(rules, f.Rules)
	return f
}

// deny returns a rule that calls fail with an error, if all conditions hold.
func deny(errno unix.Errno, calls string, args ...seccomp.Arg) seccomp.Rule {
	return seccomp.Rule{Calls: strings.Fields(calls), Args: args, Action: seccomp.Errno(errno)}
}

// all is the condition that an argument has all of some bits.
func all(index int, bits uint64) seccomp.Arg {
	return seccomp.Arg{Index: index, Op: seccomp.MaskedEqual, Mask: bits, Value: bits}
}

// some is the condition that it has one of them, or more.
func some(index int, bits uint64) seccomp.Arg {
	return seccomp.Arg{Index: index, Op: seccomp.Greater, Mask: bits}
}

// not is the condition that an argument, which is an int, is not a number.
func not(index int, n uint64) seccomp.Arg {
	return seccomp.Arg{Index: index, Op: seccomp.NotEqual, Mask: seccomp.Int, Value: n}
}

// pairs are the rules for pairs of unix sockets where no other unix sockets are
// possible: a socket for datagrams, as which AF_UNIX takes raw ones too, can be
// connected anew, and send elsewhere.
func pairs() []seccomp.Rule {
	const bits = 0xf // of the type, beside flags
	var rules []seccomp.Rule
	for _, kind := range []uint64{unix.SOCK_DGRAM, unix.SOCK_RAW} {
		rules = append(rules, deny(unix.EACCES, "socketpair", seccomp.Arg{Index: 1, Mask: bits, Value: kind}))
	}
	return rules
}

// noShared keeps the program from what others of its user have created, and
// share with who knows the number or name.
var noShared = []seccomp.Rule{deny(unix.EACCES, "shmget shmat shmctl semget semop semctl semtimedop semtimedop_time64 msgget msgsnd msgrcv msgctl mq_open mq_unlink")}

// noSetID denies set-user-ID and set-group-ID bits, and descriptors that are for
// ioctl alone.
func noSetID() []seccomp.Rule {
	const (
		bits      = uapi.S_ISUID | uapi.S_ISGID
		creates   = unix.O_CREAT | unix.O_TMPFILE&^unix.O_DIRECTORY // else the mode means nothing, and may be anything
		onlyIoctl = uapi.O_ACCMODE
	)
	return []seccomp.Rule{
		deny(unix.ENOSYS, "openat2"), // whose flags and mode are in memory
		deny(unix.EACCES, "open", all(1, onlyIoctl)),
		deny(unix.EACCES, "openat", all(2, onlyIoctl)),
		deny(unix.EPERM, "open", some(1, creates), some(2, bits)),
		deny(unix.EPERM, "openat", some(2, creates), some(3, bits)),
		deny(unix.EPERM, "chmod fchmod creat mknod", some(1, bits)),
		deny(unix.EPERM, "fchmodat fchmodat2 mknodat", some(2, bits)),
	}
}

// others denies what is done to other processes without a signal.
func others() []seccomp.Rule {
	flags := 0
	if runtime.GOARCH == "s390x" {
		flags = 1 // the stack is first there
	}
	return []seccomp.Rule{
		deny(unix.EPERM, "prlimit64", not(0, 0), seccomp.Arg{Index: 2, Op: seccomp.NotEqual}), // to ask is allowed
		deny(unix.EPERM, "sched_setaffinity sched_setscheduler sched_setparam sched_setattr", not(0, 0)),
		deny(unix.EPERM, "setpriority", not(0, unix.PRIO_PROCESS)),
		deny(unix.EPERM, "setpriority", not(1, 0)),
		deny(unix.EPERM, "ioprio_set", not(0, ioprioWhoProcess)),
		deny(unix.EPERM, "ioprio_set", not(1, 0)),
		deny(unix.EPERM, "clone", all(flags, uapi.CLONE_PARENT)),
	}
}

const ioprioWhoProcess = 1

// terminals denies line disciplines, which are much of the kernel, and old.
func terminals() []seccomp.Rule {
	command := uint64(0x5423) // TIOCSETD
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		command = 0x7401
	}
	return []seccomp.Rule{deny(unix.EPERM, "ioctl", seccomp.Arg{Index: 1, Mask: seccomp.Int, Value: command})}
}

// noTruncate denies what changes the size of a file that is not open for writing.
var noTruncate = []seccomp.Rule{
	deny(unix.EACCES, "truncate truncate64"),
	deny(unix.EACCES, "open", readAndTruncate(1)),
	deny(unix.EACCES, "openat", readAndTruncate(2)),
}

func readAndTruncate(flags int) seccomp.Arg {
	return seccomp.Arg{Index: flags, Op: seccomp.MaskedEqual, Mask: uapi.O_ACCMODE | uapi.O_TRUNC, Value: uapi.O_RDONLY | uapi.O_TRUNC}
}
