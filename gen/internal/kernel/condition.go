package kernel

import (
	"strconv"
	"strings"
)

// A condition is an #if expression that is being evaluated by the rules of
// three-valued logic. It knows what kernel headers decide about __KERNEL__
// with; anything else fails, which makes the condition unknown.
type condition struct {
	text    string // what is left of it
	symbols map[string]bool
	named   bool // it contains a name; one that does not, like 0, is left alone
	failed  bool
	depth   int
}

// A maybe is a number that may be unknown.
type maybe struct {
	n     int64
	known bool
}

func truth(b bool) maybe {
	if b {
		return maybe{1, true}
	}
	return maybe{0, true}
}

// conditionOps has the binary operators, loosest first, and among equals the
// longest first.
var conditionOps = [][]string{{"||"}, {"&&"}, {"==", "!="}, {"<=", ">=", "<", ">"}}

func (c *condition) binary(level int) maybe {
	if level == len(conditionOps) {
		return c.unary()
	}
	v := c.binary(level + 1)
	for {
		op := c.operator(conditionOps[level])
		if op == "" {
			return v
		}
		v = apply(op, v, c.binary(level+1))
	}
}

func (c *condition) operator(ops []string) string {
	c.space()
	for _, op := range ops {
		if c.take(op) {
			return op
		}
	}
	return ""
}

func apply(op string, a, b maybe) maybe {
	decides := op == "||" // the operand that alone decides the result
	if op == "||" || op == "&&" {
		if a.known && (a.n != 0) == decides || b.known && (b.n != 0) == decides {
			return truth(decides)
		}
	}
	if !a.known || !b.known {
		return maybe{}
	}
	switch op {
	case "==":
		return truth(a.n == b.n)
	case "!=":
		return truth(a.n != b.n)
	case "<=":
		return truth(a.n <= b.n)
	case ">=":
		return truth(a.n >= b.n)
	case "<":
		return truth(a.n < b.n)
	case ">":
		return truth(a.n > b.n)
	}
	return truth(!decides) // neither operand of || or && decided it
}

func (c *condition) unary() maybe {
	c.space()
	if c.depth++; c.depth > 100 {
		return c.fail()
	}
	defer func() { c.depth-- }()
	switch {
	case c.take("!"):
		v := c.unary()
		if v.known {
			v = truth(v.n == 0)
		}
		return v
	case c.take("("):
		v := c.binary(0)
		if c.space(); !c.take(")") {
			return c.fail()
		}
		return v
	}
	word := c.word()
	switch {
	case word == "":
		return c.fail()
	case word[0] >= '0' && word[0] <= '9':
		n, err := strconv.ParseInt(strings.TrimRight(word, "uUlL"), 0, 32)
		if err != nil {
			return c.fail()
		}
		return maybe{n, true}
	case word == "defined":
		return c.defined()
	}
	c.named = true
	defined, known := c.symbols[word]
	if !known || defined {
		c.arguments()
	}
	return maybe{truth(defined).n, known}
}

func (c *condition) defined() maybe {
	c.named = true
	c.space()
	paren := c.take("(")
	c.space()
	defined, known := c.symbols[c.word()]
	c.space()
	if paren && !c.take(")") {
		return c.fail()
	}
	return maybe{truth(defined).n, known}
}

// arguments skips the arguments of a macro.
func (c *condition) arguments() {
	c.space()
	if !strings.HasPrefix(c.text, "(") {
		return
	}
	level := 0
	for i, r := range c.text {
		switch r {
		case '(':
			level++
		case ')':
			level--
		}
		if level == 0 {
			c.text = c.text[i+1:]
			return
		}
	}
	c.fail()
}

func (c *condition) space() { c.text = strings.TrimLeft(c.text, " \t\r") }

func (c *condition) take(s string) bool {
	rest, ok := strings.CutPrefix(c.text, s)
	c.text = rest
	return ok
}

func (c *condition) word() string {
	n := identLen(c.text)
	word := c.text[:n]
	c.text = c.text[n:]
	return word
}

func (c *condition) fail() maybe {
	c.failed, c.text = true, ""
	return maybe{}
}

// identLen is the length of the identifier, or number, at the start of s.
func identLen(s string) int {
	for i := range len(s) {
		if b := s[i]; b != '_' && (b < '0' || '9' < b) && (b|' ' < 'a' || 'z' < b|' ') {
			return i
		}
	}
	return len(s)
}
