//go:build linux && !clone3_osexec

package exec

// ReadSoon lets the next Run read itself, whatever was of late.
func ReadSoon() {
	soon.skip.Store(0)
	soon.failed.Store(0)
}

// ReadsSoon reports whether a Run reads itself.
func ReadsSoon() bool { return soon.taken.Load() }
