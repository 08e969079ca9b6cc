// Command gen makes Go bindings from the headers of a Linux kernel. It needs
// the headers and nothing else: no C compiler, no kernel build, no network.
// Run gen -h for its flags.
//
// # Which do I use
//
//	a constant or struct of processes     package uapi of this module has it
//	any other header                      //go:generate gen -header linux/NAME.h
//	many headers, in one package          -header 'linux/...' or -header linux/NAME.h,...
//	a header that is not the kernel's     -I DIR -header NAME.h
//	what a new kernel changes             -kernel linux-7.1 -diff linux-7.0
//	to see that files are fresh, in CI    -check: writes nothing, fails with a diff
//	the headers as data                   -json
//
// As a line of a Go file, with KERNEL=DIR in the environment of go generate:
//
//	//go:generate go run github.com/go-clone3/clone3/gen@latest -header linux/landlock.h
//
// That writes zlandlock.go, for all architectures or those of -arch; what differs
// between them goes to files of its own. Unions, bit-fields, packed structs,
// flexible arrays, ioctl numbers and strings come out as C has them, or are skipped
// with a reason. A pointer is a uintptr: who stores one pins its target
// (runtime.Pinner).
//
// # What it reads
//
//	DIR is                                architectures
//	a kernel's source, untouched, of 6.1  all; numbers of system calls come from
//	 and later                            its tables
//	what make headers_install made of it  the one it was made for
//	linux-libc-dev of Debian, unpacked    all, before 6.12 one
//	/usr/include                          all or one, like the package
//
// The same release gives the same bytes from each. A tree that lacks an
// architecture is an error, and never answers with the values of another.
//
// # Differences for people
//
// With -diff, what is removed or changed comes first, because it breaks programs;
// then what is added. A struct has its old and its new size, and each field that
// differs:
//
//	Changed: 1
//	  linux/pidfd.h
//	    struct pidfd_info  80 -> 88 bytes
//	      coredump_code    offset 72        __u32  added
//	      supported_mask   offset 72 -> 80  __u64  moved
//
// Where architectures differ, a line says which ones it is about.
//
// # How it works
//
// Values walk down, from package to package, once:
//
//	a directory       flags.go, wants.go: which, and what of it
//	   | kernel.OpenTree, Tree.Includes    what #include finds, per architecture
//	   v
//	fs.FS
//	   | c.Parse          one architecture x one group; in parallel, by read.go
//	   v
//	[]model.Unit ------------------------> -json      model.WriteJSON
//	   |  \-- with those of another ----> -diff      model.Diff
//	   | golang.Merge     what is common, and only what differs
//	   v
//	model.Merged
//	   | golang.Render    Go
//	   v
//	[]golang.File
//	   | Write, Check     output.go: all of them or none
//	   v
//	z*.go
//
// Who imports whom is what keeps the stages apart. Only tables are global.
//
//	package            imports of the module     alone in
//	gen                all that follow           flags, words for people, writing files
//	internal/kernel    model, textfs             reading a kernel from the disk
//	internal/c         model, textfs             the C parser, modernc.org/cc
//	internal/golang    model, parallel           the writer of Go, jennifer
//	internal/model     -                         the data, its JSON, its difference
//	internal/parallel  -
//	internal/textfs    -
//
// # Recipes
//
// To add a header to package uapi, or a name, add a line to headers.go. To add
// an architecture, add a line to internal/model/arch.go, its port to
// internal/kernel/ports.go, and what the C compiler predefines for it to
// internal/c/abi.go. Then generate again and read the diff.
//
// # What can be left out
//
// A name that has no value in C, or none that can be computed with certainty,
// is skipped, and -v says why. So is a declaration that cannot be read, and a
// struct that Go cannot have, each with what needs it and nothing else.
//
// A header is left out for the architectures that lack it, or one that it
// includes: linux/kvm.h on arm. The names of its files then say whose they are,
// as of all that differs. What one asks for by name, some architecture must have; and
// it is an error if it cannot be read for another reason, while what a pattern
// like linux/*.h finds is then left out, where that is so. An older kernel may
// lack headers and names of package uapi.
//
// -exclude leaves out names and headers. A struct that another has stays.
//
// # Headers that are not the kernel's
//
// -I names directories with other headers, -D macros and -include headers that
// come first, and -unit makes one group of several headers. What these need of
// the C library, gen has itself, with the sizes of the architecture: the types of
// stdint.h, stddef.h and sys/types.h, and a few others. None is read from the
// machine. A header that needs more is refused, with the line that includes it.
//
// # Names
//
// A constant has its C name, without underscores in front; __NR_clone3 is
// SYS_CLONE3. Types and members are written together: struct clone_args is
// CloneArgs. -rename gives a constant, or a struct by its tag, another name.
// Where two names would be one, the rules are these; they are the same on all
// architectures, and -v tells what came of them.
//
//   - One of the two keeps the name, and the other is an X and its C name: TCP_A
//     and X__TCP_A, Foo and Xfoo. Names by -rename come first, then constants that
//     Go writes like C, other constants, structs and unions, typedefs, types of
//     members, offsets; and among equals that with fewer underscores in front,
//     with fewer capitals, the shorter one, the first in the alphabet.
//   - The type of a member that gives way is Outer_Member, and its offset
//     OffsetofOuter_Member.
//   - Of two members the first keeps the name, and the other is an X and its name
//     in C; as is one whose methods would be those that go vet knows better, like
//     ReadByte.
//   - A name that a later header declares differently has the name of that header
//     behind it: SYS_READ and SYS_READ_asm_unistd_64.
//   - Headers whose files would have one name, but for capitals, have _caps or a
//     number behind it.
//
// -strip TOOL_ takes that prefix from the names of constants, and of types in
// capitals or not: TOOL_SAW is SAW, struct tool_box is Box. Of several prefixes the
// longest goes. What then begins with a digit has an X in front. A name that
// another has already keeps its prefix.
//
// # Types
//
// Constants have no type, as in C, and what C calls a typedef or an enum is the
// number that it is there, unless one asks for more:
//
//	-enum pid_type                      the enumerators of an enum, by its tag or typedef
//	-enum 'Kind=TOOL_KIND_*'            any constants, by a pattern
//	-flags 'Clone=CLONE_*-CLONE_ARGS_*' bits, but not those behind the minus
//	-flags 'Clone:uint64=CLONE_*'       the same as that integer
//	-typedef '*'                        the typedefs, and the enums that have no -enum
//	-type clone_args.flags=Clone        a member
//	-type __kernel_uid32_t=UID          all that has the type of a typedef
//	-type 'RLIM_*=uint64'               constants, whatever -enum says
//
// -enum and -flags make a type with a method String, which returns the name that
// the header gives first to the number, or Kind(7). For bits it returns all the
// names and the rest, CLONE_VM|CLONE_FS|0x40, where a name for several bits comes
// before those of each. What is one name allocates nothing.
//
// The type of an enum is an integer of the size and sign that C gives it there, for
// bits without a sign. The type of other constants is the same on all
// architectures, uint32, or int32 if it is not for bits and one of them is negative,
// or of 64 bits if one needs them or is a long long. Constants are what they are in
// C after a conversion to the type: 1<<31 is 0x80000000 in bits. It is an error if
// one does not fit. A constant that matches several patterns has the type of that
// which says most letters of its name, and any comes before the enum.
//
// Members whose type in C is such an enum or typedef have it in Go, but for
// bit-fields. Where the typedef of a header is another than that of the one before,
// it is none.
//
// The type that -type gives a member has to be of the size that it has in C: what
// is written does not compile otherwise. It is one that Go has without imports,
// one of this run, or one of the package that others write.
//
// -unsigned 'IN_*' makes positive what is negative in C for having the highest bit
// of an int, like 1<<31, where the header writes bits and not -1. Without it the
// constant is what it is in C, and does not fit into a variable without a sign.
//
// # Since which release
//
// With -since and older kernels, of whatever form, comments say with which
// release names came that one of these lacks: constants, structs, members,
// system calls. It is as exact as the kernels allow: 7.1 if the one lacks it and the
// next has it, and with releases between them "since Linux 6.13 to 7.1", which is
// one of these. A name counts wherever a kernel has it, for some have moved
// from header to header; and that a header has it, not that it works there.
// Of an architecture that an older kernel does not have, or whose headers
// gen cannot make from its sources, it tells nothing.
//
// Or -since names a table, as package uapi does with testdata/since.txt, which
// remembers kernels that are no longer to be had: lines with a release or a
// range, architectures or "all", and a name, apart by tabs.
//
//	6.13 to 7.2	all	CLONE_AUTOREAP
//	7.3	amd64,arm64	struct statx.stx_subvol
//
// # Functions
//
// With -funcs, macros that take arguments become functions of Go: EVIOCGBIT,
// NLMSG_ALIGN, SPI_IOC_MESSAGE. They have to be one expression of integers,
// and are then exact: a function gives what C gives for arguments that are
// variables of its type, with all the conversions between. The type is uint32, or
// what the pattern says: int32, int64, uint64, and int or uintptr for C's long
// and unsigned long. The result has the type that it has in C, a long being an int and an
// unsigned long a uintptr; where architectures differ in it, as with a sizeof,
// so do the functions. Where C has no answer, as with a shift by too much, there is
// some number; a division by zero panics.
//
// What pastes, quotes or measures an argument, follows one as a pointer, or
// is no expression, is skipped, and -v says why.
//
// # Calls of ioctls
//
// With -ioctls, an ioctl that is defined by _IOR, _IOW or _IOWR of a struct or union gets a
// function: IoctlKvmGetRegs(fd int, arg *KvmRegs) (int, error). It makes the
// system call once and returns what that does, for some ioctls return more
// than 0; an error is a syscall.Errno. The kernel may keep the struct no longer than the call,
// but addresses in it are those of memory that the caller has to keep in place,
// as with any struct here. Ioctls of numbers have none: their definitions say int where some
// take the number, and some its address. These functions need package
// syscall, where all else imports unsafe alone, and are built on Linux.
//
// # Comments
//
// With -comments the comments of the headers become those of Go: on constants, on
// structs and on members, from behind them, from above them, and from
// kernel-doc, which has them by name. A comment above several declarations
// stays a heading of these. One of which it is not plain what it is on, or that is not
// the same on all architectures, is left out. In Go none of them is a directive.
//
// These texts are the kernel's and keep its licence, GPL-2.0 WITH
// Linux-syscall-note, or what the header says, which the head of each file
// repeats; names and numbers alone are facts. This is why it is not the default,
// and why package uapi has none.
//
// # The model as JSON
//
// With -json gen prints one object, every declaration on a line of its own:
//
//	{"schema":1,"linux":"7.3.4","units":[UNIT, ...]}
//
// A UNIT is what one group of headers declares on one architecture, included in
// this order behind those of before, whose names they use without including
// them. Its constants and structs are in the order of the headers:
//
//	{"arch":"amd64","group":"sched","headers":["linux/sched.h", ...],
//	 "before":["linux/types.h", ...],"define":["NAME TEXT", ...],"consts":[CONST, ...],
//	 "structs":[STRUCT, ...],"types":[NAMED, ...],"skips":[SKIP, ...]}
//
// A CONST is a macro or an enumerator. The value is a number with all its
// digits, which can need 64 bits, or a string, or the list of its bytes if that
// is not UTF-8. The base is decimal, hex or octal, as the header writes it. An
// enumerator has an enum: "enum TAG", the typedef's name where there is no tag, or
// "enum". A gap sets a constant apart from the one before it. With -since,
// constants, structs and members can have a since: "7.1", "6.13 to 7.1", or "to
// 6.1" on an architecture of which no older kernel is known.
//
//	{"name":"CLONE_PIDFD","value":4096,"type":"int","base":"hex",
//	 "enum":"...","gap":true,"pos":POS}
//
// With -ioctls, an ioctl has an arg, the name of the STRUCT that is its argument.
//
// A STRUCT is a struct or a union, whose size, alignment and offsets are in
// bytes. Its name is "struct TAG", "union TAG" or that of a typedef; it has
// none where it is inline. A field without a name is an anonymous member. The
// bits of a bit-field count from the start of the struct in the order in which
// C allocates them, its offset is the first byte that they touch. A flexible
// field is an array at the end, without a length.
//
//	{"name":"struct clone_args","union":true,"size":88,"align":8,"fields":[
//	  {"name":"flags","type":TYPE,"offset":0,"flexible":true,
//	   "bits":{"offset":0,"width":3},"pos":POS}, ...],"pos":POS}
//
// A TYPE has a kind: bool, char (the plain one), int, uint, float, pointer,
// funcpointer, array or record, and c, its spelling. An array has elem and len.
// A record has the name of a struct in record, or, where C gives it none, the
// STRUCT in inline. What is an enum has the name of that.
//
//	{"kind":"uint","c":"__u64","size":8,"align":8,"enum":"enum pid_type",
//	 "elem":TYPE,"len":4,"record":"struct timespec","inline":STRUCT}
//
// A NAMED is an enum that has a name, or a typedef that is no STRUCT, with what it
// stands for.
//
//	{"name":"enum pid_type","type":TYPE,"pos":POS}
//
// With -funcs a UNIT has funcs. A FUNC is a macro with parameters of the C type
// arg, and its body an EXPR, which has every conversion of C as a cast; model.Expr
// says what there is.
//
//	{"name":"NLMSG_ALIGN","params":["len"],"arg":"unsigned int",
//	 "type":"unsigned int","body":EXPR,"pos":POS}
//	{"op":"+","type":"unsigned int","args":[EXPR, EXPR]}
//	{"op":"const","type":"int","value":"4"}
//
// A SKIP is {"name":NAME,"reason":TEXT,"pos":POS}; a POS is
// {"file":"linux/sched.h","line":12}, where line is left out if it is not the
// same everywhere. Whatever is false, zero or empty may be left out, but for
// the values, sizes, alignments and offsets. New members can come without
// notice; schema counts the changes that break readers.
//
// # Differences as JSON
//
// With -diff and -json gen prints one object of the same kind:
//
//	{"schema":1,"old":"7.0.13","new":"7.1.13","arches":["386", ...],
//	 "syscalls":[CHANGE, ...],"consts":[CHANGE, ...],"structs":[LAYOUT, ...]}
//
// A CHANGE is alike on all of its arches; a constant that differs in several
// ways has several. The change is removed, changed or added.
//
//	{"name":"__NR_clone3","change":"changed","old":1,"new":2,
//	 "arches":["386"],"header":"asm/unistd.h"}
//
// A LAYOUT is the same for a struct; old and new are its size, and its align
// where that changed.
// The fields of anonymous members are listed as those of the struct itself;
// u.x is a field of a member u whose type has no name.
//
//	{"name":"struct pidfd_info","change":"changed",
//	 "old":{"size":80},"new":{"size":88},
//	 "fields":[{"name":"supported_mask","change":"changed",
//	   "old":{"offset":72,"size":8,"type":"__u64"},
//	   "new":{"offset":80,"size":8,"type":"__u64"}}, ...],
//	 "arches":["386"],"header":"linux/pidfd.h"}
package main
