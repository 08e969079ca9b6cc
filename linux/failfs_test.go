//go:build linux

package linux_test

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// needNoFileSystem skips where the kernel has no fchroot(2).
func needNoFileSystem(t *testing.T) {
	t.Helper()
	_, err := linux.Clone3(background, &linux.Child{Path: "/proc/self/exe", Flags: linux.NoNewPrivs, NoFileSystem: true, Args: []string{"x"},
		Seccomp: compiled(t, seccomp.Log), Env: append(environ(), helperEnv("exit")...)})
	if lacks, ok := errors.AsType[*linux.UnsupportedError](err); ok {
		if lacks.Feature != "NoFileSystem" || lacks.Release != "7.3" {
			t.Errorf("got error %v, want it to name NoFileSystem and 7.3", err)
		}
		kerneltest.Need(t, "NoFileSystem", "7.3", err)
	}
}

// A program without a file system reaches nothing by a path; what it was given it
// has.
func TestNoFileSystem(t *testing.T) {
	needNoFileSystem(t)
	needStatic(t)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	tries := []string{"read", dir + "/file", "read", "/etc/passwd", "write", dir + "/new", "mkdir", dir + "/sub", "list", "/", "list", ".",
		"remove", dir + "/file", "rename", dir + "/file", "unshare", itoa(unix.CLONE_NEWUSER)}
	denied := strings.Repeat("ENOTSUP ", 8) + "EINVAL" // which is EOPNOTSUPP; and who has threads cannot have a user namespace
	for name, change := range map[string]func(*linux.Child){
		"Exec":         func(*linux.Child) {},
		"InheritFiles": func(c *linux.Child) { c.InheritFiles = true },
		"holes": func(c *linux.Child) { // whose numbers are free, and places
			c.Files = append(c.Files, nil, nil, os.Stderr)
		},
		"limit on files": func(c *linux.Child) { c.Rlimits = []linux.Rlimit{{Resource: unix.RLIMIT_NOFILE, Cur: 8, Max: 8}} },
		"Capabilities":   func(c *linux.Child) { c.Capabilities = new(linux.Capabilities) },
		"Credential": func(c *linux.Child) {
			if os.Geteuid() == 0 {
				c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000}
			}
		},
		"CAP_SYS_CHROOT": func(c *linux.Child) {
			if os.Geteuid() == 0 { // and not NoNewPrivs
				c.Flags, c.Capabilities = 0, new(linux.Capabilities)
			}
		},
		"Landlock": func(c *linux.Child) {
			c.Landlock = &landlock.Rules{ABI: 1, Paths: executable()}
		},
		"Seccomp": func(c *linux.Child) {
			c.Seccomp = compiled(t, seccomp.Allow, seccomp.Rule{Calls: []string{"fchroot", "fchdir", "chroot", "execve"}, Action: seccomp.Errno(unix.EPERM)})
		},
		"Listen": func(c *linux.Child) {
			c.Listen, c.Seccomp = true, compiled(t, seccomp.Allow, seccomp.Rule{Calls: []string{"swapoff"}, Action: seccomp.Notify})
		},
		"own memory": func(c *linux.Child) { c.Flags |= linux.NewUser; ownIDs(c) },
	} {
		for _, byPath := range []bool{false, true} {
			if byPath {
				name += ", by path"
			}
			t.Run(name, func(t *testing.T) {
				got := tried(t, func(c *linux.Child) {
					change(c)
					if c.NoFileSystem = true; byPath {
						c.Path, c.Exec = "/proc/self/exe", nil
					}
				}, tries...)
				if got != denied {
					t.Errorf("got  %s\nwant %s", got, denied)
				}
			})
		}
	}
	if _, err := os.Stat(dir + "/file"); err != nil {
		t.Error("the file is gone: ", err)
	}
	// It works without.
	if got := tried(t, func(*linux.Child) {}, tries[:8]...); !strings.HasPrefix(got, "ok ") || strings.Contains(got, "ENOTSUP") {
		t.Errorf("with a file system: %s", got)
	}
	if cwd, err := os.Getwd(); err != nil || strings.Contains(cwd, "unreachable") {
		t.Errorf("this program is in %s, %v", cwd, err)
	}
}

// A directory that is given to it is a way in.
func TestNoFileSystemWithDirectory(t *testing.T) {
	needNoFileSystem(t)
	needStatic(t)
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	c := child("open below 3")
	c.Flags, c.NoFileSystem, c.Files = linux.NoNewPrivs, true, []*os.File{nil, nil, os.Stderr, dir}
	if out, _ := output(t, c); out != "ok" {
		t.Errorf("got %q, want ok: the documentation says so", out)
	}
}

var _ = helper("open below 3", func([]string) int {
	fd, err := unix.Openat(3, "new", unix.O_CREAT|unix.O_WRONLY, 0o600)
	if err != nil {
		return fail("%v", err)
	}
	unix.Close(fd)
	os.Stdout.WriteString("ok")
	return 0
})

// What cannot work says why.
func TestNoFileSystemErrors(t *testing.T) {
	needNoFileSystem(t)
	_, err := linux.Clone3(background, &linux.Child{Path: "/does not exist", Flags: linux.NoNewPrivs, NoFileSystem: true})
	if step, ok := errors.AsType[*linux.StepError](err); !ok || step.Kind != linux.StepExec || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing program: got error %v", err)
	}
	script := t.TempDir() + "/script"
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	dynamic := t.TempDir() + "/dynamic"
	if err := os.WriteFile(dynamic, interpreted(t), 0o755); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{"a script": script, "a program with an interpreter": dynamic} {
		_, err := linux.Clone3(background, &linux.Child{Path: path, Flags: linux.NoNewPrivs, NoFileSystem: true})
		step, ok := errors.AsType[*linux.StepError](err)
		if !ok || step.Kind != linux.StepExec || errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "statically linked") {
			t.Errorf("%s: got error %v", what, err)
		}
	}
	if os.Geteuid() != 0 {
		_, err := linux.Clone3(background, &linux.Child{Path: "/proc/self/exe", NoFileSystem: true})
		if step, ok := errors.AsType[*linux.StepError](err); !ok || step.Kind != linux.StepNoFileSystem || !errors.Is(err, os.ErrPermission) ||
			!strings.Contains(err.Error(), "NoNewPrivs") {
			t.Errorf("without NoNewPrivs: got error %v", err)
		}
	}
}

// interpreted is a program with an interpreter, which is not looked into further.
func interpreted(t *testing.T) []byte {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	const elf64 = 2
	if self[4] != elf64 || self[5] != 1 {
		t.Skip("not an ELF file of 64 bits, little-endian")
	}
	le := binary.LittleEndian
	head := append([]byte{}, self[:64]...) // of this machine
	const interpreter = "/lib/ld.so\x00"
	le.PutUint64(head[32:], 64) // program headers follow
	le.PutUint64(head[40:], 0)
	le.PutUint16(head[16:], 2) // executable
	le.PutUint16(head[56:], 1)
	le.PutUint16(head[60:], 0)
	segment := make([]byte, 56)
	le.PutUint32(segment, 3) // PT_INTERP
	le.PutUint64(segment[8:], 64+56)
	le.PutUint64(segment[32:], uint64(len(interpreter)))
	return append(append(head, segment...), interpreter...)
}
