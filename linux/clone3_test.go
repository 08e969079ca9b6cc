//go:build linux

package linux_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// nofileAtStart is the limit before package syscall raises it.
var nofileAtStart = [2]uint64{program.OriginalNofile.Cur, program.OriginalNofile.Max}

func pointer(p *int32) uintptr { return uintptr(unsafe.Pointer(p)) }

func TestChildGetsArgsAndEnv(t *testing.T) {
	r := reported(t, func(c *linux.Child) {
		c.Args = []string{"name", "", "ü", "a b", strings.Repeat("x", 100_000)}
		c.Env = []string{"A=1", "B=", helperVar + "=report", "GORACE=atexit_sleep_ms=0"}
	})
	if want := []string{"name", "", "ü", "a b", strings.Repeat("x", 100_000)}; !slices.Equal(r.Args, want) {
		t.Errorf("Args: got %.200q, want %.200q", r.Args, want)
	}
	if want := []string{"A=1", "B=", helperVar + "=report", "GORACE=atexit_sleep_ms=0"}; !slices.Equal(r.Env, want) {
		t.Errorf("Env: got %q, want %q", r.Env, want)
	}
}

func TestChildInheritsEnv(t *testing.T) {
	t.Setenv(helperVar, "report")
	t.Setenv("INHERITED", "yes")
	r := reported(t, func(c *linux.Child) { c.Env = nil })
	if !slices.Contains(r.Env, "INHERITED=yes") {
		t.Errorf("Env: got %q, want the parent's", r.Env)
	}
}

func TestChildRunsPath(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("absolute", func(t *testing.T) {
		r := reported(t, func(c *linux.Child) { c.Exec, c.Path, c.Args = nil, exe, nil })
		if len(r.Args) != 1 || r.Args[0] != exe {
			t.Errorf("Args: got %q, want just Path", r.Args)
		}
	})
	t.Run("relative to Dir", func(t *testing.T) {
		dir, file := filepath.Split(exe)
		r := reported(t, func(c *linux.Child) { c.Exec, c.Path, c.Dir = nil, "./"+file, dir })
		if want := filepath.Clean(dir); r.Dir != want {
			t.Errorf("Dir: got %s, want %s", r.Dir, want)
		}
	})
}

