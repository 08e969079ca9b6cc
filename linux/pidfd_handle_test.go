//go:build linux

package linux_test

import (
	"os"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

func needHandle(t *testing.T, f *linux.PidFD) linux.Handle {
	t.Helper()
	h, err := f.Handle()
	kerneltest.Need(t, "Handle", "6.14", err)
	return h
}

// pidfd_file_handle_test: decode_purely_based_on_file_handle
func TestHandleNamesAProcess(t *testing.T) {
	f, p, release := living(t, child("hold"))
	h := needHandle(t, f)
	again, err := linux.OpenPidFD(p.Pid())
	own(t, again, err)
	if g := needHandle(t, again); g != h {
		t.Errorf("two handles of one process: %v, %v", h, g)
	}
	g, err := linux.OpenHandle(h)
	own(t, g, err)
	if equal, err := g.Equal(f); !equal || err != nil {
		t.Errorf("Equal: got %v, %v", equal, err)
	}
	if !cloexec(t, g) {
		t.Error("the descriptor is not close-on-exec")
	}

	text, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var read linux.Handle
	if err := read.UnmarshalText(text); err != nil || read != h {
		t.Errorf("as text %q: got %v, %v, want %v", text, read, err, h)
	}
	fields := strings.Fields(string(text))
	fields[3] = "00000000-0000-0000-0000-000000000000"
	is(t, "text of another boot", read.UnmarshalText([]byte(strings.Join(fields, " "))), unix.ESTALE)

	// pidfd_file_handle_test: pid_has_exited, pid_has_been_reaped
	release()
	is(t, "WaitEnd", f.WaitEnd(t.Context()), nil)
	z, err := linux.OpenHandle(h)
	own(t, z, err)
	wait(t, p)
	_, err = linux.OpenHandle(h)
	is(t, "OpenHandle of a reaped process", err, unix.ESTALE)
}

func TestHandleOfAThread(t *testing.T) {
	kerneltest.Need(t, "OpenThread", "6.9", linux.Supported(linux.OpOpenThread))
	f, _ := thread(t)
	h := needHandle(t, f)
	g, err := linux.OpenHandle(h)
	own(t, g, err)
	if thread, err := g.IsThread(); !thread || err != nil {
		t.Errorf("IsThread: got %v, %v", thread, err)
	}
}

func TestRulesOfFileHandles(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	h := needHandle(t, f)
	fd := number(t, f)
	_, err := linux.OpenHandle(linux.Handle{})
	is(t, "zero Handle: EINVAL", err, unix.EINVAL)

	raw, _, err := unix.NameToHandleAt(fd, "", unix.AT_EMPTY_PATH)
	if err != nil || raw.Size() != 8 || raw.Type() != 0xfe {
		t.Errorf("%d bytes, type %#x, %v: want 8 and 0xfe", raw.Size(), raw.Type(), err)
	}
	open := func(dir int, flags int) error {
		fd, err := unix.OpenByHandleAt(dir, raw, flags)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	for name, flags := range map[string]int{"O_TRUNC": unix.O_TRUNC, "O_CREAT": unix.O_CREAT, "O_PATH": unix.O_PATH} {
		is(t, name+": EINVAL", open(fd, flags), unix.EINVAL)
	}
	for name, flags := range map[string]int{"O_RDONLY": 0, "O_NONBLOCK": unix.O_NONBLOCK, "PIDFD_THREAD": uapi.PIDFD_THREAD} {
		is(t, name+": opened", open(fd, flags), nil)
	}
	t.Run("never given out: ESTALE", func(t *testing.T) {
		text, err := h.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(text))
		fields[2] = "ffffffffffffff7f"
		var none linux.Handle
		is(t, "UnmarshalText", none.UnmarshalText([]byte(strings.Join(fields, " "))), nil)
		_, err = linux.OpenHandle(none)
		is(t, "OpenHandle", err, unix.ESTALE)
	})
	t.Run("FD_PIDFS_ROOT: opened, EBADF up to 6.16", func(t *testing.T) {
		err := open(uapi.FD_PIDFS_ROOT, 0)
		if err == unix.EBADF {
			kerneltest.Since(t, "FD_PIDFS_ROOT", "6.17")
		}
		is(t, "open_by_handle_at", err, nil)
	})
	t.Run("unprivileged: opened", func(t *testing.T) {
		if asUser(t) {
			return
		}
		init, err := linux.OpenPidFD(1)
		own(t, init, err)
		g, err := linux.OpenHandle(needHandle(t, init))
		own(t, g, err)
	})
}

func TestHandleTextIsChecked(t *testing.T) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	now := " " + strings.TrimSpace(string(boot))
	for _, text := range []string{
		"", "process", "process fe 00", "process fe 00 ", "file fe 00" + now, "process xx 00" + now,
		"process fe 0" + now, "process fe " + now, "process 1ffffffff 00" + now, "process fe " + strings.Repeat("00", 129) + now,
	} {
		var h linux.Handle
		is(t, text, h.UnmarshalText([]byte(text)), unix.EINVAL)
	}
}
