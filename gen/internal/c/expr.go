package c

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A value is the result of an expression. If why is not empty it is no
// constant, for that reason, but its type holds: sizeof may ask for it. A
// value of pointer or array type, and an lvalue, has its address in n.
type value struct {
	typ    *ctype
	n      uint64 // sign- or zero-extended from typ
	text   string // of a string literal, if str
	str    bool
	lvalue bool
	why    string
	sym    *model.Expr // what it is of the parameters of a macro, why is then dependent
}

// An evaluation is one pass over the tokens of an expression: it parses and
// computes at once. Along the way it rewrites the expression for a second
// opinion: out has sizes, enumerators and typedefs replaced by what they
// stand for, so that it needs no declarations.
type evaluation struct {
	s    *scope
	toks []string
	out  []string
	base model.Base
	deep int

	params map[string]value // of a macro that is to be a function
}

// syntaxError is what the parser of expressions panics with.
type syntaxError string

// eval evaluates the constant expression toks.
func (s *scope) eval(toks []string) (v value, e *evaluation, err error) {
	e = &evaluation{s: s, toks: toks}
	v, err = e.whole()
	return v, e, err
}

// whole evaluates all of e.
func (e *evaluation) whole() (v value, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case syntaxError:
			err = fmt.Errorf("%s", string(r))
		default:
			panic(r)
		}
	}()
	if slices.Contains(e.toks, vaOpt) {
		e.fail(hasVaOpt)
	}
	v = e.rvalue(e.comma())
	if len(e.toks) > 0 {
		e.fail("no constant expression: %q follows it", e.toks[0])
	}
	if v.why != "" {
		return v, fmt.Errorf("%s", v.why)
	}
	if v.typ.rank == 0 && !v.str {
		return v, fmt.Errorf("has type %s", v.typ.c)
	}
	return v, nil
}

// integer returns v, which must be an integer that an int64 can hold.
func (s *scope) integer(v value) (int64, error) {
	switch {
	case v.typ.rank == 0:
		return 0, errNoInteger
	case s.unsigned(v.typ) && int64(v.n) < 0:
		return 0, fmt.Errorf("%d is too large", v.n)
	}
	return int64(v.n), nil
}

func (e *evaluation) fail(format string, args ...any) {
	panic(syntaxError(fmt.Sprintf(format, args...)))
}

func (e *evaluation) peek() string {
	if len(e.toks) == 0 {
		return ""
	}
	return e.toks[0]
}

func (e *evaluation) next() string {
	t := e.peek()
	if t == "" {
		e.fail("no constant expression: it ends too early")
	}
	e.toks = e.toks[1:]
	e.out = append(e.out, t)
	return t
}

func (e *evaluation) accept(t string) bool {
	if e.peek() != t {
		return false
	}
	e.next()
	return true
}

func (e *evaluation) expect(t string) {
	if !e.accept(t) {
		if e.peek() == "" {
			e.fail("no constant expression: it ends before %q", t)
		}
		e.fail("no constant expression: %q where %q was expected", e.peek(), t)
	}
}

// replace puts a constant of type t in the place of what out has got from the
// index from on.
func (e *evaluation) replace(from int, v value) {
	e.out = append(e.out[:from], "(", "(", v.typ.c, ")", e.literal(v), ")")
}

func (e *evaluation) literal(v value) string {
	if e.s.unsigned(v.typ) {
		return strconv.FormatUint(v.n, 10) + "ULL"
	}
	if int64(v.n) < 0 {
		return fmt.Sprintf("(-%dLL-1)", -(int64(v.n) + 1))
	}
	return strconv.FormatInt(int64(v.n), 10) + "LL"
}

// see notes a base that the expression uses; hexadecimal wins.
func (e *evaluation) see(b model.Base) {
	if e.base == model.Decimal || b == model.Hex {
		e.base = b
	}
}

func (e *evaluation) typeOf(name string) *ctype { return e.s.basic[name] }

func (e *evaluation) constant(t *ctype, n uint64) value {
	return value{typ: t, n: e.s.fit(n, t)}
}

