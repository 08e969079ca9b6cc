//go:build linux

package linux_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// attributes are what a thread has, and what the fields of a Child change for the
// program: so this program is to keep them.
type attributes map[string]string

// room is what the kernel writes to: by address, so it must not move.
var room struct {
	sched        uapi.SchedAttr
	mode         int32
	nodes        [16]uint64
	adopts, sign int32
	param        uint32
}

// attributesHere returns those of the calling thread, which is locked.
func attributesHere() attributes {
	a := attributes{}
	number := func(name string, nr uintptr, args ...uintptr) {
		var all [5]uintptr
		copy(all[:], args)
		r, _, errno := unix.RawSyscall6(nr, all[0], all[1], all[2], all[3], all[4], 0)
		if a[name] = fmt.Sprint(r); errno != 0 {
			a[name] = errno.Error()
		}
	}
	sched := &room.sched
	*sched = uapi.SchedAttr{}
	number("sched_getattr", uapi.SYS_SCHED_GETATTR, 0, address(sched), unsafe.Sizeof(*sched))
	a["policy"], a["flags"] = fmt.Sprint(sched.SchedPolicy), fmt.Sprint(sched.SchedFlags)
	a["priority"], a["runtime"] = fmt.Sprint(sched.SchedPriority), fmt.Sprint(sched.SchedRuntime)
	a["deadline"], a["period"] = fmt.Sprint(sched.SchedDeadline), fmt.Sprint(sched.SchedPeriod)
	a["util"] = fmt.Sprint(sched.SchedUtilMin, " ", sched.SchedUtilMax)
	number("nice", uapi.SYS_GETPRIORITY, unix.PRIO_PROCESS)
	number("ioprio", uapi.SYS_IOPRIO_GET, uapi.IOPRIO_WHO_PROCESS)
	number("get_mempolicy", uapi.SYS_GET_MEMPOLICY, address(&room.mode), address(&room.nodes), 1025)
	a["mempolicy"] = fmt.Sprint(room.mode, room.nodes)
	number("timer slack", uapi.SYS_PRCTL, unix.PR_GET_TIMERSLACK)
	number("personality", uapi.SYS_PERSONALITY, 0xffffffff)
	number("keyring", uapi.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, keySession)
	number("subreaper", uapi.SYS_PRCTL, unix.PR_GET_CHILD_SUBREAPER, address(&room.adopts))
	a["subreaper"] = fmt.Sprint(room.adopts)
	number("securebits", uapi.SYS_PRCTL, unix.PR_GET_SECUREBITS)
	number("dumpable", uapi.SYS_PRCTL, unix.PR_GET_DUMPABLE)
	number("no_new_privs", uapi.SYS_PRCTL, unix.PR_GET_NO_NEW_PRIVS)
	number("keep capabilities", uapi.SYS_PRCTL, unix.PR_GET_KEEPCAPS)
	number("THP", uapi.SYS_PRCTL, unix.PR_GET_THP_DISABLE)
	number("MDWE", uapi.SYS_PRCTL, unix.PR_GET_MDWE)
	number("death signal", uapi.SYS_PRCTL, unix.PR_GET_PDEATHSIG, address(&room.sign))
	a["death signal"] = fmt.Sprint(room.sign)
	var cpus unix.CPUSet
	unix.SchedGetaffinity(0, &cpus)
	a["affinity"] = fmt.Sprint(cpus)
	return a
}

// keySession is KEY_SPEC_SESSION_KEYRING as a word.
const keySession = ^uintptr(2)

