package linux

import (
	"fmt"
)

// An ExitStatus says how a process has ended. It holds a wait status, see
// wait(2), of a process that has exited or was killed by a signal.
type ExitStatus uint32

// Success reports whether the process has exited with code 0.
func (s ExitStatus) Success() bool { return s == 0 }

// Code returns the exit code, or -1 if the process was killed by a signal.
func (s ExitStatus) Code() int {
	if s.Signal() != 0 {
		return -1
	}
	return int(s>>8) & 0xff
}

// Signal returns the signal that killed the process, or 0 if it has exited.
func (s ExitStatus) Signal() Signal { return Signal(s & 0x7f) }

// CoreDump reports whether the process has left a core dump. With AutoReap, and
// of processes that are not children, the kernel tells it not always: Info.Exit.
func (s ExitStatus) CoreDump() bool { return s&0x80 != 0 }

// String returns the status in the words of os.ProcessState: "exit status 1" or
// "signal: killed".
func (s ExitStatus) String() string {
	if s.Signal() == 0 {
		return fmt.Sprintf("exit status %d", s.Code())
	}
	text := "signal: " + s.Signal().String()
	if s.CoreDump() {
		text += " (core dumped)"
	}
	return text
}
