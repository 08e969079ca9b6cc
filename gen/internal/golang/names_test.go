package golang

import (
	"go/build"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

func TestConstNames(t *testing.T) {
	want := map[string]string{
		"CLONE_PIDFD_AUTOKILL": "CLONE_PIDFD_AUTOKILL",
		"__WALL":               "WALL",
		"_IOC_NONE":            "IOC_NONE",
		"si_code":              "Si_code",
		"__NR_clone3":          "SYS_CLONE3",
		"IFLA_MAX":             "IFLA_MAX",
		"__IFLA_MAX":           "X__IFLA_MAX", // for IFLA_MAX is another
		"_3COM":                "X_3COM",
		"__":                   "X__",
	}
	var consts []model.Const
	for name := range want {
		consts = append(consts, model.Const{Name: name})
	}
	n := newNamer([]string{"amd64"}, [][]model.Unit{{{Arch: "amd64", Consts: consts}}}, &typist{tables: make([]typeTable, 1)})
	if err := n.resolve(); err != nil {
		t.Fatal(err)
	}
	for c, got := range n.consts {
		if got != want[c] {
			t.Errorf("%s became %s, want %s", c, got, want[c])
		}
	}
}

func TestTypeNames(t *testing.T) {
	for c, want := range map[string]string{
		"struct clone_args":        "CloneArgs",
		"struct pidfd_info":        "PidfdInfo",
		"union bpf_attr":           "BpfAttr",
		"struct __kernel_timespec": "KernelTimespec",
		"__kernel_fd_set":          "KernelFdSet",
		"struct v4l2_format":       "V4l2Format",
		"struct mode_1_2":          "Mode1_2",
		"struct mode_12":           "Mode12",
		"struct 3w":                "X3w",
		"_":                        "X_",
	} {
		if got := typeName(c); got != want {
			t.Errorf("%s became %s, want %s", c, got, want)
		}
	}
}

func TestFileNames(t *testing.T) {
	all := goarches(model.Arches)
	for _, test := range []struct {
		group, set, want string
	}{
		{"sched", "", "zsched.go"},
		{"sched", "386", "zsched_linux_386.go"},
		{"sched", "mips mips64 mips64le mipsle", "zsched_linux_mipsx.go"},
		{"sched", "mips mipsle", "zsched_linux_mips32x.go"},
		{"sched", "mips64 mips64le", "zsched_linux_mips64x.go"},
		{"sched", "ppc64 ppc64le", "zsched_linux_ppc64x.go"},
		{"sched", "386 amd64", "zsched_linux_x86.go"},
		{"sched", "mips mips64 ppc64 s390x", "zsched_linux_be.go"},
		{"sched", "386 arm mips mipsle", "zsched_linux_32bit.go"},
		{"sched", "arm64 loong64 riscv64", "zsched_linux_generic.go"},
		{"sched", "386 arm", "zsched_linux_386_etc.go"},
		{"netfilter_arm", "", "znetfilter_arm_linux.go"},
		{"netfilter_arm", "386", "znetfilter_arm_linux_386.go"},
		{"netfilter_arm", "386 arm", "znetfilter_arm_linux_386_etc.go"},
		{"my_test", "", "zmy_test_linux.go"},
		{"my_windows", "", "zmy_windows_linux.go"},
		{"my_linux", "", "zmy_linux_linux.go"},
		{"my_linux_arm", "", "zmy_linux_arm_linux.go"},
		{"arm", "", "zarm.go"},
	} {
		set := strings.Fields(test.set)
		if test.set == "" {
			set = all
		}
		if got := fileName(test.group, set, all); got != test.want {
			t.Errorf("group %s for %q has the file %s, want %s", test.group, test.set, got, test.want)
		}
		checkFileName(t, test.want, set)
	}
}

// checkFileName fails if the go command would not take a file without a build
// constraint for one of the architectures, or take it for a test.
func checkFileName(t *testing.T, name string, set []string) {
	t.Helper()
	for _, a := range set {
		ctx := build.Context{GOOS: "linux", GOARCH: a, Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("package p\n")), nil
		}}
		if ok, err := ctx.MatchFile("", name); !ok || err != nil || strings.HasSuffix(name, "_test.go") {
			t.Errorf("the go command does not take %s for %s: %v", name, a, err)
		}
	}
}

// TestFileNamesOfEverySet tries all sets of up to four architectures.
func TestFileNamesOfEverySet(t *testing.T) {
	all := goarches(model.Arches)
	for mask := range 1 << len(all) {
		var set []string
		for i, a := range all {
			if mask>>i&1 == 1 {
				set = append(set, a)
			}
		}
		if len(set) > 0 && len(set) <= 4 {
			checkFileName(t, fileName("a_b", set, all), set)
		}
	}
}

func goarches(list []model.Arch) []string {
	var names []string
	for _, a := range list {
		names = append(names, a.GOARCH)
	}
	slices.Sort(names)
	return names
}
