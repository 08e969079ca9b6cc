//go:build linux && (amd64 || arm64)

package linux_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// Every system call may fail. A faulted call is one of those that creating a
// process, waiting for it and letting it go make, in this program or in the
// child. It fails the first time, the first two times, or always, while a helper
// does one thing; after that it works again, and so must all else.
//
// A seccomp filter stops the helper at that call, and this test says what it
// answers.
var faultedCalls = []struct {
	name string
	nr   uintptr
}{
	{"clone3", unix.SYS_CLONE3},
	{"close_range", unix.SYS_CLOSE_RANGE},
	{"dup3", unix.SYS_DUP3},
	{"fcntl", unix.SYS_FCNTL},
	{"openat", unix.SYS_OPENAT},
	{"prctl", unix.SYS_PRCTL},
	{"setsid", unix.SYS_SETSID},
	{"setpgid", unix.SYS_SETPGID},
	{"chdir", unix.SYS_CHDIR},
	{"umask", unix.SYS_UMASK},
	{"prlimit64", unix.SYS_PRLIMIT64},
	{"unshare", unix.SYS_UNSHARE},
	{"socketpair", unix.SYS_SOCKETPAIR},
	{"shutdown", unix.SYS_SHUTDOWN},
	{"waitid", unix.SYS_WAITID},
	{"ppoll", unix.SYS_PPOLL},
	{"epoll_create1", unix.SYS_EPOLL_CREATE1},
	{"epoll_ctl", unix.SYS_EPOLL_CTL},
	{"eventfd2", unix.SYS_EVENTFD2},
	{"pidfd_send_signal", unix.SYS_PIDFD_SEND_SIGNAL},
	{"ioctl", unix.SYS_IOCTL},
}

var faultErrors = []syscall.Errno{unix.EINTR, unix.ENOMEM, unix.EAGAIN, unix.EMFILE, unix.ENFILE, unix.EPERM, unix.ENOSYS}

// faultedUses are what the helper does.
var faultedUses = map[string]func(ctx context.Context, p programs) error{
	"plain": func(ctx context.Context, p programs) error { return faulted(ctx, p, func(*linux.Child) {}) },
	"InheritFiles": func(ctx context.Context, p programs) error {
		return faulted(ctx, p, func(c *linux.Child) { c.InheritFiles = true })
	},
	"many steps": func(ctx context.Context, p programs) error {
		return faulted(ctx, p, func(c *linux.Child) {
			mask := 0o22
			c.Dir, c.Umask, c.Setsid, c.ResetSignals, c.Pdeathsig = "/", &mask, true, true, unix.SIGKILL
			c.Rlimits = []linux.Rlimit{{Resource: unix.RLIMIT_CORE}}
		})
	},
	"Created": func(ctx context.Context, p programs) error {
		return faulted(ctx, p, func(c *linux.Child) { c.Created = func(*linux.Process) error { return nil } })
	},
	"user namespace": func(ctx context.Context, p programs) error {
		return faulted(ctx, p, func(c *linux.Child) {
			c.Unshare = linux.NewUser
			ownIDs(c)
		})
	},
	// The end of a first context lets the watcher wait.
	"signal and wait": func(ctx context.Context, programs programs) error {
		p, err := linux.Clone3(ctx, programs.child("nap"))
		if err != nil {
			return err
		}
		defer p.Close()
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		p.Wait(short)
		err = p.Kill() // or it ends by itself
		if _, e := p.Wait(ctx); e != nil {
			err = e
		}
		return err
	},
	"Close": func(ctx context.Context, programs programs) error {
		p, err := linux.Clone3(ctx, programs.child("nap"))
		if err != nil {
			return err
		}
		return p.Close()
	},
	"PidFD": func(ctx context.Context, programs programs) error {
		p, err := linux.Clone3(ctx, programs.child("nap"))
		if err != nil {
			return err
		}
		defer p.Close()
		err = p.PidFD().WaitEnd(ctx)
		if _, e := p.Wait(ctx); e != nil {
			err = e
		}
		return err
	},
}

