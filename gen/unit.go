package main

import (
	"cmp"
	"slices"
	"strings"
)

// unit selects from the translation what g asks for.
func (tu *translation) unit(g Group) Unit {
	u := Unit{Arch: tu.arch.GOARCH, Group: g}
	order := map[string]int{}
	var all []constDecl
	for _, c := range tu.consts {
		if i := wantedIn(g, c.pos.File); i >= 0 && g.Headers[i].wantsConst(c.name) {
			order[c.pos.File] = i
			all = append(all, c)
		}
	}
	isEnum := map[string]bool{}
	for _, c := range all {
		isEnum[c.name] = true
	}
	var names []string
	for _, m := range tu.macroList() {
		i := wantedIn(g, m.pos.File)
		if i < 0 || !g.Headers[i].wantsConst(m.name) {
			continue
		}
		order[m.pos.File] = i
		switch {
		case m.fnLike:
			u.Skips = append(u.Skips, Skip{m.name, skipFunctionLike, m.pos})
			continue
		case m.empty:
			u.Skips = append(u.Skips, Skip{m.name, skipEmpty, m.pos})
			continue
		case isEnum[m.name] && m.self: // #define X X, for #ifdef X
			continue
		case isEnum[m.name]: // the macro hides the enumerator
			all = slices.DeleteFunc(all, func(c constDecl) bool { return c.name == m.name })
		}
		names = append(names, m.name)
		all = append(all, constDecl{name: m.name, pos: m.pos, end: m.end})
	}
	tu.evaluate(names, all)
	slices.SortStableFunc(all, func(a, b constDecl) int {
		return cmp.Or(order[a.pos.File]-order[b.pos.File], strings.Compare(a.pos.File, b.pos.File), a.pos.Line-b.pos.Line, a.seq-b.seq)
	})
	gaps := map[string][]bool{}
	prev := constDecl{}
	for _, c := range all {
		if c.e.val.why != "" {
			u.Skips = append(u.Skips, Skip{c.name, c.e.val.why, c.pos})
		} else {
			out := Const{Name: c.name, Value: tu.scope.constant(c.e.val), Type: c.e.val.typ.c, Base: c.e.base, Enum: c.enum, Pos: c.pos}
			if c.e.val.str {
				out.Type = "char[]"
			}
			if _, ok := gaps[c.pos.File]; !ok {
				gaps[c.pos.File] = tu.src.gaps(c.pos.File)
			}
			out.Gap = prev.name != "" && (prev.pos.File != c.pos.File || prev.enum != c.enum || slices.Contains(gaps[c.pos.File][min(prev.end+1, c.pos.Line):c.pos.Line], true))
			u.Consts = append(u.Consts, out)
			prev = c
		}
	}
	tu.structs(&u, g)
	slices.SortStableFunc(u.Skips, func(a, b Skip) int {
		return cmp.Or(order[a.Pos.File]-order[b.Pos.File], strings.Compare(a.Pos.File, b.Pos.File), a.Pos.Line-b.Pos.Line, strings.Compare(a.Name, b.Name))
	})
	return u
}

// wantedIn returns the index of the header of g that stands for file, or -1.
// A header of asm stands for those that it includes from asm and asm-generic,
// because each architecture splits them in its own way.
func wantedIn(g Group, file string) int {
	for i, h := range g.Headers {
		if h.Path == file {
			return i
		}
	}
	for i, h := range g.Headers {
		if strings.HasPrefix(h.Path, "asm/") && (strings.HasPrefix(file, "asm/") || strings.HasPrefix(file, "asm-generic/")) {
			return i
		}
	}
	return -1
}

// wantsConst reports whether h asks for the constant name.
func (h Header) wantsConst(name string) bool {
	if len(h.Names) == 0 && len(h.Prefixes) == 0 || slices.Contains(h.Names, name) {
		return true
	}
	return slices.ContainsFunc(h.Prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// wantsStruct reports whether h asks for the struct or typedef name.
func (h Header) wantsStruct(name string) bool {
	if len(h.Names) == 0 && len(h.Prefixes) == 0 {
		return true
	}
	name = strings.ToLower(name[strings.IndexByte(name, ' ')+1:])
	return slices.ContainsFunc(h.Prefixes, func(p string) bool { return strings.HasPrefix(name, strings.ToLower(p)) })
}

// structs adds the records that g asks for, and those that their members
// need.
func (tu *translation) structs(u *Unit, g Group) {
	wanted := map[*record]int{}
	var need func(r *record)
	need = func(r *record) {
		for _, f := range r.fields {
			t := f.typ.innermost()
			if t.kind != Record {
				continue
			}
			if _, ok := wanted[t.rec]; !ok && t.rec.tag != "" {
				wanted[t.rec] = -1
			}
			need(t.rec)
		}
	}
	for _, r := range tu.records {
		if i := wantedIn(g, r.pos.File); i >= 0 && g.Headers[i].wantsStruct(r.tag) {
			wanted[r] = i
		}
	}
	for _, r := range tu.records {
		if i, ok := wanted[r]; ok && i >= 0 && r.typ.bad == "" {
			need(r)
		}
	}
	var list []*record
	for _, r := range tu.records {
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
			u.Skips = append(u.Skips, Skip{r.tag, r.typ.bad, r.pos})
			continue
		}
		u.Structs = append(u.Structs, r.model(tu.scope.abi))
	}
}

// A constDecl is a name that may become a Const.
type constDecl struct {
	name string
	enum string // as in Const
	e    *enumerator
	pos  Pos
	end  int // the last line of its definition
	seq  int // breaks ties in a line
}
