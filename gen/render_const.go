package main

import (
	"go/constant"
	"math/big"
	"strconv"

	"github.com/dave/jennifer/jen"
)

// renderConsts writes a block of constants for each header. The enumerators of
// an enum stand together under its name.
func renderConsts(f *jen.File, consts []Const, names map[string]string) {
	for len(consts) > 0 {
		header := consts[0].Pos.File
		n := 0
		for n < len(consts) && consts[n].Pos.File == header {
			n++
		}
		f.Add(comment("Constants of %s.", header))
		f.Const().DefsFunc(func(block *jen.Group) {
			enum := ""
			for i, c := range consts[:n] {
				if i > 0 && (c.Gap || c.Enum != enum) {
					block.Line()
				}
				if c.Enum != enum && c.Enum != "" && c.Enum != "enum" {
					block.Add(comment("%s", c.Enum))
				}
				enum = c.Enum
				def := block.Id(names[c.Name]).Op("=").Op(literal(c))
				if c.Pos.Line > 0 {
					def.Add(comment("%s", c.Pos))
				}
			}
		})
		f.Line()
		consts = consts[n:]
	}
}

// literal writes a value as its header does.
func literal(c Const) string {
	if c.Value.Kind() == constant.String {
		return strconv.Quote(constant.StringVal(c.Value))
	}
	n, ok := new(big.Int).SetString(c.Value.ExactString(), 10)
	switch {
	case ok && n.Sign() >= 0 && c.Base == Hex:
		return "0x" + n.Text(16)
	case ok && n.Sign() > 0 && c.Base == Octal:
		return "0o" + n.Text(8)
	}
	return c.Value.ExactString()
}
