//go:build linux

package linux

import (
	"errors"
	"os"
	"testing"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// The name of a process may hold what stands behind names.
func TestParseStatOfOddNames(t *testing.T) {
	for text, want := range map[string]procStat{
		"7 (sh) S 3 7 7":          {'S', 3},
		"7 (a) b) Z 4 7 7":        {'Z', 4},
		"7 (x) S 1 (y)) T 5 7 7":  {'T', 5},
		"7 (two words) t 6 7 7 7": {'t', 6},
	} {
		if got, err := parseStat(text); got != want || err != nil {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

// A process can create another one unless it is stopped, or has ended.
func TestAllStopped(t *testing.T) {
	found := map[int]*PidFD{10: nil, 11: nil}
	for state, want := range map[byte]bool{'T': true, 't': true, 'Z': true, 'X': true, 'R': false, 'S': false, 'D': false} {
		if got := allStopped(found, map[int]procStat{10: {'T', 1}, 11: {state, 10}}); got != want {
			t.Errorf("state %c: got %v, want %v", state, got, want)
		}
	}
	if !allStopped(found, map[int]procStat{10: {'T', 1}}) {
		t.Error("a process that is gone is not stopped")
	}
}

// What was read of a process may have been of one that had its number before.
func TestOpenChildOfAnotherParent(t *testing.T) {
	f, err := openChild(os.Getpid(), os.Getppid())
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if f, err := openChild(os.Getpid(), os.Getppid()+1); f != nil || !errors.Is(err, unix.ECHILD) {
		t.Errorf("got %v, %v, want %v", f, err, unix.ECHILD)
	}
}

// Each number is that of its own field.
func TestDecodeInfoFields(t *testing.T) {
	raw := uapi.PidfdInfo{
		Mask: 0xff, Cgroupid: 1, Pid: 2, Tgid: 3, Ppid: 4, Ruid: 5, Rgid: 6, Euid: 7, Egid: 8, Suid: 9, Sgid: 10, Fsuid: 11, Fsgid: 12,
		ExitCode: 13 << 8, CoredumpMask: 14, CoredumpSignal: 15, CoredumpCode: 16, SupportedMask: 0xff,
	}
	want := Info{
		Fields: 0xff, CgroupID: 1, Pid: 2, Tgid: 3, Ppid: 4, Ruid: 5, Rgid: 6, Euid: 7, Egid: 8, Suid: 9, Sgid: 10, Fsuid: 11, Fsgid: 12,
		Exit: 13 << 8, CoreDump: 14, CoreDumpSignal: 15, CoreDumpCode: 16, Supported: 0xff,
	}
	if got := decodeInfo(&raw, 88); got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