// ofProcess adds what can be known of all threads, and of the process.
func (a attributes) ofProcess() {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		dir := "/proc/self/task/" + task.Name() + "/"
		status, err := os.ReadFile(dir + "status")
		if err != nil {
			continue // it has ended
		}
		for line := range strings.Lines(string(status)) {
			key, value, _ := strings.Cut(line, ":")
			switch key {
			case "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
				"Cpus_allowed", "Mems_allowed", "Umask", "THP_enabled", "CoreDumping", "TracerPid":
				a["thread "+task.Name()+" "+key] = strings.TrimSpace(value)
			}
		}
		tid, _ := strconv.Atoi(task.Name())
		sched := &room.sched
		unix.RawSyscall6(uapi.SYS_SCHED_GETATTR, uintptr(tid), address(sched), unsafe.Sizeof(*sched), 0, 0, 0)
		io, _, _ := unix.RawSyscall(uapi.SYS_IOPRIO_GET, uapi.IOPRIO_WHO_PROCESS, uintptr(tid), 0)
		nice, _ := unix.Getpriority(unix.PRIO_PROCESS, tid)
		person, _ := os.ReadFile(dir + "personality")
		a["thread "+task.Name()+" scheduling"] = fmt.Sprint(sched.SchedPolicy, sched.SchedFlags, sched.SchedNice, sched.SchedPriority, io, nice, string(person))
	}
	for _, file := range []string{"oom_score_adj", "coredump_filter", "limits", "cgroup", "sessionid", "uid_map", "setgroups"} {
		text, _ := os.ReadFile("/proc/self/" + file)
		a[file] = string(text)
	}
	a["root"], _ = os.Readlink("/proc/self/root")
	a["directory"], _ = os.Getwd()
	a["session"] = fmt.Sprint(unix.Getpgrp())
	entries, _ := os.ReadDir("/proc/self/ns")
	for _, e := range entries {
		a["namespace "+e.Name()], _ = os.Readlink("/proc/self/ns/" + e.Name())
	}
}

// differences tells what has changed. Threads may come and go.
func (a attributes) differences(b attributes) (what []string) {
	for name, was := range a {
		if is, there := b[name]; is != was && (there || !strings.HasPrefix(name, "thread ")) {
			what = append(what, fmt.Sprintf("%s was %q, is %q", name, was, is))
		}
	}
	return what
}

var _ = helper("attributes", func([]string) int {
	json.NewEncoder(os.Stdout).Encode(attributesHere())
	return 0
})

// attributesOf returns those of the program that c describes.
func attributesOf(t *testing.T, change func(*linux.Child)) attributes {
	t.Helper()
	c := child("attributes")
	change(c)
	out, status := output(t, c)
	var a attributes
	if err := json.Unmarshal([]byte(out), &a); err != nil || !status.Success() {
		t.Fatalf("%v: %v in %q", status, err, out)
	}
	return a
}

// An attribute is a field of a Child, and what becomes of it.
type attribute struct {
	root, cap bool // needs root, or this may be denied to it too
	since     string
	change    func(*linux.Child)
	of, want  string
}

func scheduled(s linux.Scheduler) func(*linux.Child) {
	return func(c *linux.Child) { c.Scheduler = &s }
}

