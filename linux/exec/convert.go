//go:build linux

package exec

import (
	"errors"
	std "os/exec"
	"reflect"
	"slices"
)

// FromCmd returns a Cmd that runs what an os/exec command was made to run: for a
// library that is handed one. The command itself is not to be started then.
//
// Some of it cannot be taken over, as os/exec keeps it to itself, and is an
// error: the context of a command made by os/exec.CommandContext, and what
// belongs to it, pipes that were made by StdinPipe, StdoutPipe and StderrPipe,
// and a command that was started. Make these with the Cmd that FromCmd returns.
func FromCmd(c *std.Cmd) (*Cmd, error) {
	switch {
	case c == nil:
		return nil, errors.New("exec: FromCmd of no command")
	case c.Process != nil, hidden(c, "startCalled"):
		return nil, errors.New("exec: FromCmd: the command was already started")
	case c.Cancel != nil || hidden(c, "ctx"):
		return nil, errors.New("exec: FromCmd: the command has a context, which cannot be taken over: " +
			"make it with os/exec.Command, and Kill the process when the context ends")
	case hidden(c, "childIOFiles"), hidden(c, "parentIOPipes"):
		return nil, errors.New("exec: FromCmd: the command has pipes, which cannot be taken over: " +
			"call StdinPipe, StdoutPipe and StderrPipe of what FromCmd returns")
	}
	return &Cmd{
		Path:        c.Path,
		Args:        slices.Clone(c.Args),
		Env:         slices.Clone(c.Env),
		Dir:         c.Dir,
		Stdin:       c.Stdin,
		Stdout:      c.Stdout,
		Stderr:      c.Stderr,
		ExtraFiles:  slices.Clone(c.ExtraFiles),
		SysProcAttr: c.SysProcAttr,
		Err:         c.Err,
		WaitDelay:   c.WaitDelay,
	}, nil
}

// hidden reports whether an unexported field of c is set. It may be looked at.
func hidden(c *std.Cmd, field string) bool {
	f := reflect.ValueOf(c).Elem().FieldByName(field)
	return f.IsValid() && !f.IsZero()
}
