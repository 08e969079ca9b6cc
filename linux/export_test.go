//go:build linux

package linux

import "math"

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
