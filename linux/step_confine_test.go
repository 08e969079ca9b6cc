//go:build linux

package linux_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// try does one thing, and writes what the kernel says: "ok", or the error.
var _ = helper("try", func(args []string) int {
	for len(args) > 1 {
		what, arg := args[0], args[1]
		args = args[2:]
		var err error
		switch what {
		case "read":
			_, err = os.ReadFile(arg)
		case "list":
			_, err = os.ReadDir(arg)
		case "write":
			err = os.WriteFile(arg, []byte("x"), 0o600)
		case "truncate":
			err = os.Truncate(arg, 0)
		case "mkdir":
			err = os.Mkdir(arg, 0o700)
		case "remove":
			err = os.Remove(arg)
		case "rename":
			err = os.Rename(arg, arg+".new")
		case "link":
			err = os.Link(arg, arg+".link")
		case "connect":
			var c net.Conn
			if c, err = net.Dial("tcp", "127.0.0.1:"+arg); err == nil {
				c.Close()
			}
		case "bind":
			var config net.ListenConfig
			config.SetMultipathTCP(false) // which is another protocol, to Landlock
			var l net.Listener
			if l, err = config.Listen(background, "tcp", "127.0.0.1:"+arg); err == nil {
				l.Close()
			}
		case "uname":
			err = unix.Uname(new(unix.Utsname))
		case "unshare":
			n, _ := strconv.Atoi(arg)
			err = unix.Unshare(n)
		case "kill":
			n, _ := strconv.Atoi(arg)
			err = unix.Kill(n, 0)
		default:
			return fail("no way to try %s", what)
		}
		if err == nil {
			fmt.Print("ok ")
			continue
		}
		var errno syscall.Errno
		errors.As(err, &errno)
		fmt.Print(unix.ErrnoName(errno), " ")
	}
	return 0
})

// tried says what comes of trying.
func tried(t *testing.T, change func(*linux.Child), what ...string) string {
	t.Helper()
	c := child("try", what...)
	c.Flags = linux.NoNewPrivs
	change(c)
	out, status := output(t, c)
	if !status.Success() {
		t.Errorf("the child has %v", status)
	}
	return strings.TrimSpace(out)
}

// needLandlock skips where the kernel has no Landlock, or an older one.
func needLandlock(t testing.TB, rules landlock.Rules) {
	t.Helper()
	_, err := linux.Clone3(background, &linux.Child{Path: "/does not exist", Flags: linux.NoNewPrivs, Landlock: &rules})
	var lacks *landlock.UnsupportedError
	if errors.As(err, &lacks) && lacks.Kernel == 0 {
		t.Skip("Landlock is not there: ", err)
	} else if lacks != nil {
		kerneltest.Need(t, lacks.Feature, lacks.Release, err)
	}
}

