//go:build linux

package linux_test

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/leaktest"
	"golang.org/x/sys/unix"
)

// Children of these tests are the test binary itself: with this variable set it
// runs the helper of that name, and exits with what that returns.
const helperVar = "CLONE3_TEST_HELPER"

var helpers = map[string]func(args []string) int{}

// helper registers a helper. Its name is for child.
func helper(name string, run func(args []string) int) string {
	if helpers[name] != nil {
		panic("there are two helpers " + name)
	}
	helpers[name] = run
	return name
}

// self is the test binary. It may lie where another user does not find it.
var self = func() *os.File {
	f, _ := os.Open("/proc/self/exe") // which a helper may be without
	return f
}()

// Helpers run on the first thread, which alone has some of what is to be told
// of a process.
func init() {
	if os.Getenv(helperVar) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	if name, ok := os.LookupEnv(helperVar); ok {
		os.Exit(helpers[name](os.Args[1:]))
	}
	skipExamples()
	// Other users are to execute it, which they may not after umask 077.
	if info, err := self.Stat(); err == nil && os.Geteuid() == 0 && info.Mode()&0o5 != 0o5 {
		self.Chmod(info.Mode() | 0o55)
	}
	warm := make(chan os.Signal, 1)
	signal.Notify(warm, syscall.SIGWINCH)
	// What the package keeps: /dev/null, and what its two ways to wait need. The
	// children live until they are waited for: by the watcher, and by a thread.
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, wait := range []func(*linux.Process){
		func(p *linux.Process) { p.Wait(ended); p.Kill() },
		func(p *linux.Process) { time.AfterFunc(200*time.Millisecond, func() { p.Kill() }) },
	} {
		p, err := linux.Clone3(background, child("sleep"))
		if err != nil {
			fmt.Fprintln(os.Stderr, "no child can be created:", err)
			os.Exit(1)
		}
		wait(p)
		p.Wait(context.Background())
	}
	leaktest.OffFirstThread(func() {
		tree := emulating(kill, "exit", "0") // and a thread, where it emulates AutoKill, and a guard, where there are control groups
		tree.KillTree = true
		if p, err := linux.Clone3(background, tree); err == nil {
			p.Wait(background)
		}
	})
	signal.Stop(warm) // what package os/signal keeps
	code := leaktest.Run(m)
	os.RemoveAll(tinyFiles.dir)
	os.Exit(code)
}

// skipExamples skips the examples whose programs are not here.
func skipExamples() {
	flag.Parse()
	skip := []string{flag.Lookup("test.skip").Value.String()}
	for program, example := range map[string]string{
		"/bin/true":  "ExampleCapabilities",
		"/bin/mkdir": "ExampleListener",
		"/bin/sh":    "ExampleChild_landlock|ExampleConfine|Example_init|Example_waitForStrangers",
	} {
		if _, err := os.Stat(program); err != nil {
			skip = append(skip, example)
		}
	}
	if foreignPrograms() {
		skip = append(skip, "ExampleChild_landlock|ExampleConfine|ExampleListener")
	}
	flag.Set("test.skip", strings.Trim(strings.Join(skip, "|"), "|"))
}

// foreignPrograms reports whether the system's programs are of another architecture
// than this one, as 64-bit ones are where this is of 32: a filter kills them.
func foreignPrograms() bool {
	sh, err := elf.Open("/bin/sh")
	if err != nil {
		return false
	}
	defer sh.Close()
	own, err := elf.NewFile(self)
	return err == nil && own.Machine != sh.Machine
}

// child returns a Child that runs a helper with args, and has our stderr.
func child(name string, args ...string) *linux.Child {
	if helpers[name] == nil {
		panic("no helper " + name)
	}
	return &linux.Child{
		Exec:  self,
		Args:  append([]string{"helper"}, args...),
		Env:   append(environ(), helperEnv(name)...),
		Files: []*os.File{nil, nil, os.Stderr},
	}
}

// helperEnv is what makes the test binary run a helper, which with -race does not
// sleep for a second at its end.
func helperEnv(name string) []string {
	return []string{helperVar + "=" + name, "GORACE=atexit_sleep_ms=0"}
}

// environ is the environment for a helper, also in a helper.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, helperVar+"=") })
}

// start creates the child, which is killed at the end of the test.
func start(t testing.TB, c *linux.Child) *linux.Process {
	t.Helper()
	p, err := linux.Clone3(background, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Close()
	})
	return p
}

// wait waits for the process, but not for ever.
func wait(t testing.TB, p *linux.Process) linux.ExitStatus {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	status, err := p.Wait(ctx)
	if err != nil {
		t.Fatal("Wait:", err)
	}
	return status
}

