//go:build linux

package linux_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// abi returns the version of Landlock that the kernel has, or 0.
func abi(t testing.TB) int {
	t.Helper()
	n, _, errno := unix.Syscall(uapi.SYS_LANDLOCK_CREATE_RULESET, 0, 0, uapi.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 && errno != unix.ENOSYS && errno != unix.EOPNOTSUPP {
		t.Fatal(errno)
	}
	if errno != 0 {
		return 0
	}
	return int(n)
}

// confined returns the Child of Confine for a helper, and on kernels before
// Linux 6.12 lets it send signals. Where there is no Landlock the test is skipped.
func confined(t testing.TB, workdir string, readOnly ...string) *linux.Child {
	t.Helper()
	if abi(t) == 0 {
		t.Skip("Landlock, of Linux 5.13, is not in this kernel, or disabled")
	}
	c, err := linux.Confine(workdir, readOnly...)
	if err != nil {
		t.Fatal(err)
	}
	if abi(t) < 6 {
		c.Landlock.FreeScopes |= landlock.Signals
	}
	return c
}

// confine makes a helper confined.
func confine(t testing.TB, c *linux.Child, workdir string, readOnly ...string) {
	t.Helper()
	by := confined(t, workdir, readOnly...)
	c.Flags |= by.Flags
	c.Capabilities, c.Landlock, c.Seccomp = by.Capabilities, by.Landlock, by.Seccomp
	allowSelf(t, c)
}

// allowSelf lets a helper be executed.
func allowSelf(t testing.TB, c *linux.Child) {
	t.Helper()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	c.Landlock.Paths = append(c.Landlock.Paths, landlock.ReadExecute(program)...)
}

// Programs that people use work in the directory, as root and as a user.
func TestConfineRunsPrograms(t *testing.T) {
	goRoot := strings.TrimSpace(runQuietly("go", "env", "GOROOT"))
	for name, test := range map[string]struct {
		needs, script, want string
	}{
		"shell": {"sh", `echo one > a; mkdir d; mv a d/b; cat d/b < /dev/null; (exit 3); echo $?; ls d`, "one\n3\nb"},
		"pipes": {"sh", `seq 3 | sort -r | head -n 1; cat <<E
here
E`, "3\nhere"},
		"jobs":   {"sh", `sleep 100 & kill $!; wait $!; echo $?`, "143"},
		"limits": {"bash", `ulimit -c 0; nice -n 5 sh -c 'echo niced'; trap 'echo trapped' USR1; kill -USR1 $$`, "niced\ntrapped"},
		"git": {"git", `git init -q . && git config user.email a@b && git config user.name a && echo x > f && chmod +x f &&
			git add f && git commit -qm first && git mv f g && git commit -qam second && git clone -q . copy && git -C copy log --format=%s`, "second\nfirst"},
		"python": {"/usr/bin/python3", `/usr/bin/python3 -c '
import subprocess, tempfile, os, random
with tempfile.NamedTemporaryFile() as f: f.write(b"x")
print(subprocess.run(["cat"], input=b"fed", capture_output=True).stdout.decode(), len(os.urandom(3)))
'`, "fed 3"},
		"make": {"make", `printf 'all: b\nb: a\n\tcp a b\n\tcat b\n' > Makefile; echo made > a; make -s`, "made"},
		"cc":   {"cc", `printf 'int puts(const char*); int main(void) { puts("built"); return 0; }' > a.c && cc -o a a.c && ./a`, "built"},
		"go": {"go", `printf 'module m\n' > go.mod && printf 'package main\nfunc main() { println("built") }' > main.go &&
			go run . 2>&1`, "built"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, program := range []string{"sh", test.needs} {
				path, err := exec.LookPath(program)
				if err == nil {
					path, err = filepath.EvalSymlinks(path)
				}
				if err != nil || !strings.HasPrefix(path, "/usr/") && !strings.HasPrefix(path, goRoot) {
					t.Skipf("%s is not among the system's programs here: %q, %v", program, path, err)
				}
			}
			if name == "go" && (testing.Short() || goRoot == "") {
				t.Skip("takes seconds")
			}
			for _, uid := range []uint32{0, 1000} {
				if os.Geteuid() != 0 && uid == 0 || name == "go" && uid == 0 && os.Geteuid() == 0 {
					continue // the one is not possible, the other takes long
				}
				dir, tmp := ours(t, uid), ours(t, uid)
				c := confined(t, dir)
				c.Landlock.Paths = append(c.Landlock.Paths, landlock.Paths(landlock.Read|landlock.Write|landlock.Execute, tmp)...)
				if os.Geteuid() == 0 && uid != 0 {
					c.Credential = &linux.Credential{Uid: uid, Gid: uid}
				}
				if name == "go" && !strings.HasPrefix(goRoot, "/usr/") {
					c.Landlock.Paths = append(c.Landlock.Paths, landlock.ReadExecute(goRoot)...)
				}
				c.Path, c.Args, c.Dir = "/bin/sh", []string{"sh", "-c", test.script}, dir
				c.Env = append(linux.CleanEnv(tmp), "LC_ALL=C", "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local")
				if goRoot != "" {
					c.Env = append(c.Env, "PATH="+goRoot+"/bin:/usr/bin:/bin")
				}
				c.Files = []*os.File{nil, nil, os.Stderr}
				out, status := output(t, c)
				if got := strings.TrimSpace(out); got != test.want || !status.Success() {
					t.Errorf("as user %d: %v:\n%s\nwant:\n%s", uid, status, got, test.want)
				}
			}
		})
	}
}

