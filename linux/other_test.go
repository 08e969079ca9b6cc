//go:build !linux

package linux_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux"
)

// What only Linux has is an error that says so; what is the same everywhere works.
func TestOtherSystem(t *testing.T) {
	p, err := linux.Clone3(t.Context(), &linux.Child{Path: "/bin/true", Flags: linux.AutoKill})
	if p != nil || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), runtime.GOOS) {
		t.Errorf("Clone3: %v, %v", p, err)
	}
	if err := linux.Probe(linux.AutoKill); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Probe: %v", err)
	}
	if err := new(linux.Process).Close(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Process.Close: %v", err)
	}
	for want, got := range map[string]interface{ String() string }{
		"AutoKill|NewNet":  linux.AutoKill | linux.NewNet,
		"exit status 3":    linux.ExitStatus(3 << 8),
		"pidfd_getfd":      linux.OpGetFD,
		"mnt":              linux.MountNamespace,
		"by control group": linux.TreeByCgroup,
	} {
		if got.String() != want {
			t.Errorf("String is %q, not %q", got, want)
		}
	}
}
