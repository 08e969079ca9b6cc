package model

// A Func is a function-like macro that is one expression of its arguments,
// which all have the type Arg.
type Func struct {
	Name   string   `json:"name"`
	Params []string `json:"params"`
	Arg    string   `json:"arg"`  // a C type: "unsigned int"
	Type   string   `json:"type"` // of the result
	Body   Expr     `json:"body"`
	Words
	Pos Pos `json:"pos"`
}

// An Expr is an expression of C, with every conversion in it. Its type is one
// of C's integer types in full, of which plain char is none. The operands of an
// operator have the type of the result, but for those of comparisons, which
// have one type, the right one of a shift, and those of && || ! and the first
// of ?:, which have any. What can be computed is a constant.
type Expr struct {
	Op    string `json:"op"` // "param", "const", "cast", "neg", "~", "!", "?:", or a binary operator of C
	Type  string `json:"type"`
	Value string `json:"value,omitempty"` // the name of a parameter; or a number
	Args  []Expr `json:"args,omitempty"`
}

// A FuncWish asks for macros as functions.
type FuncWish struct {
	Pattern string // of names
	Arg     string // the C type of their arguments
}

// Function returns the C type of the arguments of a macro that is wanted as a
// function, or "".
func (g Group) Function(name string) string {
	for _, f := range g.Funcs {
		if Matches(f.Pattern, name) {
			return f.Arg
		}
	}
	return ""
}
