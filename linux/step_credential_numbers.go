//go:build linux && !386 && !arm

package linux

import "github.com/go-clone3/clone3/uapi"

// The calls for IDs of 32 bits.
const (
	sysSetuid    = uapi.SYS_SETUID
	sysSetgid    = uapi.SYS_SETGID
	sysSetgroups = uapi.SYS_SETGROUPS
)
