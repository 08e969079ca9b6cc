//go:build linux

package linux_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"golang.org/x/sys/unix"
)

// The cases of the kernel's own tests of Landlock that are about what a confined
// process may do, tools/testing/selftests/landlock, under their names. Each is tried
// without rules too, in another copy of the same directories.

// landlock case makes the layers of rules that are left, one process each, and then
// tries what it is told, and writes what the kernel says. It does not return: what
// finds data races would wait for a second then, as it is told not to in
// /proc/self/environ, which the rules do not allow to be read.
var _ = helper("landlock case", func(args []string) int {
	root, layers, tries := args[0], []landlock.Rules{}, args[2:]
	if err := json.Unmarshal([]byte(args[1]), &layers); err != nil {
		return fail("%v", err)
	}
	if len(layers) > 0 {
		c := child("landlock case", append([]string{root, jsonOf(layers[1:])}, tries...)...)
		c.Path, c.Exec = "/proc/self/exe", nil
		if exe, err := os.Readlink(c.Path); err == nil {
			c.Path = exe // the file that the rules are about
		}
		c.Files = []*os.File{nil, os.Stdout, os.Stderr}
		c.Flags, c.Landlock = linux.NoNewPrivs, &layers[0]
		p, err := linux.Clone3(background, c)
		if err != nil {
			fmt.Print("clone:", unix.ErrnoName(errnoIn(err)))
			return 0
		}
		p.Wait(background)
		unix.Exit(0)
	}
	t := landlockTrial{root: root}
	for _, try := range tries {
		err := t.do(strings.Fields(try))
		if err == nil {
			fmt.Print("ok ")
		} else {
			fmt.Print(unix.ErrnoName(errnoIn(err)), " ")
		}
	}
	unix.Exit(0)
	return 0
})

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func errnoIn(err error) (errno syscall.Errno) {
	errors.As(err, &errno)
	return errno
}

// fionbio is FIONBIO.
var fionbio = func() uint {
	switch runtime.GOARCH {
	case "mips", "mipsle", "mips64", "mips64le":
		return 0x667e
	case "ppc64", "ppc64le":
		return 0x8004667e
	}
	return 0x5421
}()

// A landlockTrial does what the cases do. Paths are below the root.
type landlockTrial struct {
	root string
	fd   int // the last that was opened
}

