//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/seccomp"
)

// A job that is to be in nobody's way: it runs when nobody else wants to, its timers
// may be late, and its keys are not those of this program.
func ExampleScheduler() {
	nobody := ""
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:           "/bin/true",
		Scheduler:      &linux.Scheduler{Policy: linux.SchedIdle},
		IOPriority:     &linux.IOPriority{Class: linux.IOIdle},
		TimerSlack:     50 * time.Millisecond,
		SessionKeyring: &nobody,
		Subreaper:      true,
	})
	if step, ok := errors.AsType[*linux.StepError](err); ok && step.Kind == linux.StepKeyring {
		return // as in a container
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Wait(context.Background()))
}

// A part of a control loop gets 2 ms of every 10, or an error that says that there
// is not as much left.
func ExampleScheduler_deadline() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path: "/usr/local/bin/controller",
		Scheduler: &linux.Scheduler{
			Policy:  linux.SchedDeadline,
			Runtime: 2 * time.Millisecond, Deadline: 5 * time.Millisecond, Period: 10 * time.Millisecond,
			ResetOnFork: true,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

// On a machine with several memories, a worker for each, beside its processors.
func ExampleMemoryPolicy() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:         "/usr/local/bin/worker",
		CPUs:         []int{0, 1, 2, 3},
		MemoryPolicy: &linux.MemoryPolicy{Mode: linux.MemoryBind, Nodes: []int{0}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

// A program whose results have to be the same each time gets the same addresses.
func ExamplePersonality() {
	same := linux.PerNoRandomAddress
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/usr/local/bin/simulation", Personality: &same})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

// Nothing that this program starts as root is more than its capabilities say.
func ExampleSecurebits() {
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:       "/usr/local/bin/service",
		Securebits: linux.SecureNoRoot | linux.SecureNoRootLocked | linux.SecureNoSetuidFixup | linux.SecureNoSetuidFixupLocked,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

func ExampleParseSecurebits() {
	s, err := linux.ParseSecurebits("noroot, SECBIT_NOROOT_LOCKED")
	fmt.Println(s, err)
	// Output: SECBIT_NOROOT|SECBIT_NOROOT_LOCKED <nil>
}

// A decoder gets what it reads and what it writes, and no file system.
func ExampleChild_noFileSystem() {
	in, err := os.Open("upload.webp")
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create("upload.png")
	if err != nil {
		log.Fatal(err)
	}
	defer out.Close()
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:         "/usr/local/lib/decoder", // statically linked
		Flags:        linux.NoNewPrivs,
		NoFileSystem: true,
		Files:        []*os.File{in, out, os.Stderr},
	})
	if errors.Is(err, errors.ErrUnsupported) {
		log.Fatal(err) // before Linux 7.3
	}
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
}

// This program is asked before a directory is made, and says that there is no place
// for it.
func ExampleListener() {
	filter := seccomp.Filter{
		Default: seccomp.Allow,
		Rules:   []seccomp.Rule{{Calls: []string{"mkdir", "mkdirat"}, Action: seccomp.Notify}},
	}
	calls, err := filter.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := linux.Clone3(context.Background(), &linux.Child{
		Path:    "/bin/mkdir",
		Args:    []string{"mkdir", "/tmp/wanted"},
		Flags:   linux.NoNewPrivs,
		Seccomp: calls,
		Listen:  true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close() // and the listener
	go func() {
		for {
			call, err := p.Listener().Receive(context.Background())
			if err == io.EOF || errors.Is(err, os.ErrClosed) {
				return
			}
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("asked for a directory")
			if err := p.Listener().Fail(call, syscall.EROFS); err != nil && !errors.Is(err, linux.ErrNotWaiting) {
				log.Fatal(err)
			}
		}
	}()
	fmt.Println(p.Wait(context.Background()))
	// Output:
	// asked for a directory
	// exit status 1 <nil>
}
