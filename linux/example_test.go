//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
)

// Examples are executed only where they are sure to work: on any kernel, as any
// user, without other programs than the test's own.

func ExampleClone3() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:  "/usr/bin/make",
		Args:  []string{"make", "-j4"},
		Dir:   "/usr/src/project",
		Files: []*os.File{nil, os.Stdout, os.Stderr},
	})
	if err != nil {
		log.Fatal(err) // such as: chdir /usr/src/project: no such file or directory
	}
	defer p.Close()
	status, err := p.Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status) // such as: exit status 2
}

func ExampleClone3_error() {
	_, err := linux.Clone3(context.Background(), &linux.Child{Path: "/bin/true", Dir: "/nowhere"})
	fmt.Println(err)
	fmt.Println(errors.Is(err, os.ErrNotExist))
	var step *linux.StepError
	fmt.Println(errors.As(err, &step))
	// Output:
	// chdir /nowhere: no such file or directory
	// true
	// true
}

// The context bounds the creation: a child whose control group is frozen, or
// whose program another process has a lease on, is killed, and the error says
// where it stood.
func ExampleClone3_context() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	p, err := linux.Clone3(ctx, &linux.Child{Path: "/mnt/slow/worker"})
	if errors.Is(err, context.DeadlineExceeded) {
		log.Fatal(err) // such as: exec /mnt/slow/worker: the child was killed after 2.02s: context deadline exceeded
	}
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

// The process exists and waits: its IDs can be mapped by the helpers that may map
// more than one.
func ExampleChild_created() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:  "/bin/sh",
		Flags: linux.NewUser,
		Created: func(p *linux.Process) error {
			pid := strconv.Itoa(p.Pid())
			if err := exec.Command("newuidmap", pid, "0", "100000", "65536").Run(); err != nil {
				return fmt.Errorf("newuidmap: %w", err)
			}
			return exec.Command("newgidmap", pid, "0", "100000", "65536").Run()
		},
	})
	if err != nil {
		log.Fatal(err) // such as: Child.Created: newuidmap: exit status 1
	}
	defer p.Close()
}

// A program decides by the kind of step what to do about its failure.
func ExampleStepError() {
	_, err := linux.Clone3(context.Background(), &linux.Child{Path: "/bin/true", Dir: "/nowhere"})
	if step, ok := errors.AsType[*linux.StepError](err); ok {
		fmt.Println(step.Kind, step.Errno == syscall.ENOENT)
	}
	// Output:
	// chdir true
}

// A program that keeps secrets from others of its user sets so once.
func ExampleSetDumpable() {
	if err := linux.SetDumpable(false); err != nil {
		log.Fatal(err)
	}
}

// Fire and forget: the kernel reaps the child, nobody has to wait for it.
func ExampleFlags_autoReap() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:  "/usr/bin/logger",
		Args:  []string{"logger", "done"},
		Flags: linux.AutoReap,
	})
	if err != nil {
		log.Fatal(err) // before Linux 7.1: AutoReap is not supported
	}
	p.Close()
}

// A worker that cannot outlive this program, nor gain privileges.
func ExampleFlags_autoKill() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:  "/usr/libexec/worker",
		Flags: linux.AutoKill | linux.NoNewPrivs,
	})
	if errors.Is(err, errors.ErrUnsupported) {
		log.Fatal("the worker would outlive this program: ", err)
	} else if err != nil {
		log.Fatal(err)
	}
	defer p.Close() // kills the worker if it still runs
}

// On any kernel: a child that ends when this program does.
func ExampleProcess_Emulated() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:    "/bin/sleep",
		Args:    []string{"sleep", "1000"},
		Flags:   linux.AutoKill | linux.NoNewPrivs,
		Emulate: linux.AutoKill,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close() // which kills it
	if p.Emulated() != 0 {
		fmt.Println("the kernel lacks", p.Emulated())
	}
}

// A script that is stopped with all that it has started.
func ExampleProcess_Tree() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:     "/bin/sh",
		Args:     []string{"sh", "-c", "setsid sleep 1000 & sleep 1000"},
		KillTree: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if !p.Tree().Complete() {
		fmt.Println("there is no control group for it: some may get away")
	}
	p.Kill()
	p.Wait(context.Background())
}

