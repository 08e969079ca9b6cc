package c

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A ctype is a C type on one architecture.
type ctype struct {
	kind      model.Kind
	c         string // as C spells it
	size      int64  // in bytes, -1 while the type is incomplete
	align     int64  // in bytes, of an object that stands alone, as __alignof__ has it
	userAlign bool   // an attribute asked for the alignment
	rank      int    // integer conversion rank, 0 unless an integer
	special   bool   // cc does not compute its layout right
	bad       string // why nothing may be computed from the type; "" if it may

	elem *ctype  // of an array, pointer or function
	len  int64   // of an array, -1 without a length
	dim  *value  // the length of an array, if it depends on a parameter
	rec  *record // of a struct or union
	enum *string // the name of an enum, which may still get that of its typedef
}

// A scope is the file scope of a translation unit: what its names mean.
type scope struct {
	arch     model.Arch
	abi      abi
	basic    map[string]*ctype // by spelling
	typedefs map[string]*ctype
	tags     map[string]*ctype // by "struct x", "union x" or "enum x"
	enums    map[string]*enumerator
	results  map[string]*ctype // of functions
	missing  map[string]bool   // names used that nothing declares
}

// An enumerator is a named constant of an enum.
type enumerator struct {
	val  value
	base model.Base
}

// integerTypes are the integer types by rank, each as C spells it in full.
var integerTypes = []string{
	"_Bool", "char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned int",
	"long", "unsigned long", "long long", "unsigned long long",
}

var ranks = map[string]int{"_Bool": 1, "char": 2, "short": 3, "int": 4, "long": 5, "long long": 6}

// newScope returns the scope of an empty translation unit.
func newScope(a model.Arch) *scope {
	s := &scope{
		arch:     a,
		abi:      abis[a.GOARCH],
		basic:    map[string]*ctype{},
		typedefs: map[string]*ctype{},
		tags:     map[string]*ctype{},
		enums:    map[string]*enumerator{},
		results:  map[string]*ctype{},
		missing:  map[string]bool{},
	}
	word := int64(a.Bits / 8)
	sizes := map[int]int64{1: 1, 2: 1, 3: 2, 4: 4, 5: word, 6: 8}
	for _, name := range integerTypes {
		base, unsigned := strings.CutPrefix(name, "unsigned ")
		rank := ranks[strings.TrimPrefix(base, "signed ")]
		t := &ctype{kind: model.Int, c: name, size: sizes[rank], align: sizes[rank], rank: rank}
		switch {
		case unsigned:
			t.kind = model.Uint
		case name == "_Bool":
			t.kind = model.Bool
		case name == "char":
			t.kind = model.Char
		}
		s.basic[name] = t
	}
	if a.Bits == 64 { // no constant has such a type, so they have no rank
		s.basic["__int128"] = &ctype{kind: model.Int, c: "__int128", size: 16, align: s.abi.int128(), special: true}
		s.basic["unsigned __int128"] = &ctype{kind: model.Uint, c: "unsigned __int128", size: 16, align: s.abi.int128(), special: true}
	}
	ld := s.abi.longDouble
	for _, t := range []*ctype{
		{c: "void", kind: model.Invalid, size: -1, align: 1},
		{c: "float", kind: model.Float, size: 4, align: 4},
		{c: "double", kind: model.Float, size: 8, align: 8},
		{c: "long double", kind: model.Float, size: ld[0], align: ld[1]},
	} {
		s.basic[t.c] = t
	}
	return s
}

// badType returns a type from which nothing can be computed, for the reason
// that the arguments spell out.
func badType(format string, args ...any) *ctype {
	return &ctype{c: "?", size: -1, align: 1, bad: fmt.Sprintf(format, args...)}
}

// pointerTo returns the type of a pointer to t.
func pointerTo(s *scope, t *ctype) *ctype {
	word := int64(s.arch.Bits / 8)
	p := &ctype{kind: model.Pointer, c: t.c, size: word, align: word, elem: t}
	switch {
	case t.isFunc():
		p.kind = model.FuncPointer
		p.c = strings.TrimSuffix(t.c, "()") + "(*)()"
	case strings.HasSuffix(t.c, "*"):
		p.c += "*"
	default:
		p.c += " *"
	}
	return p
}