var attributeFields = map[string]attribute{
	"Scheduler batch":       {change: scheduled(linux.Scheduler{Policy: linux.SchedBatch}), of: "policy", want: "3"},
	"Scheduler idle":        {change: scheduled(linux.Scheduler{Policy: linux.SchedIdle}), of: "policy", want: "5"},
	"Scheduler ext":         {since: "6.12", change: scheduled(linux.Scheduler{Policy: linux.SchedExt}), of: "policy", want: "7"},
	"Scheduler ResetOnFork": {change: scheduled(linux.Scheduler{Policy: linux.SchedNormal, ResetOnFork: true}), of: "flags", want: "1"},
	"Scheduler FIFO":        {cap: true, change: scheduled(linux.Scheduler{Policy: linux.SchedFIFO, Priority: 3, ResetOnFork: true}), of: "priority", want: "3"},
	"Scheduler RR":          {cap: true, change: scheduled(linux.Scheduler{Policy: linux.SchedRR, Priority: 1, ResetOnFork: true}), of: "policy", want: "2"},
	"Scheduler deadline": {cap: true, change: scheduled(linux.Scheduler{Policy: linux.SchedDeadline, ResetOnFork: true,
		Runtime: 20 * time.Millisecond, Deadline: 500 * time.Millisecond, Period: time.Second}), of: "deadline", want: "500000000"},
	"Scheduler slice": {since: "6.12", change: func(c *linux.Child) {
		c.Nice = new(4)
		c.Scheduler = &linux.Scheduler{Policy: linux.SchedBatch, Runtime: 7 * time.Millisecond}
	}, of: "runtime", want: "7000000"},
	"Scheduler slice and nice": {since: "6.12", change: func(c *linux.Child) {
		c.Nice = new(4)
		c.Scheduler = &linux.Scheduler{Policy: linux.SchedNormal, Runtime: 7 * time.Millisecond}
	}, of: "nice", want: "16"},
	"Scheduler util": {change: scheduled(linux.Scheduler{UtilMin: new(0), UtilMax: new(512)}), of: "util", want: "0 512"},
	"Scheduler leaves nice": {change: func(c *linux.Child) {
		c.Nice = new(9)
		c.Scheduler = &linux.Scheduler{Policy: linux.SchedBatch}
	}, of: "nice", want: "11"},
	"IOPriority":         {change: func(c *linux.Child) { c.IOPriority = &linux.IOPriority{Class: linux.IOBestEffort, Level: 6} }, of: "ioprio", want: "16390"},
	"IOPriority idle":    {change: func(c *linux.Child) { c.IOPriority = &linux.IOPriority{Class: linux.IOIdle} }, of: "ioprio", want: "24576"},
	"IOPriority limit":   {since: "6.5", change: func(c *linux.Child) { c.IOPriority = &linux.IOPriority{Class: linux.IOBestEffort, DurationLimit: 3} }, of: "ioprio", want: "16408"},
	"TimerSlack":         {change: func(c *linux.Child) { c.TimerSlack = 3 * time.Millisecond }, of: "timer slack", want: "3000000"},
	"Personality":        {change: func(c *linux.Child) { c.Personality = new(linux.PerNoRandomAddress | linux.PerUname26) }, of: "personality", want: "393216"},
	"Subreaper":          {change: func(c *linux.Child) { c.Subreaper = true }, of: "subreaper", want: "1"},
	"MemoryPolicy":       {change: func(c *linux.Child) { c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryBind, Nodes: []int{0}} }, of: "mempolicy", want: fmt.Sprint(2, [16]uint64{1})},
	"MemoryPolicy local": {change: func(c *linux.Child) { c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryLocal} }, of: "mempolicy", want: fmt.Sprint(4, [16]uint64{})},
	"MemoryPolicy many": {since: "5.15", change: func(c *linux.Child) {
		c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryPreferredMany, Nodes: []int{0}, StaticNodes: true}
	}, of: "mempolicy", want: fmt.Sprint(5|1<<15, [16]uint64{1})},
	"MemoryPolicy weighted": {since: "6.9", change: func(c *linux.Child) {
		c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryWeightedInterleave, Nodes: []int{0}}
	}, of: "mempolicy", want: fmt.Sprint(6, [16]uint64{1})},
	"Securebits": {root: true, change: func(c *linux.Child) {
		c.Securebits = linux.SecureNoRoot | linux.SecureNoRootLocked | linux.SecureNoSetuidFixup
	}, of: "securebits", want: "7"},
	"Securebits, Credential": {root: true, change: func(c *linux.Child) {
		c.Securebits = linux.SecureNoRoot | linux.SecureKeepCapsLocked
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	}, of: "securebits", want: "33"},
	"Securebits, AmbientCaps, Capabilities": {root: true, change: func(c *linux.Child) {
		c.Securebits = linux.SecureNoAmbientRaise | linux.SecureNoAmbientRaiseLocked
		c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
		c.AmbientCaps = []uintptr{unix.CAP_KILL}
		c.Capabilities = new(linux.NewCapabilities(linux.CapKill))
	}, of: "securebits", want: "192"},
	"Securebits for interpreters": {since: "6.14", change: func(c *linux.Child) { c.Securebits = linux.SecureExecRestrictFile }, of: "securebits", want: "256"},
	"Securebits, NewUser":         {change: func(c *linux.Child) { c.Flags, c.Securebits = linux.NewUser, linux.SecureNoRoot; ownIDs(c) }, of: "securebits", want: "1"},
	"Nice":                        {change: func(c *linux.Child) { c.Nice = new(6) }, of: "nice", want: "14"},
	"Pdeathsig":                   {change: func(c *linux.Child) { c.Pdeathsig = unix.SIGURG }, of: "death signal", want: fmt.Sprint(int(unix.SIGURG))},
	"NoNewPrivs":                  {change: func(c *linux.Child) { c.Flags = linux.NoNewPrivs }, of: "no_new_privs", want: "1"},
}

