//go:build !linux

package linux

import "runtime"

// onlyLinux returns the error of everything that other systems do not have.
func onlyLinux(what string) error {
	return &UnsupportedError{Feature: what, Reason: "only Linux has it, and this is " + runtime.GOOS}
}

// A guard is only on Linux.
type guard struct{}