// ours returns a directory that belongs to a user, whom the way to it is open.
func ours(t *testing.T, uid uint32) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "confine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { exec.Command("chmod", "-R", "u+w", dir).Run(); os.RemoveAll(dir) })
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, int(uid), int(uid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runQuietly returns what a program writes, or nothing.
func runQuietly(name string, args ...string) string {
	out, _ := exec.Command(name, args...).Output()
	return string(out)
}

// What is to stay as it is, does, whatever names and links there are; and what is
// missing cannot be made.
func TestConfineReadOnlyNames(t *testing.T) {
	make := func(t *testing.T) string {
		dir := t.TempDir()
		for _, d := range []string{".git", "src", "real"} {
			if err := os.MkdirAll(dir+"/"+d, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir+"/"+d+"/config", []byte("text"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(dir+"/file", []byte("text"), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	tries := func(dir string) []string {
		return []string{
			"read", dir + "/.git/config", "list", dir + "/.git", "write", dir + "/.git/config", "truncate", dir + "/.git/config",
			"mkdir", dir + "/.git/new", "remove", dir + "/.git/config", "rename", dir + "/.git", "link", dir + "/.git/config",
			"write", dir + "/new", "mkdir", dir + "/.hg",
			"write", dir + "/src/config", "mkdir", dir + "/src/new", "rename", dir + "/src/config", "write", dir + "/file",
		}
	}
	t.Run("control", func(t *testing.T) {
		dir := make(t)
		c := func(c *linux.Child) { confine(t, c, dir) }
		all := tries(dir)
		i := slices.Index(all, "remove") // what is removed is not there to be renamed
		all = slices.Concat(all[:i], []string{"rename", dir + "/.git", "write", dir + "/.git/gone", "link", dir + "/.git/config"}, all[i+6:])
		want := "ok ok ok ok ok ok ENOENT ENOENT ok ok ok ok ok ok"
		if abi(t) < 3 { // where nothing is truncated by its path
			want = "ok ok ok EACCES ok ok ENOENT ENOENT ok ok ok ok ok ok"
		}
		if got := tried(t, c, all...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	const want = "ok ok EACCES EACCES EACCES EACCES EACCES EACCES EACCES EACCES ok ok ok ok"
	t.Run("directory", func(t *testing.T) {
		dir := make(t)
		if got := tried(t, func(c *linux.Child) { confine(t, c, dir, ".git", ".hg") }, tries(dir)...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("link", func(t *testing.T) {
		dir := make(t)
		if err := errors.Join(os.RemoveAll(dir+"/.git"), os.Symlink("real", dir+"/.git")); err != nil {
			t.Fatal(err)
		}
		if got := tried(t, func(c *linux.Child) { confine(t, c, dir, ".git") }, tries(dir)...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := tried(t, func(c *linux.Child) { confine(t, c, dir, ".git") }, "write", dir+"/real/config"); got != "EACCES" {
			t.Errorf("what it links to: got %s", got)
		}
	})
	// A link beside it is no right to what it points to, also if it was none when
	// Confine looked.
	t.Run("other links", func(t *testing.T) {
		dir, outside := make(t), make(t)
		if err := os.Symlink(outside, dir+"/link"); err != nil {
			t.Fatal(err)
		}
		swap := func(c *linux.Child) {
			confine(t, c, dir, ".git")
			for _, name := range []string{"src", "file"} {
				if err := errors.Join(os.RemoveAll(dir+"/"+name), os.Symlink(outside+"/"+name, dir+"/"+name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := tried(t, swap, "write", dir+"/link/file", "read", dir+"/link/file", "write", dir+"/src/config", "write", dir+"/file")
		if got != "EACCES EACCES EACCES EACCES" {
			t.Errorf("got %s", got)
		}
		dir = make(t)
		if err := errors.Join(os.Rename(dir+"/src", dir+"/real/src"), os.Symlink("real/src", dir+"/deep")); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"deep", "", ".", "..", "a/b"} {
			if _, err := linux.Confine(dir, name); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("%q: got error %v, want %v", name, err, syscall.EINVAL)
			}
		}
	})
}

func TestConfineRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := linux.Confine(dir + "/missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is missing: %v", err)
	}
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := linux.Confine(dir + "/file"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a file: %v", err)
	}
}

// Before Linux 6.12 what cannot be enforced is told, by its name and release;
// accepting that, and nothing else, is possible.
func TestConfineIsStrict(t *testing.T) {
	c, err := linux.Confine(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c.Path = "/does not exist"
	_, err = linux.Clone3(background, c)
	var unsupported *linux.UnsupportedError
	var lacks *landlock.UnsupportedError
	switch is := errors.As(err, &unsupported) && errors.As(err, &lacks); {
	case abi(t) >= 6:
		if is || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got error %v, want %v", err, os.ErrNotExist)
		}
		return
	case !is:
		t.Fatalf("got error %v, want that something is not supported", err)
	case abi(t) == 0:
		if lacks.Feature != "Landlock" {
			t.Errorf("got %+v", lacks)
		}
		c.Landlock.FreeScopes |= landlock.Signals
		if _, err := linux.Clone3(background, c); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("without Landlock, if signals are free: %v", err)
		}
	default:
		if lacks.Feature != "Signals" || lacks.ABI != 6 || unsupported.Release != "6.12" {
			t.Errorf("got %+v, %+v, want that Signals needs ABI 6 and Linux 6.12", lacks, unsupported)
		}
		c.Landlock.FreeScopes |= landlock.Signals
		if _, err := linux.Clone3(background, c); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("if signals are free: got error %v, want %v", err, os.ErrNotExist)
		}
	}
	h := child("exit", "0")
	h.Flags, h.Landlock = linux.NoNewPrivs, c.Landlock
	h.Landlock.FreeScopes &^= landlock.Signals
	h.Landlock.BestEffort = true
	allowSelf(t, h)
	p := start(t, h)
	if left := p.Unenforced(); len(left) == 0 || abi(t) > 0 && !slices.Equal(left, []string{"Signals is not restricted: needs Landlock ABI 6 (Linux 6.12)"}) {
		t.Errorf("with BestEffort, left out is %q", left)
	}
	wait(t, p)
}

// A confined program can confine another, as one in a container can.
var _ = helper("confine another", func(args []string) int {
	c, err := linux.Confine(args[0])
	if err != nil {
		return fail("%v", err)
	}
	c.Landlock.BestEffort = true
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fail("%v", err)
	}
	c.Landlock.Paths = append(c.Landlock.Paths, landlock.ReadExecute(program)...)
	inner := child("try", "write", args[0]+"/inside", "write", args[0]+"/../outside", "kill", fmt.Sprint(os.Getppid()))
	inner.Flags, inner.Capabilities, inner.Landlock, inner.Seccomp = c.Flags, c.Capabilities, c.Landlock, c.Seccomp
	out, err := outputOf(inner)
	fmt.Print(strings.TrimSpace(out))
	if err != nil {
		return fail("%v", err)
	}
	return 0
})

func TestConfineWithinConfine(t *testing.T) {
	kerneltest.Since(t, "scopes", "6.12")
	dir := t.TempDir()
	inner := dir + "/in/ner"
	if err := os.MkdirAll(inner, 0o777); err != nil {
		t.Fatal(err)
	}
	c := child("confine another", inner)
	confine(t, c, dir)
	out, status := output(t, c)
	if out != "ok EACCES EPERM" || !status.Success() {
		t.Errorf("got %v, %s, want ok EACCES EPERM", status, out)
	}
}

// callNumber returns the number of a system call on this architecture.
func callNumber(name string) (nr uintptr, ok bool) {
	for n, v := range uapi.Syscalls {
		if n == name {
			return v, true
		}
	}
	return 0, false
}

func TestCleanEnv(t *testing.T) {
	t.Setenv("SECRET_TOKEN", "x")
	t.Setenv("PATH", "/bin")
	t.Setenv("LC_TIME", "C")
	t.Setenv("HOME", "/home/me")
	env := linux.CleanEnv("/w")
	for _, want := range []string{"PATH=/bin", "LC_TIME=C", "HOME=/w", "TMPDIR=/w"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is missing in %q", want, env)
		}
	}
	if slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "SECRET") || v == "HOME=/home/me" }) {
		t.Errorf("got %q", env)
	}
}

// The filter that is shared is compiled once, and is what it is documented to be.
func TestConfineFilter(t *testing.T) {
	first, second := confined(t, t.TempDir()), confined(t, t.TempDir())
	if first.Seccomp != second.Seccomp {
		t.Error("the filter is compiled for every Child")
	}
	if first.Landlock == second.Landlock || first.Capabilities == second.Capabilities {
		t.Error("two children share what is to be edited")
	}
	f, err := linux.ConfineFilter()
	if err != nil {
		t.Fatal(err)
	}
	own, err := f.Compile()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(own.Instructions(), first.Seccomp.Instructions()) {
		t.Error("ConfineFilter is not the filter of Confine")
	}
	f, err = linux.ConfineFilter(unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	open, err := f.Compile()
	if err != nil {
		t.Fatal(err)
	}
	decide := func(p *seccomp.Program, name string, args ...uint64) string {
		nr, ok := callNumber(name)
		if !ok {
			return "-"
		}
		var six [6]uint64
		copy(six[:], args)
		if errno, ok := p.Decide(nr, six).Errno(); ok {
			return unix.ErrnoName(unix.Errno(errno))
		}
		return p.Decide(nr, six).String()
	}
	for _, test := range []struct {
		name          string
		args          []uint64
		closed, opens string
	}{
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM}, "EACCES", "allow"},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC, unix.IPPROTO_TCP}, "EACCES", "allow"},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_DGRAM | unix.SOCK_NONBLOCK, unix.IPPROTO_UDP}, "EACCES", "allow"},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}, "EACCES", "EPROTONOSUPPORT"},
		{"socket", []uint64{unix.AF_INET | 1<<32, unix.SOCK_STREAM, unix.IPPROTO_MPTCP | 1<<32}, "EACCES", "EPROTONOSUPPORT"},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, 256}, "EACCES", "EPROTONOSUPPORT"},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_SEQPACKET}, "EACCES", "EACCES"},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_RAW | unix.SOCK_CLOEXEC}, "EACCES", "EACCES"},
		{"socket", []uint64{unix.AF_INET6, unix.SOCK_STREAM}, "EACCES", "EACCES"},
		{"socket", []uint64{unix.AF_NETLINK, unix.SOCK_RAW}, "EACCES", "EACCES"},
		{"socketpair", []uint64{unix.AF_UNIX, unix.SOCK_STREAM}, "allow", "allow"},
		{"socketpair", []uint64{unix.AF_TIPC, unix.SOCK_STREAM}, "EACCES", "EACCES"},
		{"sendto", []uint64{3, 0, 0, unix.MSG_FASTOPEN | unix.MSG_NOSIGNAL}, "ENOTSUP", "ENOTSUP"},
		{"sendmsg", []uint64{3, 0, unix.MSG_FASTOPEN}, "ENOTSUP", "ENOTSUP"},
		{"sendmmsg", []uint64{3, 0, 1, unix.MSG_FASTOPEN}, "ENOTSUP", "ENOTSUP"},
		{"sendto", []uint64{3, 0, 0, unix.MSG_NOSIGNAL}, "allow", "allow"},
		{"prlimit64", []uint64{0, unix.RLIMIT_CORE, 1}, "allow", "allow"},
		{"prlimit64", []uint64{1, unix.RLIMIT_CORE, 0}, "allow", "allow"},
		{"prlimit64", []uint64{1, unix.RLIMIT_CORE, 1 << 32}, "EPERM", "EPERM"},
		{"openat", []uint64{0, 0, unix.O_RDWR | unix.O_CREAT, 0o4755}, "EPERM", "EPERM"},
		{"openat", []uint64{0, 0, unix.O_RDWR | unix.O_TMPFILE, 0o2755}, "EPERM", "EPERM"},
		{"openat", []uint64{0, 0, unix.O_RDWR | unix.O_DIRECTORY, 0o4755}, "allow", "allow"},
		{"openat", []uint64{0, 0, unix.O_RDWR | unix.O_CREAT, 0o1755}, "allow", "allow"},
		{"openat", []uint64{0, 0, 3}, "EACCES", "EACCES"},
		{"openat2", nil, "ENOSYS", "ENOSYS"},
		{"io_uring_setup", nil, "EPERM", "EPERM"},
		{"clone3", nil, "ENOSYS", "ENOSYS"},
		{"execve", nil, "allow", "allow"},
	} {
		if got := decide(own, test.name, test.args...); got != "-" && got != test.closed {
			t.Errorf("%s%#x: got %s, want %s", test.name, test.args, got, test.closed)
		}
		if got := decide(open, test.name, test.args...); got != "-" && got != test.opens {
			t.Errorf("with AF_INET, %s%#x: got %s, want %s", test.name, test.args, got, test.opens)
		}
	}
}

