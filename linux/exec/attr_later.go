//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"reflect"
	"slices"
)

// handled are the fields of SysProcAttr that take and Start know.
var handled = []string{
	"Chroot", "Credential", "Ptrace", "Setsid", "Setpgid", "Setctty", "Noctty", "Ctty", "Foreground", "Pgid",
	"Pdeathsig", "Cloneflags", "Unshareflags", "UidMappings", "GidMappings", "GidMappingsEnableSetgroups",
	"AmbientCaps", "UseCgroupFD", "CgroupFD", "PidFD",
}

// later are fields that SysProcAttr has from Go 1.28 on.
type later struct {
	noNewPrivs    bool
	useLandlock   bool
	landlockFD    int
	landlockFlags uint32 // none unless useLandlock
}

// laterFields reads, of a SysProcAttr, fields that the one by which this package is compiled
// may not have. A field that is set, and that nobody here knows, is an error: it
// may be there to confine the command.
func laterFields(v reflect.Value) (l later, err error) {
	for i := range v.NumField() {
		name, value := v.Type().Field(i).Name, v.Field(i)
		if value.IsZero() || slices.Contains(handled, name) {
			continue
		}
		known := false
		switch name {
		case "NoNewPrivs":
			known = read(value, &l.noNewPrivs)
		case "UseLandlock":
			known = read(value, &l.useLandlock)
		case "LandlockFD":
			known = read(value, &l.landlockFD)
		case "LandlockFlags":
			known = read(value, &l.landlockFlags)
		}
		if !known {
			return later{}, &attrError{name, errNotHandled}
		}
	}
	if !l.useLandlock {
		l.landlockFD, l.landlockFlags = 0, 0
	}
	return l, nil
}

// errNotHandled is the error of fields of later releases of Go.
var errNotHandled error = notHandled{}

type notHandled struct{}

func (notHandled) Error() string { return "this version of package exec does not know the field" }

func (notHandled) Is(target error) bool { return target == errors.ErrUnsupported }

// read sets a variable to a value, and reports whether it is of that kind and in
// range.
func read[T bool | int | uint32](value reflect.Value, to *T) bool {
	v := reflect.ValueOf(to).Elem()
	switch {
	case v.Kind() == reflect.Bool && value.Kind() == reflect.Bool:
		v.SetBool(value.Bool())
	case v.CanInt() && value.CanInt() && !v.OverflowInt(value.Int()):
		v.SetInt(value.Int())
	case v.CanInt() && value.CanUint() && value.Uint() <= 1<<31-1:
		v.SetInt(int64(value.Uint()))
	case v.CanUint() && value.CanInt() && value.Int() >= 0 && !v.OverflowUint(uint64(value.Int())):
		v.SetUint(uint64(value.Int()))
	case v.CanUint() && value.CanUint() && !v.OverflowUint(value.Uint()):
		v.SetUint(value.Uint())
	default:
		return false
	}
	return true
}
