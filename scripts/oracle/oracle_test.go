package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

const header = `
#define FLAG (1U << 31)
#define NEGATIVE -3
#define NAME "two" "\x00" "parts"
enum color { RED = 7 };
typedef short shade[3];
struct inner { char c; };
struct probe {
	unsigned char head;
	unsigned low:3, :2, high:9;
	struct { long long deep; };
	struct { int bits:4; } named;
	struct inner list[2];
	char tail[];
};
`

const right = `{
	"Group": "probe", "Headers": ["linux/probe.h"],
	"Consts": [
		{"Name": "FLAG", "Value": 2147483648, "Type": "unsigned int"},
		{"Name": "NEGATIVE", "Value": -3, "Type": "int"},
		{"Name": "NAME", "Value": "two\u0000parts", "Type": "char[]"},
		{"Name": "RED", "Value": 7, "Type": "int", "Enum": "enum color"}
	],
	"Structs": [{"Name": "struct probe", "Size": 24, "Align": 8, "Fields": [
		{"Name": "head", "Type": {"Size": 1}, "Offset": 0},
		{"Name": "low", "Type": {"Size": 4}, "Offset": 1, "Bits": {"Offset": 8, "Width": 3}},
		{"Name": "high", "Type": {"Size": 4}, "Offset": 1, "Bits": {"Offset": 13, "Width": 9}},
		{"Name": "", "Type": {"Size": 8, "Inline": {"Fields": [{"Name": "deep", "Type": {"Size": 8}, "Offset": 0}]}}, "Offset": 8},
		{"Name": "named", "Type": {"Size": 4, "Inline": {"Fields": [{"Name": "bits", "Type": {"Size": 4}, "Bits": {"Offset": 0, "Width": 4}}]}}, "Offset": 16},
		{"Name": "list", "Type": {"Size": 2}, "Offset": 20},
		{"Name": "tail", "Flexible": true, "Offset": 22, "Type": {"Size": 0}}
	]}],
	"Types": [{"Name": "enum color", "Type": {"Kind": "uint", "Size": 4}}, {"Name": "shade", "Type": {"Kind": "array", "Size": 6}}]
}`

