//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// own returns a handle that is the test's, and closed at its end.
func own(t testing.TB, f *linux.PidFD, err error) *linux.PidFD {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// living returns a handle of a child that lives until release or the end of the
// test, without a Process that might reap it.
func living(t testing.TB, c *linux.Child) (f *linux.PidFD, p *linux.Process, release func()) {
	t.Helper()
	p, release = held(t, c)
	g, err := p.PidFD().Dup()
	return own(t, g, err), p, release
}

// zombie returns a handle of a child that has exited and is not reaped.
func zombie(t testing.TB) (*linux.PidFD, *linux.Process) {
	t.Helper()
	f, p, release := living(t, child("hold"))
	release()
	if err := f.WaitEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f, p
}

// reaped returns a handle of a child that has exited with code 7.
func reaped(t testing.TB) *linux.PidFD {
	t.Helper()
	p := start(t, child("exit", "7"))
	g, err := p.PidFD().Dup()
	f := own(t, g, err)
	wait(t, p)
	return f
}

// is fails the test if err is not want: an error, or nil.
func is(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// number returns the descriptor of a handle, to look at it.
func number(t testing.TB, f *linux.PidFD) (n int) {
	t.Helper()
	if err := f.WithFD(func(fd int) { n = fd }); err != nil {
		t.Fatal(err)
	}
	return n
}

func cloexec(t testing.TB, f *linux.PidFD) bool {
	t.Helper()
	flags, err := unix.FcntlInt(uintptr(number(t, f)), unix.F_GETFD, 0)
	if err != nil {
		t.Fatal(err)
	}
	return flags&unix.FD_CLOEXEC != 0
}

func TestPidFDIsOpenedInManyWays(t *testing.T) {
	f, p, _ := living(t, child("hold"))
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperVar+"=hold")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()

	for _, test := range []struct {
		name string
		pid  int
		open func() (*linux.PidFD, error)
	}{
		{"by pid", p.Pid(), func() (*linux.PidFD, error) { return linux.OpenPidFD(p.Pid()) }},
		{"by os.Process", cmd.Process.Pid, func() (*linux.PidFD, error) { return linux.OpenProcess(cmd.Process) }},
		{"by duplicating a handle", p.Pid(), f.Dup},
		{"by duplicating a file", p.Pid(), func() (*linux.PidFD, error) {
			file, err := f.File()
			if err != nil {
				return nil, err
			}
			defer file.Close()
			return linux.DupPidFD(file)
		}},
		{"by adopting a descriptor", p.Pid(), func() (*linux.PidFD, error) {
			fd, err := unix.Dup(number(t, f))
			if err != nil {
				return nil, err
			}
			return linux.AdoptPidFD(fd)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, err := test.open()
			own(t, g, err)
			if pid, err := g.Pid(); pid != test.pid || err != nil {
				t.Errorf("Pid: got %d, %v, want %d", pid, err, test.pid)
			}
			if err := g.Signal(0); err != nil {
				t.Error("Signal:", err)
			}
			if !cloexec(t, g) {
				t.Error("the descriptor is not close-on-exec")
			}
		})
	}
}

func TestOnlyPidFDsAreAdopted(t *testing.T) {
	file, err := os.Open("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, f := range []*os.File{file, null} {
		_, err := linux.DupPidFD(f)
		is(t, "DupPidFD of "+f.Name(), err, unix.EBADF)
		_, err = linux.AdoptPidFD(int(f.Fd()))
		is(t, "AdoptPidFD of "+f.Name(), err, unix.EBADF)
		if _, err := f.Stat(); err != nil {
			t.Errorf("%s was closed: %v", f.Name(), err)
		}
	}
	_, err = linux.AdoptPidFD(-1)
	is(t, "AdoptPidFD of -1", err, unix.EBADF)
	_, err = linux.AdoptPidFD(1 << 20)
	is(t, "AdoptPidFD of a closed descriptor", err, unix.EBADF)
}

func TestClosedPidFDDoesNothing(t *testing.T) {
	closed, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, f := range map[string]*linux.PidFD{"closed": closed, "zero": new(linux.PidFD), "nil": nil} {
		want := os.ErrClosed
		if f == nil {
			want = os.ErrInvalid
		}
		for method, call := range map[string]func() error{
			"Close":         f.Close,
			"Signal":        func() error { return f.Signal(unix.SIGKILL) },
			"Queue":         func() error { return f.Queue(0, unix.SIGKILL, 1) },
			"Info":          func() error { _, err := f.Info(); return err },
			"FDInfo":        func() error { _, err := f.FDInfo(); return err },
			"Pid":           func() error { _, err := f.Pid(); return err },
			"Wait":          func() error { _, err := f.Wait(ctx); return err },
			"WaitEnd":       func() error { return f.WaitEnd(ctx) },
			"WaitEvent":     func() error { _, err := f.WaitEvent(ctx); return err },
			"Reap":          func() error { _, _, err := f.Reap(ctx); return err },
			"GetFD":         func() error { _, err := f.GetFD(0); return err },
			"Namespace":     func() error { _, err := f.Namespace(linux.NetNamespace); return err },
			"Setns":         func() error { return f.Setns(linux.NewNet) },
			"InNamespaces":  func() error { return f.InNamespaces(linux.NewNet, func() error { return nil }) },
			"Dup":           func() error { _, err := f.Dup(); return err },
			"File":          func() error { _, err := f.File(); return err },
			"WithFD":        func() error { return f.WithFD(func(int) {}) },
			"IsThread":      func() error { _, err := f.IsThread(); return err },
			"Handle":        func() error { _, err := f.Handle(); return err },
			"AdviseMemory":  func() error { _, err := f.AdviseMemory(unix.MADV_COLD, nil); return err },
			"ReleaseMemory": f.ReleaseMemory,
			"KillTree":      func() error { _, err := f.KillTree(nil); return err },
		} {
			is(t, method+" of the "+name+" handle", call(), want)
		}
	}
}

// What Process lends, it alone closes.
func TestLentPidFDIsClosedByItsProcess(t *testing.T) {
	p, release := held(t, child("hold"))
	f := p.PidFD()
	if p.PidFD() != f {
		t.Error("a second PidFD is another one")
	}
	if err := f.Close(); err == nil || !strings.Contains(err.Error(), "lent") {
		t.Errorf("Close: got %v, want a refusal", err)
	}
	if _, _, err := f.Reap(t.Context()); err == nil || !strings.Contains(err.Error(), "lent") {
		t.Errorf("Reap: got %v, want a refusal", err)
	}
	is(t, "Signal after Close", f.Signal(0), nil)
	ended := make(chan error)
	go func() { ended <- f.WaitEnd(context.Background()) }()
	event := make(chan linux.Event)
	go func() {
		e, err := f.WaitEvent(context.Background())
		if err != nil {
			t.Error("WaitEvent:", err)
		}
		event <- e
	}()
	release()
	if status, err := f.Wait(t.Context()); err != nil || !status.Success() {
		t.Errorf("Wait: got %v, %v", status, err)
	}
	is(t, "WaitEnd", <-ended, nil)
	if e := <-event; e.Kind != linux.Ended || !e.Status.Success() {
		t.Errorf("WaitEvent: got %+v, want the end", e)
	}
	is(t, "Signal after the end", f.Signal(0), os.ErrProcessDone)
	p.Close()
	is(t, "Signal after Process.Close", f.Signal(0), os.ErrClosed)

	q := start(t, child("exit", "0"))
	wait(t, q)
	is(t, "Signal of what was released", q.PidFD().Signal(0), os.ErrClosed)
}

// A handle with AutoKill kills when the last duplicate is closed.
func TestPidFDKillsOnClose(t *testing.T) {
	kerneltest.Need(t, "AutoKill", "7.1", linux.Probe(linux.AutoKill))
	c := child("sleep")
	c.Flags = linux.AutoKill | linux.NoNewPrivs
	p := start(t, c)
	f := p.PidFD()
	if kills, err := f.KillsOnClose(); !kills || err != nil {
		t.Errorf("KillsOnClose: got %v, %v", kills, err)
	}
	h, err := f.Handle()
	if err != nil {
		t.Fatal(err)
	}
	g, err := linux.OpenHandle(h)
	observer := own(t, g, err)
	if kills, err := observer.KillsOnClose(); kills || err != nil {
		t.Errorf("KillsOnClose of another description: got %v, %v", kills, err)
	}
	p.Close()
	if status, err := observer.Wait(t.Context()); err != nil || status.Signal() != unix.SIGKILL {
		t.Errorf("Wait: got %v, %v, want a kill", status, err)
	}
}

func TestSelfIsTakenForSignalsAndMemory(t *testing.T) {
	for _, test := range []struct {
		name    string
		f       *linux.PidFD
		op      linux.Op
		release string
	}{
		{"Self", linux.Self(), linux.OpSelf, "6.17"},
		{"SelfThread", linux.SelfThread(), linux.OpSelfThread, "6.16"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for method, call := range map[string]func() error{
				"Info":   func() error { _, err := test.f.Info(); return err },
				"Wait":   func() error { _, err := test.f.Wait(t.Context()); return err },
				"GetFD":  func() error { _, err := test.f.GetFD(0); return err },
				"Dup":    func() error { _, err := test.f.Dup(); return err },
				"Handle": func() error { _, err := test.f.Handle(); return err },
			} {
				is(t, method, call(), errors.ErrUnsupported)
			}
			if err := test.f.Close(); err == nil || !strings.Contains(err.Error(), "lent") {
				t.Errorf("Close: got %v, want a refusal", err)
			}
			if pid, err := test.f.Pid(); pid != os.Getpid() || err != nil {
				t.Errorf("Pid: got %d, %v", pid, err)
			}
			kerneltest.Need(t, test.name, test.release, test.f.Signal(0))
			is(t, "Supported", linux.Supported(test.op), nil)
			if _, err := test.f.AdviseMemory(unix.MADV_COLD, nil); err != nil {
				t.Error("AdviseMemory:", err)
			}
			is(t, "ReleaseMemory", test.f.ReleaseMemory(), unix.EINVAL)
		})
	}
}