// Each step of a child changes what the child reports of itself.
func TestStepChangesChild(t *testing.T) {
	dir := t.TempDir()
	if unix.Getpgrp() == 0 { // of a machine whose init has started the tests
		unix.Setpgid(0, 0)
	}
	null := func(r report) string { return r.Files["0"] + r.Files["1"] }
	for _, test := range []struct {
		name   string
		root   bool
		change func(*linux.Child)
		got    func(report) any
		want   any
	}{
		{"dir", false,
			func(c *linux.Child) { c.Dir = dir },
			func(r report) any { return r.Dir }, dir},
		{"umask", false,
			func(c *linux.Child) { c.Umask = new(0o31) },
			func(r report) any { return r.Umask }, 0o31},
		{"umask 0", false,
			func(c *linux.Child) { c.Umask = new(0) },
			func(r report) any { return r.Umask }, 0},
		{"session", false,
			func(c *linux.Child) { c.Setsid = true },
			func(r report) any { return r.SID == r.PID && r.PGID == r.PID }, true},
		{"own process group", false,
			func(c *linux.Child) { c.Setpgid = true },
			func(r report) any { return r.PGID == r.PID && r.SID != r.PID }, true},
		{"parent's process group", false,
			func(c *linux.Child) { c.Setpgid, c.Pgid = true, unix.Getpgrp() },
			func(r report) any { return r.PGID }, unix.Getpgrp()},
		{"rlimit", false,
			func(c *linux.Child) { c.Rlimits = []linux.Rlimit{{unix.RLIMIT_CORE, 0, 4096}} },
			func(r report) any { return r.Core }, [2]uint64{0, 4096}},
		{"nofile rlimit", false,
			func(c *linux.Child) { c.Rlimits = []linux.Rlimit{{unix.RLIMIT_NOFILE, 100, 200}} },
			func(r report) any { return r.Nofile }, [2]uint64{100, 200}},
		{"nofile as before Go raised it", false,
			func(c *linux.Child) {},
			func(r report) any { return r.Nofile }, nofileAtStart},
		{"pdeathsig", false,
			func(c *linux.Child) { c.Pdeathsig = syscall.SIGUSR1 },
			func(r report) any { return r.PdeathSig }, int32(syscall.SIGUSR1)},
		{"credential", true,
			func(c *linux.Child) {
				c.Credential = &syscall.Credential{Uid: 70001, Gid: 70002, Groups: []uint32{70003, 5}}
			},
			func(r report) any { slices.Sort(r.Groups); return [...]any{r.UID, r.GID, r.Groups[0], r.Groups[1]} },
			[...]any{70001, 70002, 5, 70003}},
		{"credential without groups", true,
			func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000} },
			func(r report) any { return len(r.Groups) }, 0},
		{"credential keeping groups", true,
			func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000, NoSetGroups: true} },
			func(r report) any { got, _ := os.Getgroups(); return slices.Equal(r.Groups, got) }, true},
		{"pdeathsig after credential", true,
			func(c *linux.Child) {
				c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
				c.Pdeathsig = syscall.SIGUSR2
			},
			func(r report) any { return r.PdeathSig }, int32(syscall.SIGUSR2)},
		{"ambient capabilities", true,
			func(c *linux.Child) {
				c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
				c.AmbientCaps = []uintptr{unix.CAP_NET_BIND_SERVICE, unix.CAP_SYS_CHROOT, unix.CAP_WAKE_ALARM}
			},
			func(r report) any { return r.Status["CapAmb"] + " " + r.Status["CapEff"] },
			"0000000800040400 0000000800040400"},
		{"no capabilities", true,
			func(c *linux.Child) { c.Capabilities = new(linux.Capabilities) },
			func(r report) any { return capabilitiesOf(r) }, "0 0 0 0 0"},
		{"no capabilities, and no new privileges", false,
			func(c *linux.Child) { c.Flags, c.Capabilities = linux.NoNewPrivs, new(linux.Capabilities) },
			func(r report) any { return strings.Join(strings.Fields(capabilitiesOf(r))[:4], " ") }, "0 0 0 0"},
		{"two capabilities", true,
			func(c *linux.Child) {
				two := linux.NewCapabilities(linux.CapChown, linux.CapSyslog)
				c.Capabilities = &two
			},
			func(r report) any { return capabilitiesOf(r) }, "0 400000001 400000001 0 400000001"},
		{"capabilities of another user", true,
			func(c *linux.Child) {
				two := linux.NewCapabilities(linux.CapChown, linux.CapSyslog)
				c.Credential, c.Capabilities = &syscall.Credential{Uid: 1000, Gid: 1000}, &two
				c.AmbientCaps = []uintptr{uintptr(linux.CapSyslog)}
			},
			func(r report) any { return capabilitiesOf(r) }, "400000000 400000000 400000000 400000000 400000001"},
		{"capabilities of a user namespace", false,
			func(c *linux.Child) {
				one := linux.NewCapabilities(linux.CapChown)
				c.Flags, c.Capabilities = linux.NewUser, &one
				c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			},
			func(r report) any { return capabilitiesOf(r) }, "0 1 1 0 1"},
		{"nice", false,
			func(c *linux.Child) { nice := 7; c.Nice = &nice },
			func(r report) any { return r.Nice }, 7},
		{"nice for better", true,
			func(c *linux.Child) {
				nice := -5
				c.Nice, c.Credential = &nice, &syscall.Credential{Uid: 1000, Gid: 1000}
			},
			func(r report) any { return r.Nice }, -5},
		{"CPUs", false,
			func(c *linux.Child) { c.CPUs = []int{lastCPU()} },
			func(r report) any { return r.Status["Cpus_allowed_list"] }, strconv.Itoa(lastCPU())},
		{"OOMScoreAdj", false,
			func(c *linux.Child) { adj := 567; c.OOMScoreAdj = &adj },
			func(r report) any { return r.OOMScoreAdj }, "567"},
		{"OOMScoreAdj with files and IDs", true,
			func(c *linux.Child) {
				adj := 345
				c.OOMScoreAdj, c.Credential, c.Dir = &adj, &syscall.Credential{Uid: 1000, Gid: 1000}, "/"
				c.Files = append(c.Files, os.Stderr, os.Stderr, os.Stderr, os.Stderr, os.Stderr)
			},
			func(r report) any { return r.OOMScoreAdj }, "345"},
		{"OOMScoreAdj in memory of its own", false,
			func(c *linux.Child) {
				adj := 123
				c.OOMScoreAdj, c.Flags, c.InheritFiles = &adj, linux.NewUser, true
			},
			func(r report) any { return r.OOMScoreAdj }, "123"},
		{"user namespace, own IDs", false,
			func(c *linux.Child) {
				c.Flags = linux.NewUser
				c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
				c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 7, HostID: os.Getegid(), Size: 1}}
			},
			func(r report) any { return [...]int{r.UID, r.GID} }, [...]int{0, 7}},
		{"user namespace, many IDs", true,
			func(c *linux.Child) {
				c.Flags = linux.NewUser
				c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: 1, HostID: 100000, Size: 65536}}
				c.GidMappings = c.UidMappings
				c.GidMappingsEnableSetgroups = true
				c.Credential = &syscall.Credential{Uid: 65536, Gid: 3, Groups: []uint32{9}}
			},
			func(r report) any { return [...]int{r.UID, r.GID, r.Groups[0]} }, [...]int{65536, 3, 9}},
		{"user namespace, unshared", false,
			func(c *linux.Child) {
				c.Unshare = linux.NewUser | linux.NewUTS
				c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 5, HostID: os.Geteuid(), Size: 1}}
				c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 6, HostID: os.Getegid(), Size: 1}}
			},
			func(r report) any { return [...]int{r.UID, r.GID} }, [...]int{5, 6}},
		{"user namespace with ambient capability", false,
			func(c *linux.Child) {
				c.Flags = linux.NewUser
				c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 1234, HostID: os.Geteuid(), Size: 1}}
				c.GidMappings = []syscall.SysProcIDMap{{ContainerID: 1234, HostID: os.Getegid(), Size: 1}}
				c.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN}
			},
			func(r report) any { return r.Status["CapAmb"] }, "0000000000001000"},
		{"PID namespace", true,
			func(c *linux.Child) { c.Flags = linux.NewPID },
			func(r report) any { return [...]int{r.PID, r.PPID} }, [...]int{1, 0}},
		{"PID namespace and Pdeathsig", true,
			func(c *linux.Child) { c.Flags, c.Pdeathsig = linux.NewPID, syscall.SIGTERM },
			func(r report) any { return [...]int{r.PID, int(r.PdeathSig)} }, [...]int{1, int(syscall.SIGTERM)}},
		{"standard files are /dev/null", false,
			func(c *linux.Child) {},
			func(r report) any { return strings.HasPrefix(null(r), "/dev/null") }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.root {
				needRoot(t)
			}
			if got := test.got(reported(t, test.change)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// The limit on open files is what it was before Go raised it in this program,
// or what the Child says.
func TestLimitOnFilesIsNotTheRaisedOne(t *testing.T) {
	c := child("limits of children")
	c.Rlimits = []linux.Rlimit{{unix.RLIMIT_NOFILE, 100, 4000}}
	passes(t, c)
}

var _ = helper("limits of children", func([]string) int {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil || now.Cur == 100 {
		return fail("the limit is %v (%v), want that Go has raised it", now, err)
	}
	for want, limits := range map[string][]linux.Rlimit{
		"[100 4000]": nil,
		"[50 60]":    {{unix.RLIMIT_NOFILE, 50, 60}},
	} {
		c := child("limit")
		c.Rlimits = limits
		if out, err := outputOf(c); err != nil || out != want {
			return fail("with %v: the limit of the child is %s (%v), want %s", limits, out, err, want)
		}
	}
	return 0
})

var _ = helper("limit", func([]string) int {
	fmt.Print(nofileAtStart)
	return 0
})

func TestNamespacesAreNew(t *testing.T) {
	needRoot(t)
	for flag, name := range map[linux.Flags]string{
		linux.NewCgroup: "cgroup", linux.NewIPC: "ipc", linux.NewMount: "mnt", linux.NewNet: "net",
		linux.NewPID: "pid", linux.NewUser: "user", linux.NewUTS: "uts", linux.NewTime: "time",
	} {
		ours, err := os.Readlink("/proc/self/ns/" + name)
		if err != nil {
			t.Logf("the kernel has no %v: %v", flag, err)
			continue
		}
		for how, change := range map[string]func(*linux.Child){
			"flag":    func(c *linux.Child) { c.Flags = flag },
			"unshare": func(c *linux.Child) { c.Unshare = flag },
		} {
			if flag == linux.NewPID && how == "unshare" {
				continue // the child itself stays, and could start no threads
			}
			t.Run(flag.String()+"/"+how, func(t *testing.T) {
				if flag == linux.NewTime && how == "unshare" {
					kerneltest.Since(t, "a new time namespace by exec", "6.12") // or somewhat earlier
				}
				if got := reported(t, change).NS[name]; got == ours {
					t.Errorf("the child is in %s namespace %q, as its parent", name, got)
				}
			})
		}
	}
}

func TestUnsharedMountsArePrivate(t *testing.T) {
	needRoot(t)
	c := child("mounts")
	c.Unshare = linux.NewMount
	out, _ := output(t, c)
	if out == "" || strings.Contains(out, "shared:") || strings.Contains(out, "master:") {
		t.Errorf("the child's mounts are:\n%s", out)
	}
}

// They are private also where those of this program are shared, as systemd makes
// them: here by a helper, in a namespace of its own.
func TestUnsharedMountsOfSharedOnesArePrivate(t *testing.T) {
	needRoot(t)
	c := child("mounts of a child")
	c.Unshare = linux.NewMount
	passes(t, c)
}

var _ = helper("mounts of a child", func([]string) int {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fail("mount: %v", err)
	}
	c := child("mounts")
	c.Unshare = linux.NewMount
	out, err := outputOf(c)
	if err != nil || out == "" || strings.Contains(out, "shared:") || strings.Contains(out, "master:") {
		return fail("the child's mounts are (%v):\n%s", err, out)
	}
	return 0
})

var _ = helper("mounts", func([]string) int {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	os.Stdout.Write(b)
	return 0
})

func TestChroot(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/inside", 0o755); err != nil {
		t.Fatal(err)
	}
	c := child("ls")
	c.Chroot, c.Dir = dir, "/inside"
	needStatic(t)
	kerneltest.Since(t, "exec by descriptor where there is no /dev/fd", "6.1") // refused by Debian's 5.10
	out, status := output(t, c)
	if out != "/inside [inside]" {
		t.Errorf("the child sees %q (%v)", out, status)
	}
}

