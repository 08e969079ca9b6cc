package golang

import (
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// distinctFuncs leaves each function in the first group that has it. One that
// another group has differently is left out there, and told.
func distinctFuncs(groups [][]model.Unit) (leftOut model.Remarks) {
	first := map[[2]string]model.Func{} // by name and architecture
	for _, g := range groups {
		for i := range g {
			u := &g[i]
			u.Funcs = slices.DeleteFunc(slices.Clone(u.Funcs), func(f model.Func) bool {
				key := [2]string{f.Name, u.Arch}
				old, ok := first[key]
				if !ok {
					first[key] = f
					return false
				}
				if old.Type != f.Type || len(old.Params) != len(f.Params) || !reflect.DeepEqual(old.Body, f.Body) {
					leftOut.Add(fmt.Sprintf("%s: %s: no function: it is not that of %s", f.Pos, f.Name, old.Pos), u.Arch)
				}
				return true
			})
		}
	}
	return leftOut
}

// goIntegers are the Go types of C's integers, of the same size everywhere.
var goIntegers = map[string]string{
	"_Bool": "bool", "signed char": "int8", "unsigned char": "uint8", "short": "int16", "unsigned short": "uint16",
	"int": "int32", "unsigned int": "uint32", "long": "int", "unsigned long": "uintptr", "long long": "int64", "unsigned long long": "uint64",
}

// renderFunc writes a function that is a macro.
func renderFunc(f *jen.File, name string, fn model.Func) {
	w := funcWriter{params: map[string]string{}}
	var params []jen.Code
	for _, p := range fn.Params {
		params = append(params, jen.Id(w.param(p)))
	}
	if len(params) > 0 {
		params[len(params)-1] = params[len(params)-1].(*jen.Statement).Id(goIntegers[fn.Arg])
	}
	result := w.value(fn.Body).text
	f.Add(comment("%s is the macro %s(%s) (%s)%s.", name, fn.Name, strings.Join(fn.Params, ", "), fn.Pos, listed(fn.Since)))
	addMore(f, fn.Doc)
	f.Func().Id(name).Params(params...).Id(goIntegers[fn.Type]).BlockFunc(func(b *jen.Group) {
		for _, line := range w.lines {
			b.Id(line)
		}
		b.Id("return " + result)
	})
	f.Line()
}

// A funcWriter writes the expression of a function, and the statements that go
// before it: Go has no ?: and no number for a comparison.
type funcWriter struct {
	params map[string]string // in Go, by their names in C
	lines  []string
	n      int // temporary variables
}

var temporary = regexp.MustCompile(`^tmp[0-9]*$`)

// param chooses the name of a parameter.
func (w *funcWriter) param(c string) string {
	name := c
	if name = strings.TrimLeft(name, "_"); name == "" || isDigit(name[0]) {
		name = "x" + name
	}
	used := func(name string) bool {
		for _, p := range w.params {
			if p == name {
				return true
			}
		}
		return false
	}
	for !token.IsIdentifier(name) || types.Universe.Lookup(name) != nil && name != "len" && name != "cap" && name != "new" || temporary.MatchString(name) || used(name) {
		name += "_"
	}
	w.params[c] = name
	return name
}

// A goExpr is an expression and the precedence of its operator: 7 without one,
// 6 of a unary one, else that of go/token.
type goExpr struct {
	text string
	prec int
}

// in is x as an operand of an operator with that precedence.
func (x goExpr) in(prec int) string {
	if x.prec < prec {
		return "(" + x.text + ")"
	}
	return x.text
}

// value is e as a number. Unless it is a constant, its Go type is that of e.
func (w *funcWriter) value(e model.Expr) goExpr {
	goType := goIntegers[e.Type]
	switch e.Op {
	case "const":
		return constExpr(e)
	case "param":
		return goExpr{w.params[e.Value], 7}
	case "cast":
		from := e.Args[0]
		switch {
		case e.Type == "_Bool":
			return w.condition(from)
		case from.Type == "_Bool":
			return w.number(goType, w.value(from))
		case goIntegers[from.Type] == goType:
			return w.value(from)
		}
		return goExpr{goType + "(" + w.value(from).text + ")", 7}
	case "neg":
		return goExpr{"-" + w.value(e.Args[0]).in(7), 6}
	case "~":
		return goExpr{"^" + w.value(e.Args[0]).in(7), 6}
	case "?:":
		tmp := w.temporary()
		w.lines = append(w.lines, "var "+tmp+" "+goType)
		cond := w.condition(e.Args[0])
		w.lines = append(w.lines, "if "+cond.text+" {")
		w.lines = append(w.lines, tmp+" = "+w.value(e.Args[1]).text, "} else {")
		w.lines = append(w.lines, tmp+" = "+w.value(e.Args[2]).text, "}")
		return goExpr{tmp, 7}
	case "<<", ">>":
		x, y := w.value(e.Args[0]), w.value(e.Args[1])
		if e.Args[0].Op == "const" {
			x = goExpr{goType + "(" + x.text + ")", 7}
		}
		if count := e.Args[1]; count.Op != "const" && !strings.HasPrefix(count.Type, "unsigned") { // a negative one is undefined in C and panics in Go
			y = goExpr{"u" + goIntegers[count.Type] + "(" + y.text + ")", 7}
			if count.Type == "long" {
				y.text = "uintptr" + strings.TrimPrefix(y.text, "uint")
			}
		}
		return goExpr{x.in(5) + e.Op + y.in(6), 5}
	case "!", "&&", "||", "==", "!=", "<", ">", "<=", ">=":
		return w.number(goType, w.condition(e))
	}
	return w.binary(e.Op, e.Args[0], e.Args[1])
}

// constExpr is a constant as a literal.
func constExpr(e model.Expr) goExpr {
	if e.Type == "_Bool" {
		return goExpr{map[string]string{"0": "false"}[e.Value] + map[string]string{"1": "true"}[e.Value], 7}
	}
	if strings.HasPrefix(e.Value, "-") {
		return goExpr{e.Value, 6}
	}
	if n, err := strconv.ParseUint(e.Value, 10, 64); err == nil && n > 255 {
		return goExpr{fmt.Sprintf("%#x", n), 7}
	}
	return goExpr{e.Value, 7}
}

// binary is x op y, which have the same type.
func (w *funcWriter) binary(op string, x, y model.Expr) goExpr {
	prec := map[string]int{"*": 5, "/": 5, "%": 5, "&": 5, "+": 4, "-": 4, "|": 4, "^": 4}[op]
	if prec == 0 {
		prec = 3
	}
	left := w.value(x)
	return goExpr{left.in(prec) + " " + op + " " + w.value(y).in(prec+1), prec}
}

func (w *funcWriter) temporary() string {
	w.n++
	return fmt.Sprint("tmp", w.n)
}

// number is a condition as 0 or 1.
func (w *funcWriter) number(goType string, cond goExpr) goExpr {
	tmp := w.temporary()
	w.lines = append(w.lines, "var "+tmp+" "+goType, "if "+cond.text+" {", tmp+" = 1", "}")
	return goExpr{tmp, 7}
}

// condition is whether e is not 0.
func (w *funcWriter) condition(e model.Expr) goExpr {
	switch e.Op {
	case "==", "!=", "<", ">", "<=", ">=":
		return w.binary(e.Op, e.Args[0], e.Args[1])
	case "!":
		if a := e.Args[0]; a.Op == "!" {
			return w.condition(a.Args[0])
		}
		return goExpr{"!" + w.condition(e.Args[0]).in(7), 6}
	case "&&", "||":
		x := w.condition(e.Args[0])
		before := len(w.lines)
		y := w.condition(e.Args[1])
		prec := map[string]int{"&&": 2, "||": 1}[e.Op]
		if len(w.lines) == before {
			return goExpr{x.in(prec) + " " + e.Op + " " + y.in(prec+1), prec}
		}
		// What y needs is computed only if it is asked for.
		tmp := w.temporary()
		test := tmp
		if e.Op == "||" {
			test = "!" + tmp
		}
		lines := append([]string{tmp + " := " + x.text, "if " + test + " {"}, w.lines[before:]...)
		w.lines = append(w.lines[:before], append(lines, tmp+" = "+y.text, "}")...)
		return goExpr{tmp, 7}
	case "const":
		return goExpr{fmt.Sprint(strings.Trim(e.Value, "-0") != ""), 7}
	case "cast":
		if from := e.Args[0]; from.Type == "_Bool" || e.Type == "_Bool" {
			return w.condition(from)
		}
	}
	if e.Type == "_Bool" {
		return w.value(e)
	}
	return goExpr{w.value(e).in(3) + " != 0", 3}
}