func TestWithFDLends(t *testing.T) {
	g, err := linux.OpenPidFD(os.Getpid())
	f := own(t, g, err)
	var inside error
	is(t, "WithFD", f.WithFD(func(fd int) {
		is(t, "Close", f.Close(), nil)
		_, inside = unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	}), nil)
	is(t, "use of a lent descriptor after Close", inside, nil)
}

func TestHandlesAreCompared(t *testing.T) {
	f, p, _ := living(t, child("hold"))
	again, err := linux.OpenPidFD(p.Pid())
	own(t, again, err)
	dup, err := f.Dup()
	own(t, dup, err)
	other, _, _ := living(t, child("hold"))

	kerneltest.Need(t, "ID", idRelease(), linux.Supported(linux.OpID))
	for _, test := range []struct {
		name                   string
		a, b                   *linux.PidFD
		equal, sameDescription bool
	}{
		{"itself", f, f, true, true},
		{"a duplicate", f, dup, true, true},
		{"opened again", f, again, true, false},
		{"another process", f, other, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if equal, err := test.a.Equal(test.b); equal != test.equal || err != nil {
				t.Errorf("Equal: got %v, %v, want %v", equal, err, test.equal)
			}
			same, err := test.a.SameDescription(test.b)
			kerneltest.Need(t, "SameDescription", "6.10", err)
			if same != test.sameDescription {
				t.Errorf("SameDescription: got %v, want %v", same, test.sameDescription)
			}
		})
	}
	if id, err := f.ID(); id == 0 || err != nil {
		t.Errorf("ID: got %d, %v", id, err)
	}
}

