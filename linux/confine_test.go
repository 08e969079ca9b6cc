//go:build linux

package linux_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// NoNewPrivs needs no kernel that has the flag, and comes after what needs
// privileges.
func TestNoNewPrivsOnEveryKernel(t *testing.T) {
	for name, change := range map[string]func(*linux.Child){
		"plain":      func(c *linux.Child) {},
		"chdir":      func(c *linux.Child) { c.Dir = "/" },
		"own memory": func(c *linux.Child) { c.Flags |= linux.NewUser },
		"Credential": func(c *linux.Child) {
			if os.Geteuid() == 0 {
				c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := reported(t, func(c *linux.Child) {
				c.Flags = linux.NoNewPrivs
				change(c)
			})
			if r.Status["NoNewPrivs"] != "1" {
				t.Errorf("NoNewPrivs of the child: got %s, want 1", r.Status["NoNewPrivs"])
			}
			if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); n != 0 || err != nil {
				t.Errorf("no_new_privs of this program: got %d, %v, want 0", n, err)
			}
		})
	}
}

var _ = helper("write file", func(args []string) int {
	if err := os.WriteFile(args[0], []byte("written"), 0o600); err != nil {
		return fail("%v", err)
	}
	return 0
})

// ruleset makes a Landlock ruleset without rules: no file can be written.
func ruleset(t *testing.T) *os.File {
	t.Helper()
	handled := uint64(unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_REG)
	fd, _, errno := unix.Syscall(uapi.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handled)), unsafe.Sizeof(handled), 0)
	switch errno {
	case 0:
	case unix.ENOSYS:
		kerneltest.Need(t, "Landlock", "5.13", errno)
	case unix.EOPNOTSUPP:
		t.Skip("Landlock is disabled")
	default:
		t.Fatal(errno)
	}
	f := os.NewFile(fd, "ruleset")
	t.Cleanup(func() { f.Close() })
	return f
}

func TestLandlockRuleset(t *testing.T) {
	rules := ruleset(t)
	for name, change := range map[string]func(*linux.Child){
		"plain":         func(*linux.Child) {},
		"InheritFiles":  func(c *linux.Child) { c.InheritFiles = true },
		"many files":    func(c *linux.Child) { c.Files = append(c.Files, make([]*os.File, int(rules.Fd())+5)...) },
		"as descriptor": func(c *linux.Child) { c.Files = append(c.Files, rules) },
		"Dir":           func(c *linux.Child) { c.Dir = "/" },
	} {
		t.Run(name, func(t *testing.T) {
			file := t.TempDir() + "/file"
			c := child("write file", file)
			c.Flags, c.LandlockRuleset = linux.NoNewPrivs, rules
			change(c)
			out, status := output(t, c)
			if status.Success() || !strings.HasSuffix(out, "permission denied") {
				t.Errorf("%v: %s; want that it cannot write", status, out)
			}
			c = child("write file", file)
			passes(t, c)
		})
	}
	t.Run("flags", func(t *testing.T) {
		c := child("exit", "0")
		c.Flags, c.LandlockRuleset, c.LandlockFlags = linux.NoNewPrivs, rules, 1<<31
		_, err := linux.Clone3(background, c)
		var unsupported *linux.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Feature != "LandlockFlags" {
			t.Errorf("got error %v, want that LandlockFlags is unsupported", err)
		}
	})
	t.Run("no ruleset", func(t *testing.T) {
		c := child("exit", "0")
		c.Flags, c.LandlockRuleset = linux.NoNewPrivs, os.Stdin
		_, err := linux.Clone3(background, c)
		var step *linux.StepError
		if !errors.As(err, &step) || step.Kind != linux.StepLandlock || step.Errno == 0 {
			t.Errorf("got error %v, want that the step failed", err)
		}
		c.LandlockRuleset, c.LandlockFlags = nil, 1
		if _, err := linux.Clone3(background, c); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("flags without a ruleset: got error %v, want %v", err, syscall.EINVAL)
		}
	})
}
