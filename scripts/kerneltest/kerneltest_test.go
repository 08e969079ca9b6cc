//go:build linux

package kerneltest

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func TestJudge(t *testing.T) {
	unsupported := fmt.Errorf("no such flag: %w", errors.ErrUnsupported)
	tests := map[string]struct {
		err      error
		running  string
		filtered bool
		want     verdict
	}{
		"it works":                  {nil, "7.0.13", false, verdict{}},
		"older kernel":              {unsupported, "7.0.13", false, verdict{skip: "CLONE_NNP: since Linux 7.1, this is 7.0.13"}},
		"much older kernel":         {unsupported, "6.12.117+deb13-amd64", false, verdict{skip: "CLONE_NNP: since Linux 7.1, this is 6.12.117+deb13-amd64"}},
		"that kernel":               {unsupported, "7.1.0-rc1", false, verdict{fail: "CLONE_NNP: Linux 7.1.0-rc1 should have it since 7.1: no such flag: unsupported operation"}},
		"later kernel":              {unsupported, "7.10", false, verdict{fail: "CLONE_NNP: Linux 7.10 should have it since 7.1: no such flag: unsupported operation"}},
		"kernel of a later series":  {unsupported, "8.0.1", false, verdict{fail: "CLONE_NNP: Linux 8.0.1 should have it since 7.1: no such flag: unsupported operation"}},
		"later kernel in a cage":    {syscall.ENOSYS, "7.3", true, verdict{skip: "CLONE_NNP: hidden by the seccomp filter that this process runs under: function not implemented"}},
		"another error":             {syscall.EBADF, "7.0", false, verdict{fail: "CLONE_NNP: bad file descriptor"}},
		"another error in a cage":   {syscall.EBADF, "7.3", true, verdict{fail: "CLONE_NNP: bad file descriptor"}},
		"it works on an old kernel": {nil, "5.10", false, verdict{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := judge("CLONE_NNP", "7.1", tt.err, tt.running, tt.filtered); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// A recorder is a test that notes how it was ended.
type recorder struct {
	testing.TB
	fatal, skip string
}

func (r *recorder) Helper()                     {}
func (r *recorder) Fatal(args ...any)           { r.fatal = fmt.Sprint(args...) }
func (r *recorder) Skip(args ...any)            { r.skip = fmt.Sprint(args...) }
func (r *recorder) Skipf(f string, args ...any) { r.skip = fmt.Sprintf(f, args...) }

func TestNeedOnThisKernel(t *testing.T) {
	var r recorder
	if Need(&r, "nothing", "2.6", nil); r != (recorder{}) {
		t.Errorf("ended a test that may go on: %+v", r)
	}
	if Need(&r, "the future", "999.0", errors.ErrUnsupported); !strings.Contains(r.skip, "since Linux 999.0, this is "+Release()) {
		t.Errorf("did not skip for the running kernel's age: %+v", r)
	}
	if r = (recorder{}); true {
		Need(&r, "the past", "2.6", syscall.EIO)
	}
	if !strings.Contains(r.fatal, "the past: input/output error") {
		t.Errorf("did not fail on an error that is not about support: %+v", r)
	}
}

func TestSince(t *testing.T) {
	var r recorder
	if Since(&r, "the past", "2.6"); r != (recorder{}) {
		t.Errorf("ended a test that may go on: %+v", r)
	}
	if Since(&r, "the future", "999.0"); r.skip != "the future: since Linux 999.0, this is "+Release() {
		t.Errorf("got %+v, want a skip", r)
	}
}
