//go:build !linux

package linux

import "syscall"

// An IDMap maps IDs of a new user namespace to those of the one around it.
type IDMap struct {
	ContainerID int // the first inside
	HostID      int // the first outside
	Size        int // how many
}

// A Rusage has the resources that a process has used. getrusage(2).
type Rusage struct {
	Utime, Stime                syscall.Timeval
	Maxrss, Ixrss, Idrss, Isrss int64
	Minflt, Majflt, Nswap       int64
	Inblock, Oublock            int64
	Msgsnd, Msgrcv, Nsignals    int64
	Nvcsw, Nivcsw               int64
}

// A MemoryRange is a part of the memory of another process.
type MemoryRange struct {
	Base uintptr
	Len  int
}
