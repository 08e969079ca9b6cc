//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	std "os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux/exec"
)

// Output in memory is whole, however much it is, and whether Run reads itself or
// another one has the turn.
func TestOutputInMemory(t *testing.T) {
	for _, turn := range []string{"own", "other"} {
		end := func() (string, error) { return "late", nil }
		if turn == "other" {
			_, end = waitsForInput(t)
		}
		for _, size := range []int{0, 1, 1 << 10, 64<<10 + 1, 300 << 10} {
			if turn == "own" {
				exec.ReadSoon()
			}
			var out, err bytes.Buffer
			c := command("pour", strconv.Itoa(size))
			c.Stdout, c.Stderr = &out, &err
			if e := c.Run(); e != nil || out.String() != poured("out", size) || err.String() != poured("err", size) {
				t.Errorf("%s turn, %d bytes: got %d and %d, %v", turn, size, out.Len(), err.Len(), e)
			}
		}
		if out, err := end(); err != nil || out != "late" {
			t.Errorf("the other: got %q, %v", out, err)
		}
	}
}

// A Run that has the turn loses it when others ask for it, and misses nothing.
func TestTurnToReadSoon(t *testing.T) {
	_, end := waitsForInput(t)
	for late := time.Now().Add(20 * time.Second); exec.ReadsSoon(); {
		if time.Now().After(late) {
			t.Fatal("it keeps its turn")
		}
		exec.ReadSoon()
		if _, err := command("exit", "0").CombinedOutput(); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := end(); err != nil || out != "late" {
		t.Errorf("got %q, %v", out, err)
	}
}

// A Wait of somebody else leaves the pipes to Run.
func TestWaitWhileRunReads(t *testing.T) {
	c, end := waitsForInput(t)
	other := make(chan error, 1)
	go func() { other <- c.Wait() }()
	time.Sleep(10 * time.Millisecond) // it may be late, and the test is in vain
	if out, err := end(); err != nil || out != "late" {
		t.Errorf("got %q, %v", out, err)
	}
	if err := within(t, func() error { return <-other }); err == nil {
		t.Error("Wait had no error")
	}
}

// waitsForInput starts a Run, which has the turn when waitsForInput returns. The
// function that it returns gives the command input, which it copies, and its end,
// and returns the output and what Run does.
func waitsForInput(t *testing.T) (*exec.Cmd, func() (string, error)) {
	t.Helper()
	stdin, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { feed.Close() })
	var out bytes.Buffer
	c := command("cat")
	c.Stdin, c.Stdout = stdin, &out
	done := make(chan error, 1)
	exec.ReadSoon()
	go func() {
		defer stdin.Close()
		done <- c.Run()
	}()
	for late := time.Now().Add(5 * time.Second); !exec.ReadsSoon(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Skip("a signal has ended its turn already")
		}
	}
	return c, func() (string, error) {
		io.WriteString(feed, "late")
		feed.Close()
		err := within(t, func() error { return <-done })
		return out.String(), err
	}
}

// What goes to one Writer comes in the order in which it was written.
func TestOutputOfBothInOrder(t *testing.T) {
	const size, piece = 20_000, 1000
	want, out, err := "", poured("out", size), poured("err", size)
	for i := 0; i < size; i += piece {
		want += out[i:i+piece] + err[i:i+piece]
	}
	exec.ReadSoon()
	got, e := command("pour", strconv.Itoa(size)).CombinedOutput()
	if e != nil || string(got) != want {
		t.Errorf("got %d bytes, %v, want %d in their order", len(got), e, len(want))
	}
}

// pour writes to stdout and stderr in turns.
func pour(args []string) int {
	size := number(args[0])
	out, err := poured("out", size), poured("err", size)
	const piece = 1000
	for i := 0; i < size; i += piece {
		io.WriteString(os.Stdout, out[i:min(i+piece, size)])
		io.WriteString(os.Stderr, err[i:min(i+piece, size)])
	}
	return 0
}

func poured(what string, size int) string { return strings.Repeat(what, size/3+1)[:size] }

// Each of Stdout and Stderr is read to its own end.
func TestOutputThatEndsBeforeTheOther(t *testing.T) {
	for range 3 {
		exec.ReadSoon()
		out, err := command("close stdout").Output()
		var ee *exec.ExitError
		if !errors.As(err, &ee) || ee.ExitCode() != 3 || string(ee.Stderr) != "later" || string(out) != "soon" {
			t.Errorf("got %q, %v", out, err)
		}
	}
}

func closeStdout([]string) int {
	fmt.Print("soon")
	os.Stdout.Close()
	time.Sleep(20 * time.Millisecond)
	fmt.Fprint(os.Stderr, "later")
	return 3
}

// What a command leaves behind is waited for if it has the output. The command
// is reaped meanwhile, and the end of the context comes too late for it.
func TestOutputOfWhatIsLeftBehind(t *testing.T) {
	env := append(os.Environ(), helperVar+"=leave and tell")
	for name, output := range map[string]func(ctx context.Context, stdin, tell *os.File) ([]byte, error){
		"os/exec": func(ctx context.Context, stdin, tell *os.File) ([]byte, error) {
			c := std.CommandContext(ctx, "/proc/self/exe")
			c.Env, c.Stdin, c.ExtraFiles = env, stdin, []*os.File{tell}
			return c.Output()
		},
		"linux/exec": func(ctx context.Context, stdin, tell *os.File) ([]byte, error) {
			exec.ReadSoon()
			c := exec.CommandContext(ctx, "/proc/self/exe")
			c.Env, c.Stdin, c.ExtraFiles = env, stdin, []*os.File{tell}
			return c.Output()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stdin, feed, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			defer feed.Close()
			told, tell, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer told.Close()
			var out []byte
			done := make(chan error, 1)
			go func() {
				defer tell.Close()
				o, err := output(ctx, stdin, tell)
				out = o
				done <- err
			}()
			var pid int
			if _, err := fmt.Fscanln(told, &pid); err != nil {
				t.Fatal(err)
			}
			if err := within(t, func() error {
				for syscall.Kill(pid, 0) == nil {
					time.Sleep(time.Millisecond)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			cancel()
			select {
			case err := <-done:
				t.Fatalf("does not wait for the output: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
			io.WriteString(feed, "late")
			feed.Close()
			if err := within(t, func() error { return <-done }); err != nil || string(out) != "late" {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
}

// leaveAndTell leaves a process behind that copies its input, and tells its own
// number.
func leaveAndTell([]string) int {
	fmt.Fprintln(os.NewFile(3, "tell"), os.Getpid())
	syscall.CloseOnExec(3)
	return leave("cat", os.Stdin)
}
