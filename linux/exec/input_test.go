//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux/exec"
)

// An answering is a Reader that answers when it is told to.
type answering struct {
	asked  chan struct{}
	answer chan error
}

func newAnswering() *answering {
	return &answering{make(chan struct{}, 1), make(chan error)}
}

func (a *answering) Read(b []byte) (int, error) {
	select {
	case a.asked <- struct{}{}:
	default:
	}
	if err := <-a.answer; err != nil {
		return 0, err
	}
	return copy(b, "late"), nil
}

// within fails the test if run takes longer than it should, be it for ever.
func within(t *testing.T, run func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- run() }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("it takes too long")
		return nil
	}
}

// A Reader that does not answer does not keep Wait, once nobody can read what it
// would give. With os/exec Run never returns.
func TestStdinThatNeverAnswers(t *testing.T) {
	for name, delay := range map[string]time.Duration{"no WaitDelay": 0, "WaitDelay": time.Hour} {
		t.Run(name, func(t *testing.T) {
			in := newAnswering()
			defer func() { in.answer <- io.EOF }() // and the goroutine goes
			c := command("both", "0")
			c.WaitDelay = delay
			c.Stdin = in
			var out []byte
			err := within(t, func() (err error) {
				out, err = c.Output()
				return err
			})
			if err != nil || string(out) != "out" {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
	t.Run("output goes on", func(t *testing.T) {
		in := newAnswering()
		defer func() { in.answer <- io.EOF }()
		c := command("leave writer") // with no input
		c.Stdin = in
		var out []byte
		if err := within(t, func() (err error) {
			out, err = c.Output()
			return err
		}); err != nil || string(out) != "late" {
			t.Errorf("got %q, %v, want all that is written", out, err)
		}
	})
	t.Run("somebody reads", func(t *testing.T) {
		in := newAnswering()
		c := command("leave reader")
		c.Stdin = in
		done := make(chan error, 1)
		var out bytes.Buffer
		c.Stdout = &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { done <- c.Wait() }()
		select {
		case err := <-done:
			t.Errorf("Wait did not wait for a process that reads: %v", err)
		case <-time.After(300 * time.Millisecond):
		}
		in.answer <- nil
		in.answer <- io.EOF
		if err := within(t, func() error { return <-done }); err != nil || out.String() != "late" {
			t.Errorf("got %q, %v", out.String(), err)
		}
	})
	t.Run("WaitDelay is over", func(t *testing.T) {
		in := newAnswering()
		c := command("leave reader")
		c.Stdin = in
		c.WaitDelay = 50 * time.Millisecond
		if err := within(t, c.Run); err != exec.ErrWaitDelay {
			t.Errorf("got %v, want %v", err, exec.ErrWaitDelay)
		}
		in.answer <- io.EOF
	})
	t.Run("its error", func(t *testing.T) {
		in := newAnswering()
		c := command("exit", "0")
		c.Stdin = in
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		wrong := errors.New("wrong input")
		c.Handle().Wait(t.Context())
		go func() { in.answer <- wrong }()
		if err := within(t, c.Wait); err != wrong {
			t.Errorf("got %v, want %v", err, wrong)
		}
	})
}

// leave starts a process of another helper, and ends before it.
func leave(name string, stdin *os.File, args ...string) int {
	c := exec.Command("/proc/self/exe", args...)
	c.Env = append(os.Environ(), helperVar+"="+name)
	if stdin != nil {
		c.Stdin = stdin
	}
	c.Stdout = os.Stdout
	if err := c.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
