//go:build linux

// Package leaktest finds what tests leave behind: descriptors, goroutines and
// children. A thread that is left is one that a goroutine keeps.
package leaktest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long what was left may take to go.
const patience = 5 * time.Second

// Run runs the tests and returns the status to exit with. Before, the caller
// makes the package under test take all that it keeps for good.
func Run(m *testing.M) int {
	before := now()
	code := m.Run()
	if code == 0 {
		if err := before.left(patience); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			code = 1
		}
	}
	return code
}

// OffFirstThread calls f in another thread than the first of this program, which
// may take more.
func OffFirstThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if unix.Gettid() == os.Getpid() {
			OffFirstThread(f) // this goroutine has it
			return
		}
		f()
	}()
	<-done
}

// A state is what tests must leave as they have found it.
type state struct {
	files      []string
	goroutines int
	children   []string
}

func now() state {
	var s state
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.HasSuffix(target, "/fd") {
			s.files = append(s.files, e.Name()+" "+target)
		}
	}
	s.goroutines = runtime.NumGoroutine()
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	if err != unix.ECHILD {
		s.children = children()
	}
	return s
}

// children describes them, in a line each.
func children() []string {
	list := []string{"there are children"}
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, name := range tasks {
		pids, _ := os.ReadFile(name)
		for pid := range strings.FieldsSeq(string(pids)) {
			stat, _ := os.ReadFile("/proc/" + pid + "/stat")
			cmdline, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			list = append(list, fmt.Sprintf("%s %q", strings.TrimSpace(string(stat)), cmdline))
		}
	}
	return list
}

// left tells what there is more of than in before, once it has not gone within
// the time. What only the garbage collector closes may be left to it.
func (before state) left(within time.Duration) error {
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		after := now()
		if len(after.files) <= len(before.files) && after.goroutines <= before.goroutines && len(after.children) <= len(before.children) {
			return nil
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			return fmt.Errorf("tests have left something behind\nbefore: %+v\nafter:  %+v\n%s", before, after, buf[:runtime.Stack(buf, true)])
		}
	}
}
