//go:build linux

package linux_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// argc ends with the number of its arguments, the first one, its name, included.
var _ = helper("argc", func([]string) int { return len(os.Args) })

// tiny returns a Child whose program does what the argc helper does, in as few
// instructions as it takes where this file knows them.
func tiny(t testing.TB, args int) *linux.Child {
	t.Helper()
	c := child("argc")
	if path := tinyProgram(t); path != "" {
		c.Path, c.Exec, c.Env = path, nil, []string{}
	}
	for len(c.Args) < args {
		c.Args = append(c.Args, "x")
	}
	return c
}

// tinyDir is where the program lies, or "" if there is none.
var tinyDir string

var tinyOnce = sync.OnceValues(func() (string, error) {
	var code []byte
	bits64 := true
	var machine uint16
	switch runtime.GOARCH {
	case "amd64": // mov edi, [rsp]; mov eax, exit_group; syscall
		machine, code = 62, []byte{0x8b, 0x3c, 0x24, 0xb8, 231, 0, 0, 0, 0x0f, 0x05}
	case "386": // mov ebx, [esp]; mov eax, exit_group; int 0x80
		bits64, machine, code = false, 3, []byte{0x8b, 0x1c, 0x24, 0xb8, 252, 0, 0, 0, 0xcd, 0x80}
	case "arm64": // ldr x0, [sp]; mov x8, exit_group; svc 0
		machine, code = 183, []byte{0xe0, 0x03, 0x40, 0xf9, 0xc8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4}
	default:
		return "", nil
	}
	dir, err := os.MkdirTemp("", "tiny")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	tinyDir = dir
	path := filepath.Join(dir, "argc")
	return path, os.WriteFile(path, elfFile(bits64, machine, code), 0o755)
})

func tinyProgram(t testing.TB) string {
	path, err := tinyOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// elfFile returns an executable with nothing but code.
func elfFile(bits64 bool, machine uint16, code []byte) []byte {
	const base = 0x400000
	le := binary.LittleEndian
	b := []byte{0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	head, program := 52, 32
	if bits64 {
		b[4], head, program = 2, 64, 56
	}
	word := func(v int) {
		if bits64 {
			b = le.AppendUint64(b, uint64(v))
		} else {
			b = le.AppendUint32(b, uint32(v))
		}
	}
	size := head + program + len(code)
	b = le.AppendUint16(b, 2) // executable
	b = le.AppendUint16(b, machine)
	b = le.AppendUint32(b, 1)
	word(base + head + program) // entry
	word(head)
	word(0)
	b = le.AppendUint32(b, 0)
	for _, v := range []int{head, program, 1, 0, 0, 0} {
		b = le.AppendUint16(b, uint16(v))
	}
	b = le.AppendUint32(b, 1) // load
	if bits64 {
		b = le.AppendUint32(b, 5) // read and execute
	}
	for _, v := range []int{0, base, base, size, size} {
		word(v)
	}
	if !bits64 {
		b = le.AppendUint32(b, 5)
	}
	word(0x1000)
	return append(b, code...)
}

// TestStress creates children from many goroutines while the garbage collector
// works all the time, and some of them fail. CLONE3_STRESS sets their number;
// CLONE3_SOAK instead for how many minutes.
func TestStress(t *testing.T) {
	total := 2000
	if testing.Short() || tinyProgram(t) == "" {
		total = 100
	}
	if n, err := strconv.Atoi(os.Getenv("CLONE3_STRESS")); err == nil {
		total = n
	}
	var end time.Time
	if minutes, err := strconv.ParseFloat(os.Getenv("CLONE3_SOAK"), 64); err == nil {
		total, end = math.MaxInt, time.Now().Add(time.Duration(minutes*float64(time.Minute)))
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)

	type kind struct {
		name  string
		flags linux.Flags
	}
	kinds := []kind{{"plain", 0}}
	for _, f := range []linux.Flags{linux.AutoReap, linux.AutoKill | linux.NoNewPrivs} {
		if linux.Probe(f) == nil {
			kinds = append(kinds, kind{f.String(), f})
		}
	}
	var done, failed, wrong atomic.Int64
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 0))
			for n := done.Add(1); n <= int64(total) && (end.IsZero() || time.Now().Before(end)); n = done.Add(1) {
				k := kinds[random.IntN(len(kinds))]
				args := 1 + random.IntN(100)
				c := tiny(t, args)
				c.Flags = k.flags
				fails := random.IntN(10) == 0
				if fails {
					c.Path, c.Exec = "/no/such", nil
					failed.Add(1)
				}
				p, err := linux.Clone3(background, c)
				if fails {
					if !errors.Is(err, os.ErrNotExist) {
						wrong.Add(1)
						t.Errorf("%s: got error %v, want %v", k.name, err, os.ErrNotExist)
					}
					continue
				}
				if err != nil {
					wrong.Add(1)
					t.Errorf("%s: %v", k.name, err)
					continue
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				if s, err := p.Wait(ctx); err != nil || s.Code() != args {
					wrong.Add(1)
					t.Errorf("%s: got %v, %v, want exit status %d", k.name, s, err, args)
				}
				cancel()
				p.Close()
				if wrong.Load() > 20 {
					return
				}
			}
		})
	}
	group.Wait()
	select {
	case <-children:
	default:
		t.Error("no SIGCHLD has come")
	}
	n := min(done.Load(), int64(total))
	t.Logf("%d children, %d of them to fail, %d wrong", n, failed.Load(), wrong.Load())
}
