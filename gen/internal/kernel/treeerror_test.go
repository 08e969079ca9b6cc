package kernel

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// installedFiles is a small include directory for amd64.
var installedFiles = map[string]string{
	"linux/version.h": "#define LINUX_VERSION_CODE 459524\n",
	"linux/odd.h":     "#define ODD 1\n",
	"asm/vm86.h":      "#define VM86 1\n",
}

// TestTreeErrors changes a file of a tree (an empty one is removed) and
// expects the error of opening it for an architecture.
func TestTreeErrors(t *testing.T) {
	const yourself = "; run `make headers_install` and give its output instead"
	x86 := "DIR/arch/x86/entry/syscalls/syscall_64.tbl"
	for name, tt := range map[string]struct {
		installed    bool
		goarch       string
		file, change string
		want         string
	}{
		"no Makefile": {file: "Makefile",
			want: "this kernel source tree is not complete: open DIR/Makefile: no such file or directory"},
		"no release": {file: "Makefile", change: "VERSION = 7\nPATCHLEVEL = x\nSUBLEVEL = 1\n",
			want: "DIR/Makefile: no PATCHLEVEL, so the kernel's release is unknown"},
		"no script": {file: "scripts/headers_install.sh",
			want: "this kernel source tree is not complete: open DIR/scripts/headers_install.sh: no such file or directory"},
		"another script": {file: "scripts/headers_install.sh", change: "#!/usr/bin/env python3\n",
			want: "DIR/scripts/headers_install.sh: this kernel installs its headers in an unknown way" + yourself},
		"unknown sed command": {file: "scripts/headers_install.sh", change: "#!/bin/sh\nsed -E -e '\n\ts/a/b/\n\ty/a/b/\n' $1\nunifdef -U__KERNEL__ $1\n",
			want: "DIR/scripts/headers_install.sh:4: unknown sed command \"y/a/b/\"" + yourself},
		"no asm/": {file: "arch/x86/include/uapi/asm/Kbuild",
			want: "this kernel source tree is not complete: open DIR/arch/x86/include/uapi/asm/Kbuild: no such file or directory"},
		"architecture too new": {goarch: "arm", file: "Makefile", change: "VERSION = 7\nPATCHLEVEL = 0\nSUBLEVEL = 1\n",
			want: "DIR: no headers for arm: this kernel has no arch/arm"},
		"condition in Kbuild": {file: "arch/x86/include/uapi/asm/Kbuild", change: "ifdef CONFIG_ODD\ngeneric-y += odd.h\nendif\n",
			want: "DIR/arch/x86/include/uapi/asm/Kbuild: the line \"ifdef CONFIG_ODD\" is not understood" + yourself},
		"header made in an unknown way": {file: "arch/x86/include/uapi/asm/Kbuild", change: "generated-y += odd.h\n",
			want: "DIR: the way arch/x86 makes asm/odd.h is unknown" + yourself},
		"no ABI words": {goarch: "arm64", file: "scripts/Makefile.asm-headers", change: "all:\n",
			want: "DIR/scripts/Makefile.asm-headers: no syscall_abis_64, so the way the kernel makes asm/unistd_64.h is unknown" + yourself},
		"no table": {file: "arch/x86/entry/syscalls/syscall_32.tbl",
			want: "this kernel source tree is not complete: open DIR/arch/x86/entry/syscalls/syscall_32.tbl: no such file or directory"},
		"truncated table": {goarch: "mips", file: "arch/mips/kernel/syscalls/syscall_n64.tbl", change: "0\tn64\tlook\tsys_look\n1\tn64\tspe",
			want: "DIR/arch/mips/kernel/syscalls/syscall_n64.tbl:2: the table ends within a line; it is not complete"},
		"errors in a table": {file: "arch/x86/entry/syscalls/syscall_64.tbl", change: "0 common look\nx\n",
			want: x86 + ":2: \"x\" at the start of the line is not a system call number"},
		"number taken": {file: "arch/x86/entry/syscalls/syscall_64.tbl", change: "0 common look\n0 64 speak\n1 x32 look\n",
			want: x86 + ":2: number 0 of speak is taken by look in line 1\n" + x86 + ":3: look is already number 0 in line 1"},
		"unknown ABI": {goarch: "s390x", file: "arch/s390/kernel/syscalls/syscall.tbl", change: "0 common look\n1 128 speak\n",
			want: "DIR/arch/s390/kernel/syscalls/syscall.tbl:2: unknown ABI \"128\", so whether asm/unistd_64.h has speak is unknown"},

		"not a kernel": {installed: true, file: "linux/version.h",
			want: "DIR: no kernel headers here: there is neither include/uapi/linux, as in a kernel source tree, nor linux/version.h in usr/include, in include or in the directory itself, as in installed headers"},
		"no release installed": {installed: true, file: "linux/version.h", change: "#define LINUX_VERSION_MAJOR 7\n",
			want: "DIR/linux/version.h: no PATCHLEVEL, so the kernel's release is unknown"},
		"no asm/ installed": {installed: true, file: "asm/vm86.h",
			want: "DIR: linux/ is here, but no asm/, nor any TRIPLET/asm; install the headers of an architecture with `make headers_install ARCH=...`"},
		"another architecture": {installed: true, goarch: "mips64le", file: "linux/odd.h", change: "\n",
			want: "DIR: there are headers for 386, amd64 only; choose these with -arch, or give a kernel source tree, which has all architectures"},
		"mixed architectures": {installed: true, file: "asm/sgidefs.h", change: "\n",
			want: "DIR/asm: these headers are of more than one architecture: x86, mips"},
	} {
		t.Run(name, func(t *testing.T) {
			files := sourceFiles(t)
			if tt.installed {
				files = maps.Clone(installedFiles)
			}
			if files[tt.file] = tt.change; tt.change == "" {
				delete(files, tt.file)
			}
			if tt.goarch == "" {
				tt.goarch = "amd64"
			}
			dir := gentest.Folder(t, files)
			tree, err := OpenTree(dir)
			if err == nil {
				_, err = tree.Includes(mustArch(t, tt.goarch))
			}
			wantTreeError(t, dir, err, tt.want)
		})
	}
}