// fdinfo of a process in a PID namespace of its own has both its numbers.
func TestFDInfo(t *testing.T) {
	f, p, _ := living(t, child("hold"))
	info, err := f.FDInfo()
	if err != nil || info.Pid != p.Pid() || len(info.NSPid) == 0 || info.NSPid[0] != p.Pid() {
		t.Errorf("got %+v, %v, want pid %d", info, err, p.Pid())
	}
	// pidfd_fdinfo_test: dead
	if info, err := reaped(t).FDInfo(); err != nil || info.Pid != -1 {
		t.Errorf("reaped: got %+v, %v, want -1", info, err)
	}
	_, err = reaped(t).Pid()
	is(t, "Pid of a reaped process", err, os.ErrProcessDone)

	// pidfd_fdinfo_test: nspid
	needRoot(t)
	c := child("hold")
	c.Flags = linux.NewPID
	f, p, _ = living(t, c)
	if info, err := f.FDInfo(); err != nil || len(info.NSPid) < 2 || info.NSPid[len(info.NSPid)-1] != 1 || info.Pid != p.Pid() {
		t.Errorf("in a PID namespace: got %+v, %v, want %d and 1", info, err, p.Pid())
	}
}

func TestGetFD(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("hold")
	c.Files = append(c.Files, w)
	f, _, _ := living(t, c)
	w.Close()
	got, err := f.GetFD(3)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(got, "hello")
	got.Close()
	b := make([]byte, 5)
	if _, err := io.ReadFull(r, b); err != nil || string(b) != "hello" {
		t.Errorf("read %q, %v through the child's descriptor", b, err)
	}
}

