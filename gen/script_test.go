package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"
	"github.com/go-clone3/clone3/gen/internal/model"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gen": main})
}

// TestScripts runs the command as a person does. Besides the commands of
// testscript there are
//
//	status N gen ARG...         run gen, which must exit with status N; unless
//	                            that is 0, no file may change
//	compile DIR                 check the Go files in DIR for all architectures
//	! compile DIR GOARCH TEXT   the compiler for GOARCH must say TEXT of them
//	kernel DIR VERSION [PORT]   complete the headers in DIR to those of a
//	                            kernel, for all the ports or for one
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 gentest.Testdata(t, "script"),
		UpdateScripts:       gentest.Update(),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("KERNEL", "")
			env.Setenv("GOPACKAGE", "")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":  scriptStatus,
			"kernel":  scriptKernel,
			"compile": scriptCompile,
		},
	})
}

func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	before := scriptFiles(ts)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s exits with status %d, want %d", args[1], got, want)
	}
	if want != exitDone && !maps.Equal(scriptFiles(ts), before) {
		ts.Fatalf("%s exits with status %d and has changed files", args[1], got)
	}
}

func scriptCompile(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 && !neg || len(args) != 3 && neg {
		ts.Fatalf("usage: compile DIR, or ! compile DIR GOARCH TEXT")
	}
	read, err := gentest.Files(ts.MkAbs(args[0]))
	ts.Check(err)
	files := map[string][]byte{}
	for name, text := range read {
		if filepath.Ext(name) == ".go" {
			files[name] = []byte(text)
		}
	}
	if neg {
		_, err := gentest.CompileGo(args[1], files)
		if err == nil || !strings.Contains(err.Error(), args[2]) {
			ts.Fatalf("%s on %s: got error %v, want %s", args[0], args[1], err, args[2])
		}
		return
	}
	for _, a := range model.Arches {
		if _, err := gentest.CompileGo(a.GOARCH, files); err != nil {
			ts.Fatalf("%s on %s: %v", args[0], a.GOARCH, err)
		}
	}
}

// scriptFiles is everything in the script's folder.
func scriptFiles(ts *testscript.TestScript) map[string]string {
	files, err := gentest.Files(ts.MkAbs("."))
	ts.Check(err)
	return files
}

// portMarks has, for each port, a file that tells that headers are its own,
// and what has to be in it.
var portMarks = map[string][2]string{
	"x86": {"vm86.h"}, "arm": {"unistd-eabi.h"}, "arm64": {"sve_context.h"}, "loongarch": {"hwcap.h", "HWCAP_LOONGARCH_"},
	"mips": {"sgidefs.h"}, "powerpc": {"bootx.h"}, "riscv": {"hwcap.h", "COMPAT_HWCAP_ISA_"}, "s390": {"zcrypt.h"},
}

func scriptKernel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: kernel DIR VERSION [PORT]")
	}
	dir, version := ts.MkAbs(args[0]), args[1]
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
		ts.Check(os.WriteFile(path, []byte(text), 0o666))
	}
	var v [3]int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		ts.Fatalf("kernel: version %s: %v", version, err)
	}
	write("usr/include/linux/version.h", fmt.Sprintf(
		"#define LINUX_VERSION_CODE %d\n#define LINUX_VERSION_MAJOR %d\n#define LINUX_VERSION_PATCHLEVEL %d\n#define LINUX_VERSION_SUBLEVEL %d\n",
		v[0]<<16|v[1]<<8|v[2], v[0], v[1], v[2]))
	for port, mark := range portMarks {
		asm := "usr/lib/linux/uapi/" + port + "/asm/"
		if len(args) > 2 {
			if !slices.Contains(args[2:], port) {
				continue
			}
			asm = "usr/include/asm/"
		}
		write(asm+mark[0], "/* "+mark[1]+" */\n")
	}
}
