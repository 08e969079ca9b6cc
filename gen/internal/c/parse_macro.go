package c

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"modernc.org/cc/v4"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A macro is one as it stands at the end of the translation unit.
type macro struct {
	name   string
	number string // all of its body, if that is a number
	fnLike bool
	empty  bool
	self   bool // defined as its own name
	pos    model.Pos
	end    int // its last line
}

// macroList returns the macros in the order of their names.
func (tu *translation) macroList() []macro {
	if tu.list != nil {
		return tu.list
	}
	l := make([]macro, 0, len(tu.macros))
	for _, name := range slices.Sorted(maps.Keys(tu.macros)) {
		m := tu.macros[name]
		p := position(m.Name)
		body := m.ReplacementList()
		end := p.Line
		if len(body) > 0 {
			end = position(body[len(body)-1]).Line
		}
		out := macro{name: name, fnLike: m.IsFnLike, empty: len(body) == 0, pos: p, end: end}
		if len(body) == 1 {
			text := body[0].SrcStr()
			out.self = text == name
			if text[0] >= '0' && text[0] <= '9' {
				out.number = text
			}
		}
		l = append(l, out)
	}
	tu.list = l
	return l
}

// An expansion is the tokens that a macro expands to, or why it has none.
type expansion struct {
	toks []string
	why  string
}

// expand returns the expansions of the macros names, without a memory. Those that expand beyond
// measure must not spoil the others: they are found by halves.
func (tu *translation) expand(names []string) map[string]expansion {
	all := map[string]expansion{}
	work := func(names []string) int { return headerWork + macroWork*len(names) }
	left := 8 * work(names)
	var expand func(names []string)
	expand = func(names []string) {
		if len(names) == 0 {
			return
		}
		limit := min(left, work(names))
		lines, err := tu.expandTwice(names, limit)
		switch half := len(names) / 2; {
		case err == nil:
			for i, name := range names {
				x := expansion{toks: lines[i]}
				if !slices.Equal(x.toks, lines[len(names)+i]) || tu.isElusive(name, map[string]bool{}) || slices.Contains(x.toks, strconv.Quote(macroFile)) {
					x.why = "changes from one expansion to the next"
				}
				all[name] = x
			}
			return
		case left > limit && half > 0:
			left -= limit
			expand(names[:half])
			expand(names[half:])
			return
		}
		left = max(left-limit, 1)
		why := tu.explain(err.Error())
		for _, name := range names {
			all[name] = expansion{why: why[strings.Index(why, ": ")+2:]}
		}
	}
	expand(names)
	return all
}

// expandTwice returns what each of the macros names expands to, and then all
// of it again, from another place, within so much work.
func (tu *translation) expandTwice(names []string, work int) ([][]string, error) {
	cfg, err := newConfig(tu.arch, work)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, name := range tu.closure(names) {
		text.WriteString(tu.definition(name))
	}
	for range 2 {
		for _, name := range names {
			text.WriteString(probeMark + " " + name + "\n")
		}
	}
	w := &tokenLines{}
	if err := cc.Preprocess(cfg, []cc.Source{{Name: macroFile, Value: text.Bytes()}}, w); err != nil {
		return nil, err
	}
	if len(w.lines) != 2*len(names) {
		return nil, errors.New("the lines run together")
	}
	return w.lines, nil
}

// macroFile is what a pasted __FILE__ would be.
const macroFile = "<macros>"

// probeMark begins the line of each expansion.
const probeMark = "__gen_probe"

// tokenLines collects tokens, which cc writes one at a time, into the lines
// that begin with probeMark.
type tokenLines struct{ lines [][]string }

func (w *tokenLines) Write(b []byte) (int, error) {
	switch t := string(b); {
	case t == probeMark:
		w.lines = append(w.lines, nil)
	case strings.TrimSpace(t) != "" && len(w.lines) > 0:
		last := len(w.lines) - 1
		w.lines[last] = append(w.lines[last], t)
	}
	return len(b), nil
}

// elusive are the macros whose expansion depends on more than the headers.
var elusive = map[string]bool{"__FILE__": true, "__LINE__": true, "__DATE__": true, "__TIME__": true, "__TIMESTAMP__": true, "__COUNTER__": true, "__INCLUDE_LEVEL__": true}

// isElusive reports whether the macro name may expand to one of elusive.
func (tu *translation) isElusive(name string, seen map[string]bool) bool {
	m := tu.macros[name]
	if elusive[name] || m == nil || seen[name] {
		return elusive[name]
	}
	seen[name] = true
	return slices.ContainsFunc(m.ReplacementList(), func(t cc.Token) bool { return tu.isElusive(t.SrcStr(), seen) })
}