func TestXattr(t *testing.T) {
	needRoot(t)
	f, p, _ := living(t, child("hold"))
	const name = "trusted.clone3"
	kerneltest.Need(t, "xattr", "6.17", f.SetXattr(name, []byte("value")))
	f.Close()

	// pidfd_xattr_test: persistent; the task lives, no handle is left.
	p2, err := linux.OpenPidFD(p.Pid())
	g := own(t, p2, err)
	if value, err := g.Xattr(name); string(value) != "value" || err != nil {
		t.Errorf("Xattr: got %q, %v", value, err)
	}
	big := strings.Repeat("x", 5000)
	is(t, "SetXattr", g.SetXattr("trusted.big", []byte(big)), nil)
	if value, err := g.Xattr("trusted.big"); string(value) != big || err != nil {
		t.Errorf("Xattr: got %d bytes, %v, want %d", len(value), err, len(big))
	}
	if names, err := g.Xattrs(); len(names) != 2 || err != nil {
		t.Errorf("Xattrs: got %q, %v", names, err)
	}
	is(t, "RemoveXattr", g.RemoveXattr(name), nil)
	_, err = g.Xattr(name)
	is(t, "Xattr of what was removed", err, unix.ENODATA)
}

// ready writes a line when its program runs: Clone3 returns before that.
var _ = helper("ready", func([]string) int {
	os.Stdout.WriteString("1\n")
	io.Copy(io.Discard, os.Stdin)
	return 0
})

// running is living with a program that has begun, and has memory of its own.
func running(t *testing.T) (*linux.PidFD, *linux.Process) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("ready")
	c.Files[1] = w
	f, p, _ := living(t, c)
	w.Close()
	scanInt(t, r)
	return f, p
}

func TestMemoryOfAProcess(t *testing.T) {
	f, p := running(t)
	// Some range of it: where its program lies.
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	var from, to uintptr
	fmt.Sscanf(string(maps), "%x-%x", &from, &to)
	n, err := f.AdviseMemory(unix.MADV_COLD, []unix.RemoteIovec{{Base: from, Len: int(to - from)}})
	switch {
	case os.Geteuid() != 0:
		is(t, "AdviseMemory without CAP_SYS_NICE", err, unix.EPERM)
	case n != int(to-from) || err != nil:
		t.Errorf("AdviseMemory: got %d, %v, want %d", n, err, to-from)
	}
	kerneltest.Need(t, "ReleaseMemory", "5.15", linux.Supported(linux.OpReleaseMemory))
	is(t, "ReleaseMemory of a process that lives", f.ReleaseMemory(), unix.EINVAL)
	if err := f.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 1000 { // it may have freed it all, or be about to, or not know yet
		if err = f.ReleaseMemory(); !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINVAL) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error("ReleaseMemory of a process that was killed:", err)
	}
}

// scanInt reads a number on a line.
func scanInt(t testing.TB, r io.Reader) (n int) {
	t.Helper()
	if _, err := fmt.Fscanln(r, &n); err != nil {
		t.Fatal(err)
	}
	return n
}
