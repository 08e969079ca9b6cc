//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// drop creates a child, and keeps nothing of it but the number.
//
//go:noinline
func drop(t *testing.T, c *linux.Child) (pid int) {
	p, err := linux.Clone3(background, c)
	if err != nil {
		t.Fatal(err)
	}
	return p.Pid()
}

// isZombie reports whether a process has ended, and waits to be reaped.
func isZombie(pid int) bool {
	stat, _ := os.ReadFile(statPath(pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

// A Process that nobody has any more is closed, so its zombie goes, be it that
// it has ended before or after. One that somebody has stays.
func TestDroppedProcessIsReaped(t *testing.T) {
	held := start(t, child("exit", "0"))
	early := drop(t, child("exit", "0"))
	for !isZombie(held.Pid()) {
		time.Sleep(time.Millisecond)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := child("hold")
	c.Files[0] = r
	late := drop(t, c)
	r.Close()
	for range 10 {
		runtime.GC()
	}
	w.Close()
	for deadline := time.Now().Add(20 * time.Second); procExists(early) || procExists(late); time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Now().After(deadline) {
			t.Fatalf("dropped processes are there still: %v, and %v, which has ended later", procExists(early), procExists(late))
		}
	}
	if !isZombie(held.Pid()) {
		t.Error("a Process that is not dropped has been reaped")
	}
	wait(t, held)
}

// To close the handle of a process with AutoKill kills it: the garbage collector
// does not.
func TestDroppedProcessWithAutoKillLives(t *testing.T) {
	flags := linux.AutoKill | linux.NoNewPrivs
	kerneltest.Need(t, flags.String(), "7.1", linux.Probe(flags))
	c := child("sleep")
	c.Flags = flags
	pid := drop(t, c)
	for range 20 {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
	if !procExists(pid) {
		t.Fatal("the process has been killed")
	}
	if err := unix.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// A program that closes descriptors it does not know, and opens others by their
// numbers, does not give them to its children in place of /dev/null.
func TestNullIsWhatItWas(t *testing.T) {
	out, status := output(t, child("close null"))
	if out != "" || !status.Success() {
		t.Errorf("%v\n%s", status, out)
	}
}

var _ = helper("close null", func([]string) int {
	check := func(when string) {
		c := child("use null")
		c.Files = nil
		p, err := linux.Clone3(background, c)
		if err != nil {
			fmt.Printf("%s: %v\n", when, err)
			return
		}
		if s, err := p.Wait(background); err != nil || !s.Success() {
			fmt.Printf("%s: descriptor %d of a child is not /dev/null, to be read and written (%v)\n", when, s.Code()-1, err)
		}
	}
	cached := func() int {
		for fd := 3; fd < 100; fd++ {
			if target, _ := os.Readlink(fmt.Sprint("/proc/self/fd/", fd)); target == "/dev/null" {
				return fd
			}
		}
		return -1
	}
	check("at first")
	fd := cached()
	if fd < 0 {
		return fail("/dev/null is not kept open: this test does not test it\n")
	}
	zero, err := unix.Open("/dev/zero", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fail("%v\n", err)
	}
	unix.Dup3(zero, fd, unix.O_CLOEXEC)
	check("its number is another file's")
	unix.Close(cached())
	check("it is closed")
	if fd = cached(); fd < 0 {
		return fail("/dev/null is not kept open any more\n")
	}
	readOnly, _ := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	unix.Dup3(readOnly, fd, unix.O_CLOEXEC)
	check("its number is that of a file that is not to be written")
	if target, _ := os.Readlink(fmt.Sprint("/proc/self/fd/", zero)); target != "/dev/zero" {
		fmt.Printf("descriptor %d of the program is %s now\n", zero, target)
	}
	return 0
})

// use null reads and writes its standard files, and exits with 1 and the number
// of one that is not what it should be.
var _ = helper("use null", func([]string) int {
	for fd := range 3 {
		n, err := unix.Write(fd, []byte("x"))
		m, err2 := unix.Read(fd, make([]byte, 1))
		if n != 1 || m != 0 || err != nil || err2 != nil {
			return 1 + fd
		}
	}
	return 0
})

// With one thread for all goroutines, those that sleep in the kernel let others
// run: who has to open the gate, and who is to create other children.
func TestGatesWithOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	n := 10
	if testing.Short() {
		n = 3
	}
	var calls atomic.Int64
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for range n {
				c := tiny(t, 1)
				if g%2 == 0 {
					c.Created = func(*linux.Process) error {
						calls.Add(1)
						runtime.Gosched()
						return nil
					}
				} else {
					c.Flags = linux.NewUser
					ownIDs(c)
					c.GidMappings = nil
					if os.Geteuid() == 0 {
						givenIDs(c)
					}
				}
				p, err := linux.Clone3(background, c)
				if err != nil {
					t.Error(err)
					return
				}
				if s := wait(t, p); s.Code() != 1 {
					t.Errorf("got %v, want exit status 1", s)
				}
			}
		})
	}
	group.Wait()
	if got := calls.Load(); got != int64(2*n) {
		t.Errorf("Created was called %d times, want %d", got, 2*n)
	}
}
