//go:build linux

package linux_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// A program that cannot be looked into, or can, is so after its children are
// created as before, or as it has asked for meanwhile.
func TestProgramStaysAsDumpableAsItWants(t *testing.T) {
	for _, user := range []string{"root", "user"} {
		t.Run(user, func(t *testing.T) {
			c := child("dumpable")
			if user == "root" {
				needRoot(t)
			} else {
				c.Credential = asOther()
			}
			if out, status := output(t, c); out != "" || !status.Success() {
				t.Errorf("%v\n%s", status, out)
			}
		})
	}
}

// asOther is the credential of a user who is not root, or nil for one.
func asOther() *syscall.Credential {
	if syscall.Geteuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: 1000, Gid: 1000}
}

var _ = helper("dumpable", func([]string) int {
	const get, set = unix.PR_GET_DUMPABLE, unix.PR_SET_DUMPABLE
	now := func() int {
		n, _ := unix.PrctlRetInt(get, 0, 0, 0, 0)
		return n
	}
	raw := func(n uintptr) { unix.Prctl(set, n, 0, 0, 0) }
	root := syscall.Geteuid() == 0
	plain := func(*linux.Child) {}
	user := func(c *linux.Child) { c.Flags = linux.NewUser }
	unshare := func(c *linux.Child) { c.Unshare = linux.NewUser }
	credential := func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000} }
	if !root { // who may become nobody else
		credential = func(c *linux.Child) {
			c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000, NoSetGroups: true}
		}
	}
	var out strings.Builder
	for _, test := range []struct {
		name      string
		change    func(*linux.Child)
		before    uintptr // of the program
		meanwhile func()  // while the child is in flight
		held      bool    // nobody is to look into the program then
		after     int     // what the program is then to be
	}{
		{"plain", plain, 1, func() {}, false, 1},
		{"plain, taken by prctl", plain, 1, func() { raw(0) }, false, 0},
		{"plain, given by prctl", plain, 0, func() { raw(1) }, false, 1},
		{"plain, taken", plain, 1, func() { linux.SetDumpable(false) }, false, 0},
		{"plain, given", plain, 0, func() { linux.SetDumpable(true) }, false, 1},
		{"NewUser", user, 1, func() {}, root, 1},
		{"NewUser, taken", user, 1, func() { linux.SetDumpable(false) }, root, 0},
		{"NewUser, not to be had", user, 0, func() {}, root, 0},
		{"NewUser, given", user, 0, func() { linux.SetDumpable(true) }, root, 1},
		{"NewUser, taken and given", user, 1, func() { linux.SetDumpable(false); linux.SetDumpable(true) }, root, 1},
		{"Unshare NewUser", unshare, 1, func() {}, root, 1},
		{"Unshare NewUser, taken", unshare, 1, func() { linux.SetDumpable(false) }, root, 0},
		{"Credential", credential, 1, func() {}, false, 1},
		{"Credential, taken", credential, 1, func() { linux.SetDumpable(false) }, false, 0},
		{"Credential, not to be had", credential, 0, func() {}, false, 0},
		{"NewUser beside one that has come to its program", user, 1, func() {
			c := child("exit", "0")
			user(c)
			if p, err := linux.Clone3(background, c); err == nil {
				p.Wait(background)
			}
			credential(c)
			if p, err := linux.Clone3(background, c); err == nil {
				p.Wait(background)
			}
		}, root, 1},
		{"NewUser, of two one taken", user, 1, func() {
			c := child("exit", "0")
			user(c)
			c.Created = func(*linux.Process) error { return linux.SetDumpable(false) }
			if p, err := linux.Clone3(background, c); err == nil {
				p.Wait(background)
			}
		}, root, 0},
	} {
		raw(test.before)
		c := child("exit", "0")
		test.change(c)
		var early, late int
		c.Created = func(*linux.Process) error {
			early = now()
			test.meanwhile()
			late = now()
			return nil
		}
		p, err := linux.Clone3(background, c)
		after := now()
		raw(1) // or the next test finds /proc closed
		switch {
		case err == nil:
			p.Wait(background)
		case !root && test.before == 0: // cannot be mapped; it is the program's wish
		default:
			fmt.Fprintf(&out, "%s: %v\n", test.name, err)
		}
		if test.held && early|late != 0 {
			fmt.Fprintf(&out, "%s: PR_GET_DUMPABLE while the child is in flight is %d and then %d, want 0\n", test.name, early, late)
		}
		if after != test.after {
			fmt.Fprintf(&out, "%s: PR_GET_DUMPABLE afterwards is %d, want %d\n", test.name, after, test.after)
		}
	}
	fmt.Print(out.String())
	return 0
})
