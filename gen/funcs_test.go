package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// The functions that gen makes of macros give what a C compiler makes of these,
// for arguments of every type: those of a header with many kinds of them, and
// those of the kernel's that people ask for most.
func TestFunctionsAgainstC(t *testing.T) {
	arch, ok := model.ArchByName(runtime.GOARCH)
	cc, err := exec.LookPath("cc")
	if !ok || runtime.GOOS != "linux" || err != nil {
		t.Skip("there is no C compiler for this machine")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to build what was made")
	}
	mark := portMarks[arch.Kernel]
	tool := gentest.Archive(t, "functions.txtar").Files[0]
	kernel := gentest.Folder(t, map[string]string{
		"usr/include/linux/version.h":                           "#define LINUX_VERSION_CODE 459524\n#define LINUX_VERSION_MAJOR 7\n#define LINUX_VERSION_PATCHLEVEL 3\n#define LINUX_VERSION_SUBLEVEL 4\n",
		"usr/include/linux/" + tool.Name:                        string(tool.Data),
		"usr/lib/linux/uapi/" + arch.Kernel + "/asm/" + mark[0]: "/* " + mark[1] + " */\n",
	})
	for arg, c := range argTypes {
		if testing.Short() && arg != "uint32" && arg != "int64" {
			continue
		}
		t.Run(arg, func(t *testing.T) {
			checkFunctions(t, cc, kernel, arg, c, "linux/tool.h", "TOOL_*")
		})
	}
	trees := gentest.CachedTrees(t, "headers-7*")
	if len(trees) == 0 {
		return
	}
	t.Run("kernel", func(t *testing.T) {
		checkFunctions(t, cc, trees[len(trees)-1], "uint32", "unsigned int",
			"linux/input.h,linux/netlink.h,linux/rtnetlink.h,linux/spi/spidev.h,linux/kdev_t.h,linux/uinput.h,linux/videodev2.h,linux/bpf.h",
			"EVIOC*", "NLMSG_*", "NLA_*", "RTA_*", "SPI_*", "M[AIK]*", "UI_*", "v4l2_fourcc*", "V4L2_*", "BPF_*")
	})
}

// checkFunctions makes functions of macros, and a program of them in both
// languages, whose outputs must be equal.
func checkFunctions(t *testing.T, cc, kernel, arg, cType, headers string, patterns ...string) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-kernel", kernel, "-arch", runtime.GOARCH, "-header", headers}
	for _, p := range patterns {
		args = append(args, "-funcs", p+"="+arg)
	}
	var out, stderr bytes.Buffer
	if status := run(append(args, "-json"), &out, &stderr); status != exitDone {
		t.Fatalf("exit status %d: %s", status, stderr.Bytes())
	}
	if status := run(append(args, "-o", dir, "-package", "main"), io.Discard, &stderr); status != exitDone {
		t.Fatalf("exit status %d: %s", status, stderr.Bytes())
	}
	units := struct {
		Units []struct{ Funcs []model.Func }
	}{}
	if err := json.Unmarshal(out.Bytes(), &units); err != nil {
		t.Fatal(err)
	}
	var goSource, cSource strings.Builder
	goSource.WriteString("package main\n\nimport \"fmt\"\n\nfunc main() {\n")
	for _, h := range strings.Split(headers, ",") {
		fmt.Fprintf(&cSource, "#include <%s>\n", h)
	}
	fmt.Fprintf(&cSource, "#include <stdio.h>\ntypedef %s T;\nint main(void) {\nT a, b, c, d, e;\n", cType)
	rnd := rand.New(rand.NewPCG(3, 4))
	calls, functions := 0, 0
	for _, u := range units.Units {
		for _, f := range u.Funcs {
			functions++
			for range 80 {
				var goArgs, cArgs []string
				for i := range f.Params {
					v := edges[rnd.IntN(len(edges))]
					if rnd.IntN(2) == 0 {
						v = rnd.Uint64() >> rnd.IntN(64)
					}
					if strings.HasSuffix(f.Name, "_BIT") {
						v %= 64 // other shifts have no answer
					}
					if slices.Contains([]string{"TOOL_DIVIDE", "TOOL_SAFE", "TOOL_EITHER", "TOOL_LAZY", "TOOL_LAZY_OR"}, f.Name) {
						v &= 0x7fffffff // nor has the least number by -1
					}
					goArgs = append(goArgs, fmt.Sprintf("%s(u(%d))", arg, v))
					name := string(rune('a' + i))
					fmt.Fprintf(&cSource, "%s = (T)%dULL; ", name, v)
					cArgs = append(cArgs, name)
				}
				result := strings.TrimLeft(f.Name, "_")
				result = strings.ToUpper(result[:1]) + result[1:]
				fmt.Fprintf(&goSource, "\tprint(%q, %q, n(%s(%s)))\n", f.Name, strings.Join(goArgs, ","), result, strings.Join(goArgs, ", "))
				fmt.Fprintf(&cSource, "printf(\"%s %s %%llu\\n\", (unsigned long long)(%s(%s)));\n", f.Name, strings.Join(goArgs, ","), f.Name, strings.Join(cArgs, ", "))
				calls++
			}
		}
	}
	goSource.WriteString("}\n" + functionsHelp)
	cSource.WriteString("return 0; }\n")
	for name, text := range map[string]string{"go.mod": "module functions\n\ngo 1.26\n", "main.go": goSource.String(), "main.c": cSource.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	output := func(cmd *exec.Cmd) []byte {
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%.3000s", cmd.Args, err, stderr.Bytes())
		}
		return out
	}
	arch, _ := model.ArchByName(runtime.GOARCH)
	output(exec.Command(cc, "-w", "-O1", "-fwrapv", "-o", "in-c", "main.c", "-I", filepath.Join(kernel, "usr/include"), "-I", filepath.Join(kernel, "usr/lib/linux/uapi", arch.Kernel)))
	os.Remove(filepath.Join(dir, "main.c")) // the go command would want cgo for it
	output(exec.Command("go", "build", "-o", "in-go", "."))
	want := strings.Split(string(output(exec.Command("./in-c"))), "\n")
	got := strings.Split(string(output(exec.Command("./in-go"))), "\n")
	if len(got) != len(want) || len(want) < calls || functions < 15 {
		t.Fatalf("%d functions: %d lines of Go, %d of C for %d calls", functions, len(got), len(want), calls)
	}
	wrong := 0
	for i := range want {
		if got[i] != want[i] && wrong < 10 {
			wrong++
			t.Errorf("Go has %s\n     C has %s", got[i], want[i])
		}
	}
	t.Logf("%d functions, %d calls", functions, calls)
}

