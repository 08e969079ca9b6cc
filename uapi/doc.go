// Package uapi has the constants, structs and system call numbers by which
// programs create, control and confine processes on Linux, as the kernel's own
// headers declare them for every GOARCH: all system calls, and what belongs to
// processes and pidfds, namespaces and mounts, capabilities, Landlock, seccomp,
// keys, limits and files.
//
// # Which do I use
//
//	to run a command                       package linux/exec
//	a child, its handle, confinement       package linux, which uses this one
//	a system call that neither makes       this package, with syscall or x/sys/unix
//	a constant of x/sys/unix               that, where it has it; both agree
//	a header that is not here              gen: see the example BindAHeader
//
// # Names and layouts
//
// Constants have their names in C, CLONE_PIDFD, and system calls those that Go
// knows them by: SYS_CLONE3 for __NR_clone3. Constants have no type; those of
// 1<<31 and more do not fit an int of 32 bits. SyscallName and SyscallNumber have
// the system calls as a table, which a program that does not use it does not
// contain. Where the C library has another value than the kernel, this is the
// kernel's: F_SETLK and O_LARGEFILE, RLIM_INFINITY on 32 bits.
//
// Types have Go names: CloneArgs for struct clone_args. Each has the layout that
// C gives it on the architecture, with the padding spelled out, followed by
// assertions that do not compile if its size or an offset is another. The zero
// value asks the kernel for nothing special. Every value, size, offset and bit-field
// is held against the C compilers of the architectures besides, and against
// golang.org/x/sys/unix where both have a name.
//
// All files z*.go are made by gen from the headers of the release that their
// first line names. To make them again:
//
//	KERNEL=/path/to/linux go generate ./...
//
// A constant here says that the headers know a feature, not that the running
// kernel does.
package uapi