// An error names the rule that is its reason.
func TestConfineErrorsNameTheRule(t *testing.T) {
	kerneltest.Since(t, "scopes", "6.12")
	dir := t.TempDir()
	outside := t.TempDir() + "/program"
	if err := os.WriteFile(outside, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := confined(t, dir)
	c.Path = outside
	_, err := linux.Clone3(background, c)
	var step *linux.StepError
	if !errors.As(err, &step) || step.Kind != linux.StepExec || !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "no rule of Landlock.Paths is for "+outside) {
		t.Errorf("a program outside: %v", err)
	}
	c.Landlock.Paths = append(c.Landlock.Paths, landlock.ReadOnly(filepath.Dir(outside))...)
	_, err = linux.Clone3(background, c)
	if want := fmt.Sprintf("takes Execute: Landlock.Paths[%d] Read", len(c.Landlock.Paths)-1); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("one that may be read: %v, want %q", err, want)
	}
	c.Landlock.Paths = append(c.Landlock.Paths, landlock.ReadOnly("/no/such")...)
	_, err = linux.Clone3(background, c)
	if want := fmt.Sprintf("Landlock.Paths[%d]: allow /no/such: no such file", len(c.Landlock.Paths)-1); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a rule for what is missing: %v, want %q", err, want)
	}
	c.Seccomp = compiled(t, seccomp.Allow, seccomp.Rule{Calls: []string{"mount"}, Action: seccomp.Errno(1)}, seccomp.Rule{Calls: []string{"execve"}, Action: seccomp.Errno(1)})
	if _, err = linux.Clone3(background, c); err == nil || !strings.Contains(err.Error(), "rule 1") {
		t.Errorf("a filter that denies execve: %v, want that it names rule 1", err)
	}
	// Without such rules no reason is made up.
	file := dir + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = linux.Clone3(background, &linux.Child{Path: file}); !errors.As(err, &step) || strings.Contains(err.Error(), "Landlock") {
		t.Errorf("without Landlock: %v", err)
	}
}

