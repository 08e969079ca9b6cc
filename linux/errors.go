package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// An UnsupportedError says that the kernel does not know a feature, or that it
// is kept from this program. errors.Is(err, errors.ErrUnsupported) finds it.
type UnsupportedError struct {
	Feature string // such as "AutoKill"
	Release string // the first Linux release that has it, such as "7.1"
	Reason  string // why it is missing, where that is not the release
	Err     error  // the kernel's answer
}

func (e *UnsupportedError) Error() string {
	s := "linux: " + e.Feature + " is not supported: needs Linux " + e.Release
	if e.Reason != "" {
		s = "linux: " + e.Feature + " is not supported here: " + e.Reason
	}
	return s
}

func (e *UnsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }

func (e *UnsupportedError) Unwrap() error { return e.Err }

// ErrNotWaiting is the error of an answer that a [Listener] gives to a call which does not wait any more: its
// thread was killed, or a signal has interrupted it.
var ErrNotWaiting = errors.New("linux: the system call does not wait for an answer any more")

// A StepKind says what kind of step of a child has failed.
type StepKind int

const (
	StepExec         StepKind = iota + 1 // to execute the program
	StepFiles                            // Files, and closing all others
	StepGate                             // to wait for this program, which maps IDs or calls Created
	StepCreated                          // Created, which has returned an error
	StepParent                           // to look whether this program still runs
	StepMapIDs                           // UidMappings, GidMappings
	StepSession                          // Setsid
	StepProcessGroup                     // Setpgid
	StepForeground                       // Foreground
	StepTerminal                         // Setctty, Noctty
	StepUnshare                          // Unshare
	StepChroot                           // Chroot
	StepCredential                       // Credential
	StepCapabilities                     // AmbientCaps, Capabilities, Securebits
	StepChdir                            // Dir
	StepDeathSignal                      // Pdeathsig
	StepUmask                            // Umask
	StepRlimit                           // Rlimits
	StepTrace                            // Ptrace
	StepSignals                          // signals blocked and ignored
	StepNoNewPrivs                       // NoNewPrivs, where it is a step
	StepLandlock                         // LandlockRuleset
	StepPriority                         // Nice, CPUs, OOMScoreAdj, Scheduler, IOPriority, TimerSlack, MemoryPolicy
	StepSeccomp                          // Seccomp
	StepPersonality                      // Personality
	StepKeyring                          // SessionKeyring
	StepSubreaper                        // Subreaper
	StepNoFileSystem                     // NoFileSystem
	StepListener                         // Listen: to hand over the listener
)

var stepNames = [...]string{
	StepExec: "exec", StepFiles: "files", StepGate: "gate", StepCreated: "created", StepParent: "parent",
	StepMapIDs: "map IDs", StepSession: "session", StepProcessGroup: "process group", StepForeground: "foreground",
	StepTerminal: "terminal", StepUnshare: "unshare", StepChroot: "chroot", StepCredential: "credential",
	StepCapabilities: "capabilities", StepChdir: "chdir", StepDeathSignal: "death signal", StepUmask: "umask",
	StepRlimit: "rlimit", StepTrace: "trace", StepSignals: "signals", StepNoNewPrivs: "no new privileges",
	StepLandlock: "landlock", StepPriority: "priority", StepSeccomp: "seccomp",
	StepPersonality: "personality", StepKeyring: "keyring", StepSubreaper: "subreaper",
	StepNoFileSystem: "no file system", StepListener: "listener",
}

// String returns "process group", for example.
func (k StepKind) String() string {
	if k > 0 && int(k) < len(stepNames) {
		return stepNames[k]
	}
	return fmt.Sprintf("step %d", int(k))
}

// A StepError says which step of a child failed, between its creation and its
// program. The child is gone.
type StepError struct {
	Kind StepKind
	Step string // in words, such as "setgid 1000"

	// Errno is what the kernel has answered; 0 if the child was killed before
	// it has, or if it was no system call that failed.
	Errno Errno

	// Err is the error: Errno, or a *fs.PathError with it if the step has to
	// do with a path, or what else is wrong.
	Err error
}

func (e *StepError) Error() string {
	if pe, ok := e.Err.(*fs.PathError); ok {
		return pe.Error()
	}
	return e.Step + ": " + e.Err.Error()
}

func (e *StepError) Unwrap() error { return e.Err }

// invalid returns an error about what the caller has given. It unwraps to
// EINVAL.
func invalid(format string, args ...any) error {
	return &inputError{fmt.Sprintf("linux: "+format, args...)}
}

type inputError struct{ msg string }

func (e *inputError) Error() string { return e.msg }

func (e *inputError) Unwrap() error { return syscall.EINVAL }