// edges are arguments at which conversions show.
var edges = slices.Concat([]uint64{0, 1, 2, 3, 7, 8, 31, 32, 63, 127, 128, 255, 256, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16},
	[]uint64{1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1, 1<<64 - 2, 1<<64 - 128, 1<<64 - 1<<31})

const functionsHelp = `
func u(n uint64) uint64 { return n }

func n[T bool | int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | int | uintptr](v T) uint64 {
	switch v := any(v).(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case int8:
		return uint64(v)
	case uint8:
		return uint64(v)
	case int16:
		return uint64(v)
	case uint16:
		return uint64(v)
	case int32:
		return uint64(v)
	case uint32:
		return uint64(v)
	case int64:
		return uint64(v)
	case int:
		return uint64(v)
	case uintptr:
		return uint64(v)
	case uint64:
		return v
	}
	panic("what is it?")
}

func print(name, args string, n uint64) { fmt.Println(name, args, n) }
`

// The function of an ioctl makes it: a terminal tells its settings, and what is no
// terminal an error.
func TestIoctlCalls(t *testing.T) {
	arch, ok := model.ArchByName(runtime.GOARCH)
	if _, err := exec.LookPath("go"); err != nil || !ok || runtime.GOOS != "linux" || arch.Kernel != "x86" && arch.Kernel != "arm64" {
		t.Skip("this takes the go command, and the numbers of ioctls that most architectures have")
	}
	if f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		t.Skip("there is no terminal to be had: ", err)
	} else {
		f.Close()
	}
	mark := portMarks[arch.Kernel]
	kernel := gentest.Folder(t, map[string]string{
		"usr/include/linux/version.h":                           "#define LINUX_VERSION_CODE 459524\n#define LINUX_VERSION_MAJOR 7\n#define LINUX_VERSION_PATCHLEVEL 3\n#define LINUX_VERSION_SUBLEVEL 4\n",
		"usr/lib/linux/uapi/" + arch.Kernel + "/asm/" + mark[0]: "/* " + mark[1] + " */\n",
		"usr/include/linux/term.h": `
#define _IOR(type, nr, size) ((2U << 30) | ((type) << 8) | (nr) | (sizeof(size) << 16))
struct term_settings { unsigned in, out, control, local; unsigned char line, keys[19]; unsigned in_speed, out_speed; };
#define TERM_GET _IOR('T', 0x2a, struct term_settings)
`})
	dir := t.TempDir()
	var stderr bytes.Buffer
	if status := run([]string{"-kernel", kernel, "-arch", runtime.GOARCH, "-header", "linux/term.h", "-ioctls", "TERM_*", "-o", dir, "-package", "main"}, io.Discard, &stderr); status != exitDone {
		t.Fatalf("exit status %d: %s", status, stderr.Bytes())
	}
	for name, text := range map[string]string{"go.mod": "module ioctls\n\ngo 1.26\n", "main.go": `package main

import (
	"errors"
	"os"
	"syscall"
)

func main() {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	var s TermSettings
	if n, err := IoctlTermGet(int(terminal.Fd()), &s); n != 0 || err != nil || s.Control == 0 {
		panic(err)
	}
	file, err := os.Open("go.mod")
	if err != nil {
		panic(err)
	}
	if n, err := IoctlTermGet(int(file.Fd()), &s); n != 0 || !errors.Is(err, syscall.ENOTTY) {
		panic(err)
	}
}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
