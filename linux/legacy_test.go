//go:build linux

package linux_test

import (
	"slices"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/uapi"
)

// The order of clone(2)'s arguments is that of the kernel's configuration of each
// architecture: CLONE_BACKWARDS, CLONE_BACKWARDS2 or neither.
func TestOrderOfCloneArguments(t *testing.T) {
	const pidfd, tid = 0x1000, 0x2000
	a := &uapi.CloneArgs{Flags: uapi.CLONE_VM | uapi.CLONE_PIDFD | uapi.CLONE_CLEAR_SIGHAND, Pidfd: pidfd, ParentTid: tid, ExitSignal: 17}
	const flags = uapi.CLONE_VM | uapi.CLONE_PIDFD | uapi.CLONE_CHILD_SETTID | 17
	for goarch, want := range map[string][]uintptr{
		"amd64":   {flags, 0, pidfd, tid, 0},
		"loong64": {flags, 0, pidfd, tid, 0},
		"s390x":   {0, flags, pidfd, tid, 0},
	} {
		if got := linux.LegacyArgs(goarch, a); !slices.Equal(got, want) {
			t.Errorf("%s: got %#x, want %#x", goarch, got, want)
		}
	}
	for _, goarch := range []string{"386", "arm", "arm64", "mips", "mipsle", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64"} {
		if got, want := linux.LegacyArgs(goarch, a), []uintptr{flags, 0, pidfd, 0, tid}; !slices.Equal(got, want) {
			t.Errorf("%s: got %#x, want %#x", goarch, got, want)
		}
	}
}
