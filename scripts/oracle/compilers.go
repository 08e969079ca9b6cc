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
	"slices"
	"strings"
	"sync"
)

// A compiler judges one architecture.
type compiler struct {
	GOARCH  string
	Kernel  string   // the directory of its asm headers
	Command []string // the compiler and the flags that choose the ABI that Go uses
	Package string   // Debian's package that has it
	Libc    string   // Debian's package of a C library for it, or of one whose headers say the same
	Headers string   // the directory with its headers, if the compiler does not find them
}

// compilers has every linux GOARCH, by packages that Debian 12 and 13 both have.
// The gcc of 12 has no loong64, and Debian no C library for it; where headers need one, that of arm64 has the same types.
var compilers = []compiler{
	{"386", "x86", []string{"i686-linux-gnu-gcc"}, "gcc-i686-linux-gnu", "libc6-dev-i386-cross", ""},
	{"amd64", "x86", []string{"x86_64-linux-gnu-gcc"}, "gcc-x86-64-linux-gnu", "libc6-dev", ""},
	{"arm", "arm", []string{"arm-linux-gnueabihf-gcc"}, "gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross", ""},
	{"arm64", "arm64", []string{"aarch64-linux-gnu-gcc"}, "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", ""},
	{"loong64", "loongarch", []string{"clang-19", "--target=loongarch64-linux-gnu", "-ferror-limit=0"}, "clang-19", "libc6-dev-arm64-cross", "/usr/aarch64-linux-gnu/include"},
	{"mips", "mips", []string{"mips-linux-gnu-gcc"}, "gcc-mips-linux-gnu", "libc6-dev-mips-cross", ""},
	{"mips64", "mips", []string{"mips64-linux-gnuabi64-gcc"}, "gcc-mips64-linux-gnuabi64", "libc6-dev-mips64-cross", ""},
	{"mips64le", "mips", []string{"mips64el-linux-gnuabi64-gcc"}, "gcc-mips64el-linux-gnuabi64", "libc6-dev-mips64el-cross", ""},
	{"mipsle", "mips", []string{"mipsel-linux-gnu-gcc"}, "gcc-mipsel-linux-gnu", "libc6-dev-mipsel-cross", ""},
	{"ppc64", "powerpc", []string{"powerpc64-linux-gnu-gcc"}, "gcc-powerpc64-linux-gnu", "libc6-dev-ppc64-cross", ""},
	{"ppc64le", "powerpc", []string{"powerpc64le-linux-gnu-gcc"}, "gcc-powerpc64le-linux-gnu", "libc6-dev-ppc64el-cross", ""},
	{"riscv64", "riscv", []string{"riscv64-linux-gnu-gcc"}, "gcc-riscv64-linux-gnu", "libc6-dev-riscv64-cross", ""},
	{"s390x", "s390", []string{"s390x-linux-gnu-gcc"}, "gcc-s390x-linux-gnu", "libc6-dev-s390x-cross", ""},
}

// check compiles the assertions of every unit, some at a time.
func (c compiler) check(units []unit, kernel, scratch string) (tally, error) {
	if _, err := exec.LookPath(c.Command[0]); err != nil {
		return tally{}, fmt.Errorf("%s: no %s; on Debian it is in the package %s", c.GOARCH, c.Command[0], c.Package)
	}
	var own bytes.Buffer // the headers that come with the compiler
	if err := command(&own, c.Command[0], append(slices.Clone(c.Command[1:]), "-print-file-name=include")...); err != nil {
		return tally{}, err
	}
	bare := []string{"-isystem", strings.TrimSpace(own.String()), "-ffreestanding", "-nostdinc"}
	results := make([]tally, len(units))
	errs := make([]error, len(units))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, u := range units {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			base := filepath.Join(scratch, fmt.Sprintf("%s-%d", c.GOARCH, i))
			results[i], errs[i] = c.checkUnit(u, kernel, base, bare)
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

func (c compiler) checkUnit(u unit, kernel, base string, bare []string) (tally, error) {
	src := newSource(u)
	stderr, runErr := c.compile(src, base, kernel, bare...)
	if missingHeader.MatchString(stderr) && c.Libc != "" {
		// With a C library, structs like in6_addr may be the library's.
		src = newSource(u.withoutOthers())
		var libc []string
		if c.Headers != "" {
			libc = []string{"-isystem", c.Headers}
		}
		stderr, runErr = c.compile(src, base, kernel, libc...)
	}

	t := src.tally
	t.units = 1
	where := c.GOARCH + " " + u.Group + ": "
	for _, m := range failed.FindAllStringSubmatch(stderr, -1) {
		t.mismatches = append(t.mismatches, where+m[1])
	}
	if first := otherError(stderr); first != "" {
		return tally{unread: []string{where + first}}, nil
	}
	if runErr != nil && len(t.mismatches) == 0 {
		return tally{}, fmt.Errorf("%s%w\n%s", where, runErr, stderr)
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

// missingHeader is how the compilers say that a header of the C library is not
// there, which some of the kernel's include.
var missingHeader = regexp.MustCompile(`fatal error: '?((sys|net\w*)/)?\w+\.h'?(: No such file| file not found)|no include path in which to search for`)

// otherError is the first error that is not a failed assertion: the compiler
// cannot read the headers, with the C library or without.
func otherError(stderr string) string {
	for line := range strings.Lines(stderr) {
		if strings.Contains(line, "error: ") && !failed.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// compile makes base.o of src, with the kernel's headers before those that
// come with the compiler.
func (c compiler) compile(src *source, base, kernel string, options ...string) (stderr string, err error) {
	if err := os.WriteFile(base+".c", src.text(), 0o666); err != nil {
		return "", err
	}
	args := append(slices.Clone(c.Command[1:]), "-std=gnu11", "-w", "-O0",
		"-isystem", filepath.Join(kernel, "usr/lib/linux/uapi", c.Kernel),
		"-isystem", filepath.Join(kernel, "usr/include"))
	args = append(append(args, options...), "-c", "-o", base+".o", base+".c")
	var diagnosis bytes.Buffer
	cmd := exec.Command(c.Command[0], args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stderr = &diagnosis
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return diagnosis.String(), err
}

// command runs a program and gives its standard output to w; an error has
// what it wrote to standard error.
func command(w io.Writer, name string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stdout, cmd.Stderr = w, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, &stderr)
	}
	return nil
}