// output runs the child and returns what it writes, and how it ends.
func output(t testing.TB, c *linux.Child) (string, linux.ExitStatus) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for len(c.Files) < 2 {
		c.Files = append(c.Files, nil)
	}
	c.Files[1] = w
	p, err := linux.Clone3(background, c)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var out bytes.Buffer
	if _, err := io.Copy(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String(), wait(t, p)
}

// A held child runs until release closes its standard input.
func held(t testing.TB, c *linux.Child) (p *linux.Process, release func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Files = slices.Clone(c.Files)
	c.Files[0] = r
	p, err = linux.Clone3(background, c)
	r.Close()
	if err != nil {
		w.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close()
		p.Kill()
		p.Close()
	})
	return p, func() { w.Close() }
}

// report is what the report helper says about itself.
type report struct {
	Args      []string
	Env       []string
	Dir       string
	UID, GID  int
	Groups    []int
	PID, PPID int
	SID, PGID int
	Umask     int
	Nofile    [2]uint64
	Core      [2]uint64
	Status    map[string]string // /proc/self/status
	Files     map[string]string // /proc/self/fd
	NS        map[string]string // /proc/self/ns
	Cgroup    string
	PdeathSig int32
	Nice      int

	OOMScoreAdj string
}

// The helpers that many tests use.
var (
	_ = helper("report", func([]string) int {
		var r report
		r.Args, r.Env = os.Args, os.Environ()
		r.Dir, _ = os.Getwd()
		r.UID, r.GID = os.Getuid(), os.Getgid()
		r.Groups, _ = os.Getgroups()
		r.PID, r.PPID = os.Getpid(), os.Getppid()
		r.SID, _ = unix.Getsid(0)
		r.PGID = unix.Getpgrp()
		r.Umask = syscall.Umask(0)
		var lim syscall.Rlimit
		syscall.Getrlimit(unix.RLIMIT_CORE, &lim)
		r.Core = [2]uint64{lim.Cur, lim.Max}
		r.Nofile = nofileAtStart
		r.Status, r.Files, r.NS = map[string]string{}, map[string]string{}, map[string]string{}
		status, _ := os.ReadFile("/proc/self/status")
		for line := range strings.Lines(string(status)) {
			key, value, _ := strings.Cut(line, ":")
			r.Status[key] = strings.TrimSpace(value)
		}
		links := func(dir string, m map[string]string) {
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				if target, err := os.Readlink(dir + "/" + e.Name()); err == nil {
					m[e.Name()] = target
				}
			}
		}
		links("/proc/self/fd", r.Files)
		links("/proc/self/ns", r.NS)
		cgroup, _ := os.ReadFile("/proc/self/cgroup")
		r.Cgroup = string(cgroup)
		unix.Prctl(unix.PR_GET_PDEATHSIG, pointer(&r.PdeathSig), 0, 0, 0)
		if nice, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
			r.Nice = 20 - nice // as the system call has it
		}
		adj, _ := os.ReadFile("/proc/self/oom_score_adj")
		r.OOMScoreAdj = strings.TrimSpace(string(adj))
		json.NewEncoder(os.Stdout).Encode(r)
		return 0
	})

	_ = helper("exit", func(args []string) int {
		var code int
		fmt.Sscan(args[0], &code)
		return code
	})

	// hold runs until its standard input ends.
	_ = helper("hold", func([]string) int {
		io.Copy(io.Discard, os.Stdin)
		return 0
	})

	// sleep runs until it is killed.
	_ = helper("sleep", func([]string) int {
		time.Sleep(time.Hour)
		return 0
	})

	// obey exits when it gets SIGTERM, and ignore SIGTERM does not. Both say
	// when they are ready.
	_ = helper("obey", func([]string) int {
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, syscall.SIGTERM)
		os.Stdout.Write([]byte{1})
		<-ch
		return 44
	})
	_ = helper("ignore SIGTERM", func([]string) int {
		signal.Ignore(syscall.SIGTERM)
		os.Stdout.Write([]byte{1})
		time.Sleep(time.Hour)
		return 0
	})

	// kill sends itself a signal.
	_ = helper("kill", func(args []string) int {
		var sig int
		fmt.Sscan(args[0], &sig)
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
		unix.Kill(os.Getpid(), syscall.Signal(sig))
		time.Sleep(time.Hour)
		return 0
	})
)

// reported runs the report helper as c wants it.
func reported(t testing.TB, change func(*linux.Child)) report {
	t.Helper()
	c := child("report")
	change(c)
	out, status := output(t, c)
	if !status.Success() {
		t.Fatalf("the child ended with %v, having written %q", status, out)
	}
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return r
}

// needMachine skips a test that changes a setting of the whole machine, which it
// would leave behind if it were killed, where the machine is not its own: one whose
// init has started the tests.
func needMachine(t testing.TB) {
	t.Helper()
	if os.Getppid() != 1 {
		t.Skip("changes a setting of the machine: only where init has started the tests")
	}
	needRoot(t)
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}
