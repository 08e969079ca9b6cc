//go:build !linux

package seccomp

import "runtime"

// What Linux calls them on most architectures.
const (
	eperm  = 1
	enosys = 38
	eacces = 13

	eprotonosupport = 93
	eopnotsupp      = 95
)

func running() (machine, error) {
	return machine{}, &unsupportedError{"filters of system calls are for Linux, not for " + runtime.GOOS}
}
