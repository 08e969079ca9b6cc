//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"github.com/go-clone3/clone3/scripts/leaktest"
	"golang.org/x/sys/unix"
)

// Commands of these tests are the test binary itself: with this variable set it
// runs the helper of that name, and exits with what that returns.
const helperVar = "CLONE3_EXEC_TEST_HELPER"

var helpers map[string]func(args []string) int

func init() {
	helpers = map[string]func(args []string) int{
		"echo": func(args []string) int {
			fmt.Println(strings.Join(args, " "))
			return 0
		},
		// both writes to stdout and to stderr, and exits with a code.
		"both": func(args []string) int {
			fmt.Print("out")
			fmt.Fprint(os.Stderr, "err")
			return number(args[0])
		},
		"cat": func([]string) int {
			if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
				return 1
			}
			return 0
		},
		"exit": func(args []string) int { return number(args[0]) },
		"pwd": func([]string) int {
			dir, err := os.Getwd()
			fmt.Print(dir, " ", os.Getenv("PWD"))
			if err != nil {
				return 1
			}
			return 0
		},
		// sleep runs until it is killed.
		"sleep": func([]string) int {
			time.Sleep(time.Hour)
			return 0
		},
		// orphan leaves a process behind that holds its output.
		"orphan": func([]string) int {
			c := exec.Command("/proc/self/exe")
			c.Env = append(os.Environ(), helperVar+"=sleep")
			c.Stdout = os.Stdout
			if err := c.Start(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			fmt.Fprint(os.Stderr, c.Process.Pid)
			return 0
		},
		// status prints lines of /proc/self/status.
		"status": func(args []string) int {
			b, err := os.ReadFile("/proc/self/status")
			for line := range strings.Lines(string(b)) {
				for _, want := range args {
					if strings.HasPrefix(line, want+":") {
						fmt.Print(line)
					}
				}
			}
			if err != nil {
				return 1
			}
			return 0
		},
		// file prints a file.
		"file": func(args []string) int {
			b, err := os.ReadFile(args[0])
			fmt.Printf("%s", b)
			if err != nil {
				return 1
			}
			return 0
		},
		"steps that fail": stepsThatFail,
		"filtered":        filtered,
		"family":          family,
		"few descriptors": fewDescriptors,
		"leak":            leak,
		"leave reader":    func([]string) int { return leave("cat", os.Stdin) },
		"leave writer":    func([]string) int { return leave("late", nil) },
		"late": func([]string) int {
			time.Sleep(400 * time.Millisecond)
			fmt.Print("late")
			return 0
		},
		"write": func(args []string) int {
			if err := os.WriteFile(args[0], nil, 0o600); err != nil {
				fmt.Print(err)
				return 1
			}
			return 0
		},
		"ignoring":       ignoring,
		"pour":           pour,
		"close stdout":   closeStdout,
		"leave and tell": leaveAndTell,
		"parent":         parent,
	}
}

func number(s string) (n int) {
	fmt.Sscan(s, &n)
	return n
}

// command returns a command that runs a helper.
func command(name string, args ...string) *exec.Cmd {
	if helpers[name] == nil {
		panic("no helper " + name)
	}
	c := exec.Command("/proc/self/exe", args...)
	c.Env = append(os.Environ(), helperVar+"="+name)
	return c
}

// ends returns a command that just ends, the fastest there is.
func ends(ctx context.Context) *exec.Cmd {
	if name, err := exec.LookPath("true"); err == nil {
		return exec.CommandContext(ctx, name)
	}
	c := exec.CommandContext(ctx, "/proc/self/exe", "0")
	c.Env = append(os.Environ(), helperVar+"=exit")
	return c
}

func TestMain(m *testing.M) {
	if name, ok := os.LookupEnv(helperVar); ok {
		os.Exit(helpers[name](os.Args[1:]))
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // children end at once, with -race too
	skipExamples()
	warm := make(chan os.Signal, 1)
	signal.Notify(warm, syscall.SIGWINCH)
	// What package linux keeps to wait with, in its two ways. The commands run
	// until they are waited for.
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, ctx := range []context.Context{ended, context.Background()} {
		c := command("sleep")
		if err := c.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "no command can be started:", err)
			os.Exit(1)
		}
		time.AfterFunc(200*time.Millisecond, func() { c.Handle().Kill() })
		c.Handle().Wait(ctx)
		c.Wait()
	}
	leaktest.OffFirstThread(func() {
		c := command("exit", "0") // and to emulate AutoKill, and to kill trees at its end, where it can
		c.Flags, c.Emulate, c.KillTree = linux.AutoKill|linux.NoNewPrivs, linux.AutoKill, true
		c.Run()
	})
	signal.Stop(warm) // what package os/signal keeps
	os.Exit(leaktest.Run(m))
}

// skipExamples skips, by their names, the examples that cannot be run here.
func skipExamples() {
	flag.Parse()
	skip := []string{flag.Lookup("test.skip").Value.String()}
	no := func(err error, examples ...string) {
		if err != nil {
			if testing.Verbose() {
				fmt.Printf("skipping %s: %v\n", strings.Join(examples, ", "), err)
			}
			skip = append(skip, examples...)
		}
	}
	for _, program := range []string{"echo", "sleep", "tr"} {
		if _, err := exec.LookPath(program); err != nil {
			no(err, "ExampleCommand", "ExampleCmd_Handle", "ExampleFromCmd", "Example_dieWithTheParent")
			break
		}
	}
	if person, program, err := openTerminal(); err != nil {
		no(err, "Example_terminal")
	} else {
		person.Close()
		program.Close()
	}
	for _, program := range []string{"sh", "tty"} {
		if _, err := exec.LookPath(program); err != nil {
			no(err, "Example_confined", "Example_terminal", "Example_leftoversOfTests", "Example_killTheTree", "Example_workerPool",
				"Example_pluginHost", "Example_movingFromOSExec", "Example_agentsTool")
			break
		}
	}
	if testing.Verbose() || flag.Lookup("test.count").Value.String() != "1" {
		no(errors.New("testing.RunTests prints more with -v and -count"), "Example_leftoversOfTests")
	}
	// With Landlock switched off, only who looks at what is not enforced is warned.
	const version = 1 // asks for that, LANDLOCK_CREATE_RULESET_VERSION
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, version); errno != 0 {
		no(errno, "Example_agentsTool")
	}
	flag.Set("test.skip", strings.Trim(strings.Join(skip, "|"), "|"))
}
