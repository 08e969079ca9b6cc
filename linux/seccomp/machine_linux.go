package seccomp

import (
	"runtime"
	"sync"
	"syscall"

	"github.com/go-clone3/clone3/uapi"
)

const (
	eperm  = syscall.EPERM
	enosys = syscall.ENOSYS
	eacces = syscall.EACCES

	eprotonosupport = syscall.EPROTONOSUPPORT
	eopnotsupp      = syscall.EOPNOTSUPP
)

// running returns the machine that this program runs on.
var running = sync.OnceValues(func() (machine, error) {
	m, ok := machines[runtime.GOARCH]
	if !ok {
		return m, &unsupportedError{"there is no table of system calls for " + runtime.GOARCH}
	}
	m.numbers = make(map[string]uint32, 512)
	for name, nr := range uapi.Syscalls {
		m.numbers[name] = uint32(nr)
	}
	return m, nil
})
