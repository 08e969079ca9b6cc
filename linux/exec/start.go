//go:build linux && !clone3_osexec

package exec

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// Start starts the command, and does not wait for it. If it returns nil,
// Process is set, and Wait is to be called.
func (c *Cmd) Start() error { return c.begin(false) }

// begin is Start. If wait comes next all other calls of Wait come too late for it,
// and all output may be copied when it returns.
func (c *Cmd) begin(waitNext bool) error {
	if atomic.SwapInt32(&c.started, 1) != 0 {
		return errors.New("exec: already started")
	}
	if c.SysProcAttr != nil && c.SysProcAttr.PidFD != nil {
		*c.SysProcAttr.PidFD = -1
	}
	r, err := c.start()
	c.pipes.closeChild()
	if err != nil {
		c.pipes.closeParent()
		if f, ok := err.(startFailure); ok {
			return f.error
		}
		errors.As(err, &c.failed)
		return c.startError(err)
	}
	r.waiting.Store(waitNext)
	c.running = r
	// With a WaitDelay the end of the context may end the copying, of which it
	// has to know then.
	atOnce := waitNext && c.WaitDelay == 0 && c.pipes.allInMemory()
	if !atOnce {
		r.copying = c.pipes.copy()
	}
	if c.ctx != nil && c.ctx.Done() != nil && (c.Cancel != nil || c.WaitDelay != 0) {
		r.obey(c)
	}
	if atOnce && !r.copySoon(c) {
		r.copying = c.pipes.copy()
	}
	return nil
}

// A startFailure is an error for Start to return as it is.
type startFailure struct{ error }

// start creates the process.
func (c *Cmd) start() (*running, error) {
	if c.Path == "" && c.Err == nil && c.Exec == nil {
		c.Err = errors.New("exec: no command")
	}
	switch {
	case c.Err != nil:
		return nil, startFailure{c.Err}
	case c.ctx == nil && c.Cancel != nil:
		return nil, startFailure{errors.New("exec: command with a non-nil Cancel was not created with CommandContext")}
	case c.ctx != nil && c.ctx.Err() != nil:
		return nil, startFailure{c.ctx.Err()}
	}
	child, lent, err := c.child()
	if err != nil {
		return nil, err
	}
	defer closeAll(lent)
	ctx := c.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	var proc *linux.Process
	err = withDescriptors(func() error {
		proc, err = linux.Clone3(ctx, child)
		return err
	})
	if err != nil {
		if ctx.Err() != nil && err == context.Cause(ctx) { // before there was a process
			err = startFailure{ctx.Err()}
		}
		return nil, err
	}
	r, err := c.hold(proc, child)
	if err != nil {
		return nil, err
	}
	if c.SysProcAttr != nil && c.SysProcAttr.PidFD != nil {
		*c.SysProcAttr.PidFD = r.duplicate(c.Process)
	}
	return r, nil
}

// child returns the Child to start, and files that are to be closed afterwards.
func (c *Cmd) child() (*linux.Child, []io.Closer, error) {
	child := c.Child
	if err := ownFields(&child); err != nil {
		return nil, nil, startFailure{err}
	}
	child.Path, child.Dir, child.Args, child.InheritFiles = c.Path, c.Dir, c.Args, !c.CloseFiles
	if child.Exec != nil {
		child.Path = ""
	}
	if len(child.Args) == 0 {
		child.Args = []string{c.Path}
	}
	var err error
	if child.Env, err = c.environ(); err != nil {
		return nil, nil, startFailure{err}
	}
	if child.Files, err = c.files(); err != nil {
		return nil, nil, startFailure{err}
	}
	lent, err := take(&child, c.SysProcAttr)
	child.LeaveZombie = !has(child.Flags, linux.AutoReap)
	if err == nil && !child.LeaveZombie {
		err = canAutoReap()
	}
	if err != nil {
		closeAll(lent)
		return nil, nil, err
	}
	return &child, lent, nil
}

// files returns the files of the child. Those that are nil will be /dev/null.
func (c *Cmd) files() ([]*os.File, error) {
	files := make([]*os.File, 3, 3+len(c.ExtraFiles))
	var err error
	if files[0], err = c.pipes.from(c.Stdin); err != nil {
		return nil, err
	}
	if files[1], err = c.pipes.to(c.Stdout); err != nil {
		return nil, err
	}
	if c.Stderr != nil && equal(c.Stderr, c.Stdout) {
		files[2] = files[1]
	} else if files[2], err = c.pipes.to(c.Stderr); err != nil {
		return nil, err
	}
	return append(files, c.ExtraFiles...), nil
}

func has(f, g linux.Flags) bool { return f&g == g }

// duplicateFD returns a descriptor of the caller's own.
func duplicateFD(fd int) (dup int, err error) {
	err = withDescriptors(func() error {
		dup, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	return dup, err
}

// environ returns the environment, and what is wrong with it. It is nil if it is
// that of this program, in which each key is unique.
func (c *Cmd) environ() ([]string, error) {
	hasNUL := func(s string) bool { return strings.IndexByte(s, 0) >= 0 }
	switch {
	case c.Env == nil && c.Dir == "":
		return nil, nil
	case c.Env == nil:
		if _, err := filepath.Abs(c.Dir); err != nil {
			return nil, err
		}
	case slices.ContainsFunc(c.Env, hasNUL):
		return nil, errors.New("exec: environment variable contains NUL")
	}
	return c.Environ(), nil
}
