//go:build linux && (amd64 || arm64)

package linux_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// Every system call that Clone3, Wait, Signal and Close make in this program,
// and every step of a child, fails once, twice and always with each of a number
// of errors. Whatever comes of it is what was asked for, or an error that names
// the call or the step; and nothing is left.
//
// The calls are made by a helper under a seccomp filter, which asks this process
// what to answer to each. The filter comes before the helper's program: only a
// process of one thread is sure to have it in all threads.
//
// The runtime makes some of the same calls. It is known which those are, and
// they are let through: see ours.

var faultErrnos = []syscall.Errno{unix.EINTR, unix.ENOMEM, unix.EAGAIN, unix.EMFILE, unix.ENFILE, unix.EPERM, unix.ENOSYS}

// faultModes are how many calls in a row fail.
var faultModes = []struct {
	name  string
	calls int
}{{"once", 1}, {"twice", 2}, {"always", 1 << 30}}

// faultCalls are the calls that may be ours. What only waits, or frees, is not
// among them: a failure of close that has not closed would itself be the leak.
var faultCalls = func() map[int]string {
	m := map[int]string{
		uapi.SYS_CLONE3: "clone3", unix.SYS_CLONE: "clone", uapi.SYS_CLOSE_RANGE: "close_range", unix.SYS_CLOSE: "close",
		unix.SYS_DUP3: "dup3", unix.SYS_FCNTL: "fcntl", unix.SYS_PRCTL: "prctl", unix.SYS_SETSID: "setsid",
		unix.SYS_SETPGID: "setpgid", unix.SYS_CHDIR: "chdir", unix.SYS_UMASK: "umask", unix.SYS_PRLIMIT64: "prlimit64",
		unix.SYS_SETUID: "setuid", unix.SYS_SETGID: "setgid", unix.SYS_SETGROUPS: "setgroups",
		unix.SYS_SOCKETPAIR: "socketpair", unix.SYS_WAITID: "waitid", unix.SYS_PPOLL: "ppoll",
		unix.SYS_EPOLL_CREATE1: "epoll_create1", unix.SYS_EPOLL_CTL: "epoll_ctl", unix.SYS_EVENTFD2: "eventfd2",
		unix.SYS_PIDFD_SEND_SIGNAL: "pidfd_send_signal", unix.SYS_OPENAT: "openat", unix.SYS_FSTAT: "fstat",
		unix.SYS_GETPPID: "getppid", unix.SYS_RT_SIGPROCMASK: "rt_sigprocmask", unix.SYS_RT_SIGACTION: "rt_sigaction",
		unix.SYS_READ: "read", unix.SYS_WRITE: "write", unix.SYS_SENDMSG: "sendmsg",
		unix.SYS_SHUTDOWN: "shutdown", unix.SYS_IOCTL: "ioctl", unix.SYS_GETDENTS64: "getdents64",
		unix.SYS_CAPGET: "capget", unix.SYS_CAPSET: "capset", unix.SYS_EXECVE: "execve", unix.SYS_EXECVEAT: "execveat",
		unix.SYS_UNSHARE: "unshare", unix.SYS_MOUNT: "mount", unix.SYS_CHROOT: "chroot", unix.SYS_FACCESSAT: "faccessat",
		unix.SYS_MMAP: "mmap", uapi.SYS_SCHED_SETSCHEDULER: "sched_setscheduler", uapi.SYS_SCHED_SETATTR: "sched_setattr",
		uapi.SYS_SETPRIORITY: "setpriority", uapi.SYS_SCHED_SETAFFINITY: "sched_setaffinity", uapi.SYS_IOPRIO_SET: "ioprio_set",
		uapi.SYS_SET_MEMPOLICY: "set_mempolicy", uapi.SYS_PERSONALITY: "personality", uapi.SYS_KEYCTL: "keyctl",
		uapi.SYS_FCHROOT: "fchroot", uapi.SYS_FCHDIR: "fchdir",
	}
	if runtime.GOARCH == "amd64" { // others have no such calls
		m[7], m[232], m[262] = "poll", "epoll_wait", "newfstatat"
	} else {
		m[79] = "newfstatat"
	}
	return m
}()