// A program has what its Child says, and this program keeps what it has: the thread
// that creates the child, and all others.
func TestAttributes(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self := attributesHere()
	for name, field := range attributeFields {
		t.Run(name, func(t *testing.T) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if field.root {
				needRoot(t)
			}
			c := child("attributes")
			field.change(c)
			before := attributesHere()
			before.ofProcess()
			p, err := linux.Clone3(background, &linux.Child{Path: "/does not exist", Flags: c.Flags, UidMappings: c.UidMappings, GidMappings: c.GidMappings,
				Scheduler: c.Scheduler, IOPriority: c.IOPriority, MemoryPolicy: c.MemoryPolicy, TimerSlack: c.TimerSlack, Personality: c.Personality,
				Subreaper: c.Subreaper, Securebits: c.Securebits, Credential: c.Credential, AmbientCaps: c.AmbientCaps, Capabilities: c.Capabilities,
				Nice: c.Nice, Pdeathsig: c.Pdeathsig})
			step, ok := errors.AsType[*linux.StepError](err)
			if p != nil || !ok && !errors.Is(err, errors.ErrUnsupported) {
				t.Fatalf("got error %v", err)
			}
			switch {
			case field.cap && ok && (step.Errno == unix.EPERM || step.Errno == unix.EBUSY):
				if os.Geteuid() == 0 {
					t.Skip("root is denied it here: ", err)
				}
				t.Skip(err)
			case ok && step.Kind == linux.StepPriority && (step.Errno == unix.EOPNOTSUPP || step.Errno == unix.ENOSYS):
				t.Skip("the kernel is built without: ", err)
			case name == "Scheduler ext" && errors.Is(err, errors.ErrUnsupported):
				t.Skip("the kernel may be built without: ", err)
			case ok && step.Kind != linux.StepExec:
				if field.since != "" {
					kerneltest.Need(t, name, field.since, err)
				}
				t.Fatal(err)
			case field.since != "" && !ok:
				kerneltest.Need(t, name, field.since, err)
			}
			got := attributesOf(t, field.change)
			if got[field.of] != field.want {
				t.Errorf("the program has %s %q, want %q", field.of, got[field.of], field.want)
			}
			if self[field.of] == field.want {
				t.Logf("this program has %s too: the test shows nothing", field.want)
			}
			after := attributesHere()
			after.ofProcess()
			for _, d := range before.differences(after) {
				t.Error("of this program, ", d)
			}
		})
	}
}

// A new session keyring is the program's, and its user's.
func TestSessionKeyring(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := attributesHere()
	name := "clone3-test-" + strconv.Itoa(os.Getpid())
	for _, test := range []struct {
		what   string
		change func(*linux.Child)
	}{
		{"anonymous", func(c *linux.Child) { c.SessionKeyring = new("") }},
		{"named", func(c *linux.Child) { c.SessionKeyring = &name }},
		{"in a user namespace", func(c *linux.Child) { c.SessionKeyring, c.Flags = new(""), linux.NewUser; ownIDs(c) }},
	} {
		t.Run(test.what, func(t *testing.T) {
			c := child("attributes")
			test.change(c)
			c.Path, c.Exec = "/does not exist", nil
			_, err := linux.Clone3(background, c)
			if step, ok := errors.AsType[*linux.StepError](err); !ok || step.Kind == linux.StepKeyring && (step.Errno == unix.ENOSYS || step.Errno == unix.EPERM) {
				t.Skip("no keys here: ", err)
			}
			one, two := attributesOf(t, test.change), attributesOf(t, test.change)
			if one["keyring"] == before["keyring"] {
				t.Errorf("the program has the session keyring of this one, %s", one["keyring"])
			}
			if _, err := strconv.ParseUint(one["keyring"], 10, 64); err != nil {
				t.Errorf("the program has no session keyring: %s", one["keyring"])
			}
			if one["keyring"] == two["keyring"] {
				t.Logf("two programs have keyring %s: the first was not gone yet", one["keyring"])
			}
		})
	}
	if got := attributesHere()["keyring"]; got != before["keyring"] {
		t.Errorf("the keyring of this program was %s, is %s", before["keyring"], got)
	}
}

