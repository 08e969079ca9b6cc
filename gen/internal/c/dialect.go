package c

import (
	"bytes"
	"regexp"
	"strings"
)

// GCC and C23 allow attributes where cc does not, or cc loses them. Here they
// come to stand where it keeps them, on the same lines.

var (
	attributeWord  = regexp.MustCompile(`\b__attribute(?:__)?\s*\(\s*\(`)
	standardOpen   = []byte("[[")
	attributeComma = regexp.MustCompile(`\)\s*\)\s*,`)
)

// rewriteAttributes returns b with its attributes as cc knows them.
func rewriteAttributes(b []byte) []byte {
	if bytes.Contains(b, standardOpen) {
		b = rewriteStandard(b)
	}
	if !bytes.Contains(b, []byte("__attribute")) {
		return b
	}
	b = splitLists(b)
	if attributeComma.Match(b) {
		b = splitDeclarators(b)
	}
	return b
}

// rewriteStandard makes __attribute__((packed)) of [[gnu::packed]].
func rewriteStandard(b []byte) []byte {
	var out []byte
	for {
		i := bytes.Index(b, standardOpen)
		if i < 0 {
			return append(out, b...)
		}
		end := matching(b, i)
		if end < 0 || b[end-2] != ']' || !attributePlace(b[:i]) {
			out, b = append(out, b[:i+2]...), b[i+2:]
			continue
		}
		list := bytes.ReplaceAll(b[i+2:end-2], []byte("gnu::"), nil)
		out = append(append(append(append(out, b[:i]...), "__attribute__(("...), list...), "))"...)
		b = b[end:]
	}
}

// attributePlace reports whether [[ behind this text begins attributes, and not
// an index of something.
func attributePlace(before []byte) bool {
	before = bytes.TrimRight(before, " \t\r\n")
	if len(before) == 0 {
		return true
	}
	n := len(before)
	for n > 0 && isWordByte(before[n-1]) {
		n--
	}
	switch word := string(before[n:]); word {
	case "struct", "union", "enum":
		return true
	case "":
		return strings.IndexByte(";{})", before[len(before)-1]) >= 0
	}
	return false
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// matching returns the index behind the bracket that closes the one at i, or -1.
func matching(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			for i++; i < len(b) && b[i] != '"' && b[i] != '\n'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		}
	}
	return -1
}

// splitLists makes a list of one attribute of each in a list of more than two,
// of which cc keeps the first and the last.
func splitLists(b []byte) []byte {
	var out []byte
	for {
		m := attributeWord.FindIndex(b)
		if m == nil {
			if out == nil {
				return b
			}
			return append(out, b...)
		}
		first := m[1]
		end := matching(b, first-1) // behind the inner bracket
		if end < 0 {
			return append(out, b...)
		}
		items := topLevel(b[first : end-1])
		out = append(out, b[:m[1]]...)
		if len(items) > 2 {
			out = append(out, bytes.Join(items, []byte(")) __attribute__(("))...)
		} else {
			out = append(out, b[first:end-1]...)
		}
		b = b[end-1:]
	}
}

// topLevel splits a list at the commas outside of brackets.
func topLevel(list []byte) (items [][]byte) {
	depth, from := 0, 0
	for i, c := range list {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				items = append(items, list[from:i])
				from = i + 1
			}
		}
	}
	return append(items, list[from:])
}

// splitDeclarators makes two declarations of a member's where an attribute
// stands before a comma: T a ATTRIBUTE, b; becomes T a ATTRIBUTE; T b;
func splitDeclarators(b []byte) []byte {
	type block struct {
		members bool // of a struct or union
		from    int  // where its current declaration begins
	}
	var out []byte
	var open []block
	done := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '/' && i+1 < len(b) && b[i+1] == '*':
			n := bytes.Index(b[i+2:], []byte("*/"))
			if n < 0 {
				i = len(b)
				break
			}
			i += n + 3
		case c == '/' && i+1 < len(b) && b[i+1] == '/', c == '#' && atLineStart(b, i):
			i = endOfLine(b, i)
		case c == '(' || c == '[' || c == '"':
			if end := closing(b, i); end > 0 {
				i = end - 1
			}
		case c == '{':
			open = append(open, block{recordHead.Match(b[max(0, i-200):i]), i + 1})
		case len(open) == 0:
		case c == '}':
			open = open[:len(open)-1]
		case c == ';':
			open[len(open)-1].from = i + 1
		case c == ',' && open[len(open)-1].members && endsInAttribute(b[:i]):
			if t := specifiersOf(b[open[len(open)-1].from:i]); t != "" {
				out = append(append(append(out, b[done:i]...), "; "...), t...)
				done = i + 1
			}
		}
	}
	if out == nil {
		return b
	}
	return append(out, b[done:]...)
}

// closing is matching, for a string too.
func closing(b []byte, i int) int {
	if b[i] != '"' {
		return matching(b, i)
	}
	for i++; i < len(b) && b[i] != '"' && b[i] != '\n'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

var (
	// recordHead is what stands before the brace of a struct or union.
	recordHead = regexp.MustCompile(`\b(?:struct|union)(?:\s+__attribute(?:__)?\s*\(\([^;{}]*\)\))*(?:\s+\w+)?\s*$`)
	attributed = regexp.MustCompile(`__attribute(?:__)?\s*\(\((?:[^()]|\([^()]*\))*\)\)\s*$`)
	// firstMember is a declaration up to the name of the first member and what
	// may follow it.
	firstMember = regexp.MustCompile(`^((?:\s*\w+\s+|\s*\w+\s*(?:\*\s*)+)+)\w+\s*(?:\[[^\]]*\]\s*)*(?::[^,]*?)?\s*(?:,|__attribute)`)
	comments    = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
)

func endsInAttribute(b []byte) bool { return attributed.Match(b[max(0, len(b)-400):]) }

// specifiersOf returns the type of a declaration without the stars of its first
// declarator, on one line, or "" if it is not as simple as that.
func specifiersOf(declaration []byte) string {
	m := firstMember.FindSubmatch(comments.ReplaceAll(declaration, nil))
	if m == nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.TrimRight(string(m[1]), "* \t\r\n")), " ") + " "
}
