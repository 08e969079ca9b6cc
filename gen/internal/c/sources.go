package c

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
	"github.com/go-clone3/clone3/gen/internal/textfs"
)

// sources gives cc the headers of one translation unit. It adds a line to the
// beginning and to the end of each, by which included tells how deep the
// headers nest, and rewrites what cc does not understand. No line changes its
// number but for the one added, which headerLine takes away again.
type sources struct {
	fsys fs.FS
	memo *memory
	text map[string][]byte // as cc sees it
	in   []string          // the headers being read, the outermost first
	once map[string]bool   // said #pragma once
	n    int               // headers entered so far
	last string            // the last header of the translation unit
	errs []string          // what is wrong with a header as a whole
	cut  []model.Skip      // declarations that are no longer in text

	computed bool // a header has an #include that names no header itself, but perhaps a macro that does
	vetted   bool // these are all right; until then they are left out
}

const (
	enterHeader = "__gen_enter"
	leaveHeader = "__gen_leave"
	lostHeader  = "__gen_lost"
	packAssert  = `_Static_assert(1, "#pragma pack `

	maxDepth   = 200   // as in GCC
	maxEntered = 50000 // more #includes than any header makes
	maxNesting = 1000  // of brackets; cc follows them by recursion
)

func newSources(fsys fs.FS, m *memory) *sources {
	return &sources{fsys: fsys, memo: m, text: map[string][]byte{}, once: map[string]bool{}}
}

// lostDir is the last directory where cc looks for headers, and has all that
// there are not. Else cc would end the translation unit there, in the middle of
// an enum perhaps, and wait forever for the rest of that. What is in it is no
// file, so that __has_include does not find it.
const lostDir = "<lost>/-/-/-/-/-/-/-/-"

// lost is a header that is not there, as cc reads it.
type lost struct{ fs.File }

func (f lost) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return lostInfo{info}, err
}

type lostInfo struct{ fs.FileInfo }

func (lostInfo) IsDir() bool { return true }

// lostAt says that the header being read includes one that is not there, which
// cc calls by this name.
func (s *sources) lostAt(name string) string {
	name = strings.TrimLeft(strings.TrimPrefix(name, "<lost>"), "/-")
	pos, raw := model.Pos{File: s.current()}, "<"+name+">"
	for i, l := range bytes.Split(s.text[pos.File], []byte("\n")) {
		if m := includeDirective.FindSubmatch(l); m != nil && path.Clean("/"+string(m[2])) == path.Clean("/"+name) {
			pos.Line, raw = headerLine(i+1), string(m[1])
			break
		}
	}
	return pos.String() + noHeader + raw
}