// A faultScenario is what one helper does again and again: it creates the child
// and goes on with it.
type faultScenario struct {
	name    string
	root    bool
	user    bool        // the helper is not root
	cold    bool        // each time in a new helper, as what is kept is opened once
	hidden  map[int]int // calls that there are not at all, and what they answer
	watcher bool        // no Wait has a thread
	only    []string    // the calls of the parent that fail, if not all
	flags   linux.Flags // which the kernel may not know
	needs   func(*linux.Child) error
	change  func(*linux.Child)
	then    func(*linux.Process) error
}

// A wrongError is a result that cannot be.
type wrongError struct{ error }

func wrongly(format string, args ...any) error { return wrongError{fmt.Errorf(format, args...)} }

// waitFor lets Wait return what became of a child that was left alone.
func waitFor(p *linux.Process) error {
	s, err := p.Wait(background)
	if err == nil && s.Code() != 1 {
		return wrongly("Wait: the child ended with %v", s)
	}
	return err
}

// waitForKilled lets Wait return what became of a child that was killed.
func waitForKilled(p *linux.Process) error {
	s, err := p.Wait(background)
	if err == nil && s.Signal() != unix.SIGKILL {
		return wrongly("Wait: the child ended with %v, not killed", s)
	}
	return err
}

// faultNap is longer than anything here, faultDoze long enough to be waited for.
const faultNap = 3 * time.Second

func napping(c *linux.Child) { c.Path = strings.Replace(c.Path, "argc", faultNap.String(), 1) }

func dozing(c *linux.Child) { c.Path = strings.Replace(c.Path, "argc", faultDoze.String(), 1) }

const faultDoze = 3 * time.Millisecond

