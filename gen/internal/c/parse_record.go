package c

import (
	"modernc.org/cc/v4"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// structOrUnion returns the type of a struct or union, defined here or not.
func (tu *translation) structOrUnion(n *cc.StructOrUnionSpecifier) *ctype {
	union := n.StructOrUnion.Case == cc.StructOrUnionUnion
	var r *record
	if n.Token.SrcStr() == "" {
		r = newRecord(union, "")
		r.typ.c = n.StructOrUnion.Token.SrcStr()
	} else {
		tag := n.StructOrUnion.Token.SrcStr() + " " + n.Token.SrcStr()
		t := tu.scope.tags[tag]
		if t == nil {
			t = newRecord(union, tag).typ
			tu.scope.tags[tag] = t
		}
		r = t.rec
	}
	if n.Case != cc.StructOrUnionSpecifierDef {
		return r.typ
	}
	r.pos = position(n.StructOrUnion.Token)
	if r.defined {
		tu.errorf(r.pos, "%s is defined twice", r.tag)
		return r.typ
	}
	at := tu.attributes([]*cc.AttributeSpecifierList{n.AttributeSpecifierList, n.AttributeSpecifierList2})
	for l := n.StructDeclarationList; l != nil; l = l.StructDeclarationList {
		tu.member(r, l.StructDeclaration)
	}
	r.defined, r.packed, r.aligned, r.pack = true, at.packed, at.aligned, tu.pack
	tu.seq++
	r.seq = tu.seq
	r.typ.special = r.typ.special || at.odd
	if r.typ.bad = at.bad; at.bad == "" {
		layOut(tu.scope.abi, r)
	}
	if r.typ.bad != "" {
		for _, f := range r.fields {
			if t := f.typ.innermost(); t.kind == model.Record && !t.rec.defined {
				tu.scope.missing[t.rec.tag] = true
			}
		}
	}
	if r.tag != "" {
		tu.records = append(tu.records, r)
	}
	tu.crossCheck(r, n.Type())
	return r.typ
}

// member adds what one declaration declares to the fields of r.
func (tu *translation) member(r *record, n *cc.StructDeclaration) {
	if n.Case == cc.StructDeclarationAssert {
		tu.assertion(n.StaticAssertDeclaration)
		return
	}
	sp := flattenMember(n.SpecifierQualifierList)
	if len(sp.types) == 0 { // a stray semicolon
		r.typ.special = true
		return
	}
	base := tu.specifiers(sp)
	at := tu.attributes(sp.attrs)
	for _, a := range sp.aligns {
		at.add(tu.alignas(a))
	}
	if n.StructDeclaratorList == nil {
		// Without a declarator, only a record without a tag is a member; cc
		// makes members of others, too.
		if base.kind == model.Record && base.rec.tag == "" {
			last := at
			last.add(tu.attributes([]*cc.AttributeSpecifierList{n.AttributeSpecifierList}))
			if last.packed || last.aligned != 0 {
				last.bad = "an attribute of an unnamed member"
			}
			tu.addField(r, field{typ: base, width: -1, pos: position(firstToken(sp)), start: position(firstToken(sp))}, last)
		} else {
			r.typ.special = true
		}
		return
	}
	for l := n.StructDeclaratorList; l != nil; l = l.StructDeclaratorList {
		own := at
		if l.StructDeclaratorList == nil {
			own.add(tu.attributes([]*cc.AttributeSpecifierList{n.AttributeSpecifierList}))
		}
		f := field{typ: base, width: -1, pos: position(l.StructDeclarator.Token), start: position(firstToken(sp))}
		if d := l.StructDeclarator.Declarator; d != nil {
			f.typ, f.name, f.pos = tu.declarator(base, d), d.Name(), position(d.NameTok())
		}
		if w := l.StructDeclarator.ConstantExpression; w != nil {
			width, err := tu.number(tokens(w), f.pos)
			switch {
			case err != nil:
				own.bad = "width: " + err.Error()
			case width < 0:
				own.bad = "negative width"
			}
			f.width = max(width, 0)
		}
		tu.addField(r, f, own)
	}
}

func (tu *translation) addField(r *record, f field, at attrs) {
	f.packed, f.aligned = at.packed, at.aligned
	if at.mode != "" && f.typ.bad == "" {
		f.typ = tu.scope.ofMode(f.typ, at.mode)
	}
	if at.bad != "" && f.typ.bad == "" {
		t := *f.typ
		t.bad = at.bad
		f.typ = &t
	}
	if at.odd || at.aligned != 0 && f.typ.kind == model.Pointer {
		r.typ.special = true
	}
	r.fields = append(r.fields, f)
}

func firstToken(s specs) cc.Token {
	n := s.types[0]
	if n.Case == cc.TypeSpecifierStructOrUnion {
		return n.StructOrUnionSpecifier.StructOrUnion.Token
	}
	return n.Token
}

// crossCheck compares the layout of r with that of cc, where cc is right.
func (tu *translation) crossCheck(r *record, t cc.Type) {
	if tu.unchecked || r.typ.special || r.typ.bad != "" {
		return
	}
	rec, ok := t.(interface {
		NumFields() int
		FieldByIndex(int) *cc.Field
	})
	if !ok || rec.NumFields() != len(r.fields) {
		tu.errorf(r.pos, "%s has %d members, but not so many for cc", r.typ.c, len(r.fields))
		return
	}
	if len(r.fields) == 0 {
		return
	}
	if t.Size() != r.typ.size {
		tu.errorf(r.pos, "%s has %d bytes, but %d for cc", r.typ.c, r.typ.size, t.Size())
	}
	for i, f := range r.fields {
		if got := rec.FieldByIndex(i).Offset(); got != f.offset/8 {
			tu.errorf(f.pos, "%s.%s is at byte %d, but at %d for cc", r.typ.c, f.name, f.offset/8, got)
		}
	}
}
