package c

import (
	"io/fs"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// Names returns what the headers of groups, read as one translation unit, and
// those that they include declare: the C names of macros that stand for
// something, with () behind those that take arguments, and of enumerators, those of structs and unions that are defined,
// of enums and typedefs, and those of members as in model.FieldName. It computes no values, which
// makes it three times as fast as ParseTogether.
func (p *Parser) Names(inc fs.FS, a model.Arch, groups []model.Group) (map[string]bool, error) {
	return readTogether(p, inc, a, groups, func(tu *translation, _ []string) map[string]bool {
		names := map[string]bool{}
		for name, m := range tu.macros {
			switch {
			case m.IsFnLike:
				names[model.FuncName(name)] = true
			case len(m.ReplacementList()) > 0:
				names[name] = true
			}
		}
		for _, c := range tu.consts {
			names[c.name] = true
		}
		for _, t := range tu.typeDecls {
			names[t.name] = true
		}
		for _, r := range tu.records {
			names[r.tag] = true
			r.memberNames(r.tag, "", names)
		}
		return names
	})
}

// memberNames adds the names of the members of r, which is what prefix says in
// the record.
func (r *record) memberNames(record, prefix string, names map[string]bool) {
	for _, f := range r.fields {
		t, inner := f.typ, prefix
		if f.name != "" {
			names[model.FieldName(record, prefix+f.name)] = true
			inner += f.name
			for ; t.kind == model.Array; t = t.elem {
				inner += "[]"
			}
			inner += "."
		}
		if t.kind == model.Record && t.rec.tag == "" {
			t.rec.memberNames(record, inner, names)
		}
	}
}
