//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// missing are the system calls without which children are created too, if not as
// well.
var missing = []struct {
	name string
	nrs  []uintptr
}{
	{"all there is", nil},
	{"no clone3", []uintptr{unix.SYS_CLONE3}},
	{"no close_range", []uintptr{unix.SYS_CLOSE_RANGE}},
	{"neither", []uintptr{unix.SYS_CLONE3, unix.SYS_CLOSE_RANGE}},
}

// withMissing runs a helper as root and as another user, with each of missing.
// The helper has them as arguments for hideAll, and writes nothing.
func withMissing(t *testing.T, name string) {
	t.Helper()
	users := map[string]*syscall.Credential{"root": nil, "user": asOther()}
	if os.Geteuid() != 0 {
		delete(users, "root")
	}
	for user, credential := range users {
		for i, m := range missing {
			least := map[string]int{"root": 0, "user": len(missing) - 1}
			if testing.Short() && i != least[user] {
				continue
			}
			t.Run(user+"/"+m.name, func(t *testing.T) {
				c := child(name)
				for _, nr := range m.nrs {
					c.Args = append(c.Args, strconv.Itoa(int(nr)))
				}
				c.Credential = credential
				out, status := output(t, c)
				if strings.HasPrefix(out, "SKIP") {
					t.Skip(out)
				}
				if out != "" || !status.Success() {
					t.Errorf("%v\n%s", status, out)
				}
			})
		}
	}
}

// hideAll hides the system calls with the numbers, in a helper.
func hideAll(numbers []string) error {
	for _, s := range numbers {
		nr, _ := strconv.Atoi(s)
		if err := hide(uintptr(nr), int(unix.ENOSYS)); err != nil {
			return err
		}
	}
	return nil
}

func TestCreated(t *testing.T) { withMissing(t, "created") }

// A creation is a Child with Created, and what is to come of it.
type creation struct {
	name   string
	change func(c *linux.Child, see func(format string, args ...any), end func()) // the context
	want   func(*linux.Process, error) string                                     // what is wrong
}

var errRefused = errors.New("refused")

// ends wants that there is no process, and an error of kind.
func ends(kind linux.StepKind, is error) func(*linux.Process, error) string {
	return func(p *linux.Process, err error) string {
		var step *linux.StepError
		if p != nil || !errors.As(err, &step) || step.Kind != kind || is != nil && !errors.Is(err, is) {
			return fmt.Sprintf("got %v, error %v, want the error %v in step %v", p, err, is, kind)
		}
		return ""
	}
}

// runs wants that the program exits with 0.
func runs(p *linux.Process, err error) string {
	if err != nil {
		return "got error " + err.Error()
	}
	if s, err := p.Wait(background); err != nil || !s.Success() {
		return fmt.Sprintf("got %v, %v, want that the program exits with 0", s, err)
	}
	return ""
}

