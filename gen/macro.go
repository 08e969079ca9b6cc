package main

import (
	"errors"
	"fmt"
	"go/constant"
	"slices"
	"strconv"
	"strings"
)

// Reasons of skips that are no loss.
const (
	skipEmpty        = "empty"
	skipFunctionLike = "function-like macro"
)

var errNoInteger = errors.New("no integer")

// A probe is an expression whose value cc must confirm.
type probe struct {
	expr string
	want string // the value and the type
	e    *enumerator
}

// check notes that cc must come to the value v of e, too.
func (tu *translation) check(e *enumerator, v value, ev *evaluation) {
	if v.why == "" && !v.str && len(ev.out) > 0 {
		tu.probes = append(tu.probes, probe{strings.Join(ev.out, " "), tu.scope.spell(v), e})
	}
}

// spell returns v and its type.
func (s *scope) spell(v value) string {
	if s.unsigned(v.typ) {
		return strconv.FormatUint(v.n, 10) + " " + v.typ.c
	}
	return strconv.FormatInt(int64(v.n), 10) + " " + v.typ.c
}

// evaluate gives the macros among all their values.
func (tu *translation) evaluate(names []string, all []constDecl) {
	results := map[string]*enumerator{}
	lines, err := tu.expand(names)
	for i, name := range names {
		e := &enumerator{}
		results[name] = e
		if err != nil {
			e.val.why = err.Error()
			continue
		}
		toks := lines[i]
		if !slices.Equal(toks, lines[len(names)+i]) || tu.isElusive(name, map[string]bool{}) {
			e.val.why = "changes from one expansion to the next"
			continue
		}
		if len(toks) == 0 {
			e.val.why = skipEmpty
			continue
		}
		v, ev, err := tu.scope.eval(toks)
		e.val, e.base = v, ev.base
		if err != nil {
			e.val.why = err.Error()
			continue
		}
		tu.check(e, v, ev)
	}
	for i, got := range tu.probe(tu.probes) {
		if p := tu.probes[i]; got != p.want {
			p.e.val.why = fmt.Sprintf("evaluates to %s, or to %s as cc has it: %s", p.want, got, p.expr)
		}
	}
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