var faultScenarios = []faultScenario{
	{name: "plain"},
	{name: "first", cold: true, only: []string{"openat", "epoll_create1", "eventfd2", "fcntl", "epoll_ctl"}},
	{name: "first, watched", cold: true, watcher: true, only: []string{"epoll_create1", "fcntl", "epoll_ctl"}, change: dozing},
	{name: "InheritFiles", change: func(c *linux.Child) { c.InheritFiles = true }},
	{name: "files in other places", change: func(c *linux.Child) {
		in, out := os.NewFile(dupFrom(0, 20), "in"), os.NewFile(1, "out")
		c.Files = []*os.File{out, in, nil, in, out}
	}},
	{name: "Created", change: func(c *linux.Child) { c.Created = func(*linux.Process) error { return nil } }},
	{name: "Created closes", change: func(c *linux.Child) { c.Created = (*linux.Process).Close }, then: func(p *linux.Process) error {
		if _, err := p.Wait(background); err != nil && !errors.Is(err, os.ErrClosed) {
			return err
		}
		return nil
	}},
	{name: "NewUser", change: func(c *linux.Child) { c.Flags = linux.NewUser; ownIDs(c) }, flags: linux.NewUser},
	{name: "NewUser of a user", user: true, change: func(c *linux.Child) { c.Flags = linux.NewUser; ownIDs(c) }, flags: linux.NewUser},
	{name: "NewUser mapped by the parent", root: true, change: func(c *linux.Child) { c.Flags = linux.NewUser; givenIDs(c) }, flags: linux.NewUser},
	{name: "Unshare NewUser", change: func(c *linux.Child) { c.Unshare = linux.NewUser | linux.NewMount; ownIDs(c) }, flags: linux.NewUser},
	{name: "Dir, Umask, Setsid, Rlimits, Pdeathsig", change: func(c *linux.Child) {
		umask := 0o77
		c.Dir, c.Umask, c.Setsid, c.Pdeathsig = "/", &umask, true, unix.SIGTERM
		c.Rlimits = []linux.Rlimit{{Resource: unix.RLIMIT_CORE}, {Resource: unix.RLIMIT_NOFILE, Cur: 64, Max: 64}}
	}},
	{name: "Credential", root: true, change: func(c *linux.Child) {
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000, Groups: []uint32{5}}
		c.AmbientCaps = []uintptr{unix.CAP_KILL}
		c.Chroot, c.Setpgid = "/", true
	}},
	{name: "Scheduler, IOPriority, TimerSlack, Personality, Subreaper, Nice, CPUs", change: func(c *linux.Child) {
		c.Scheduler = &linux.Scheduler{Policy: linux.SchedBatch, ResetOnFork: true}
		c.IOPriority = &linux.IOPriority{Class: linux.IOIdle}
		c.TimerSlack, c.Personality, c.Subreaper = time.Millisecond, new(linux.PerUname26), true
		c.Nice, c.CPUs = new(5), []int{lastCPU()}
	}},
	{name: "MemoryPolicy, SessionKeyring", needs: comesToItsProgram, change: func(c *linux.Child) {
		c.MemoryPolicy, c.SessionKeyring = &linux.MemoryPolicy{Mode: linux.MemoryLocal}, new("")
	}},
	{name: "Securebits", root: true, change: func(c *linux.Child) {
		c.Securebits = linux.SecureNoRoot | linux.SecureNoAmbientRaise
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	}},
	{name: "NoFileSystem", needs: comesToItsProgram, change: func(c *linux.Child) { c.NoFileSystem, c.Flags = true, linux.NoNewPrivs }},
	{name: "no clone3", hidden: map[int]int{uapi.SYS_CLONE3: int(unix.ENOSYS)},
		change: func(c *linux.Child) { c.Created = func(*linux.Process) error { return nil } }},
	{name: "no close_range", hidden: map[int]int{uapi.SYS_CLOSE_RANGE: int(unix.ENOSYS)}},
	{name: "AutoReap", change: func(c *linux.Child) { c.Flags = linux.AutoReap }, flags: linux.AutoReap},
	{name: "AutoKill", change: func(c *linux.Child) { c.Flags = linux.AutoKill | linux.NoNewPrivs }, flags: linux.AutoKill | linux.NoNewPrivs,
		then: func(p *linux.Process) error { return p.Close() }},
	{name: "AutoKill emulated", hidden: map[int]int{uapi.SYS_CLONE3: int(unix.ENOSYS)},
		change: func(c *linux.Child) { c.Flags, c.Emulate = kill, kill }},
	{name: "Wait, watched", watcher: true, change: dozing},
	{name: "Wait with a context that ends", watcher: true, change: napping, then: func(p *linux.Process) error {
		ctx, cancel := context.WithTimeout(background, 2*time.Millisecond)
		defer cancel()
		if _, err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			return cmpErr(err, wrongly("Wait: no error, though the child runs"))
		}
		return nil
	}},
	{name: "Signal", change: napping, then: func(p *linux.Process) error {
		if err := p.Signal(unix.SIGKILL); err != nil {
			return err
		}
		return waitForKilled(p)
	}},
	{name: "Close", change: dozing, then: (*linux.Process).Close},
	{name: "PidFD.Wait", change: dozing, then: func(p *linux.Process) error {
		if s, err := p.PidFD().Wait(background); err != nil || s.Code() != 1 {
			return cmpErr(err, wrongly("PidFD.Wait: %v", s))
		}
		return nil
	}},
	{name: "OpenPidFD, Wait", change: dozing, then: func(p *linux.Process) error {
		f, err := linux.OpenPidFD(p.Pid())
		if err != nil {
			return err
		}
		defer f.Close()
		if s, err := f.Wait(background); err != nil || s.Code() != 1 {
			return cmpErr(err, wrongly("PidFD.Wait: %v", s))
		}
		return waitFor(p)
	}},
}

// comesToItsProgram reports whether a child can be created at all: what it asks for
// may be denied, or be missing.
func comesToItsProgram(c *linux.Child) error {
	p, err := linux.Clone3(background, c)
	if err == nil {
		_, err = p.Wait(background)
	}
	return err
}

func cmpErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func dupFrom(fd, least int) uintptr {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, least)
	if err != nil {
		panic(err)
	}
	return uintptr(n)
}

// A faultSite is a call, the nth of its kind in the parent or the child.
type faultSite struct {
	child bool
	nr    int
	n     int // from 0
}

func (s faultSite) String() string {
	side := "parent"
	if s.child {
		side = "child"
	}
	return fmt.Sprintf("%s %s %d", side, faultCalls[s.nr], s.n+1)
}

