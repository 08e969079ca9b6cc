package c

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"modernc.org/cc/v4"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A function-like macro becomes a function if what it expands to is one
// expression of integers for arguments that are variables of a type. It is
// evaluated like a constant, but for what depends on a parameter, which is kept
// as an expression with all of C's conversions.

// dependent is why what has a parameter in it is no constant.
const dependent = "depends on an argument"

// paramMark begins the names that stand for parameters.
const paramMark = "__gen_param"

// symbolic returns a value that is the expression of op, whose type is t.
func symbolic(t *ctype, op string, args ...model.Expr) value {
	return value{typ: t, sym: &model.Expr{Op: op, Type: t.c, Args: args}, why: dependent}
}

// depends reports whether an operator with these operands makes an expression
// that is kept: one of them depends on a parameter, and none is wrong.
func depends(operands ...value) bool {
	some := false
	for _, v := range operands {
		if v.sym == nil && v.why != "" {
			return false
		}
		some = some || v.sym != nil
	}
	return some
}

// operand is v in an expression.
func (e *evaluation) operand(v value) model.Expr {
	if v.sym != nil {
		return *v.sym
	}
	return model.Expr{Op: "const", Type: e.s.named(v.typ), Value: e.s.constant(v).ExactString()}
}

// named is how an expression calls an integer type.
func (s *scope) named(t *ctype) string {
	name := s.plain(t).c
	if name != "char" {
		return name
	}
	if s.abi.unsignedChar {
		return "unsigned char"
	}
	return "signed char"
}

// converted returns a dependent v as a value of type t.
func (e *evaluation) converted(v value, t *ctype) value {
	name := e.s.named(t)
	if v.sym.Type == name {
		v.typ = t
		return v
	}
	return value{typ: t, sym: &model.Expr{Op: "cast", Type: name, Args: []model.Expr{*v.sym}}, why: dependent}
}

// asFunction makes a function of the macro m, with arguments of the type arg.
func (tu *translation) asFunction(m macro, arg string) (model.Func, error) {
	def := tu.macros[m.name]
	f := model.Func{Name: m.name, Arg: arg, Params: []string{}, Pos: m.pos}
	if def.VarArg >= 0 {
		return f, fmt.Errorf("takes any number of arguments")
	}
	params := map[string]value{}
	t := tu.scope.basic[arg]
	var names []string
	for i, p := range def.Params {
		name := fmt.Sprint(paramMark, i)
		names = append(names, name)
		f.Params = append(f.Params, p.SrcStr())
		params[name] = value{typ: t, sym: &model.Expr{Op: "param", Type: tu.scope.named(t), Value: p.SrcStr()}, why: dependent}
	}
	toks, err := tu.expandCall(m.name, names)
	if err != nil {
		return f, err
	}
	e := &evaluation{s: tu.scope, toks: toks, params: params}
	v, err := e.whole()
	switch {
	case v.sym == nil && err != nil && err.Error() == dependent:
		return f, fmt.Errorf("takes an argument for more than a number")
	case v.sym == nil && err != nil:
		return f, err
	case v.sym == nil && v.str:
		return f, fmt.Errorf("is a string")
	}
	f.Body = e.operand(v)
	f.Type = f.Body.Type
	return f, nil
}

// expandCall returns what a macro expands to for these arguments.
func (tu *translation) expandCall(name string, args []string) ([]string, error) {
	cfg, err := newConfig(tu.arch, headerWork)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, m := range tu.closure([]string{name}) {
		text.WriteString(tu.definition(m))
	}
	for range 2 {
		fmt.Fprintf(&text, "%s %s(%s)\n", probeMark, name, strings.Join(args, ", "))
	}
	w := &tokenLines{}
	if err := cc.Preprocess(cfg, []cc.Source{{Name: macroFile, Value: text.String()}}, w); err != nil {
		return nil, fmt.Errorf("cannot be expanded")
	}
	switch {
	case len(w.lines) != 2 || !slices.Equal(w.lines[0], w.lines[1]) || tu.isElusive(name, map[string]bool{}):
		return nil, fmt.Errorf("changes from one expansion to the next")
	case len(w.lines[0]) == 0:
		return nil, fmt.Errorf("has no value")
	}
	for _, t := range w.lines[0] {
		if strings.Contains(t, paramMark) && !slices.Contains(args, t) {
			return nil, fmt.Errorf("pastes or quotes an argument")
		}
	}
	return w.lines[0], nil
}

// shiftCount checks the right operand of a shift.
func (e *evaluation) shiftCount(x, y value) string {
	if y.sym == nil && y.n >= uint64(8*x.typ.size) {
		return cmp.Or(y.why, fmt.Sprintf("shifts %s by %s", x.typ.c, e.s.constant(y)))
	}
	return ""
}

// applied is x op y where one of them depends on a parameter. Their types are
// what the operator wants.
func (e *evaluation) applied(op string, t *ctype, x, y value) value {
	if (op == "/" || op == "%") && y.sym == nil && y.n == 0 {
		return value{typ: t, why: "division by zero"}
	}
	return symbolic(e.s.plain(t), op, e.operand(x), e.operand(y))
}
