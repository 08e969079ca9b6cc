//go:build linux

package linux

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/table"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A guard kills control groups when this program has ended, however that was: no
// file of the kernel does. It is a process, "clone3-guard" in ps(1), that executes
// no program: it is forked off this one, lets go of all memory and descriptors, and
// reads from a socket, the other end of which nobody has but this program. It is
// started again when somebody kills it.
//
// To fork takes the longer the more memory this program uses. So a guard is for
// some trees, the groups of which are in a group of its own. One that is below the
// group of this program stays when it has no trees any more, for the next ones;
// elsewhere it would be in the way of who wants to remove the group above.
type guard struct {
	pen   *Cgroup
	stays bool
	used  [guardedGroups]bool // which names of groups are; guards is held

	mu     sync.Mutex
	p      *Process // or nil while there is none
	socket *os.File // the end of this program
	ticket uint64   // with the watcher, for p
	over   bool     // it is not needed any more
}

// guardedGroups is how many trees a guard is for.
const guardedGroups = 16

// guards are those of this program, by the group that they are below.
var guards struct {
	sync.Mutex
	below map[string][]*guard
}

// guardedGroup creates a control group that a guard kills, below parent. stays says
// that this is the group of this program.
func guardedGroup(ctx context.Context, parent string, stays bool) (*Cgroup, *guard, error) {
	guards.Lock()
	for _, g := range guards.below[parent] {
		if group := g.create(); group != nil {
			guards.Unlock()
			return group, g, nil
		}
	}
	guards.Unlock()
	g, err := newGuard(ctx, parent, stays)
	if err != nil {
		return nil, nil, err
	}
	guards.Lock()
	group := g.create()
	if group != nil {
		if guards.below == nil {
			guards.below = make(map[string][]*guard)
		}
		guards.below[parent] = append(guards.below[parent], g)
	}
	guards.Unlock()
	if group == nil {
		g.end()
		return nil, nil, fmt.Errorf("linux: no control group can be created in %s", g.pen.Path())
	}
	return group, g, nil
}

// create creates a group, or returns nil if it cannot. guards is held.
func (g *guard) create() *Cgroup {
	for i, used := range g.used {
		path := g.pen.Path() + "/" + strconv.Itoa(i)
		if used || unix.Mkdir(path, 0o755) != nil {
			continue
		}
		dir, err := os.Open(path)
		if err != nil {
			unix.Rmdir(path)
			return nil
		}
		g.used[i] = true
		return &Cgroup{dir}
	}
	return nil
}

// release is called when a group was discarded. A guard that is not needed any
// more ends.
func (g *guard) release(group *Cgroup) {
	if g == nil {
		return
	}
	guards.Lock()
	if i, err := strconv.Atoi(filepath.Base(group.Path())); err == nil && unix.Access(group.Path(), unix.F_OK) == unix.ENOENT {
		g.used[i] = false
	}
	gone := unix.Access(g.pen.Path(), unix.F_OK) == unix.ENOENT
	over := (!g.stays || gone) && !slices.Contains(g.used[:], true)
	if over {
		parent := filepath.Dir(g.pen.Path())
		rest := slices.DeleteFunc(guards.below[parent], func(other *guard) bool { return other == g })
		if guards.below[parent] = rest; len(rest) == 0 {
			delete(guards.below, parent)
		}
	}
	guards.Unlock()
	if over {
		g.end()
	}
}

// newGuard starts a guard.
func newGuard(ctx context.Context, parent string, stays bool) (*guard, error) {
	pen, err := killableGroup(parent)
	if err != nil {
		return nil, err
	}
	g := &guard{pen: pen, stays: stays}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.start(ctx); err != nil {
		pen.discard()
		return nil, &guardError{pen.Path(), err}
	}
	return g, nil
}

// A guardError says that there is nobody who would kill a tree at the end of this
// program. The tree is not created then: there is no lack of control groups.
type guardError struct {
	path string
	err  error
}

func (e *guardError) Error() string {
	return "linux: what is to kill " + e.path + " at the end of this program cannot be started: " + e.err.Error()
}

func (e *guardError) Unwrap() error { return e.err }

// end ends the guard, and removes its group.
func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.pen.discard()
	g.bury()
}

// bury makes an end of the process. mu is held.
func (g *guard) bury() {
	if g.p == nil {
		return
	}
	if g.ticket != 0 {
		watched.leave(g.ticket, g.p.fd) // Wait may watch it
		g.ticket = 0
	}
	g.p.Kill()
	g.p.Wait(context.Background())
	g.p.Close()
	g.socket.Close()
	g.p = nil
}

// notify starts the guard again if it has ended.
func (g *guard) notify() (again bool) {
	go func() {
		for pause := time.Millisecond; g.restart() != nil; pause = min(2*pause, time.Second) {
			time.Sleep(pause)
		}
	}()
	return false
}

func (g *guard) restart() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over || g.p != nil && !ended(g.p.fd) {
		return nil
	}
	g.bury()
	return g.start(context.Background())
}

// start starts the process, and waits until it is on guard. mu is held.
func (g *guard) start(ctx context.Context) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socketpair", err)
	}
	unix.SetNonblock(pair[0], true)
	socket := os.NewFile(uintptr(pair[0]), "guard")
	p, err := g.fork(pair[1])
	unix.Close(pair[1])
	if err != nil {
		socket.Close()
		return err
	}
	g.p, g.socket = p, socket
	stop := context.AfterFunc(ctx, func() { socket.SetReadDeadline(time.Unix(1, 0)) })
	_, err = socket.Read(make([]byte, 1))
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		g.bury()
		return err
	}
	g.ticket = watched.add(p.fd, g)
	return nil
}

