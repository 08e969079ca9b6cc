package c

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// unit selects from the translation what g asks for.
func (tu *translation) unit(g model.Group) model.Unit {
	u := model.Unit{Arch: tu.arch.GOARCH, Group: g}
	order := map[string]int{}
	var all []constDecl
	for _, c := range tu.consts {
		if i := g.Index(c.pos.File); i >= 0 && g.Headers[i].WantsConst(c.name) {
			order[c.pos.File] = i
			if g.Excludes(c.name) {
				u.Skips = append(u.Skips, model.Skip{Name: c.name, Reason: model.SkipExcluded, Pos: c.pos})
				continue
			}
			c.order = i
			all = append(all, c)
		}
	}
	isEnum := map[string]bool{}
	for _, c := range all {
		isEnum[c.name] = true
	}
	var names []string
	numbers := map[string]string{}
	for _, m := range tu.macroList() {
		i := g.Index(m.pos.File)
		if i < 0 || !g.Headers[i].WantsConst(m.name) {
			continue
		}
		order[m.pos.File] = i
		switch {
		case g.Excludes(m.name):
			u.Skips = append(u.Skips, model.Skip{Name: m.name, Reason: model.SkipExcluded, Pos: m.pos})
			continue
		case m.fnLike && g.Function(m.name) != "":
			f, err := tu.asFunction(m, g.Function(m.name))
			if err != nil {
				u.Skips = append(u.Skips, model.Skip{Name: m.name, Reason: "no function: " + err.Error(), Pos: m.pos})
				continue
			}
			if g.Comments {
				f.Words = tu.describe(constDecl{name: m.name, pos: m.pos, end: m.end})
			}
			u.Funcs = append(u.Funcs, f)
			continue
		case m.fnLike:
			u.Skips = append(u.Skips, model.Skip{Name: m.name, Reason: model.SkipFunctionLike, Pos: m.pos})
			continue
		case m.empty:
			u.Skips = append(u.Skips, model.Skip{Name: m.name, Reason: model.SkipEmpty, Pos: m.pos})
			continue
		case isEnum[m.name] && m.self: // #define X X, for #ifdef X
			continue
		case isEnum[m.name]: // the macro hides the enumerator
			all = slices.DeleteFunc(all, func(c constDecl) bool { return c.name == m.name })
		}
		if m.number != "" {
			numbers[m.name] = m.number
		}
		names = append(names, m.name)
		all = append(all, constDecl{name: m.name, pos: m.pos, end: m.end, order: i})
	}
	tu.evaluate(names, numbers, all)
	slices.SortFunc(all, func(a, b constDecl) int {
		if d := a.order - b.order; d != 0 {
			return d
		}
		if a.pos.File != b.pos.File {
			return strings.Compare(a.pos.File, b.pos.File)
		}
		return cmp.Or(a.pos.Line-b.pos.Line, a.seq-b.seq, strings.Compare(a.name, b.name))
	})
	gaps := map[string][]bool{}
	prev := constDecl{}
	var args []*record // of ioctls
	for _, c := range all {
		if c.e.val.why != "" {
			u.Skips = append(u.Skips, model.Skip{Name: c.name, Reason: c.e.val.why, Pos: c.pos})
		} else {
			out := model.Const{Name: c.name, Value: tu.scope.constant(c.e.val), Type: c.e.val.typ.c, Base: c.e.base, Enum: c.enumName(), Pos: c.pos}
			if c.e.val.str {
				out.Type = "char[]"
			}
			if _, ok := gaps[c.pos.File]; !ok {
				gaps[c.pos.File] = tu.src.gaps(c.pos.File)
			}
			out.Gap = prev.name != "" && (prev.pos.File != c.pos.File || prev.enumName() != c.enumName() || slices.Contains(gaps[c.pos.File][min(prev.end+1, c.pos.Line):c.pos.Line], true))
			if g.Comments {
				out.Words = tu.describe(c)
				if c.enum != nil && (prev.enumName() != c.enumName() || prev.enumLine != c.enumLine) {
					out.Above = strings.Trim(tu.describeEnum(c)+"\n\n"+out.Above, "\n")
				}
			}
			if c.enum == nil && slices.ContainsFunc(g.Ioctls, func(p string) bool { return model.Matches(p, c.name) }) {
				switch r, err := tu.ioctlArg(c.name); {
				case err == nil:
					out.Arg = r.tag
					args = append(args, r)
				case err != errNoIoctl:
					u.Skips = append(u.Skips, model.Skip{Name: c.name, Reason: "no call: " + err.Error(), Pos: c.pos})
				}
			}
			u.Consts = append(u.Consts, out)
			prev = c
		}
	}
	slices.SortStableFunc(u.Funcs, func(a, b model.Func) int {
		return cmp.Or(order[a.Pos.File]-order[b.Pos.File], strings.Compare(a.Pos.File, b.Pos.File), a.Pos.Line-b.Pos.Line)
	})
	tu.structs(&u, g, args)
	tu.types(&u, g, order)
	if g.Comments {
		u.Licences = map[string]string{}
		for file, text := range tu.commented {
			u.Licences[file] = text.licence
		}
	}
	u.Behind = tu.behind(g)
	slices.SortStableFunc(u.Skips, func(a, b model.Skip) int {
		return cmp.Or(order[a.Pos.File]-order[b.Pos.File], strings.Compare(a.Pos.File, b.Pos.File), a.Pos.Line-b.Pos.Line, strings.Compare(a.Name, b.Name))
	})
	return u
}

