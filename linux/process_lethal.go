//go:build linux

package linux

import (
	"maps"
	"slices"
	"sync"
	"syscall"
)

// lethal are the handles of children with AutoKill. Who closes the last copy
// kills, and who keeps a copy keeps alive.
var lethal lethalFDs

type lethalFDs struct {
	mu  sync.Mutex
	fds map[int]struct{}
}

func (l *lethalFDs) add(fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fds == nil {
		l.fds = make(map[int]struct{})
	}
	l.fds[fd] = struct{}{}
}

// list returns them in order.
func (l *lethalFDs) list() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.fds))
}

// close closes a descriptor when no child is being created that has listed it,
// and would close what gets its number next.
func (l *lethalFDs) close(fd int) {
	if !syscall.ForkLock.TryRLock() {
		// Others may hold the lock for long.
		go func() {
			syscall.ForkLock.RLock()
			l.closeLocked(fd)
		}()
		return
	}
	l.closeLocked(fd)
}

func (l *lethalFDs) closeLocked(fd int) {
	defer syscall.ForkLock.RUnlock()
	l.mu.Lock()
	delete(l.fds, fd)
	l.mu.Unlock()
	syscall.Close(fd)
}
