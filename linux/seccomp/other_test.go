package seccomp

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// Where there is no seccomp, Compile says so and where it is; everything else works.
func TestCompileElsewhere(t *testing.T) {
	p, err := Default().Compile()
	if runtime.GOOS == "linux" || runtime.GOOS == "android" {
		if p == nil || err != nil {
			t.Fatalf("got %v, %v, want a program", p, err)
		}
		err = &unsupportedError{"not for " + runtime.GOOS}
	} else if p != nil {
		t.Errorf("got %v, want no program", p)
	}
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), runtime.GOOS) {
		t.Errorf("got error %v, want one that it is not supported on %s", err, runtime.GOOS)
	}
	if len(Set("@default")) == 0 || len(NoUserNamespaces()) == 0 {
		t.Error("there are no sets, or no rules")
	}
}
