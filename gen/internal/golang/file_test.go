package golang

import "testing"

// The files of a header are not those of another whose name begins alike.
func TestFilesOfHeadersWhoseNamesBeginAlike(t *testing.T) {
	for name, ours := range map[string]bool{
		"zsched.go": true, "zsched_linux.go": true, "zsched_linux_arm.go": true, "zsched_linux_generic.go": true,
		"zsched_linux_386.go": true, "zsched_linux_386_etc.go": true, "zsched_linux_32bit.go": true,
		"zsched_linux_linux.go": false, "zsched_linux_x_linux.go": false, "zsched_linux_x_linux_386.go": false, // of sched_linux.h, sched_linux_x.h
		"zsched_types.go": false, "zsched_types_linux.go": false, "zsched_types_linux_arm.go": false,
		"zschedule.go": false, "zsched_linuxes.go": false, "sched.go": false, "zother.go": false,
	} {
		if got := IsFileOf("sched", name); got != ours {
			t.Errorf("%s is of linux/sched.h: got %v, want %v", name, got, ours)
		}
	}
}