var creations = []creation{
	{"the program has not run", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error {
			time.Sleep(20 * time.Millisecond)
			exe := func(pid string) string {
				comm, _ := os.ReadFile("/proc/" + pid + "/cmdline")
				return string(comm)
			}
			if got, want := exe(itoa(p.Pid())), exe("self"); got != want {
				see("the child executes %q, want %q: it has not executed its program", got, want)
			}
			return nil
		}
	}, runs},
	{"it can be used", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error {
			if pid, err := p.PidFD().Pid(); err != nil || pid != p.Pid() {
				see("the pidfd is that of process %d (%v), want %d", pid, err, p.Pid())
			}
			if err := p.Signal(0); err != nil {
				see("Signal(0): %v", err)
			}
			if ppid := childrenOf(os.Getpid()); len(ppid) != 1 || ppid[0] != p.Pid() {
				see("the children of this process are %v, want %d", ppid, p.Pid())
			}
			return nil
		}
	}, runs},
	{"error", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(*linux.Process) error { return fmt.Errorf("no: %w", errRefused) }
	}, ends(linux.StepCreated, errRefused)},
	{"error with a number", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(*linux.Process) error { return unix.EXDEV }
	}, ends(linux.StepCreated, unix.EXDEV)},
	{"Goexit", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(*linux.Process) error { runtime.Goexit(); return nil }
	}, ends(linux.StepCreated, nil)},
	{"context ends", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error {
			end()
			for p.Signal(0) == nil {
				time.Sleep(time.Millisecond)
			}
			return nil
		}
	}, ends(linux.StepGate, context.Canceled)},
	{"context ends, and so does Created", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error {
			end()
			for p.Signal(0) == nil {
				time.Sleep(time.Millisecond)
			}
			return errRefused
		}
	}, ends(linux.StepCreated, errRefused)},
	{"killed", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error { return p.Kill() }
	}, ends(linux.StepGate, nil)},
	{"killed and waited for", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error {
			p.Kill()
			if s, err := p.Wait(background); err != nil || s.Signal() != syscall.SIGKILL {
				see("Wait: got %v, %v, want signal: killed", s, err)
			}
			return nil
		}
	}, ends(linux.StepGate, nil)},
	{"a signal that this program handles comes", func(c *linux.Child, see func(string, ...any), end func()) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR2)
		c.Created = func(p *linux.Process) error { return p.Signal(syscall.SIGUSR2) }
	}, func(p *linux.Process, err error) string {
		if err == nil || !strings.Contains(err.Error(), "the child was killed: signal: user defined signal 2") {
			return fmt.Sprintf("got %v, error %v, want that the signal ends the child, and no handler runs in it", p, err)
		}
		return ""
	}},
	{"Close", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error { return p.Close() }
	}, func(p *linux.Process, err error) string {
		if err != nil {
			return err.Error()
		}
		if _, err := p.Wait(background); err != nil && !errors.Is(err, os.ErrClosed) { // it may have ended before
			return fmt.Sprintf("Wait: got error %v, want %v", err, os.ErrClosed)
		}
		return ""
	}},
	{"Close, and the context ends", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error {
			defer end()
			return errors.Join(unix.Kill(p.Pid(), syscall.SIGSTOP), p.Close())
		}
	}, ends(linux.StepGate, context.Canceled)},
	{"IDs are mapped by hand", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Args = []string{"x", "3"}
		c.Env = append(environ(), helperEnv("is user")...)
		c.Flags = linux.NewUser
		c.Created = func(p *linux.Process) error {
			dir := "/proc/" + itoa(p.Pid())
			return errors.Join(
				os.WriteFile(dir+"/uid_map", fmt.Appendf(nil, "3 %d 1", os.Geteuid()), 0),
				os.WriteFile(dir+"/setgroups", []byte("deny"), 0),
				os.WriteFile(dir+"/gid_map", fmt.Appendf(nil, "4 %d 1", os.Getegid()), 0))
		}
	}, runs},
	{"IDs are mapped before", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Flags = linux.NewUser
		c.UidMappings = []syscall.SysProcIDMap{{ContainerID: 3, HostID: os.Geteuid(), Size: 1}}
		if os.Geteuid() == 0 {
			c.UidMappings = append(c.UidMappings, syscall.SysProcIDMap{ContainerID: 4, HostID: 1, Size: 5})
			c.Created = func(p *linux.Process) error {
				if text, err := os.ReadFile("/proc/" + itoa(p.Pid()) + "/uid_map"); len(strings.Fields(string(text))) != 6 {
					see("uid_map is %q (%v), want two lines", text, err)
				}
				return nil
			}
		}
	}, runs},
	{"Unshare comes after", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Unshare = linux.NewUser
		ownIDs(c)
		c.Created = func(p *linux.Process) error {
			ours, _ := os.Readlink("/proc/self/ns/user")
			if its, err := os.Readlink("/proc/" + itoa(p.Pid()) + "/ns/user"); its != ours {
				see("the child is in %s (%v), want %s still", its, err, ours)
			}
			return nil
		}
	}, runs},
	{"LeaveZombie", func(c *linux.Child, see func(string, ...any), end func()) {
		c.LeaveZombie = true
		c.Created = func(p *linux.Process) error { return nil }
	}, func(p *linux.Process, err error) string {
		if err != nil {
			return err.Error()
		}
		if _, err := p.Wait(background); err != nil {
			return err.Error()
		}
		if pid, err := syscall.Wait4(p.Pid(), nil, 0, nil); pid != p.Pid() {
			return fmt.Sprintf("wait4: got %d, %v, want %d", pid, err, p.Pid())
		}
		return ""
	}},
	{"LeaveZombie and error", func(c *linux.Child, see func(string, ...any), end func()) {
		c.LeaveZombie = true
		c.Created = func(p *linux.Process) error { return errRefused }
	}, ends(linux.StepCreated, errRefused)},
	{"LeaveZombie, killed and waited for", func(c *linux.Child, see func(string, ...any), end func()) {
		c.LeaveZombie = true
		c.Created = func(p *linux.Process) error {
			p.Kill()
			_, err := p.Wait(background)
			return err
		}
	}, ends(linux.StepGate, nil)},
	{"AutoReap", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Flags = linux.AutoReap
		c.Created = func(p *linux.Process) error { return nil }
	}, runs},
	{"AutoReap and error", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Flags = linux.AutoReap
		c.Created = func(p *linux.Process) error { return errRefused }
	}, ends(linux.StepCreated, errRefused)},
	{"AutoKill", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Flags = linux.AutoKill | linux.NoNewPrivs
		c.Created = func(p *linux.Process) error { return nil }
	}, runs},
	{"AutoKill and Close", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Flags = linux.AutoKill | linux.NoNewPrivs
		c.Created = func(p *linux.Process) error { return p.Close() }
	}, ends(linux.StepGate, nil)},
	{"InheritFiles", func(c *linux.Child, see func(string, ...any), end func()) {
		c.InheritFiles = true
		c.Created = func(p *linux.Process) error { return nil }
	}, runs},
	{"a program is run meanwhile", func(c *linux.Child, see func(string, ...any), end func()) {
		c.Created = func(p *linux.Process) error {
			other := child("exit", "0")
			other.Created = func(*linux.Process) error { return nil }
			q, err := linux.Clone3(background, other)
			if err == nil {
				_, err = q.Wait(background)
			}
			cmd := exec.Command("/proc/self/exe", "0")
			cmd.Env = append(environ(), helperEnv("exit")...)
			return errors.Join(err, cmd.Run())
		}
	}, runs},
}

