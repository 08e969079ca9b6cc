//go:build linux

package linux

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A descriptor that another goroutine has just opened, and not yet marked
// close-on-exec, must not come to a child that inherits descriptors. So who opens
// one that way holds [syscall.ForkLock] for reading, and who creates a child
// holds it for writing until the child has its copies.
//
// The spawns of this package need no lock against each other. Those in flight
// together hold it as one group: the first locks, the last unlocks. A group that
// is some time old takes no more members, so that others get their turn.
var inheriting forkGroup

const (
	groupSpan  = 10 * time.Millisecond // how long a group takes new members
	groupCheck = time.Millisecond      // how often it is looked who can leave
)

// A forkGroup are children in flight that may not have copied descriptors yet.
type forkGroup struct {
	mu      sync.Mutex
	held    bool // ForkLock is locked
	locking bool // a goroutine is about to lock it
	began   time.Time
	members []*flight
	queue   []*flight // who waits to become a member
	copies  []*flight // who has copies of descriptors, or will have, until it lands
	timer   *time.Timer
	timed   bool // the timer runs
}

// join makes f a member of the group that holds the lock, or returns why ctx has
// ended before there was one.
func (g *forkGroup) join(ctx context.Context, f *flight) error {
	g.mu.Lock()
	switch {
	case g.held && time.Since(g.began) < groupSpan:
		g.admit(f)
		g.mu.Unlock()
		return nil
	case !g.held && !g.locking && syscall.ForkLock.TryLock():
		g.begin()
		g.admit(f)
		g.mu.Unlock()
		return nil
	}
	f.admitted = make(chan struct{})
	g.queue = append(g.queue, f)
	g.lockForQueue()
	g.mu.Unlock()
	select {
	case <-f.admitted:
		return nil
	case <-ctx.Done():
		g.leave(f)
		return context.Cause(ctx)
	}
}

// leave ends the membership of f, if it is a member.
func (g *forkGroup) leave(f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	is := func(m *flight) bool { return m == f }
	g.queue = slices.DeleteFunc(g.queue, is)
	g.members = slices.DeleteFunc(g.members, is)
	g.copies = slices.DeleteFunc(g.copies, is)
	g.settle()
}

// awaitCopies waits until those who have copies of descriptors by now have none any
// more: children of this package, and those of others, as package os, which lock
// ForkLock until they execute their program. It gives up when ctx ends, or after
// some time.
func (g *forkGroup) awaitCopies(ctx context.Context, patience time.Duration) {
	deadline, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	g.mu.Lock()
	copies := slices.Clone(g.copies)
	g.mu.Unlock()
	for _, f := range copies {
		f.poll(func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.landed || deadline.Err() != nil
		})
	}
	unlocked := make(chan struct{})
	go func() {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		close(unlocked)
	}()
	select {
	case <-unlocked:
	case <-deadline.Done():
	}
}

// begin lets those who wait become members. ForkLock has just been locked.
func (g *forkGroup) begin() {
	g.held, g.began = true, time.Now()
	for _, f := range g.queue {
		g.admit(f)
		close(f.admitted)
	}
	clear(g.queue)
	g.queue = g.queue[:0]
}

func (g *forkGroup) admit(f *flight) {
	g.members = append(g.members, f)
	g.copies = append(g.copies, f)
	if !g.timed {
		g.timed = true
		if g.timer == nil {
			g.timer = time.AfterFunc(groupCheck, g.dismiss)
		} else {
			g.timer.Reset(groupCheck)
		}
	}
}

// settle unlocks ForkLock when the last member has left.
func (g *forkGroup) settle() {
	if g.held && len(g.members) == 0 {
		g.held = false
		syscall.ForkLock.Unlock()
		g.lockForQueue() // who waits to read comes first
	}
}

// lockForQueue begins a group for those who wait, as soon as others have
// unlocked ForkLock.
func (g *forkGroup) lockForQueue() {
	if g.held || g.locking || len(g.queue) == 0 {
		return
	}
	g.locking = true
	go func() {
		syscall.ForkLock.Lock()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.locking = false
		g.begin()
		g.settle() // they may all have gone
	}()
}

// dismiss lets members leave that have copied their descriptors. Most have left
// long before. Who has not may be stuck on its way to its program, and is not
// to keep others from going on.
func (g *forkGroup) dismiss() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = slices.DeleteFunc(g.members, (*flight).copied)
	g.settle()
	if g.timed = len(g.members) > 0; g.timed {
		g.timer.Reset(groupCheck)
	}
}
