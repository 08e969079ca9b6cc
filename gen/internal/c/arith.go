package c

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/go-clone3/clone3/gen/internal/model"
)

func (s *scope) unsigned(t *ctype) bool {
	return t.kind == model.Uint || t.kind == model.Bool || t.kind == model.Char && s.abi.unsignedChar
}

// fit converts n to t.
func (s *scope) fit(n uint64, t *ctype) uint64 {
	if t.kind == model.Bool {
		return b2u(n != 0)
	}
	shift := 64 - 8*t.size
	if s.unsigned(t) {
		return n << shift >> shift
	}
	return uint64(int64(n<<shift) >> shift)
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// arith returns v as an operand of arithmetic, promoted.
func (e *evaluation) arith(v value) value {
	v = e.rvalue(v)
	intType := e.typeOf("int")
	switch {
	case v.str:
		e.fail("computes with a string")
	case v.typ.rank == 0:
		e.fail("computes with %s", v.typ.c)
	case v.sym != nil && v.typ.rank < intType.rank:
		return e.converted(v, intType)
	case v.typ.rank < intType.rank:
		return value{typ: intType, n: v.n, why: v.why}
	}
	v.typ = e.s.plain(v.typ)
	return v
}

// balance applies the usual arithmetic conversions.
func (e *evaluation) balance(x, y value) (value, value) {
	x, y = e.arith(x), e.arith(y)
	t := common(e.s, x.typ, y.typ)
	if x.sym != nil {
		x = e.converted(x, t)
	}
	if y.sym != nil {
		y = e.converted(y, t)
	}
	x.n, y.n = e.s.fit(x.n, t), e.s.fit(y.n, t)
	x.typ, y.typ = t, t
	return x, y
}

// common returns the type in which x and y, both promoted, meet.
func common(s *scope, x, y *ctype) *ctype {
	ux, uy := s.unsigned(x), s.unsigned(y)
	if x.rank < y.rank || x.rank == y.rank && uy {
		x, y, ux, uy = y, x, uy, ux
	}
	switch { // x has the higher rank, or both have the same and x may be unsigned
	case ux || !uy || x.size > y.size:
		return x
	}
	return s.basic["unsigned "+x.c]
}

// plain returns the basic type behind an enum or an aligned typedef.
func (s *scope) plain(t *ctype) *ctype {
	for _, name := range integerTypes {
		if b := s.basic[name]; b.rank == t.rank && b.kind == t.kind {
			return b
		}
	}
	return t
}

// apply computes x op y.
func (e *evaluation) apply(op string, x, y value) value {
	intType := e.typeOf("int")
	switch op {
	case "||", "&&":
		x, y = e.arith(x), e.arith(y)
		switch {
		case x.why == "" && (x.n != 0) == (op == "||"):
			return value{typ: intType, n: b2u(op == "||")}
		case depends(x, y):
			return symbolic(intType, op, e.operand(x), e.operand(y))
		case x.why != "" || y.why != "":
			return value{typ: intType, why: cmp.Or(x.why, y.why)}
		}
		return value{typ: intType, n: b2u(y.n != 0)}
	case "<<", ">>":
		x, y = e.arith(x), e.arith(y)
		if op == "<<" {
			e.see(model.Hex)
		}
		switch width := uint64(8 * x.typ.size); {
		case depends(x, y) && e.shiftCount(x, y) != "":
			return value{typ: x.typ, why: e.shiftCount(x, y)}
		case depends(x, y):
			return e.applied(op, x.typ, x, y)
		case x.why != "" || y.why != "":
			return value{typ: x.typ, why: cmp.Or(x.why, y.why)}
		case y.n >= width:
			return value{typ: x.typ, why: fmt.Sprintf("shifts %s by %s", x.typ.c, e.s.constant(y))}
		case op == "<<":
			return e.constant(x.typ, x.n<<y.n)
		case e.s.unsigned(x.typ):
			return e.constant(x.typ, x.n>>y.n)
		}
		return e.constant(x.typ, uint64(int64(x.n)>>y.n))
	}
	x, y = e.balance(x, y)
	t := x.typ
	if depends(x, y) {
		if slices.Contains(comparisons, op) {
			t = intType
		}
		return e.applied(op, t, x, y)
	}
	signed := !e.s.unsigned(t)
	less := x.n < y.n
	if signed {
		less = int64(x.n) < int64(y.n)
	}
	var n uint64
	switch op {
	case "==":
		t, n = intType, b2u(x.n == y.n)
	case "!=":
		t, n = intType, b2u(x.n != y.n)
	case "<":
		t, n = intType, b2u(less)
	case ">=":
		t, n = intType, b2u(!less)
	case ">":
		t, n = intType, b2u(!less && x.n != y.n)
	case "<=":
		t, n = intType, b2u(less || x.n == y.n)
	case "|":
		n = x.n | y.n
	case "^":
		n = x.n ^ y.n
	case "&":
		n = x.n & y.n
	case "+", "-", "*":
		var over bool
		if n, over = overflow(op, int64(x.n), int64(y.n)); signed && (over || e.s.fit(n, t) != n) && x.why == "" && y.why == "" {
			x.why = "integer overflow"
		}
	case "/", "%":
		switch {
		case x.why != "" || y.why != "":
		case y.n == 0:
			x.why = "division by zero"
		case !signed && op == "/":
			n = x.n / y.n
		case !signed:
			n = x.n % y.n
		case int64(y.n) == -1 && e.s.fit(-x.n, t) == x.n && x.n != 0:
			x.why = "integer overflow"
		case op == "/":
			n = uint64(int64(x.n) / int64(y.n))
		default:
			n = uint64(int64(x.n) % int64(y.n))
		}
	}
	if x.why == "" {
		x.why = y.why
	}
	return value{typ: t, n: e.s.fit(n, t), why: x.why}
}

var comparisons = []string{"==", "!=", "<", ">", "<=", ">="}

// overflow computes x op y and reports whether an int64 cannot hold it.
func overflow(op string, x, y int64) (n uint64, over bool) {
	switch op {
	case "+":
		r := x + y
		return uint64(r), (r < x) != (y < 0)
	case "-":
		r := x - y
		return uint64(r), (r > x) != (y < 0)
	}
	neg := (x < 0) != (y < 0)
	hi, lo := bits.Mul64(abs(x), abs(y))
	limit := uint64(1<<63 - 1)
	if neg {
		limit++
	}
	return uint64(x * y), hi != 0 || lo > limit
}

func abs(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}
