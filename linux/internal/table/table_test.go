//go:build linux

package table

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// begin adds the calls of the parent to a table, for a child that shares its
// memory or not.
func begin(t *Table, shared bool) {
	a := In[uapi.CloneArgs](t)
	a.Flags = uapi.CLONE_VFORK
	if shared {
		a.Flags |= uapi.CLONE_VM
	}
	a.ExitSignal = uint64(syscall.SIGCHLD)
	none := Label{}
	t.Call(none, uapi.SYS_GETPID)
	t.Call(none, uapi.SYS_CLONE3, Address(a), unsafe.Sizeof(*a))
	t.Call(none, uapi.SYS_GETPID)
}

// run links a table, runs it, and returns what has come of it.
func run(t *testing.T, table *Table) Failure {
	t.Helper()
	if err := table.Link(); err != nil {
		t.Fatal(err)
	}
	return fly(t, table)
}

// fly runs a linked table, and returns what has come of it.
func fly(t *testing.T, table *Table) Failure {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, errno := table.Run(true)
	if errno == syscall.ENOSYS || errno == syscall.EPERM {
		t.Skip("clone3: ", errno)
	}
	if errno != 0 {
		t.Fatal("clone3: ", errno)
	}
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	return table.Outcome()
}

// The child can do without the memory of this program: what it needs, and what
// it answers, lies where both see it.
func TestOutcome(t *testing.T) {
	for name, shared := range map[string]bool{"shared memory": true, "own memory": false} {
		for _, test := range []struct {
			name  string
			build func(*Table)
			want  string
			errno syscall.Errno
		}{
			{"a call fails", func(t *Table) {
				t.Call(Label{Verb: "close %d", N: 7}, uapi.SYS_CLOSE, ^uintptr(0))
				t.Call(Label{Verb: "exec"}, uapi.SYS_GETPID)
			}, "close 7: bad file descriptor", unix.EBADF},
			{"a call with a path fails", func(t *Table) {
				t.Call(Label{Verb: "chdir", Path: "/no/such"}, uapi.SYS_CHDIR, t.CString("/no/such"))
			}, "chdir /no/such: no such file or directory", unix.ENOENT},
			{"a call that may fail does", func(t *Table) {
				t.Try(Label{Verb: "close"}, uapi.SYS_CLOSE, ^uintptr(0))
				t.Call(Label{Verb: "umask"}, uapi.SYS_CHDIR, t.CString("/no/such"))
			}, "umask: no such file or directory", unix.ENOENT},
			{"another result was demanded", func(t *Table) {
				t.Demand(uintptr(os.Getpid()), Label{Verb: "getppid"}, uapi.SYS_GETPPID)
				t.Demand(4, Label{Verb: "umask"}, uapi.SYS_UMASK, 4)
			}, "umask: unexpected result", 0},
			{"a result is passed on to the second argument", func(t *Table) {
				from := t.Call(Label{Verb: "getpid"}, uapi.SYS_GETPID)
				to := t.Call(Label{Verb: "setpgid"}, uapi.SYS_SETPGID, 0, 1<<30)
				t.Pass(from, to, 1)
				t.Call(Label{Verb: "end"}, uapi.SYS_CLOSE, ^uintptr(0))
			}, "end: bad file descriptor", unix.EBADF},
			{"a result is passed on", func(t *Table) {
				from := t.Call(Label{Verb: "getpid"}, uapi.SYS_GETPID)
				to := t.Call(Label{Verb: "getpgid"}, unix.SYS_GETPGID, 1<<30)
				t.Pass(from, to, 0)
				t.Call(Label{Verb: "end"}, uapi.SYS_CLOSE, ^uintptr(0))
			}, "end: bad file descriptor", unix.EBADF},
			{"strings of more than a chunk", func(t *Table) {
				path := strings.Repeat("x", 3*minChunk)
				t.Call(Label{Verb: "chdir"}, uapi.SYS_CHDIR, t.CString(path))
			}, "chdir: file name too long", unix.ENAMETOOLONG},
			{"a list of strings is read", func(t *Table) {
				argv := t.CStrings([]string{"a", "b"})
				t.Call(Label{Verb: "exec", Path: "/"}, uapi.SYS_EXECVE, t.CString("/"), argv, t.CStrings(nil))
			}, "exec /: permission denied", unix.EACCES},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				var table Table
				defer table.Reset()
				if !shared {
					table.Apart()
				}
				begin(&table, shared)
				test.build(&table)
				f := run(t, &table)
				got := f.Label.Verb + ": " + f.Err().Error()
				if pe, ok := f.Err().(*fs.PathError); ok {
					got = pe.Error()
				} else if strings.Contains(f.Label.Verb, "%") {
					got = f.Label.String() + ": " + f.Err().Error()
				}
				if !strings.HasPrefix(got, test.want) || f.Errno() != test.errno || f.Executed() {
					t.Errorf("got %q, errno %d, executed %v, want %q, errno %d", got, f.Errno(), f.Executed(), test.want, test.errno)
				}
				if test.errno != 0 && !errors.Is(f.Err(), test.errno) {
					t.Errorf("error %v is not %v", f.Err(), test.errno)
				}
			})
		}
	}
}

// A child that is killed has left its call pending.
func TestPending(t *testing.T) {
	var table Table
	begin(&table, true)
	self := table.Call(Label{Verb: "getpid"}, uapi.SYS_GETPID)
	kill := table.Call(Label{Verb: "kill"}, unix.SYS_KILL, 0, uintptr(syscall.SIGKILL))
	table.Pass(self, kill, 0)
	table.Call(Label{Verb: "exec"}, uapi.SYS_GETPID)
	f := run(t, &table)
	if f.Label.Verb != "kill" || !f.Pending || f.Executed() {
		t.Errorf("got %+v, want that kill is pending", f)
	}
}

// What may be the fault of an old kernel alone says so.
func TestUnsupported(t *testing.T) {
	label := Label{Verb: "close all", Feature: "InheritFiles", Since: "5.9"}
	for errno, want := range map[syscall.Errno]bool{unix.ENOSYS: true, unix.EINVAL: true, unix.ENOMEM: false} {
		if got := (Failure{Label: label, Result: -uintptr(errno)}).Unsupported(); got != want {
			t.Errorf("%v: got %v, want %v", errno, got, want)
		}
		if (Failure{Result: -uintptr(errno)}).Unsupported() {
			t.Errorf("%v of a call that all kernels have: got true, want false", errno)
		}
	}
	if e := (Failure{Label: label, Result: 5}).Errno(); e != 0 {
		t.Errorf("got %v, want none: it is a value", e)
	}
}

// The arguments that others write to lie in the table itself.
func TestArgument(t *testing.T) {
	var table Table
	begin(&table, true)
	i := table.Call(Label{Verb: "close"}, uapi.SYS_CLOSE, 99)
	if err := table.Link(); err != nil {
		t.Fatal(err)
	}
	*table.Argument(i, 0) = -1
	if got := uint32(table.linked[i].Args[0]); got != 1<<32-1 {
		t.Errorf("got %#x, want all bits of the low half set", got)
	}
	if program.First != i {
		t.Errorf("the first call of the child is %d, want %d", i, program.First)
	}
}
