package seccomp

// A Notification is a system call for which a filter has the action Notify, and
// that waits to be answered: what the Listener of a process, in package linux,
// receives. Its thread may be killed meanwhile, and its number be given to another;
// ID is only ever that of this call. seccomp_unotify(2).
type Notification struct {
	ID     uint64
	Thread int // the thread that calls, as this program sees its number; 0 if it cannot

	Call   string  // the name in C: "openat"; "" if this package has none
	Number uintptr // of the call, on the architecture that is running
	Arch   uint32  // AUDIT_ARCH_*; of a filter by Compile always that of this program
	IP     uint64  // the address of the instruction that calls

	// Args are the arguments as they were in the registers. What they point to
	// is in the memory of the process, which may change it at any time, also
	// after it was looked at.
	Args [6]uint64
}
