//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// Where something is short a child is created, or the error says what is short,
// and when it is there again all works.

func TestShortageOfDescriptors(t *testing.T) {
	t.Run("plain", func(t *testing.T) { shortOfDescriptors(t, "") })
	t.Run("tree", func(t *testing.T) {
		dir := cgroup(t)
		shortOfDescriptors(t, dir)
		noGroupIsLeft(t, dir)
	})
}

func shortOfDescriptors(t *testing.T, dir string) {
	out, status := output(t, child("shortage of descriptors", dir))
	if !status.Success() {
		t.Errorf("%v:\n%s", status, out)
	}
}

// shortage of descriptors lowers the limit on them until none is free, and below
// those that are in use.
var _ = helper("shortage of descriptors", func(args []string) int {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		return fail("%v\n", err)
	}
	run := func(c *linux.Child) error {
		p, err := linux.Clone3(background, c)
		if err != nil {
			return err
		}
		_, err = p.Wait(background)
		return errors.Join(err, p.Close())
	}
	openFiles := func() int {
		entries, _ := os.ReadDir("/proc/self/fd")
		return len(entries)
	}
	kinds := map[string]func(*linux.Child){
		"plain":        func(*linux.Child) {},
		"InheritFiles": func(c *linux.Child) { c.InheritFiles = true },
		"Created":      func(c *linux.Child) { c.Created = func(*linux.Process) error { return nil } },
	}
	if args[0] != "" {
		dir, err := os.Open(args[0])
		if err != nil {
			return fail("%v\n", err)
		}
		defer dir.Close()
		kinds = map[string]func(*linux.Child){"guarded": func(c *linux.Child) {
			c.KillTree, c.Cgroup, c.Flags, c.Emulate = true, dir, kill, linux.AutoKill
		}}
	}
	for _, change := range kinds { // what is kept is opened
		c := child("exit", "0")
		change(c)
		if err := run(c); err != nil {
			return fail("with enough: %v\n", err)
		}
	}
	ended, cancel := context.WithCancel(background)
	cancel()
	if p, err := linux.Clone3(background, child("sleep")); err == nil {
		p.Wait(ended) // lets it be watched
		p.Kill()
		p.Wait(background)
	}
	before, short := openFiles(), 0
	for limit := before + 8; limit >= 0; limit-- {
		for kind, change := range kinds {
			c := child("exit", "0")
			change(c)
			lim := was
			lim.Cur = uint64(limit)
			unix.Setrlimit(unix.RLIMIT_NOFILE, &lim)
			err := run(c)
			unix.Setrlimit(unix.RLIMIT_NOFILE, &was)
			var step *linux.StepError
			switch {
			case err == nil:
			case errors.Is(err, unix.EMFILE), errors.As(err, &step) && errors.Is(err, unix.EBADF):
				short++ // a place that is out of the limit is none: EBADF
			default:
				return fail("%s with limit %d: %v\n", kind, limit, err)
			}
			if err := run(child("exit", "0")); err != nil {
				return fail("%s after limit %d: %v\n", kind, limit, err)
			}
		}
	}
	if after := openFiles(); after > before || short == 0 {
		return fail("%d descriptors are open, %d were; %d times they were short\n", after, before, short)
	}
	return 0
})

func TestShortageOfProcesses(t *testing.T) {
	needRoot(t)
	c := child("shortage of processes")
	c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
	out, status := output(t, c)
	if !status.Success() {
		t.Errorf("%v:\n%s", status, out)
	}
}

// shortage of processes takes all away that its user may have. Threads count,
// and the runtime ends a program that gets none: so it has some to spare.
var _ = helper("shortage of processes", func([]string) int {
	var together, ends sync.WaitGroup
	together.Add(8)
	for range 8 {
		ends.Go(func() {
			runtime.LockOSThread()
			together.Done()
			together.Wait()
			runtime.UnlockOSThread()
		})
	}
	ends.Wait()
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &was); err != nil {
		return fail("%v\n", err)
	}
	lim := was
	lim.Cur = 1
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &lim); err != nil {
		return fail("%v\n", err)
	}
	_, err := linux.Clone3(background, child("exit", "0"))
	unix.Setrlimit(unix.RLIMIT_NPROC, &was)
	if !errors.Is(err, unix.EAGAIN) || !strings.Contains(fmt.Sprint(err), "RLIMIT_NPROC of this user is 1,") {
		return fail("got error %v, want that RLIMIT_NPROC is 1\n", err)
	}
	p, err := linux.Clone3(background, child("exit", "0"))
	if err != nil {
		return fail("with enough: %v\n", err)
	}
	if s, err := p.Wait(background); err != nil || !s.Success() {
		return fail("with enough: %v, %v\n", s, err)
	}
	return 0
})

