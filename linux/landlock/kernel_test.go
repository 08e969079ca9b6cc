//go:build linux

package landlock_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

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

// populate makes what attempts need in a directory, and listens for them.
func populate(t *testing.T, dir string) (at place) {
	t.Helper()
	for _, d := range []string{"empty", "olddir", "a", "b"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"file", "victim", "old", "a/file", "program"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("text"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	listen := func(network, address string) net.Addr {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l.Addr()
	}
	at = place{Dir: dir, PID: os.Getpid(), Abstract: "@clone3-" + strings.ReplaceAll(dir, "/", "-")}
	if len(at.Abstract) > 100 {
		at.Abstract = at.Abstract[:1] + at.Abstract[len(at.Abstract)-99:]
	}
	listen("unix", at.Abstract)
	listen("unix", dir+"/socket")
	at.TCP = listen("tcp", "127.0.0.1:0").(*net.TCPAddr).Port
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	at.UDP = udp.LocalAddr().(*net.UDPAddr).Port
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at.Bind = free.Addr().(*net.TCPAddr).Port
	free.Close()
	return at
}

// warm makes package net take what it keeps for good.
func warm() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
}

// try runs a helper with fresh places, and returns what came of its attempts.
func try(t *testing.T, rules func(in, out place) *landlock.Rules, abi int) []outcome {
	t.Helper()
	dir, err := os.MkdirTemp("", "l") // short, for names of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	j := job{ABI: abi, At: [2]place{populate(t, dir+"/in"), populate(t, dir+"/out")}}
	j.At[0].Device, j.At[1].Device = "/dev/null", "/dev/zero"
	j.Rules = rules(j.At[0], j.At[1])
	mode, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperVar+"="+string(mode), "GORACE=atexit_sleep_ms=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var all []outcome
	if err := json.Unmarshal(out, &all); err != nil || len(all) != len(attempts) {
		t.Fatalf("%v: %d attempts: %s", err, len(all), out)
	}
	return all
}

// controls makes all attempts without rules, and reports which this user can make
// at all, which are all but to make devices.
func controls(t *testing.T, abi int) []bool {
	t.Helper()
	may := make([]bool, len(attempts))
	for i, o := range try(t, func(place, place) *landlock.Rules { return nil }, abi) {
		may[i] = o.Errno == [2]unix.Errno{}
		if !may[i] && !(o.Errno[0] == unix.EPERM && attempts[i].needs&landlock.CreateDevice != 0) {
			t.Errorf("%s without rules: got %v, want that it works", o.Attempt, o.Errno)
		}
	}
	return may
}

// Whatever the rules restrict is denied where nothing is allowed, and works where
// it is; and all of it works without rules, and what came with a later ABI
// than that of the rules.
func TestDeniedAndAllowed(t *testing.T) {
	abi := running(t)
	may := controls(t, abi)
	for upTo := 1; upTo <= min(abi, landlock.MaxABI); upTo++ {
		t.Run("ABI "+strconv.Itoa(upTo), func(t *testing.T) {
			all := try(t, func(in, out place) *landlock.Rules {
				all := landlock.AllAccess
				if abi < 2 {
					all &^= landlock.Refer
				}
				r := &landlock.Rules{ABI: upTo, Paths: []landlock.Path{
					{Path: in.Dir, Access: all},
					{Path: in.Device, Access: landlock.AllAccess &^ landlock.Refer}, // of which a file gets its part
					{Path: out.Device, Access: landlock.ReadFile | landlock.WriteFile},
					{Path: in.Dir + "/missing", Access: landlock.Read, Optional: true},
				}}
				if upTo >= 4 {
					r.Ports = append(landlock.Ports(landlock.BindTCP, in.Bind), landlock.Ports(landlock.ConnectTCP, in.TCP)...)
				}
				if upTo >= 7 {
					r.Log = landlock.NoLogBefore
				}
				if upTo >= 10 {
					r.Ports = append(r.Ports, landlock.Port{Port: in.Bind, Access: landlock.BindUDP}, landlock.Port{Port: in.UDP, Access: landlock.ConnectUDP, Quiet: true}, landlock.Port{Port: 0, Access: landlock.BindUDP})
				}
				return r
			}, abi)
			for i, o := range all {
				a := attempts[i]
				if !may[i] {
					continue
				}
				if o.Errno[0] != 0 && !(a.name == "move" && abi < 2) {
					t.Errorf("%s where it is allowed: got %v", a.name, o.Errno[0])
				}
				got := o.Errno[1]
				if a.abi > upTo {
					if got != 0 {
						t.Errorf("%s, which came with ABI %d: got %v, want that it works", a.name, a.abi, got)
					}
				} else if got == 0 || !slices.Contains(a.denied, got) {
					t.Errorf("%s where nothing is allowed: got %v, want one of %v", a.name, got, a.denied)
				}
			}
		})
	}
}

// Each right alone denies what needs it, and nothing else.
func TestEachRightAlone(t *testing.T) {
	abi := running(t)
	if abi < 2 {
		t.Skip("nothing can be moved before Linux 5.19, which has ABI 2")
	}
	may := controls(t, abi)
	for right := landlock.Access(1); right <= landlock.AllAccess; right <<= 1 {
		t.Run(right.String(), func(t *testing.T) {
			all := try(t, func(in, out place) *landlock.Rules {
				return &landlock.Rules{ABI: min(abi, landlock.MaxABI), FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes, Paths: append(
					landlock.Paths(landlock.AllAccess, in.Dir, in.Device),
					landlock.Paths(landlock.AllAccess&^right, out.Dir, out.Device)...)}
			}, abi)
			judged := 0
			for i, o := range all {
				a, got := attempts[i], o.Errno[1]
				switch denied := a.needs&right != 0 && uint64(right)&kernels[min(abi, landlock.MaxABI)].fs != 0; {
				case !may[i]:
					continue
				case denied && !slices.Contains(a.denied, got), !denied && got != 0, o.Errno[0] != 0:
					t.Errorf("%s: got %v where it is not allowed, %v where it is", a.name, got, o.Errno[0])
				case denied:
					judged++
				}
			}
			if judged == 0 {
				t.Skipf("nothing needs %v that this kernel, with ABI %d, can deny and this user can do", right, abi)
			}
		})
	}
}

// The kernel takes whatever rules come to, and is no rubber stamp.
func TestKernelTakesWhatRulesComeTo(t *testing.T) {
	abi := running(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for seed := range uint64(500) {
		rules := random(seed)
		for i := range rules.Paths {
			rules.Paths[i].Path = [...]string{"/", "/proc", t.TempDir(), "/dev"}[i]
		}
		resolved, err := rules.Resolve(abi)
		if err != nil || resolved.Empty() {
			continue
		}
		fd, err := ruleset(&resolved)
		if err != nil {
			t.Errorf("seed %d: %+v: %v", seed, rules, err)
			continue
		}
		unix.Close(fd)
		taken++
	}
	if taken < 30 {
		t.Errorf("only %d rulesets", taken)
	}
	// What it refuses, and Resolve so tells apart.
	rules := landlock.Rules{Paths: landlock.Paths(landlock.Read, file), BestEffort: true}
	resolved, err := rules.Resolve(abi)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := ruleset(&resolved)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := addPath(fd, int(f.Fd()), resolved.Paths[0].Allowed, 0); err != unix.EINVAL {
		t.Errorf("the rights of a directory for a file: got %v, want EINVAL", err)
	}
	resolved.Attr.HandledAccessFs |= 1 << 40
	if _, err := ruleset(&resolved); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a right that there is not: got %v, want EINVAL", err)
	}
}
