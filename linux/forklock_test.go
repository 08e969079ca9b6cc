//go:build linux

package linux_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// A child that inherits descriptors holds syscall.ForkLock while it is prepared.
// These tests let that take long, by the number of its arguments.

// ForkLock is held until the child has its copies, however long that takes: a
// descriptor that another goroutine has open without close-on-exec, and holds the
// lock for it, does not reach the child.
func TestForkLockIsHeldUntilTheChildHasCopies(t *testing.T) {
	for range 5 {
		c := child("list zeroes")
		c.InheritFiles = true
		c.Args = append(c.Args, slices.Repeat([]string{"x"}, 150_000)...) // as many as exec takes
		created := make(chan struct{})
		opened := make(chan error, 1)
		go func() { opened <- openZero(created) }()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Files[1] = w
		p, err := linux.Clone3(background, c)
		close(created)
		w.Close()
		if err := <-opened; err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 100)
		n, _ := r.Read(out)
		r.Close()
		wait(t, p)
		if n != 0 {
			t.Fatalf("the child has a descriptor that was opened under ForkLock: %s", out[:n])
		}
	}
}

// openZero waits until somebody holds ForkLock for a child, and opens a
// descriptor as soon as it may: one that any child would have that is created
// until the channel is closed.
func openZero(created <-chan struct{}) error {
	for syscall.ForkLock.TryRLock() {
		syscall.ForkLock.RUnlock()
		select {
		case <-created:
			return nil
		default:
		}
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	<-created
	return nil
}

// list zeroes writes which of its descriptors are /dev/zero.
var _ = helper("list zeroes", func([]string) int {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); target == "/dev/zero" {
			os.Stdout.WriteString(e.Name() + " ")
		}
	}
	return 0
})

// Who comes when others have held ForkLock for long is not let in with them, but
// as soon as they are through; so are those that come after.
func TestForkLockIsGivenToThoseWhoWait(t *testing.T) {
	ctx, cancel := context.WithTimeout(background, 4*soon)
	defer cancel()
	slow := &linux.Child{Path: "/no/such", InheritFiles: true, Args: strings.Fields(strings.Repeat("x ", 100_000))}
	for began := time.Now(); ; began = time.Now() {
		if _, err := linux.Clone3(ctx, slow); !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.E2BIG) {
			t.Fatal(err)
		}
		if time.Since(began) > 40*time.Millisecond {
			break
		}
		slow.Args = append(slow.Args, slow.Args...)
	}
	end := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		for {
			select {
			case <-end:
				ended <- nil
				return
			default:
			}
			if _, err := linux.Clone3(ctx, slow); !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.E2BIG) {
				ended <- err
				return
			}
		}
	}()
	held := func() bool {
		free := syscall.ForkLock.TryRLock()
		if free {
			syscall.ForkLock.RUnlock()
		}
		return !free
	}
	for n := 0; n < 3 && ctx.Err() == nil; {
		if !held() {
			time.Sleep(time.Millisecond)
			continue
		}
		time.Sleep(15 * time.Millisecond) // longer than children go along with each other
		if !held() {
			continue
		}
		n++
		c := child("exit", "0")
		c.InheritFiles = true
		p, err := linux.Clone3(ctx, c)
		if err != nil {
			t.Errorf("the one that waits: %v", err)
			break
		}
		wait(t, p)
	}
	close(end)
	if err := <-ended; err != nil {
		t.Errorf("those that come after: %v", err)
	}
}