// The kernel says by a number why a control group takes no child, and the error
// in words.
func TestCgroupThatTakesNone(t *testing.T) {
	need := func(t *testing.T, dir, controller string) {
		controllers, _ := os.ReadFile(dir + "/cgroup.controllers")
		if !slices.Contains(strings.Fields(string(controllers)), controller) {
			t.Skip("there is no controller " + controller)
		}
	}
	for _, test := range []struct {
		errno   syscall.Errno
		prepare func(t *testing.T, dir string) error
		want    string
	}{
		{unix.EBUSY, func(t *testing.T, dir string) error {
			need(t, dir, "memory") // threads can be spread by pids
			return os.WriteFile(dir+"/cgroup.subtree_control", []byte("+memory"), 0)
		}, "has controllers for its children enabled"},
		{unix.EAGAIN, func(t *testing.T, dir string) error {
			need(t, dir, "pids")
			return os.WriteFile(dir+"/pids.max", []byte("0"), 0)
		}, "has 0 processes, and pids.max is 0"},
		// ENODEV only if it is removed meanwhile.
		{unix.ENOENT, func(_ *testing.T, dir string) error { return os.Remove(dir) }, "has been removed"},
	} {
		t.Run(unix.ErrnoName(test.errno), func(t *testing.T) {
			path := cgroup(t)
			dir, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			if err := test.prepare(t, path); err != nil {
				t.Fatal(err)
			}
			c := child("exit", "0")
			c.Cgroup = dir
			p, err := linux.Clone3(background, c)
			if p != nil {
				p.Kill()
				p.Close()
			}
			if !errors.Is(err, test.errno) || !strings.Contains(err.Error(), path+" "+test.want) {
				t.Errorf("got error %v, want %v and that it %s", err, test.errno, test.want)
			}
			if err := plainChild(); err != nil {
				t.Errorf("the next child: %v", err)
			}
		})
	}
}

// plainChild creates a child that wants nothing special.
func plainChild() error {
	p, err := linux.Clone3(background, child("exit", "0"))
	if err != nil {
		return err
	}
	_, err = p.Wait(background)
	return err
}

// Whoever may have no more epoll watches waits all the same, and is quick again
// when there are some.
func TestShortageOfWatches(t *testing.T) {
	needMachine(t)
	path := napProgram(t, time.Minute) // programs in Go need a watch themselves
	if path == "" {
		t.Skip("no program for this architecture")
	}
	nap, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer nap.Close()
	const setting = "/proc/sys/fs/epoll/max_user_watches"
	was, err := os.ReadFile(setting)
	if err != nil {
		t.Fatal(err)
	}
	restore := func() error { return os.WriteFile(setting, was, 0) }
	if err := os.WriteFile(setting, []byte("1"), 0); err != nil {
		t.Skip("it cannot be set: ", err)
	}
	defer restore()
	helper := talk(t, func(c *linux.Child) {
		c.Credential = &syscall.Credential{Uid: 54321, Gid: 54321} // who has no watches yet
		c.Files = append(c.Files, nap)
	}, "shortage of watches")
	if answer := helper.tell(""); answer != "[signal: killed signal: killed signal: killed], 3 asked" {
		t.Errorf("with one watch: %s", answer)
	}
	if err := restore(); err != nil {
		t.Fatal(err)
	}
	if answer := helper.tell(""); answer != "[signal: killed signal: killed signal: killed], 0 asked" {
		t.Errorf("with enough: %s", answer)
	}
}

// shortage of watches lets three children be waited for at once, and tells how
// many of them are asked again and again.
var _ = helper("shortage of watches", func([]string) int {
	linux.SetFront(false)
	nap := os.NewFile(3, "nap")
	return listen(func(string) string {
		var all []*linux.Process
		statuses := make(chan linux.ExitStatus)
		for range 3 {
			p, err := linux.Clone3(background, &linux.Child{Exec: nap, Args: []string{"nap"}, Env: []string{}})
			if err != nil {
				return err.Error()
			}
			all = append(all, p)
			go func() {
				s, _ := p.Wait(background)
				statuses <- s
			}()
		}
		within(soon, func() bool { return linux.Watched() == 3 })
		time.Sleep(50 * time.Millisecond) // those who can be watched are not asked any more
		asked := linux.Asked()
		var got []linux.ExitStatus
		for _, p := range all {
			p.Kill()
			got = append(got, <-statuses)
		}
		return fmt.Sprintf("%v, %d asked", got, asked)
	})
})
