package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// BenchmarkFigureGen binds the headers of package uapi for amd64, by gen and by
// those who run a C compiler, or a part of one, for it; and by gen for all
// architectures there are. Each is a process, and they take turns. The metric is
// the median.
func BenchmarkFigureGen(b *testing.B) {
	dir := benchDir(b)
	include, asm := filepath.Join(dir, "usr/include"), filepath.Join(dir, "usr/lib/linux/uapi/x86")
	if _, err := os.Stat(asm); err != nil {
		b.Skipf("%s: cgo and bindgen need the headers of Debian's package, unpacked", dir)
	}
	amd64, _ := model.ArchByName("amd64")
	c := command{options{arches: []model.Arch{amd64}}, io.Discard, io.Discard}
	r, err := c.read(dir)
	if err != nil {
		b.Fatal(err)
	}
	tmp := b.TempDir()
	godefs, header := filepath.Join(tmp, "uapi.go"), filepath.Join(tmp, "uapi.h")
	var includes bytes.Buffer
	for _, u := range r[0].units {
		for _, h := range u.Group.Headers {
			fmt.Fprintf(&includes, "#include <%s>\n", h.Path)
		}
	}
	for name, text := range map[string][]byte{godefs: godefsSource(r[0].units), header: includes.Bytes()} {
		if err := os.WriteFile(name, text, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	clang := ""
	cc, _, _ := strings.Cut(compilers["amd64"][0], " ")
	variants := []struct {
		name, needs string
		args        []string
		took        []time.Duration
	}{
		{name: "gen-amd64", needs: "gen", args: []string{"gen", "-kernel", dir, "-arch", "amd64", "-o", filepath.Join(tmp, "uapi")}},
		{name: "gen-all", needs: "gen", args: []string{"gen", "-kernel", dir, "-o", filepath.Join(tmp, "all")}},
		{name: "godefs-amd64", needs: cc, args: []string{"go", "tool", "cgo", "-godefs", "-objdir", tmp, "--", "-I", include, "-I", asm, godefs}},
		{name: "bindgen-amd64", needs: "bindgen", args: []string{"bindgen", "-o", filepath.Join(tmp, "uapi.rs"), header, "--",
			"-I", include, "-I", asm}},
	}
	// An old bindgen does not get on with every libclang that it may find.
	libraries, _ := filepath.Glob("/usr/lib/llvm-*/lib")
	bindgen := &variants[len(variants)-1]
	for _, clang = range append(libraries, "") {
		cmd := exec.Command(bindgen.args[0], bindgen.args[1:]...)
		if cmd.Env = append(os.Environ(), "LIBCLANG_PATH="+clang); clang == "" {
			cmd.Env = nil
		}
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if clang == "" {
			b.Logf("without bindgen: %v\n%s", err, out)
			bindgen.needs = "bindgen that works"
		}
	}
	for range 7 {
		for i := range variants {
			v := &variants[i]
			if _, err := exec.LookPath(v.needs); err != nil {
				continue // and there is no result
			}
			cmd := exec.Command(v.args[0], v.args[1:]...)
			cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CC="+cc)
			if clang != "" {
				cmd.Env = append(cmd.Env, "LIBCLANG_PATH="+clang)
			}
			start := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%s: %v\n%s", v.name, err, out)
			}
			v.took = append(v.took, time.Since(start))
		}
	}
	for _, v := range variants {
		if len(v.took) == 0 {
			continue
		}
		slices.Sort(v.took)
		b.Run(v.name, func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(v.took[len(v.took)/2])/1e6, "p50-ms")
		})
	}
}
