// Package guest has tests that end in every way that tests can end. The tests
// of vm run them on a machine, one by one.
package guest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestPass(t *testing.T) { t.Log("fine") }

func TestFail(t *testing.T) { t.Error("as it should") }

func TestSkip(t *testing.T) { t.Skip("not today") }

func TestPanic(t *testing.T) { panic("as it should") }

func TestExit3(t *testing.T) { os.Exit(3) }

func TestKilled(t *testing.T) {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	time.Sleep(time.Hour)
}

// TestStopped hangs so hard that not even its own time limit ends it.
func TestStopped(t *testing.T) { syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

func TestSleeps(t *testing.T) { time.Sleep(time.Hour) }

func TestKernelPanic(t *testing.T) {
	if err := os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
}

// TestOutput writes a MiB of numbered lines, and has them end as it likes.
func TestOutput(t *testing.T) {
	for i := range 1 << 14 {
		fmt.Printf("%057d %04x\r\n", 0, i)
	}
}

func TestNoNewline(t *testing.T) { os.Stdout.WriteString("no newline"); os.Exit(0) }

func TestFullDisk(t *testing.T) {
	f, err := os.Create("/tmp/full")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := bytes.Repeat([]byte{1}, 1<<20)
	for {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUID(t *testing.T) {
	t.Log("uid", os.Getuid())
	if err := os.WriteFile(t.TempDir()+"/x", nil, 0o600); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile("x", nil, 0o600); err != nil {
		t.Error("the working directory:", err)
	}
	if os.Getuid() != 0 {
		if err := os.WriteFile("/x", nil, 0o600); !errors.Is(err, os.ErrPermission) {
			t.Error("the root directory:", err)
		}
	}
	if out, err := exec.Command(os.Args[0], "-test.run=^TestPass$").CombinedOutput(); err != nil {
		t.Errorf("the binary again: %v\n%s", err, out)
	}
}

// TestOrphan leaves a process behind, which keeps the output open.
func TestOrphan(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSleeps$")
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}