func (e *evaluation) sizeT(n int64) value {
	return e.constant(e.typeOf(e.s.sizeType()), uint64(n))
}

// sizeType names the type of sizeof.
func (s *scope) sizeType() string {
	if s.arch.Bits == 32 {
		return "unsigned int"
	}
	return "unsigned long"
}

// rvalue reads an lvalue, which no constant expression may, unless it is an
// array, which becomes the address of its first element.
func (e *evaluation) rvalue(v value) value {
	switch {
	case v.typ == nil:
		return v
	case v.typ.kind == model.Array && !v.str:
		v.typ = pointerTo(e.s, v.typ.elem)
	case v.lvalue && v.why == "":
		v.why = "reads an object"
	}
	v.lvalue = false
	return v
}

// comma and the methods below it follow the grammar of C expressions. No
// constant expression has a comma.
func (e *evaluation) comma() value {
	v := e.cond()
	if e.peek() == "," {
		e.fail("list of values")
	}
	return v
}

func (e *evaluation) cond() value {
	c := e.binary(0)
	if !e.accept("?") {
		return c
	}
	x := c
	if e.peek() != ":" {
		x = e.comma()
	}
	e.expect(":")
	y := e.cond()
	c, x, y = e.arith(c), e.rvalue(x), e.rvalue(y)
	switch {
	case x.typ.rank != 0 && y.typ.rank != 0:
		x, y = e.balance(x, y)
	case x.typ != y.typ:
		e.fail("chooses between different types")
	}
	if x.typ.rank != 0 && depends(c, x, y) && c.sym != nil {
		return symbolic(e.s.plain(x.typ), "?:", e.operand(c), e.operand(x), e.operand(y))
	}
	if c.why == "" && c.n == 0 {
		x = y
	}
	if c.why != "" {
		x.sym = nil
	}
	x.why = cmp.Or(c.why, x.why)
	return x
}

