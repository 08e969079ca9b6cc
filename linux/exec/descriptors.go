//go:build linux

package exec

import (
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// withDescriptors calls open, and if there were no descriptors left, once more:
// after a collection of garbage, as many a descriptor is closed only by that.
func withDescriptors(open func() error) error {
	err := open()
	if !outOfDescriptors(err) {
		return err
	}
	runtime.GC()
	time.Sleep(10 * time.Millisecond) // what is garbage is closed by a goroutine
	return open()
}

// outOfDescriptors reports whether err is that this program, and not a child on
// its way, could not open a descriptor.
func outOfDescriptors(err error) bool {
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
		return false
	}
	var step *linux.StepError
	return !errors.As(err, &step)
}