// The keyring belongs to the user that the program has.
func TestSessionKeyringOfUser(t *testing.T) {
	needRoot(t)
	c := child("owner of keyring")
	c.SessionKeyring = new("")
	c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	p, err := linux.Clone3(background, c)
	if step, ok := errors.AsType[*linux.StepError](err); ok && step.Kind == linux.StepKeyring && (step.Errno == unix.ENOSYS || step.Errno == unix.EPERM) {
		t.Skip("no keys here: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Wait(background)
	out, status := output(t, c)
	if !status.Success() || !strings.Contains(out, ";1000;") {
		t.Errorf("the keyring is %q, want it to be of user 1000", out)
	}
}

var _ = helper("owner of keyring", func([]string) int {
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, unix.KEY_SPEC_SESSION_KEYRING)
	fmt.Print(text)
	if err != nil {
		return fail("%v", err)
	}
	return 0
})

// The test above notices what it looks for: a thread that has each attribute
// changed differs in just that.
func TestAttributesAreNoticed(t *testing.T) {
	for what, change := range map[string]func() error{
		"nice":        func() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, 7) },
		"ioprio":      func() error { return raw(uapi.SYS_IOPRIO_SET, uapi.IOPRIO_WHO_PROCESS, 0, 3<<uapi.IOPRIO_CLASS_SHIFT) },
		"timer slack": func() error { return unix.Prctl(unix.PR_SET_TIMERSLACK, 1234567, 0, 0, 0) },
		"personality": func() error { return raw(uapi.SYS_PERSONALITY, uapi.UNAME26, 0, 0) },
		"policy":      func() error { return raw(uapi.SYS_SCHED_SETSCHEDULER, 0, uapi.SCHED_BATCH, address(&room.param)) },
		"mempolicy":   func() error { return raw(uapi.SYS_SET_MEMPOLICY, 4, 0, 0) },
		"affinity": func() error {
			var one unix.CPUSet
			one.Set(lastCPU())
			var all unix.CPUSet
			if unix.SchedGetaffinity(0, &all); all.Count() == 1 {
				return unix.ENOSYS
			}
			return unix.SchedSetaffinity(0, &one)
		},
		"keyring":      func() error { return raw(uapi.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0) },
		"no_new_privs": func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) },
	} {
		t.Run(what, func(t *testing.T) {
			noticed := make(chan []string)
			go func() {
				runtime.LockOSThread() // and the thread ends
				before := attributesHere()
				before.ofProcess()
				if err := change(); err != nil {
					noticed <- nil
					return
				}
				after := attributesHere()
				after.ofProcess()
				noticed <- append(before.differences(after), "")
			}()
			got := <-noticed
			if got == nil {
				t.Skip("cannot be changed here")
			}
			if !strings.Contains(strings.Join(got, "\n"), what+" was") {
				t.Errorf("%s was changed, and what is noticed is %q", what, got)
			}
		})
	}
}

func raw(nr uintptr, args ...uintptr) error {
	var all [3]uintptr
	copy(all[:], args)
	if _, _, errno := unix.RawSyscall(nr, all[0], all[1], all[2]); errno != 0 {
		return errno
	}
	return nil
}

// Securebits do what they are for, in the order that they are asked for.
func TestSecurebitsOfUser(t *testing.T) {
	needRoot(t)
	user := &syscall.Credential{Uid: 1000, Gid: 1000}
	r := reported(t, func(c *linux.Child) { c.Securebits, c.Credential = linux.SecureNoSetuidFixup, user })
	if r.Status["CapPrm"] != zeroCaps || r.Status["CapEff"] != zeroCaps {
		t.Errorf("user 1000 has capabilities %s and %s, want none: the fixup is not to be left out for this change", r.Status["CapPrm"], r.Status["CapEff"])
	}
	r = reported(t, func(c *linux.Child) {
		c.Securebits, c.Credential, c.AmbientCaps = linux.SecureNoAmbientRaise|linux.SecureNoRoot, user, []uintptr{unix.CAP_KILL}
	})
	if r.Status["CapEff"] != "0000000000000020" {
		t.Errorf("user 1000 has capabilities %s, want CAP_KILL", r.Status["CapEff"])
	}
	r = reported(t, func(c *linux.Child) { c.Securebits = linux.SecureNoRoot })
	if r.Status["CapEff"] != zeroCaps {
		t.Errorf("root without privileges has capabilities %s", r.Status["CapEff"])
	}
	// The directory is entered by the rights of the user, not by those that the
	// step needs.
	dir := t.TempDir()
	os.Chmod(dir, 0o700)
	c := child("exit", "0")
	c.Dir, c.Credential, c.Securebits = dir, user, linux.SecureNoSetuidFixup
	_, err := linux.Clone3(background, c)
	if step, ok := errors.AsType[*linux.StepError](err); !ok || step.Kind != linux.StepChdir || step.Errno != unix.EACCES {
		t.Errorf("got error %v, want that chdir is denied", err)
	}
}