func (l *landlockTrial) do(words []string) (err error) {
	what, args := words[0], append(words[1:], "", "")
	at := func(i int) string { return filepath.Join(l.root, args[i]) }
	open := func(flags int) error {
		fd, err := unix.Open(at(0), flags|unix.O_CLOEXEC, 0o600)
		if err == nil {
			l.fd = fd
		}
		return err
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(args[i])
		return n
	}
	switch what {
	case "read":
		return open(unix.O_RDONLY)
	case "write":
		return open(unix.O_WRONLY)
	case "read-write":
		return open(unix.O_RDWR)
	case "list":
		return open(unix.O_RDONLY | unix.O_DIRECTORY)
	case "open-truncate":
		return open(unix.O_WRONLY | unix.O_TRUNC)
	case "open-read-truncate":
		return open(unix.O_RDONLY | unix.O_TRUNC)
	case "path":
		return open(unix.O_PATH)
	case "truncate":
		return unix.Truncate(at(0), 10)
	case "ftruncate":
		return unix.Ftruncate(l.fd, 10)
	case "ftruncate-of": // a descriptor that was inherited
		return unix.Ftruncate(number(0), 10)
	case "memfd":
		l.fd, err = unix.MemfdCreate("case", unix.MFD_CLOEXEC)
		return err
	case "pipe": // by its name in /proc
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			return err
		}
		l.fd, err = unix.Open("/proc/self/fd/"+strconv.Itoa(fds[0]), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	case "nsfs":
		l.fd, err = unix.Open("/proc/self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	case "unlinked": // open again what has no name any more, by /proc
		if err := unix.Unlink(at(0)); err != nil {
			return err
		}
		_, err = unix.Open("/proc/self/fd/"+strconv.Itoa(l.fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	case "create":
		return open(unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL)
	case "mkdir":
		return unix.Mkdir(at(0), 0o700)
	case "rmdir":
		return unix.Rmdir(at(0))
	case "unlink":
		return unix.Unlink(at(0))
	case "symlink":
		return unix.Symlink("none", at(0))
	case "mkfifo":
		return unix.Mknod(at(0), unix.S_IFIFO|0o600, 0)
	case "mksock":
		return unix.Mknod(at(0), unix.S_IFSOCK|0o600, 0)
	case "mkreg":
		return unix.Mknod(at(0), unix.S_IFREG|0o600, 0)
	case "mkchar":
		return unix.Mknod(at(0), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3)))
	case "mkblock":
		return unix.Mknod(at(0), unix.S_IFBLK|0o600, int(unix.Mkdev(7, 0)))
	case "link":
		return unix.Link(at(0), at(1))
	case "rename":
		return unix.Rename(at(0), at(1))
	case "exchange":
		return unix.Renameat2(unix.AT_FDCWD, at(0), unix.AT_FDCWD, at(1), unix.RENAME_EXCHANGE)
	case "execute":
		_, err := linux.Clone3(background, &linux.Child{Path: at(0), Env: []string{}})
		return err
	case "chdir":
		return unix.Chdir(at(0))
	case "relative":
		_, err := unix.Open(args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	case "below": // of what is open
		_, err := unix.Openat(l.fd, args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	case "chroot":
		return unix.Chroot(at(0))
	case "mount":
		return unix.Mount("none", at(0), "tmpfs", 0, "")
	case "remount":
		return unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, "")
	case "umount":
		return unix.Unmount(at(0), unix.MNT_DETACH)
	case "pivot":
		return unix.PivotRoot(at(0), at(0))
	case "move-mount":
		return unix.MoveMount(unix.AT_FDCWD, at(0), unix.AT_FDCWD, at(1), 0)
	case "ioctl": // that devices answer
		if l.fd, err = unix.Open(args[0], unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		_, err = unix.IoctlGetInt(l.fd, unix.TIOCGPTN)
		return err
	case "ioctl-nonblock": // FIONBIO, which all files have
		return unix.IoctlSetPointerInt(l.fd, fionbio, 0)
	case "fionread":
		_, err = unix.IoctlGetInt(l.fd, unix.TIOCINQ)
		return err
	case "signal":
		return unix.Kill(number(0), 0)
	case "ptrace":
		if _, err := unix.Open("/proc/"+args[0]+"/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
	case "abstract", "unix", "self-abstract":
		kind := unix.SOCK_STREAM
		if args[1] == "dgram" {
			kind = unix.SOCK_DGRAM
		}
		fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		name := "@" + args[0]
		if what == "unix" {
			name = at(0)
		} else if what == "self-abstract" {
			name += "-own"
			own, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
			if err == nil {
				err = unix.Bind(own, &unix.SockaddrUnix{Name: name})
			}
			if err == nil && kind == unix.SOCK_STREAM {
				err = unix.Listen(own, 1)
			}
			if err != nil {
				return err
			}
		}
		return unix.Connect(fd, &unix.SockaddrUnix{Name: name})
	case "tcp-bind", "tcp-connect", "udp-bind", "udp-connect", "udp-send", "tcp-connect6":
		family, kind := unix.AF_INET, unix.SOCK_STREAM
		if strings.HasPrefix(what, "udp") {
			kind = unix.SOCK_DGRAM
		}
		address := unix.Sockaddr(&unix.SockaddrInet4{Port: number(0), Addr: [4]byte{127, 0, 0, 1}})
		if strings.HasSuffix(what, "6") {
			family, address = unix.AF_INET6, &unix.SockaddrInet6{Port: number(0), Addr: [16]byte{15: 1}}
		}
		// It does not wait for an answer, which on an emulated machine may not come:
		// that it may ask is what matters.
		fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		switch {
		case strings.HasSuffix(what, "bind"):
			return unix.Bind(fd, address)
		case what == "udp-send":
			return unix.Sendto(fd, []byte("x"), 0, address)
		}
		if err := unix.Connect(fd, address); err != unix.EINPROGRESS {
			return err
		}
		return nil
	default:
		return fmt.Errorf("no way to try %s", what)
	}
	return nil
}

// A landlockTest is a case.
type landlockTest struct {
	name   string
	root   bool // needs capabilities
	layers func(root string) []landlock.Rules
	tries  []string
	want   string
	free   string // what comes of it without rules, if not all is ok
}

// programAccess lets the test binary start, and nothing more.
func programAccess() []landlock.Path {
	exe, _ := os.Readlink("/proc/self/exe")
	return slices.Concat(landlock.Paths(landlock.Execute|landlock.ReadFile, exe),
		landlock.Paths(rw, "/dev/null"), // which its own children are given
		landlock.Optional(landlock.Paths(landlock.Execute|landlock.ReadFile, "/lib", "/lib64", "/usr/lib")))
}

// only are rules with these paths, and what the program needs.
func only(abi int, free landlock.Access, paths ...landlock.Path) landlock.Rules {
	return landlock.Rules{ABI: abi, Free: free, FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes, Paths: slices.Concat(programAccess(), paths)}
}

// one is a layer with a rule for one path.
func one(abi int, access landlock.Access, path string) func(string) []landlock.Rules {
	return func(root string) []landlock.Rules {
		return []landlock.Rules{only(abi, 0, landlock.Path{Path: filepath.Join(root, path), Access: access})}
	}
}

// several are layers of one rule each.
func several(of ...func(string) []landlock.Rules) func(string) []landlock.Rules {
	return func(root string) (all []landlock.Rules) {
		for _, f := range of {
			all = append(all, f(root)...)
		}
		return all
	}
}

const rw = landlock.ReadFile | landlock.WriteFile

// layout makes the directories of the cases: three deep, with two files and a
// program in each.
func layout(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"s1d1", "s1d1/s1d2", "s1d1/s1d2/s1d3", "s2d1", "s2d1/s2d2", "s2d1/s2d2/s2d3", "s3d1", "s3d1/empty"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(dir, "empty") {
			continue
		}
		for _, file := range []string{"f1", "f2"} {
			if err := os.WriteFile(filepath.Join(root, dir, file), []byte("text"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(root, dir, "program"), []byte("no program"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// What "execute" says of a file that could be, but is no program.
const noProgram = "ENOEXEC"

var landlockTests = []landlockTest{
	{name: "no_restriction", layers: func(string) []landlock.Rules {
		return []landlock.Rules{{ABI: 1, Free: landlock.AllAccess, FreeNet: landlock.AllNet}}
	}, tries: []string{"read s1d1/f1", "write s2d1/f1", "list s1d1"}, want: "ok ok ok"},
	{name: "file_and_dir_access_rights", layers: func(root string) []landlock.Rules { // a directory right for a file is left out
		return []landlock.Rules{only(1, 0, landlock.Path{Path: root + "/s1d1/f1", Access: landlock.ReadFile}, landlock.Path{Path: root + "/s2d1", Access: landlock.Read})}
	}, tries: []string{"read s1d1/f1", "read s1d1/f2", "list s1d1", "read s2d1/f1", "list s2d1/s2d2"}, want: "ok EACCES EACCES ok ok"},
	{name: "effective_access", layers: several(func(root string) []landlock.Rules {
		return []landlock.Rules{only(1, 0, landlock.Path{Path: root + "/s1d1/s1d2", Access: landlock.ReadFile | landlock.ReadDir},
			landlock.Path{Path: root + "/s2d1/f1", Access: rw})}
	}), tries: []string{"read s1d1/f1", "read s1d1/s1d2/f1", "read s1d1/s1d2/s1d3/f1", "list s1d1/s1d2", "list s1d1", "write s1d1/s1d2/f1", "read-write s2d1/f1", "read s2d1/f2"},
		want: "EACCES ok ok ok EACCES EACCES ok EACCES"},
	{name: "unhandled_access", layers: func(root string) []landlock.Rules {
		return []landlock.Rules{only(1, landlock.WriteFile|landlock.ReadDir, landlock.Path{Path: root + "/s1d1", Access: landlock.ReadFile})}
	}, tries: []string{"read s1d1/f1", "write s2d1/f1", "list s2d1", "read s2d1/f1"}, want: "ok ok ok EACCES"},
	{name: "ruleset_overlap", layers: func(root string) []landlock.Rules { // rules on the way up add to each other
		return []landlock.Rules{only(1, 0, landlock.Path{Path: root + "/s1d1", Access: landlock.ReadFile}, landlock.Path{Path: root + "/s1d1/s1d2", Access: landlock.WriteFile})}
	}, tries: []string{"read-write s1d1/s1d2/f1", "read s1d1/f1", "write s1d1/f1"}, want: "ok ok EACCES"},
	{name: "layer_rule_unions", layers: several(one(1, landlock.ReadFile, "s1d1"), one(1, rw, "s1d1"), one(1, landlock.WriteFile|landlock.ReadFile, "s1d1/s1d2")),
		tries: []string{"read s1d1/f1", "read s1d1/s1d2/f1", "write s1d1/s1d2/f1"}, want: "EACCES ok EACCES"},
	{name: "non_overlapping_accesses", layers: several(
		func(root string) []landlock.Rules {
			return []landlock.Rules{only(1, landlock.RemoveFile, landlock.Path{Path: root + "/s1d1/s1d2", Access: landlock.MakeFile})}
		},
		func(root string) []landlock.Rules {
			return []landlock.Rules{only(1, landlock.MakeFile, landlock.Path{Path: root + "/s1d1/s1d2/s1d3", Access: landlock.RemoveFile})}
		}),
		tries: []string{"mkreg s1d1/new", "mkreg s1d1/s1d2/new", "unlink s1d1/s1d2/new", "unlink s1d1/s1d2/s1d3/f1"}, want: "EACCES ok EACCES ok", free: "ok ok ok ok"},
	{name: "interleaved_masked_accesses", layers: several(one(1, landlock.ReadFile, "s1d1/s1d2/s1d3/f1"), one(1, rw, "s1d1"), one(1, landlock.ReadFile, "s1d1/s1d2")),
		tries: []string{"read s1d1/s1d2/s1d3/f1", "read s1d1/s1d2/s1d3/f2", "write s1d1/s1d2/s1d3/f1"}, want: "ok EACCES EACCES"},
	{name: "inherit_subset", layers: several(one(1, rw|landlock.ReadDir, "s1d1/s1d2"), one(1, landlock.ReadFile|landlock.ReadDir, "s1d1/s1d2/s1d3")),
		tries: []string{"read s1d1/s1d2/f1", "write s1d1/s1d2/f1", "read s1d1/s1d2/s1d3/f1", "write s1d1/s1d2/s1d3/f1", "list s1d1/s1d2/s1d3"}, want: "EACCES EACCES ok EACCES ok"},
	{name: "inherit_superset", layers: several(one(1, landlock.ReadFile, "s1d1/s1d2/s1d3"), one(1, rw, "s1d1")),
		tries: []string{"read s1d1/s1d2/f1", "read s1d1/s1d2/s1d3/f1", "write s1d1/s1d2/s1d3/f1"}, want: "EACCES ok EACCES"},
	{name: "empty_or_same_ruleset", layers: several(one(1, landlock.ReadFile, "s1d1/s1d2"), one(1, landlock.ReadFile, "s1d1/s1d2")),
		tries: []string{"read s1d1/s1d2/f1", "write s1d1/s1d2/f1", "list s1d1"}, want: "ok EACCES EACCES"},
	{name: "max_layers", layers: func(root string) (all []landlock.Rules) {
		for range 16 {
			all = append(all, only(1, 0, landlock.Path{Path: root, Access: landlock.ReadFile}))
		}
		return all
	}, tries: []string{"read s1d1/f1", "write s1d1/f1"}, want: "ok EACCES"},
	{name: "max_layers, one more", layers: func(root string) (all []landlock.Rules) {
		for range 17 {
			all = append(all, only(1, 0, landlock.Path{Path: root, Access: landlock.ReadFile}))
		}
		return all
	}, tries: []string{"read s1d1/f1"}, want: "clone:E2BIG"},
	{name: "rule_over_root_allow_then_deny", layers: several(func(string) []landlock.Rules {
		return []landlock.Rules{only(1, 0, landlock.Path{Path: "/", Access: landlock.Read | landlock.Execute})}
	}, one(1, landlock.ReadDir, "s1d1")), tries: []string{"read s1d1/f1", "list s1d1"}, want: "EACCES ok"},
	{name: "rule_over_root_deny", layers: func(string) []landlock.Rules { return []landlock.Rules{only(1, 0)} },
		tries: []string{"read s1d1/f1", "list s1d1", "list ../.."}, want: "EACCES EACCES EACCES"},
	{name: "mount_and_pivot", root: true, layers: one(1, landlock.Read, ""),
		tries: []string{"mount s1d1", "remount", "pivot s3d1"}, want: "EPERM EPERM EPERM", free: "ok ok EINVAL"},
	{name: "move_mount", root: true, layers: one(1, landlock.Read, ""), tries: []string{"move-mount s1d1 s2d1"}, want: "EPERM", free: "EINVAL"},
	{name: "topology_changes_with_net_only", root: true, layers: func(string) []landlock.Rules {
		return []landlock.Rules{{ABI: 4, Free: landlock.AllAccess, Ports: landlock.Ports(landlock.BindTCP, 80)}}
	}, tries: []string{"mount s1d1", "umount s1d1"}, want: "ok ok"},
	{name: "topology_changes_with_net_and_fs", root: true, layers: func(root string) []landlock.Rules {
		return []landlock.Rules{{ABI: 4, Paths: append(programAccess(), landlock.Path{Path: root, Access: landlock.Read})}}
	}, tries: []string{"mount s1d1"}, want: "EPERM"},
	{name: "relative_open", layers: one(1, landlock.Read, "s1d1/s1d2"), tries: []string{"list s1d1/s1d2", "below f1", "below s1d3/f1", "below ../f1", "below ../../s2d1/f1"},
		want: "ok ok ok EACCES EACCES"},
	{name: "relative_chdir", layers: one(1, landlock.Read, "s1d1/s1d2"), tries: []string{"chdir s1d1/s1d2", "relative f1", "relative ../f1", "chdir s2d1", "relative f1", "relative ../s1d1/s1d2/f1"},
		want: "ok ok EACCES ok EACCES ok"},
	{name: "relative_chroot_chdir", root: true, layers: one(1, landlock.Read, "s1d1/s1d2"), tries: []string{"chdir s2d1", "chroot s1d1", "relative f1", "relative ../s1d1/s1d2/f1", "relative ../s1d1/f1", "relative /s1d2/f1", "relative /f1"},
		want: "ok ok EACCES ok EACCES ok EACCES"},
	{name: "execute", layers: one(1, landlock.Execute|landlock.ReadFile, "s1d1/s1d2"), tries: []string{"execute s1d1/program", "execute s1d1/s1d2/program", "execute s1d1/s1d2/s1d3/program"},
		want: "EACCES " + noProgram + " " + noProgram, free: noProgram + " " + noProgram + " " + noProgram},
	{name: "link", layers: one(1, landlock.MakeFile, "s1d1/s1d2"), tries: []string{"link s1d1/f1 s1d1/new", "link s1d1/s1d2/f1 s1d1/s1d2/new", "link s1d1/s1d2/f1 s1d1/s1d2/s1d3/new", "link s2d1/f1 s1d1/s1d2/other"},
		want: "EACCES ok EXDEV EXDEV"},
	{name: "rename_file", layers: one(1, landlock.RemoveFile|landlock.MakeFile, "s1d1/s1d2/s1d3"), tries: []string{"rename s1d1/s1d2/f1 s1d1/s1d2/new", "rename s1d1/s1d2/s1d3/f1 s1d1/s1d2/s1d3/new", "rename s1d1/s1d2/s1d3/f2 s2d1/new", "exchange s1d1/s1d2/s1d3/new s1d1/s1d2/s1d3/f2"},
		want: "EACCES ok EACCES ok", free: "ok ok ok ENOENT"},
	{name: "rename_dir", layers: one(1, landlock.RemoveDir|landlock.MakeDir, "s3d1"), tries: []string{"rename s3d1/empty s3d1/new", "rename s1d1/s1d2 s1d1/new", "rename s3d1/new s2d1/new"}, want: "ok EACCES EACCES"},
	{name: "reparent_refer", layers: one(2, landlock.Refer|landlock.MakeFile|landlock.RemoveFile, "s1d1"), tries: []string{"rename s1d1/f1 s1d1/s1d2/new", "rename s1d1/s1d2/f1 s2d1/new", "rename s2d1/f1 s1d1/other"},
		want: "ok EACCES EACCES"},
	{name: "refer_denied_by_default1", layers: one(2, landlock.MakeFile|landlock.RemoveFile, "s1d1"), tries: []string{"rename s1d1/f1 s1d1/s1d2/new", "rename s1d1/f2 s1d1/new"}, want: "EXDEV ok"},
	{name: "refer_denied_by_default2", layers: several(one(1, landlock.MakeFile|landlock.RemoveFile, "s1d1"), one(2, landlock.Refer|landlock.MakeFile|landlock.RemoveFile, "s1d1")),
		tries: []string{"rename s1d1/f1 s1d1/s1d2/new", "rename s1d1/f2 s1d1/new"}, want: "EXDEV ok"},
	{name: "refer_denied_by_default3", layers: several(one(2, landlock.Refer|landlock.MakeFile|landlock.RemoveFile, "s1d1"), one(1, landlock.MakeFile|landlock.RemoveFile, "s1d1")),
		tries: []string{"rename s1d1/f1 s1d1/s1d2/new", "rename s1d1/f2 s1d1/new"}, want: "EXDEV ok"},
	{name: "reparent_link", layers: func(root string) []landlock.Rules {
		const both = landlock.Refer | landlock.MakeFile
		return []landlock.Rules{only(2, 0, landlock.Path{Path: root + "/s1d1", Access: both}, landlock.Path{Path: root + "/s2d1", Access: both | landlock.ReadFile})}
	}, tries: []string{"link s1d1/f1 s1d1/s1d2/new", "link s2d1/f1 s1d1/new", "link s1d1/f2 s2d1/new"}, want: "ok ok EXDEV"},
	{name: "reparent_rename", layers: func(root string) []landlock.Rules {
		const all = landlock.Refer | landlock.MakeFile | landlock.RemoveFile
		return []landlock.Rules{only(2, 0, landlock.Path{Path: root + "/s1d1", Access: all}, landlock.Path{Path: root + "/s2d1", Access: all | landlock.WriteFile})}
	}, tries: []string{"rename s2d1/f1 s1d1/new", "rename s1d1/f1 s2d1/new", "exchange s1d1/f2 s2d1/f2"}, want: "ok EXDEV EXDEV"},
	{name: "reparent_remove", layers: func(root string) []landlock.Rules {
		return []landlock.Rules{only(2, 0, landlock.Path{Path: root + "/s1d1", Access: landlock.Refer | landlock.RemoveFile}, landlock.Path{Path: root + "/s2d1", Access: landlock.Refer | landlock.MakeFile})}
	}, tries: []string{"rename s1d1/f1 s2d1/new", "rename s2d1/f1 s1d1/new", "rename s1d1/f2 s1d1/s1d2/new"}, want: "ok EACCES EACCES"},
	{name: "remove_dir", layers: one(1, landlock.RemoveDir, "s3d1"), tries: []string{"rmdir s3d1/empty", "rmdir s1d1/s1d2", "unlink s3d1/f1"}, want: "ok EACCES EACCES", free: "ok ENOTEMPTY ok"},
	{name: "remove_file", layers: one(1, landlock.RemoveFile, "s1d1/s1d2"), tries: []string{"unlink s1d1/f1", "unlink s1d1/s1d2/f1", "rmdir s3d1/empty"}, want: "EACCES ok EACCES"},
	{name: "make_char", root: true, layers: one(1, landlock.MakeChar, "s1d1"), tries: []string{"mkchar s1d1/new", "mkblock s1d1/other", "mkchar s2d1/new"}, want: "ok EACCES EACCES"},
	{name: "make_block", root: true, layers: one(1, landlock.MakeBlock, "s1d1"), tries: []string{"mkblock s1d1/new", "mkchar s1d1/other", "mkblock s2d1/new"}, want: "ok EACCES EACCES"},
	{name: "make_reg_1", layers: one(1, landlock.MakeFile|landlock.WriteFile, "s1d1"), tries: []string{"create s1d1/new", "mkreg s1d1/other", "create s2d1/new", "mkdir s1d1/dir"}, want: "ok ok EACCES EACCES"},
	{name: "make_reg_2", layers: one(1, landlock.MakeFile, "s1d1"), tries: []string{"link s1d1/f1 s1d1/new", "link s2d1/f1 s2d1/new"}, want: "ok EACCES"},
	{name: "make_sock", layers: one(1, landlock.MakeSocket, "s1d1"), tries: []string{"mksock s1d1/new", "mkfifo s1d1/other", "mksock s2d1/new"}, want: "ok EACCES EACCES"},
	{name: "make_fifo", layers: one(1, landlock.MakeFifo, "s1d1"), tries: []string{"mkfifo s1d1/new", "mksock s1d1/other", "mkfifo s2d1/new"}, want: "ok EACCES EACCES"},
	{name: "make_sym", layers: one(1, landlock.MakeSymlink, "s1d1"), tries: []string{"symlink s1d1/new", "mkreg s1d1/other", "symlink s2d1/new"}, want: "ok EACCES EACCES"},
	{name: "make_dir", layers: one(1, landlock.MakeDir, "s1d1"), tries: []string{"mkdir s1d1/new", "mkreg s1d1/other", "mkdir s2d1/new"}, want: "ok EACCES EACCES"},
	{name: "proc_unlinked_file", layers: func(root string) []landlock.Rules {
		return []landlock.Rules{only(1, 0, landlock.Path{Path: root + "/s1d1", Access: landlock.ReadFile | landlock.RemoveFile})}
	}, tries: []string{"read s1d1/f1", "unlinked s1d1/f1"}, want: "ok ok"},
	{name: "proc_pipe", layers: one(1, 0|landlock.ReadFile, "s1d1"), tries: []string{"pipe", "read s2d1/f1"}, want: "ok EACCES"},
	{name: "proc_nsfs", layers: one(1, landlock.ReadFile, "s1d1"), tries: []string{"nsfs", "read s2d1/f1"}, want: "ok EACCES"},
	{name: "truncate_unhandled", layers: one(2, landlock.WriteFile, "s1d1"), tries: []string{"truncate s1d1/f1", "truncate s2d1/f1", "open-truncate s1d1/f1", "open-truncate s2d1/f1"}, want: "ok ok ok EACCES"},
	{name: "truncate", layers: func(root string) []landlock.Rules {
		return []landlock.Rules{only(3, 0, landlock.Path{Path: root + "/s1d1", Access: landlock.WriteFile | landlock.Truncate}, landlock.Path{Path: root + "/s2d1", Access: rw})}
	}, tries: []string{"truncate s1d1/f1", "open-truncate s1d1/f1", "truncate s2d1/f1", "open-truncate s2d1/f1", "open-read-truncate s2d1/f1", "truncate s3d1/f1"},
		want: "ok ok EACCES EACCES EACCES EACCES"},
	{name: "ftruncate", layers: func(root string) []landlock.Rules {
		return []landlock.Rules{only(3, 0, landlock.Path{Path: root + "/s1d1", Access: landlock.WriteFile | landlock.Truncate}, landlock.Path{Path: root + "/s2d1", Access: landlock.WriteFile})}
	}, tries: []string{"write s1d1/f1", "ftruncate", "write s2d1/f1", "ftruncate"}, want: "ok ok ok EACCES"},
	{name: "memfd_ftruncate_and_ioctl", layers: one(5, landlock.ReadFile, "s1d1"), tries: []string{"memfd", "ftruncate", "ioctl-nonblock"}, want: "ok ok ok"},
	{name: "o_path_ftruncate_and_ioctl", layers: one(5, landlock.ReadFile, "s1d1"), tries: []string{"path s2d1/f1", "ftruncate", "fionread"}, want: "ok EBADF EBADF", free: "ok EBADF EBADF"},
	{name: "blanket_permitted_ioctls", layers: one(5, landlock.ReadFile, "s1d1"), tries: []string{"read s1d1/f1", "ioctl-nonblock", "fionread"}, want: "ok ok ok"},
	{name: "handle_dir_access_file", layers: func(string) []landlock.Rules {
		return []landlock.Rules{only(5, 0, landlock.Path{Path: "/dev", Access: rw | landlock.IoctlDevice})}
	}, tries: []string{"ioctl /dev/zero", "ioctl-nonblock"}, want: "ENOTTY ok", free: "ENOTTY ok"},
	{name: "handle_file_access_file", layers: func(string) []landlock.Rules {
		return []landlock.Rules{only(5, 0, landlock.Path{Path: "/dev/zero", Access: rw})}
	}, tries: []string{"ioctl /dev/zero", "ioctl-nonblock"}, want: "EACCES ok", free: "ENOTTY ok"},
}

func TestSelftestsLandlockFS(t *testing.T) {
	for _, test := range landlockTests {
		if testing.Short() && strings.HasPrefix(test.name, "max_layers,") {
			continue // of two that create many processes
		}
		t.Run(test.name, func(t *testing.T) { tryLandlock(t, layout(t), test) })
	}
}

// tryLandlock noProgram a case with rules, and without in another copy of the layout.
func tryLandlock(t *testing.T, root string, test landlockTest) {
	t.Helper()
	if test.root {
		needRoot(t)
	}
	layers := test.layers(root)
	for _, rules := range layers {
		needLandlock(t, rules)
	}
	run := func(root string, layers []landlock.Rules) string {
		c := child("landlock case", append([]string{root, jsonOf(layers)}, test.tries...)...)
		if test.root { // what it mounts is its own
			c.Unshare = linux.NewMount
		}
		out, status := output(t, c)
		if !status.Success() {
			t.Errorf("%v: %s", status, out)
		}
		return strings.TrimSpace(strings.ReplaceAll(out, "EBUSY", "EINVAL")) // as it depends on where the root is mounted
	}
	free := test.free
	if free == "" {
		free = strings.TrimSpace(strings.Repeat("ok ", len(test.tries)))
	}
	control := root
	switch tries := strings.Join(test.tries, " "); {
	case strings.Contains(tries, "s1d1"):
		control = layout(t)
	case strings.Contains(tries, "mkdir"):
		control = t.TempDir()
	}
	if got := run(control, nil); got != free {
		if test.root && strings.Contains(got, "EPERM") {
			t.Skip("denied without rules too: ", got)
		}
		t.Fatalf("without rules: got %s, want %s", got, free)
	}
	if got := run(root, layers); got != test.want {
		t.Errorf("%q:\ngot  %s\nwant %s", test.tries, got, test.want)
	}
}

// base_test.c
func TestSelftestsLandlockBase(t *testing.T) {
	t.Run("ruleset_fd_transfer", func(t *testing.T) { // a ruleset of one process is entered by another
		rules := ruleset(t)
		file := t.TempDir() + "/file"
		c := child("write file", file)
		c.Flags, c.LandlockRuleset = linux.NoNewPrivs, rules
		if out, status := output(t, c); status.Success() {
			t.Errorf("the child has written: %s", out)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Error("this program is confined too: ", err)
		}
	})
	t.Run("restrict_self_fd", func(t *testing.T) {
		ruleset(t) // there is Landlock
		for name, f := range map[string]*os.File{"no ruleset": os.Stdin, "a closed file": closedFile(t)} {
			_, err := linux.Clone3(background, &linux.Child{Path: "/does not exist", Flags: linux.NoNewPrivs, LandlockRuleset: f})
			if step, ok := errors.AsType[*linux.StepError](err); ok && step.Errno != unix.EBADFD || !ok && !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s: got error %v", name, err)
			}
		}
	})
	t.Run("restrict_self_no_new_privs", func(t *testing.T) {
		needLandlock(t, landlock.Rules{ABI: 1})
		c := &linux.Child{Path: "/does not exist", LandlockRuleset: ruleset(t)}
		if os.Geteuid() == 0 {
			c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
		}
		_, err := linux.Clone3(background, c)
		is(t, "without NoNewPrivs", err, unix.EPERM)
		c.Flags = linux.NoNewPrivs
		_, err = linux.Clone3(background, c)
		if step, ok := errors.AsType[*linux.StepError](err); !ok || step.Kind != linux.StepExec {
			t.Errorf("with NoNewPrivs: got error %v", err)
		}
	})
	t.Run("restrict_self_flags", func(t *testing.T) {
		_, err := linux.Clone3(background, &linux.Child{Path: "/does not exist", Flags: linux.NoNewPrivs, LandlockRuleset: ruleset(t), LandlockFlags: 1 << 30})
		is(t, "an unknown flag", err, errors.ErrUnsupported)
	})
}

func closedFile(t *testing.T) *os.File {
	f, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return f
}

// portRules are rules about ports alone.
func portRules(abi int, ports ...landlock.Port) landlock.Rules {
	return landlock.Rules{ABI: abi, Free: landlock.AllAccess, FreeScopes: landlock.AllScopes, Ports: ports}
}

// net_test.c
func TestSelftestsLandlockNet(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	listens := l.Addr().(*net.TCPAddr).Port
	u, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer u.Close()
	receives := u.LocalAddr().(*net.UDPAddr).Port
	free := freePort(t)
	tcp, udp, other := strconv.Itoa(listens), strconv.Itoa(receives), strconv.Itoa(free)
	layers := func(rules ...landlock.Rules) func(string) []landlock.Rules {
		return func(string) []landlock.Rules { return rules }
	}
	port := func(access landlock.Net, n int) landlock.Port { return landlock.Port{Port: n, Access: access} }
	swapped := listens>>8 | listens&0xff<<8
	if swapped == listens {
		swapped++ // which is as much another port
	}
	for _, test := range []landlockTest{
		{name: "bind", layers: layers(portRules(4, port(landlock.BindTCP, free))), tries: []string{"tcp-bind " + other, "tcp-bind " + strconv.Itoa(free+1)}, want: "ok EACCES"},
		{name: "connect", layers: layers(portRules(4, port(landlock.ConnectTCP, listens))), tries: []string{"tcp-connect " + tcp, "tcp-connect " + other}, want: "ok EACCES"},
		{name: "connect denied", layers: layers(portRules(4)), tries: []string{"tcp-connect " + tcp, "udp-connect " + udp}, want: "EACCES ok"},
		{name: "bind and connect apart", layers: layers(portRules(4, port(landlock.BindTCP, listens))), tries: []string{"tcp-connect " + tcp}, want: "EACCES"},
		{name: "from_unix_to_inet", layers: layers(portRules(4)), tries: []string{"self-abstract case", "tcp-connect " + tcp}, want: "ok EACCES"},
		{name: "ruleset_overlap", layers: layers(portRules(4, port(landlock.BindTCP, listens), port(landlock.ConnectTCP, listens))), tries: []string{"tcp-connect " + tcp}, want: "ok"},
		{name: "ruleset_expand", layers: layers(portRules(4, port(landlock.ConnectTCP, listens)), portRules(4, port(landlock.BindTCP, listens))), tries: []string{"tcp-connect " + tcp}, want: "EACCES"},
		{name: "port_endianness", layers: layers(portRules(4, port(landlock.ConnectTCP, swapped))), tries: []string{"tcp-connect " + tcp}, want: "EACCES"},
		{name: "with_fs", layers: layers(landlock.Rules{ABI: 4, Ports: landlock.Ports(landlock.ConnectTCP, listens), Paths: executable()}), tries: []string{"tcp-connect " + tcp, "mkdir s9"}, want: "ok EACCES"},
		{name: "bind_connect_zero", layers: layers(portRules(4, port(landlock.BindTCP, 0))), tries: []string{"tcp-bind 0", "tcp-connect 0"}, want: "ok EACCES"},
		{name: "sendmsg_dgram", layers: layers(portRules(10, port(landlock.ConnectUDP, receives), port(landlock.BindUDP, 0))), tries: []string{"udp-send " + udp, "udp-connect " + udp, "udp-send " + other, "udp-connect " + other}, want: "ok ok EACCES EACCES"},
		{name: "bind of UDP", layers: layers(portRules(10, port(landlock.BindUDP, free))), tries: []string{"udp-bind " + other, "udp-bind " + strconv.Itoa(free+1)}, want: "ok EACCES"},
	} {
		t.Run(test.name, func(t *testing.T) { tryLandlock(t, t.TempDir(), test) })
	}
}

// freePort is one that nobody has, as the next one.
func freePort(t *testing.T) int {
	for n := 20000; n < 60000; n += 7 {
		a, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(n))
		if err != nil {
			continue
		}
		b, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(n+1))
		a.Close()
		if err == nil {
			b.Close()
			return n
		}
	}
	t.Skip("no port is free")
	return 0
}

// scoped_abstract_unix_test.c, scoped_signal_test.c, ptrace_test.c, and the sockets
// of fs_test.c.
func TestSelftestsLandlockScopes(t *testing.T) {
	name := "clone3-case-" + strconv.Itoa(os.Getpid())
	listen := func(network, address string) {
		t.Helper()
		if network == "unixgram" {
			c, err := net.ListenPacket(network, address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
	listen("unix", "@"+name)
	listen("unixgram", "@"+name+"-dgram")
	root := t.TempDir()
	listen("unix", root+"/socket")
	listen("unixgram", root+"/datagrams")
	me := strconv.Itoa(os.Getpid())
	only := func(free landlock.Scope) func(string) []landlock.Rules {
		return func(string) []landlock.Rules {
			return []landlock.Rules{{ABI: 6, Free: landlock.AllAccess, FreeNet: landlock.AllNet, FreeScopes: free}}
		}
	}
	for _, test := range []landlockTest{
		{name: "connect_to_parent", layers: only(landlock.Signals), tries: []string{"abstract " + name}, want: "EPERM"},
		{name: "connect_to_parent, not scoped", layers: only(landlock.AbstractUnix), tries: []string{"abstract " + name}, want: "ok"},
		{name: "datagram_sockets", layers: only(landlock.Signals), tries: []string{"abstract " + name + "-dgram dgram"}, want: "EPERM"},
		{name: "self_connect", layers: only(landlock.Signals), tries: []string{"self-abstract " + name}, want: "ok"},
		{name: "scoped_pathname_sockets", layers: only(landlock.Signals), tries: []string{"unix socket", "unix datagrams dgram"}, want: "ok ok"},
		{name: "send_sig_to_parent", layers: only(landlock.AbstractUnix), tries: []string{"signal " + me}, want: "EPERM"},
		{name: "send_sig_to_parent, not scoped", layers: only(landlock.Signals), tries: []string{"signal " + me}, want: "ok"},
		{name: "unix_stream_connect_to_parent", layers: func(string) []landlock.Rules {
			return []landlock.Rules{{ABI: 9, FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes, Paths: programAccess()}}
		}, tries: []string{"unix socket", "unix datagrams dgram"}, want: "EACCES EACCES"},
		{name: "unix_stream_connect_to_parent, allowed", layers: func(root string) []landlock.Rules {
			return []landlock.Rules{{ABI: 9, FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes,
				Paths: append(programAccess(), landlock.Path{Path: root, Access: landlock.ConnectUnix})}}
		}, tries: []string{"unix socket", "unix datagrams dgram"}, want: "ok ok"},
		{name: "trace", root: true, layers: only(landlock.AllScopes &^ landlock.Signals), tries: []string{"ptrace " + me}, want: "EACCES"},
	} {
		t.Run(test.name, func(t *testing.T) { tryLandlock(t, root, test) })
	}
}
