//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// A program that was written and closed can be executed, whatever other
// goroutines start meanwhile and let inherit.
func TestProgramJustWritten(t *testing.T) {
	n := 500
	if testing.Short() {
		n = 20
	}
	dir := t.TempDir()
	starter := func(c *linux.Child) error {
		c.InheritFiles = true
		p, err := linux.Clone3(background, c)
		if err != nil {
			return err
		}
		_, err = p.Wait(background)
		return err
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	for range 4 {
		wg.Go(func() {
			for !stop.Load() {
				if err := starter(child("exit", "0")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range n {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, []byte("#!/no/such\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		// There is no such interpreter, but a file that is busy fails before that
		// is seen.
		if err := starter(&linux.Child{Path: name}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("program %d of %d: got error %v, want %v", i, n, err, os.ErrNotExist)
		}
		os.Remove(name)
	}
}

// Who really writes a program keeps it from being executed, for a time that is
// bounded.
func TestProgramBeingWritten(t *testing.T) {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "program"), os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	busy := func(ctx context.Context, c *linux.Child) time.Duration {
		t.Helper()
		c.Path = f.Name()
		began := time.Now()
		_, err := linux.Clone3(ctx, c)
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return time.Since(began) // on a slow machine it was in flight at the end
		}
		var step *linux.StepError
		if !errors.As(err, &step) || step.Kind != linux.StepExec || step.Errno != syscall.ETXTBSY {
			t.Errorf("got error %v, want %v of exec", err, syscall.ETXTBSY)
		}
		return time.Since(began)
	}
	if took := busy(background, &linux.Child{}); took < 20*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %v, want some tens of milliseconds", took)
	}
	ctx, cancel := context.WithCancel(background)
	time.AfterFunc(2*time.Millisecond, cancel)
	busy(ctx, &linux.Child{})

	created := 0
	busy(background, &linux.Child{Created: func(*linux.Process) error { created++; return nil }})
	if created != 1 {
		t.Errorf("Created was called %d times, want once", created)
	}
	time.AfterFunc(5*time.Millisecond, func() { f.Close() })
	p, err := linux.Clone3(background, &linux.Child{Path: f.Name()})
	if !errors.Is(err, syscall.ENOEXEC) { // it is empty
		t.Errorf("closed meanwhile: got %v, %v, want %v", p, err, syscall.ENOEXEC)
	}
}