// ground are directories to allow and not to.
func ground(t *testing.T) (in, out string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"in", "out"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"a", "b", "c", "d"} {
			if err := os.WriteFile(filepath.Join(dir, name, file), []byte("text"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return filepath.Join(dir, "in"), filepath.Join(dir, "out")
}

// executable are the rules by which the test binary can be executed.
func executable() []landlock.Path {
	return []landlock.Path{{Path: "/", Access: landlock.Execute | landlock.ReadFile}}
}

func TestLandlockOfAChild(t *testing.T) {
	needLandlock(t, landlock.Rules{ABI: 1})
	for name, change := range map[string]func(*linux.Child){
		"plain":        func(*linux.Child) {},
		"InheritFiles": func(c *linux.Child) { c.InheritFiles = true },
		"own memory":   func(c *linux.Child) { c.Flags |= linux.NewUser },
		"files": func(c *linux.Child) {
			for range 6 {
				c.Files = append(c.Files, os.Stderr)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, out := ground(t)
			tries := []string{"read", in + "/a", "write", in + "/b", "list", in, "mkdir", in + "/e", "remove", in + "/c",
				"read", out + "/a", "write", out + "/b", "list", out, "mkdir", out + "/e", "remove", out + "/c"}
			if got, want := tried(t, change, tries...), strings.Repeat("ok ", 9)+"ok"; got != want {
				t.Fatalf("without rules: %s", got)
			}
			in, out = ground(t)
			tries = []string{"read", in + "/a", "write", in + "/b", "list", in, "mkdir", in + "/e", "remove", in + "/c",
				"read", out + "/a", "write", out + "/b", "list", out, "mkdir", out + "/e", "remove", out + "/c"}
			rules := landlock.Rules{ABI: 1, Paths: slices.Concat(executable(), landlock.ReadWrite(in),
				[]landlock.Path{{Path: in + "/missing", Access: landlock.Read, Optional: true}})}
			got := tried(t, func(c *linux.Child) {
				change(c)
				c.Landlock = &rules
			}, tries...)
			if want := "ok ok ok ok ok ok EACCES EACCES EACCES EACCES"; got != want { // all files can be read
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// A rule for a missing path is none, and above all not one more for the path of
// another rule.
func TestLandlockOptionalPathAddsNothing(t *testing.T) {
	needLandlock(t, landlock.Rules{ABI: 1})
	in, _ := ground(t)
	rules := landlock.Rules{ABI: 1, Paths: slices.Concat(executable(), []landlock.Path{
		{Path: in, Access: landlock.Read}, // as a directory and as a file, so that its number is kept
		{Path: in + "/missing", Access: landlock.WriteFile | landlock.MakeDir, Optional: true},
		{Path: in + "/a", Access: landlock.WriteFile, Optional: true},
	})}
	got := tried(t, func(c *linux.Child) { c.Landlock = &rules }, "list", in, "write", in+"/b", "mkdir", in+"/e", "write", in+"/a")
	if want := "ok EACCES EACCES ok"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rules.Paths[2].Optional = false
	_, err := linux.Clone3(background, &linux.Child{Path: "/bin/true", Flags: linux.NoNewPrivs, Landlock: &rules})
	var step *linux.StepError
	if !errors.As(err, &step) || step.Kind != linux.StepLandlock || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), in+"/missing") {
		t.Errorf("a missing path: %v", err)
	}
}

func TestLandlockPorts(t *testing.T) {
	needLandlock(t, landlock.Rules{ABI: 4, Ports: landlock.Ports(landlock.ConnectTCP, 1)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for want, ports := range map[string][]landlock.Port{
		"ok EACCES":     landlock.Ports(landlock.ConnectTCP, port),
		"EACCES EACCES": nil,
	} {
		got := tried(t, func(c *linux.Child) { c.Landlock = &landlock.Rules{ABI: 4, Paths: executable(), Ports: ports} },
			"connect", strconv.Itoa(port), "bind", "0")
		if got != want {
			t.Errorf("with %v: got %s, want %s", ports, got, want)
		}
	}
}

// What the kernel cannot enforce is told, or is an error; and nobody confines a
// program that may gain privileges.
func TestLandlockIsNotWeakened(t *testing.T) {
	future := landlock.Rules{Paths: executable(), BestEffort: true}
	c := child("exit", "0")
	c.Flags, c.Landlock = linux.NoNewPrivs, &future
	p, err := linux.Clone3(background, c)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	strict := future
	strict.BestEffort = false
	_, err = linux.Clone3(background, &linux.Child{Path: "/does not exist", Flags: linux.NoNewPrivs, Landlock: &strict})
	if unsupported := errors.Is(err, errors.ErrUnsupported); unsupported != (p.Unenforced() != nil) {
		t.Errorf("what is left out is %q, and without BestEffort the error is %v", p.Unenforced(), err)
	}
	user := &linux.Child{Path: "/does not exist", Landlock: &future}
	if os.Geteuid() == 0 {
		user.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	}
	if _, err := linux.Clone3(background, user); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "NoNewPrivs") {
		t.Errorf("without NoNewPrivs: %v", err)
	}
}

// compiled returns a filter that answers some calls.
func compiled(t *testing.T, def seccomp.Action, rules ...seccomp.Rule) *seccomp.Program {
	t.Helper()
	p, err := (&seccomp.Filter{Default: def, Rules: rules}).Compile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSeccompOfAChild(t *testing.T) {
	filter := compiled(t, seccomp.Allow,
		seccomp.Rule{Calls: []string{"uname"}, Action: seccomp.Errno(unix.EIO)},
		seccomp.Rule{Calls: []string{"unshare"}, Args: []seccomp.Arg{{Index: 0, Mask: unix.CLONE_NEWUTS, Op: seccomp.MaskedEqual, Value: unix.CLONE_NEWUTS}}, Action: seccomp.Errno(unix.EXDEV)})
	utc, files := strconv.Itoa(unix.CLONE_NEWUTS), strconv.Itoa(unix.CLONE_FILES)
	for name, change := range map[string]func(*linux.Child){
		"plain":        func(*linux.Child) {},
		"own memory":   func(c *linux.Child) { c.Flags |= linux.NewUser },
		"ResetSignals": func(c *linux.Child) { c.ResetSignals = true },
		"Capabilities": func(c *linux.Child) { c.Capabilities = new(linux.Capabilities) },
	} {
		t.Run(name, func(t *testing.T) {
			if got := tried(t, change, "uname", "", "unshare", files); got != "ok ok" {
				t.Errorf("without a filter: %s", got)
			}
			got := tried(t, func(c *linux.Child) {
				change(c)
				c.Seccomp = filter
			}, "uname", "", "unshare", utc, "unshare", files)
			if got != "EIO EXDEV ok" {
				t.Errorf("got %s, want EIO EXDEV ok", got)
			}
		})
	}
	// A filter kills whom it says.
	c := child("try", "uname", "")
	c.Flags, c.Seccomp = linux.NoNewPrivs, compiled(t, seccomp.Allow, seccomp.Rule{Calls: []string{"uname"}})
	p := start(t, c)
	if s := wait(t, p); s.Signal() != unix.SIGSYS {
		t.Errorf("got %v, want SIGSYS", s)
	}
}

// A filter under which the child cannot come to its program is refused before
// there is one.
func TestSeccompThatForbidsTheProgram(t *testing.T) {
	deny := func(calls ...string) *seccomp.Program {
		return compiled(t, seccomp.Allow, seccomp.Rule{Calls: calls, Action: seccomp.Errno(unix.EPERM)})
	}
	for want, c := range map[string]*linux.Child{
		"execve":     {Path: "/does not exist", Seccomp: deny("execve")},
		"execveat":   {Exec: self, Args: []string{"x"}, Seccomp: deny("execveat")},
		"exit_group": {Path: "/does not exist", Seccomp: deny("exit_group")},
		"Notify":     {Path: "/does not exist", Seccomp: compiled(t, seccomp.Allow, seccomp.Rule{Calls: []string{"uname"}, Action: seccomp.Notify})},
	} {
		c.Flags = linux.NoNewPrivs
		if _, err := linux.Clone3(background, c); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v", want, err)
		}
	}
	// What the child does itself before that, a filter need not allow.
	c := child("exit", "0")
	c.Flags, c.Dir, c.Seccomp = linux.NoNewPrivs, "/", deny("dup3", "chdir", "close_range", "umask")
	if s := wait(t, start(t, c)); !s.Success() {
		t.Errorf("with a filter that denies what the child has done: %v", s)
	}
	user := &linux.Child{Path: "/does not exist", Seccomp: deny("uname")}
	if os.Geteuid() == 0 {
		user.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	}
	if _, err := linux.Clone3(background, user); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "NoNewPrivs") {
		t.Errorf("without NoNewPrivs: %v", err)
	}
}