var _ = helper("ls", func([]string) int {
	dir, _ := os.Getwd()
	entries, _ := os.ReadDir("/")
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	os.Stdout.WriteString(dir + " [" + strings.Join(names, " ") + "]")
	return 0
})

func TestIntoCgroup(t *testing.T) {
	needRoot(t)
	dir := cgroup(t)
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := reported(t, func(c *linux.Child) { c.Cgroup = f })
	if !strings.Contains(r.Cgroup, filepath.Base(dir)) {
		t.Errorf("the child is in cgroup %q, want %s", r.Cgroup, dir)
	}
}

// cgroup makes a control group for the test: at the top, or else below the one
// that the test is in.
func cgroup(t testing.TB) string {
	t.Helper()
	own := ""
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		if dir, ok := strings.CutPrefix(line, "0::"); ok {
			own = strings.TrimSpace(dir)
		}
	}
	err := errors.New("no cgroup2 file system is mounted")
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(root, &fs) != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		for _, parent := range []string{root, filepath.Join(root, own)} {
			dir := filepath.Join(parent, "clone3-test-"+strconv.Itoa(os.Getpid()))
			if err = os.Mkdir(dir, 0o755); err == nil {
				t.Cleanup(func() { removeGroup(dir) })
				return dir
			}
		}
	}
	t.Skip("no cgroup can be made: ", err)
	return ""
}

