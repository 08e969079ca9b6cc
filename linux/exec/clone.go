package exec

import (
	"reflect"
	"slices"
)

// Clone returns a Cmd with which the same can be started again: one that was
// started already, and may have ended, cannot be. It has the fields of c that
// say what to run and the context, and none of what has come of it. Pipes and
// buffers that methods of c have made, such as StdoutPipe and Output, are left
// out: their methods can be called again. What a Reader as Stdin has given is
// gone.
//
// A Cancel as CommandContext has set it kills the process of the clone; another
// one is taken over, and has to reach the right process itself.
//
// A command that cannot be had everywhere falls back in three lines:
//
//	out, err := cmd.Output()
//	if errors.Is(err, errors.ErrUnsupported) {
//		cmd = cmd.Clone()
//		cmd.Flags = 0
//		out, err = cmd.Output()
//	}
func (c *Cmd) Clone() *Cmd {
	n := &Cmd{
		Path:       c.Path,
		Args:       slices.Clone(c.Args),
		Env:        slices.Clone(c.Env),
		Dir:        c.Dir,
		Stdin:      c.Stdin,
		Stdout:     c.Stdout,
		Stderr:     c.Stderr,
		ExtraFiles: slices.Clone(c.ExtraFiles),
		Err:        c.Err,
		Cancel:     c.Cancel,
		WaitDelay:  c.WaitDelay,
		CloseFiles: c.CloseFiles,
		Child:      c.Child,
		ctx:        c.ctx,
	}
	if c.SysProcAttr != nil {
		attr := *c.SysProcAttr
		n.SysProcAttr = &attr
	}
	if c.Cancel != nil && sameFunc(c.Cancel, c.kill) {
		n.Cancel = n.kill
	}
	if c.made.stdin != nil && equal(c.Stdin, c.made.stdin) {
		n.Stdin = nil
	}
	if c.made.stdout != nil && equal(c.Stdout, c.made.stdout) {
		n.Stdout = nil
	}
	if c.made.stderr != nil && equal(c.Stderr, c.made.stderr) {
		n.Stderr = nil
	}
	n.watchLeak()
	return n
}

// sameFunc reports whether two functions have the same code, be it that they are
// of different variables.
func sameFunc(a, b func() error) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}