// mayWork reports whether what was asked for can come of a child in which the
// call has failed.
func (s faultSite) mayWork(errno syscall.Errno) bool {
	switch {
	case !s.child, s.nr == unix.SYS_CLOSE: // what is left open is marked close-on-exec
		return true
	case s.nr == uapi.SYS_CLOSE_RANGE: // without it files are listed
		return errno == unix.ENOSYS || errno == unix.EPERM
	}
	return false
}

func TestFaults(t *testing.T) {
	all := os.Getenv("CLONE3_FAULTS") != ""
	dir := faultPrograms(t)
	for i, s := range faultScenarios {
		t.Run(s.name, func(t *testing.T) {
			if s.root {
				needRoot(t)
			}
			t.Parallel()
			began := time.Now()
			f := &faultTable{t: t, scenario: i, dir: dir, cells: map[faultSite]map[syscall.Errno]string{}}
			f.fill(all)
			f.print(time.Since(began))
		})
	}
}

// faultPrograms makes the programs of the children.
func faultPrograms(t *testing.T) string {
	path := tinyProgram(t)
	napProgram(t, faultNap)
	napProgram(t, faultDoze)
	return path
}

// A faultTable is what came of each call and error of a scenario.
type faultTable struct {
	t        *testing.T
	scenario int
	dir      string
	sites    []faultSite // in the order in which they are called
	cells    map[faultSite]map[syscall.Errno]string
	state    *faultState
	tried    int
}

func (f *faultTable) fill(all bool) {
	s := faultScenarios[f.scenario]
	var h *faultHelper
	defer func() { h.end() }()
	run := func(site *faultSite, errno syscall.Errno, calls int) (faultReply, bool) {
		if h == nil || s.cold {
			h.end()
			h = startFaults(f.t, f.scenario, f.dir)
		}
		reply, err := h.run(site, errno, calls, f.state)
		if err != nil {
			f.t.Errorf("%v, %v %d times: %v", site, errno, calls, err)
			h.end()
			h = nil
			return reply, false
		}
		return reply, true
	}
	// What is called differs a little from time to time.
	for range 3 {
		reply, ok := run(nil, 0, 0)
		if !ok {
			return
		}
		if reply.Err != "" || reply.Left != "" {
			f.t.Fatalf("without a failure: error %q, left: %s", reply.Err, reply.Left)
		}
		if f.state == nil {
			f.state = &reply.State
		}
		for _, site := range h.supervisor.sites() {
			if site.n >= 6 && site.n%16 != 0 {
				continue // of many alike
			}
			if len(s.only) > 0 && (site.child || !slices.Contains(s.only, faultCalls[site.nr])) || f.cells[site] != nil {
				continue
			}
			f.cells[site] = map[syscall.Errno]string{}
			f.sites = append(f.sites, site)
		}
	}
	cell := f.scenario
	for _, site := range f.sites {
		for _, errno := range faultErrnos {
			for _, mode := range faultModes {
				if cell++; !all && cell%41 != 0 {
					f.cells[site][errno] += " "
					continue
				}
				f.tried++
				calls := mode.calls
				if errno == unix.EINTR {
					calls = min(calls, 100) // that often in a row no signal comes: who is interrupted may ask again
				}
				reply, ok := run(&site, errno, calls)
				sign := "?"
				if ok {
					sign = f.judge(site, errno, mode.name, reply)
				}
				f.cells[site][errno] += sign
				if f.t.Failed() && strings.Count(f.row(site), "?") > 5 {
					f.t.FailNow()
				}
			}
		}
	}
}

// judge returns the sign of a cell.
func (f *faultTable) judge(site faultSite, errno syscall.Errno, mode string, r faultReply) string {
	bad := func(what string) string {
		f.t.Errorf("%v, %s %s: %s", site, unix.ErrnoName(errno), mode, what)
		return "?"
	}
	switch {
	case r.Wrong:
		return bad(r.Err)
	case r.Left != "":
		return bad("error \"" + r.Err + "\", and " + r.Left)
	case r.Injected == 0:
		return "."
	case r.Err == "" && !site.mayWork(errno):
		return bad("the child has executed its program all the same")
	case r.Err == "":
		return "w"
	case !r.Is:
		return bad("error \"" + r.Err + "\" is not the one of the call")
	case !r.Clear:
		return bad("error \"" + r.Err + "\" names no call and no step")
	}
	return "e"
}

