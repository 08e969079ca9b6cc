package c

import (
	"encoding/binary"

	"modernc.org/cc/v4"

	"github.com/go-clone3/clone3/gen/internal/model"
)

func byteOrder(a model.Arch) binary.ByteOrder {
	if a.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// external reads one declaration at file scope.
func (tu *translation) external(n *cc.ExternalDeclaration) {
	d := n.Declaration
	switch {
	case d == nil: // a function, asm, or a stray semicolon
		if f := n.FunctionDefinition; f != nil {
			tu.object(f.Declarator, tu.specifiers(flatten(f.DeclarationSpecifiers)))
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
			tu.object(l.InitDeclarator.Declarator, base)
			continue
		}
		at := tu.attributes(sp.attrs)
		at.add(tu.attributes([]*cc.AttributeSpecifierList{l.AttributeSpecifierList, l.InitDeclarator.AttributeSpecifierList}))
		if l.InitDeclaratorList == nil {
			at.add(tu.attributes([]*cc.AttributeSpecifierList{d.AttributeSpecifierList}))
		}
		t := tu.declarator(base, l.InitDeclarator.Declarator)
		name := l.InitDeclarator.Declarator.Name()
		if r := t.rec; r != nil && r.tag == "" {
			// A record without a tag takes the name of its first typedef.
			r.tag, r.typ.c = name, name
			if r.defined {
				tu.records = append(tu.records, r)
			}
		}
		if t.enum != nil && *t.enum == "enum" { // and so does an enum
			*t.enum = name
		}
		switch {
		case at.bad != "":
			t = badType("%s", at.bad)
		case at.mode != "":
			t = tu.scope.ofMode(t, at.mode)
			if at.aligned != 0 {
				t = t.aligned(at.aligned)
			}
		case at.aligned != 0:
			t = t.aligned(at.aligned)
		}
		if old := tu.scope.typedefs[name]; old != nil && !old.sync().same(t.sync()) {
			tu.errorf(position(l.InitDeclarator.Declarator.NameTok()), "typedef %s is declared twice, differently", name)
		}
		if tu.scope.typedefs[name] == nil {
			tu.addType(name, t, position(l.InitDeclarator.Declarator.NameTok()))
		}
		tu.scope.typedefs[name] = t.named(name)
	}
}

// object notes a function, with what it returns, or a variable.
func (tu *translation) object(d *cc.Declarator, base *ctype) {
	t := tu.declarator(base, d)
	why := "a variable, which has no value in C before a program runs"
	if t.isFunc() {
		tu.scope.results[d.Name()] = t.elem
		why = "a function"
	}
	tu.skips = append(tu.skips, model.Skip{Name: d.Name(), Reason: why, Pos: position(d.NameTok())})
}

// addType adds a typedef or an enum.
func (tu *translation) addType(name string, t *ctype, pos model.Pos) {
	tu.typeDecls = append(tu.typeDecls, typeDecl{name, t, pos})
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
		case cc.TypeSpecifierTypeofExpr:
			return tu.typeOf(tokens(n.ExpressionList), false)
		case cc.TypeSpecifierTypeofType:
			return tu.typeOf(tokens(n.TypeName), true)
		case cc.TypeSpecifierAtomic:
			return badType("unsupported type %s", n.Token.SrcStr())
		default:
			words = append(words, n.Token.SrcStr())
		}
	}
	return tu.scope.basicOf(words)
}

// typeOf returns the type that the tokens name, or that of their expression.
func (tu *translation) typeOf(toks []string, name bool) (t *ctype) {
	e := &evaluation{s: tu.scope, toks: toks}
	defer func() {
		if r := recover(); r != nil {
			why, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			t = badType("typeof: %s", string(why))
		}
	}()
	if name {
		t = e.typeName()
	} else {
		t = e.comma().typ
	}
	if len(e.toks) > 0 || t == nil {
		return badType("typeof of what is no type")
	}
	c := *t.sync()
	c.special = true // cc has its own idea of it
	return &c
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
	own := &tag
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
		tu.addConst(name, &e, own, position(n.Token).Line)
		next = tu.scope.following(e)
	}
	t := tu.scope.enumType(own, all, at.packed)
	switch {
	case n.EnumTypeSpecifier != nil:
		t = tu.scope.enumOf(own, all, tu.specifiers(flattenMember(n.EnumTypeSpecifier.SpecifierQualifierList)))
	case at.bad != "":
		t = badType("%s", at.bad)
	case at.aligned != 0: // releases of GCC differ in what they make of it
		t = badType("attribute aligned of an enum")
	}
	if tag != "enum" {
		tu.scope.tags[tag] = t
		tu.addType(tag, t, position(n.Token))
	}
	return t
}

// addConst adds an enumerator to those that may become a Const.
func (tu *translation) addConst(name cc.Token, e *enumerator, enum *string, line int) {
	p := position(name)
	tu.consts = append(tu.consts, constDecl{name: name.SrcStr(), enum: enum, enumLine: line, e: e, pos: p, end: p.Line, seq: name.Seq()})
}
