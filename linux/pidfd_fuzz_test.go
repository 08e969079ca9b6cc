//go:build linux

package linux

import (
	"encoding/binary"
	"strings"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// What is filled in is what the mask says and the size has room for.
func FuzzDecodeInfo(f *testing.F) {
	f.Add(make([]byte, 88), 88)
	f.Add([]byte{0x37}, 64)
	f.Add([]byte{0xff}, 88)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		var raw uapi.PidfdInfo
		whole := unsafe.Slice((*byte)(unsafe.Pointer(&raw)), unsafe.Sizeof(raw))
		copy(whole, b)
		if size < uapi.PIDFD_INFO_SIZE_VER0 || size > len(whole) {
			return
		}
		clear(whole[size:]) // as the kernel leaves what it is not given
		i := decodeInfo(&raw, uintptr(size))
		if i.Fields&^InfoFields(raw.Mask) != 0 {
			t.Errorf("mask %#x: got %v", raw.Mask, i.Fields)
		}
		for _, field := range infoFields {
			if i.Has(field.bit) && int(field.end) > size {
				t.Errorf("size %d: got %v", size, field.name)
			}
		}
		filled := Info{Fields: i.Fields}
		if i.Has(InfoPID) {
			filled.Pid, filled.Tgid, filled.Ppid = i.Pid, i.Tgid, i.Ppid
		}
		if i.Has(InfoCreds) {
			filled.Ruid, filled.Euid, filled.Suid, filled.Fsuid = i.Ruid, i.Euid, i.Suid, i.Fsuid
			filled.Rgid, filled.Egid, filled.Sgid, filled.Fsgid = i.Rgid, i.Egid, i.Sgid, i.Fsgid
		}
		if i.Has(InfoCgroup) {
			filled.CgroupID = i.CgroupID
		}
		if i.Has(InfoExit) {
			filled.Exit = i.Exit
		}
		if i.Has(InfoCoreDump) {
			filled.CoreDump = i.CoreDump
		}
		if i.Has(InfoCoreDumpSignal) {
			filled.CoreDumpSignal = i.CoreDumpSignal
		}
		if i.Has(InfoCoreDumpCode) {
			filled.CoreDumpCode = i.CoreDumpCode
		}
		if i.Has(InfoSupported) {
			filled.Supported = i.Supported
		}
		if i != filled {
			t.Errorf("got %+v, which has more than %v", i, i.Fields)
		}
		_ = i.Fields.String() + i.Exit.String()
	})
}

// Linux 6.19 and 7.0 have the mask where 7.1 has the code of a core dump.
func TestDecodeInfoOfBothLayouts(t *testing.T) {
	const mask = uapi.PIDFD_INFO_PID | uapi.PIDFD_INFO_SUPPORTED_MASK
	old := uapi.PidfdInfo{Mask: mask}
	*(*uint64)(unsafe.Pointer(&old.CoredumpCode)) = 0x7f
	for _, size := range []uintptr{80, 88} {
		if i := decodeInfo(&old, size); i.Supported != 0x7f || i.CoreDumpCode != 0 {
			t.Errorf("7.0, %d bytes: got %+v", size, i)
		}
	}
	if i := decodeInfo(&old, 72); i.Has(InfoSupported) || i.Supported != 0 {
		t.Errorf("7.0, 72 bytes: got %+v", i)
	}
	now := uapi.PidfdInfo{Mask: mask | uapi.PIDFD_INFO_COREDUMP_CODE, CoredumpCode: 9, SupportedMask: 0xff}
	if i := decodeInfo(&now, 88); i.Supported != 0xff || i.CoreDumpCode != 9 {
		t.Errorf("7.1: got %+v", i)
	}
	// A struct of 64 bytes: 7.3 sets the bits of fields that have no room.
	small := uapi.PidfdInfo{Mask: 0x37}
	if i := decodeInfo(&small, 64); i.Fields != InfoPID|InfoCreds|InfoCgroup {
		t.Errorf("64 bytes: got %v", i.Fields)
	}
}

func FuzzParseFDInfo(f *testing.F) {
	f.Add("pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t2\nPid:\t1\nNSpid:\t1\n")
	f.Add("Pid:\t-1\nNSpid:\t-1\n")
	f.Add("Pid:\t77\nNSpid:\t77\t1\n")
	f.Add("Pid")
	f.Add("pos:\t0\nflags:\t02000002\nmnt_id:\t15\n") // of another file
	f.Fuzz(func(t *testing.T, text string) {
		info, err := parseFDInfo(text)
		if err == nil && !strings.Contains(text, "Pid:") {
			t.Errorf("got %+v of %q", info, text)
		}
		if err != nil && (info.Pid != 0 || info.NSPid != nil) {
			t.Errorf("got %+v and %v", info, err)
		}
	})
}

func FuzzDecodePidFD(f *testing.F) {
	message := func(level, kind int32, data ...byte) []byte {
		b := make([]byte, unix.CmsgSpace(len(data)))
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		h.Level, h.Type = level, kind
		h.SetLen(unix.CmsgLen(len(data)))
		copy(b[unix.CmsgLen(0):], data)
		return b
	}
	seven := binary.NativeEndian.AppendUint32(nil, 7)
	f.Add(message(unix.SOL_SOCKET, unix.SCM_PIDFD, seven...))
	f.Add(append(message(unix.SOL_SOCKET, unix.SCM_RIGHTS, seven...), message(unix.SOL_SOCKET, unix.SCM_PIDFD, seven...)...))
	f.Add(message(unix.SOL_SOCKET, unix.SCM_PIDFD, 1))
	f.Add(message(unix.SOL_SOCKET, unix.SCM_RIGHTS))
	f.Fuzz(func(t *testing.T, oob []byte) {
		fd, found, err := decodePidFD(append([]byte(nil), oob...))
		if err != nil && (found || fd != 0) {
			t.Errorf("got %d, %v and %v", fd, found, err)
		}
		// An independent reading: the first message of the kind.
		if messages, e := unix.ParseSocketControlMessage(append([]byte(nil), oob...)); e == nil && err == nil {
			want := false
			for _, m := range messages {
				if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_PIDFD && len(m.Data) >= 4 {
					if want = true; int32(binary.NativeEndian.Uint32(m.Data)) != fd {
						t.Errorf("got %d of %v", fd, m)
					}
					break
				}
			}
			if found != want {
				t.Errorf("found is %v, want %v", found, want)
			}
		}
	})
}

func FuzzParseHandle(f *testing.F) {
	f.Add("process fe 0200000000000000 b5f5e4a8-6a64-4e1b-a3a8-0a5b5b5b5b5b")
	f.Add("thread fe 02 x")
	f.Add("thread  ")
	f.Fuzz(func(t *testing.T, text string) {
		h, boot, err := parseHandle(text)
		if err != nil {
			if h != (Handle{}) || boot != "" {
				t.Errorf("got %v, %q and %v", h, boot, err)
			}
			return
		}
		again, boot2, err := parseHandle(h.text(boot))
		if again != h || boot2 != boot || err != nil {
			t.Errorf("%q: got %v, %q, then %v, %q, %v", text, h, boot, again, boot2, err)
		}
	})
}

func FuzzParseStat(f *testing.F) {
	f.Add("1 (init) S 0 1 1")
	f.Add("7 (a) b (c) Z 6")
	f.Add(")")
	f.Fuzz(func(t *testing.T, text string) {
		if stat, err := parseStat(text); err != nil && stat != (procStat{}) {
			t.Errorf("got %+v and %v", stat, err)
		}
	})
}
