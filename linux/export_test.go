//go:build linux

package linux

import (
	"math"
	"time"
)

// LendMemory lets all children in flight share the memory of this program, until
// the function that it returns is called: what children are protected from.
func LendMemory() (restore func()) {
	was := ownMemory
	ownMemory = func(*Child) bool { return false }
	return func() { ownMemory = was }
}

// OwnMemory reports whether the child would have memory of its own.
func OwnMemory(c *Child) bool { return ownMemory(c) }

// Watched returns how many processes the watcher knows.
func Watched() int {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	return len(watched.owners)
}

// SkipTickets lets the next ticket of the watcher be one of more than 32 bits.
func SkipTickets() {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	watched.last |= 1 << 40
}

// SetFront sets whether a Wait may have a thread. None gets it as long as a
// process has it that nobody asks to leave.
func SetFront(on bool) {
	if on {
		front.process.Store(nil)
		return
	}
	front.since.Store(math.MaxInt64)
	front.process.Store(new(Process))
}

// CgroupDir finds the directory of a control group in two files of /proc.
var CgroupDir = cgroupDir

// LateForTest lets Waits take so long, the first one first, and reports whether
// the next one would get no thread. What was noted before is restored.
func LateForTest(waits ...time.Duration) bool {
	defer front.late.Store(front.late.Swap(0))
	for _, d := range waits {
		note(d)
	}
	return front.late.Load() >= tooLate
}

// LegacyArgs returns the arguments of clone(2) for a GOARCH.
var LegacyArgs = legacyArgs

// FrontTaken reports whether a Wait has a thread.
func FrontTaken() bool { return front.process.Load() != nil }

// SetLate lets the last Waits have ended soon, or all of them late. What was
// noted before is restored.
func SetLate(late bool) (restore func()) {
	value := int32(0)
	if late {
		value = allLate
	}
	was := front.late.Swap(value)
	return func() { front.late.Store(was) }
}

// Bell returns the descriptor that ends the poll of the Wait at the front.
func Bell() int { return openBell() }

// Asked returns how many processes the watcher asks again and again.
func Asked() int {
	watched.mu.Lock()
	defer watched.mu.Unlock()
	return len(watched.asked)
}
