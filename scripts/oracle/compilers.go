package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
)

// A compiler judges one architecture.
type compiler struct {
	GOARCH  string
	Kernel  string   // the directory of its asm headers
	Command []string // the compiler and the flags that choose the ABI that Go uses
	Package string   // Debian's package that has it
}

// compilers has every linux GOARCH. Debian 12's gcc has no loong64.
var compilers = []compiler{
	{"386", "x86", []string{"i686-linux-gnu-gcc"}, "gcc-i686-linux-gnu"},
	{"amd64", "x86", []string{"x86_64-linux-gnu-gcc"}, "gcc-x86-64-linux-gnu"},
	{"arm", "arm", []string{"arm-linux-gnueabihf-gcc"}, "gcc-arm-linux-gnueabihf"},
	{"arm64", "arm64", []string{"aarch64-linux-gnu-gcc"}, "gcc-aarch64-linux-gnu"},
	{"loong64", "loongarch", []string{"clang-16", "--target=loongarch64-linux-gnu", "-ferror-limit=0"}, "clang-16"},
	{"mips", "mips", []string{"mips-linux-gnu-gcc"}, "gcc-mips-linux-gnu"},
	{"mips64", "mips", []string{"mips64-linux-gnuabi64-gcc"}, "gcc-mips64-linux-gnuabi64"},
	{"mips64le", "mips", []string{"mips64el-linux-gnuabi64-gcc"}, "gcc-mips64el-linux-gnuabi64"},
	{"mipsle", "mips", []string{"mipsel-linux-gnu-gcc"}, "gcc-mipsel-linux-gnu"},
	{"ppc64", "powerpc", []string{"powerpc64-linux-gnu-gcc"}, "gcc-powerpc64-linux-gnu"},
	{"ppc64le", "powerpc", []string{"powerpc64le-linux-gnu-gcc"}, "gcc-powerpc64le-linux-gnu"},
	{"riscv64", "riscv", []string{"riscv64-linux-gnu-gcc"}, "gcc-riscv64-linux-gnu"},
	{"s390x", "s390", []string{"s390x-linux-gnu-gcc"}, "gcc-s390x-linux-gnu"},
}

// check compiles the assertions of every unit, some at a time.
func (c compiler) check(units []unit, kernel, scratch string) (tally, error) {
	if _, err := exec.LookPath(c.Command[0]); err != nil {
		return tally{}, fmt.Errorf("%s: no %s; on Debian it is in the package %s", c.GOARCH, c.Command[0], c.Package)
	}
	results := make([]tally, len(units))
	errs := make([]error, len(units))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, u := range units {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			base := filepath.Join(scratch, fmt.Sprintf("%s-%d", c.GOARCH, i))
			results[i], errs[i] = c.checkUnit(u, kernel, base)
		})
	}
	wg.Wait()
	var sum tally
	for i := range units {
		if errs[i] != nil {
			return tally{}, errs[i]
		}
		sum.add(results[i])
	}
	return sum, nil
}

// failed finds the message of an assertion that does not hold, as gcc and
// clang print it.
var failed = regexp.MustCompile(`error: static assertion failed(?:: "| due to requirement .*: )([^"\n]+)"?`)

func (c compiler) checkUnit(u unit, kernel, base string) (tally, error) {
	src := newSource(u)
	if err := os.WriteFile(base+".c", src.text(), 0o666); err != nil {
		return tally{}, err
	}
	args := append(c.Command[1:len(c.Command):len(c.Command)],
		"-std=gnu11", "-w", "-O0", "-nostdinc",
		"-isystem", filepath.Join(kernel, "usr/lib/linux/uapi", c.Kernel),
		"-isystem", filepath.Join(kernel, "usr/include"),
		"-c", "-o", base+".o", base+".c")
	var stderr bytes.Buffer
	cmd := exec.Command(c.Command[0], args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stderr = &stderr
	runErr := cmd.Run()

	t := src.tally
	t.units = 1
	where := c.GOARCH + " " + u.Group + ": "
	for _, m := range failed.FindAllStringSubmatch(stderr.String(), -1) {
		t.mismatches = append(t.mismatches, where+m[1])
	}
	if runErr != nil && (len(t.mismatches) == 0 || strings.Count(stderr.String(), ": error: ") != len(t.mismatches)) {
		return tally{}, fmt.Errorf("%s%s: %w\n%s", where, strings.Join(cmd.Args, " "), runErr, &stderr)
	}
	if runErr != nil {
		return t, nil // no object to look for the bit-fields in; the next run has one
	}
	wrong, err := src.checkBits(base + ".o")
	if err != nil {
		return tally{}, fmt.Errorf("%s%w", where, err)
	}
	for _, m := range wrong {
		t.mismatches = append(t.mismatches, where+m)
	}
	return t, os.Remove(base + ".o")
}

// command runs a program and gives its standard output to w; an error has
// what it wrote to standard error.
func command(w io.Writer, name string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = w, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, &stderr)
	}
	return nil
}
