// Package landlock has rules that say what a program may do with files, with TCP
// and UDP ports, and with processes that are confined less. They are a value:
// this package makes no system call, compiles on every GOOS, and hands what the
// rules come to on a kernel ([Rules.Resolve]) to whoever makes the calls.
//
// # Which do I use
//
//	to execute what is in a directory       ReadExecute
//	to read it                              ReadOnly
//	to do everything in it, but devices     ReadWrite
//	one right alone, or another set         Paths, with rights of type Access
//	what may be missing                     Optional
//	a TCP or UDP port                       Ports
//	the same rules on all kernels           Rules.ABI
//	as much as the kernel can enforce       Rules.BestEffort
//	what is not to be restricted            Rules.Free, FreeNet, FreeScopes
//
// # How to begin
//
//	rules := landlock.Rules{
//		Paths: slices.Concat(
//			landlock.ReadExecute("/usr", "/lib", "/lib64"),
//			landlock.ReadWrite(workdir),
//		),
//		Ports: landlock.Ports(landlock.ConnectTCP, 443),
//	}
//
// What no rule allows is denied: the zero Rules allow nothing. Whoever wants a
// kind of access not to be restricted names it in Free, FreeNet or FreeScopes.
// The program itself, its dynamic loader and its libraries take rules too.
// Rules only take away, so an ordinary user can set them, and they are for good:
// all descendants have them, none can lift them, and rules that a descendant adds
// restrict it further.
//
// # Kernels
//
// Kernels differ in what they can restrict, which is the Landlock ABI:
//
//	ABI  Linux  restricts
//	1    5.13   files and directories; moving between directories is always denied
//	2    5.19   Refer can be allowed
//	3    6.2    Truncate
//	4    6.7    BindTCP, ConnectTCP
//	5    6.10   IoctlDevice
//	6    6.12   AbstractUnix, Signals
//	7    6.15   log flags
//	8    7.0    threads together, which a program that is about to start has no use for
//	9    7.1    ConnectUnix
//	10   7.2    BindUDP, ConnectUDP, and quiet denials
//	11   7.3    sets no_new_privs in the same call; no new restriction
//
// What the running one cannot enforce is an [UnsupportedError], so rules that are
// accepted are enforced as they are written. A program for several kernels either
// says up to which ABI it wants restrictions (Rules.ABI), and gets the same
// ones on all later kernels, or asks for BestEffort, and is told what was left out.
//
// # What is denied, and how
//
// A denied access to a file is EACCES; to move something to where it would be
// allowed more is EXDEV; a port EACCES; a signal or an abstract socket EPERM.
// Rights are looked at when a file is opened: what is open already, and is
// inherited or received over a socket, can be used as before.
//
// A rule for a path means the file or directory that is there when the rules are
// set, not the name: it holds if that is moved, and does not for what comes later
// to the same name. What is below a mount point counts as below it, and a bind
// mount is both where it is and where it comes from. The layers of an overlay are
// others than the merged directory. A rule below another one can allow more, but
// never less: to keep .git of a writable directory read-only, allow what is beside it.
//
// As soon as files are restricted at all, mount(2), umount(2), pivot_root(2) and
// the like are denied too. With any rules, ptrace(2) and what is like it (memory,
// descriptors and much of /proc of another process) reach only processes under the
// same rules or more.
//
// # What Landlock does not protect from
//
// Whatever the rules, these are only decided by the user and the modes of files:
//
//   - to look whether a path exists, and at its metadata: stat, access, readlink, chdir;
//   - to change metadata: chmod, chown, utimensat, setxattr, chattr's ioctl;
//   - locks: flock, and those of fcntl;
//   - chroot, for who has the capability;
//   - sockets other than those of TCP, UDP and unix(7): raw, packet, netlink,
//     vsock, SCTP, Multipath TCP (by which package net listens, unless told
//     otherwise); and creating a socket of any kind;
//   - TCP connections by MSG_FASTOPEN before Linux 7.3: see [ConnectTCP];
//   - unix sockets by path before ABI 9, abstract ones before 6;
//   - the environment and the mappings of another process in /proc, for who has
//     CAP_PERFMON, on Linux 6.18 and later;
//   - shared memory and semaphores of System V, message queues, keyrings;
//   - files that are in no file system that is mounted anywhere, such as pipes,
//     sockets and namespaces by /proc/PID/fd and /proc/PID/ns, beyond what is said of
//     ptrace above;
//   - bugs of the kernel: all of its system calls can still be made.
//
// A filter of system calls, namespaces and a user of its own are for these.
package landlock