// functionOf returns the type of a function that returns t.
func functionOf(t *ctype) *ctype {
	return &ctype{c: t.c + " ()", size: -1, align: 1, elem: t}
}

func (t *ctype) isFunc() bool { return t.kind == model.Invalid && t.elem != nil }

// arrayOf returns the type of an array of n t's; -1 leaves the length open.
func arrayOf(t *ctype, n int64) *ctype {
	t.sync()
	a := &ctype{kind: model.Array, size: -1, align: t.align, userAlign: t.userAlign, special: t.special, bad: t.bad, elem: t, len: n}
	name, dims := t.c, ""
	if i := strings.IndexByte(t.c, '['); i >= 0 && t.kind == model.Array {
		name, dims = t.c[:i], t.c[i:]
	}
	switch {
	case n < 0:
		a.c = name + "[]" + dims
	default:
		a.c = fmt.Sprintf("%s[%d]%s", name, n, dims)
	}
	switch {
	case n < 0 || t.bad != "":
	case t.size < 0:
		// A record may still be completed, but not after it was needed here.
		a.bad = "array of incomplete type " + t.c
	case t.size%t.align != 0:
		a.bad = fmt.Sprintf("array of %s, whose size is no multiple of its alignment", t.c)
	case t.size != 0 && n > 1<<48/t.size:
		a.bad = "array too large"
	default:
		a.size = n * t.size
	}
	return a
}

// aligned returns t as a typedef with __attribute__((aligned(n))) has it.
func (t *ctype) aligned(n int64) *ctype {
	c := *t
	c.align, c.userAlign = n, true
	return &c
}

// sync gives a typedef of a record the layout that the record has got since.
func (t *ctype) sync() *ctype {
	if t.kind == model.Record && t != t.rec.typ && (t.size < 0 || t.bad != "") {
		r := t.rec.typ
		t.size, t.special, t.bad = r.size, r.special, r.bad
		if !t.userAlign {
			t.align, t.userAlign = r.align, r.userAlign
		}
	}
	return t
}

// innermost returns the type of the elements of an array of any dimensions.
func (t *ctype) innermost() *ctype {
	for t.kind == model.Array {
		t = t.elem
	}
	return t
}

// same reports whether t and u may be declared under one name.
func (t *ctype) same(u *ctype) bool {
	return t.kind == u.kind && t.size == u.size && t.align == u.align && t.rec == u.rec && t.rank == u.rank
}

// named returns t under the name that a typedef gives it.
func (t *ctype) named(name string) *ctype {
	c := *t
	c.c = name
	return &c
}

// basicTypes gives how C spells a basic type in full, by its specifiers in
// alphabetical order.
var basicTypes = map[string]string{
	"void": "void", "_Bool": "_Bool", "float": "float", "double": "double", "double long": "long double",
	"char": "char", "char signed": "signed char", "char unsigned": "unsigned char",
	"short": "short", "int short": "short", "short signed": "short", "int short signed": "short",
	"short unsigned": "unsigned short", "int short unsigned": "unsigned short",
	"int": "int", "signed": "int", "int signed": "int", "unsigned": "unsigned int", "int unsigned": "unsigned int",
	"long": "long", "int long": "long", "long signed": "long", "int long signed": "long",
	"long unsigned": "unsigned long", "int long unsigned": "unsigned long",
	"long long": "long long", "int long long": "long long", "long long signed": "long long", "int long long signed": "long long",
	"__int128": "__int128", "__int128 signed": "__int128", "__int128 unsigned": "unsigned __int128",
	"__int128_t": "__int128", "__uint128_t": "unsigned __int128",
	"long long unsigned": "unsigned long long", "int long long unsigned": "unsigned long long",
}

