package golang

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"
)

// renderBits writes the getter and the setter of a bit-field, which work on the
// bytes that hold it.
func renderBits(f *jen.File, typ string, a goAccessor) {
	view, store := jen.Null(), "x."+a.Storage
	if !a.Bytes {
		view, store = jen.Id("b").Op(":=").Add(cast(fmt.Sprintf("[%d]byte", a.Length), a.storage())), "b"
	}
	getter, setter := integerBits(store, a)
	if a.Type == "bool" {
		getter, setter = boolBits(store, a.Bits[0])
	}
	f.Add(comment("%s returns %s%s.", a.Name, a.C, listed(a.Since)))
	addMore(f, a.Doc)
	method(f, typ, a.Name).Params().Id(a.Type).Block(view, jen.Return(jen.Id(getter)))
	f.Line()
	f.Add(comment("Set%s sets %s.", a.Name, a.Member))
	method(f, typ, "Set"+a.Name).Params(jen.Id("v").Id(a.Type)).Block(view, jen.Id(setter))
	f.Line()
}

// boolBits is a boolean's value, and the statements that set it to v.
func boolBits(store string, p bitPiece) (getter, setter string) {
	b := fmt.Sprintf("%s[%d]", store, p.Byte)
	return fmt.Sprintf("%s&%#x != 0", b, p.Mask),
		fmt.Sprintf("%s &^= %#x\nif v {\n%s |= %#x\n}", b, p.Mask, b, p.Mask)
}

// integerBits puts a number together from its pieces, and sets them to those of v.
func integerBits(store string, a goAccessor) (getter, setter string) {
	var terms, sets []string
	for _, p := range a.Bits {
		b := fmt.Sprintf("%s[%d]", store, p.Byte)
		piece, kept, mask := b, "", ""
		if p.Mask != 0xff {
			piece = fmt.Sprintf("%s&%#x", b, p.Mask)
			kept, mask = fmt.Sprintf("%s&^%#x | ", b, p.Mask), fmt.Sprintf("&%#x", p.Mask)
		}
		terms = append(terms, fmt.Sprintf("uint%d(%s)%s", 8*a.Size, piece, shift(p.Shift)))
		sets = append(sets, fmt.Sprintf("%s = %sbyte(v%s)%s", b, kept, shift(-p.Shift), mask))
	}
	getter = strings.Join(terms, " | ")
	if strings.HasPrefix(a.Type, "int") {
		getter = fmt.Sprintf("%s(%s)", a.Type, getter)
		if unused := 8*a.Size - a.Width; unused > 0 { // extend the sign
			getter += fmt.Sprintf(" << %d >> %d", unused, unused)
		}
	}
	return getter, strings.Join(sets, "\n")
}

// shift moves bits to the left, or to the right if n is negative.
func shift(n int64) string {
	switch {
	case n > 0:
		return fmt.Sprintf("<<%d", n)
	case n < 0:
		return fmt.Sprintf(">>%d", -n)
	}
	return ""
}
