package main

import (
	"bytes"
	"fmt"
	"go/version"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"github.com/go-clone3/clone3/gen/internal/golang"
	"github.com/go-clone3/clone3/gen/internal/kernel"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// benchDir is $KERNEL, or the folder of the newest headers of the project's
// cache.
func benchDir(b *testing.B) string {
	b.Helper()
	if dir := os.Getenv("KERNEL"); dir != "" {
		return dir
	}
	newest, newestVersion := "", ""
	for _, dir := range gentest.CachedTrees(b, "headers-*") {
		t, err := kernel.OpenTree(dir)
		if err != nil {
			b.Fatal(err)
		}
		if newest == "" || version.Compare("go"+t.Version, "go"+newestVersion) > 0 {
			newest, newestVersion = dir, t.Version
		}
	}
	if newest == "" {
		b.Skip("no kernel headers: set KERNEL to a folder with some, or let `make generate` fetch them")
	}
	return newest
}

// makeUAPI does all that gen does for the default groups but to write files.
func makeUAPI(b *testing.B, dir string, arches []model.Arch) []golang.File {
	c := command{options{kernel: dir, arches: arches}, io.Discard, io.Discard}
	r, err := c.read(dir)
	if err != nil {
		b.Fatal(err)
	}
	files, err := render(r[0], "uapi")
	if err != nil {
		b.Fatal(err)
	}
	return files
}

func BenchmarkGenerate(b *testing.B) {
	dir := benchDir(b)
	b.Run("default", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			makeUAPI(b, dir, model.Arches)
		}
		reportMemory(b, "-kernel", dir, "-o", filepath.Join(b.TempDir(), "uapi"))
	})
	b.Run("all-linux-headers-amd64", func(b *testing.B) {
		b.ReportAllocs()
		amd64, _ := model.ArchByName("amd64")
		c := command{options{headers: []string{"linux/..."}, arches: []model.Arch{amd64}}, io.Discard, io.Discard}
		made, failed := 0, 0
		for b.Loop() {
			r, err := c.read(dir)
			if err != nil {
				b.Fatal(err)
			}
			made, failed = 0, r[0].unreadable()
			for _, u := range r[0].units { // each as a package, for some declare the same
				if len(u.Consts)+len(u.Structs) == 0 {
					continue
				}
				if _, err := render(reading{version: r[0].version, units: []model.Unit{u}}, "p"); err != nil {
					failed++
				} else {
					made++
				}
			}
		}
		b.ReportMetric(float64(made), "headers")
		b.ReportMetric(float64(failed), "failed")
		reportMemory(b, "-kernel", dir, "-header", "linux/...", "-arch", "amd64", "-json")
	})
}

// reportMemory runs gen as a process and reports the most memory that it had.
func reportMemory(b *testing.B, args ...string) {
	b.StopTimer()
	cmd := exec.Command("gen", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	// The type and the field are those of Unix.
	usage := reflect.ValueOf(cmd.ProcessState.SysUsage())
	if usage.Kind() == reflect.Pointer && usage.Elem().FieldByName("Maxrss").IsValid() {
		b.ReportMetric(float64(usage.Elem().FieldByName("Maxrss").Int())/1024, "MB")
	}
}

// compilers are the C compilers that cgo runs for an architecture, the first
// that is there, in Debian's names.
var compilers = map[string][]string{
	"386":      {"i686-linux-gnu-gcc", "x86_64-linux-gnu-gcc -m32"},
	"amd64":    {"x86_64-linux-gnu-gcc"},
	"arm":      {"arm-linux-gnueabihf-gcc", "arm-linux-gnueabi-gcc"},
	"arm64":    {"aarch64-linux-gnu-gcc"},
	"loong64":  {"loongarch64-linux-gnu-gcc"},
	"mips":     {"mips-linux-gnu-gcc"},
	"mips64":   {"mips64-linux-gnuabi64-gcc"},
	"mips64le": {"mips64el-linux-gnuabi64-gcc"},
	"mipsle":   {"mipsel-linux-gnu-gcc"},
	"ppc64":    {"powerpc64-linux-gnu-gcc"},
	"ppc64le":  {"powerpc64le-linux-gnu-gcc"},
	"riscv64":  {"riscv64-linux-gnu-gcc"},
	"s390x":    {"s390x-linux-gnu-gcc"},
}

// BenchmarkGodefs makes the same constants and types with cgo, which is how
// others do it, one architecture after the other. The metric gen-ns/op is the
// best time of gen for this architecture, and x-gen how many times longer the
// best of cgo is.
func BenchmarkGodefs(b *testing.B) {
	dir := benchDir(b)
	include, asm := filepath.Join(dir, "usr/include"), filepath.Join(dir, "usr/lib/linux/uapi")
	if _, err := os.Stat(asm); err != nil {
		b.Skipf("%s: cgo needs the headers of Debian's package, unpacked", dir)
	}
	for _, a := range model.Arches {
		b.Run(a.GOARCH, func(b *testing.B) {
			i := slices.IndexFunc(compilers[a.GOARCH], func(cc string) bool {
				_, err := exec.LookPath(strings.Fields(cc)[0])
				return err == nil
			})
			if i < 0 {
				b.Skipf("no C compiler for %s: install %s", a.GOARCH, compilers[a.GOARCH][0])
			}
			c := command{options{arches: []model.Arch{a}}, io.Discard, io.Discard}
			r, err := c.read(dir)
			if err != nil {
				b.Fatal(err)
			}
			source := filepath.Join(b.TempDir(), "uapi.go")
			if err := os.WriteFile(source, godefsSource(r[0].units), 0o666); err != nil {
				b.Fatal(err)
			}
			theirs, ours := time.Hour, time.Hour // the best of each, since the machine may do other things too
			for b.Loop() {
				start := time.Now()
				cmd := exec.Command("go", "tool", "cgo", "-godefs", "-objdir", b.TempDir(), "--",
					"-I", include, "-I", filepath.Join(asm, a.Kernel), source)
				cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+a.GOARCH, "CC="+compilers[a.GOARCH][i])
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if _, err := cmd.Output(); err != nil {
					b.Fatalf("%v: %s", err, stderr.Bytes())
				}
				theirs = min(theirs, time.Since(start))
			}
			for range 5 {
				start := time.Now()
				makeUAPI(b, dir, []model.Arch{a})
				ours = min(ours, time.Since(start))
			}
			b.ReportMetric(float64(ours), "gen-ns/op")
			b.ReportMetric(float64(theirs)/float64(ours), "x-gen")
		})
	}
}

func render(r reading, pkg string) ([]golang.File, error) {
	p, err := golang.Merge(r.units, golang.Options{})
	if err != nil {
		return nil, err
	}
	return golang.Render(p, pkg, r.version)
}

// godefsSource is what cgo -godefs makes the constants and structs of units of.
func godefsSource(units []model.Unit) []byte {
	var src bytes.Buffer
	src.WriteString("package uapi\n\n/*\n")
	for _, u := range units {
		for _, h := range u.Group.Headers {
			fmt.Fprintf(&src, "#include <%s>\n", h.Path)
		}
	}
	src.WriteString("*/\nimport \"C\"\n\n")
	for _, u := range units {
		for _, c := range u.Consts {
			fmt.Fprintf(&src, "const X%s = C.%[1]s\n", c.Name)
		}
		for _, s := range u.Structs {
			fmt.Fprintf(&src, "type T_%s C.%[1]s\n", strings.ReplaceAll(s.Name, " ", "_"))
		}
	}
	return src.Bytes()
}
