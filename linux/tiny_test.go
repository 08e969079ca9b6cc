//go:build linux

package linux_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// Programs of a few instructions, so that what is measured and repeated is the
// creation of a process and not its program.

// argc ends with the number of its arguments, the first one, its name, included.
var _ = helper("argc", func([]string) int { return len(os.Args) })

// tiny returns a Child whose program does what the argc helper does, in as few
// instructions as it takes where this file knows them.
func tiny(t testing.TB, args int) *linux.Child {
	t.Helper()
	c := child("argc")
	if path := tinyProgram(t); path != "" {
		c.Path, c.Exec, c.Env = path, nil, []string{}
	}
	for len(c.Args) < args {
		c.Args = append(c.Args, "x")
	}
	return c
}

// tinyProgram returns the path of that program, or "" for an architecture whose
// instructions this file does not know.
func tinyProgram(t testing.TB) string { return tinyFile(t, "argc", argcCode()) }

// napProgram returns the path of a program that sleeps and ends with status 1.
func napProgram(t testing.TB, d time.Duration) string { return tinyFile(t, d.String(), napCode(d)) }

func argcCode() []byte {
	switch runtime.GOARCH {
	case "amd64": // mov edi, [rsp]; mov eax, exit_group; syscall
		return []byte{0x8b, 0x3c, 0x24, 0xb8, 231, 0, 0, 0, 0x0f, 0x05}
	case "386": // mov ebx, [esp]; mov eax, exit_group; int 0x80
		return []byte{0x8b, 0x1c, 0x24, 0xb8, 252, 0, 0, 0, 0xcd, 0x80}
	case "arm64": // ldr x0, [sp]; mov x8, exit_group; svc 0
		return []byte{0xe0, 0x03, 0x40, 0xf9, 0xc8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4}
	}
	return nil
}

// napCode puts a timespec on the stack and calls nanosleep.
func napCode(d time.Duration) []byte {
	sec, nsec := uint32(d/time.Second), uint32(d%time.Second)
	le := binary.LittleEndian
	var b []byte
	push := func() { // the nanoseconds, then the seconds below them
		b = le.AppendUint32(append(b, 0x68), nsec)
		b = le.AppendUint32(append(b, 0x68), sec)
	}
	switch runtime.GOARCH {
	case "amd64": // mov rdi, rsp; xor esi, esi; mov eax, nanosleep; syscall; mov edi, 1; mov eax, exit_group; syscall
		push()
		b = append(b, 0x48, 0x89, 0xe7, 0x31, 0xf6, 0xb8, 35, 0, 0, 0, 0x0f, 0x05)
		return append(b, 0xbf, 1, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05)
	case "386": // mov ebx, esp; xor ecx, ecx; mov eax, nanosleep; int 0x80; mov ebx, 1; mov eax, exit_group; int 0x80
		push()
		b = append(b, 0x89, 0xe3, 0x31, 0xc9, 0xb8, 162, 0, 0, 0, 0xcd, 0x80)
		return append(b, 0xbb, 1, 0, 0, 0, 0xb8, 252, 0, 0, 0, 0xcd, 0x80)
	case "arm64":
		for _, instruction := range []uint32{
			0xd2800000 | sec&0xffff<<5,      // movz x0, sec
			0xd2800001 | nsec&0xffff<<5,     // movz x1, nsec
			0xf2a00001 | nsec>>16&0xffff<<5, // movk x1, nsec, lsl 16
			0xa9bf07e0,                      // stp x0, x1, [sp, #-16]!
			0x910003e0,                      // mov x0, sp
			0xaa1f03e1,                      // mov x1, xzr
			0xd2800ca8,                      // mov x8, nanosleep
			0xd4000001,                      // svc 0
			0xb24003e0,                      // mov x0, 1
			0xd2800bc8,                      // mov x8, exit_group
			0xd4000001,                      // svc 0
		} {
			b = le.AppendUint32(b, instruction)
		}
	}
	return b
}

// tinyFiles are the programs that were made, in a directory that TestMain
// removes.
var tinyFiles struct {
	sync.Mutex
	dir string
}

func tinyFile(t testing.TB, name string, code []byte) string {
	t.Helper()
	if code == nil {
		return ""
	}
	d := &tinyFiles
	d.Lock()
	defer d.Unlock()
	if d.dir == "" {
		dir, err := os.MkdirTemp("", "tiny")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o755); err != nil { // for other users too
			t.Fatal(err)
		}
		d.dir = dir
	}
	path := filepath.Join(d.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := os.WriteFile(path, elfFile(code), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

// elfFile returns an executable with nothing but code.
func elfFile(code []byte) []byte {
	const base = 0x400000
	machine := map[string]uint16{"386": 3, "amd64": 62, "arm64": 183}[runtime.GOARCH]
	bits64 := runtime.GOARCH != "386"
	le := binary.LittleEndian
	b := []byte{0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	head, program := 52, 32
	if bits64 {
		b[4], head, program = 2, 64, 56
	}
	word := func(v int) {
		if bits64 {
			b = le.AppendUint64(b, uint64(v))
		} else {
			b = le.AppendUint32(b, uint32(v))
		}
	}
	size := head + program + len(code)
	b = le.AppendUint16(b, 2) // executable
	b = le.AppendUint16(b, machine)
	b = le.AppendUint32(b, 1)
	word(base + head + program) // entry
	word(head)
	word(0)
	b = le.AppendUint32(b, 0)
	for _, v := range []int{head, program, 1, 0, 0, 0} {
		b = le.AppendUint16(b, uint16(v))
	}
	b = le.AppendUint32(b, 1) // load
	if bits64 {
		b = le.AppendUint32(b, 5) // read and execute
	}
	for _, v := range []int{0, base, base, size, size} {
		word(v)
	}
	if !bits64 {
		b = le.AppendUint32(b, 5)
	}
	word(0x1000)
	return append(b, code...)
}
