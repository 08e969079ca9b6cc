package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// xsysDiffers has the declarations on which x/sys/unix is of another mind, with
// the reason.
var xsysDiffers = map[string]string{
	"F_GETLK":       "on 32 bits x/sys calls F_GETLK64 so",
	"F_SETLK":       "on 32 bits x/sys calls F_SETLK64 so",
	"F_SETLKW":      "on 32 bits x/sys calls F_SETLKW64 so",
	"MS_NOUSER":     "1<<31 is negative in C",
	"O_LARGEFILE":   "x/sys has that of the C library, which is 0 on 64 bits",
	"RLIM_INFINITY": "x/sys has that of the C library, whose limits have 64 bits",
}

// TestUapiAgreesWithXSys compares everything that golang.org/x/sys/unix also
// has. The two are made by different tools: x/sys asks C compilers.
func TestUapiAgreesWithXSys(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("the source of golang.org/x/sys cannot be found: go list: %v", err)
	}
	result, err := compare("../../uapi", filepath.Join(dir, "unix"), common)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("compared %d constants and %d types", result.Consts, result.Types)
	if result.Consts < 13*1000 || result.Types < 13*12 {
		t.Errorf("only %d constants and %d types were compared", result.Consts, result.Types)
	}
	seen := map[string]bool{}
	for _, d := range result.Differences {
		seen[d.Name] = true
		if xsysDiffers[d.Name] == "" {
			t.Error(d)
		}
	}
	for name, reason := range xsysDiffers {
		if !seen[name] {
			t.Errorf("%s no longer differs from x/sys/unix (%s): take it off the list", name, reason)
		}
	}
}

// TestTableOfSystemCallsCostsNothing builds programs with and without the names
// of system calls, and looks for the table of these in them.
func TestTableOfSystemCallsCostsNothing(t *testing.T) {
	for use, linked := range map[string]bool{"uapi.SYS_CLONE3": false, "uapi.SyscallName(3)": true} {
		dir, err := os.MkdirTemp("..", "table") // in this module
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		program := filepath.Join(dir, "main.go")
		text := "package main\n\nimport \"github.com/go-clone3/clone3/uapi\"\n\nfunc main() { println(" + use + ") }\n"
		if err := os.WriteFile(program, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		binary := filepath.Join(t.TempDir(), "program")
		cmd := exec.Command("go", "build", "-o", binary, program)
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(data), "landlock_restrict_self"); got != linked {
			t.Errorf("a program with %s has the table: %v, want %v", use, got, linked)
		}
	}
}

const before = `package p
const A, B = 1, "b"
const hidden = 1
type T struct { X uint32; Y uint64; _ [4]byte }
`

func TestNewerPackage(t *testing.T) {
	for _, test := range []struct {
		name, after string
		want        []string // on amd64
	}{
		{"same", before, nil},
		{"more of everything", `package p
			const A, B, C = 1, "b", 3
			type T struct { X uint32; Y uint64; Z uint32 }
			type U struct{}`, nil},
		{"another value", strings.Replace(before, "1, ", "2, ", 1), []string{"A is 1, and there 2"}},
		{"another kind of value", strings.Replace(before, `"b"`, "98", 1), []string{`B is "b", and there 98`}},
		{"a constant less", strings.Replace(before, "A, B = 1, ", "B = ", 1), []string{"the constant A is gone"}},
		{"a type less", "package p\nconst A, B = 1, `b`", []string{"the type T is gone"}},
		{"a field less", strings.Replace(before, "X uint32", "_ uint32", 1), []string{"the field T.X is gone"}},
		{"a field moved", strings.Replace(before, "Y", "Before uint64; Y", 1), []string{"T.Y has 8 bytes at 8, and there 8 bytes at 16"}},
		{"a field widened", strings.Replace(before, "X uint32", "X uint64", 1), []string{
			"T.X has 4 bytes at 0, and there 8 bytes at 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := t.TempDir(), t.TempDir()
			for dir, text := range map[string]string{a: before, b: test.after} {
				if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			result, err := compare(a, b, everything)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range result.Differences {
				if d.Arch == "amd64" {
					got = append(got, d.What)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("differences %q, want %q", got, test.want)
			}
		})
	}
}

// Each architecture has files of its own.
func TestPackageOfOneArchitecture(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for dir, value := range map[string]string{a: "1", b: "2"} {
		for name, text := range map[string]string{
			"p.go": before, "p_linux_arm.go": "package p\nconst Own = " + value + "\n", "p_linux_mips.go": "package p\nconst Own = 3\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	result, err := compare(a, b, everything)
	if want := (Difference{"Own", "arm", "Own is 1, and there 2"}); err != nil || len(result.Differences) != 1 || result.Differences[0] != want {
		t.Errorf("got %v, %v, want %v alone", result.Differences, err, want)
	}
}

func TestDirectoryWithoutPackage(t *testing.T) {
	if _, err := compare(t.TempDir(), t.TempDir(), everything); err == nil || !strings.Contains(err.Error(), "has no Go package for 386") {
		t.Errorf("error %v, want one that says that there is no package", err)
	}
}
