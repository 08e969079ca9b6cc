package linux

import (
	"syscall"

	"golang.org/x/sys/unix"
)

type (
	// An IDMap maps IDs of a new user namespace to those of the one around it.
	IDMap = syscall.SysProcIDMap

	// A Rusage has the resources that a process has used. getrusage(2).
	Rusage = syscall.Rusage

	// A MemoryRange is a part of the memory of another process.
	MemoryRange = unix.RemoteIovec
)
