//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"os"
	"reflect"
	"runtime"
	"sync/atomic"
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

// finish does to an os.Process what its Wait does when that has reaped: from now
// on it is done, and its descriptor is closed as soon as nobody uses it. Package
// os does so only for what it reaps itself. Release would make it forget that the
// process has ended, and change its Pid.
//
// It can be called concurrently with all methods of p, and again. If package os
// is not as this function knows it, it does nothing, and returns false: the
// descriptor stays open until p is garbage.
func finish(p *os.Process) bool {
	const done = 1 // statusDone
	v := reflect.ValueOf(p).Elem()
	state, ok1 := fieldOf[atomic.Uint32](v, "state")
	cleanup, ok2 := fieldOf[runtime.Cleanup](v, "cleanup")
	handle := v.FieldByName("handle")
	if !ok1 || !ok2 || !handle.IsValid() || handle.Kind() != reflect.Pointer || handle.Type().Elem().Kind() != reflect.Struct {
		return false
	}
	if handle.IsNil() {
		return true // it goes by the ID, or is done
	}
	refs, ok := fieldOf[atomic.Int32](handle.Elem(), "refs")
	if !ok {
		return false
	}
	// Within WithHandle there is one reference more, with which the last one
	// is not ours, and closes.
	p.WithHandle(func(uintptr) {
		if state.CompareAndSwap(0, done) {
			cleanup.Stop()
			refs.Add(-1)
		}
	})
	return true
}

// fieldOf returns where a field of an addressable struct is.
func fieldOf[T any](v reflect.Value, name string) (*T, bool) {
	field := v.FieldByName(name)
	if !field.IsValid() || field.Type() != reflect.TypeFor[T]() {
		return nil, false
	}
	return (*T)(unsafe.Pointer(field.UnsafeAddr())), true
}
