//go:build linux

package linux

import (
	"math"
	"time"
)

// WatchedForTest returns how many pidfds are waited for.
func WatchedForTest() int {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	return len(watched.owners)
}

// FrontForTest sets whether a Wait may have a thread. None gets it as long as a
// process has it that nobody asks to leave.
func FrontForTest(on bool) {
	if on {
		front.process.Store(nil)
		return
	}
	front.since.Store(math.MaxInt64)
	front.process.Store(new(Process))
}

// LateForTest lets Waits take so long, the first one first, and reports whether
// the next one would get no thread. What was noted before is restored.
func LateForTest(waits ...time.Duration) bool {
	defer front.late.Store(front.late.Swap(0))
	for _, d := range waits {
		note(d)
	}
	return front.late.Load() >= tooLate
}
