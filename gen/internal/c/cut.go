package c

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A declaration that the parser does not understand is cut out of its header,
// which is then read again without it: it takes nothing along but what needs
// it. maxCuts is how many may go.
const maxCuts = 100

// A place is where the parser gave up, and why.
type place struct {
	file string
	line int // as cc counts
	why  string
}

// A span is a declaration in the text of a header.
type span struct{ from, to int }

// cutAt blanks the declaration at a line of a header but for the directives in
// it. It returns what it was, or false if there is no whole declaration.
func (s *sources) cutAt(p place) (model.Skip, bool) {
	text := s.text[p.file]
	at := 0
	for range p.line - 1 {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return model.Skip{}, false
		}
		at += i + 1
	}
	end := len(text)
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		end = at + i
	}
	for _, d := range declarations(text) {
		if d.to <= at || d.from > end {
			continue
		}
		old := text[d.from:d.to]
		cut := bytes.Clone(text)
		blank(cut[d.from:d.to])
		s.text[p.file] = cut
		line := bytes.Count(text[:d.from], []byte("\n")) + 1
		if s.usesVaOpt(old) {
			p.why = hasVaOpt
		}
		return model.Skip{Name: declarationName(old), Reason: p.why, Pos: model.Pos{File: p.file, Line: headerLine(line)}}, true
	}
	return model.Skip{}, false
}

// usesVaOpt reports whether a declaration names a macro that has __VA_OPT__.
func (s *sources) usesVaOpt(declaration []byte) bool {
	for _, text := range s.text {
		if !bytes.Contains(text, []byte(vaOpt)) {
			continue
		}
		for _, m := range vaOptMacro.FindAllSubmatch(text, -1) {
			if regexp.MustCompile(`\b` + string(m[1]) + `\b`).Match(declaration) {
				return true
			}
		}
	}
	return false
}

// vaOptMacro is the definition of a macro with __VA_OPT__, over continued lines.
var vaOptMacro = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*define[ \t]+(\w+)\((?:[^\n]|\\\n)*` + vaOpt)

// blank overwrites what is neither a directive nor the end of a line.
func blank(text []byte) {
	directive, start := false, true
	for i, c := range text {
		switch {
		case c == '\n':
			directive = directive && i > 0 && text[i-1] == '\\'
			start = true
			continue
		case start && c == '#':
			directive = true
		}
		if c != ' ' && c != '\t' {
			start = false
		}
		if !directive {
			text[i] = ' '
		}
	}
}

var (
	tagged   = regexp.MustCompile(`^(?:typedef\s+)?(struct|union|enum)\s+([A-Za-z_]\w*)`)
	declared = regexp.MustCompile(`([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*|\([^()]*\)\s*)*;\s*$`)
)

// declarationName is what a person calls a declaration that cannot be read.
func declarationName(text []byte) string {
	t := strings.TrimSpace(string(text))
	if m := declared.FindStringSubmatch(t); m != nil && strings.HasPrefix(t, "typedef") {
		return m[1]
	}
	if m := tagged.FindStringSubmatch(t); m != nil {
		return m[1] + " " + m[2]
	}
	if m := declared.FindStringSubmatch(t); m != nil {
		return m[1]
	}
	line, _, _ := strings.Cut(t, "\n")
	if len(line) > 40 {
		line = line[:40]
	}
	return strings.TrimSpace(line)
}

// declarations finds the declarations at file scope. One ends with a semicolon
// or, if it is a function, with the brace of its body. Branches of #if that
// open a brace each are taken for one that does.
func declarations(text []byte) (all []span) {
	var depths []int // outside of the #if's
	depth, from, function := 0, -1, false
	last := byte(0) // the last character that is no space
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '/' && i+1 < len(text) && text[i+1] == '*':
			n := bytes.Index(text[i+2:], []byte("*/"))
			if n < 0 {
				return all
			}
			i += n + 3
			continue
		case c == '/' && i+1 < len(text) && text[i+1] == '/', c == '#' && atLineStart(text, i):
			n := endOfLine(text, i)
			if c == '#' {
				word := strings.TrimLeft(string(text[i+1:n]), " \t")
				switch {
				case strings.HasPrefix(word, "if"):
					depths = append(depths, depth)
				case strings.HasPrefix(word, "el") && len(depths) > 0:
					depth = depths[len(depths)-1]
				case strings.HasPrefix(word, "endif") && len(depths) > 0:
					depths = depths[:len(depths)-1]
				}
			}
			i = n
			continue
		case c == '"' || c == '\'':
			for i++; i < len(text) && text[i] != c && text[i] != '\n'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			continue
		}
		if from < 0 {
			from, function = i, false
		}
		switch c {
		case '{':
			function = function || depth == 0 && last == ')'
			depth++
		case '(', '[':
			depth++
		case '}', ')', ']':
			depth = max(depth-1, 0)
		}
		if depth == 0 && (c == ';' || c == '}' && function) {
			all = append(all, span{from, i + 1})
			from = -1
		}
		last = c
	}
	return all
}

func atLineStart(text []byte, i int) bool {
	for i--; i >= 0; i-- {
		if text[i] == '\n' {
			return true
		}
		if text[i] != ' ' && text[i] != '\t' {
			return false
		}
	}
	return true
}

// endOfLine returns the index of the newline that ends a line, and those that
// it continues in.
func endOfLine(text []byte, i int) int {
	for ; i < len(text); i++ {
		if text[i] == '\n' && text[i-1] != '\\' {
			return i
		}
	}
	return len(text)
}
