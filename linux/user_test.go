//go:build linux

package linux_test

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

const userVar = "CLONE3_TEST_USER"

// asUser reports whether the test has been run as uid 1000, by this call: if it
// runs as root, it is run once more in a process of that user.
func asUser(t *testing.T) (done bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		return false
	}
	dir, err := os.MkdirTemp("", "user")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chown(dir, 1000, 1000); err != nil {
		t.Fatal(err)
	}
	out, status := output(t, &linux.Child{
		Exec:       self,
		Args:       []string{"test", "-test.run=^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$", "-test.v"},
		Env:        append(environ(), "TMPDIR="+dir, userVar+"=1"),
		Dir:        dir,
		Files:      []*os.File{nil, nil, os.Stderr},
		Credential: &syscall.Credential{Uid: 1000, Gid: 1000},
	})
	switch {
	case !status.Success() || !strings.Contains(out, "PASS: "+t.Name()) && !strings.Contains(out, "SKIP: "+t.Name()):
		t.Fatalf("as uid 1000: %v\n%s", status, out)
	case strings.Contains(out, "SKIP: "+t.Name()):
		t.Skip("as uid 1000: " + out)
	}
	return true
}

// anotherUsers opens a process of another user, which is the first one in most
// places. In a container that a user runs it is his own.
func anotherUsers(t *testing.T) *linux.PidFD {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat("/proc/1", &stat); err != nil || int(stat.Uid) == os.Geteuid() {
		t.Skip("process 1 is not another user's: ", err)
	}
	init, err := linux.OpenPidFD(1)
	own(t, init, err)
	return init
}

// needStatic skips the test if the test binary, as with -race, needs a file to
// be executed that is not there.
func needStatic(t *testing.T) {
	t.Helper()
	f, err := elf.NewFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Skip("the test binary is dynamically linked")
		}
	}
}

// Groups that a Credential does not list are not kept.
func TestCredentialWithoutGroups(t *testing.T) {
	needRoot(t)
	c := child("groups of a child")
	c.Credential = &syscall.Credential{Groups: []uint32{5, 6}}
	passes(t, c)
}

var _ = helper("groups of a child", func([]string) int {
	for keep, want := range map[bool]string{false: "[]", true: "[5 6]"} {
		c := child("groups")
		c.Credential = &syscall.Credential{NoSetGroups: keep}
		if out, err := outputOf(c); err != nil || out != want {
			return fail("NoSetGroups %v: the child has groups %s (%v), want %s", keep, out, err, want)
		}
	}
	return 0
})

var _ = helper("groups", func([]string) int {
	groups, _ := os.Getgroups()
	fmt.Print(groups)
	return 0
})
