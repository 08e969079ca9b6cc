//go:build linux

package linux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// toEmulate returns the flags that are to be emulated.
func (c *Child) toEmulate() Flags {
	flag := AutoReap
	if c.Flags&^AutoReap&AutoKill != 0 {
		flag = AutoKill
	}
	if !c.Flags.has(flag) || !c.Emulate.has(flag) || !errors.Is(Probe(flag), errors.ErrUnsupported) {
		return 0
	}
	return flag
}

// emulate creates a child without flags that the kernel lacks, and has the
// nearest to them done: see Process.Emulated.
func emulate(ctx context.Context, c *Child, lacking Flags) (*Process, error) {
	e := *c
	e.Flags &^= lacking
	e.nearly = lacking
	if lacking.has(AutoKill) {
		return tied(ctx, &e)
	}
	return create(ctx, &e)
}

// mainThread is whether the runtime has the first thread of this program, which it
// then keeps as long as the program runs, whatever goroutine has ended there. In a
// library for C it has not.
var mainThread = unix.Gettid() == os.Getpid() // as packages are initialised there

// tied creates a child that dies with this program: in the calling thread if that
// does not end before, else in a keeper.
func tied(ctx context.Context, c *Child) (p *Process, err error) {
	runtime.LockOSThread()
	if mainThread && unix.Gettid() == os.Getpid() {
		defer runtime.UnlockOSThread()
		var mine inheritance
		if err := mine.addRest(); err != nil {
			return nil, unknown("the calling thread", err)
		}
		if why := mayForget(c, &mine); why != "" {
			return nil, cannotEmulate(why, nil)
		}
		c.Pdeathsig = syscall.SIGKILL
		return create(ctx, c)
	}
	mine, err := inherited()
	runtime.UnlockOSThread()
	if err != nil {
		return nil, unknown("the calling thread", err)
	}
	if why := mayForget(c, &mine); why != "" {
		return nil, cannotEmulate(why, nil)
	}
	c.Pdeathsig = syscall.SIGKILL
	var panicked any
	onKeeper(func(k *keeper) {
		defer func() { panicked = recover() }() // of Child.Created
		var its inheritance
		if its, err = k.inherited(); err != nil {
			err = unknown("its parent", err)
			return
		}
		if what := mine.differs(&its); what != "" {
			err = cannotEmulate("the calling thread has its own "+what+", and the child would be that of another thread", nil)
			return
		}
		p, err = create(ctx, c)
	})
	if panicked != nil {
		panic(panicked)
	}
	return p, err
}

func cannotEmulate(why string, err error) error {
	return &UnsupportedError{Feature: "AutoKill", Release: "7.1", Err: err,
		Reason: "the kernel or a seccomp filter lacks it, and it cannot be emulated: " + why}
}

// unknown says why it is not known what a child inherits of a thread: there is no
// /proc, or something is missing for now.
func unknown(thread string, err error) error {
	err = fmt.Errorf("linux: what a child inherits of %s cannot be known: %w", thread, err)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return cannotEmulate("/proc/thread-self/ns cannot be read", err)
	}
	return err
}

// mayForget returns why the kernel could come to forget that the child is to be
// killed: it does when a program is executed with other credentials.
func mayForget(c *Child, mine *inheritance) string {
	switch {
	case !c.Flags.has(NoNewPrivs):
		return "without NoNewPrivs the kernel forgets it when a program is executed that gains privileges"
	case c.Ptrace:
		return "with Ptrace the child has to be that of the calling thread"
	case c.Pdeathsig != 0 && c.Pdeathsig != syscall.SIGKILL:
		return fmt.Sprintf("the signal at the end of the parent is SIGKILL then, and not Pdeathsig %d", c.Pdeathsig)
	case mine.ids[0] != mine.ids[1] || mine.ids[3] != mine.ids[4]:
		return "the effective IDs of this program are not its real ones, and the kernel forgets it when a program is executed"
	case c.Credential != nil && !mine.has(unix.CAP_SETUID):
		return "without CAP_SETUID, Credential changes the effective user alone, and the kernel forgets it when a program is executed"
	}
	return ""
}

// An inheritance is what a child inherits of the thread that creates it, as far
// as that can be compared.
type inheritance struct {
	namespaces [len(namespaceFiles)]uint64 // their numbers, or 0
	root, dir  [2]uint64                   // device and inode
	ids        [6]int                      // real, effective and saved user, and group
	groups     []int
	caps       [2]unix.CapUserData
	noNewPrivs int
	secureBits int
	seccomp    int
	schedule   unix.SchedAttr
	cpus       unix.CPUSet
}

// namespaceFiles are those in which threads can differ. A program with several
// threads changes neither its user namespace nor that of its time.
var namespaceFiles = [...]string{"mnt", "cgroup", "ipc", "net", "pid_for_children", "time_for_children", "uts"}

// inherited returns that of the calling thread.
func inherited() (h inheritance, err error) {
	if h.namespaces, err = threadNamespaces(); err != nil {
		return h, err
	}
	return h, h.addRest()
}

