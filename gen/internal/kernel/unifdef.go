package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// cutConditionals removes the parts of a C file whose #if conditions are
// decided by symbols, which tells of some macros whether they are defined.
// Everything else stays as it is, byte for byte: lines are only deleted, but
// for an #elif or #else that has to open or close what is left of its group.
// The name is for errors.
func cutConditionals(name string, data []byte, symbols map[string]bool) ([]byte, error) {
	if !mentions(data, symbols) {
		return data, nil
	}
	c := cutter{symbols: symbols, keep: true}
	c.out.Grow(len(data))
	var scan lineScanner
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if err := c.next(line, text, scan.next(text)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	if scan.mode == inComment {
		return nil, fmt.Errorf("%s:%d: the file ends within a comment", name, line)
	}
	if n := len(c.groups); n > 0 {
		return nil, fmt.Errorf("%s:%d: this #if has no #endif", name, c.groups[n-1].line)
	}
	return c.out.Bytes(), nil
}

func mentions(data []byte, symbols map[string]bool) bool {
	for s := range symbols {
		if bytes.Contains(data, []byte(s)) {
			return true
		}
	}
	return false
}

// A cutter walks over the lines of a file and copies those that stay.
type cutter struct {
	symbols map[string]bool
	groups  []ifGroup // the open ones
	keep    bool      // whether the lines here stay
	out     bytes.Buffer
}

// An ifGroup is an #if with what follows up to its #endif.
type ifGroup struct {
	line   int
	keep   bool // the cutter's keep around the group
	opened bool // a directive of the group was kept
	chosen bool // a condition was true, so that the branches after it go
	closed bool // an #endif was made of a later directive
	last   bool // the #else was seen
}

// next copies or drops one line.
func (c *cutter) next(line int, text []byte, d directive) error {
	if d.keyword == "" {
		if c.keep {
			c.out.Write(text)
		}
		return nil
	}
	if d.keyword == "if" || d.keyword == "ifdef" || d.keyword == "ifndef" {
		c.groups = append(c.groups, ifGroup{line: line, keep: c.keep})
	}
	if len(c.groups) == 0 {
		return fmt.Errorf("#%s without #if", d.keyword)
	}
	g := &c.groups[len(c.groups)-1]
	if g.last && d.keyword != "endif" {
		return fmt.Errorf("#%s after the #else of the #if in line %d", d.keyword, g.line)
	}
	g.last = d.keyword == "else"
	before := c.keep
	instead := d.keyword // "" for nothing
	switch {
	case d.keyword == "endif":
		if !g.keep || !g.opened || g.closed {
			instead = ""
		}
		c.keep = g.keep
		c.groups = c.groups[:len(c.groups)-1]
	case !g.keep:
		instead = ""
	case g.chosen:
		if c.keep, instead = false, ""; g.opened && !g.closed {
			g.closed, instead = true, "endif"
		}
	default:
		instead = c.branch(g, d)
	}
	return c.write(text, d, instead, before)
}

// branch decides about a branch of a group none of whose conditions was true
// so far, and returns the directive to write, if any.
func (c *cutter) branch(g *ifGroup, d directive) string {
	value, known := d.condition(c.symbols)
	c.keep = value || !known
	switch {
	case known && !value:
		return ""
	case !known && !g.opened && d.keyword == "elif":
		g.opened = true
		return "if"
	case !known:
		g.opened = true
		return d.keyword
	case !g.opened:
		g.chosen = true
		return ""
	case d.keyword == "elif":
		g.chosen = true
		return "else"
	}
	g.chosen = true
	return d.keyword
}

// write writes the directive with its keyword replaced by instead. A comment
// that crosses the end of the line may not be cut in two.
func (c *cutter) write(text []byte, d directive, instead string, before bool) error {
	head, tail := instead != "", false
	switch instead {
	case "":
	case d.keyword:
		tail = true
		c.out.Write(text)
	case "if": // padded, as in the installed headers
		tail = true
		c.out.Write(text[:d.at])
		c.out.WriteString("if  ")
		c.out.Write(text[d.at+len(d.keyword):])
	default:
		c.out.Write(text[:d.at])
		c.out.WriteString(instead + "\n")
	}
	if d.openStart && head != before || d.openEnd && tail != c.keep {
		return errors.New("cannot cut here: a comment or a backslash joins this line with its neighbour")
	}
	return nil
}

// A directive is a line of conditional compilation. The zero value is any
// other line.
type directive struct {
	keyword   string // if, ifdef, ifndef, elif, else, endif
	at        int    // where the keyword starts in the line
	rest      string // what follows it, without comments
	openStart bool   // the line starts within a comment
	openEnd   bool   // the line ends within a comment
	continued bool   // the directive goes on in the next line
}

// condition evaluates the condition of the directive. Without an answer, the
// condition depends on something else or is one that only a compiler
// understands.
func (d directive) condition(symbols map[string]bool) (value, known bool) {
	switch {
	case d.keyword == "else":
		return true, true
	case d.continued:
		return false, false
	case d.keyword == "ifdef" || d.keyword == "ifndef":
		defined, known := symbols[strings.TrimSpace(d.rest)]
		return defined == (d.keyword == "ifdef"), known
	}
	c := condition{text: d.rest, symbols: symbols}
	v := c.binary(0)
	if c.space(); c.text != "" || c.failed || !c.named {
		return false, false
	}
	return v.n != 0, v.known
}

// A lineScanner tells directives from text, comments and literals.
type lineScanner struct {
	mode      scanMode
	continued bool // the line before ended in a backslash
}

type scanMode uint8

const (
	inCode scanMode = iota
	inComment
	inLineComment
	inString
	inChar
)

// next scans the next line of the file.
func (s *lineScanner) next(line []byte) directive {
	first, start := !s.continued, s.mode
	text := bytes.TrimRight(line, "\r\n")
	s.continued = bytes.HasSuffix(text, []byte(`\`)) && len(text) < len(line)
	if s.continued {
		text = text[:len(text)-1]
	}
	code := s.blank(text)
	if !s.continued && s.mode != inComment {
		s.mode = inCode
	}
	at := len(code) - len(strings.TrimLeft(code, " \t"))
	if !first || start > inComment || at == len(code) || code[at] != '#' {
		return directive{}
	}
	at++
	at += len(code[at:]) - len(strings.TrimLeft(code[at:], " \t"))
	end := at + identLen(code[at:])
	d := directive{keyword: code[at:end], at: at, rest: code[end:], continued: s.continued}
	d.openStart, d.openEnd = start == inComment, s.mode == inComment
	switch d.keyword {
	case "if", "ifdef", "ifndef", "elif":
		return d
	case "else", "endif":
		d.openEnd = d.openEnd || d.continued
		return d
	}
	return directive{}
}

// blank overwrites comments with spaces.
func (s *lineScanner) blank(line []byte) string {
	b := bytes.Clone(line)
	for i := 0; i < len(b); i++ {
		two := string(line[i:min(i+2, len(line))])
		switch s.mode {
		case inCode:
			switch {
			case two == "/*":
				s.mode = inComment
				b[i], b[i+1] = ' ', ' '
				i++
			case two == "//":
				s.mode = inLineComment
				b[i] = ' '
			case b[i] == '"':
				s.mode = inString
			case b[i] == '\'':
				s.mode = inChar
			}
		case inComment:
			b[i] = ' '
			if two == "*/" {
				s.mode = inCode
				b[i+1] = ' '
				i++
			}
		case inLineComment:
			b[i] = ' '
		case inString, inChar:
			switch {
			case b[i] == '\\':
				i++
			case b[i] == '"' && s.mode == inString, b[i] == '\'' && s.mode == inChar:
				s.mode = inCode
			}
		}
	}
	return string(b)
}
