package golang

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// setBits puts the bits of v where C has those of b, one by one.
func setBits(mem []byte, b model.Bits, bigEndian bool, v uint64) {
	for i := range b.Width {
		pos, bit := b.Offset+i, byte(v>>i&1)
		shift := pos % 8
		if bigEndian { // the first position has the highest bit
			pos = b.Offset + b.Width - 1 - i
			shift = 7 - pos%8
		}
		mem[pos/8] = mem[pos/8]&^(1<<shift) | bit<<shift
	}
}

func TestBitPieces(t *testing.T) {
	for _, bigEndian := range []bool{false, true} {
		for offset := range int64(9) {
			for width := int64(1); width <= 64; width++ {
				b := model.Bits{Offset: offset, Width: width}
				v := uint64(0x9e3779b97f4a7c15) & (1<<width - 1)
				want := make([]byte, 10)
				setBits(want, b, bigEndian, v)
				got := make([]byte, 10)
				var back uint64
				for _, p := range bitPieces(b, bigEndian) {
					if p.Shift >= 0 {
						got[p.Byte] = byte(v>>p.Shift) & p.Mask
						back |= uint64(want[p.Byte]&p.Mask) << p.Shift
					} else {
						got[p.Byte] = byte(v<<-p.Shift) & p.Mask
						back |= uint64(want[p.Byte]&p.Mask) >> -p.Shift
					}
				}
				if !bytes.Equal(got, want) || back != v {
					t.Errorf("%+v, big-endian %v: %#x set as %x and read as %#x, want %x", b, bigEndian, v, got, back, want)
				}
			}
		}
	}
}

// bitStructs have bit-fields that begin and end within bytes, span up to nine
// of them, and share a union.
var bitStructs = []model.Struct{
	{Name: "struct plain", Fields: []model.Field{
		cBits("on", boolean, 1), cBits("level", s8, 3), cBits("wide", u32, 20), cBits("", u32, 3), cBits("top", u8, 1),
		cField("other", u32), cBits("high", s64, 40), cBits("full", s32, 32), cBits("byte", u8, 8),
	}},
	{Name: "struct packed", Align: 1, Fields: []model.Field{
		cBits("a", u8, 3), cBits("long_one", u64, 64), cBits("b", u16, 9), cBits("c", s32, 17), cBits("yes", boolean, 1),
	}},
	{Name: "union either", Union: true, Fields: []model.Field{
		cField("number", u64), cBits("part", s32, 13), cField("", cStruct(cField("skip", u16), cBits("inner", u64, 33), cBits("no", boolean, 1))),
	}},
}

// bitFields lists the bit-fields of a struct with their places in it.
func bitFields(s model.Struct, base int64) []model.Field {
	var all []model.Field
	for _, f := range s.Fields {
		switch {
		case f.Bits != nil && f.Name != "":
			f.Bits = &model.Bits{Offset: 8*base + f.Bits.Offset, Width: f.Bits.Width}
			all = append(all, f)
		case f.Name == "" && f.Type.Inline != nil:
			all = append(all, bitFields(*f.Type.Inline, base+f.Offset)...)
		}
	}
	return all
}

