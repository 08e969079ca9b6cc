//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	std "os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux/exec"
)

// A program that was written and closed can be executed, whatever other
// goroutines start meanwhile. With os/exec some cannot: a child on its way to its
// program has a copy of the descriptor by which another goroutine writes.
func TestTextFileBusy(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 200
	}
	if s := os.Getenv("CLONE3_STRESS"); s != "" {
		n = number(s)
	}
	busy := func(name string, run func(name string) error) int {
		failed := writeAndRun(t, n, run)
		t.Logf("%s: %d of %d are busy", name, failed, n)
		return failed
	}
	busy("os/exec", func(name string) error { return std.Command(name).Run() })
	for how, closeFiles := range map[string]bool{"linux/exec": false, "linux/exec with CloseFiles": true} {
		if failed := busy(how, func(name string) error {
			c := exec.Command(name)
			c.CloseFiles = closeFiles
			return c.Run()
		}); failed > 0 {
			t.Errorf("%s: %d of %d programs are busy, want none", how, failed, n)
		}
	}
}

// writeAndRun writes n programs and runs each at once, some at a time, and
// returns how many were busy.
func writeAndRun(t *testing.T, n int, run func(name string) error) int {
	t.Helper()
	// There is no interpreter, which is found out once the program is open.
	program := append([]byte("#!/nowhere/interpreter\n"), bytes.Repeat([]byte("#"), 64<<10)...)
	dir := t.TempDir()
	var next, busy atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				name := filepath.Join(dir, fmt.Sprint(i))
				if err := os.WriteFile(name, program, 0o700); err != nil {
					t.Error(err)
					return
				}
				switch err := run(name); {
				case errors.Is(err, syscall.ETXTBSY):
					busy.Add(1)
				case !errors.Is(err, syscall.ENOENT):
					t.Errorf("got %v, want %v", err, syscall.ENOENT)
				}
				os.Remove(name)
			}
		})
	}
	wg.Wait()
	return int(busy.Load())
}