// fork creates the process, which has there as its end of the socket.
func (g *guard) fork(there int) (*Process, error) {
	parent, err := unix.Open(filepath.Dir(g.pen.Path()), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: filepath.Dir(g.pen.Path()), Err: err}
	}
	defer unix.Close(parent)
	kill, err := unix.Openat(int(g.pen.dir.Fd()), "cgroup.kill", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: g.pen.Path() + "/cgroup.kill", Err: err}
	}
	defer unix.Close(kill)
	maps, err := readFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	d := duty{socket: there, kill: kill, parent: parent}
	defer d.Reset()
	size := 2 * (len(guardPauses)*(guardedGroups+3) + strings.Count(string(maps), "\n") + 40) * int(unsafe.Sizeof(uintptr(0))) * 13
	d.Alone(size)
	if maps, err = readFile("/proc/self/maps"); err != nil { // without what is where the table is now
		return nil, err
	}
	d.plan(string(maps), filepath.Base(g.pen.Path()))
	if err := d.Link(); err != nil {
		return nil, err
	}
	pid, errno := d.Run(false)
	if errno != 0 {
		return nil, os.NewSyscallError("clone3", errno)
	}
	return newProcess(&Child{}, pid, int(*d.pidfd)), nil
}

// A duty is the table of a guard.
type duty struct {
	table.Table
	socket, kill, parent int // descriptors: its end of the socket, cgroup.kill, and the directory above the group
	pidfd                *int32
}

// guardPauses are how long a guard waits, again and again, until the group is
// empty and can be removed. In all that is some seconds.
var guardPauses = [...]time.Duration{
	0, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

// plan lists what a guard does. pen is the name of its group.
func (d *duty) plan(maps, pen string) {
	t, none := &d.Table, table.Label{}
	all, mask := table.In[sigset](t), table.In[sigset](t)
	*all = sigset{math.MaxUint64, math.MaxUint64}
	d.pidfd = table.In[int32](t)
	a := table.In[uapi.CloneArgs](t)
	a.Flags, a.Pidfd = uapi.CLONE_PIDFD|uapi.CLONE_CLEAR_SIGHAND, uint64(table.Address(d.pidfd))
	d.Call(none, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(all), table.Address(mask), sigsetSize())
	d.Call(none, uapi.SYS_CLONE3, table.Address(a), unsafe.Sizeof(*a))
	d.Call(none, uapi.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, table.Address(mask), 0, sigsetSize())

	// No signal but SIGKILL ends it: all are blocked. Nobody else's descriptors
	// stay open, nor does memory.
	next := 0
	for _, fd := range slices.Sorted(slices.Values([]int{d.socket, d.kill, d.parent})) {
		if fd > next {
			d.Call(none, uapi.SYS_CLOSE_RANGE, uintptr(next), uintptr(fd-1))
		}
		next = fd + 1
	}
	d.Call(none, uapi.SYS_CLOSE_RANGE, uintptr(next), math.MaxUint32)
	d.Try(none, uapi.SYS_PRCTL, unix.PR_SET_NAME, d.CString("clone3-guard"))
	d.Try(none, uapi.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0)
	d.Try(none, uapi.SYS_SETSID)
	d.Try(none, unix.SYS_CHDIR, d.CString("/"))
	d.forget(maps)

	b := d.Raw(1)
	// If this program is gone already neither works, and it goes on.
	d.Try(none, uapi.SYS_WRITE, uintptr(d.socket), table.Address(&b[0]), 1)
	d.Try(none, uapi.SYS_READ, uintptr(d.socket), table.Address(&b[0]), 1) // until this program has ended
	one, dir := d.CString("1"), d.CString(pen)
	var groups [guardedGroups]uintptr
	for i := range groups {
		groups[i] = d.CString(pen + "/" + strconv.Itoa(i))
	}
	for _, pause := range guardPauses {
		span := unix.NsecToTimespec(int64(pause))
		words := d.Words(2)
		words[0], words[1] = uintptr(span.Sec), uintptr(span.Nsec)
		d.Try(none, uapi.SYS_WRITE, uintptr(d.kill), one, 1)
		d.Try(none, unix.SYS_PPOLL, 0, 0, table.Address(&words[0]), 0, sigsetSize())
		for _, group := range groups {
			d.Try(none, unix.SYS_UNLINKAT, uintptr(d.parent), group, unix.AT_REMOVEDIR)
		}
		d.UntilDone(none, unix.SYS_UNLINKAT, uintptr(d.parent), dir, unix.AT_REMOVEDIR)
	}
	d.Call(none, uapi.SYS_EXIT_GROUP, 0)
}

// forget lets the process drop all memory but the table and code. What is private
// is not unmapped, since the kernel may write there: it does so for the C library
// of the thread that has forked it, see rseq(2).
func (d *duty) forget(maps string) {
	from, to := d.Where()
	for line := range strings.Lines(maps) {
		// from-to permissions ...
		span, rest, _ := strings.Cut(line, " ")
		first, last, _ := strings.Cut(span, "-")
		a, err1 := strconv.ParseUint(first, 16, 64)
		b, err2 := strconv.ParseUint(last, 16, 64)
		if err1 != nil || err2 != nil || len(rest) < 4 || rest[2] == 'x' || strings.Contains(line, "[v") ||
			uintptr(a) < to && from < uintptr(b) {
			continue
		}
		if rest[3] == 's' {
			d.Try(table.Label{}, unix.SYS_MUNMAP, uintptr(a), uintptr(b-a))
		} else {
			d.Try(table.Label{}, unix.SYS_MADVISE, uintptr(a), uintptr(b-a), unix.MADV_DONTNEED)
		}
	}
}