func wantTreeError(t *testing.T, dir string, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %s", want)
	}
	if got := strings.ReplaceAll(err.Error(), dir, "DIR"); got != want {
		t.Errorf("got error\n%s\nwant\n%s", got, want)
	}
}

func TestUnknownArchitectureInstalled(t *testing.T) {
	files := maps.Clone(installedFiles)
	delete(files, "asm/vm86.h")
	files["asm/hwcap.h"] = "#define HWCAP_OTHER 1\n"
	dir := gentest.Folder(t, files)
	_, err := OpenTree(dir)
	wantTreeError(t, dir, err, "DIR: no asm headers of a known architecture: looked in asm/ or TRIPLET/asm for vm86.h (x86), unistd-eabi.h (arm), sve_context.h (arm64), "+
		"hwcap.h (loongarch), sgidefs.h (mips), bootx.h (powerpc), hwcap.h (riscv), zcrypt.h (s390)")
}

func TestOpenTreeNeedsADirectory(t *testing.T) {
	dir := gentest.Folder(t, map[string]string{"file": ""})
	_, err := OpenTree(filepath.Join(dir, "none"))
	wantTreeError(t, dir, err, "DIR/none: no such file or directory")
	_, err = OpenTree(filepath.Join(dir, "file"))
	wantTreeError(t, dir, err, "DIR/file: not a directory")
}

func TestHeadersErrors(t *testing.T) {
	dir := gentest.Folder(t, installedFiles)
	tree := mustOpenTree(t, dir)
	_, err := tree.Headers("linux/none*.h", model.Arches[1])
	wantTreeError(t, dir, err, "DIR: no header matches linux/none*.h")
	_, err = tree.Headers("linux/[", model.Arches[1])
	wantTreeError(t, dir, err, "linux/[: syntax error in pattern")
	_, err = tree.Headers("linux/*.h", model.Arches...)
	wantTreeError(t, dir, err, "DIR: there are headers for 386, amd64 only; choose these with -arch, or give a kernel source tree, which has all architectures")
}

// TestErrTellsWhyAHeaderWasNotRead: a C parser sees a missing header and says
// so; the reason may be another one.
func TestErrTellsWhyAHeaderWasNotRead(t *testing.T) {
	bad := sourceFiles(t)
	bad["include/uapi/linux/bad.h"] = "#ifdef __KERNEL__\n"
	bad["arch/x86/include/uapi/asm/bad.h"] = "/* __KERNEL__ */\n#endif\n"
	for name, tt := range map[string]struct {
		files     map[string]string
		directory string // to make
		header    string
		want      string
	}{
		"cannot be cut":      {files: bad, header: "linux/bad.h", want: "DIR/include/uapi/linux/bad.h:1: this #if has no #endif"},
		"cannot be cut, asm": {files: bad, header: "asm/bad.h", want: "DIR/arch/x86/include/uapi/asm/bad.h:2: #endif without #if"},
		"source":             {files: bad, directory: "include/uapi/linux/dir.h", header: "linux/dir.h", want: "read DIR/include/uapi/linux/dir.h: is a directory"},
		"installed":          {files: installedFiles, directory: "asm/dir.h", header: "asm/dir.h", want: "read DIR/asm/dir.h: is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := gentest.Folder(t, tt.files)
			if err := os.MkdirAll(filepath.Join(dir, tt.directory), 0o777); err != nil {
				t.Fatal(err)
			}
			tree := mustOpenTree(t, dir)
			for _, goarch := range []string{"386", "amd64"} { // which share it: one error
				includes, err := tree.Includes(mustArch(t, goarch))
				if err != nil {
					t.Fatal(err)
				}
				_, err = fs.ReadFile(includes, tt.header)
				wantTreeError(t, dir, err, "open "+tt.header+": "+tt.want)
			}
			wantTreeError(t, dir, tree.Err(), tt.want)
		})
	}
}
