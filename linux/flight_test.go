//go:build linux

package linux_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// What tests of children in flight share: means to stop one there, children
// that lack what protects their parent, and programs whose children they are.

// leased returns the path of a program that nobody comes to execute: there is a
// lease on it, and so exec waits. At that point a child has taken all steps, and
// still has the memory of its parent. The kernel ends the lease after 45 s.
func leased(t testing.TB) string {
	t.Helper()
	path := filepath.Join(openDir(t), "leased")
	if err := os.WriteFile(path, []byte("#!/no/such\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skip("no lease can be taken: ", err)
	}
	return path
}

// openDir returns a new directory that every user can look into.
func openDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clone3")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// frozen returns a control group in which nothing runs, and what lets it.
func frozen(t testing.TB) (dir *os.File, thaw func()) {
	t.Helper()
	path := cgroup(t)
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	freeze := func(on string) error { return os.WriteFile(path+"/cgroup.freeze", []byte(on), 0) }
	if err := freeze("1"); err != nil {
		t.Skip("no control group can be frozen: ", err)
	}
	return dir, func() {
		if err := freeze("0"); err != nil {
			t.Error(err)
		}
	}
}

// ownIDs are mappings that a child can write itself.
func ownIDs(c *linux.Child) {
	c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
}

// givenIDs are mappings that the parent has to write.
func givenIDs(c *linux.Child) {
	c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}, {ContainerID: 1, HostID: 100000, Size: 10}}
	c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}, {ContainerID: 1, HostID: 100000, Size: 10}}
	c.GidMappingsEnableSetgroups = true
}

// A rawChild is created as this package does not: with just the flags it is
// given. It executes a program after other calls.
type rawChild struct {
	table table.Table
	born  *int32
}

// A rawCall is a system call and its arguments.
type rawCall []uintptr

func newRaw(flags uint64, cgroup int, path string, args, env []string, before ...rawCall) *rawChild {
	r := new(rawChild)
	t := &r.table
	all, old := table.In[[2]uint64](t), table.In[[2]uint64](t)
	*all = [2]uint64{math.MaxUint64, math.MaxUint64}
	a := table.In[uapi.CloneArgs](t)
	r.born = table.In[int32](t)
	a.Flags = flags | uapi.CLONE_CLEAR_SIGHAND | uapi.CLONE_PARENT_SETTID
	a.ParentTid = uint64(table.Address(r.born))
	a.ExitSignal = uint64(syscall.SIGCHLD)
	if cgroup >= 0 {
		a.Flags |= uapi.CLONE_INTO_CGROUP
		a.Cgroup = uint64(cgroup)
	}
	none := table.Label{}
	t.Call(none, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(all), table.Address(old), sigsetBytes())
	t.Call(none, uapi.SYS_CLONE3, table.Address(a), unsafe.Sizeof(*a))
	t.Call(none, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(old), 0, sigsetBytes())
	for _, call := range before {
		t.Call(none, call[0], call[1:]...)
	}
	t.Call(none, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(old), 0, sigsetBytes())
	t.Call(none, uapi.SYS_EXECVE, t.CString(path), t.CStrings(args), t.CStrings(env))
	if err := t.Link(); err != nil {
		panic(err) // only memory of its own can be lacking
	}
	return r
}

// run creates the child and waits until it has ended.
func (r *rawChild) run() (syscall.WaitStatus, error) {
	pid, errno := r.table.Run(true)
	if errno != 0 {
		return 0, os.NewSyscallError("clone3", errno)
	}
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, unix.WALL, nil)
		if err != syscall.EINTR {
			return status, err
		}
	}
}

// childrenOf returns the children of a process.
func childrenOf(parent int) []int {
	var pids []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if ppid, err := strconv.Atoi(fields[1]); err == nil && ppid == parent {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// onlyChildOf returns the child of a process, once it has one.
func onlyChildOf(t testing.TB, parent int) int {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		switch pids := childrenOf(parent); {
		case len(pids) == 1:
			return pids[0]
		case time.Now().After(deadline):
			t.Fatalf("process %d has children %v, want one", parent, pids)
		}
	}
}

// A dialog is a helper that answers each line it is told by a line.
type dialog struct {
	t testing.TB
	*linux.Process
	in  *os.File
	out *bufio.Reader
}

// talk starts a helper to talk to.
func talk(t testing.TB, change func(*linux.Child), name string, args ...string) *dialog {
	t.Helper()
	c := child(name, args...)
	if change != nil {
		change(c)
	}
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Files[0], c.Files[1] = in, out
	p, err := linux.Clone3(background, c)
	in.Close()
	out.Close()
	t.Cleanup(func() {
		w.Close()
		r.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Wait(background)
		p.Close()
	})
	return &dialog{t, p, w, bufio.NewReader(r)}
}

// hear returns the next line of the helper. A helper that has nothing to tell
// for its kernel says SKIP and why.
func (d *dialog) hear() string {
	d.t.Helper()
	line, err := d.out.ReadString('\n')
	if err != nil {
		status, _ := d.Wait(background)
		d.t.Fatalf("the helper has ended: %v", status)
	}
	line = strings.TrimSuffix(line, "\n")
	if strings.HasPrefix(line, "SKIP") {
		d.t.Skip(line)
	}
	return line
}

// tell returns what the helper answers to a line.
func (d *dialog) tell(line string) string {
	d.t.Helper()
	if _, err := io.WriteString(d.in, line+"\n"); err != nil {
		d.t.Fatal(err)
	}
	return d.hear()
}

// listen answers lines, in a helper.
func listen(answer func(line string) string) int {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(answer(in.Text()))
	}
	return 0
}

