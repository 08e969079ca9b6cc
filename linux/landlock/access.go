package landlock

import "github.com/go-clone3/clone3/uapi"

// Access is a set of rights to files. The zero value is none.
//
// The comments say what a right allows, and so what is denied without. A right
// to a directory is one to all that is below it.
type Access uint64

const (
	// Execute: execute a file, also as the interpreter of another one, such
	// as the dynamic loader. It takes ReadFile as well. To map a library, or to
	// have an interpreter read a script, takes ReadFile alone: without Execute a
	// program can still run code that it can read.
	// LANDLOCK_ACCESS_FS_EXECUTE, ABI 1, Linux 5.13.
	Execute Access = uapi.LANDLOCK_ACCESS_FS_EXECUTE

	// WriteFile: open a file for writing. It does not allow to create one, nor
	// to truncate one, which most programs do that write a file anew. Space can
	// be cut out of a file with it (fallocate), so without Truncate
	// the size is not safe.
	// LANDLOCK_ACCESS_FS_WRITE_FILE, ABI 1, Linux 5.13.
	WriteFile Access = uapi.LANDLOCK_ACCESS_FS_WRITE_FILE

	// ReadFile: open a file for reading.
	// LANDLOCK_ACCESS_FS_READ_FILE, ABI 1, Linux 5.13.
	ReadFile Access = uapi.LANDLOCK_ACCESS_FS_READ_FILE

	// ReadDir: open a directory, and so list it. Without, files in it can be
	// opened by who knows their names.
	// LANDLOCK_ACCESS_FS_READ_DIR, ABI 1, Linux 5.13.
	ReadDir Access = uapi.LANDLOCK_ACCESS_FS_READ_DIR

	// RemoveDir: remove an empty directory in this one, or rename one.
	// LANDLOCK_ACCESS_FS_REMOVE_DIR, ABI 1, Linux 5.13.
	RemoveDir Access = uapi.LANDLOCK_ACCESS_FS_REMOVE_DIR

	// RemoveFile: unlink what is no directory, or rename it.
	// LANDLOCK_ACCESS_FS_REMOVE_FILE, ABI 1, Linux 5.13.
	RemoveFile Access = uapi.LANDLOCK_ACCESS_FS_REMOVE_FILE

	// MakeChar: create a character device, or rename or link one to here.
	// LANDLOCK_ACCESS_FS_MAKE_CHAR, ABI 1, Linux 5.13.
	MakeChar Access = uapi.LANDLOCK_ACCESS_FS_MAKE_CHAR

	// MakeDir: create a directory, or rename one to here.
	// LANDLOCK_ACCESS_FS_MAKE_DIR, ABI 1, Linux 5.13.
	MakeDir Access = uapi.LANDLOCK_ACCESS_FS_MAKE_DIR

	// MakeFile: create a regular file, or rename or link one to here.
	// LANDLOCK_ACCESS_FS_MAKE_REG, ABI 1, Linux 5.13.
	MakeFile Access = uapi.LANDLOCK_ACCESS_FS_MAKE_REG

	// MakeSocket: create a unix(7) socket, or rename or link one to here.
	// LANDLOCK_ACCESS_FS_MAKE_SOCK, ABI 1, Linux 5.13.
	MakeSocket Access = uapi.LANDLOCK_ACCESS_FS_MAKE_SOCK

	// MakeFifo: create a named pipe, or rename or link one to here.
	// LANDLOCK_ACCESS_FS_MAKE_FIFO, ABI 1, Linux 5.13.
	MakeFifo Access = uapi.LANDLOCK_ACCESS_FS_MAKE_FIFO

	// MakeBlock: create a block device, or rename or link one to here.
	// LANDLOCK_ACCESS_FS_MAKE_BLOCK, ABI 1, Linux 5.13.
	MakeBlock Access = uapi.LANDLOCK_ACCESS_FS_MAKE_BLOCK

	// MakeSymlink: create a symbolic link, or rename or link one to here.
	// LANDLOCK_ACCESS_FS_MAKE_SYM, ABI 1, Linux 5.13.
	MakeSymlink Access = uapi.LANDLOCK_ACCESS_FS_MAKE_SYM

	// Refer: link or rename between different directories, which both need
	// it; the other rights to create and to remove are needed as well. Nothing
	// can be moved to where more is allowed with it than where it was.
	// The kernel denies this whenever files are restricted at all, so it is never
	// among what Free leaves alone, unless that is AllAccess. With ABI 1 it is
	// always denied then, and to allow it is what that kernel does not support.
	// LANDLOCK_ACCESS_FS_REFER, ABI 2, Linux 5.19.
	Refer Access = uapi.LANDLOCK_ACCESS_FS_REFER

	// Truncate: change the size of a file, by open too, and then also of one
	// that is opened for reading only.
	// LANDLOCK_ACCESS_FS_TRUNCATE, ABI 3, Linux 6.2.
	Truncate Access = uapi.LANDLOCK_ACCESS_FS_TRUNCATE

	// IoctlDevice: ioctl(2) of a device that is opened from now on, but for
	// some that are about descriptors and are always allowed. A terminal that
	// is inherited open is not restricted.
	// LANDLOCK_ACCESS_FS_IOCTL_DEV, ABI 5, Linux 6.10.
	IoctlDevice Access = uapi.LANDLOCK_ACCESS_FS_IOCTL_DEV

	// ConnectUnix: connect, or send a datagram, to a unix(7) socket by its
	// path, if a process created it that is not under these rules. Those of the
	// program and its descendants can always be reached.
	// LANDLOCK_ACCESS_FS_RESOLVE_UNIX, ABI 9, Linux 7.1.
	ConnectUnix Access = uapi.LANDLOCK_ACCESS_FS_RESOLVE_UNIX
)