// definition returns the line that defines the macro name.
func (tu *translation) definition(name string) string {
	if line := tu.definitions[name]; line != "" {
		return line
	}
	m := tu.macros[name]
	var b strings.Builder
	b.WriteString("#define " + name)
	if m.IsFnLike {
		var params []string
		for i, p := range m.Params {
			name := p.SrcStr()
			if i == m.VarArg {
				name += "..."
			}
			params = append(params, name)
		}
		if m.VarArg == len(m.Params) {
			params = append(params, "...")
		}
		b.WriteString("(" + strings.Join(params, ", ") + ")")
	}
	b.WriteByte(' ')
	for _, t := range m.ReplacementList() {
		if len(t.Sep()) > 0 {
			b.WriteByte(' ')
		}
		b.Write(t.Src())
	}
	b.WriteByte('\n')
	tu.definitions[name] = b.String()
	return b.String()
}

// A question is an expression for cc. The answer depends on nothing but the
// sizes of the integers and the sign of char, which architectures share, and often
// not even on these.
type question struct {
	expr         string
	bits         int
	unsignedChar bool
}

// probe asks cc for the value and the type of each expression, which needs no
// declarations. A result is empty where cc has none. What was asked before is
// not asked again.
func (tu *translation) probe(probes []probe) []string {
	results := make([]string, len(probes))
	var asked []probe
	var at []int
	for i, p := range probes {
		if answer, ok := tu.memory.answers.Load(tu.question(p)); ok {
			results[i] = answer.(string)
			continue
		}
		asked, at = append(asked, p), append(at, i)
	}
	if len(asked) == 0 {
		return results
	}
	for i, answer := range tu.ask(asked) {
		results[at[i]] = answer
		tu.memory.answers.Store(tu.question(asked[i]), answer)
	}
	return results
}

func (tu *translation) question(p probe) question {
	if isAlike(p.expr) {
		return question{expr: p.expr}
	}
	return question{p.expr, tu.arch.Bits, tu.scope.abi.unsignedChar}
}

// isAlike reports whether an expression is the same on all architectures: all that
// is in it is an int or a long long, with a sign or without.
func isAlike(expr string) bool {
	for t := range strings.FieldsSeq(expr) {
		switch c := t[0]; {
		case '0' <= c && c <= '9':
			n := strings.TrimRight(strings.ToLower(t), "ul")
			suffix := strings.ReplaceAll(strings.ToLower(t)[len(n):], "u", "")
			v, err := strconv.ParseUint(n, 0, 64)
			if err != nil || suffix != "ll" && (suffix != "" || v>>31 != 0) {
				return false
			}
		case c == '\'' || c == '"' || c >= 0x80:
			return false
		case c == '_' || 'a' <= c|' ' && c|' ' <= 'z':
			if t != "int" && t != "unsigned" && t != "signed" && t != "short" {
				return false
			}
		}
	}
	return true
}

// ask is probe without a memory.
func (tu *translation) ask(probes []probe) []string {
	results := make([]string, len(probes))
	cfg, err := newConfig(tu.arch, headerWork+macroWork*len(probes))
	if err != nil {
		return results
	}
	left := make([]int, len(probes))
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		var text strings.Builder
		text.WriteString("int __predefined_declarator;\n")
		for _, i := range left {
			fmt.Fprintf(&text, "static const __typeof__(%s) probe_%d = (%s);\n", probes[i].expr, i, probes[i].expr)
		}
		ast, err := cc.Translate(cfg, []cc.Source{{Name: "<probes>", Value: text.String()}})
		if err != nil {
			// Leave out the expressions that cc complains of, at least one.
			bad := map[int]bool{}
			for l := range strings.SplitSeq(err.Error(), "\n") {
				if m := ccPosition.FindStringSubmatch(l); m != nil {
					n, _ := strconv.Atoi(m[2])
					bad[n-2] = true
				}
			}
			var rest []int
			for at, i := range left {
				if !bad[at] {
					rest = append(rest, i)
				}
			}
			if len(rest) == len(left) {
				rest = rest[:len(rest)/2]
			}
			left = rest
			continue
		}
		for l := ast.TranslationUnit; l != nil; l = l.TranslationUnit {
			d := l.ExternalDeclaration.Declaration
			if d == nil || d.InitDeclaratorList == nil {
				continue
			}
			id := d.InitDeclaratorList.InitDeclarator
			if n, ok := strings.CutPrefix(id.Declarator.Name(), "probe_"); ok && id.Initializer != nil {
				i, _ := strconv.Atoi(n)
				results[i] = probed(id)
			}
		}
		break
	}
	return results
}

// probed spells the value and the type of a probe.
func probed(id *cc.InitDeclarator) string {
	e := id.Initializer.AssignmentExpression
	var val string
	switch v := e.Value().(type) {
	case cc.Int64Value:
		val = strconv.FormatInt(int64(v), 10)
	case cc.UInt64Value:
		val = strconv.FormatUint(uint64(v), 10)
	default:
		return ""
	}
	return val + " " + kindNames[e.Type().Kind()]
}

// kindNames gives the names of cc's integer types.
var kindNames = map[cc.Kind]string{
	cc.Bool: "_Bool", cc.Char: "char", cc.SChar: "signed char", cc.UChar: "unsigned char", cc.Short: "short", cc.UShort: "unsigned short",
	cc.Int: "int", cc.UInt: "unsigned int", cc.Long: "long", cc.ULong: "unsigned long", cc.LongLong: "long long", cc.ULongLong: "unsigned long long",
}
