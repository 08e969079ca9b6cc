//go:build linux

package linux_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// Each benchmark compares a method with the bare call that a program would make
// by golang.org/x/sys/unix. "ratio" makes both in turns, so that it means
// something on a machine that has other things to do.
func benchmarkPidFD(b *testing.B, clone3, xsys func() error) {
	for _, bench := range []struct {
		name string
		call func() error
	}{{"clone3", clone3}, {"x-sys", xsys}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("ratio", func(b *testing.B) {
		const batch = 100
		times := [2][]time.Duration{}
		for b.Loop() {
			for i, call := range []func() error{clone3, xsys} {
				begin := time.Now()
				for range batch {
					call()
				}
				times[i] = append(times[i], time.Since(begin))
			}
		}
		for i := range times {
			slices.Sort(times[i])
		}
		p10 := len(times[0]) / 10
		b.ReportMetric(float64(times[0][p10])/float64(times[1][p10]), "clone3/x-sys-p10")
		b.ReportMetric(0, "ns/op")
	})
}

func BenchmarkPidFDSignal(b *testing.B) {
	f, _, _ := living(b, child("hold"))
	fd := number(b, f)
	benchmarkPidFD(b,
		func() error { return f.Signal(0) },
		func() error { return unix.PidfdSendSignal(fd, 0, nil, 0) })
}

// rawInfo is how a program without this package asks.
func rawInfo(fd int, info *uapi.PidfdInfo) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uapi.PIDFD_GET_INFO, uintptr(unsafe.Pointer(info)))
	if errno != 0 {
		return errno
	}
	return nil
}

func BenchmarkPidFDInfo(b *testing.B) {
	if err := linux.Supported(linux.OpInfo); err != nil {
		b.Skip(err)
	}
	f, _, _ := living(b, child("hold"))
	fd := number(b, f)
	benchmarkPidFD(b,
		func() error { _, err := f.Info(); return err },
		func() error {
			return rawInfo(fd, &uapi.PidfdInfo{Mask: uapi.PIDFD_INFO_EXIT | uapi.PIDFD_INFO_COREDUMP | uapi.PIDFD_INFO_SUPPORTED_MASK})
		})
}

func BenchmarkPidFDOpenClose(b *testing.B) {
	pid := os.Getpid()
	benchmarkPidFD(b,
		func() error {
			f, err := linux.OpenPidFD(pid)
			if err != nil {
				return err
			}
			return f.Close()
		},
		func() error {
			fd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		})
}

// Ten thousand handles are waited for at once: of 10 children, so that it is
// handles and not processes that count.
func BenchmarkPidFDWait10000(b *testing.B) {
	const children, each = 10, 1000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < children*each+100 {
		b.Skipf("needs %d descriptors, has %d", children*each+100, limit.Cur)
	}
	b.ReportAllocs()
	for b.Loop() {
		var group sync.WaitGroup
		processes := make([]*linux.Process, children)
		handles := make([]*linux.PidFD, 0, children*each)
		for i := range processes {
			p, err := linux.Clone3(background, child("sleep"))
			if err != nil {
				b.Fatal(err)
			}
			processes[i] = p
			for range each {
				f, err := linux.OpenPidFD(p.Pid())
				if err != nil {
					b.Fatal(err)
				}
				handles = append(handles, f)
			}
		}
		runtime.GC()
		threads, memory := usage(b)
		for _, f := range handles {
			group.Go(func() {
				if status, err := f.Wait(context.Background()); err != nil || status.Signal() != unix.SIGKILL {
					b.Error(status, err)
				}
			})
		}
		for linux.Watched() < children*each {
			time.Sleep(time.Millisecond)
		}
		runtime.GC()
		threadsNow, memoryNow := usage(b)
		begin := time.Now()
		for _, p := range processes {
			p.Kill()
		}
		group.Wait()
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms-to-wake")
		b.ReportMetric(float64(threadsNow-threads), "more-threads")
		b.ReportMetric(float64(threadsNow), "threads")
		b.ReportMetric(float64(memoryNow-memory)/1e6, "MB")
		for _, f := range handles {
			f.Close()
		}
		for _, p := range processes {
			p.Wait(context.Background())
			p.Close()
		}
	}
}

// usage returns the threads of this program, and the bytes its goroutines and
// their data take.
func usage(b *testing.B) (threads int, memory uint64) {
	b.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		b.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return len(entries), m.HeapInuse + m.StackInuse
}

func TestInfoAndSignalDoNotAllocate(t *testing.T) {
	f, _, _ := living(t, child("hold"))
	if n := testing.AllocsPerRun(100, func() { f.Signal(0) }); n != 0 {
		t.Errorf("Signal: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { f.Queue(0, 0, 0) }); n != 0 {
		t.Errorf("Queue: %v allocations", n)
	}
	needInfo(t)
	if n := testing.AllocsPerRun(100, func() { f.Info() }); n != 0 {
		t.Errorf("Info: %v allocations", n)
	}
}