func (f *faultTable) row(site faultSite) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-28v", site)
	for _, errno := range faultErrnos {
		fmt.Fprintf(&b, " %-6s", f.cells[site][errno])
	}
	return b.String()
}

func (f *faultTable) print(d time.Duration) {
	var b strings.Builder
	fmt.Fprintf(&b, "%d failures in %v; once, twice and always: w works, e error, . not called\n%-28s", f.tried, d.Round(time.Millisecond), "")
	for _, errno := range faultErrnos {
		fmt.Fprintf(&b, " %-6s", unix.ErrnoName(errno))
	}
	for _, site := range f.sites {
		b.WriteString("\n" + f.row(site))
	}
	f.t.Log(b.String())
}

// A faultHelper is a helper under the filter, with who answers to it.
type faultHelper struct {
	t          testing.TB
	process    *linux.Process
	in, out    *os.File
	lines      *bufio.Reader
	supervisor *faultSupervisor
}

// A faultOrder tells the helper to do what it does. A faultReply says what came
// of it.
type (
	faultOrder struct {
		Errno int // which the error should be
		State *faultState
		Call  string
	}
	faultReply struct {
		Err       string
		Is, Clear bool // the error is that of the call, and names it
		Wrong     bool
		Left      string // what is left
		State     faultState
		Injected  int `json:"-"`
	}
)