// behind finds, for each prefix that g asks for, the other header that has most
// of the names that begin so.
func (tu *translation) behind(g model.Group) (found []model.Behind) {
	done := map[string]bool{}
	for _, h := range g.Headers {
		for _, prefix := range h.Prefixes {
			if done[prefix] {
				continue
			}
			done[prefix] = true
			names := map[string]int{} // by file
			count := func(name, file string) {
				if strings.HasPrefix(name, prefix) && file[0] != '<' && g.Index(file) < 0 {
					names[file]++
				}
			}
			for _, c := range tu.consts {
				count(c.name, c.pos.File)
			}
			for _, m := range tu.macroList() {
				if m.pos.File != "" {
					count(m.name, m.pos.File)
				}
			}
			most := model.Behind{Prefix: prefix}
			for _, file := range slices.Sorted(maps.Keys(names)) {
				if names[file] > most.Names {
					most.File, most.Names = file, names[file]
				}
			}
			if most.Names > 0 {
				found = append(found, most)
			}
		}
	}
	return found
}

// structs adds the records that g asks for, and those that their members
// or these ioctls need.
func (tu *translation) structs(u *model.Unit, g model.Group, args []*record) {
	wanted := map[*record]int{}
	var need func(r *record)
	need = func(r *record) {
		for _, f := range r.fields {
			t := f.typ.innermost()
			if t.kind != model.Record {
				continue
			}
			if _, ok := wanted[t.rec]; !ok && t.rec.tag != "" {
				wanted[t.rec] = -1
			}
			need(t.rec)
		}
	}
	excluded := map[*record]bool{}
	for _, r := range tu.records {
		if i := g.Index(r.pos.File); i >= 0 && g.Headers[i].WantsStruct(r.tag) {
			if excluded[r] = g.Excludes(r.tag); !excluded[r] {
				wanted[r] = i
			}
		}
	}
	for _, r := range tu.records {
		if i, ok := wanted[r]; ok && i >= 0 && r.typ.bad == "" {
			need(r)
		}
	}
	for _, r := range args {
		if _, ok := wanted[r]; !ok {
			wanted[r] = -1
		}
		need(r)
	}
	var list []*record
	for _, r := range tu.records {
		if _, ok := wanted[r]; excluded[r] && !ok { // and no other has it
			u.Skips = append(u.Skips, model.Skip{Name: r.tag, Reason: model.SkipExcluded, Pos: r.pos})
		}
		if _, ok := wanted[r]; ok {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b *record) int {
		c := 0
		if wanted[a] < 0 && wanted[b] < 0 {
			c = strings.Compare(a.pos.File, b.pos.File)
		}
		return cmp.Or(wanted[a]-wanted[b], c, a.pos.Line-b.pos.Line, a.seq-b.seq)
	})
	for _, r := range list {
		if r.typ.bad != "" {
			u.Skips = append(u.Skips, model.Skip{Name: r.tag, Reason: r.typ.bad, Pos: r.pos})
			continue
		}
		s := r.model(tu.scope.abi)
		if g.Comments {
			tu.describeRecord(r, &s)
		}
		u.Structs = append(u.Structs, s)
	}
}

