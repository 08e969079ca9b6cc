//go:build linux

package landlock_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/go-clone3/clone3/linux/landlock"
	"golang.org/x/sys/unix"
)

// A place is where attempts are made: one to which the rules allow all, or one
// that they do not name.
type place struct {
	Dir      string // has the files that populate makes
	Device   string
	Bind     int    // a port that is free
	TCP, UDP int    // ports of 127.0.0.1 that somebody else listens on
	Abstract string // name of an abstract socket; of the program itself, or another's
	PID      int
}

// attempts are what a program tries. The rules of the ABI, and of later ones,
// deny them with one of these errors where nothing is allowed.
var attempts = []struct {
	name   string
	abi    int
	needs  landlock.Access // each of them
	denied []unix.Errno
	try    func(at place) error
}{
	{"read", 1, landlock.ReadFile, access, func(at place) error { return open(at.Dir+"/file", unix.O_RDONLY) }},
	{"list", 1, landlock.ReadDir, access, func(at place) error { return open(at.Dir, unix.O_RDONLY|unix.O_DIRECTORY) }},
	{"write", 1, landlock.WriteFile, access, func(at place) error { return open(at.Dir+"/file", unix.O_WRONLY) }},
	{"truncate by open", 1, landlock.ReadFile | landlock.Truncate, access, func(at place) error { return open(at.Dir+"/file", unix.O_RDONLY|unix.O_TRUNC) }},
	{"execute", 1, landlock.Execute | landlock.ReadFile, access, func(at place) error {
		if err := unix.Exec(at.Dir+"/program", []string{"program"}, nil); err != unix.ENOEXEC { // it is none
			return err
		}
		return nil
	}},
	{"create", 1, landlock.MakeFile | landlock.WriteFile, access, func(at place) error { return open(at.Dir+"/new", unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY) }},
	{"make directory", 1, landlock.MakeDir, access, func(at place) error { return unix.Mkdir(at.Dir+"/newdir", 0o700) }},
	{"make fifo", 1, landlock.MakeFifo, access, func(at place) error { return unix.Mkfifo(at.Dir+"/newfifo", 0o600) }},
	{"make socket", 1, landlock.MakeSocket, access, func(at place) error { return unix.Mknod(at.Dir+"/newsocket", unix.S_IFSOCK|0o600, 0) }},
	{"make symlink", 1, landlock.MakeSymlink, access, func(at place) error { return unix.Symlink("file", at.Dir+"/newlink") }},
	{"make device", 1, landlock.MakeChar, access, func(at place) error { return unix.Mknod(at.Dir+"/newchar", unix.S_IFCHR|0o600, 0x103) }},
	{"make block device", 1, landlock.MakeBlock, access, func(at place) error { return unix.Mknod(at.Dir+"/newblock", unix.S_IFBLK|0o600, 0x103) }},
	{"rename directory", 1, landlock.MakeDir | landlock.RemoveDir, access, func(at place) error { return unix.Rename(at.Dir+"/olddir", at.Dir+"/renameddir") }},
	{"remove", 1, landlock.RemoveFile, access, func(at place) error { return unix.Unlink(at.Dir + "/victim") }},
	{"remove directory", 1, landlock.RemoveDir, access, func(at place) error { return unix.Rmdir(at.Dir + "/empty") }},
	{"rename", 1, landlock.MakeFile | landlock.RemoveFile, access, func(at place) error { return unix.Rename(at.Dir+"/old", at.Dir+"/renamed") }},
	{"link", 1, landlock.MakeFile, access, func(at place) error { return unix.Link(at.Dir+"/file", at.Dir+"/hard") }},
	{"move", 1, landlock.Refer | landlock.MakeFile | landlock.RemoveFile, moved, func(at place) error { return unix.Rename(at.Dir+"/a/file", at.Dir+"/b/file") }},
	{"truncate", 3, landlock.Truncate, access, func(at place) error { return unix.Truncate(at.Dir+"/file", 1) }},
	{"bind TCP", 4, 0, access, func(at place) error { return bind(unix.SOCK_STREAM, at.Bind) }},
	{"connect TCP", 4, 0, access, func(at place) error { return connect(unix.SOCK_STREAM, ip(at.TCP)) }},
	{fastOpened, 4, 0, access, func(at place) error { return fastOpen(at.TCP) }},
	{"ioctl", 5, landlock.ReadFile | landlock.WriteFile | landlock.IoctlDevice, access, func(at place) error {
		fd, err := unix.Open(at.Device, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != unix.ENOTTY { // it is none
			return err
		}
		return nil
	}},
	{"signal", 6, 0, []unix.Errno{unix.EPERM}, func(at place) error { return unix.Kill(at.PID, 0) }},
	{"abstract socket", 6, 0, []unix.Errno{unix.EPERM}, func(at place) error {
		return connect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: at.Abstract})
	}},
	{"socket by path", 9, landlock.ConnectUnix, access, func(at place) error {
		return connect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: at.Dir + "/socket"})
	}},
	{"bind UDP", 10, 0, access, func(at place) error { return bind(unix.SOCK_DGRAM, at.Bind) }},
	{"connect UDP", 10, 0, access, func(at place) error { return connect(unix.SOCK_DGRAM, ip(at.UDP)) }},
}

var (
	access = []unix.Errno{unix.EACCES}
	moved  = []unix.Errno{unix.EACCES, unix.EXDEV}
)

func open(name string, flags int) error {
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0o600)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func ip(port int) unix.Sockaddr { return &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port} }

func bind(kind, port int) error {
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, ip(port))
}

func connect(kind int, to unix.Sockaddr) error {
	domain := unix.AF_INET
	if _, ok := to.(*unix.SockaddrUnix); ok {
		domain = unix.AF_UNIX
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, to)
}

const fastOpened = "connect TCP by sending"

// fastOpen connects by sending the first bytes.
func fastOpen(port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, []byte("text"), unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, ip(port))
}

// A job is what a helper is to do: to confine itself, unless that is nil, and to
// make all attempts at both places. It prints what came of them.
type job struct {
	Rules *landlock.Rules
	ABI   int
	At    [2]place
}

type outcome struct {
	Attempt string
	Errno   [2]unix.Errno // by place
}

// attempt does a job, which is what the helper's variable says.
func attempt(mode string) error {
	var j job
	if err := json.Unmarshal([]byte(mode), &j); err != nil {
		return err
	}
	j.At[0].PID = os.Getpid()
	j.At[0].Abstract = fmt.Sprint("@clone3-own-", os.Getpid())
	if j.Rules != nil {
		resolved, err := j.Rules.Resolve(j.ABI)
		if err != nil {
			return err
		}
		if err := confine(&resolved); err != nil {
			return err
		}
	}
	own, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) // after it is confined
	if err != nil {
		return err
	}
	if err := unix.Bind(own, &unix.SockaddrUnix{Name: j.At[0].Abstract}); err != nil {
		return err
	}
	if err := unix.Listen(own, 5); err != nil {
		return err
	}
	var all []outcome
	for _, a := range attempts {
		o := outcome{Attempt: a.name}
		for i, at := range j.At {
			if err := a.try(at); err != nil && !errors.As(err, &o.Errno[i]) {
				return err
			}
		}
		all = append(all, o)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}
