//go:build linux

package linux

import (
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"
)

// A Tree says by which means the descendants of a process end with it, see
// [Child].KillTree.
type Tree int

const (
	// TreeLeft: they are left alone, as the Child has no KillTree.
	TreeLeft Tree = iota

	// TreeByCgroup: they are all in a control group that this package has
	// created for them. No process comes out of it by chance. But one that has
	// the right to write to the group above, as those of this program's user
	// mostly have, can move itself there on purpose, and is not ended then. If
	// this program is gone before the process is, they are left, and the group.
	TreeByCgroup

	// TreeByNamespace: the process is the first of a PID namespace, and when it
	// has ended the kernel kills all others there, also if this program is gone.
	TreeByNamespace

	// TreeBySearch: Kill looks for them in /proc. It finds those whose parents
	// all live. When the process ends by itself, none is found.
	TreeBySearch
)

func (t Tree) String() string {
	switch t {
	case TreeLeft:
		return "left alone"
	case TreeByCgroup:
		return "by control group"
	case TreeByNamespace:
		return "by PID namespace"
	case TreeBySearch:
		return "by search"
	}
	return "invalid"
}

// Complete reports whether no descendant gets away by forking, by a session of
// its own, or by the end of its parent.
func (t Tree) Complete() bool { return t == TreeByCgroup || t == TreeByNamespace }

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
	group, err := newTreeGroup(c)
	if err == nil {
		t.Cgroup, t.group = group.Dir(), group
		var p *Process
		if p, err = createOrEmulate(ctx, &t); err == nil {
			return p, nil
		}
		group.discard()
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
	if errors.As(err, new(*StepError)) {
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

// newTreeGroup creates a control group that can be killed: below the one that the
// child is to be created in, or that of this program.
func newTreeGroup(c *Child) (*Cgroup, error) {
	if err := probe(IntoCgroup); err != nil {
		return nil, err
	}
	parent := ""
	if c.Cgroup != nil {
		var err error
		if parent, err = os.Readlink("/proc/self/fd/" + strconv.Itoa(int(c.Cgroup.Fd()))); err != nil {
			return nil, err
		}
	}
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
	go func(g *Cgroup, gone chan<- struct{}) {
		defer close(gone)
		g.discard()
	}(p.group, p.gone)
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
