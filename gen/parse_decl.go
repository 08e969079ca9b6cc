package main

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"modernc.org/cc/v4"
)

func byteOrder(a Arch) binary.ByteOrder {
	if a.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// external reads one declaration at file scope.
func (tu *translation) external(n *cc.ExternalDeclaration) {
	d := n.Declaration
	switch {
	case d == nil: // a function, asm, or a stray semicolon
		if f := n.FunctionDefinition; f != nil {
			tu.function(f.Declarator, tu.declarator(tu.specifiers(flatten(f.DeclarationSpecifiers)), f.Declarator))
		}
		return
	case d.Case == cc.DeclarationAssert:
		tu.assertion(d.StaticAssertDeclaration)
		return
	case d.Case == cc.DeclarationAuto:
		return
	}
	sp := flatten(d.DeclarationSpecifiers)
	base := tu.specifiers(sp)
	for l := d.InitDeclaratorList; l != nil; l = l.InitDeclaratorList {
		if !sp.typedef {
			d := l.InitDeclarator.Declarator
			tu.function(d, tu.declarator(base, d))
			continue
		}
		at := tu.attributes(append(sp.attrs, l.AttributeSpecifierList, l.InitDeclarator.AttributeSpecifierList))
		if l.InitDeclaratorList == nil {
			at.add(tu.attributes([]*cc.AttributeSpecifierList{d.AttributeSpecifierList}))
		}
		t := tu.declarator(base, l.InitDeclarator.Declarator)
		name := l.InitDeclarator.Declarator.Name()
		if r := t.rec; r != nil && r.tag == "" && r.typ == t {
			// A record without a tag takes the name of its first typedef.
			r.tag, t.c = name, name
			if r.defined {
				tu.records = append(tu.records, r)
			}
		}
		switch {
		case at.bad != "":
			t = badType("%s", at.bad)
		case at.aligned != 0:
			t = t.aligned(at.aligned)
		}
		if old := tu.scope.typedefs[name]; old != nil && !old.sync().same(t.sync()) {
			tu.errorf(position(l.InitDeclarator.Declarator.NameTok()), "typedef %s is declared twice, differently", name)
		}
		tu.scope.typedefs[name] = t.named(name)
	}
}

// function notes what a function returns.
func (tu *translation) function(d *cc.Declarator, t *ctype) {
	if t.isFunc() {
		tu.scope.results[d.Name()] = t.elem
	}
}

// specs are the specifiers and qualifiers of a declaration.
type specs struct {
	types   []*cc.TypeSpecifier
	attrs   []*cc.AttributeSpecifierList // of what is declared
	ofEnum  []*cc.AttributeSpecifierList // of the enum defined here
	aligns  []*cc.AlignmentSpecifier
	quals   string // "const ", "volatile " or both
	typedef bool
}

func flatten(n *cc.DeclarationSpecifiers) (s specs) {
	for ; n != nil; n = n.DeclarationSpecifiers {
		switch n.Case {
		case cc.DeclarationSpecifiersTypeSpec:
			s.types = append(s.types, n.TypeSpecifier)
		case cc.DeclarationSpecifiersTypeQual:
			s.qualifier(n.TypeQualifier)
		case cc.DeclarationSpecifiersAlignSpec:
			s.aligns = append(s.aligns, n.AlignmentSpecifier)
		case cc.DeclarationSpecifiersAttr:
			s.attribute(n.AttributeSpecifierList)
		case cc.DeclarationSpecifiersStorage:
			s.typedef = s.typedef || n.StorageClassSpecifier.Case == cc.StorageClassSpecifierTypedef
		}
	}
	return s
}

func flattenMember(n *cc.SpecifierQualifierList) (s specs) {
	for ; n != nil; n = n.SpecifierQualifierList {
		switch n.Case {
		case cc.SpecifierQualifierListTypeSpec:
			s.types = append(s.types, n.TypeSpecifier)
		case cc.SpecifierQualifierListTypeQual:
			s.qualifier(n.TypeQualifier)
		case cc.SpecifierQualifierListAlignSpec:
			s.aligns = append(s.aligns, n.AlignmentSpecifier)
		}
	}
	return s
}

func (s *specs) qualifier(q *cc.TypeQualifier) {
	switch q.Case {
	case cc.TypeQualifierConst:
		s.quals += "const "
	case cc.TypeQualifierVolatile:
		s.quals += "volatile "
	case cc.TypeQualifierAttr:
		s.attribute(q.AttributeSpecifierList)
	}
}

// attribute adds attributes. Those right behind the brace of an enum belong to
// the enum, which cc does not tell.
func (s *specs) attribute(l *cc.AttributeSpecifierList) {
	if n := len(s.types); n > 0 && s.types[n-1].Case == cc.TypeSpecifierEnum && s.types[n-1].EnumSpecifier.Token5.Seq()+1 == l.AttributeSpecifier.Token.Seq() {
		s.ofEnum = append(s.ofEnum, l)
		return
	}
	s.attrs = append(s.attrs, l)
}

// specifiers returns the type that the specifiers name, and declares the tags
// and enumerators in them.
func (tu *translation) specifiers(s specs) *ctype {
	t := tu.bareType(s)
	if s.quals != "" && t.bad == "" {
		t = t.named(s.quals + t.c)
	}
	return t
}

func (tu *translation) bareType(s specs) *ctype {
	var words []string
	for _, n := range s.types {
		switch n.Case {
		case cc.TypeSpecifierStructOrUnion:
			return tu.structOrUnion(n.StructOrUnionSpecifier)
		case cc.TypeSpecifierEnum:
			return tu.enum(n.EnumSpecifier, tu.attributes(s.ofEnum))
		case cc.TypeSpecifierTypeName:
			if t := tu.scope.typedefs[n.Token.SrcStr()]; t != nil {
				return t.sync()
			}
			return badType("unknown type %s", n.Token.SrcStr())
		case cc.TypeSpecifierTypeofExpr, cc.TypeSpecifierTypeofType, cc.TypeSpecifierAtomic:
			return badType("unsupported type %s", n.Token.SrcStr())
		default:
			words = append(words, n.Token.SrcStr())
		}
	}
	return tu.scope.basicOf(words)
}

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
			if t := f.typ.innermost(); t.kind == Record && !t.rec.defined {
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
		if base.kind == Record && (base.rec.tag == "" || !strings.Contains(base.rec.tag, " ")) {
			last := at
			last.add(tu.attributes([]*cc.AttributeSpecifierList{n.AttributeSpecifierList}))
			if last.packed || last.aligned != 0 {
				last.bad = "an attribute of an unnamed member"
			}
			tu.addField(r, field{typ: base, width: -1, pos: position(firstToken(sp))}, last)
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
		f := field{typ: base, width: -1, pos: position(l.StructDeclarator.Token)}
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
	if at.bad != "" && f.typ.bad == "" {
		t := *f.typ
		t.bad = at.bad
		f.typ = &t
	}
	if at.odd || at.aligned != 0 && f.typ.kind == Pointer {
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

// declarator returns the type that d gives its name, from the type base of
// the specifiers.
func (tu *translation) declarator(base *ctype, d *cc.Declarator) *ctype {
	for p := d.Pointer; p != nil; p = p.Pointer {
		if p.Case == cc.PointerBlock {
			return badType("block pointer")
		}
		base = pointerTo(tu.scope, base)
		for q := p.TypeQualifiers; q != nil; q = q.TypeQualifiers {
			if q.TypeQualifier == nil || q.TypeQualifier.Case != cc.TypeQualifierAttr {
				continue
			}
			if at := tu.attributes([]*cc.AttributeSpecifierList{q.TypeQualifier.AttributeSpecifierList}); at != (attrs{}) {
				base = badType("an attribute after *")
			}
		}
	}
	return tu.directDeclarator(base, d.DirectDeclarator)
}

func (tu *translation) directDeclarator(t *ctype, d *cc.DirectDeclarator) *ctype {
	switch d.Case {
	case cc.DirectDeclaratorIdent:
		return t
	case cc.DirectDeclaratorDecl:
		if inner := cc.NodeTokens(d.Declarator); len(inner) == 0 || inner[0].Seq() != d.Token.Seq()+1 {
			return badType("an attribute after (") // which cc drops
		}
		return tu.declarator(t, d.Declarator)
	case cc.DirectDeclaratorFuncParam, cc.DirectDeclaratorFuncIdent:
		return tu.directDeclarator(functionOf(t), d.DirectDeclarator)
	case cc.DirectDeclaratorArr:
		if d.AssignmentExpression == nil {
			return tu.directDeclarator(arrayOf(t, -1), d.DirectDeclarator)
		}
		n, err := tu.number(tokens(d.AssignmentExpression), position(d.Token))
		switch {
		case err != nil:
			t = badType("array length: %v", err)
		case n < 0:
			tu.errorf(position(d.Token), "array of negative length")
			t = badType("array of negative length")
		default:
			t = arrayOf(t, n)
		}
		return tu.directDeclarator(t, d.DirectDeclarator)
	}
	return badType("unsupported declarator")
}

// tokens returns the tokens of an expression.
func tokens(n cc.Node) []string {
	if c, ok := n.(*cc.ConstantExpression); ok {
		n = c.ConditionalExpression
	}
	if p, ok := n.(*cc.PrimaryExpression); ok && p.Case == cc.PrimaryExpressionInt {
		return []string{p.Token.SrcStr()}
	}
	toks := cc.NodeTokens(n)
	s := make([]string, len(toks))
	for i, t := range toks {
		s[i] = t.SrcStr()
		// cc drops attributes in the names of types, and joins strings.
		if i > 0 && t.Seq() != toks[i-1].Seq()+1 && toks[i-1].Ch != rune(cc.STRINGLITERAL) {
			return []string{"__attribute__"}
		}
	}
	return s
}

// enum returns the type of an enum and declares its enumerators.
func (tu *translation) enum(n *cc.EnumSpecifier, at attrs) *ctype {
	tag := "enum"
	if name := n.Token2.SrcStr(); name != "" {
		tag += " " + name
	}
	if n.Case != cc.EnumSpecifierDef {
		if t := tu.scope.tags[tag]; t != nil {
			return t
		}
		return badType("incomplete type %s", tag)
	}
	var all []*enumerator
	next := enumerator{val: value{typ: tu.scope.basic["int"]}}
	for l := n.EnumeratorList; l != nil; l = l.EnumeratorList {
		e := next
		if l.Enumerator.Case == cc.EnumeratorExpr {
			v, ev, err := tu.scope.eval(tokens(l.Enumerator.ConstantExpression))
			e = enumerator{val: v, base: ev.base}
			if err == nil && v.typ.rank == 0 {
				err = errNoInteger
			}
			if err != nil {
				e.val = value{typ: tu.scope.basic["int"], why: err.Error()}
			}
			tu.check(e.val, ev, nil, position(l.Enumerator.Token))
		}
		e.val = tu.scope.enumValue(e.val)
		all = append(all, &e)
		name := l.Enumerator.Token
		if tu.scope.enums[name.SrcStr()] != nil {
			tu.errorf(position(name), "enumerator %s is declared twice", name.SrcStr())
		}
		tu.scope.enums[name.SrcStr()] = &e
		tu.addConst(name, &e, tag)
		next = tu.scope.following(e)
	}
	t := tu.scope.enumType(tag, all, at.packed)
	switch {
	case n.EnumTypeSpecifier != nil:
		t = badType("enum with a type of its own")
	case at.bad != "":
		t = badType("%s", at.bad)
	case at.aligned != 0: // releases of GCC differ in what they make of it
		t = badType("attribute aligned of an enum")
	}
	if tag != "enum" {
		tu.scope.tags[tag] = t
	}
	return t
}

// addConst adds an enumerator to those that may become a Const.
func (tu *translation) addConst(name cc.Token, e *enumerator, tag string) {
	p := position(name)
	tu.consts = append(tu.consts, constDecl{name: name.SrcStr(), enum: tag, e: e, pos: p, end: p.Line, seq: name.Seq()})
}

// attrs are the attributes that matter for layout.
type attrs struct {
	packed  bool
	aligned int64
	odd     bool   // cc has no right idea of it
	bad     string // an attribute that is not supported
}

func (a *attrs) add(b attrs) {
	a.packed = a.packed || b.packed
	a.odd = a.odd || b.odd
	a.aligned = max(a.aligned, b.aligned)
	if b.bad != "" {
		a.bad = b.bad
	}
}

// attributes reads lists of __attribute__.
func (tu *translation) attributes(lists []*cc.AttributeSpecifierList) (a attrs) {
	for _, l := range lists {
		for ; l != nil; l = l.AttributeSpecifierList {
			list := l.AttributeSpecifier.AttributeValueList
			for v := list; v != nil; v = v.AttributeValueList {
				if v.AttributeValue == nil {
					continue
				}
				// cc keeps only the first and the last attribute of a list.
				if v != list && v.Token.Seq() != lastSeq(list.AttributeValue)+1 {
					a.bad = "more than two attributes in one list"
				}
				a.add(tu.attribute(v.AttributeValue))
			}
		}
	}
	return a
}

func lastSeq(v *cc.AttributeValue) int { return max(v.Token.Seq(), v.Token3.Seq()) }

func (tu *translation) attribute(v *cc.AttributeValue) (a attrs) {
	switch name := strings.Trim(v.Token.SrcStr(), "_"); name {
	case "packed":
		a.packed = true
	case "aligned":
		a.aligned, a.odd = tu.scope.abi.biggest, true
		if v.Case == cc.AttributeValueExpr {
			n, err := tu.number(tokens(v.ArgumentExpressionList), position(v.Token))
			if err != nil || n <= 0 || n&(n-1) != 0 || n > 1<<28 {
				a.bad = "attribute aligned with a strange argument"
			}
			a.aligned, a.odd = n, false
		}
	case "mode", "vector_size", "ms_struct", "gcc_struct", "scalar_storage_order", "altivec", "designated_init_size":
		a.bad = "unsupported attribute " + name
	}
	return a
}

// alignas reads an _Alignas.
func (tu *translation) alignas(n *cc.AlignmentSpecifier) (a attrs) {
	toks := tokens(n.ConstantExpression)
	if n.Case == cc.AlignmentSpecifierType {
		toks = append(append([]string{"_Alignof", "("}, tokens(n.TypeName)...), ")")
	}
	v, err := tu.number(toks, position(n.Token))
	if err != nil || v < 0 || v&(v-1) != 0 || v > 1<<28 {
		a.bad = "_Alignas with a strange argument"
	}
	a.aligned = v
	return a
}

// assertion checks a static assertion, or applies a #pragma pack, which
// rewrite has made one.
func (tu *translation) assertion(n *cc.StaticAssertDeclaration) {
	text := n.Token4.SrcStr()
	arg, ok := strings.CutPrefix(text, `"#pragma pack `)
	if !ok {
		if v, err := tu.number(tokens(n.ConstantExpression), position(n.Token)); err == nil && v == 0 {
			tu.errorf(position(n.Token), "static assertion fails: %s", text)
		}
		return
	}
	arg = strings.Trim(strings.TrimSpace(strings.TrimSuffix(arg, `"`)), "()")
	words := strings.FieldsFunc(arg, func(r rune) bool { return strings.ContainsRune(", \t\r", r) })
	pack := tu.pack
	for i, w := range words {
		switch {
		case w == "push" && i == 0:
			tu.packStack = append(tu.packStack, tu.pack)
		case w == "pop" && len(words) == 1 && len(tu.packStack) > 0:
			last := len(tu.packStack) - 1
			pack, tu.packStack = tu.packStack[last], tu.packStack[:last]
		case slices.Contains([]string{"1", "2", "4", "8", "16"}, w) && i == len(words)-1 && (i == 0 || words[0] == "push"):
			pack = map[string]int64{"1": 1, "2": 2, "4": 4, "8": 8, "16": 16}[w]
		default:
			tu.errorf(position(n.Token), "#pragma pack(%s) is not supported", arg)
		}
	}
	if len(words) == 0 {
		pack = 0
	}
	tu.pack = pack
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
		tu.errorf(r.pos, "%s has %d members, or not as cc counts them", r.typ.c, len(r.fields))
		return
	}
	if len(r.fields) == 0 {
		return
	}
	if t.Size() != r.typ.size {
		tu.errorf(r.pos, "%s has a size of %d bytes, or %d as cc has it", r.typ.c, r.typ.size, t.Size())
	}
	for i, f := range r.fields {
		if got := rec.FieldByIndex(i).Offset(); got != f.offset/8 {
			tu.errorf(f.pos, "%s.%s is at byte %d, or %d as cc has it", r.typ.c, f.name, f.offset/8, got)
		}
	}
}
