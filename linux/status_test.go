//go:build linux

package linux

import "testing"

// What waitid tells is a wait status again.
func TestStatusOfWaitid(t *testing.T) {
	const exited = 1 // CLD_EXITED
	for _, test := range []struct {
		code, value int32
		want        ExitStatus
	}{
		{exited, 0, 0}, {exited, 7, 7 << 8}, {exited, 255, 255 << 8}, {cldKilled, 9, 9}, {cldDumped, 6, 6 | 0x80},
	} {
		var info childInfo
		info.Code = test.code
		info.fields()[2] = test.value
		if got := info.status(); got != test.want {
			t.Errorf("code %d, status %d: got %#x, want %#x", test.code, test.value, got, test.want)
		}
	}
}