// programs are the paths of a program that ends at once, and of one that does so
// after some time. Neither makes a call that fails.
type programs struct{ argc, nap string }

func (p programs) child(name string) *linux.Child {
	path := p.argc
	if name == "nap" {
		path = p.nap
	}
	return &linux.Child{Path: path, Args: []string{path}, Env: []string{}}
}

func faulted(ctx context.Context, programs programs, change func(*linux.Child)) error {
	c := programs.child("argc")
	change(c)
	p, err := linux.Clone3(ctx, c)
	if err != nil {
		return err
	}
	defer p.Close()
	s, err := p.Wait(ctx)
	if err == nil && s.Code() != 1 {
		return fmt.Errorf("the child ended with %v", s)
	}
	return err
}

// TestFaults runs all cells of the table with CLONE3_FAULTS, else some.
func TestFaults(t *testing.T) {
	needStatic(t) // glibc creates threads with clone3, and ends the program if it cannot
	all := os.Getenv("CLONE3_FAULTS") != ""
	if testing.Short() && !all {
		t.Skip("the whole is make faults")
	}
	began := time.Now()
	works, fails := 0, 0
	n := 0
	programs := programs{tinyProgram(t), napProgram(t, 100*time.Millisecond)}
	if programs.argc == "" || programs.nap == "" {
		t.Skip("no tiny child for this architecture")
	}
	for _, call := range faultedCalls {
		for use := range faultedUses {
			made := true // as far as is known
			for _, errno := range faultErrors {
				for _, times := range []int{1, 2, 1 << 30} {
					if n++; !made || !all && n%97 != 0 {
						continue
					}
					name := fmt.Sprintf("%s/%s/%s/%d", use, call.name, unix.ErrnoName(errno), times)
					out, seen, err := runFaulted(t, programs, use, call.nr, errno, times)
					made = seen > 0
					switch {
					case errors.Is(err, errors.ErrUnsupported):
						t.Skip(err)
					case err != nil:
						t.Errorf("%s: %v: %s", name, err, out)
					case out == "works":
						works++
					case strings.HasPrefix(out, "error: ") && seen > 0:
						fails++
					default:
						t.Errorf("%s: %s", name, out)
					}
				}
			}
		}
	}
	t.Logf("%d cells work, %d are clear errors, in %v", works, fails, time.Since(began).Round(time.Second))
}

// runFaulted runs the helper while a call fails, and returns what it says and how
// often the call was made.
func runFaulted(t *testing.T, p programs, use string, nr uintptr, errno syscall.Errno, times int) (out string, seen int, err error) {
	t.Helper()
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("be faulted", use, strconv.Itoa(int(nr)), p.argc, p.nap)
	c.Files = []*os.File{nil, w, w, theirs}
	helper, err := linux.Clone3(background, c)
	theirs.Close()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer helper.Close()
	end := time.AfterFunc(20*time.Second, func() { helper.Signal(unix.SIGQUIT) }) // prints stacks
	defer end.Stop()

	done := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(r)
		done <- strings.TrimSpace(string(text))
	}()
	listener, err := receiveFD(ours)
	if err == nil {
		// From here on the helper and its children stop at each such call.
		// They are let go on until the helper says that it is ready.
		seen = answerFaults(listener, ours, errno, times)
		unix.Close(listener)
	}
	out = <-done
	helper.Kill()
	wait(t, helper)
	if err != nil && strings.HasPrefix(out, "SKIP") {
		return out, 0, fmt.Errorf("%s: %w", out, errors.ErrUnsupported)
	}
	return out, seen, err
}

func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "faults")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, nil, err
	}
	return conn.(*net.UnixConn), os.NewFile(uintptr(fds[1]), "faulted"), nil
}

