//go:build linux

package exec

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// Start starts the command, and does not wait for it. If it returns nil,
// Process is set, and Wait is to be called.
func (c *Cmd) Start() error {
	if atomic.SwapInt32(&c.started, 1) != 0 {
		return errors.New("exec: already started")
	}
	err := c.start()
	c.pipes.closeChild()
	if err != nil {
		c.pipes.closeParent()
		return err
	}
	c.copying = c.pipes.copy()
	if c.ctx != nil && (c.Cancel != nil || c.WaitDelay != 0) {
		c.cancelled = make(chan verdict, 1)
		c.forget = context.AfterFunc(c.ctx, func() { c.cancelled <- c.contextEnded() })
	}
	return nil
}

// start creates the process.
func (c *Cmd) start() error {
	if c.Path == "" && c.Err == nil && c.Exec == nil {
		c.Err = errors.New("exec: no command")
	}
	switch {
	case c.Err != nil:
		return c.Err
	case c.ctx == nil && c.Cancel != nil:
		return errors.New("exec: command with a non-nil Cancel was not created with CommandContext")
	case c.ctx != nil && c.ctx.Err() != nil:
		return c.ctx.Err()
	}
	child, err := c.child()
	if err != nil {
		return err
	}
	if c.SysProcAttr != nil && c.SysProcAttr.UseCgroupFD {
		defer child.Cgroup.Close()
	}
	ctx := c.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	if c.proc, err = linux.Clone3(ctx, child); err != nil {
		if ctx.Err() != nil && err == context.Cause(ctx) { // before there was a process
			return ctx.Err()
		}
		return startError(c.Path, err)
	}
	if c.SysProcAttr != nil && c.SysProcAttr.PidFD != nil {
		*c.SysProcAttr.PidFD = duplicate(c.proc.PidFD())
	}
	c.autoReap = !child.LeaveZombie
	c.Process = osProcess(c.proc, c.autoReap)
	if !has(child.Flags, linux.AutoKill) {
		// Nobody will close what nobody can reach. The child goes on; with
		// AutoKill it would be killed.
		c.cleanup = runtime.AddCleanup(c.Process, func(p *linux.Process) { p.Close() }, c.proc)
	}
	return nil
}

// duplicate returns a descriptor of the caller's own, -1 if there can be none.
func duplicate(pidfd *linux.PidFD) int {
	dup := -1
	pidfd.WithFD(func(fd int) {
		if n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err == nil {
			dup = n
		}
	})
	return dup
}

// child returns the Child to start.
func (c *Cmd) child() (*linux.Child, error) {
	child := c.Child
	if child.Path != "" || child.Args != nil || child.Env != nil || child.Dir != "" || child.Files != nil || child.InheritFiles {
		return nil, errors.New("exec: Cmd.Child has its own Path, Args, Env, Dir, Files or InheritFiles: set those of the Cmd")
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
		return nil, err
	}
	if child.Files, err = c.files(); err != nil {
		return nil, err
	}
	if err := take(&child, c.SysProcAttr); err != nil {
		return nil, startError(c.Path, err)
	}
	child.LeaveZombie = !has(child.Flags, linux.AutoReap)
	if !child.LeaveZombie {
		if err := canAutoReap(); err != nil {
			return nil, startError(c.Path, err)
		}
	}
	return &child, nil
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

// equal reports whether two values are equal. Those that cannot be compared are
// not.
func equal(a, b any) (same bool) {
	defer func() { recover() }()
	return a == b
}

func has(f, g linux.Flags) bool { return f&g == g }
