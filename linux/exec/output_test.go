//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"context"
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
