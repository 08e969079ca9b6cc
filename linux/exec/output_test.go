//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"context"
	"io"
	std "os/exec"
	"slices"
	"testing"

	"github.com/go-clone3/clone3/linux/exec"
)

// Where output already goes is not forgotten for Output's own sake.
func TestOutputLeavesWhatIsSet(t *testing.T) {
	var b bytes.Buffer
	for name, run := range map[string]func(*exec.Cmd) ([]byte, error){
		"exec: Stdout already set": func(c *exec.Cmd) ([]byte, error) { c.Stdout = &b; return c.Output() },
		"exec: Stderr already set": func(c *exec.Cmd) ([]byte, error) { c.Stderr = &b; return c.CombinedOutput() },
	} {
		if out, err := run(command("both", "0")); out != nil || err == nil || err.Error() != name {
			t.Errorf("got %q, %v, want %q", out, err, name)
		}
	}
	c := command("both", "0")
	c.Stdout = &b
	if out, err := c.CombinedOutput(); out != nil || err == nil || err.Error() != "exec: Stdout already set" {
		t.Errorf("got %q, %v, want that Stdout is set", out, err)
	}
	if b.Len() > 0 {
		t.Errorf("a command has run, and written %q", &b)
	}
}

// A pipe is made once, and before the command is started.
func TestPipesAreMadeOnceAndBeforeStart(t *testing.T) {
	for name, pipe := range map[string]func(*exec.Cmd) (io.Closer, error){
		"Stdin":  func(c *exec.Cmd) (io.Closer, error) { return c.StdinPipe() },
		"Stdout": func(c *exec.Cmd) (io.Closer, error) { return c.StdoutPipe() },
		"Stderr": func(c *exec.Cmd) (io.Closer, error) { return c.StderrPipe() },
	} {
		first := command("both", "0")
		f, err := pipe(first)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pipe(first); err == nil || err.Error() != "exec: "+name+" already set" {
			t.Errorf("%s: got error %v for the second pipe, want that it is set", name, err)
		}
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		first.Wait()

		late := command("both", "0")
		if err := late.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := pipe(late); err == nil || err.Error() != "exec: "+name+"Pipe after process started" {
			t.Errorf("%s: got error %v for a pipe of a command that runs, want that it is late", name, err)
		}
		if err := late.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// Environ and String are those of os/exec.
func TestEnvironAndStringAreThoseOfStandardPackage(t *testing.T) {
	for _, c := range []*std.Cmd{
		{Path: "/bin/a", Args: []string{"a", "b c"}},
		{Path: "/bin/a", Args: []string{"a"}, Env: []string{"A=1", "B=2", "A=3"}},
		{Path: "/bin/a", Args: []string{"a"}, Env: []string{"A=1"}, Dir: "/"},
		{Path: "/bin/a", Args: []string{"a"}, Dir: "/tmp"},
		std.Command("no-such-program-exists", "x"),
		{Path: "/bin/a", Args: []string{"a", "b"}, Err: exec.ErrDot},
	} {
		ours, err := exec.FromCmd(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := ours.Environ(), c.Environ(); !slices.Equal(got, want) {
			t.Errorf("Environ: got %q, want %q", got, want)
		}
		if got, want := ours.String(), c.String(); got != want {
			t.Errorf("String: got %q, want %q", got, want)
		}
	}
}