// canary is what a process that may not is to change.
var canary uint64 = 0x5ca1ab1e

// flights are the ways in which pilot creates a child: by Clone3, or raw.
var flights = map[string]struct {
	child func(*linux.Child)
	raw   func(path string) *rawChild
}{
	"plain":                    {child: func(*linux.Child) {}},
	"NewUser":                  {child: func(c *linux.Child) { c.Flags = linux.NewUser; ownIDs(c) }},
	"NewUser without IDs":      {child: func(c *linux.Child) { c.Flags = linux.NewUser }},
	"NewUser mapped by parent": {child: func(c *linux.Child) { c.Flags = linux.NewUser; givenIDs(c) }},
	"NewUser and Created":      {child: func(c *linux.Child) { c.Flags = linux.NewUser; c.Created = func(*linux.Process) error { return nil } }},
	"NewUser inheriting files": {child: func(c *linux.Child) { c.Flags, c.InheritFiles = linux.NewUser, true; ownIDs(c) }},
	"Unshare NewUser":          {child: func(c *linux.Child) { c.Unshare = linux.NewUser; ownIDs(c) }},
	"NewUser and AmbientCaps": {child: func(c *linux.Child) {
		c.Flags = linux.NewUser
		ownIDs(c)
		c.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN}
	}},
	"Credential":   {child: func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000} }},
	"Capabilities": {child: func(c *linux.Child) { c.Capabilities = new(linux.Capabilities) }},
	"Capabilities and NoNewPrivs": {child: func(c *linux.Child) {
		c.Flags, c.Capabilities = linux.NoNewPrivs, new(linux.Capabilities)
	}},
	"Credential and Securebits": {child: func(c *linux.Child) {
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
		c.Securebits = linux.SecureNoSetuidFixup | linux.SecureNoRoot
	}},
	"Credential and AmbientCaps": {child: func(c *linux.Child) {
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
		c.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN}
	}},

	"raw NewUser": {raw: func(path string) *rawChild {
		return newRaw(uapi.CLONE_VM|uapi.CLONE_VFORK|uapi.CLONE_NEWUSER, -1, path, []string{"x"}, nil)
	}},
	"raw Unshare NewUser": {raw: func(path string) *rawChild {
		return newRaw(uapi.CLONE_VM|uapi.CLONE_VFORK, -1, path, []string{"x"}, nil, rawCall{uapi.SYS_UNSHARE, unix.CLONE_NEWUSER})
	}},
	"raw without VFORK": {raw: func(path string) *rawChild {
		return newRaw(uapi.CLONE_VM, -1, path, []string{"x"}, nil)
	}},
}

// pilot is a program that creates children of one kind, whose program is
// leased. It says where its canary is, and then does as it is told:
//
//	go      begin to create a child
//	land    the end of the context; answers what has become of the child
//	expose  let processes look into this one, as prctl(2) can
//	canary  is it what it was?
var _ = helper("pilot", func(args []string) int {
	how, path := flights[args[0]], args[1]
	fmt.Printf("%#x\n", uintptr(unsafe.Pointer(&canary)))
	was := canary
	var cancel context.CancelFunc
	var raw *rawChild
	landed := make(chan string)
	return listen(func(line string) string {
		switch line {
		case "go":
			if how.raw != nil {
				raw = how.raw(path)
				go func() {
					status, err := raw.run()
					landed <- fmt.Sprint(status, err)
				}()
				break
			}
			var ctx context.Context
			ctx, cancel = context.WithCancel(background)
			c := &linux.Child{Path: path}
			how.child(c)
			go func() {
				_, err := linux.Clone3(ctx, c)
				landed <- fmt.Sprint(err)
			}()
		case "land":
			if raw != nil {
				unix.Kill(int(*raw.born), syscall.SIGKILL)
			} else {
				cancel()
			}
			return <-landed
		case "expose":
			unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
		case "canary":
			return fmt.Sprint(canary == was)
		}
		return "ok"
	})
})