// removeGroup removes a control group, which the last process may just be
// leaving.
func removeGroup(dir string) {
	for range 1000 {
		if err := os.Remove(dir); err == nil || os.IsNotExist(err) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestSetTID(t *testing.T) {
	needRoot(t)
	c := child("report")
	c.Flags, c.SetTID = linux.NewPID, []int{1, 31234}
	p := start(t, c)
	if p.Pid() != 31234 {
		t.Errorf("the child has process ID %d, want 31234", p.Pid())
	}
	wait(t, p)
}

func TestIgnoredSignalsAndMask(t *testing.T) {
	// A Go program leaves alone only SIGHUP and SIGINT, if they are ignored.
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	hup := uint64(1) << (syscall.SIGHUP - 1)
	bits := func(r report, key string) uint64 {
		s := r.Status[key]
		n, err := strconv.ParseUint(s[len(s)-16:], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if r := reported(t, func(*linux.Child) {}); bits(r, "SigIgn")&hup == 0 {
		t.Error("SIGHUP is not ignored by the child, want it inherited")
	}
	r := reported(t, func(c *linux.Child) { c.ResetSignals = true })
	if bits(r, "SigIgn")&hup != 0 {
		t.Error("SIGHUP is ignored by the child in spite of ResetSignals")
	}
	if blocked := bits(r, "SigBlk"); blocked != 0 {
		t.Errorf("signals %#x are blocked in the child", blocked)
	}
}

func TestSignalsReachParentAfterSpawn(t *testing.T) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGUSR2)
	defer signal.Stop(ch)
	wait(t, start(t, child("exit", "0")))
	unix.Kill(os.Getpid(), syscall.SIGUSR2)
	<-ch
}

func TestParentStaysDumpable(t *testing.T) {
	needRoot(t)
	dumpable := func() int {
		n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := dumpable()
	done := make(chan bool)
	for range 8 {
		go func() {
			for range 10 {
				c := child("exit", "0")
				c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
				if p, err := linux.Clone3(background, c); err != nil {
					t.Error(err)
				} else {
					wait(t, p)
				}
			}
			done <- true
		}()
	}
	for range 8 {
		<-done
	}
	if got := dumpable(); got != before {
		t.Errorf("PR_GET_DUMPABLE: got %d, want %d as before", got, before)
	}
}

func TestInheritFiles(t *testing.T) {
	leak, err := unix.Open("/dev/zero", unix.O_RDONLY, 0) // not close-on-exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak)
	for _, inherit := range []bool{false, true} {
		r := reported(t, func(c *linux.Child) { c.InheritFiles = inherit })
		if got := slices.Contains(slices.Collect(maps.Values(r.Files)), "/dev/zero"); got != inherit {
			t.Errorf("InheritFiles %v: the child has a descriptor that is not close-on-exec: %v; it has %v", inherit, got, r.Files)
		}
	}
}

// capabilitiesOf returns the inheritable, permitted, effective and ambient
// capabilities, and the bounding set.
func capabilitiesOf(r report) string {
	var all []string
	for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"} {
		all = append(all, cmp.Or(strings.TrimLeft(r.Status[name], "0"), "0"))
	}
	return strings.Join(all, " ")
}

// lastCPU returns the number of a CPU that this program may run on.
func lastCPU() int {
	var set unix.CPUSet
	unix.SchedGetaffinity(0, &set)
	last := 0
	for n := range 1024 {
		if set.IsSet(n) {
			last = n
		}
	}
	return last
}

// What a child becomes, this program does not.
func TestConfinedChildChangesNothingHere(t *testing.T) {
	state := func() string {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for line := range strings.Lines(string(status)) {
			for _, of := range []string{"Cap", "NoNewPrivs", "Seccomp", "Cpus_allowed_list", "THP", "Umask", "Uid", "Groups"} {
				if strings.HasPrefix(line, of) {
					all = append(all, strings.TrimSpace(line))
				}
			}
		}
		adj, _ := os.ReadFile("/proc/self/oom_score_adj")
		nice, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
		dumpable, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		return fmt.Sprint(all, string(adj), nice, dumpable)
	}
	before := state()
	nice, adj, umask := 11, 432, 0o77
	for range 3 {
		r := reported(t, func(c *linux.Child) {
			c.Nice, c.OOMScoreAdj, c.Umask, c.CPUs = &nice, &adj, &umask, []int{lastCPU()}
			c.Flags, c.Capabilities = linux.NoNewPrivs, new(linux.Capabilities)
		})
		if r.OOMScoreAdj != "432" || r.Nice != 11 {
			t.Errorf("the child has %s and %d", r.OOMScoreAdj, r.Nice)
		}
	}
	if after := state(); after != before {
		t.Errorf("this program was\n%s\nand is\n%s", before, after)
	}
}

// What this program could pass on by inheritance the child does not keep.
func TestInheritableCapabilitiesAreDropped(t *testing.T) {
	needRoot(t)
	runtime.LockOSThread() // for good: the thread ends with the test
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		t.Fatal(err)
	}
	data[0].Inheritable = 1<<linux.CapChown | 1<<linux.CapKill
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		t.Fatal(err)
	}
	kill := linux.NewCapabilities(linux.CapKill)
	for want, c := range map[string]*linux.Capabilities{"0": new(linux.Capabilities), "20": &kill, "21": nil} {
		r := reported(t, func(child *linux.Child) { child.Capabilities = c })
		if got, _, _ := strings.Cut(capabilitiesOf(r), " "); got != want {
			t.Errorf("with Capabilities %v: inheritable are %s, want %s", c, got, want)
		}
	}
}