// A constDecl is a name that may become a Const.
type constDecl struct {
	name     string
	enum     *string // its name as in Const, nil for a macro
	enumLine int     // where it begins
	e        *enumerator
	pos      model.Pos
	end      int // the last line of its definition
	seq      int // breaks ties in a line
	order    int // of its header in the group
}

func (c constDecl) enumName() string {
	if c.enum == nil {
		return ""
	}
	return *c.enum
}

// A typeDecl is a typedef or an enum.
type typeDecl struct {
	name string // that of an enum without a tag is its typedef's
	typ  *ctype
	pos  model.Pos
}

// types adds the typedefs and enums that g asks for, and says which cannot be
// types. Nobody misses those of the functions and variables that are skipped.
func (tu *translation) types(u *model.Unit, g model.Group, order map[string]int) {
	wants := func(name string, pos model.Pos, wanted func(model.Header, string) bool) bool {
		i := g.Index(pos.File)
		if i < 0 || !wanted(g.Headers[i], name) {
			return false
		}
		order[pos.File] = i
		return true
	}
	skip := func(name, why string, pos model.Pos) {
		u.Skips = append(u.Skips, model.Skip{Name: name, Reason: why, Pos: pos})
	}
	done := map[string]bool{}
	for _, s := range tu.skips {
		if !done[s.Name] && wants(s.Name, s.Pos, model.Header.WantsConst) {
			if done[s.Name] = true; g.Excludes(s.Name) {
				s.Reason = model.SkipExcluded
			}
			u.Skips = append(u.Skips, s)
		}
	}
	// An enum is asked for by its constants too.
	hasConst := map[string]bool{}
	for _, c := range u.Consts {
		hasConst[c.Enum] = true
	}
	for _, t := range tu.typeDecls {
		wanted := func(h model.Header, name string) bool {
			return h.WantsStruct(name) || t.typ.enum != nil && *t.typ.enum == name && hasConst[name]
		}
		if !wants(t.name, t.pos, wanted) || t.typ.rec != nil && t.typ.rec.tag == t.name {
			continue
		}
		switch c := t.typ.sync(); {
		case g.Excludes(t.name):
			skip(t.name, model.SkipExcluded, t.pos)
		case c.isFunc():
			skip(t.name, "a typedef of a function, which is no object", t.pos)
		case c.bad != "":
			skip(t.name, c.bad, t.pos)
		case c.kind == model.Invalid:
			skip(t.name, "a typedef of "+c.c, t.pos)
		case c.size < 0:
			skip(t.name, "a typedef of incomplete type "+c.c, t.pos)
		default:
			named := model.NamedType{Name: t.name, Type: c.model(tu.scope.abi), Pos: t.pos}
			if g.Comments {
				named.Words = tu.describeType(named)
			}
			u.Types = append(u.Types, named)
		}
	}
	slices.SortStableFunc(u.Types, func(a, b model.NamedType) int {
		return cmp.Or(order[a.Pos.File]-order[b.Pos.File], strings.Compare(a.Pos.File, b.Pos.File), a.Pos.Line-b.Pos.Line)
	})
}
