//go:build linux

package exec

import (
	"errors"
	"os"
	"reflect"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
)

// processState returns an os.ProcessState. Package os makes one only of a process
// that it reaps itself, and keeps the fields to itself. This function is for
// processes that somebody else reaps. It sets the fields by their names, and
// fails if one is not there, or of another type.
func processState(pid int, status linux.ExitStatus, usage *syscall.Rusage) (*os.ProcessState, error) {
	if usage == nil {
		usage = new(syscall.Rusage) // the methods want one
	}
	state := new(os.ProcessState)
	v := reflect.ValueOf(state).Elem()
	for name, value := range map[string]any{
		"pid": pid, "status": syscall.WaitStatus(status), "rusage": usage,
	} {
		field, value := v.FieldByName(name), reflect.ValueOf(value)
		if !field.IsValid() || field.Type() != value.Type() {
			return nil, errors.New("exec: this release of Go has an unknown os.ProcessState")
		}
		reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(value)
	}
	return state, nil
}
