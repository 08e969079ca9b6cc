package c

import (
	"strconv"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// suffixes gives the least type that the suffix of an integer literal allows.
var suffixes = map[string]string{
	"": "int", "u": "int", "l": "long", "ul": "long", "lu": "long", "ll": "long long", "ull": "long long", "llu": "long long",
}

// number reads an integer literal; its type is the first of C's list that can
// hold it.
func (e *evaluation) number(t string) value {
	digits, suffix := t, ""
	if i := strings.IndexFunc(t, func(r rune) bool { return strings.ContainsRune("uUlL", r) }); i >= 0 {
		digits, suffix = t[:i], strings.ToLower(t[i:])
	}
	lower := strings.ToLower(digits)
	hex := strings.HasPrefix(lower, "0x")
	bin := strings.HasPrefix(lower, "0b")
	octal := !hex && !bin && len(digits) > 1 && digits[0] == '0'
	var n uint64
	var err error
	switch {
	case hex:
		e.see(model.Hex)
		n, err = strconv.ParseUint(digits[2:], 16, 64)
	case bin:
		n, err = strconv.ParseUint(digits[2:], 2, 64)
	case octal:
		n, err = strconv.ParseUint(digits[1:], 8, 64)
	default:
		n, err = strconv.ParseUint(digits, 10, 64)
	}
	if octal {
		e.see(model.Octal)
	}
	long, ok := suffixes[suffix]
	unsigned := strings.Contains(suffix, "u")
	if !ok || strings.Contains(t, "lL") || strings.Contains(t, "Ll") {
		err = strconv.ErrSyntax
	}
	switch {
	case err != nil && !hex && strings.ContainsAny(lower, ".ef") || hex && strings.ContainsAny(lower, ".p"):
		e.fail("floating-point constant")
	case err != nil:
		e.fail("no integer: %s", t)
	}
	for _, name := range []string{"int", "long", "long long"} {
		typ := e.typeOf(name)
		if typ.rank < e.typeOf(long).rank {
			continue
		}
		if !unsigned && e.s.fit(n, typ) == n && int64(n) >= 0 {
			return value{typ: typ, n: n}
		}
		if utyp := e.typeOf("unsigned " + name); (unsigned || hex || octal || bin) && e.s.fit(n, utyp) == n {
			return value{typ: utyp, n: n}
		}
	}
	e.fail("no integer type holds %s", t)
	return value{}
}

// char reads a character constant. Several characters make an int, the first
// one most significant, as in GCC.
func (e *evaluation) char(t string) value {
	s := unescape(t)
	if s == "" || len(s) > 4 {
		e.fail("character constant %s", t)
	}
	var n uint64
	for i := range len(s) {
		n = n<<8 | uint64(s[i])
	}
	if len(s) == 1 {
		n = e.s.fit(n, e.typeOf("char"))
	}
	v := e.constant(e.typeOf("int"), n)
	e.replace(len(e.out)-1, v)
	return v
}

func (e *evaluation) strings(t string) value {
	s := unescape(t)
	for p := e.peek(); p != "" && p[0] == '"'; p = e.peek() {
		s += unescape(e.next())
	}
	typ := arrayOf(e.s.basic["char"], int64(len(s)+1))
	return value{typ: typ, text: s, str: true}
}

// unescape returns the bytes between the quotes of t. It panics with a
// syntaxError on an escape sequence that it does not know.
func unescape(t string) string {
	quote := t[0]
	if len(t) < 2 || t[len(t)-1] != quote {
		panic(syntaxError("quote without an end"))
	}
	t = t[1 : len(t)-1]
	var b []byte
	for len(t) > 0 {
		c := t[0]
		t = t[1:]
		if c != '\\' {
			b = append(b, c)
			continue
		}
		if t == "" {
			panic(syntaxError("quote without an end"))
		}
		c = t[0]
		switch i := strings.IndexByte("abtnvfre", c); {
		case i >= 0:
			b, t = append(b, "\a\b\t\n\v\f\r\x1b"[i]), t[1:]
		case c == 'x':
			n := 1
			for n < len(t) && strings.IndexByte("0123456789abcdefABCDEF", t[n]) >= 0 {
				n++
			}
			x, err := strconv.ParseUint(t[1:n], 16, 8)
			if err != nil {
				panic(syntaxError("escape sequence \\" + t[:n]))
			}
			b, t = append(b, byte(x)), t[n:]
		case c >= '0' && c <= '7':
			n := 1
			for n < len(t) && n < 3 && t[n] >= '0' && t[n] <= '7' {
				n++
			}
			x, err := strconv.ParseUint(t[:n], 8, 8)
			if err != nil {
				panic(syntaxError("escape sequence \\" + t[:n]))
			}
			b, t = append(b, byte(x)), t[n:]
		case strings.IndexByte(`\'"?`, c) >= 0:
			b, t = append(b, c), t[1:]
		default:
			panic(syntaxError("escape sequence \\" + string(rune(c))))
		}
	}
	return string(b)
}
