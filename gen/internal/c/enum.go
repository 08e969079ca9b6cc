package c

import (
	"cmp"
	"math/bits"
	"strings"
)

// enumValue gives v the type that it has as an enumerator while its enum is
// not complete: int if that can hold it.
func (s *scope) enumValue(v value) value {
	i := s.basic["int"]
	if v.why == "" && s.fit(v.n, i) == v.n && !(s.unsigned(v.typ) && int64(v.n) < 0) {
		v.typ = i
	}
	return v
}

// following returns the enumerator that follows e without a value of its own.
func (s *scope) following(e enumerator) enumerator {
	v := e.val
	v.n = s.fit(v.n+1, v.typ)
	if wraps := v.n == 0 && s.unsigned(v.typ) || !s.unsigned(v.typ) && int64(v.n) < int64(e.val.n); wraps && v.why == "" {
		v.why = "integer overflow"
	}
	return enumerator{val: v, base: e.base}
}

// enumType returns the type of an enum and gives its enumerators their final
// types: int where that can hold the value, else the type of the enum. Its tag
// is "enum" until a typedef names it.
func (s *scope) enumType(tag *string, all []*enumerator, packed bool) *ctype {
	negative, width := false, 0
	for _, bad := range all {
		if bad.val.why != "" {
			for _, e := range all {
				if e.val.typ.c != "int" { // its type depends on the others
					e.val.why = cmp.Or(e.val.why, "its enum has a value that is none: "+bad.val.why)
				}
			}
			return badType("%s: %s", *tag, bad.val.why)
		}
	}
	for _, e := range all {
		n := e.val.n
		if !s.unsigned(e.val.typ) && int64(n) < 0 {
			negative, n = true, ^n
		}
		width = max(width, bits.Len64(n))
	}
	if negative {
		width++
	}
	if width > 64 {
		return badType("%s: its values need more than 64 bits", *tag)
	}
	names := []string{"int", "long", "long long"}
	if packed {
		names = []string{"signed char", "short", "int", "long", "long long"}
	}
	var under *ctype
	for _, name := range names {
		if !negative {
			name = "unsigned " + strings.TrimPrefix(name, "signed ")
		}
		if under = s.basic[name]; int64(width) <= 8*under.size {
			break
		}
	}
	for _, e := range all {
		if e.val.typ.c != "int" {
			e.val.typ = under
		}
	}
	t := under.named(*tag)
	t.special, t.enum = packed, tag
	return t
}

// enumOf returns the type of an enum that says which integers it consists of.
// Its enumerators have that type too.
func (s *scope) enumOf(tag *string, all []*enumerator, under *ctype) *ctype {
	if under.bad != "" || under.rank == 0 {
		return badType("%s: its type %s is no integer", *tag, under.c)
	}
	for _, e := range all {
		if e.val.why == "" && s.fit(e.val.n, under) != e.val.n {
			e.val.why = "is too large for the type of its enum, " + under.c
		}
		e.val.typ = under
	}
	t := under.named(*tag)
	t.special, t.enum = true, tag
	return t
}

// modes are the sizes of machine modes.
var modes = map[string]int64{"QI": 1, "byte": 1, "HI": 2, "SI": 4, "DI": 8, "TI": 16}

// ofMode returns the integer type with the sign of t and the size of a mode.
func (s *scope) ofMode(t *ctype, mode string) *ctype {
	size, ok := modes[mode]
	if mode == "word" || mode == "pointer" {
		size, ok = int64(s.arch.Bits/8), true
	}
	if t.rank != 0 && ok {
		for _, name := range []string{"signed char", "short", "int", "long", "long long", "__int128"} {
			if s.unsigned(t) {
				name = "unsigned " + strings.TrimPrefix(name, "signed ")
			}
			if u := s.basic[name]; u != nil && u.size == size {
				c := *u
				c.special = true
				return &c
			}
		}
	}
	return badType("unsupported attribute mode(%s) of %s", mode, t.c)
}