// threadNamespaces returns the namespaces of the calling thread.
func threadNamespaces() (numbers [len(namespaceFiles)]uint64, err error) {
	links, err := unix.Open("/proc/thread-self/ns", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return numbers, &os.PathError{Op: "open", Path: "/proc/thread-self/ns", Err: err}
	}
	defer unix.Close(links)
	var name [64]byte
	for i, file := range namespaceFiles {
		// Kernels lack those that came later, and have one of each for all.
		if n, err := unix.Readlinkat(links, file, name[:]); err == nil {
			numbers[i] = linkNumber(name[:n])
		} else if err != unix.ENOENT {
			return numbers, &os.PathError{Op: "readlink", Path: "/proc/thread-self/ns/" + file, Err: err}
		}
	}
	return numbers, nil
}

// linkNumber returns the number in the name of a namespace, such as
// "net:[4026531840]".
func linkNumber(name []byte) (n uint64) {
	for _, digit := range name {
		if '0' <= digit && digit <= '9' {
			n = 10*n + uint64(digit-'0')
		}
	}
	return n
}

// addRest adds what threads may come to differ in at any time.
func (h *inheritance) addRest() (err error) {
	var stat unix.Stat_t
	for _, of := range [...]struct {
		name string
		at   *[2]uint64
	}{{"/", &h.root}, {".", &h.dir}} {
		if err := unix.Stat(of.name, &stat); err != nil && err != unix.ENOENT && err != unix.EACCES {
			return &os.PathError{Op: "stat", Path: of.name, Err: err}
		} else if err == nil {
			*of.at = [2]uint64{uint64(stat.Dev), stat.Ino}
		}
	}
	h.ids[0], h.ids[1], h.ids[2] = unix.Getresuid()
	h.ids[3], h.ids[4], h.ids[5] = unix.Getresgid()
	if h.groups, err = unix.Getgroups(); err != nil {
		return os.NewSyscallError("getgroups", err)
	}
	if h.caps, err = capabilitiesHere(); err != nil {
		return err
	}
	for _, of := range []struct {
		option int
		value  *int
	}{
		{unix.PR_GET_NO_NEW_PRIVS, &h.noNewPrivs}, {unix.PR_GET_SECUREBITS, &h.secureBits}, {unix.PR_GET_SECCOMP, &h.seccomp},
	} {
		var err error
		if *of.value, err = unix.PrctlRetInt(of.option, 0, 0, 0, 0); err != nil && err != unix.EINVAL { // the kernel has no seccomp
			return os.NewSyscallError("prctl", err)
		}
	}
	if attr, err := unix.SchedGetAttr(0, 0); err == nil {
		h.schedule = *attr
	}
	return os.NewSyscallError("sched_getaffinity", unix.SchedGetaffinity(0, &h.cpus))
}

// has reports whether it has a capability.
func (h *inheritance) has(capability uint) bool {
	return h.caps[capability/32].Effective&(1<<(capability%32)) != 0
}

// differs returns in what two of them differ, or "".
func (h *inheritance) differs(o *inheritance) string {
	for i, name := range namespaceFiles {
		if h.namespaces[i] != o.namespaces[i] {
			return name + " namespace"
		}
	}
	switch {
	case h.root != o.root:
		return "root directory"
	case h.dir != o.dir:
		return "working directory"
	case h.ids != o.ids:
		return "user or group IDs"
	case !slices.Equal(h.groups, o.groups):
		return "supplementary groups"
	case h.caps != o.caps:
		return "capabilities"
	case h.secureBits != o.secureBits:
		return "securebits"
	case h.noNewPrivs != o.noNewPrivs:
		return "no_new_privs"
	case h.seccomp != o.seccomp:
		return "seccomp mode"
	case h.schedule != o.schedule:
		return "scheduling"
	case h.cpus != o.cpus:
		return "set of CPUs"
	}
	return ""
}

// A keeper is a thread that does not end before this program does. It creates
// children that are to be killed then. Its namespaces do not change.
type keeper struct {
	jobs       chan func(*keeper)
	namespaces [len(namespaceFiles)]uint64 // once known
}

// keepers are those that have nothing to do. There come to be as many as there
// were children created at the same time.
var keepers struct {
	sync.Mutex
	idle []*keeper
}

// onKeeper calls a function in a keeper, and waits until it has returned.
func onKeeper(do func(*keeper)) {
	k := takeKeeper()
	done := make(chan struct{})
	k.jobs <- func(k *keeper) {
		defer close(done)
		do(k)
	}
	<-done
	keepers.Lock()
	defer keepers.Unlock()
	keepers.idle = append(keepers.idle, k)
}

func takeKeeper() *keeper {
	keepers.Lock()
	defer keepers.Unlock()
	if n := len(keepers.idle); n > 0 {
		k := keepers.idle[n-1]
		keepers.idle = keepers.idle[:n-1]
		return k
	}
	k := &keeper{jobs: make(chan func(*keeper))}
	go k.run()
	return k
}

func (k *keeper) run() {
	runtime.LockOSThread() // for good
	for job := range k.jobs {
		job(k)
	}
}

// inherited returns what a child of the keeper inherits. It is called in it.
func (k *keeper) inherited() (h inheritance, err error) {
	if k.namespaces == [len(namespaceFiles)]uint64{} {
		if k.namespaces, err = threadNamespaces(); err != nil {
			k.namespaces = [len(namespaceFiles)]uint64{}
			return h, err
		}
	}
	h.namespaces = k.namespaces
	return h, h.addRest()
}
