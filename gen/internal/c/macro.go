package c

import (
	"cmp"
	"errors"
	"fmt"
	"go/constant"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

var errNoInteger = errors.New("no integer")

// A probe is an expression whose value cc must confirm.
type probe struct {
	expr  string
	want  string      // the value and the type
	macro *enumerator // what it is the value of, nil for a declaration
	pos   model.Pos   // of the declaration
}

// check notes that cc must come to the value v of an evaluation, too. It is
// that of a macro, or of a declaration at pos.
func (tu *translation) check(v value, ev *evaluation, macro *enumerator, pos model.Pos) {
	if plain(ev.out) {
		return
	}
	if v.why == "" && v.typ.rank != 0 && len(ev.out) > 0 {
		tu.probes = append(tu.probes, probe{strings.Join(ev.out, " "), tu.scope.spell(v), macro, pos})
	}
}

// plain reports whether an expression is a number of which there are no two
// opinions: decimal or hexadecimal, without a suffix, and an int. In parentheses it
// is one, too, and the sum of two that are no more than system calls need.
func plain(out []string) bool {
	for len(out) > 2 && out[0] == "(" && out[len(out)-1] == ")" && !slices.Contains(out[1:len(out)-1], ")") {
		out = out[1 : len(out)-1]
	}
	if len(out) == 3 && out[1] == "+" {
		return len(out[0]) < 8 && len(out[2]) < 8 && plain(out[:1]) && plain(out[2:])
	}
	if len(out) != 1 {
		return false
	}
	t := out[0]
	if hex, ok := strings.CutPrefix(t, "0x"); ok {
		hex = strings.TrimLeft(hex, "0") + "0"
		return len(hex) <= 8 && strings.Trim(hex, "0123456789abcdefABCDEF") == ""
	}
	return len(t) < 10 && strings.Trim(t, "0123456789") == "" && (t[0] != '0' || t == "0")
}

// number evaluates the tokens of an expression in a declaration.
func (tu *translation) number(toks []string, pos model.Pos) (int64, error) {
	v, ev, err := tu.scope.eval(toks)
	if err != nil {
		return 0, err
	}
	if len(toks) > 1 {
		tu.check(v, ev, nil, pos)
	}
	return tu.scope.integer(v)
}

// spell returns v and its type.
func (s *scope) spell(v value) string { return s.constant(v).ExactString() + " " + v.typ.c }

// evaluate gives the macros among all their values. The bodies of those in
// numbers are their expansions.
func (tu *translation) evaluate(names []string, numbers map[string]string, all []constDecl) {
	results := map[string]*enumerator{}
	expansions := tu.expansions(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return numbers[name] != "" }))
	for name, number := range numbers {
		expansions[name] = expansion{toks: []string{number}}
	}
	for _, name := range names {
		x := expansions[name]
		e := &enumerator{val: value{why: x.why}}
		results[name] = e
		if x.why == "" && len(x.toks) == 0 {
			e.val.why = model.SkipEmpty
		}
		if e.val.why != "" {
			continue
		}
		v, ev, err := tu.scope.eval(x.toks)
		e.val, e.base = v, ev.base
		if err != nil {
			e.val.why = err.Error()
			continue
		}
		tu.check(v, ev, e, model.Pos{})
	}
	for i, got := range tu.probe(tu.probes) {
		switch p := tu.probes[i]; {
		case got == p.want:
		case p.macro != nil:
			p.macro.val.why = fmt.Sprintf("is %s, but %s for cc", p.want, cmp.Or(got, "nothing"))
		default:
			tu.errorf(p.pos, "%s is %s, but %s for cc", p.expr, p.want, cmp.Or(got, "nothing"))
		}
	}
	tu.probes = nil // they were right
	for i := range all {
		if all[i].e == nil {
			all[i].e = results[all[i].name]
		}
	}
}

// constant returns v as a Go constant.
func (s *scope) constant(v value) constant.Value {
	switch {
	case v.str:
		return constant.MakeString(v.text)
	case s.unsigned(v.typ):
		return constant.MakeUint64(v.n)
	}
	return constant.MakeInt64(int64(v.n))
}