// Groups of rights. They do not grow: a right of a later kernel gets a name of
// its own.
const (
	// Read is to read files and to list directories.
	Read = ReadFile | ReadDir

	// Create is to make whatever is no device.
	Create = MakeDir | MakeFile | MakeSocket | MakeFifo | MakeSymlink

	// CreateDevice is to make devices.
	CreateDevice = MakeChar | MakeBlock

	// Remove is to remove what there is.
	Remove = RemoveDir | RemoveFile

	// Write is all that changes files and directories, but for devices. It does
	// not include Read.
	Write = WriteFile | Truncate | Create | Remove | Refer

	// AllAccess is all rights that this package knows.
	AllAccess = Read | Execute | Write | CreateDevice | IoctlDevice | ConnectUnix
)

// fileAccess are the rights that something has that is no directory. The kernel
// refuses a rule for it with any other.
const fileAccess = Execute | WriteFile | ReadFile | Truncate | IoctlDevice | ConnectUnix

// accesses names the rights, and tells the ABI that brought each.
var accesses = []right[Access]{
	{ReadFile, "ReadFile", 1}, {ReadDir, "ReadDir", 1}, {Execute, "Execute", 1},
	{WriteFile, "WriteFile", 1}, {Truncate, "Truncate", 3},
	{MakeFile, "MakeFile", 1}, {MakeDir, "MakeDir", 1}, {MakeSymlink, "MakeSymlink", 1},
	{MakeFifo, "MakeFifo", 1}, {MakeSocket, "MakeSocket", 1},
	{MakeChar, "MakeChar", 1}, {MakeBlock, "MakeBlock", 1},
	{RemoveFile, "RemoveFile", 1}, {RemoveDir, "RemoveDir", 1}, {Refer, "Refer", 2},
	{IoctlDevice, "IoctlDevice", 5}, {ConnectUnix, "ConnectUnix", 9},
}

// accessGroups are what String prefers to the names of the rights.
var accessGroups = []right[Access]{
	{AllAccess, "AllAccess", 0}, {Write, "Write", 0}, {Create, "Create", 0},
	{CreateDevice, "CreateDevice", 0}, {Remove, "Remove", 0}, {Read, "Read", 0},
}

// String returns the names of the rights, joined by "|", with groups where they are
// complete, such as "Read|Execute"; "0" for none. Bits without a name are in hexadecimal.
func (a Access) String() string { return text(a, accessGroups, accesses) }
