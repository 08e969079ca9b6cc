//go:build linux

package linux_test

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/uapi"
)

// A child that is frozen before its first step, and thawed when the program that
// wanted it is gone, does not execute its program. That it would is shown by a
// child that does not look for its parent.
func TestFrozenChildOfDeadProgram(t *testing.T) {
	for _, test := range []struct {
		how  string
		runs bool
	}{{"own files", false}, {"InheritFiles", false}, {"NewPID", false}, {"raw", true}} {
		t.Run(test.how, func(t *testing.T) {
			if test.how == "NewPID" {
				needRoot(t)
			}
			group, thaw := frozen(t)
			mark := filepath.Join(t.TempDir(), "mark")
			parent := talk(t, func(c *linux.Child) { c.Files = append(c.Files, group) }, "abandon", test.how, mark)
			parent.hear()
			onlyChildOf(t, parent.Pid())
			if err := parent.Kill(); err != nil {
				t.Fatal(err)
			}
			wait(t, parent.Process)
			thaw()
			for deadline := time.Now().Add(20 * time.Second); populated(t, group.Name()); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the child does not end")
				}
			}
			if _, err := os.Stat(mark); (err == nil) != test.runs {
				t.Errorf("the child has executed its program: %v, want %v", err == nil, test.runs)
			}
		})
	}
}

// A child that waits for a program which is gone does not wait for ever, though
// it may have copies of all the program's descriptors.
func TestChildAtTheGateOfDeadProgram(t *testing.T) {
	for _, how := range []string{"own files", "InheritFiles"} {
		t.Run(how, func(t *testing.T) {
			// The pipe ends when the last process that has it does.
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			parent := talk(t, func(c *linux.Child) { c.Files = append(c.Files, w) }, "die at the gate", how)
			w.Close()
			pid, err := strconv.Atoi(strings.TrimSpace(parent.hear()))
			if err != nil {
				t.Fatal(err)
			}
			child, err := linux.OpenPidFD(pid)
			if err != nil {
				t.Fatal(err)
			}
			defer child.Close()
			if err := parent.Kill(); err != nil {
				t.Fatal(err)
			}
			wait(t, parent.Process)
			r.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := r.Read(make([]byte, 1)); err != io.EOF {
				child.Signal(syscall.SIGKILL)
				t.Errorf("got error %v, want that the child ends", err)
			}
		})
	}
}

// die at the gate creates a child that waits while it is killed.
var _ = helper("die at the gate", func(args []string) int {
	c := child("sleep")
	c.InheritFiles = args[0] == "InheritFiles"
	if !c.InheritFiles {
		c.Files = append(c.Files, os.NewFile(3, "pipe"))
	}
	c.Created = func(p *linux.Process) error {
		os.Stdout.WriteString(itoa(p.Pid()) + "\n")
		time.Sleep(time.Hour)
		return nil
	}
	linux.Clone3(background, c)
	return 1
})

// populated reports whether there are processes in a control group.
func populated(t *testing.T, dir string) bool {
	t.Helper()
	events, err := os.ReadFile(dir + "/cgroup.events")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(events), "populated 1")
}

// abandon creates a child in a frozen control group, and comes to nothing else.
var _ = helper("abandon", func(args []string) int {
	os.Stdout.WriteString("ready\n")
	if args[0] == "raw" {
		env := helperEnv("mark")
		newRaw(uapi.CLONE_VM|uapi.CLONE_VFORK, 3, "/proc/self/exe", []string{"x", args[1]}, env).run()
		return 1
	}
	c := child("mark", args[1])
	c.Cgroup = os.NewFile(3, "group")
	c.InheritFiles = args[0] == "InheritFiles"
	if args[0] == "NewPID" { // where the parent has no number
		c.Flags = linux.NewPID
	}
	linux.Clone3(background, c)
	return 1
})

// mark leaves a file as a sign that it has run.
var _ = helper("mark", func(args []string) int {
	os.WriteFile(args[0], nil, 0o600)
	return 0
})