// geteuid; exit with 1 if that is not 0
var euidCode = []byte{0xb8, 107, 0, 0, 0, 0x0f, 0x05, 0x31, 0xff, 0x85, 0xc0, 0x40, 0x0f, 0x95, 0xc7, 0xb8, 231, 0, 0, 0, 0x0f, 0x05}

// A set-user-ID program of root's makes nobody root.
func TestConfineSetUserIDProgram(t *testing.T) {
	needRoot(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("the program is for amd64")
	}
	for _, parent := range []string{t.TempDir(), "/"} { // the former may be mounted with nosuid
		dir, err := os.MkdirTemp(parent, "setuid")
		if err != nil {
			continue
		}
		defer os.RemoveAll(dir)
		program := dir + "/program"
		if err := errors.Join(os.WriteFile(program, elfFile(euidCode), 0o755), os.Chmod(dir, 0o755), os.Chmod(program, 0o4755), openWay(dir)); err != nil {
			t.Fatal(err)
		}
		user := &linux.Credential{Uid: 1000, Gid: 1000}
		if s := wait(t, start(t, &linux.Child{Path: program, Credential: user})); !s.Success() {
			t.Logf("%s: no root without confinement: %v", dir, s)
			continue
		}
		work := ours(t, 1000)
		for _, how := range confinements[1:] {
			by := confined(t, work)
			by.Landlock.Paths = append(by.Landlock.Paths, landlock.ReadExecute(dir)...)
			c := &linux.Child{Path: program, Credential: user}
			how.apply(c, by)
			if s := wait(t, start(t, c)); s.Code() != 1 {
				t.Errorf("in %s: %v, want that it is not root", how.name, s)
			}
		}
		return
	}
	t.Skip("no file system that takes set-user-ID programs")
}

