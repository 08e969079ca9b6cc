package main

import (
	"bytes"
	"errors"
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
	ours := filepath.Join(scratch, "include/gen")
	if err := errors.Join(os.MkdirAll(ours, 0o777), os.WriteFile(filepath.Join(ours, "inner.h"), []byte(inner), 0o666)); err != nil {
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
	if otherError(stderr) != "" && !missingHeader.MatchString(stderr) {
		// Macros of some headers use what these have, without including them.
		more := u
		more.Before = append(slices.Clone(u.Before), "linux/ioctl.h", "linux/fcntl.h")
		again := newSource(more)
		if said, err := c.compile(again, base, kernel, bare...); otherError(said) == "" {
			u, src, stderr, runErr = more, again, said, err
		}
	}
	if missingHeader.MatchString(stderr) && c.Libc != "" {
		// With a C library, structs like in6_addr may be the library's.
		src = newSource(u.withoutOthers())
		libc := []string{"-DGEN_LIBC"}
		if c.Headers != "" {
			libc = append(libc, "-isystem", c.Headers)
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

// inner is what the kernel's sources say of the macros that gen takes from its
// inside (gen/inner.h), by way of what the compiler has built in: another way to
// the same values.
const inner = `#include <linux/types.h>
typedef __u8 u8; typedef __u16 u16; typedef __u32 u32; typedef __u64 u64;
typedef __s8 s8; typedef __s16 s16; typedef __s32 s32; typedef __s64 s64;
#define BITS_PER_LONG __LONG_WIDTH__
#ifndef BIT
#define BIT(n) (1UL << (n))
#endif
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK(h, l) (((~0UL) - (1UL << (l)) + 1) & (~0UL >> (sizeof(long) * 8 - 1 - (h))))
#define GENMASK_ULL(h, l) (((~0ULL) - (1ULL << (l)) + 1) & (~0ULL >> (64 - 1 - (h))))
#define U8_MAX ((u8)~0U)
#define S8_MAX ((s8)__SCHAR_MAX__)
#define S8_MIN ((s8)(-__SCHAR_MAX__ - 1))
#define U16_MAX ((u16)~0U)
#define S16_MAX ((s16)__SHRT_MAX__)
#define S16_MIN ((s16)(-__SHRT_MAX__ - 1))
#define U32_MAX ((u32)~0U)
#define S32_MAX ((s32)__INT_MAX__)
#define S32_MIN ((s32)(-__INT_MAX__ - 1))
#define U64_MAX ((u64)~0ULL)
#define S64_MAX ((s64)__LONG_LONG_MAX__)
#define S64_MIN ((s64)(-__LONG_LONG_MAX__ - 1))
#define SZ_4K 4096
#define SZ_64K 65536
#define SZ_1M 1048576
#define MSEC_PER_SEC 1000L
#define USEC_PER_SEC 1000000L
#define NSEC_PER_USEC 1000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_SEC 1000000000L
#define SOL_ATM 264
#define SOL_NETLINK 270
#define SOL_TIPC 271
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define cpu_to_be16(x) __builtin_bswap16(x)
#define cpu_to_be32(x) __builtin_bswap32(x)
#define cpu_to_be64(x) ((u64)__builtin_bswap64(x))
#define cpu_to_le16(x) ((u16)(x))
#define cpu_to_le32(x) ((u32)(x))
#define cpu_to_le64(x) ((u64)(x))
#else
#define cpu_to_be16(x) ((u16)(x))
#define cpu_to_be32(x) ((u32)(x))
#define cpu_to_be64(x) ((u64)(x))
#define cpu_to_le16(x) __builtin_bswap16(x)
#define cpu_to_le32(x) __builtin_bswap32(x)
#define cpu_to_le64(x) ((u64)__builtin_bswap64(x))
#endif
#if !defined htonl && !defined GEN_LIBC // which declares them as functions
#define htonl cpu_to_be32
#define ntohl cpu_to_be32
#define htons cpu_to_be16
#define ntohs cpu_to_be16
#endif
`

// compile makes base.o of src, with the kernel's headers before those that
// come with the compiler.
func (c compiler) compile(src *source, base, kernel string, options ...string) (stderr string, err error) {
	if err := os.WriteFile(base+".c", src.text(), 0o666); err != nil {
		return "", err
	}
	headers := filepath.Join(filepath.Dir(base), "include")
	args := append(slices.Clone(c.Command[1:]), "-std=gnu11", "-w", "-O0", "-isystem", headers,
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
