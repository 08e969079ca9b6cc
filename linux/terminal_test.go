//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// terminal opens a pseudoterminal.
func terminal(t *testing.T) (controller, tty *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudoterminal: ", err)
	}
	t.Cleanup(func() { controller.Close() })
	n, err := unix.IoctlGetUint32(int(controller.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(controller.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return controller, tty
}

// tty says whether descriptor 0 is the controlling terminal, and whether this
// process is in the foreground.
var _ = helper("tty", func([]string) int {
	f, err := os.Open("/dev/tty")
	if err == nil {
		f.Close()
	}
	group, groupErr := unix.IoctlGetUint32(0, unix.TIOCGPGRP)
	fmt.Print(err == nil, " ", groupErr == nil && int(group) == unix.Getpgrp())
	return 0
})

func TestControllingTerminal(t *testing.T) {
	_, tty := terminal(t)
	for _, test := range []struct {
		name   string
		change func(*linux.Child)
		want   string
	}{
		{"new session", func(c *linux.Child) { c.Setsid = true }, "false false"},
		{"Setctty", func(c *linux.Child) { c.Setsid, c.Setctty, c.Ctty = true, true, 0 }, "true true"},
		{"Setctty, another descriptor", func(c *linux.Child) {
			c.Setsid, c.Setctty, c.Ctty = true, true, 3
			c.Files = append(c.Files, tty)
		}, "true true"},
	} {
		c := child("tty")
		c.Files[0] = tty
		test.change(c)
		if out, status := output(t, c); out != test.want {
			t.Errorf("%s: got controlling terminal and foreground %s, want %s (%v)", test.name, out, test.want, status)
		}
	}
}

// A session leader puts a child into the foreground, and one without terminal.
func TestForeground(t *testing.T) {
	_, tty := terminal(t)
	c := child("session leader")
	c.Files[0] = tty
	c.Setsid, c.Setctty = true, true
	passes(t, c)
}

var _ = helper("session leader", func([]string) int {
	for name, test := range map[string]struct {
		change func(*linux.Child)
		want   string
	}{
		"background": {func(c *linux.Child) { c.Setpgid = true }, "true false"},
		"foreground": {func(c *linux.Child) { c.Foreground, c.Ctty = true, 0 }, "true true"},
	} {
		c := child("tty")
		c.Files[0] = os.Stdin
		test.change(c)
		if out, err := outputOf(c); out != test.want {
			return fail("%s: got %s, %v, want %s", name, out, err, test.want)
		}
	}
	return 0
})
