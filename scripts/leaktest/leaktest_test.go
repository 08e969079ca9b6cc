//go:build linux

package leaktest

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWhatIsLeftIsFound(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T) (clean func()){
		"descriptor": func(t *testing.T) func() {
			f, err := os.Open("/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			return func() { f.Close() }
		},
		"goroutine": func(t *testing.T) func() {
			done := make(chan bool)
			for range 10 { // more than those of earlier tests that are just about to end
				go func() { <-done }()
			}
			return func() { close(done) }
		},
		"child": func(t *testing.T) func() {
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			// Package os would keep a descriptor of it too.
			pid, err := syscall.ForkExec(exe, []string{exe, "-test.run=^$"}, nil) // a zombie soon
			if err != nil {
				t.Fatal(err)
			}
			return func() { syscall.Wait4(pid, nil, 0, nil) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := now()
			clean := leave(t)
			if err := before.left(0); err == nil || !strings.Contains(err.Error(), "left something behind") {
				t.Errorf("a %s is left, but not found: %v", name, err)
			}
			clean()
			if err := before.left(time.Minute); err != nil {
				t.Errorf("nothing is left: %v", err)
			}
		})
	}
}
