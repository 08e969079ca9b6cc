//go:build linux && (386 || arm)

package linux

import "github.com/go-clone3/clone3/uapi"

// The calls for IDs of 32 bits. Their first versions, for 16 bits, still have
// the plain names here.
const (
	sysSetuid    = uapi.SYS_SETUID32
	sysSetgid    = uapi.SYS_SETGID32
	sysSetgroups = uapi.SYS_SETGROUPS32
)