const zeroCaps = "0000000000000000"

// What cannot be is refused before there is a child.
func TestAttributesChecked(t *testing.T) {
	for want, change := range map[string]func(*linux.Child){
		"Scheduler has no Policy":     scheduled(linux.Scheduler{ResetOnFork: true}),
		"not known to this package":   scheduled(linux.Scheduler{Policy: 99}),
		"policy 4":                    scheduled(linux.Scheduler{Policy: 5}),
		"Priority 0 is not between":   scheduled(linux.Scheduler{Policy: linux.SchedFIFO}),
		"Priority 100 is not between": scheduled(linux.Scheduler{Policy: linux.SchedRR, Priority: 100}),
		"has none, it goes by":        scheduled(linux.Scheduler{Policy: linux.SchedBatch, Priority: 1}),
		"are for SCHED_DEADLINE":      scheduled(linux.Scheduler{Policy: linux.SchedFIFO, Priority: 1, Deadline: 1}),
		"Runtime is at least":         scheduled(linux.Scheduler{Policy: linux.SchedDeadline, Runtime: 9, Deadline: 99}),
		"not for SCHED_IDLE":          scheduled(linux.Scheduler{Policy: linux.SchedIdle, Runtime: time.Millisecond}),
		"between 100µs and 100ms":     scheduled(linux.Scheduler{Policy: linux.SchedNormal, Runtime: time.Second}),
		"needs Child.Nice":            scheduled(linux.Scheduler{Policy: linux.SchedNormal, Runtime: time.Millisecond}),
		"UtilMin 1025":                scheduled(linux.Scheduler{UtilMin: new(1025)}),
		"UtilMin 9 is above":          scheduled(linux.Scheduler{UtilMin: new(9), UtilMax: new(8)}),
		"I/O class 4":                 func(c *linux.Child) { c.IOPriority = &linux.IOPriority{Class: 4} },
		"Level 8":                     func(c *linux.Child) { c.IOPriority = &linux.IOPriority{Class: linux.IORealtime, Level: 8} },
		"has no Level":                func(c *linux.Child) { c.IOPriority = &linux.IOPriority{Level: 1} },
		"DurationLimit 8":             func(c *linux.Child) { c.IOPriority = &linux.IOPriority{Class: linux.IORealtime, DurationLimit: 8} },
		"memory mode 7":               func(c *linux.Child) { c.MemoryPolicy = &linux.MemoryPolicy{Mode: 7} },
		"0 Nodes, which MPOL_BIND":    func(c *linux.Child) { c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryBind} },
		"1 Nodes, which MPOL_LOCAL":   func(c *linux.Child) { c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryLocal, Nodes: []int{0}} },
		"Nodes[0] 1024":               func(c *linux.Child) { c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryBind, Nodes: []int{1024}} },
		"StaticNodes or RelativeNodes": func(c *linux.Child) {
			c.MemoryPolicy = &linux.MemoryPolicy{Mode: linux.MemoryBind, Nodes: []int{0}, StaticNodes: true, RelativeNodes: true}
		},
		"Balance is for MPOL_BIND": func(c *linux.Child) { c.MemoryPolicy = &linux.MemoryPolicy{Balance: true} },
		"TimerSlack -1ns":          func(c *linux.Child) { c.TimerSlack = -1 },
		"kernel has none for SCHED_FIFO": func(c *linux.Child) {
			c.TimerSlack, c.Scheduler = 1, &linux.Scheduler{Policy: linux.SchedFIFO, Priority: 1}
		},
		"0x6 is not known":          func(c *linux.Child) { c.Personality = new(linux.Personality(6)) },
		"0xff7 is not known":        func(c *linux.Child) { c.Personality = new(linux.Personality(0xf00fff)) },
		"SessionKeyring \"a\\x00\"": func(c *linux.Child) { c.SessionKeyring = new("a\x00") },
		"are the kernel's":          func(c *linux.Child) { c.SessionKeyring = new(".system") },
		"0x1000 is not known":       func(c *linux.Child) { c.Securebits = 0x1000 },
		"neither Dir nor Chroot":    func(c *linux.Child) { c.NoFileSystem, c.Dir = true, "/" },
		"Listen without Seccomp":    func(c *linux.Child) { c.Listen = true },
	} {
		c := &linux.Child{Path: "/does not exist"}
		change(c)
		if _, err := linux.Clone3(background, c); !errors.Is(err, syscall.EINVAL) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("got error %v, want it to say %q", err, want)
		}
	}
	// Zero values leave everything as it is.
	c := &linux.Child{Path: "/does not exist", Scheduler: new(linux.Scheduler)}
	if _, err := linux.Clone3(background, c); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("with an empty Scheduler: %v", err)
	}
}

