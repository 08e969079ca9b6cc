package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeMake makes PATH a directory with a make that configures and builds as
// two scripts say, in the directory $O.
func fakeMake(t *testing.T, configure, build string) {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\nPATH=/bin:/usr/bin\nfor a; do case $a in O=*) O=${a#O=} ;; esac; done\ncase \" $* \" in\n" +
		"*' allnoconfig '*) " + configure + " ;;\n*' vmlinux '* | *' Image '*) " + build + " ;;\nesac\n"
	if err := os.WriteFile(filepath.Join(bin, "make"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
}

func TestBuildKernel(t *testing.T) {
	const fragment = "# why\nCONFIG_A=y\n\nCONFIG_B=\"b\"\n"
	take := `cp "$KCONFIG_ALLCONFIG" "$O/.config"`
	tests := map[string]struct{ configure, build, err string }{
		"it works":            {take, `echo "kernel of $*" >"$O/vmlinux"; mkdir "$O/big"`, ""},
		"an option is new":    {`echo CONFIG_A=y >"$O/.config"`, "false", `this kernel does not take the options CONFIG_B="b": look for what they depend on`},
		"no configuration":    {"echo no such arch; exit 2", "false", "make allnoconfig: exit status 2:\nno such arch"},
		"it does not compile": {take, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo line $i; done; exit 2", "make vmlinux: exit status 2:\nline 2\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fakeMake(t, tt.configure, tt.build)
			dir := t.TempDir()
			err := Recipe{Vars: []string{"ARCH=mips"}}.build(t.Context(), "/src", fragment, dir)
			if tt.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("got error %v\nwant %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "vmlinux"))
			if err != nil || !strings.HasPrefix(string(text), "kernel of -C /src O="+dir+"/obj") || !strings.HasSuffix(string(text), "vmlinux ARCH=mips\n") {
				t.Errorf("got %q, %v", text, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "obj")); err == nil {
				t.Error("what only the build needed is still there")
			}
		})
	}
}

func TestBuildKernelThatIsNoVmlinux(t *testing.T) {
	fakeMake(t, `cp "$KCONFIG_ALLCONFIG" "$O/.config"`, `mkdir -p "$O/arch/riscv/boot"; echo "$*" >"$O/arch/riscv/boot/Image"`)
	dir := t.TempDir()
	if err := (Recipe{Image: "arch/riscv/boot/Image"}).build(t.Context(), "/src", "CONFIG_A=y\n", dir); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "Image")); err != nil || !strings.HasSuffix(string(text), " Image\n") {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestIgnoredOptions(t *testing.T) {
	config := "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\n"
	got := ignoredOptions("# CONFIG_Z=y\nCONFIG_A=y\nCONFIG_B=y\n CONFIG_C=y\n", config)
	if want := []string{"CONFIG_B=y", "CONFIG_C=y"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnotherRecipeIsAnotherKernel(t *testing.T) {
	a := Recipe{Vars: []string{"ARCH=mips"}}
	b := Recipe{Vars: []string{"ARCH=mips", "LLVM=1"}}
	same := Recipe{Vars: []string{"ARCH=mips"}}
	if a.key("x") != same.key("x") || a.key("x") == a.key("y") || a.key("x") == b.key("x") {
		t.Errorf("keys are %s %s %s", a.key("x"), a.key("y"), b.key("x"))
	}
}

// The recipes of the table have their fragments, which set nothing twice.
func TestFragments(t *testing.T) {
	table, root := committed(t)
	for _, m := range table.Machines {
		fragment, err := m.Build.fragment(root)
		if err != nil {
			t.Error(err)
		}
		seen := map[string]bool{}
		for line := range strings.Lines(fragment) {
			option, _, ok := strings.Cut(line, "=")
			if ok && seen[option] {
				t.Errorf("%s: %s twice", m.Name, option)
			}
			seen[option] = true
		}
	}
}

func TestEmulatorThatIsOldEnough(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\necho 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)'\n"
	if err := os.WriteFile(filepath.Join(bin, "qemu-system-x"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	m := Machine{QEMU: []string{"qemu-system-x", "-M", "y"}, Install: "qemu-x", AtLeast: "7.2"}
	if got, err := (Kernels{}).emulator(t.Context(), m); err != nil || !slices.Equal(got.QEMU, m.QEMU) {
		t.Errorf("got %q, %v", got.QEMU, err)
	}
	m.AtLeast = "9.0"
	if _, err := (Kernels{}).emulator(t.Context(), m); err == nil || !strings.HasPrefix(err.Error(), "qemu-system-x is 7.2.22, it takes 9.0: ") {
		t.Errorf("got error %v", err)
	}
}