// openWay lets every user pass the directories above, which a test has made.
func openWay(dir string) error {
	for strings.HasPrefix(dir, "/tmp/") {
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
		dir = filepath.Dir(dir)
	}
	return nil
}

// A ruleset that is made once confines as the rules do that it is made of.
func TestNewLandlockRuleset(t *testing.T) {
	needLandlock(t, landlock.Rules{ABI: 4, Ports: landlock.Ports(landlock.ConnectTCP, 1)})
	in, out := ground(t)
	if err := os.Symlink(out, in+"/link"); err != nil {
		t.Fatal(err)
	}
	rules := &landlock.Rules{ABI: 4, Paths: slices.Concat(executable(), []landlock.Path{
		{Path: in, Access: landlock.Read | landlock.Write, Directory: true},
		{Path: out + "/a", Access: landlock.Read | landlock.Write}, // a file has less
		{Path: in + "/link", Access: landlock.Read | landlock.Write, NoFollow: true},
		{Path: in + "/missing", Access: landlock.Read | landlock.Write, Optional: true},
	}), Ports: landlock.Ports(landlock.BindTCP, 0)}
	tries := []string{"write", in + "/a", "mkdir", in + "/new", "write", out + "/a", "write", out + "/b", "write", in + "/link/c", "list", out, "bind", "0", "connect", "1"}
	const want = "ok ok ok EACCES EACCES EACCES ok EACCES"
	ruleset, left, err := linux.NewLandlockRuleset(rules)
	if err != nil || left != nil {
		t.Fatal(err, left)
	}
	defer ruleset.Close()
	for name, change := range map[string]func(*linux.Child){
		"made here":         func(c *linux.Child) { c.LandlockRuleset = ruleset },
		"made in the child": func(c *linux.Child) { c.Landlock = rules },
	} {
		if got := tried(t, change, tries...); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if err := os.Remove(in + "/new"); err != nil {
			t.Fatal(err)
		}
	}
	for want, change := range map[string]func(*landlock.Rules){
		"no such file": func(r *landlock.Rules) { r.Paths = landlock.ReadOnly(in + "/missing") },
		"not a directory": func(r *landlock.Rules) {
			r.Paths = []landlock.Path{{Path: in + "/b", Access: landlock.Read, Directory: true}}
		},
		"LandlockFlags": func(r *landlock.Rules) { r.Log = landlock.LogProgram },
		"relative":      func(r *landlock.Rules) { r.Paths = landlock.ReadOnly("b") },
	} {
		wrong := *rules
		change(&wrong)
		if f, _, err := linux.NewLandlockRuleset(&wrong); f != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v, want an error with %q", f, err, want)
		}
	}
	// The child that makes it itself says the same.
	c := child("exit", "0")
	c.Flags, c.Landlock = linux.NoNewPrivs, &landlock.Rules{ABI: 4, Paths: []landlock.Path{{Path: in + "/b", Access: landlock.Read, Directory: true}}}
	if _, err := linux.Clone3(background, c); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a file as a directory: got error %v, want %v", err, syscall.ENOTDIR)
	}
}
