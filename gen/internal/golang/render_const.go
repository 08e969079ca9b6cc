package golang

import (
	"math/big"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// renderConsts writes a block of constants for each header. The enumerators of
// an enum stand together under its name.
func renderConsts(f *jen.File, consts []model.Const, names, types map[string]string) {
	for len(consts) > 0 {
		header := consts[0].Pos.File
		n := 0
		for n < len(consts) && consts[n].Pos.File == header {
			n++
		}
		f.Add(comment("Constants of %s.", header))
		f.Const().DefsFunc(func(block *jen.Group) {
			for i, group := range constGroups(consts[:n]) {
				if i > 0 {
					block.Line()
				}
				named := group[0].Enum != "" && group[0].Enum != "enum"
				if named {
					block.Add(comment("%s", group[0].Enum))
				}
				for i, c := range group {
					if c.Above != "" {
						switch {
						case i > 0:
							block.Line()
						case named:
							block.Add(jen.Comment("//"))
						}
						addAll(block, quote(c.Above))
						block.Line()
					}
					addAll(block, quote(c.Doc))
					def := block.Id(names[c.Name])
					if typ := types[c.Name]; typ != "" {
						def.Id(typ)
					}
					def.Op("=").Op(literal(c))
					switch {
					case c.Pos.Line > 0:
						def.Add(comment("%s%s", c.Pos, listed(c.Since)))
					case c.Since != "":
						def.Add(comment("%s", c.Since))
					}
				}
			}
		})
		f.Line()
		consts = consts[n:]
	}
}

// addAll adds each item as a line of its own.
func addAll(block *jen.Group, items []jen.Code) {
	for _, item := range items {
		block.Add(item)
	}
}

// constGroups splits constants at their gaps and where an enum begins or ends.
// Constants that would each be alone stay together: in a header a comment sets
// them apart.
func constGroups(consts []model.Const) [][]model.Const {
	var groups [][]model.Const
	alone := false // what the last group consists of
	for i, c := range consts {
		last := len(groups) - 1
		begins := i == 0 || c.Gap || c.Enum != consts[i-1].Enum
		ends := i+1 == len(consts) || consts[i+1].Gap || consts[i+1].Enum != c.Enum
		if begins && !(alone && ends && c.Enum == consts[i-1].Enum) {
			groups = append(groups, []model.Const{c})
			alone = ends
			continue
		}
		groups[last] = append(groups[last], c)
	}
	return groups
}

// literal writes a value as its header does.
func literal(c model.Const) string {
	n, ok := new(big.Int).SetString(c.Value.ExactString(), 10)
	switch {
	case ok && n.Sign() >= 0 && c.Base == model.Hex:
		return "0x" + n.Text(16)
	case ok && n.Sign() > 0 && c.Base == model.Octal:
		return "0o" + n.Text(8)
	}
	return c.Value.ExactString()
}

// renderTable writes a variable with constants and their names in C, without
// the mark of a system call, in the order that they come in. It is data that
// the linker leaves out if nothing uses it.
func renderTable(f *jen.File, name string, consts []model.Const, names map[string]string) {
	if len(consts) == 0 {
		return
	}
	f.Add(comment("%s has what is above by value.", name))
	f.Var().Id(name).Op("=").Index(jen.Op("...")).Struct(jen.Id("name").String(), jen.Id("value").Uintptr()).ValuesFunc(func(rows *jen.Group) {
		for _, c := range consts {
			text := c.Name
			if _, call, ok := strings.Cut(text, "NR_"); ok {
				text = call
			}
			rows.Line().Values(jen.Lit(text), jen.Id(names[c.Name]))
		}
		rows.Line()
	})
	f.Line()
}