// basicOf returns the type of these specifiers, or one that says that they
// make none.
func (s *scope) basicOf(words []string) *ctype {
	sorted := slices.Clone(words)
	for i, w := range sorted {
		if strings.Trim(w, "_") == "signed" {
			sorted[i] = "signed"
		}
	}
	slices.Sort(sorted)
	if t := s.basic[basicTypes[strings.Join(sorted, " ")]]; t != nil {
		return t
	}
	return badType("unsupported type %q", strings.Join(words, " "))
}

// typeWords are the keywords that can begin a type.
var typeWords = map[string]bool{
	"void": true, "char": true, "short": true, "int": true, "long": true, "signed": true, "__signed__": true, "__signed": true,
	"unsigned": true, "float": true, "double": true, "_Bool": true, "struct": true, "union": true, "enum": true,
	"const": true, "volatile": true, "__const": true, "__volatile__": true, "typeof": true, "__typeof__": true, "__typeof": true,
	"_Atomic": true, "__int128": true, "__int128_t": true, "__uint128_t": true, "_Complex": true,
}

// keywords are the other words that cannot be an operand.
var keywords = map[string]bool{
	"__attribute__": true, "asm": true, "__asm__": true, "inline": true, "__inline__": true, "static": true, "extern": true,
	"typedef": true, "return": true, "goto": true, "do": true, "while": true, "for": true, "if": true, "else": true,
	"restrict": true, "register": true, "__inline": true, "_Alignas": true, "_Generic": true, "_Static_assert": true,
}

// startsType reports whether t begins the name of a type.
func (e *evaluation) startsType(t string) bool {
	return typeWords[t] || e.s.typedefs[t] != nil && e.s.enums[t] == nil
}

// typeName parses the name of a type, as in a cast.
func (e *evaluation) typeName() *ctype {
	var words []string
	var t *ctype
	for {
		switch w := e.peek(); {
		case w == "const" || w == "volatile" || w == "__const" || w == "__volatile__":
			e.next()
		case w == "struct" || w == "union" || w == "enum":
			e.next()
			tag := w + " " + e.next()
			if t = e.s.tags[tag]; t == nil {
				e.s.missing[tag] = true
				t = badType("incomplete type %s", tag)
			}
		case w == "typeof" || w == "__typeof__" || w == "__typeof":
			e.next()
			e.expect("(")
			if e.startsType(e.peek()) {
				t = e.typeName()
			} else {
				t = e.comma().typ
			}
			e.expect(")")
		case typeWords[w]:
			words = append(words, e.next())
		case t == nil && len(words) == 0 && e.startsType(w):
			t = e.s.typedefs[e.next()]
		case t == nil:
			return e.abstract(e.s.basicOf(words))
		case len(words) > 0:
			e.fail("unsupported type %q", strings.Join(append(words, t.c), " "))
		default:
			return e.abstract(t)
		}
	}
}

// abstract parses what may follow the specifiers in the name of a type.
func (e *evaluation) abstract(t *ctype) *ctype {
	for e.accept("*") {
		t = pointerTo(e.s, t)
		for slices.Contains([]string{"const", "volatile", "restrict", "__restrict", "__const"}, e.peek()) {
			e.next()
		}
	}
	if e.peek() == "(" {
		e.fail("names a function type")
	}
	var dims []int64
	for e.accept("[") {
		n := e.arith(e.comma())
		e.expect("]")
		if n.sym != nil && e.peek() != "[" && len(dims) == 0 {
			a := badType("the length of an array depends on an argument")
			a.elem, a.dim = t, &n
			return a
		}
		if n.why != "" || !e.s.unsigned(n.typ) && int64(n.n) < 0 {
			e.fail("array of unknown length")
		}
		dims = append(dims, int64(n.n))
	}
	for _, n := range slices.Backward(dims) {
		t = arrayOf(t, n)
	}
	return t
}

// newRecord returns a record that is not defined yet.
func newRecord(union bool, tag string) *record {
	r := &record{union: union, tag: tag}
	r.typ = &ctype{kind: model.Record, c: tag, size: -1, align: 1, rec: r}
	return r
}
