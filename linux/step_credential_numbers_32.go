//go:build linux && (386 || arm)

package linux

import "golang.org/x/sys/unix"

// The calls for IDs of 32 bits. Their first versions, for 16 bits, still have
// the plain names here.
const (
	sysSetuid    = unix.SYS_SETUID32
	sysSetgid    = unix.SYS_SETGID32
	sysSetgroups = unix.SYS_SETGROUPS32
)
