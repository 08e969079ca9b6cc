//go:build linux

package linux

import (
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"
)

// Tree returns by which means the descendants of the process end with it.
func (p *Process) Tree() Tree { return p.tree }

// createTree creates a child with KillTree, in a control group of its own if this
// program may create one.
func createTree(ctx context.Context, c *Child) (*Process, error) {
	t := *c
	if c.Flags.has(NewPID) {
		t.tree = TreeByNamespace
		return createOrEmulate(ctx, &t)
	}
	t.tree = TreeByCgroup
	err := t.inTreeGroup(ctx)
	if err == nil {
		var p *Process
		if p, err = createOrEmulate(ctx, &t); err == nil {
			return p, nil
		}
		t.group.discard()
		t.guard.release(t.group)
	}
	if !deniesGroup(err) {
		return nil, err
	}
	t = *c
	t.tree = TreeBySearch
	return createOrEmulate(ctx, &t)
}

// deniesGroup reports whether err may be that there can be no control group here,
// or no child in it. What is missing for now is no reason to do with less.
func deniesGroup(err error) bool {
	if errors.As(err, new(*StepError)) || errors.As(err, new(*guardError)) {
		return false
	}
	for _, errno := range []error{errors.ErrUnsupported, syscall.EACCES, syscall.EPERM, syscall.EROFS,
		syscall.ENOENT, syscall.ENODEV, syscall.EBUSY, syscall.EOPNOTSUPP, syscall.ENOSPC} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// inTreeGroup gives the child a control group that can be killed: below the one that
// it is to be created in, or that of this program.
func (c *Child) inTreeGroup(ctx context.Context) error {
	err := probe(IntoCgroup)
	parent := ""
	switch {
	case err != nil:
	case c.Cgroup != nil:
		parent, err = os.Readlink("/proc/self/fd/" + strconv.Itoa(int(c.Cgroup.Fd())))
	default:
		parent, err = ownCgroup()
	}
	if err != nil {
		return err
	}
	if c.Flags.has(AutoKill) {
		c.group, c.guard, err = guardedGroup(ctx, parent, c.Cgroup == nil)
	} else {
		c.group, err = killableGroup(parent)
	}
	if err == nil {
		c.Cgroup = c.group.Dir()
	}
	return err
}

// killableGroup creates a control group that has a file to kill it.
func killableGroup(parent string) (*Cgroup, error) {
	g, err := CreateCgroup(parent, CgroupLimits{})
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(g.Path() + "/cgroup.kill"); err != nil {
		g.discard()
		return nil, err
	}
	return g, nil
}

// endGroup ends what is left of the tree when the process has ended. As long as
// that is in flight Clone3 may use the group again. p.mu is held.
func (p *Process) endGroup() {
	if p.group == nil || p.inFlight {
		return
	}
	p.gone = make(chan struct{})
	go func(group *Cgroup, guard *guard, gone chan<- struct{}) {
		defer close(gone)
		group.discard()
		guard.release(group)
	}(p.group, p.guard, p.gone)
}

// awaitGroup waits until the tree is gone, or ctx ends. p.mu is held, but not
// while it waits.
func (p *Process) awaitGroup(ctx context.Context) {
	gone := p.gone
	if gone == nil {
		return
	}
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-gone:
	case <-ctx.Done():
	}
}

// discard closes a group. Nobody tries again if that fails.
func (g *Cgroup) discard() {
	if g.Close() != nil {
		g.dir.Close()
	}
}
