//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// withDescriptors calls open, and if there were no descriptors left, again: after
// a collection of garbage, as many a descriptor is closed only by that. What is
// garbage is closed by a goroutine, which may take a moment to come to it.
func withDescriptors(open func() error) error {
	err := open()
	for pause := 5 * time.Millisecond; outOfDescriptors(err) && pause < 100*time.Millisecond; pause *= 4 {
		runtime.GC()
		time.Sleep(pause)
		err = open()
	}
	return err
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