// precedence lists the binary operators from the weakest on.
var precedence = [][]string{
	{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
}

func (e *evaluation) binary(level int) value {
	if level == len(precedence) {
		return e.cast()
	}
	x := e.binary(level + 1)
	for {
		op := ""
		for _, o := range precedence[level] {
			if e.peek() == o {
				op = o
			}
		}
		if op == "" {
			return x
		}
		e.next()
		x = e.apply(op, x, e.binary(level+1))
	}
}

func (e *evaluation) cast() value {
	if e.deep++; e.deep > 1000 {
		e.fail("no constant expression: nested too deeply")
	}
	defer func() { e.deep-- }()
	from := len(e.out)
	t := e.typeInBrackets()
	if t == nil {
		return e.unary()
	}
	operand := len(e.out)
	v := e.rvalue(e.cast())
	switch {
	case t.bad != "":
		e.fail("%s", t.bad)
	case v.sym != nil && t.rank != 0:
		v = e.converted(v, t)
		v.typ = e.s.plain(t)
		return v
	case v.why != "":
		return value{typ: t, why: v.why}
	case t.rank == 0 && t.kind != model.Pointer && t.kind != model.FuncPointer:
		return value{typ: t, why: "has type " + t.c}
	case v.str:
		return value{typ: t, why: "casts a string"}
	case v.typ.rank == 0 && v.typ.kind != model.Pointer && v.typ.kind != model.FuncPointer:
		return value{typ: t, why: "casts " + v.typ.c}
	case t.rank == 0:
		return value{typ: t, n: e.s.fit(v.n, e.typeOf(e.s.sizeType()))}
	}
	r := e.constant(t, v.n)
	if v.typ.rank == 0 { // an address, as in a hand-made offsetof
		e.replace(from, r)
	} else {
		e.out = append(e.out[:from], append([]string{"(", e.s.plain(t).c, ")"}, e.out[operand:]...)...)
	}
	r.typ = e.s.plain(t)
	return r
}

// typeInBrackets parses the name of a type in brackets, or returns nil where
// something else comes next.
func (e *evaluation) typeInBrackets() *ctype {
	if e.peek() != "(" || len(e.toks) < 2 || !e.startsType(e.toks[1]) {
		return nil
	}
	e.next()
	t := e.typeName()
	e.expect(")")
	if e.peek() == "{" {
		e.fail("compound literal")
	}
	return t
}

func (e *evaluation) unary() value {
	from := len(e.out)
	switch t := e.peek(); t {
	case "+", "-", "~":
		e.next()
		v := e.arith(e.cast())
		if v.sym != nil {
			switch t {
			case "-":
				return symbolic(v.typ, "neg", *v.sym)
			case "~":
				return symbolic(v.typ, "~", *v.sym)
			}
			return v
		}
		switch t {
		case "-":
			if v.n = e.s.fit(-v.n, v.typ); !e.s.unsigned(v.typ) && v.n != 0 && v.n == e.s.fit(-v.n, v.typ) && v.why == "" {
				v.why = "integer overflow"
			}
		case "~":
			v.n = e.s.fit(^v.n, v.typ)
		}
		return v
	case "!":
		e.next()
		v := e.arith(e.cast())
		if v.sym != nil {
			return symbolic(e.typeOf("int"), "!", *v.sym)
		}
		return value{typ: e.typeOf("int"), n: b2u(v.n == 0), why: v.why}
	case "&":
		e.next()
		v := e.cast()
		if !v.lvalue && v.why == "" {
			v.why = "takes an address"
		}
		return value{typ: pointerTo(e.s, v.typ), n: v.n, why: v.why}
	case "*":
		e.next()
		return e.follow(e.cast())
	case "sizeof", "_Alignof", "__alignof__", "__alignof":
		e.next()
		of := e.typeInBrackets()
		if of == nil {
			v := e.unary()
			if v.sym != nil {
				e.fail("measures an argument")
			}
			of = v.typ
		}
		r := e.measure(t, of)
		if r.sym == nil {
			e.replace(from, r)
		}
		return r
	case "++", "--":
		e.fail("changes an object")
	}
	return e.postfix()
}

// measure returns the size or the alignment of t.
func (e *evaluation) measure(op string, t *ctype) value {
	switch t.sync(); {
	case t.dim != nil && op == "sizeof" && t.elem.bad == "" && t.elem.size >= 0:
		return e.apply("*", e.converted(*t.dim, e.typeOf(e.s.sizeType())), e.sizeT(t.elem.size))
	case t.bad != "":
		e.fail("%s", t.bad)
	case t.size < 0:
		e.s.missing[t.c] = true
		e.fail("size of incomplete type %s", t.c)
	case op == "_Alignof":
		return e.sizeT(memberAlign(e.s.abi, t))
	case op != "sizeof":
		return e.sizeT(t.align)
	}
	return e.sizeT(t.size)
}

func (e *evaluation) postfix() value {
	v := e.primary()
	for {
		switch t := e.peek(); t {
		case "(":
			e.fail("calls a function")
		case "[":
			e.next()
			i := e.arith(e.comma())
			e.expect("]")
			v = e.follow(v)
			v.n, v.why = v.n+i.n*e.measure("sizeof", v.typ).n, cmp.Or(v.why, i.why)
		case ".", "->":
			e.next()
			name := e.next()
			if t == "->" {
				v = e.follow(v)
			}
			v = e.member(v, name)
		case "++", "--":
			e.fail("changes an object")
		default:
			return v
		}
	}
}

// follow returns what the pointer v points to.
func (e *evaluation) follow(v value) value {
	if v = e.rvalue(v); v.typ.kind != model.Pointer {
		e.fail("follows %s", v.typ.c)
	}
	return value{typ: v.typ.elem, n: v.n, lvalue: true, why: v.why}
}

// member selects a member of the record v.
func (e *evaluation) member(v value, name string) value {
	t := v.typ.sync()
	switch {
	case t.kind != model.Record:
		e.fail("selects a member of %s", t.c)
	case t.bad != "":
		e.fail("%s", t.bad)
	case t.size < 0:
		e.s.missing[t.c] = true
		e.fail("member of incomplete type %s", t.c)
	}
	f, at, ok := t.rec.find(name)
	switch {
	case !ok:
		e.fail("%s has no member %s", t.c, name)
	case f.width >= 0:
		e.fail("uses bit-field %s", name)
	}
	return value{typ: f.typ, n: v.n + uint64(at/8), lvalue: v.lvalue, why: v.why}
}

// find returns the member of that name, looking into anonymous members, and
// its offset in bits.
func (r *record) find(name string) (f field, at int64, ok bool) {
	for _, f := range r.fields {
		if f.name == name {
			return f, f.offset, true
		}
		if f.name == "" && f.typ.kind == model.Record {
			if in, at, ok := f.typ.rec.find(name); ok {
				return in, f.offset + at, true
			}
		}
	}
	return f, 0, false
}

func (e *evaluation) primary() value {
	t := e.next()
	switch c := t[0]; {
	case t == "(":
		if e.peek() == "{" {
			e.fail("statement expression")
		}
		v := e.comma()
		e.expect(")")
		return v
	case t == "{":
		e.fail("brace initialiser")
	case c >= '0' && c <= '9', c == '.' && len(t) > 1:
		return e.number(t)
	case c == '\'':
		return e.char(t)
	case c == '"':
		return e.strings(t)
	case isIdent(t):
		return e.ident(t)
	}
	e.fail("no constant expression: %q", t)
	return value{}
}

// vaOpt is a part of macros that the preprocessor does not know, with the reason
// for which what uses it is skipped.
const (
	vaOpt    = "__VA_OPT__"
	hasVaOpt = "uses " + vaOpt + ", which is not supported"
)

func isIdent(t string) bool {
	c := t[0]
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '$' || c >= 0x80
}

func (e *evaluation) ident(t string) value {
	from := len(e.out) - 1
	if v, ok := e.params[t]; ok {
		return v
	}
	if c, ok := e.s.enums[t]; ok {
		e.see(c.base)
		if c.val.why == "" {
			e.replace(from, c.val)
		}
		return c.val
	}
	switch {
	case strings.ContainsAny(t, `"'`):
		e.fail("wide string or character")
	case t == "__builtin_offsetof":
		return e.offsetof(from)
	case e.startsType(t):
		e.fail("names a type")
	case keywords[t]:
		e.fail("no constant expression: %q", t)
	case e.peek() == "(" && t == "__builtin_constant_p":
		e.next()
		v := e.cond()
		if v.sym != nil {
			e.fail("asks whether an argument is constant")
		}
		e.expect(")")
		r := e.constant(e.typeOf("int"), b2u(v.why == "" && v.typ.rank != 0))
		e.replace(from, r)
		return r
	case e.peek() == "(" && e.s.results[t] != nil:
		return e.call(t, from)
	case e.peek() == "(":
		e.s.missing[t] = true
		e.fail("calls %s", t)
	}
	e.s.missing[t] = true
	e.fail("%s is not declared", t)
	return value{}
}

// call parses the call of a function. It is no constant, but may stand where
// it is not evaluated.
func (e *evaluation) call(name string, from int) value {
	e.expect("(")
	for e.peek() != ")" {
		if e.cond(); !e.accept(",") {
			break
		}
	}
	e.expect(")")
	v := value{typ: e.s.results[name]}
	if v.typ.rank != 0 {
		e.replace(from, value{typ: e.s.plain(v.typ)})
	}
	v.why = "calls " + name
	return v
}

func (e *evaluation) offsetof(from int) value {
	e.expect("(")
	v := value{typ: e.typeName(), lvalue: true}
	e.expect(",")
	v = e.member(v, e.next())
	for e.peek() != ")" {
		if e.accept("[") {
			i := e.arith(e.comma())
			e.expect("]")
			if v.typ.kind != model.Array {
				e.fail("indexes %s", v.typ.c)
			}
			size := e.measure("sizeof", v.typ.elem)
			v = value{typ: v.typ.elem, n: v.n + i.n*size.n, lvalue: true, why: cmp.Or(v.why, i.why)}
			continue
		}
		e.expect(".")
		v = e.member(v, e.next())
	}
	e.expect(")")
	r := e.sizeT(int64(v.n))
	r.why = v.why
	e.replace(from, r)
	return r
}
