package c

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// Comments are matched with declarations by lines. A comment behind a
// declaration, on the line where it ends, is on it if nothing else is declared
// there. One that fills the lines right above a declaration is on it if another
// does not follow directly: then it may be on all of them, and is told as
// standing above. What kernel-doc says is matched by names. In doubt a comment is on
// nothing.

// A comment is one of a header, or several of // below each other.
type comment struct {
	from, to  int // its lines
	col       int // where it begins, with tabs of 8
	text      string
	kernelDoc bool // it begins like kernel-doc
	behind    bool // code stands before it on its first line
	ends      bool // and none behind it on its last
	directive bool // it is in one
	prev      byte // the last character of code before it, directives aside
	next      byte // and the first behind it
}

// A commented is a header taken apart into comments and code. Nobody changes it.
type commented struct {
	code     []string             // the lines from 1 on, with blanks for comments
	before   []byte               // for each line the last character of code before it, directives aside
	comments []comment            // in the order of their lines
	docs     map[string]kernelDoc // by what they are on, "struct x" or the name of a macro
	licence  string
}

// commentsOf takes a header apart.
func (tu *translation) commentsOf(file string) *commented {
	if c := tu.commented[file]; c != nil {
		return c
	}
	text, err := fs.ReadFile(tu.src.fsys, file)
	if err != nil {
		text = nil // it is one of gen's own
	}
	c := tu.memory.commented(text)
	if tu.commented == nil {
		tu.commented = map[string]*commented{}
	}
	tu.commented[file] = c
	return c
}

// commented takes a header apart, which is the same for many architectures, once.
func (m *memory) commented(text []byte) *commented {
	sum := sha256.Sum256(text)
	if c, ok := m.comments.Load(sum); ok {
		return c.(*commented)
	}
	c := readComments(text)
	m.comments.Store(sum, c)
	return c
}

var spdx = regexp.MustCompile(`SPDX-License-Identifier:\s*([A-Za-z0-9 .()+-]*[A-Za-z0-9)+])`)

