// Package seccomp makes filters of system calls: a value that says which a
// program may make becomes the code that the kernel runs before each of them. It
// makes no system call itself; package linux installs what it compiles.
//
// # Which do I use
//
//	to take away what few programs need     Default, and your rules before its own
//	to allow a few calls alone              the zero Filter, with rules that Allow
//	no namespaces, and so no new root       NoUserNamespaces
//	an error in place of death              Errno, as the action
//	to tell one file from another           package landlock: a filter cannot
//
// # How to begin
//
// To take from a program what it has no use for, begin with [Default] and put
// your own rules before its, as the first that matches decides. To let a program
// do a few things only, begin with the zero [Filter]: what it does not allow kills
// the process. Do not forget execve and execveat, by which the program starts,
// exit_group, rt_sigreturn, which ends a signal's handler, and restart_syscall,
// which goes on with a call that a signal has stopped. A filter holds for all that
// the program executes and creates, and nothing takes it off.
//
// A filter sees the number of a call and its arguments, not what pointers point
// to: it cannot tell one path from another, which is what package landlock is for,
// nor look into the flags of clone3. A call that is allowed reaches the kernel
// with all the faults that the kernel has.
//
// # Sets
//
// Each set has the calls of all architectures, with all their variants, such as
// clock_settime64 and umount2. A rule against a single call should name them
// too. What a program loses that is denied one:
//
//   - @clock: to set the time, or to change its speed; and to ask NTP's state by
//     adjtimex, as ntptime does. Asking for the time needs none of it.
//   - @debug: strace, gdb, perf, crash handlers that look at their own process
//     from another, and the handing over of descriptors by pidfd_getfd.
//   - @default: everything. It is what is in none of @clock, @debug, @keyring,
//     @module, @mount, @namespace, @obsolete, @privileged, @raw-io, @reboot and
//     @swap, and is meant to be allowed.
//   - @filesystem: files by path and by descriptor, but for read, write, mmap and
//     lseek. No dynamically linked program starts.
//   - @keyring: the kernel's keys: Kerberos caches, fscrypt, mount.cifs.
//   - @module: to load kernel modules.
//   - @mount: mount, chroot and pivot_root: containers inside, FUSE without a
//     helper, sandboxes that programs such as browsers make for their own parts.
//   - @namespace: setns and unshare: the same, and nsenter. clone and clone3 make
//     namespaces too, see [NoUserNamespaces].
//   - @network: sockets of every family: also name lookups, logs and buses by
//     unix sockets, and children's socket pairs. Sockets that the program is given
//     can still be read and written.
//   - @obsolete: calls that no kernel of today implements, or only some do for
//     programs of the nineties: dosemu by vm86.
//   - @privileged: what takes capabilities or opens much of the kernel: bpf,
//     io_uring (databases and runtimes that use it fall back or fail), userfaultfd
//     (live migration), memory policies (numactl), fanotify, quotas, process
//     accounting, the kernel's log (dmesg), the host name, and personality
//     (setarch; debuggers, to switch address randomisation off).
//   - @process: to create processes and threads, to execute, to wait and to send
//     signals. Nothing of Go or Java runs, as their runtimes need threads.
//   - @raw-io: ports of x86, PCI and the like: X servers without kernel drivers,
//     DPDK on s390x.
//   - @reboot: to reboot, and to load another kernel.
//   - @swap: swapon and swapoff.
package seccomp
