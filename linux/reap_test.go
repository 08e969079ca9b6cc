//go:build linux

package linux_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// leave an orphan starts a process that exits with a code, writes its number, and
// does not wait for it: whoever reaps inherits that.
var _ = helper("leave an orphan", func(args []string) int {
	p, err := linux.Clone3(background, child("exit", args[0]))
	if err != nil {
		return fail("%v", err)
	}
	fmt.Print(p.Pid())
	return 0
})

// What this program inherits is reaped and told. What it starts by itself, by
// package linux or os/exec, keeps its status for who waits for it, however late.
func TestReapOrphans(t *testing.T) {
	each := 8
	if testing.Short() {
		each = 2
	}
	out, status := output(t, child("reap orphans", itoa(each)))
	if !status.Success() {
		t.Errorf("%v: %s", status, out)
	}
}

var _ = helper("reap orphans", func(args []string) int {
	each, _ := strconv.Atoi(args[0])
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	var reaped atomic.Int64
	done, err := linux.ReapOrphans(ctx, func(o linux.Orphan) {
		if o.Status.Code() != 9 {
			fmt.Printf("orphan %d ended with %v, want exit status 9\n", o.Pid, o.Status)
		}
		reaped.Add(1)
	})
	if err != nil || !subreaper() {
		fmt.Printf("ReapOrphans: %v, and a subreaper: %t\n", err, subreaper())
		return 1
	}
	wrong := atomic.Int64{}
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong.Add(1)
			fmt.Printf(format+"\n", args...)
		}
	}
	byLinux := func() { // and waited for late
		for range each {
			p, err := linux.Clone3(background, child("exit", "5"))
			if err != nil {
				check(false, "%v", err)
				return
			}
			time.Sleep(3 * time.Millisecond)
			s, err := p.Wait(background)
			check(err == nil && s.Code() == 5, "linux: got %v, %v, want exit status 5", s, err)
			check(p.Rusage() != nil, "linux: somebody else has reaped it")
		}
	}
	byExec := func() {
		for range each {
			c := child("exit", "7")
			cmd := &exec.Cmd{Path: "/proc/self/exe", Args: c.Args, Env: c.Env}
			if err := cmd.Start(); err != nil {
				check(false, "%v", err)
				return
			}
			time.Sleep(3 * time.Millisecond)
			cmd.Wait()
			code := -1
			if cmd.ProcessState != nil {
				code = cmd.ProcessState.ExitCode()
			}
			check(code == 7, "os/exec: got exit code %d, want 7", code)
		}
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { // orphans
			for range each {
				c := child("leave an orphan", "9")
				p, err := linux.Clone3(background, c)
				check(err == nil, "%v", err)
				if err == nil {
					s, err := p.Wait(background)
					check(err == nil && s.Success(), "who leaves orphans: %v, %v", s, err)
				}
			}
		})
		group.Go(byLinux)
		group.Go(byExec)
	}
	byLinux() // on the first thread, which inherits
	byExec()
	group.Wait()
	for deadline := time.Now().Add(20 * time.Second); reaped.Load() < int64(4*each) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	err = <-done
	check(err == context.Canceled, "ReapOrphans: got %v, want %v", err, context.Canceled)
	check(!subreaper(), "this program is still a subreaper")
	check(reaped.Load() == int64(4*each), "%d orphans were reaped, want %d", reaped.Load(), 4*each)
	children, _ := os.ReadFile("/proc/thread-self/children")
	check(strings.TrimSpace(string(children)) == "", "children are left: %s", children)
	return int(min(wrong.Load(), 1))
})

// A child that has ended and is not waited for is left alone by a look at all that
// have ended: one that reaps an orphan that came later. Nobody needs to be told.
func TestReapOrphansLeavesZombiesOfOthers(t *testing.T) {
	passes(t, child("zombies among orphans"))
}

// It is the same where the kernel lists no children of threads: a kernel without
// CONFIG_PROC_CHILDREN, here a process whose threads are hidden.
func TestReapOrphansWithoutListsOfChildren(t *testing.T) {
	needRoot(t)
	kerneltest.Since(t, "the ID of a process whose threads are hidden", "6.9")
	c := child("zombies among orphans", "hide threads")
	c.Flags = linux.NewMount
	out, status := output(t, c)
	if strings.HasPrefix(out, "SKIP") {
		t.Skip(out)
	}
	if out != "" || !status.Success() {
		t.Errorf("%v: %s", status, out)
	}
}

var _ = helper("zombies among orphans", func(args []string) int {
	if len(args) > 0 {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fail("SKIP: %v", err)
		}
		if err := unix.Mount("tmpfs", "/proc/self/task", "tmpfs", 0, ""); err != nil {
			return fail("SKIP: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	done, err := linux.ReapOrphans(ctx, nil)
	if err != nil {
		return fail("ReapOrphans: %v", err)
	}
	zombie := func(pid int) error {
		for {
			if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
				return err
			}
		}
	}
	// This is the first thread, which inherits: so these look like orphans.
	p, err := linux.Clone3(background, child("exit", "5"))
	if err != nil {
		return fail("%v", err)
	}
	c := child("exit", "7")
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: c.Args, Env: c.Env}
	if err := cmd.Start(); err != nil {
		return fail("%v", err)
	}
	for _, pid := range []int{p.Pid(), cmd.Process.Pid} {
		if err := zombie(pid); err != nil {
			return fail("waitid: %v: somebody else has reaped a child", err)
		}
	}
	for range 2 {
		leaver := child("leave an orphan", "9")
		parent := &exec.Cmd{Path: "/proc/self/exe", Args: leaver.Args, Env: leaver.Env}
		number, err := parent.Output()
		pid, _ := strconv.Atoi(string(number))
		if err != nil || pid == 0 {
			return fail("who leaves an orphan: %q, %v", number, err)
		}
		for deadline := time.Now().Add(20 * time.Second); unix.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				return fail("an orphan is not reaped")
			}
		}
	}
	if s, err := p.Wait(background); err != nil || s.Code() != 5 || p.Rusage() == nil {
		return fail("linux: got %v, %v, want exit status 5 and what it has used", s, err)
	}
	if cmd.Wait(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 7 {
		return fail("os/exec: got %v, want exit status 7", cmd.ProcessState)
	}
	cancel()
	if err := <-done; err != context.Canceled {
		return fail("ReapOrphans: got %v, want %v", err, context.Canceled)
	}
	return 0
})

// subreaper reports whether this program is a child subreaper.
func subreaper() bool {
	var is int32
	return unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, pointer(&is), 0, 0, 0) == nil && is == 1
}
