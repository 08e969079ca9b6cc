//go:build linux

package exec_test

import (
	"context"
	"io"
	"os"
	std "os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-clone3/clone3/linux/exec"
)

// BenchmarkExec measures commands beside those of os/exec. All run the same
// child: as small as a program can be, so that what is measured is this package.
func BenchmarkExec(b *testing.B) {
	quiet, kilobyte, bulk := writer(b, 0), writer(b, 1<<10), writer(b, 100<<20)
	for _, pkg := range []struct {
		name   string
		run    func(string) error
		output func(string) ([]byte, error)
		pipe   func(string) (int64, error)
	}{
		{"clone3-exec",
			func(name string) error { return exec.Command(name).Run() },
			func(name string) ([]byte, error) { return exec.Command(name).Output() },
			func(name string) (int64, error) { return readAll(exec.Command(name)) }},
		{"os-exec",
			func(name string) error { return std.Command(name).Run() },
			func(name string) ([]byte, error) { return std.Command(name).Output() },
			func(name string) (int64, error) { return readAll(std.Command(name)) }},
	} {
		b.Run(pkg.name+"/nil-stdio", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := pkg.run(quiet); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(pkg.name+"/output-1KB", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if out, err := pkg.output(kilobyte); err != nil || len(out) != 1<<10 {
					b.Fatalf("%d bytes, %v", len(out), err)
				}
			}
		})
		b.Run(pkg.name+"/pipe-100MB", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(100 << 20)
			for b.Loop() {
				if n, err := pkg.pipe(bulk); err != nil || n != 100<<20 {
					b.Fatalf("%d bytes, %v", n, err)
				}
			}
		})
		b.Run(pkg.name+"/parallel-8", func(b *testing.B) {
			b.ReportAllocs()
			work, done := make(chan string), make(chan error, 8)
			for range 8 {
				go func() {
					var err error
					for name := range work {
						if e := pkg.run(name); e != nil {
							err = e
						}
					}
					done <- err
				}()
			}
			for b.Loop() {
				work <- quiet
			}
			close(work)
			for range 8 {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A piped command is one of either package.
type piped interface {
	StdoutPipe() (io.ReadCloser, error)
	Start() error
	Wait() error
}

func readAll(c piped) (int64, error) {
	r, err := c.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := c.Start(); err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, r)
	if e := c.Wait(); err == nil {
		err = e
	}
	return n, err
}

// writer makes a program that writes n bytes. It needs a C compiler, and falls
// back on what the system has.
func writer(b *testing.B, n int) string {
	const source = `
static char zero[65536];

static long call(long nr, long a, long b, long c)
{
#if defined(__x86_64__)
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#else
#error "not known here"
#endif
}

#include <asm/unistd.h>

void _start(void)
{
	long left = BYTES;
	while (left > 0) {
		long n = call(__NR_write, 1, (long)zero, left < 65536 ? left : 65536);
		if (n <= 0)
			break;
		left -= n;
	}
	for (;;)
		call(__NR_exit_group, left != 0, 0, 0);
}
`
	dir := b.TempDir()
	src, bin := filepath.Join(dir, "writer.c"), filepath.Join(dir, "writer")
	if err := os.WriteFile(src, []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	cc := std.CommandContext(context.Background(), "cc", "-Os", "-static", "-nostdlib", "-fno-stack-protector",
		"-Wl,--build-id=none", "-DBYTES="+strconv.Itoa(n), "-o", bin, src)
	if out, err := cc.CombinedOutput(); err == nil {
		return bin
	} else {
		b.Logf("no minimal child (%v), using the system's programs\n%s", err, out)
	}
	script := "#!/bin/sh\nexec head -c " + strconv.Itoa(n) + " /dev/zero\n"
	if n == 0 {
		script = "#!/bin/sh\n"
	}
	if err := os.WriteFile(bin, []byte(script), 0o700); err != nil {
		b.Fatal(err)
	}
	return bin
}