func startFaults(t testing.TB, scenario int, program string) *faultHelper {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	there := os.NewFile(uintptr(pair[1]), "socket")
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := child("faults: install", strconv.Itoa(scenario), program)
	c.Env = append(c.Env, "GODEBUG=asyncpreemptoff=1") // a call that is interrupted is asked about twice
	c.Files = []*os.File{in, out, os.Stderr, there}
	c.Setsid, c.Pdeathsig = true, unix.SIGKILL
	if faultScenarios[scenario].user && os.Geteuid() == 0 {
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	}
	p, err := linux.Clone3(background, c)
	in.Close()
	out.Close()
	there.Close()
	h := &faultHelper{t: t, process: p, in: w, out: r, lines: bufio.NewReader(r)}
	if err != nil {
		h.end()
		t.Fatal(err)
	}
	unix.SetsockoptTimeval(pair[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	oob := make([]byte, unix.CmsgSpace(4))
	n, oobn, err := 0, 0, error(unix.EINTR)
	for err == unix.EINTR {
		n, oobn, _, _, err = unix.Recvmsg(pair[0], make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	}
	if err != nil || n == 0 {
		line, _ := h.hear(10 * time.Second)
		h.end()
		if strings.HasPrefix(line, "SKIP") {
			t.Skip(line)
		}
		t.Fatalf("no listener has come: %v, %s", err, line)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	h.supervisor = supervise(fds[0], p.Pid(), faultScenarios[scenario].hidden)
	line, err := h.hear(20 * time.Second)
	if err != nil || line != "ready" {
		h.end()
		if strings.HasPrefix(line, "SKIP") {
			t.Skip(line)
		}
		t.Fatalf("the helper does not start: %v %s", err, line)
	}
	return h
}

func (h *faultHelper) hear(within time.Duration) (string, error) {
	h.out.SetReadDeadline(time.Now().Add(within))
	line, err := h.lines.ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// run lets the helper do what it does while a call fails.
func (h *faultHelper) run(site *faultSite, errno syscall.Errno, calls int, state *faultState) (r faultReply, err error) {
	h.supervisor.inject(site, errno, calls)
	order := faultOrder{int(errno), state, ""}
	if site != nil {
		order.Call = faultCalls[site.nr]
	}
	line, _ := json.Marshal(order)
	if _, err := h.in.Write(append(line, '\n')); err != nil {
		return r, err
	}
	answer, err := h.hear(10 * time.Second)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		h.supervisor.inject(nil, 0, 0)
		h.process.Signal(unix.SIGQUIT) // the runtime prints the stacks
		ctx, cancel := context.WithTimeout(background, 2*time.Second)
		defer cancel()
		h.process.Wait(ctx)
		return r, errors.New("hangs")
	}
	if err != nil {
		return r, fmt.Errorf("the helper has ended: %w", err)
	}
	if err := json.Unmarshal([]byte(answer), &r); err != nil {
		return r, fmt.Errorf("%w in %q", err, answer)
	}
	r.Injected = h.supervisor.hits()
	return r, nil
}

func (h *faultHelper) end() {
	if h == nil {
		return
	}
	if h.process != nil {
		// Its children too, in case they hang.
		unix.Kill(-h.process.Pid(), unix.SIGKILL)
		h.process.Kill()
		h.process.Wait(background)
		h.process.Close()
	}
	h.in.Close()
	h.out.Close()
	if h.supervisor != nil {
		<-h.supervisor.done
	}
}

// A faultSupervisor answers to the calls of a helper and its children.
type faultSupervisor struct {
	listener int
	helper   string // its directory in /proc
	threads  map[uint32]bool
	hidden   map[int]int
	done     chan struct{}

	mu       sync.Mutex
	armed    bool
	site     *faultSite
	errno    syscall.Errno
	calls    int
	seen     map[faultSite]int // by kind: how many there were
	order    []faultSite
	injected int
}

// faultMark is a prctl that does not exist, by which the helper says when what
// is to fail begins and ends.
const faultMark = 0x66617565

type (
	seccompNotif struct {
		ID         uint64
		PID, Flags uint32
		NR         int32
		Arch       uint32
		IP         uint64
		Args       [6]uint64
	}
	seccompAnswer struct {
		ID    uint64
		Val   int64
		Error int32
		Flags uint32
	}
)

func supervise(listener, helper int, hidden map[int]int) *faultSupervisor {
	s := &faultSupervisor{listener: listener, helper: "/proc/" + strconv.Itoa(helper), threads: map[uint32]bool{},
		hidden: hidden, done: make(chan struct{})}
	const setFlags = 0x40082104 // SECCOMP_IOCTL_NOTIF_SET_FLAGS, since Linux 6.6: answers come quicker
	unix.Syscall(unix.SYS_IOCTL, uintptr(listener), setFlags, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	go s.run()
	return s
}

func (s *faultSupervisor) run() {
	defer close(s.done)
	defer unix.Close(s.listener)
	for {
		fds := []unix.PollFd{{Fd: int32(s.listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err == unix.EINTR {
			continue
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			return // nobody has the filter any more
		}
		var n seccompNotif
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(s.listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n))); e != 0 {
			continue // who asked was killed
		}
		a := s.answer(&n)
		unix.Syscall(unix.SYS_IOCTL, uintptr(s.listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	}
}

func (s *faultSupervisor) answer(n *seccompNotif) seccompAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := seccompAnswer{ID: n.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if n.NR == unix.SYS_PRCTL && n.Args[0] == faultMark {
		s.armed = n.Args[1] == 1
		a.Flags = 0
		return a
	}
	if errno := s.hidden[int(n.NR)]; errno != 0 {
		a.Flags, a.Error = 0, int32(-errno)
		return a
	}
	if !s.armed {
		return a
	}
	child := !s.isThread(n.PID)
	if !child && !s.ours(n) {
		return a
	}
	kind := faultSite{child: child, nr: int(n.NR)}
	this := kind
	this.n = s.seen[kind]
	s.seen[kind]++
	s.order = append(s.order, this)
	if f := s.site; f != nil && f.child == child && f.nr == this.nr && this.n >= f.n && this.n-f.n < s.calls {
		s.injected++
		a.Flags, a.Error = 0, -int32(s.errno)
	}
	return a
}

// isThread reports whether a thread is one of the helper.
func (s *faultSupervisor) isThread(tid uint32) bool {
	if s.threads[tid] {
		return true
	}
	_, err := os.Stat(s.helper + "/task/" + strconv.Itoa(int(tid)))
	s.threads[tid] = err == nil
	return err == nil
}

// ours reports whether a call of the helper is one of package linux, and not of
// the runtime.
func (s *faultSupervisor) ours(n *seccompNotif) bool {
	switch n.NR {
	case unix.SYS_CLOSE, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGACTION, unix.SYS_EXECVE:
		return false
	case unix.SYS_CLONE:
		return n.Args[0]&unix.CLONE_THREAD == 0
	case unix.SYS_READ, unix.SYS_WRITE: // the runtime wakes itself by an eventfd
		target, _ := os.Readlink(s.helper + "/fd/" + strconv.Itoa(int(n.Args[0])))
		return strings.HasPrefix(target, "socket:") || strings.HasPrefix(target, "/")
	}
	return true
}

// inject says what is to fail when the helper does next what it does.
func (s *faultSupervisor) inject(site *faultSite, errno syscall.Errno, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.site, s.errno, s.calls = site, errno, calls
	s.seen, s.order, s.injected = map[faultSite]int{}, nil, 0
}

func (s *faultSupervisor) sites() []faultSite {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order
}

func (s *faultSupervisor) hits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.injected
}

// faults: install installs the filter, gives away its listener, and goes on as
// the other helper.
var _ = helper("faults: install", func(args []string) int {
	// This thread is asked about sendmsg too, when nobody can answer yet.
	fds, sent := make(chan int), make(chan error)
	go func() {
		runtime.LockOSThread()
		fds <- -1
		sent <- unix.Sendmsg(3, []byte{0}, unix.UnixRights(<-fds), nil, 0)
	}()
	<-fds
	listener, err := listenToCalls()
	if err != nil {
		fmt.Printf("SKIP: no seccomp filter that asks: %v\n", err)
		return 1
	}
	fds <- listener
	if err := <-sent; err != nil {
		return 1
	}
	unix.Close(listener)
	unix.CloseOnExec(3)
	env := append(environ(), helperVar+"=faults: run")
	return fail("%v\n", syscall.Exec("/proc/self/exe", append([]string{"helper"}, args...), env))
})

func listenToCalls() (int, error) {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		result = unix.BPF_RET | unix.BPF_K
		arg3   = 16 + 3*8 // where its lower half lies
	)
	filter := []unix.SockFilter{{Code: load}} // the number of the call
	for _, nr := range slices.Sorted(maps.Keys(faultCalls)) {
		if nr != unix.SYS_MMAP {
			filter = append(filter, unix.SockFilter{Code: equal, K: uint32(nr), Jf: 1},
				unix.SockFilter{Code: result, K: unix.SECCOMP_RET_USER_NOTIF})
		}
	}
	filter = append(filter, // the runtime shares no memory
		unix.SockFilter{Code: equal, K: unix.SYS_MMAP, Jf: 3},
		unix.SockFilter{Code: load, K: arg3},
		unix.SockFilter{Code: equal, K: unix.MAP_SHARED | unix.MAP_ANONYMOUS, Jf: 1},
		unix.SockFilter{Code: result, K: unix.SECCOMP_RET_USER_NOTIF},
		unix.SockFilter{Code: result, K: unix.SECCOMP_RET_ALLOW})
	if os.Geteuid() != 0 {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return -1, err
		}
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	var fd uintptr
	var e syscall.Errno
	for _, flags := range []uintptr{unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0} {
		fd, _, e = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags|unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
		if e != unix.EINVAL {
			break
		}
	}
	if e != 0 {
		return -1, e
	}
	return int(fd), nil
}

var _ = helper("faults: run", func(args []string) int {
	i, _ := strconv.Atoi(args[0])
	s := &faultScenarios[i]
	if s.flags != 0 {
		if err := linux.Probe(s.flags); err != nil {
			fmt.Println("SKIP:", err)
			return 1
		}
	}
	newChild := func() *linux.Child {
		return &linux.Child{Path: args[1], Args: []string{"x"}, Env: []string{}, Files: []*os.File{nil, nil, nil}}
	}
	c := newChild()
	if s.change != nil {
		s.change(c)
	}
	if s.needs != nil {
		if err := s.needs(c); err != nil {
			fmt.Println("SKIP:", err)
			return 1
		}
	}
	then := s.then
	if then == nil {
		then = waitFor
	}
	ended, cancel := context.WithCancel(background)
	cancel()
	// plain is what works whatever was before.
	plain := func() error {
		defer linux.SetFront(!s.watcher)
		linux.SetFront(true)
		p, err := linux.Clone3(background, newChild())
		if err == nil {
			err = waitFor(p)
		}
		if err != nil {
			return err
		}
		c := newChild()
		napping(c)
		if p, err = linux.Clone3(background, c); err != nil {
			return err
		}
		p.Wait(ended) // lets it be watched
		if err := p.Kill(); err != nil {
			return err
		}
		return waitForKilled(p)
	}
	linux.SetFront(!s.watcher)
	if r, w, err := os.Pipe(); err == nil { // the runtime has its poller
		r.Close()
		w.Close()
	}
	var before *faultState
	if !s.cold {
		for range 5 {
			if err := plain(); err != nil {
				return fail("%v\n", err)
			}
		}
		if c.Emulate != 0 { // for which a thread is kept
			if p, err := linux.Clone3(background, c); err == nil {
				p.Wait(background)
			}
		}
		now := faultStateNow()
		before = &now
	}
	fmt.Println("ready")
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadString('\n')
		if err != nil {
			return 0
		}
		var order faultOrder
		if err := json.Unmarshal([]byte(line), &order); err != nil {
			return fail("%v\n", err)
		}
		if s.cold {
			before = order.State
		}
		var answer faultReply
		mark(1)
		p, err := linux.Clone3(background, c)
		if err == nil {
			err = then(p)
		}
		mark(0)
		if err != nil {
			answer.Err, answer.Is, answer.Clear = err.Error(), errors.Is(err, syscall.Errno(order.Errno)), namesCause(err)
			answer.Wrong = errors.As(err, new(wrongError))
		}
		if p != nil {
			p.Kill()
			if _, err := p.Wait(background); err != nil && !errors.Is(err, os.ErrClosed) {
				answer.Left = fmt.Sprintf("Wait still fails: %v", err)
			}
			p.Close()
		}
		if err := plain(); err != nil {
			answer.Left = fmt.Sprintf("the next child fails: %v", err)
		}
		answer.State = faultStateNow()
		if answer.Left == "" && before != nil {
			if answer.State, answer.Left = before.left(order.Call); !s.cold {
				before.Files = answer.State.Files // with what is known to be left
			}
		}
		out, _ := json.Marshal(answer)
		fmt.Printf("%s\n", out)
	}
})

// mark says that what is to fail begins or ends.
func mark(on uintptr) { unix.RawSyscall(unix.SYS_PRCTL, faultMark, on, 0) }

// namesCause reports whether an error tells what has failed.
func namesCause(err error) bool {
	var step *linux.StepError
	var path *fs.PathError
	var unsupported *linux.UnsupportedError
	if errors.As(err, &step) || errors.As(err, &path) || errors.As(err, &unsupported) {
		return true
	}
	for _, name := range faultCalls {
		if strings.Contains(err.Error(), name) {
			return true
		}
	}
	return strings.Contains(err.Error(), "PIDFD_GET_INFO") // which is an ioctl
}

// A faultState is what must not grow.
type faultState struct {
	Files      []string
	Goroutines int
	Children   bool
}

func faultStateNow() (s faultState) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.HasSuffix(target, "/fd") {
			kind, _, numbered := strings.Cut(target, ":[") // as in pipe:[7]
			if numbered && !strings.HasPrefix(target, "anon_inode:") {
				target = kind
			}
			s.Files = append(s.Files, target)
		}
	}
	slices.Sort(s.Files)
	s.Goroutines = runtime.NumGoroutine()
	s.Children = unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil) != unix.ECHILD
	return s
}

// left tells what there is more of once it has not gone within some time.
func (s *faultState) left(call string) (now faultState, what string) {
	for deadline := time.Now().Add(4 * time.Second); ; time.Sleep(time.Millisecond) {
		now := faultStateNow()
		was, is := s.Files, now.Files
		if call == "fstat" || call == "fcntl" {
			// A null device that cannot be told to be one is not closed: it may
			// be somebody else's.
			null := func(f string) bool { return f == os.DevNull }
			was, is = slices.DeleteFunc(slices.Clone(was), null), slices.DeleteFunc(slices.Clone(is), null)
		}
		if len(is) <= len(was) && now.Goroutines <= s.Goroutines && !now.Children {
			return now, ""
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			return now, fmt.Sprintf("something is left: before %+v, now %+v\n%s", *s, now, buf[:runtime.Stack(buf, true)])
		}
	}
}
