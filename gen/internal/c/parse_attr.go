package c

import (
	"slices"
	"strings"

	"modernc.org/cc/v4"
)

// attrs are the attributes that matter for layout.
type attrs struct {
	packed  bool
	aligned int64
	odd     bool   // cc has no right idea of it
	mode    string // of a typedef: QI, DI
	bad     string // an attribute that is not supported
}

func (a *attrs) add(b attrs) {
	a.packed = a.packed || b.packed
	a.odd = a.odd || b.odd
	a.aligned = max(a.aligned, b.aligned)
	if b.mode != "" {
		a.mode = b.mode
	}
	if b.bad != "" {
		a.bad = b.bad
	}
}

// attributes reads lists of __attribute__.
func (tu *translation) attributes(lists []*cc.AttributeSpecifierList) (a attrs) {
	for _, l := range lists {
		for ; l != nil; l = l.AttributeSpecifierList {
			list := l.AttributeSpecifier.AttributeValueList
			for v := list; v != nil; v = v.AttributeValueList {
				if v.AttributeValue == nil {
					continue
				}
				// cc keeps only the first and the last attribute of a list.
				if v != list && v.Token.Seq() != lastSeq(list.AttributeValue)+1 {
					a.bad = "more than two attributes in one list"
				}
				a.add(tu.attribute(v.AttributeValue))
			}
		}
	}
	return a
}

func lastSeq(v *cc.AttributeValue) int { return max(v.Token.Seq(), v.Token3.Seq()) }

func (tu *translation) attribute(v *cc.AttributeValue) (a attrs) {
	switch name := strings.Trim(v.Token.SrcStr(), "_"); name {
	case "packed":
		a.packed = true
	case "aligned":
		a.aligned, a.odd = tu.scope.abi.biggest, true
		if v.Case == cc.AttributeValueExpr {
			n, err := tu.number(tokens(v.ArgumentExpressionList), position(v.Token))
			if err != nil || n <= 0 || n&(n-1) != 0 || n > 1<<28 {
				a.bad = "attribute aligned with a strange argument"
			}
			a.aligned, a.odd = n, false
		}
	case "mode":
		a.mode, a.odd = "?", true
		if toks := tokens(v.ArgumentExpressionList); v.Case == cc.AttributeValueExpr && len(toks) == 1 {
			a.mode = strings.Trim(toks[0], "_")
		}
	case "vector_size", "ms_struct", "gcc_struct", "scalar_storage_order", "altivec":
		a.bad = "unsupported attribute " + name
	}
	return a
}

// alignas reads an _Alignas.
func (tu *translation) alignas(n *cc.AlignmentSpecifier) (a attrs) {
	var toks []string
	if n.Case == cc.AlignmentSpecifierType {
		toks = slices.Concat([]string{"_Alignof", "("}, tokens(n.TypeName), []string{")"})
	} else {
		toks = tokens(n.ConstantExpression)
	}
	v, err := tu.number(toks, position(n.Token))
	if err != nil || v < 0 || v&(v-1) != 0 || v > 1<<28 {
		a.bad = "_Alignas with a strange argument"
	}
	a.aligned = v
	return a
}

// packs are the alignments that #pragma pack takes.
var packs = map[string]int64{"1": 1, "2": 2, "4": 4, "8": 8, "16": 16}

// assertion checks a static assertion, or applies a #pragma pack, which
// rewrite has made one.
func (tu *translation) assertion(n *cc.StaticAssertDeclaration) {
	text := n.Token4.SrcStr()
	arg, ok := strings.CutPrefix(text, `"#pragma pack `)
	if !ok {
		if v, err := tu.number(tokens(n.ConstantExpression), position(n.Token)); err == nil && v == 0 {
			tu.errorf(position(n.Token), "static assertion fails: %s", text)
		}
		return
	}
	arg = strings.Trim(strings.TrimSpace(strings.TrimSuffix(arg, `"`)), "()")
	words := strings.FieldsFunc(arg, func(r rune) bool { return strings.ContainsRune(", \t\r", r) })
	pack := tu.pack
	for i, w := range words {
		switch {
		case w == "push" && i == 0:
			tu.packStack = append(tu.packStack, tu.pack)
		case w == "pop" && len(words) == 1 && len(tu.packStack) > 0:
			last := len(tu.packStack) - 1
			pack, tu.packStack = tu.packStack[last], tu.packStack[:last]
		case packs[w] != 0 && i == len(words)-1 && (i == 0 || words[0] == "push"):
			pack = packs[w]
		default:
			tu.errorf(position(n.Token), "#pragma pack(%s) is not supported", arg)
		}
	}
	if len(words) == 0 {
		pack = 0
	}
	tu.pack = pack
}