// TestEveryWrongFactIsFound changes one fact of a right model at a time.
func TestEveryWrongFactIsFound(t *testing.T) {
	i := slices.IndexFunc(compilers, func(c compiler) bool { return c.GOARCH == "amd64" })
	c := compilers[i]
	if _, err := exec.LookPath(c.Command[0]); err != nil {
		t.Skipf("%s is not installed; on Debian it is in the package %s", c.Command[0], c.Package)
	}
	kernel := t.TempDir()
	if err := os.MkdirAll(filepath.Join(kernel, "usr/include/linux"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(kernel, "usr/include/linux/probe.h"), []byte(header), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new, wrong string }{
		{"nothing", "", "", ""},
		{"value", "2147483648", "2147483649", "FLAG is 2147483649"},
		{"sign", "-3,", "18446744073709551613,", "NEGATIVE is 18446744073709551613"},
		{"type", `"unsigned int"`, `"unsigned long"`, "the type of FLAG is unsigned long"},
		{"string", "parts", "ports", "NAME is"},
		{"length of a string", "parts", "part", "NAME is"},
		{"enumerator", "7,", "8,", "RED is 8"},
		{"size", `"Size": 24`, `"Size": 32`, "sizeof(struct probe) is 32"},
		{"alignment", `"Align": 8`, `"Align": 4`, "_Alignof(struct probe) is 4"},
		{"offset in an anonymous struct", `"Offset": 8}`, `"Offset": 16}`, "offsetof(struct probe, deep) is 16"},
		{"offset of a flexible array", `"Offset": 22`, `"Offset": 24`, "offsetof(struct probe, tail) is 24"},
		{"size of a field", `"Type": {"Size": 2}`, `"Type": {"Size": 4}`, "sizeof(struct probe.list) is 4"},
		{"place of a bit-field", `"Offset": 13`, `"Offset": 11`, "struct probe.high: bits 11 to 19"},
		{"size of a typedef", `"Size": 6`, `"Size": 4`, "sizeof(shade) is 4"},
		{"sign of an enum", `"uint"`, `"int"`, "whether enum color has a sign is 1"},
		{"width of a bit-field", `"Width": 4`, `"Width": 5`, "struct probe.named.bits: bits 128 to 132"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(right, test.old) {
				t.Fatalf("the model has no %s to change", test.old)
			}
			var u unit
			if err := json.Unmarshal([]byte(strings.Replace(right, test.old, test.new, 1)), &u); err != nil {
				t.Fatal(err)
			}
			got, err := c.check([]unit{u}, kernel, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if got.assertions() != 23 {
				t.Errorf("%d assertions, want 23", got.assertions())
			}
			switch {
			case test.wrong == "" && len(got.mismatches) > 0:
				t.Errorf("a right model is called wrong: %q", got.mismatches)
			case test.wrong != "" && (len(got.mismatches) != 1 || !strings.Contains(got.mismatches[0], test.wrong)):
				t.Errorf("wrong: %q, want one that has %q", got.mismatches, test.wrong)
			}
		})
	}
}

func TestHeaderThatDoesNotCompileIsNamed(t *testing.T) {
	i := slices.IndexFunc(compilers, func(c compiler) bool { return c.GOARCH == "amd64" })
	if _, err := exec.LookPath(compilers[i].Command[0]); err != nil {
		t.Skip(err)
	}
	var u unit
	u.Group = "missing"
	u.Headers = []string{"linux/missing.h"}
	got, err := compilers[i].check([]unit{u}, t.TempDir(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.unread) != 1 || !strings.Contains(got.unread[0], "linux/missing.h") || got.assertions() != 0 {
		t.Errorf("unread %q and %d assertions, want one that names linux/missing.h and none", got.unread, got.assertions())
	}
}

func TestListOfHeaders(t *testing.T) {
	const list = "# all\n\nlinux/a.h # why\nlinux/b.h !arm !mips # not there\n"
	if got, want := listed(list, "amd64"), []string{"linux/a.h", "linux/b.h"}; !slices.Equal(got, want) {
		t.Errorf("amd64: %q, want %q", got, want)
	}
	if got, want := listed(list, "mips"), []string{"linux/a.h"}; !slices.Equal(got, want) {
		t.Errorf("mips: %q, want %q", got, want)
	}
}

// The parts of the headers are all of them, each once, and stay as they are when
// one more comes.
func TestPartsAreEveryHeaderOnce(t *testing.T) {
	kernel := t.TempDir()
	var want []string
	for i, name := range []string{"linux/a.h", "linux/sub/b.h", "drm/c.h", "asm/d.h", "asm/e.h", "x86-linux-gnu/asm/no.h", "linux/no.txt"} {
		root := "usr/include"
		if strings.HasPrefix(name, "asm/") {
			root = []string{"usr/lib/linux/uapi/x86", "usr/lib/linux/uapi/arm"}[i%2]
		}
		path := filepath.Join(kernel, root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(name, "no.") {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	var got []string
	for k := 1; k <= 3; k++ {
		part, err := everyHeader(kernel, k, 3)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the parts are %q, want %q", got, want)
	}
	have, err := compiler{Kernel: "x86"}.available(kernel, want)
	if err != nil || slices.Contains(have, "asm/d.h") == slices.Contains(have, "asm/e.h") || !slices.Contains(have, "drm/c.h") {
		t.Errorf("x86 has %q, %v", have, err)
	}
}

// TestFixturesHold holds what gen makes of the fixtures of its tests against the
// compilers that are here.
func TestFixturesHold(t *testing.T) {
	gen := filepath.Join(t.TempDir(), "gen")
	if out, err := exec.Command("go", "build", "-o", gen, "../../gen").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	checked := 0
	for _, name := range []string{"basic", "bits", "dialect", "enums", "inner", "macros", "packed", "paste", "shapes", "types"} {
		a, err := txtar.ParseFile("../../testdata/parse-" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		kernel := t.TempDir()
		write := func(file, text string) {
			file = filepath.Join(kernel, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, []byte(text), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		write("usr/include/linux/version.h", "#define LINUX_VERSION_CODE 459524\n")
		for port, mark := range map[string][2]string{
			"x86": {"vm86.h"}, "arm": {"unistd-eabi.h"}, "arm64": {"sve_context.h"}, "mips": {"sgidefs.h"}, "powerpc": {"bootx.h"},
			"riscv": {"hwcap.h", "COMPAT_HWCAP_ISA_"}, "loongarch": {"hwcap.h", "HWCAP_LOONGARCH_"}, "s390": {"zcrypt.h"},
		} {
			write("usr/lib/linux/uapi/"+port+"/asm/"+mark[0], "/* "+mark[1]+" */\n")
			for _, f := range a.Files {
				if strings.HasPrefix(f.Name, "asm/") && strings.HasSuffix(f.Name, ".h") {
					write("usr/lib/linux/uapi/"+port+"/"+f.Name, string(f.Data))
				}
			}
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".h") && !strings.HasPrefix(f.Name, "asm/") {
				write("usr/include/"+f.Name, string(f.Data))
			}
		}
		first, _, _ := strings.Cut(string(a.Comment), "\n")
		for _, c := range compilers {
			if !slices.Contains(strings.Fields(first), c.GOARCH) {
				continue
			}
			if _, err := exec.LookPath(c.Command[0]); err != nil {
				continue
			}
			units, err := model(gen, kernel, c.GOARCH, []string{"-header", a.Files[0].Name})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got, err := c.check(units, kernel, t.TempDir())
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, wrong := range slices.Concat(got.mismatches, got.unread) {
				t.Errorf("%s: %s", name, wrong)
			}
			checked += got.assertions()
		}
	}
	t.Logf("%d assertions", checked)
	if checked == 0 {
		t.Skip("no compiler of testdata is here")
	}
}