var _ = helper("is user", func(args []string) int {
	if itoa(os.Getuid()) != args[0] {
		return 1
	}
	return 0
})

// created tries all of creations.
var _ = helper("created", func(hidden []string) int {
	news := linux.Probe(linux.AutoKill) == nil && len(hidden) == 0
	if err := hideAll(hidden); err != nil {
		return fail("SKIP: no seccomp filter: %v", err)
	}
	for _, test := range creations {
		c := child("exit", "0")
		see := func(format string, args ...any) { fmt.Printf(test.name+": "+format+"\n", args...) }
		ctx, cancel := context.WithCancel(background)
		test.change(c, see, cancel)
		p, err := linux.Clone3(ctx, c)
		cancel()
		if errors.Is(err, errors.ErrUnsupported) && !news && c.Flags&(linux.AutoReap|linux.NoNewPrivs) != 0 {
			continue
		}
		if wrong := test.want(p, err); wrong != "" {
			see("%s", wrong)
		}
		if p != nil {
			p.Close()
		}
		for range 2000 { // what is closed is reaped in the background
			if len(childrenOf(os.Getpid())) == 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if left := childrenOf(os.Getpid()); len(left) > 0 {
			see("processes %v are left", left)
		}
	}

	// What Created panics with is the caller's.
	func() {
		defer func() {
			if r := recover(); r != errRefused {
				fmt.Printf("panic: got %v, want %v\n", r, errRefused)
			}
			if left := childrenOf(os.Getpid()); len(left) > 0 {
				fmt.Printf("panic: processes %v are left\n", left)
			}
		}()
		c := child("exit", "0")
		c.Created = func(*linux.Process) error { panic(errRefused) }
		linux.Clone3(background, c)
	}()
	return 0
})

// The child is in its control group when it is created.
func TestCreatedInCgroup(t *testing.T) {
	dir, err := os.Open(cgroup(t))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	c := child("exit", "0")
	c.Cgroup = dir
	c.Created = func(p *linux.Process) error {
		procs, err := os.ReadFile(filepath.Join(dir.Name(), "cgroup.procs"))
		if got := strings.TrimSpace(string(procs)); got != itoa(p.Pid()) {
			t.Errorf("the control group has the processes %q (%v), want %d", got, err, p.Pid())
		}
		return nil
	}
	wait(t, start(t, c))
}