func readComments(text []byte) *commented {
	c := &commented{code: []string{""}, before: []byte{0}, docs: map[string]kernelDoc{}}
	if m := spdx.FindSubmatch(text); m != nil {
		c.licence = string(m[1])
	}
	var line bytes.Buffer // its code
	var last byte         // of code, directives aside
	number, col := 1, 0
	directive := false
	c.before = append(c.before, 0)
	newline := func() {
		code := strings.TrimRight(line.String(), " ")
		c.code = append(c.code, code)
		directive = directive && strings.HasSuffix(code, `\`)
		line.Reset()
		number, col = number+1, 0
		c.before = append(c.before, last)
	}
	emit := func(b byte) {
		if b == '\t' {
			col += 8 - col%8
			line.WriteByte(' ')
			return
		}
		col++
		line.WriteByte(b)
		if b == ' ' || b == '\r' || b == '\f' || b == '\v' {
			return
		}
		if b == '#' && strings.TrimSpace(line.String()) == "#" {
			directive = true
		}
		if directive {
			return
		}
		last = b
		for i := len(c.comments) - 1; i >= 0 && c.comments[i].next == 0; i-- {
			c.comments[i].next = b
		}
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case rest[0] == '\n':
			newline()
			i++
		case bytes.HasPrefix(rest, []byte("/*")), bytes.HasPrefix(rest, []byte("//")):
			n := endOfComment(rest)
			begin := comment{from: number, col: col, behind: strings.TrimSpace(line.String()) != "", directive: directive, prev: last,
				text: commentText(string(rest[:n])), kernelDoc: bytes.HasPrefix(rest, []byte("/**")) && n > 4 && rest[3] != '*'}
			for _, b := range rest[:n] {
				if b == '\n' {
					inside := directive // a comment does not end a directive
					newline()
					directive = inside
				} else {
					col++
				}
			}
			line.WriteByte(' ')
			begin.to = number
			tail := text[i+n:]
			if end := bytes.IndexByte(tail, '\n'); end >= 0 {
				tail = tail[:end]
			}
			begin.ends = len(bytes.TrimSpace(tail)) == 0
			c.comments = append(c.comments, begin)
			i += n
		case rest[0] == '"', rest[0] == '\'':
			n := 1
			for n < len(rest) && rest[n] != rest[0] && rest[n] != '\n' {
				if rest[n] == '\\' && n+1 < len(rest) && rest[n+1] != '\n' {
					n++
				}
				n++
			}
			if n < len(rest) && rest[n] == rest[0] {
				n++
			}
			for _, b := range rest[:n] {
				emit(b)
			}
			i += n
		default:
			emit(rest[0])
			i++
		}
	}
	newline()
	c.join()
	for _, k := range c.comments {
		if k.kernelDoc {
			if on, doc, ok := readKernelDoc(k.text); ok {
				c.docs[on] = doc
			}
		}
	}
	return c
}

// endOfComment is the length of the comment that a text begins with.
func endOfComment(text []byte) int {
	if text[1] == '*' {
		if end := bytes.Index(text[2:], []byte("*/")); end >= 0 {
			return end + 4
		}
		return len(text)
	}
	for n := range text {
		if text[n] == '\n' && text[n-1] != '\\' {
			return n
		}
	}
	return len(text)
}

// join makes one comment of those that continue each other: they are right below
// each other, begin in the same column, and are alone on their lines but for the
// first. Blocks above a declaration stay apart.
func (c *commented) join() {
	var all []comment
	lineComment := func(k comment) bool { return k.from == k.to && !k.kernelDoc }
	for _, k := range c.comments {
		if n := len(all) - 1; n >= 0 && !k.behind && k.ends && all[n].ends && k.from == all[n].to+1 && k.col == all[n].col &&
			!k.kernelDoc && !all[n].kernelDoc && (all[n].behind || lineComment(k) && lineComment(all[n]) && k.text != "") {
			all[n].to, all[n].next = k.to, k.next
			all[n].text = strings.Trim(all[n].text+"\n"+k.text, "\n")
			continue
		}
		all = append(all, k)
	}
	c.comments = all
}

// commentText strips the marks from a comment: what is left is its lines, as far
// indented as they are within it.
func commentText(raw string) string {
	var lines []string
	if strings.HasPrefix(raw, "//") {
		lines = []string{strings.TrimLeft(raw, "/!<")}
	} else {
		raw = strings.TrimSuffix(strings.TrimPrefix(raw, "/*"), "*/")
		lines = strings.Split(raw, "\n")
		for i, l := range lines {
			l = strings.TrimRight(l, " \t\r")
			if i > 0 {
				l = strings.TrimLeft(l, " \t")
			}
			if strings.Trim(l, "*-=+_~#/ \t") == "" { // the edge of a box
				l = ""
			}
			if box := strings.TrimRight(strings.TrimSuffix(l, "*"), " \t"); len(l)-len(box) > 2 {
				l = box
			}
			lines[i] = strings.TrimLeft(l, "*!<")
			if i == len(lines)-1 {
				lines[i] = strings.TrimRight(lines[i], "* \t")
			}
		}
	}
	least := -1
	for _, l := range lines {
		if text := strings.TrimLeft(l, " \t"); text != "" && (least < 0 || len(l)-len(text) < least) {
			least = len(l) - len(text)
		}
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(l[min(max(least, 0), len(l)):], " \t\r")
	}
	if len(lines) > 1 { // the first one stands where the comment begins
		lines[0] = strings.TrimLeft(lines[0], " \t")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// A kernelDoc is what a comment in the kernel's form says of a type or a macro and
// of its members.
type kernelDoc struct {
	text    string
	members map[string]string
}

var (
	docHead   = regexp.MustCompile(`^(?:(struct|union|enum|typedef|define)\s+)?([A-Za-z_]\w*)(\([^)]*\))?\s*(?:(?:-|:)\s*(.*))?$`)
	docMember = regexp.MustCompile(`^@((?:[A-Za-z_][\w.\[\]]*)(?:\s*,\s*@?[A-Za-z_][\w.\[\]]*)*)\s*:\s*(.*)$`)
)

// readKernelDoc reads the text of a comment. What it is on is "struct x", or the
// name of a macro; ok is false if the comment is not in the form, or on a function or a
// section of a document.
func readKernelDoc(text string) (on string, doc kernelDoc, ok bool) {
	lines := strings.Split(text, "\n")
	m := docHead.FindStringSubmatch(strings.TrimSpace(lines[0]))
	if m == nil || m[2] == "DOC" || m[1] == "" && (m[3] != "" || !strings.Contains(lines[0], " - ")) {
		return "", doc, false
	}
	on = m[2]
	if m[1] != "" && m[1] != "define" {
		on = m[1] + " " + m[2]
	}
	doc.members = map[string]string{}
	own := []string{m[4]}
	var members []string // that the lines are on; none for the whole
	var part []string
	flush := func() {
		for _, name := range members {
			doc.members[name] = strings.Trim(strings.Join(part, "\n"), "\n")
		}
		members, part = nil, nil
	}
	blank, brief := false, true
	for _, l := range lines[1:] {
		brief = brief && l != ""
		switch m := docMember.FindStringSubmatch(strings.TrimSpace(l)); {
		case m != nil:
			flush()
			brief = false
			for name := range strings.SplitSeq(m[1], ",") {
				members = append(members, strings.TrimPrefix(strings.TrimSpace(name), "@"))
			}
			part = []string{m[2]}
		case members != nil && !(blank && l != "" && l[0] != ' ' && l[0] != '\t'):
			part = append(part, strings.TrimSpace(l))
		default:
			if members != nil {
				flush()
				own = append(own, "")
			}
			if brief {
				l = strings.TrimSpace(l)
			}
			own = append(own, l)
		}
		blank = l == ""
	}
	flush()
	doc.text = strings.Trim(strings.Join(own, "\n"), "\n")
	return on, doc, true
}

// A declaration is one with its lines. The characters are those of
// which one must come before the line where it begins, and before a comment that is on
// it and follows.
type declaration struct {
	name     string
	from, to int
	opens    string
	closes   string
	macro    bool
}

// words is what comments say of d, which alone is declared on its lines.
func (c *commented) words(d declaration) (w model.Words) {
	for _, k := range c.at(d.to) {
		if !k.behind || !k.ends || notADoc.MatchString(k.text) || k.directive != d.macro || !d.macro && strings.Contains(c.after(d), "}") {
			continue
		}
		if d.macro || strings.IndexByte(d.closes, k.prev) >= 0 || d.closes == "," && k.next == '}' && endsWithWord(c.code[k.from]) {
			w.Doc = c.onMember(k, d.name)
		}
	}
	k, ok := c.above(d)
	if !ok {
		return w
	}
	text := c.onMember(k, d.name)
	if w.Doc != "" || c.followed(d) {
		w.Above = text
	} else {
		w.Doc = text
	}
	return w
}

// after is the code behind the name of d, on its line.
func (c *commented) after(d declaration) string {
	line := c.code[d.to]
	for i := 0; ; {
		n := strings.Index(line[i:], d.name)
		if n < 0 {
			return "}" // it is not where it should be
		}
		i += n
		end := i + len(d.name)
		if (i == 0 || !isWordByte(line[i-1])) && (end == len(line) || !isWordByte(line[end])) {
			return line[end:]
		}
		i = end
	}
}

func endsWithWord(code string) bool {
	code = strings.TrimSpace(code)
	return code != "" && isWordByte(code[len(code)-1])
}

// onMember is the text of a comment on a member, which kernel-doc names.
func (c *commented) onMember(k comment, name string) string {
	if !k.kernelDoc {
		return k.text
	}
	first, rest, _ := strings.Cut(k.text, "\n")
	if m := docMember.FindStringSubmatch(first); m != nil {
		if m[1] != name {
			return ""
		}
		return strings.Trim(m[2]+"\n"+rest, "\n")
	}
	if _, _, ok := readKernelDoc(k.text); ok || strings.HasPrefix(first, "DOC") || docHead.MatchString(first) && strings.Contains(first, "()") {
		return ""
	}
	return k.text
}

var notADoc = regexp.MustCompile(`(?i)SPDX-License-Identifier|copyright|\(c\) \d|all rights reserved|^clang-format o|^fall ?through`)

// at returns the comments that begin on a line.
func (c *commented) at(line int) []comment {
	first, _ := slices.BinarySearchFunc(c.comments, line, func(k comment, line int) int { return k.from - line })
	end := first
	for end < len(c.comments) && c.comments[end].from == line {
		end++
	}
	return c.comments[first:end]
}

// above returns the comment that fills the lines right above d.
func (c *commented) above(d declaration) (comment, bool) {
	if d.from < 1 || d.from >= len(c.code) {
		return comment{}, false
	}
	line := strings.TrimSpace(c.code[d.from])
	if d.macro {
		if !strings.HasPrefix(line, "#") {
			return comment{}, false
		}
	} else if line == "" || line[0] == '#' || strings.IndexByte(d.opens, c.before[d.from]) < 0 {
		return comment{}, false
	}
	i, found := slices.BinarySearchFunc(c.comments, d.from-1, func(k comment, line int) int { return k.to - line })
	if !found || c.comments[i].behind || !c.comments[i].ends || c.comments[i].directive || notADoc.MatchString(c.comments[i].text) {
		return comment{}, false
	}
	return c.comments[i], true
}

// followed reports whether another declaration follows d directly.
func (c *commented) followed(d declaration) bool {
	next := d.to + 1
	for _, k := range c.at(d.to) {
		if k.behind {
			next = k.to + 1
		}
	}
	for next < len(c.code) {
		line := strings.TrimSpace(c.code[next])
		define, directive := strings.CutPrefix(line, "#")
		fields := strings.Fields(define)
		switch {
		case line == "" || line[0] == '}':
			return false
		case directive && len(fields) == 3 && fields[0] == "define" && fields[1] == d.name && fields[2] == d.name && !d.macro:
			next++ // #define X X, for #ifdef X
			continue
		case directive:
			return len(fields) > 0 && fields[0] == "define"
		}
		return true
	}
	return false
}

// A crowd counts the names that are declared on the lines of a header.
type crowd map[string]map[int]int

func (c crowd) add(p model.Pos) {
	if c[p.File] == nil {
		c[p.File] = map[int]int{}
	}
	c[p.File][p.Line]++
}

// crowded counts the enumerators and members of all headers.
func (tu *translation) crowded() crowd {
	if tu.crowd != nil {
		return tu.crowd
	}
	tu.crowd = crowd{}
	for _, c := range tu.consts {
		tu.crowd.add(c.pos)
	}
	done := map[*record]bool{}
	var add func(r *record)
	add = func(r *record) { // with those in it that have no name
		if done[r] {
			return
		}
		done[r] = true
		for _, f := range r.fields {
			if f.name != "" {
				tu.crowd.add(f.pos)
			}
			if t := f.typ.innermost(); t.kind == model.Record && t.rec.tag == "" {
				add(t.rec)
			}
		}
	}
	for _, r := range tu.records {
		add(r)
	}
	return tu.crowd
}

// describe is what comments say of a constant.
func (tu *translation) describe(c constDecl) (w model.Words) {
	text := tu.commentsOf(c.pos.File)
	if c.enum == nil {
		w = text.words(declaration{name: c.name, from: c.pos.Line, to: c.end, macro: true})
		if doc, ok := text.docs[c.name]; ok {
			w.Doc = doc.text
		}
		return w
	}
	if tu.crowded()[c.pos.File][c.pos.Line] == 1 {
		w = text.words(declaration{name: c.name, from: c.pos.Line, to: c.end, opens: ",{", closes: ","})
	}
	if doc := text.docs[c.enumName()].members[c.name]; doc != "" {
		w.Doc = doc
	}
	return w
}

// describeEnum is what comments say of an enum, by its first enumerator.
func (tu *translation) describeEnum(c constDecl) string {
	text := tu.commentsOf(c.pos.File)
	for _, kind := range []string{"", "enum "} { // a typedef's name without a tag
		if doc, ok := text.docs[kind+c.enumName()]; ok {
			return doc.text
		}
	}
	if k, ok := text.aboveType(c.enumName(), "enum", c.enumLine); ok {
		return text.onMember(k, "")
	}
	return ""
}

// simpleTypedef is a line that declares one name.
var simpleTypedef = regexp.MustCompile(`^\s*typedef\b[^;,{}]*;\s*$`)

// describeType is what comments say of an enum or a typedef.
func (tu *translation) describeType(t model.NamedType) (w model.Words) {
	text := tu.commentsOf(t.Pos.File)
	for _, kind := range []string{"", "enum ", "typedef "} {
		if doc, ok := text.docs[kind+t.Name]; ok {
			return model.Words{Doc: doc.text}
		}
	}
	switch {
	case t.IsEnum():
		if k, ok := text.aboveType(t.Name, "enum", t.Pos.Line); ok {
			w.Doc = text.onMember(k, "")
		}
	case t.Pos.Line < len(text.code) && simpleTypedef.MatchString(text.code[t.Pos.Line]):
		w = text.words(declaration{name: t.Name, from: t.Pos.Line, to: t.Pos.Line, opens: ";}{\x00", closes: ";"})
		w.Above = ""
	}
	return w
}

// keyword is what r begins with.
func (r *record) keyword() string {
	if r.union {
		return "union"
	}
	return "struct"
}

// aboveType returns the comment right above the line where a type is defined, if
// it is the first thing there.
func (c *commented) aboveType(name, keyword string, line int) (comment, bool) {
	k, ok := c.above(declaration{from: line, opens: ";}{\x00"})
	if !ok {
		return comment{}, false
	}
	head, _, _ := strings.Cut(strings.TrimSpace(c.code[line]), "{")
	words := strings.FieldsFunc(head, func(r rune) bool { return r > 127 || !isWordByte(byte(r)) })
	typedef := len(words) > 0 && words[0] == "typedef"
	if typedef {
		words = words[1:]
	}
	tag, tagged := strings.CutPrefix(name, keyword+" ")
	if len(words) == 0 || words[0] != keyword || tagged && !slices.Contains(words, tag) || !tagged && !typedef && name != keyword {
		return comment{}, false
	}
	return k, true
}

// describeRecord adds to s what comments say of r and of its members.
func (tu *translation) describeRecord(r *record, s *model.Struct) {
	text := tu.commentsOf(r.pos.File)
	doc, ok := text.docs[r.tag]
	for _, kind := range []string{"struct ", "union ", "typedef "} { // a typedef's name without a tag
		if !ok {
			doc, ok = text.docs[kind+r.tag]
		}
	}
	s.Doc = doc.text
	if k, above := text.aboveType(r.tag, r.keyword(), r.pos.Line); above && s.Doc == "" {
		s.Doc = text.onMember(k, "")
	}
	tu.describeMembers(r, s, "", doc)
}

func (tu *translation) describeMembers(r *record, s *model.Struct, prefix string, doc kernelDoc) {
	i := 0
	for _, f := range r.fields {
		if f.width >= 0 && f.name == "" {
			continue // as in record.model
		}
		out := &s.Fields[i]
		i++
		inner := prefix
		if f.name != "" {
			if tu.crowded()[f.pos.File][f.pos.Line] == 1 && f.start.File == f.pos.File {
				out.Words = tu.commentsOf(f.pos.File).words(declaration{name: f.name, from: f.start.Line, to: f.pos.Line, opens: ";{", closes: ";"})
			}
			if text := doc.members[prefix+f.name]; text != "" {
				out.Doc = text
			}
			inner += f.name + "."
		}
		for t := &out.Type; t != nil; t = t.Elem {
			if t.Inline != nil {
				tu.describeMembers(f.typ.innermost().rec, t.Inline, inner, doc)
			}
		}
	}
}
