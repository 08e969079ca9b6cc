//go:build linux

package uapi_test

import (
	"fmt"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// A header that this package has not is bound in a package of one's own, by
//
//	//go:generate go run github.com/go-clone3/clone3/gen@latest -header linux/landlock.h
//
// and KERNEL=DIR in the environment of go generate, where DIR is a kernel's source, or
// /usr/include. Package uapi is made the same way, of the headers that processes
// need, linux/sched.h among them, which is used here.

// priority asks for how a thread is scheduled: 0 is the calling one.
func priority(tid int) (uapi.SchedAttr, error) {
	var attr uapi.SchedAttr // the zero value asks for nothing special
	_, _, errno := syscall.Syscall6(uapi.SYS_SCHED_GETATTR, uintptr(tid), uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0, 0, 0)
	if errno != 0 {
		return uapi.SchedAttr{}, fmt.Errorf("sched_getattr: %w", errno)
	}
	return attr, nil
}

// Binding a header: the struct has the layout that C gives it, on each architecture,
// or does not compile; the constants have their names in C.
func Example_bindAHeader() {
	attr, err := priority(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(attr.Size >= uapi.SCHED_ATTR_SIZE_VER0)
	// Output: true
}
