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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux/exec"
)

// WaitDelay begins when the context ends, be it that nobody waits: what reads a
// pipe before it calls Wait comes to its end.
func TestWaitDelayWithoutWait(t *testing.T) {
	type cmd interface {
		StderrPipe() (io.ReadCloser, error)
		Start() error
		Wait() error
	}
	env := append(os.Environ(), helperVar+"=family")
	for name, make := range map[string]func(ctx context.Context, stdout io.Writer) cmd{
		"os/exec": func(ctx context.Context, stdout io.Writer) cmd {
			c := std.CommandContext(ctx, "/proc/self/exe")
			c.Env, c.Stdout, c.WaitDelay = env, stdout, 100*time.Millisecond
			return c
		},
		"linux/exec": func(ctx context.Context, stdout io.Writer) cmd {
			c := exec.CommandContext(ctx, "/proc/self/exe")
			c.Env, c.Stdout, c.WaitDelay = env, stdout, 100*time.Millisecond
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var started lockedBuffer
			c := make(ctx, &started)
			stderr, err := c.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			for !strings.HasSuffix(started.String(), "\n") {
				time.Sleep(time.Millisecond)
			}
			grandchild := number(started.String())
			defer syscall.Kill(grandchild, syscall.SIGKILL)
			cancel()
			// Something is wrong if it is the grandchild that ends the pipe.
			late := time.AfterFunc(20*time.Second, func() {
				t.Error("the pipe was not closed")
				syscall.Kill(grandchild, syscall.SIGKILL)
			})
			io.Copy(io.Discard, stderr)
			late.Stop()
			var ee *exec.ExitError
			if err := c.Wait(); !errors.As(err, &ee) || ee.String() != "signal: killed" {
				t.Errorf("got %v, want signal: killed", err)
			}
		})
	}
}

// family starts a process that holds the output, and does not end either.
func family([]string) int {
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), helperVar+"=sleep")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(c.Process.Pid)
	time.Sleep(time.Hour)
	return 0
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
