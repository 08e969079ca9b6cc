//go:build linux

package linux

// WatchedForTest returns how many pidfds are waited for.
func WatchedForTest() int {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	return len(watched.owners)
}