// A program with the set-user-ID bit, such as sudo, gets no privileges.
func ExampleFlags_noNewPrivs() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:  "/usr/bin/sudo",
		Args:  []string{"sudo", "id"},
		Flags: linux.NoNewPrivs,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	fmt.Println(p.Wait(context.Background())) // exit status 1
}

// A static program that sees no file system at all, only what it is given.
func ExampleFlags_emptyMount() {
	program, err := os.Open("/usr/libexec/parser")
	if err != nil {
		log.Fatal(err)
	}
	defer program.Close()
	input, err := os.Open("untrusted.bin")
	if err != nil {
		log.Fatal(err)
	}
	defer input.Close()
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Exec:        program,
		Args:        []string{"parser"},
		Files:       []*os.File{input, os.Stdout, os.Stderr},
		Flags:       linux.EmptyMount | linux.NewUser | linux.NewNet | linux.NewPID | linux.NoNewPrivs,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 1, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 1, HostID: os.Getegid(), Size: 1}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

// The child is in its cgroup from its first moment: nothing it does is counted
// elsewhere.
func ExampleFlags_intoCgroup() {
	cgroup, err := os.Open("/sys/fs/cgroup/jobs/1")
	if err != nil {
		log.Fatal(err)
	}
	defer cgroup.Close()
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/usr/bin/job", Cgroup: cgroup})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

// Without privileges: the child is root in a user namespace of its own, and
// has all other namespaces to itself.
func ExampleFlags_newUser() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:        "/bin/sh",
		Files:       []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Flags:       linux.NewUser | linux.NewMount | linux.NewPID | linux.NewNet | linux.NewIPC | linux.NewUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

func ExampleProbe() {
	err := linux.Probe(linux.AutoKill)
	switch {
	case err == nil:
		// Clone3 can be asked for it.
	case errors.Is(err, errors.ErrUnsupported):
		fmt.Println(err) // AutoKill is not supported: needs Linux 7.1
	default:
		fmt.Println(err) // not known: ask again
	}
}

func ExampleProcess_Wait() {
	r, w, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	c := child("hold") // a program that runs until its standard input ends
	c.Files[0] = r
	p, err := linux.Clone3(context.Background(), c)
	if err != nil {
		log.Fatal(err)
	}
	r.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = p.Wait(ctx)
	fmt.Println(err)

	io.WriteString(w, "the process has not noticed")
	w.Close()
	fmt.Println(p.Wait(context.Background()))
	// Output:
	// context deadline exceeded
	// exit status 0 <nil>
}

func ExampleProcess_Stop() {
	p, err := linux.Clone3(context.Background(), child("sleep"))
	if err != nil {
		log.Fatal(err)
	}
	status, err := p.Stop(context.Background(), syscall.SIGTERM, 10*time.Second)
	fmt.Println(status, err)
	fmt.Println(p.Kill())
	// Output:
	// signal: terminated <nil>
	// os: process already finished
}

func ExampleFlags_String() {
	fmt.Println(linux.AutoKill | linux.NoNewPrivs)
	// Output: AutoKill|NoNewPrivs
}

// The first program of a container: it starts what the container is for, hands
// signals on to it, reaps what it inherits, and exits as it has.
func ExampleReapOrphans() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := linux.ReapOrphans(ctx, nil); err != nil {
		log.Fatal(err)
	}

	p, err := linux.Clone3(ctx, &linux.Child{
		Path:  "/usr/bin/service",
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		log.Fatal(err)
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		for s := range signals {
			p.Signal(s.(syscall.Signal))
		}
	}()
	status, err := p.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if s := status.Signal(); s != 0 {
		os.Exit(128 + int(s))
	}
	os.Exit(status.Code())
}

// All that a build starts ends with it, and it has its limits.
func ExampleCreateCgroup() {
	group, err := linux.CreateCgroup("/sys/fs/cgroup/builds", linux.CgroupLimits{Memory: 4 << 30, Processes: 500})
	if err != nil {
		log.Fatal(err)
	}
	defer group.Close() // kills what is left
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:   "/usr/bin/make",
		Args:   []string{"make", "-j4"},
		Cgroup: group.Dir(),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	status, err := p.Wait(context.Background())
	fmt.Println(status, err)
}

// A program started by package os is waited for without a thread, and with a
// context. Process.Wait, which then returns at once, reaps it.
func ExampleWaitProcess() {
	p, err := os.StartProcess("/usr/libexec/worker", []string{"worker"}, &os.ProcAttr{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	status, err := linux.WaitProcess(ctx, p)
	if err != nil {
		p.Kill()
	}
	p.Wait()
	fmt.Println(status, err)
}

// What a Process can do for a program started by package os: to ask it to end,
// and to kill it if it does not.
func ExampleHoldProcess() {
	p, err := os.StartProcess("/usr/libexec/worker", []string{"worker"}, &os.ProcAttr{})
	if err != nil {
		log.Fatal(err)
	}
	worker, err := linux.HoldProcess(p)
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()
	fmt.Println(worker.Stop(context.Background(), syscall.SIGTERM, 5*time.Second))
	p.Wait()
}

// A converter of uploads, as somebody else's code, is confined to what it has been
// given: no privileges, and none to be gained; and it is the first to be killed
// where there is no memory left.
func ExampleCapabilities() {
	nice, first := 10, 1000
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:         "/bin/true",
		Flags:        linux.NoNewPrivs,
		Capabilities: new(linux.Capabilities),
		Nice:         &nice,
		OOMScoreAdj:  &first,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Wait(context.Background()))
	// Output: exit status 0 <nil>
}

func ExampleNewCapabilities() {
	s := linux.NewCapabilities(linux.CapNetBindService, linux.CapChown)
	fmt.Println(s, s.Has(linux.CapChown), linux.Capabilities(0))
	// Output: CAP_CHOWN|CAP_NET_BIND_SERVICE true none
}

func ExampleParseCapabilities() {
	s, err := linux.ParseCapabilities("net_admin,CAP_SYS_TIME")
	fmt.Println(s, err)
	_, err = linux.ParseCapabilities("net_amdin")
	fmt.Println(err)
	// Output:
	// CAP_NET_ADMIN|CAP_SYS_TIME <nil>
	// linux: "net_amdin" is not a capability: names are like CAP_NET_ADMIN or net_admin
}

// A tool that somebody else has written may read the system and write to one
// directory, and nothing else; it has no network, and cannot make namespaces. An
// ordinary user can do so, in a container too.
func ExampleChild_landlock() {
	workdir, err := os.MkdirTemp("", "tool")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(workdir)
	filter := seccomp.Filter{
		Default: seccomp.Allow,
		Rules: slices.Concat(seccomp.NoUserNamespaces(), []seccomp.Rule{
			{Calls: []string{"socket", "io_uring_setup"}, Action: seccomp.Errno(syscall.EPERM)},
		}),
	}
	calls, err := filter.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:         "/bin/sh",
		Args:         []string{"sh", "-c", "echo kept > kept; echo lost > ../lost"},
		Dir:          workdir,
		Flags:        linux.NoNewPrivs,
		Capabilities: new(linux.Capabilities),
		Seccomp:      calls,
		Landlock: &landlock.Rules{
			Paths: slices.Concat(
				landlock.ReadExecute("/bin", "/usr"),
				[]landlock.Path{{Path: "/lib", Access: landlock.Read | landlock.Execute, Optional: true},
					{Path: "/lib64", Access: landlock.Read | landlock.Execute, Optional: true},
					{Path: "/etc", Access: landlock.Read},
					{Path: "/dev/null", Access: landlock.ReadFile | landlock.WriteFile}},
				landlock.ReadWrite(workdir),
			),
			BestEffort: true, // see Process.Unenforced
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := p.Wait(context.Background())
	kept, _ := os.ReadFile(workdir + "/kept")
	_, lost := os.Stat(workdir + "/../lost")
	fmt.Printf("%s%v, %v, %v\n", kept, status.Success(), err, os.IsNotExist(lost))
	// Output:
	// kept
	// false, <nil>, true
}
