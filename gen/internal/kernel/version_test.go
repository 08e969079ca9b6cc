package kernel

import (
	"strconv"
	"testing"
)

// The code of a release has a byte for the patch level, which keeps to it.
func TestVersionHeaderOfAPatchLevelAbove255(t *testing.T) {
	for _, v := range []kernelVersion{{major: 6, minor: 1, patch: 176}, {major: 4, minor: 9, patch: 255}, {major: 4, minor: 14, patch: 336}} {
		values := matchesOf(versionLine, v.header())
		if want := strconv.Itoa(v.major<<16 + v.minor<<8 + min(v.patch, 255)); values["CODE"] != want {
			t.Errorf("%s: LINUX_VERSION_CODE is %s, want %s", v, values["CODE"], want)
		}
		if got, err := headerVersion("version.h", v.header()); err != nil || got != v {
			t.Errorf("got %v, %v, want %v", got, err, v)
		}
	}
}
