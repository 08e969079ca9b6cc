package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// A source is the C file that checks one unit.
type source struct {
	buf   bytes.Buffer
	tally tally
	bits  []bitProbe
}

// A bitProbe is an object with all bits of one bit-field set.
type bitProbe struct {
	symbol string
	name   string // for a person
	first  int64  // bit of the object, in allocation order
	width  int64
	size   int64 // of the object
}

func newSource(u unit) *source {
	s := new(source)
	for _, h := range slices.Concat(u.Before, u.Headers) {
		fmt.Fprintf(&s.buf, "#include <%s>\n", h)
	}
	for _, c := range u.Consts {
		s.constant(c)
	}
	for _, st := range u.Structs {
		fmt.Fprintf(&s.buf, "_Static_assert(sizeof(%[1]s) == %[2]d, \"sizeof(%[1]s) is %[2]d\");\n", st.Name, st.Size)
		fmt.Fprintf(&s.buf, "_Static_assert(_Alignof(%[1]s) == %[2]d, \"_Alignof(%[1]s) is %[2]d\");\n", st.Name, st.Align)
		s.tally.sizes++
		s.tally.aligns++
		s.fields(st, st.Fields, "", 0)
	}
	for _, t := range u.Types {
		s.named(t)
	}
	return s
}

// named asserts the size of an enum or typedef, and the sign of a number.
func (s *source) named(t namedType) {
	fmt.Fprintf(&s.buf, "_Static_assert(sizeof(%[1]s) == %[2]d, \"sizeof(%[1]s) is %[2]d\");\n", t.Name, t.Type.Size)
	s.tally.sizes++
	if t.Type.Kind == "int" || t.Type.Kind == "uint" {
		negative := b2i(t.Type.Kind == "int")
		fmt.Fprintf(&s.buf, "_Static_assert(((%[1]s)-1 < (%[1]s)1) == %[2]d, \"whether %[1]s has a sign is %[2]d\");\n", t.Name, negative)
		s.tally.types++
	}
}

func (s *source) text() []byte { return s.buf.Bytes() }

// constant asserts the value, and of a macro also the type. C compares a
// negative int with an unsigned number as if both were unsigned, so the sign
// is asserted by itself.
func (s *source) constant(c constant) {
	var text string
	if c.Value.string != nil {
		lit := cString(*c.Value.string)
		text = fmt.Sprintf("sizeof(%[1]s) == sizeof(%[2]s) && __builtin_memcmp(%[1]s, %[2]s, sizeof(%[2]s)) == 0", c.Name, lit)
		s.tally.strings++
	} else {
		bits := new(big.Int).And(c.Value.int, new(big.Int).SetUint64(1<<64-1))
		text = fmt.Sprintf("((%[1]s) < 0) == %[2]d && (unsigned long long)(%[1]s) == %[3]sULL", c.Name, b2i(c.Value.int.Sign() < 0), bits)
		s.tally.consts++
	}
	fmt.Fprintf(&s.buf, "_Static_assert(%s, \"%s is %s\");\n", text, c.Name, strings.NewReplacer(`"`, `'`, `\`, `/`).Replace(c.Value.text()))
	if c.Enum == "" && c.Value.int != nil {
		fmt.Fprintf(&s.buf, "_Static_assert(__builtin_types_compatible_p(__typeof__(%[1]s), %[2]s), \"the type of %[1]s is %[2]s\");\n", c.Name, c.Type)
		s.tally.types++
	}
}

// fields asserts the offsets of fields that lie at base in st, path being the
// C name of what they are in.
func (s *source) fields(st structure, fields []field, path string, base int64) {
	for _, f := range fields {
		name := path + f.Name
		switch {
		case f.Bits != nil:
			if f.Name == "" || f.Bits.Width == 0 {
				continue // nothing can name it
			}
			p := bitProbe{
				symbol: "probe" + strconv.Itoa(len(s.bits)),
				name:   st.Name + "." + name,
				first:  base*8 + f.Bits.Offset,
				width:  f.Bits.Width,
				size:   st.Size,
			}
			s.bits = append(s.bits, p)
			s.tally.bits++
			fmt.Fprintf(&s.buf, "const %s %s = {.%s = -1};\n", st.Name, p.symbol, name)
		case f.Name != "":
			fmt.Fprintf(&s.buf, "_Static_assert(__builtin_offsetof(%[1]s, %[2]s) == %[3]d, \"offsetof(%[1]s, %[2]s) is %[3]d\");\n", st.Name, name, base+f.Offset)
			s.tally.offsets++
			if !f.Flexible && f.Type.Size > 0 {
				fmt.Fprintf(&s.buf, "_Static_assert(sizeof(((%[1]s *)0)->%[2]s) == %[3]d, \"sizeof(%[1]s.%[2]s) is %[3]d\");\n", st.Name, name, f.Type.Size)
				s.tally.sizes++
			}
		}
		if f.Type.Inline != nil {
			inner := path
			if f.Name != "" {
				inner = name + "."
			}
			s.fields(st, f.Type.Inline.Fields, inner, base+f.Offset)
		}
	}
}

// checkBits reads the probes back from the object file: no code is run, so
// any architecture's will do.
func (s *source) checkBits(object string) (wrong []string, err error) {
	if len(s.bits) == 0 {
		return nil, nil
	}
	f, err := elf.Open(object)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	at := map[string]elf.Symbol{}
	for _, sym := range symbols {
		at[sym.Name] = sym
	}
	for _, p := range s.bits {
		sym, ok := at[p.symbol]
		if !ok || int(sym.Section) >= len(f.Sections) {
			return nil, fmt.Errorf("%s: the compiler left no object %s", p.name, p.symbol)
		}
		data, err := f.Sections[sym.Section].Data()
		if err != nil {
			return nil, err
		}
		got := data[sym.Value : int64(sym.Value)+p.size]
		if want := p.image(f.ByteOrder); !bytes.Equal(got, want) {
			wrong = append(wrong, fmt.Sprintf("%s: bits %d to %d would be % x, the compiler has % x", p.name, p.first, p.first+p.width-1, want, got))
		}
	}
	return wrong, nil
}

// image is the object as it is in memory if the model is right.
func (p bitProbe) image(order binary.ByteOrder) []byte {
	b := make([]byte, p.size)
	for i := p.first; i < p.first+p.width; i++ {
		bit := i % 8
		if order == binary.BigEndian {
			bit = 7 - bit
		}
		b[i/8] |= 1 << bit
	}
	return b
}

// cString writes s as a C literal. Octal escapes end after three digits, so
// no byte that follows can become part of one.
func cString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?' {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
