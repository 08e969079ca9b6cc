//go:build linux

package linux_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// BenchmarkConfined creates children by Confine, and by what else does the like: all
// in turns, on the same program of a few instructions. x-plain is how many times as
// long it takes as a child that is not confined.
func BenchmarkConfined(b *testing.B) {
	path := needTiny(b)
	dir := b.TempDir()
	by := confined(b, dir)
	by.Landlock.Paths = append(by.Landlock.Paths, landlock.ReadExecute(path)...)
	ruleset, _, err := linux.NewLandlockRuleset(by.Landlock)
	if err != nil {
		b.Fatal(err)
	}
	defer ruleset.Close()
	spawn := func(c *linux.Child) func() error {
		return func() error {
			p, err := linux.Clone3(background, c)
			if err == nil {
				_, err = p.Wait(background)
			}
			return err
		}
	}
	with := func(change func(c *linux.Child)) *linux.Child {
		c := &linux.Child{Path: path, Args: []string{"tiny"}, Env: []string{}}
		change(c)
		return c
	}
	ways := []struct {
		name string
		run  func() error
		n    int // in a turn
	}{
		{"plain", spawn(with(func(*linux.Child) {})), turn},
		{"capabilities", spawn(with(func(c *linux.Child) { c.Flags, c.Capabilities = by.Flags, by.Capabilities })), turn},
		{"seccomp", spawn(with(func(c *linux.Child) { c.Flags, c.Seccomp = by.Flags, by.Seccomp })), turn},
		{"Landlock", spawn(with(func(c *linux.Child) { c.Flags, c.Landlock = by.Flags, by.Landlock })), turn},
		{"Confine", spawn(with(func(c *linux.Child) {
			c.Flags, c.Capabilities, c.Landlock, c.Seccomp = by.Flags, by.Capabilities, by.Landlock, by.Seccomp
		})), turn},
		{"Confine-ruleset", spawn(with(func(c *linux.Child) {
			c.Flags, c.Capabilities, c.LandlockRuleset, c.Seccomp = by.Flags, by.Capabilities, ruleset, by.Seccomp
		})), turn},
		{"Confine-anew", func() error {
			c, err := linux.Confine(dir)
			if err != nil {
				return err
			}
			c.Landlock.Paths = append(c.Landlock.Paths, landlock.ReadExecute(path)...)
			c.Landlock.FreeScopes |= by.Landlock.FreeScopes
			c.Path, c.Args, c.Env = path, []string{"tiny"}, []string{}
			return spawn(c)()
		}, turn},
		{"os-exec-helper", osExecHelper(b, by, path), 3},
	}
	if bwrap, err := exec.LookPath("bwrap"); err == nil {
		run := bubblewrap(b, bwrap, by.Seccomp, dir, path)
		if err := run(); err == nil {
			ways = append(ways, struct {
				name string
				run  func() error
				n    int
			}{"bubblewrap", run, 3})
		} else {
			b.Log("without bubblewrap: ", err)
		}
	} else {
		b.Log("without bubblewrap: ", err)
	}
	times := map[string][]time.Duration{}
	for range 40 {
		for _, w := range ways {
			for range w.n {
				start := time.Now()
				if err := w.run(); err != nil {
					b.Fatal(w.name, ": ", err)
				}
				times[w.name] = append(times[w.name], time.Since(start))
			}
		}
	}
	for _, w := range ways {
		p10 := percentile(times[w.name], 10)
		reportLine(b, w.name, metrics{"p10-us": p10, "p50-us": percentile(times[w.name], 50), "x-plain": p10 / percentile(times["plain"], 10)})
	}
}

// bubblewrap runs the program with a filter, in namespaces with the same view.
func bubblewrap(b *testing.B, bwrap string, filter *seccomp.Program, dir, path string) func() error {
	code := filter.Instructions()
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(code))), len(code)*int(unsafe.Sizeof(code[0])))
	file := b.TempDir() + "/filter"
	if err := os.WriteFile(file, bytes, 0o600); err != nil {
		b.Fatal(err)
	}
	return func() error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		c := exec.Command(bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", dir, dir,
			"--unshare-pid", "--unshare-net", "--unshare-ipc", "--cap-drop", "ALL", "--seccomp", "3", "--", path)
		c.ExtraFiles = []*os.File{f}
		return endsWell(c.Run())
	}
}

// endsWell takes any end of the program for one; it returns its number of arguments.
func endsWell(err error) error {
	if e, ok := err.(*exec.ExitError); ok && e.ExitCode() == 1 {
		return nil
	}
	return err
}

// osExecHelper runs the program by os/exec and a helper that confines itself, which
// is this binary.
func osExecHelper(b *testing.B, by *linux.Child, path string) func() error {
	rules, err := by.Landlock.Resolve(abi(b))
	if err != nil {
		b.Fatal(err)
	}
	job, err := json.Marshal(selfConfinement{rules, by.Seccomp.Instructions(), path})
	if err != nil {
		b.Fatal(err)
	}
	return func() error {
		c := exec.Command("/proc/self/exe", string(job))
		c.Env = append(environ(), helperEnv("confine itself")...)
		c.Stderr = os.Stderr
		return endsWell(c.Run())
	}
}

type selfConfinement struct {
	Rules landlock.Resolved
	Code  []seccomp.Instruction
	Path  string
}

var _ = helper("confine itself", func(args []string) int {
	var job selfConfinement
	if err := json.Unmarshal([]byte(args[0]), &job); err != nil {
		return fail("%v", err)
	}
	attr := job.Rules.Attr
	ruleset, err := made("landlock_create_ruleset", uintptr(unsafe.Pointer(&attr)), job.Rules.Size, 0)
	if err != nil {
		return fail("%v", err)
	}
	for _, r := range job.Rules.Paths {
		fd, err := unix.Open(r.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		var rule uapi.LandlockPathBeneathAttr
		rule.SetParentFd(int32(fd))
		for _, rights := range []landlock.Access{r.Allowed, r.AllowedFile} {
			rule.SetAllowedAccess(uint64(rights))
			if call("landlock_add_rule", uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0) == nil {
				break
			}
		}
		unix.Close(fd)
	}
	program := unix.SockFprog{Len: uint16(len(job.Code)), Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.SliceData(job.Code)))}
	unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	if err := call("landlock_restrict_self", uintptr(ruleset), 0); err != nil {
		return fail("%v", err)
	}
	if err := call("seccomp", unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program))); err != nil {
		return fail("%v", err)
	}
	runtime.KeepAlive(job)
	return fail("%v", unix.Exec(job.Path, []string{"tiny"}, nil))
})

// BenchmarkConfine makes a Child, with the filter that is shared; and compiles the
// filter, as it would be without that.
func BenchmarkConfine(b *testing.B) {
	dir := b.TempDir()
	b.Run("shared-filter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := linux.Confine(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("own-filter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := linux.Confine(dir); err != nil {
				b.Fatal(err)
			}
			f, err := linux.ConfineFilter()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := f.Compile(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