func TestAttributeNames(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"unchanged": linux.SchedPolicy(0), "SCHED_DEADLINE": linux.SchedDeadline, "policy 4": linux.SchedPolicy(5),
		"IOPRIO_CLASS_IDLE": linux.IOIdle, "I/O class 9": linux.IOClass(9), "MPOL_BIND": linux.MemoryBind,
		"memory mode 7": linux.MemoryMode(7), "PER_LINUX": linux.Personality(0), "PER_LINUX32|ADDR_LIMIT_3GB": linux.PerLinux32 | linux.PerAddress3GB,
		"UNAME26|0x6": linux.PerUname26 | 6, "none": linux.Securebits(0), "SECBIT_NOROOT|0x1000": linux.SecureNoRoot | 0x1000,
		"no file system": linux.StepNoFileSystem, "listener": linux.StepListener,
	} {
		if got.String() != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for bits := range linux.Securebits(1 << 12) {
		if bits&uapi.SECBIT_KEEP_CAPS != 0 {
			continue
		}
		if got, err := linux.ParseSecurebits(bits.String()); err != nil || got != bits {
			t.Fatalf("%v is read as %v, %v", bits, got, err)
		}
	}
	if got, err := linux.ParseSecurebits("noroot, no_setuid_fixup_locked"); got != linux.SecureNoRoot|linux.SecureNoSetuidFixupLocked || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := linux.ParseSecurebits("root"); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), `"root"`) {
		t.Errorf("got error %v", err)
	}
}

// A program that adopts gets the children of its children.
func TestSubreaperAdopts(t *testing.T) {
	for _, adopts := range []bool{false, true} {
		c := child("orphan for a subreaper")
		c.Subreaper = adopts
		out, _ := output(t, c)
		if got := strings.TrimSpace(out) == "mine"; got != adopts {
			t.Errorf("Subreaper %v: the orphan is %q", adopts, out)
		}
	}
}

// orphan creates a child that creates one, and tells whose that is in the end.
var _ = helper("orphan for a subreaper", func([]string) int {
	r, w, _ := os.Pipe()
	inner := child("leave one to a subreaper", strconv.Itoa(os.Getpid()))
	inner.Files = []*os.File{nil, w, os.Stderr}
	p, err := linux.Clone3(background, inner)
	w.Close()
	if err != nil {
		return fail("%v", err)
	}
	p.Wait(background)
	var out [64]byte
	n, _ := r.Read(out[:])
	fmt.Print(string(out[:n]))
	return 0
})

var _ = helper("leave one to a subreaper", func(args []string) int {
	hold, gone, _ := os.Pipe()
	c := child("whose child", args...)
	c.Files = []*os.File{hold, os.Stdout, os.Stderr}
	if _, err := linux.Clone3(background, c); err != nil {
		return fail("%v", err)
	}
	_ = gone // its end says that this one is gone
	return 0
})

var _ = helper("whose child", func(args []string) int {
	os.Stdin.Read(make([]byte, 1))
	for range 1000 { // the parent is changed some time after its descriptors are closed
		if strconv.Itoa(os.Getppid()) == args[0] {
			fmt.Print("mine")
			return 0
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Print("not mine")
	return 0
})

func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
