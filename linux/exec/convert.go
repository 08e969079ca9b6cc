package exec

import (
	"context"
	"errors"
	std "os/exec"
	"reflect"
	"slices"
)

// FromCmd returns a Cmd that runs what an os/exec command was made to run: for a
// library that is handed one. The command itself is not to be started then.
//
// The Cmd is one as CommandContext makes with ctx. If the command was made by
// os/exec.CommandContext, its own context is not to be had: the caller has to
// know it, and ctx takes its place.
//
// Some of a command cannot be taken over, and is an error: a Cancel that is not
// the one of os/exec.CommandContext, as it may refer to the command, which will
// have no process (set it to nil, and another one in what FromCmd returns); pipes
// that were made by StdinPipe, StdoutPipe and StderrPipe (make them with what
// FromCmd returns); a command that was started; and what a later release of Go
// may add to a command, if it is set.
func FromCmd(ctx context.Context, c *std.Cmd) (*Cmd, error) {
	switch {
	case ctx == nil:
		panic("nil Context")
	case c == nil:
		return nil, errors.New("exec: FromCmd of no command")
	}
	if c.Cancel != nil && !sameFunc(c.Cancel, std.CommandContext(ctx, "/").Cancel) {
		return nil, errors.New("exec: FromCmd: the command has a Cancel of its own, which may refer to it: " +
			"set it to nil, and that of what FromCmd returns")
	}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() || slices.Contains(convertible, name) {
			continue
		}
		why, known := notConvertible[name]
		if !known {
			return nil, errors.New("exec: FromCmd: this version of package exec does not know the field " + name)
		}
		return nil, errors.New("exec: FromCmd: the command " + why)
	}
	cmd := &Cmd{
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
		ctx:         ctx,
	}
	cmd.Cancel = cmd.kill
	cmd.watchLeak()
	return cmd, nil
}

// convertible are the fields of a command that are taken over, or need not be.
var convertible = []string{
	"Path", "Args", "Env", "Dir", "Stdin", "Stdout", "Stderr", "ExtraFiles", "SysProcAttr", "Err", "WaitDelay",
	"Cancel", "ctx",
	"createdByStack",       // to find commands that are started and not waited for
	"cachedLookExtensions", // is of Windows
}

// notConvertible says what is the matter where a field is set. All other fields
// are of a later release of Go.
var notConvertible = map[string]string{
	"Process":       "was already started",
	"ProcessState":  "was already started",
	"startCalled":   "was already started",
	"goroutine":     "was already started",
	"goroutineErr":  "was already started",
	"ctxResult":     "was already started",
	"childIOFiles":  hasPipes,
	"parentIOPipes": hasPipes,
	"lookPathErr":   "has an error that golang.org/x/sys/execabs has set: use os/exec.Command",
}

const hasPipes = "has pipes, which cannot be taken over: call StdinPipe, StdoutPipe and StderrPipe of what FromCmd returns"