// TestBitFieldAccessors runs the methods of a little-endian and a big-endian
// architecture here: they work on bytes, so they do the same everywhere.
func TestBitFieldAccessors(t *testing.T) {
	dir := t.TempDir()
	writeText(t, dir, "go.mod", "module bits\n\ngo 1.26\n")
	var calls, want strings.Builder
	for _, a := range model.Arches {
		if a.GOARCH != "amd64" && a.GOARCH != "s390x" {
			continue
		}
		units := unitsOf([]model.Arch{a}, "bits", nil, bitStructs...)
		files, err := generate(a.GOARCH, units)
		if err != nil {
			t.Fatal(err)
		}
		code := strings.Replace(string(files[0].Data), "//go:build linux && "+a.GOARCH, "", 1)
		writeText(t, dir, filepath.Join(a.GOARCH, "bits.go"), code)
		for _, s := range units[0].Structs {
			for _, f := range bitFields(s, 0) {
				for _, fill := range []byte{0, 0xff} {
					for _, v := range []uint64{0, 1, 0x0123456789abcdef, 0xfedcba9876543210, 1 << (f.Bits.Width - 1), 1<<64 - 1} {
						mem := bytes.Repeat([]byte{fill}, int(s.Size))
						setBits(mem, *f.Bits, a.BigEndian, v)
						arg, read := goValue(f, v)
						fmt.Fprintf(&want, "%s.%s %s %x\n", a.GOARCH, f.Name, read, mem)
						fmt.Fprintf(&calls, "\t{\n\t\tx := new(%s.%s)\n\t\tfill(x, %d)\n\t\tx.Set%s(%s)\n\t\tfmt.Printf(\"%s.%s %%v %%x\\n\", x.%[4]s(), memory(x))\n\t}\n",
							a.GOARCH, typeName(s.Name), fill, camelCase(f.Name), arg, a.GOARCH, f.Name)
					}
				}
			}
		}
	}
	writeText(t, dir, "main.go", `package main

import (
	"fmt"
	"unsafe"

	"bits/amd64"
	"bits/s390x"
)

func memory[T any](x *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(x)), unsafe.Sizeof(*x))
}

func fill[T any](x *T, b byte) {
	for i := range memory(x) {
		memory(x)[i] = b
	}
}

func main() {
`+calls.String()+"}\n")
	compareLines(t, runGo(t, dir, "run", "-gcflags=-d=checkptr", "."), want.String())
	runGo(t, dir, "vet", "./...")
}

// goValue is v as a Go argument, and what the bit-field then has.
func goValue(f model.Field, v uint64) (arg, read string) {
	unused := 64 - f.Bits.Width
	switch {
	case f.Type.Kind == model.Bool:
		return fmt.Sprint(v&1 == 1), fmt.Sprint(v&1 == 1)
	case f.Type.Kind == model.Int:
		n := int64(v) << (64 - 8*f.Type.Size) >> (64 - 8*f.Type.Size)
		return fmt.Sprint(n), fmt.Sprint(int64(v) << unused >> unused)
	}
	return fmt.Sprint(v << (64 - 8*f.Type.Size) >> (64 - 8*f.Type.Size)), fmt.Sprint(v << unused >> unused)
}

// TestAccessorsOfBytesAndUnions runs the methods of a packed struct and of
// unions on this machine.
func TestAccessorsOfBytesAndUnions(t *testing.T) {
	dir := t.TempDir()
	writeText(t, dir, "go.mod", "module example\n\ngo 1.26\n")
	files, err := generate("main", unitsOf(model.Arches, "tool", nil, toolStructs()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		writeText(t, dir, f.Name, string(f.Data))
	}
	writeText(t, dir, "main.go", `package main

import (
	"bytes"
	"fmt"
	"unsafe"
)

func main() {
	w := new(ToolWire)
	w.Type = 0xff
	w.SetLength(0x01020304)
	fmt.Printf("%#x %v\n", w.Length(), bytes.Contains(unsafe.Slice((*byte)(unsafe.Pointer(w)), 6), []byte{2, 3}) ||
		bytes.Contains(unsafe.Slice((*byte)(unsafe.Pointer(w)), 6), []byte{3, 2}))
	w.SetArgs(ToolArgs{Flags: 1, Fd: -2, Size: 3})
	w.SetPorts([3]uint16{7, 8, 9})
	fmt.Println(w.Args().Flags, w.Args().Fd, w.Args().Size, w.Ports(), w.Type, w.Length() == 0x01020304)

	v := new(ToolValue)
	*v.Number() = -1
	v.Place().Column = 5
	fmt.Println(*v.Low(), v.Place().Row == 1<<32-1, v.Text()[0])

	l := ToolList{Count: 1, Second: 2}
	*l.ByRange() = ToolListByRange{From: 1, To: 1}
	fmt.Println(*l.ById() == 0x10001, l.Count, l.Second)
}
`)
	compareLines(t, runGo(t, dir, "run", "-gcflags=-d=checkptr", "."), `0x1020304 true
1 -2 3 [7 8 9] 255 true
65535 true 255
true 1 2
`)
}

func writeText(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func runGo(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func compareLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("line %d: got\n%s\nwant\n%s", i+1, strings.Join(g[min(i, len(g)):], "\n"), strings.Join(w[min(i, len(w)):], "\n"))
		}
	}
}