// computedInclude is an #include that cc may find to name no header. It then
// ends the translation unit as for one that is not there.
var computedInclude = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*include(?:_next)?\b[ \t]*(?:[^<" \t\n][^\n]*)?$`)

var includeDirective = regexp.MustCompile(`^[ \t]*#[ \t]*include(?:_next)?[ \t]*(["<]([^">]*)[">])`)

// headerLine returns the line of a header from the line that cc counts.
func headerLine(ccLine int) int { return ccLine - 1 }

// Open makes sources the file system of cc.
func (s *sources) Open(name string) (fs.File, error) {
	name = path.Clean(name)
	if strings.HasPrefix(name, "<lost>") {
		return lost{textfs.File(name, []byte("#pragma "+lostHeader+"\n"))}, nil
	}
	text, ok := s.text[name]
	if !ok {
		b, err := fs.ReadFile(s.fsys, name)
		if err != nil {
			standIn, ok := standIns[name]
			if name == innerHeader {
				standIn, ok = innerText, true
			}
			if !ok {
				return nil, err
			}
			b = []byte(standIn)
		}
		r := s.memo.rewritten(b)
		if r.tooDeep > 0 {
			s.errs = append(s.errs, fmt.Sprintf("%s: brackets nest deeper than %d", model.Pos{File: name, Line: r.tooDeep}, maxNesting))
		}
		text = r.text
		if computedInclude.Match(text) && !s.vetted {
			s.computed = true
			text = computedInclude.ReplaceAll(text, nil)
		} else {
			s.text[name] = text
		}
	}
	return textfs.File(name, text), nil
}

// A rewriting is a header as cc should see it. Nobody changes it.
type rewriting struct {
	text    []byte
	tooDeep int // as of the function; the text is then that of an empty header
}

// rewritten rewrites a header, which is the same for many architectures, and is
// included by many others, once.
func (m *memory) rewritten(b []byte) rewriting {
	sum := sha256.Sum256(b)
	if r, ok := m.headers.Load(sum); ok {
		return r.(rewriting)
	}
	r := rewriting{tooDeep: tooDeep(b)}
	if r.tooDeep > 0 {
		b = nil
	}
	r.text = rewrite(bytes.TrimPrefix(b, []byte("\ufeff"))) // a byte order mark
	m.headers.Store(sum, r)
	return r
}

var (
	packPragma = regexp.MustCompile(`(?m)^([ \t]*)#[ \t]*pragma[ \t]+pack\b([^\n/"\\]*)`)
	semicolons = regexp.MustCompile(`;(?:[ \t]|/\*[^*\n]*\*/)*;`)
	// A semicolon is all of an argument where headers nest bit-fields so that the
	// last one has nothing behind it; cc makes a member of it, and prints that.
	loneArgument = regexp.MustCompile(`(,\s*);(\s*\))`)
	namedParam   = regexp.MustCompile(`^[ \t]*#[ \t]*define[ \t]+\w+\([^)]*?\b([A-Za-z_]\w*)[ \t]*\.\.\.\)`)
)

// rewrite returns a header as cc should see it, attributes included. A #pragma pack becomes a
// declaration that holds its text, so that it keeps its place among the
// declarations; one of two semicolons goes, because cc makes a member of it;
// and the name of variable arguments becomes __VA_ARGS__, because cc does not
// drop the comma before ## for others. The bytes given stay as they are.
func rewrite(b []byte) []byte {
	if bytes.Contains(b, []byte("pack")) {
		b = packPragma.ReplaceAll(b, []byte(`${1}`+packAssert+`${2}");`))
	}
	b = rewriteAttributes(b)
	b = dropSemicolons(b)
	if bytes.Contains(b, []byte(",")) {
		b = loneArgument.ReplaceAll(b, []byte("$1 $2"))
	}
	if bytes.Contains(b, []byte("...)")) {
		b = rewriteNamedVariadics(b)
	}
	out := make([]byte, 0, len(b)+64)
	out = append(out, "#pragma "+enterHeader+"\n"...)
	out = append(out, b...)
	if len(b) > 0 && b[len(b)-1] != '\n' {
		out = append(out, '\n')
	}
	return append(out, "#pragma "+leaveHeader+"\n"...)
}

// dropSemicolons blanks the second of two semicolons, but for those of
// for (;;) and of strings.
func dropSemicolons(b []byte) []byte {
	cloned := false
	for at := 0; ; {
		m := semicolons.FindIndex(b[at:])
		if m == nil {
			return b
		}
		first, second := at+m[0], at+m[1]-1
		at = second
		line := b[bytes.LastIndexByte(b[:first], '\n')+1 : first]
		if bytes.Contains(line, []byte("for")) || bytes.ContainsAny(line, `"'`) {
			continue
		}
		if !cloned {
			b, cloned = bytes.Clone(b), true
		}
		b[second], at = ' ', first
	}
}

// tooDeep returns the line where brackets nest deeper than maxNesting, 0 if
// they do not.
func tooDeep(b []byte) int {
	depth := 0
	for i, c := range b {
		switch c {
		case '(', '[', '{':
			if depth++; depth > maxNesting {
				return bytes.Count(b[:i], []byte("\n")) + 1
			}
		case ')', ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return 0
}

// rewriteNamedVariadics renames the args of #define f(a, args...) to
// __VA_ARGS__, in that directive alone.
func rewriteNamedVariadics(b []byte) []byte {
	lines := bytes.SplitAfter(b, []byte("\n"))
	for i := 0; i < len(lines); i++ {
		m := namedParam.FindSubmatch(lines[i])
		if m == nil {
			continue
		}
		word := regexp.MustCompile(`"(?:\\.|[^"\\])*"|\b` + string(m[1]) + `\b([ \t]*\.\.\.)?`)
		for {
			lines[i] = word.ReplaceAllFunc(lines[i], func(w []byte) []byte {
				switch {
				case w[0] == '"':
					return w
				case bytes.HasSuffix(w, []byte("...")):
					return []byte("...")
				}
				return []byte("__VA_ARGS__")
			})
			if !bytes.HasSuffix(bytes.TrimRight(lines[i], "\r\n"), []byte(`\`)) || i == len(lines)-1 {
				break
			}
			i++
		}
	}
	return bytes.Join(lines, nil)
}

// restart makes s ready for reading the translation unit again.
func (s *sources) restart() {
	s.in, s.n, s.once = nil, 0, map[string]bool{}
}

// enter notes that a header begins. It returns why it must not be read, which
// is an error unless skip is true.
func (s *sources) enter(name string) (err error, skip bool) {
	if s.once[name] {
		return nil, true
	}
	s.n++
	if len(s.in) < maxDepth && s.n < maxEntered {
		s.in = append(s.in, name)
		return nil, false
	}
	from := s.in[len(s.in)-1]
	loop := []string{name}
	for i := len(s.in) - 1; i >= 0; i-- {
		loop = append(loop, s.in[i])
		if s.in[i] == name {
			break
		}
	}
	slices.Reverse(loop)
	return fmt.Errorf("%s: include loop: %s", model.Pos{File: from, Line: s.lineOfInclude(from, name)}, strings.Join(loop, " -> ")), false
}

// leave notes that the innermost header ends.
func (s *sources) leave() {
	if len(s.in) > 0 {
		s.in = s.in[:len(s.in)-1]
	}
}

// current returns the header being read.
func (s *sources) current() string {
	if len(s.in) == 0 {
		return s.last
	}
	return s.in[len(s.in)-1]
}

// end says that the last header ends too early.
func (s *sources) end() string {
	line := bytes.Count(s.text[s.last], []byte("\n")) - 2 // without those added
	return fmt.Sprintf("%s: it ends in the middle of a declaration", model.Pos{File: s.last, Line: line})
}

// isError reports whether a line, as cc counts them, holds #error.
func (s *sources) isError(name string, line int) bool {
	lines := bytes.Split(s.text[name], []byte("\n"))
	return line >= 1 && line <= len(lines) && errorDirective.Match(lines[line-1])
}

var errorDirective = regexp.MustCompile(`^[ \t]*#[ \t]*error\b`)

// lineOfInclude returns the line of a header that includes another, 0 if it
// does so by a macro.
func (s *sources) lineOfInclude(in, name string) int {
	for i, l := range bytes.Split(s.text[in], []byte("\n")) {
		if l = bytes.TrimSpace(l); bytes.HasPrefix(l, []byte("#")) && bytes.Contains(l, []byte("include")) && bytes.Contains(l, []byte(path.Base(name))) {
			return headerLine(i + 1)
		}
	}
	return 0
}

var lastWord = regexp.MustCompile(`([A-Za-z_]\w*)[ \t*]*$`)

// wordBefore returns the identifier in front of a column of a line, as cc
// counts them, or "".
func (s *sources) wordBefore(name string, line, col int) string {
	lines := bytes.Split(s.text[name], []byte("\n"))
	if line < 1 || line > len(lines) || col < 1 || col-1 > len(lines[line-1]) {
		return ""
	}
	if m := lastWord.FindSubmatch(lines[line-1][:col-1]); m != nil {
		return string(m[1])
	}
	return ""
}

// gaps returns for each line of a header, counted from 1, whether it sets its
// neighbours apart: it is blank, or holds nothing but a comment, or a
// directive other than #define.
func (s *sources) gaps(name string) []bool {
	lines := bytes.Split(s.text[name], []byte("\n"))
	gaps := make([]bool, len(lines)+1)
	inComment, trailing, continued := false, false, false
	for i, l := range lines[min(1, len(lines)):] {
		code := false // the line holds something besides comments
		opened := inComment
		for rest := bytes.TrimSpace(l); len(rest) > 0; rest = bytes.TrimSpace(rest) {
			switch end := bytes.Index(rest, []byte("*/")); {
			case inComment && end < 0:
				rest = nil
			case inComment:
				rest, inComment = rest[end+2:], false
			case bytes.HasPrefix(rest, []byte("/*")):
				rest, inComment = rest[2:], true
				trailing = code
			case bytes.HasPrefix(rest, []byte("//")):
				rest = nil
			default:
				code = true
				next := bytes.Index(rest, []byte("/*"))
				if next < 0 {
					next = len(rest)
				}
				rest = rest[next:]
			}
		}
		text := bytes.TrimSpace(l)
		directive := bytes.HasPrefix(text, []byte("#")) && !bytes.HasPrefix(bytes.TrimSpace(text[1:]), []byte("define"))
		switch {
		case continued:
		case directive && !opened:
			gaps[i+1] = true
		case !code:
			gaps[i+1] = !(opened && trailing)
		}
		continued = bytes.HasSuffix(text, []byte(`\`))
	}
	return gaps
}