func receiveFD(conn *net.UnixConn) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 1), oob)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) == 0 {
		return -1, fmt.Errorf("no listener has come: %v", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}

// answerFaults answers the calls of the helper until it ends: with errno, so many
// times, between two bytes that it sends.
func answerFaults(listener int, conn *net.UnixConn, errno syscall.Errno, times int) (seen int) {
	armed := make(chan bool)
	go func() {
		defer close(armed)
		var b [1]byte
		for {
			if _, err := conn.Read(b[:]); err != nil {
				return
			}
			armed <- b[0] == 1
			conn.Write(b[:])
		}
	}()
	failing := false
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 5)
		select {
		case on, ok := <-armed:
			if !ok {
				return seen // the helper has ended
			}
			failing = on
		default:
		}
		if err != nil && err != unix.EINTR || n > 0 && fds[0].Revents&unix.POLLIN == 0 {
			for range armed { // nobody is left who has the filter
			}
			return seen
		}
		if n <= 0 {
			continue
		}
		var request [80]byte // struct seccomp_notif
		var answer [24]byte  // struct seccomp_notif_resp
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&request))); e != 0 {
			continue
		}
		copy(answer[:8], request[:8])
		if failing && seen < times {
			binary.NativeEndian.PutUint32(answer[16:], uint32(-int32(errno)))
		} else {
			binary.NativeEndian.PutUint32(answer[20:], unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		}
		if failing {
			seen++
		}
		unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&answer)))
	}
}

// be faulted sets the filter for itself alone, sends what listens to it, and
// executes itself again: so that all of its threads have the filter.
var _ = helper("be faulted", func(args []string) int {
	nr, _ := strconv.Atoi(args[1])
	listener, err := listenToCall(uintptr(nr))
	if err != nil {
		return fail("SKIP: no seccomp listener: %v", err)
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fail("SKIP: %v", err)
	}
	unix.Close(listener)
	env := append(environ(), helperVar+"=faulted", "GORACE=atexit_sleep_ms=0")
	err = syscall.Exec("/proc/self/exe", append([]string{"helper"}, args...), env)
	return fail("exec: %v", err)
})

func listenToCall(nr uintptr) (int, error) {
	runtime.LockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(nr), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return -1, err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fd, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
	if e != 0 {
		return -1, e
	}
	return int(fd), nil
}

// faulted does something while a call fails, and afterwards something that has
// to work.
var _ = helper("faulted", func(args []string) int {
	say := func(b byte) {
		unix.Write(3, []byte{b})
		unix.Read(3, []byte{0})
	}
	unix.CloseOnExec(3)
	before := fileCount()
	ctx, cancel := context.WithTimeout(background, 10*time.Second)
	defer cancel()
	programs := programs{args[2], args[3]}
	say(1)
	err := faultedUses[args[0]](ctx, programs)
	say(0)
	if again := faulted(background, programs, func(*linux.Child) {}); again != nil {
		return fail("afterwards: %v (before that: %v)", again, err)
	}
	// What is let go is reaped when it has ended.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		e := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
		runtime.GC()
		const kept = 5 // /dev/null, the bell, epoll, and the runtime's two
		if e == unix.ECHILD && fileCount() <= before+kept {
			break
		}
		if time.Now().After(deadline) {
			return fail("left: children %v, %d descriptors, %d before (%v)", e, fileCount(), before, err)
		}
	}
	if err == nil {
		fmt.Print("works")
		return 0
	}
	if !isClear(err) {
		return fail("the error does not tell what has failed: %v (%T)", err, err)
	}
	fmt.Print("error: ", err)
	return 0
})

func fileCount() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// isClear reports whether an error names a call, a step or a path.
func isClear(err error) bool {
	var call *os.SyscallError
	var step *linux.StepError
	var path *fs.PathError
	var unsupported *linux.UnsupportedError
	named := errors.As(err, &call) || errors.As(err, &step) || errors.As(err, &path) || errors.As(err, &unsupported)
	calls := slices.ContainsFunc(faultedCalls, func(c struct {
		name string
		nr   uintptr
	}) bool {
		return strings.Contains(err.Error(), c.name)
	})
	return (named || calls) && !errors.Is(err, context.DeadlineExceeded)
}
