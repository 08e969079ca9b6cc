//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
	"golang.org/x/sys/unix"
)

// prepare lets as many tests as possible run that skip elsewhere: those that
// need a terminal, that descriptors are closed which they do not know of, that
// Go raises the limit on open files, and no C.
func prepare() error {
	syscall.Umask(0o022) // another user reads what is written here
	os.Setenv("CGO_ENABLED", "0")
	os.Setenv("GODEBUG", "containermaxprocs=0") // for which the runtime keeps files open
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("close_range: %w", err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = min(limit.Max/2, 1024)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	var err error
	gotest.Terminal, err = openTerminal()
	return err
}

// openTerminal returns a new terminal, which nobody looks at.
func openTerminal() (*os.File, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock terminal: %w", err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("number of terminal: %w", err)
	}
	go io.Copy(io.Discard, master)
	return os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
}

// execAsUser executes a copy of a test that another user can read.
func execAsUser() error {
	const nobody = 65534
	dir, err := os.MkdirTemp(*asUser, "user")
	if err != nil {
		return err
	}
	test := filepath.Join(dir, "test")
	binary, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		return err
	}
	if err := os.WriteFile(test, binary, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	// Tests build programs. The caches of root are closed to others.
	cache := filepath.Join(*asUser, "cache")
	if err := os.Mkdir(cache, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Chown(cache, nobody, nobody); err != nil {
		return err
	}
	os.Setenv("HOME", cache)
	os.Setenv("GOCACHE", cache)
	os.Unsetenv("GOROOT") // one that the go command has fetched is closed, too
	for _, step := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setgid(nobody) },
		func() error { return syscall.Setuid(nobody) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return syscall.Exec(test, append([]string{test}, flag.Args()[1:]...), os.Environ())
}
