//go:build !plan9

package linux

import "syscall"

// Types of package syscall that not every system has, so that code which uses
// them compiles everywhere.
type (
	// A Signal is a signal: syscall.SIGTERM, for example.
	Signal = syscall.Signal

	// An Errno is an error number: syscall.EPERM, for example.
	Errno = syscall.Errno
)
