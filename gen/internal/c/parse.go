package c

import (
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"modernc.org/cc/v4"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// The work of the preprocessor is bounded, for a header and for the expansion
// of a macro. The heaviest headers of Linux take a fifth of it.
const (
	headerWork = 1_000_000
	macroWork  = 1_000
)

// endless says that the work has become too much.
const endless = "a macro expands beyond all measure"

// Parse reads the headers of g as one translation unit for a, finding them in
// inc, and returns what they declare. What the headers declare that has no
// value or no layout of its own is in Unit.Skips, and so is a declaration that
// cannot be read. The error is a *model.ParseError if there is more wrong with
// them. Parse runs no compiler and is safe for concurrent use.
func Parse(inc fs.FS, a model.Arch, g model.Group) (model.Unit, error) {
	return new(Parser).Parse(inc, a, g)
}

// A Parser remembers how headers are rewritten, what macros expand to and what the
// C parser has said of expressions, which is the same for many architectures. The zero value has no
// memories. It is safe for concurrent use.
type Parser struct{ memory memory }

type memory struct {
	headers    sync.Map // digest of the text to rewriting
	comments   sync.Map // digest of the text to *commented
	expansions sync.Map // digest of the definitions to expansion
	answers    sync.Map // question to string
}

// Parse is the function Parse with the memories of p.
func (p *Parser) Parse(inc fs.FS, a model.Arch, g model.Group) (model.Unit, error) {
	units, err := p.ParseTogether(inc, a, []model.Group{g})
	if err != nil {
		return model.Unit{}, err
	}
	return units[0], nil
}

// ParseTogether is Parse for several groups, whose headers are all read as one
// translation unit: for those that agree with each other it gives the same in
// less time.
func (p *Parser) ParseTogether(inc fs.FS, a model.Arch, groups []model.Group) ([]model.Unit, error) {
	units, err := readTogether(p, inc, a, groups, func(tu *translation, first []string) (units []model.Unit) {
		for i, g := range groups {
			u := tu.unit(g)
			u.Before = first
			if i == 0 {
				u.Skips = append(slices.Clone(tu.src.cut), u.Skips...)
			}
			units = append(units, u)
		}
		return units
	})
	if err == nil && units == nil { // none of the groups has a header
		for _, g := range groups {
			units = append(units, model.Unit{Arch: a.GOARCH, Group: g})
		}
	}
	return units, err
}

// readTogether reads the headers of groups as one translation unit and returns
// what take makes of it, the zero value if there are no headers. A unit that
// has to be read again is taken again.
func readTogether[T any](p *Parser, inc fs.FS, a model.Arch, groups []model.Group, take func(tu *translation, first []string) T) (taken T, err error) {
	together := model.Group{}
	for _, g := range groups {
		for _, h := range g.Headers {
			if !slices.ContainsFunc(together.Headers, func(t model.Header) bool { return t.Path == h.Path }) {
				together.Headers = append(together.Headers, h)
			}
		}
	}
	if len(together.Headers) == 0 {
		return taken, nil
	}
	defer func() {
		if r := recover(); r != nil { // by cc
			var none T
			taken, err = none, &model.ParseError{Arch: a.GOARCH, Lines: []string{fmt.Sprintf("%s: this is no C that can be read (%v)", together.Headers[0].Path, r)}}
		}
	}()
	// Headers that use names of others without including them are read again,
	// behind those others, as a programmer would have it.
	first := slices.Clone(groups[0].Include)
	together.Define = groups[0].Define
	src := newSources(inc, &p.memory)
	done := false
	for {
		src.restart()
		tu, terr := translate(src, a, together, first)
		var next T
		if terr == nil {
			next = take(tu, first)
			terr = tu.failed(nil)
		}
		more := homesOf(inc, tu.scope.missing, first)
		if terr != nil && len(more) == 0 && !done && tu.unread.file != "" && len(src.cut) < maxCuts {
			if skip, ok := src.cutAt(tu.unread); ok {
				src.cut = append(src.cut, skip)
				continue
			}
		}
		if terr != nil && done { // better without
			return taken, nil
		}
		taken, err, done = next, terr, terr == nil
		if len(more) == 0 {
			return taken, err
		}
		first = append(first, more...)
	}
}

// A translation is a translation unit that has been read.
type translation struct {
	arch        model.Arch
	src         *sources
	memory      *memory
	scope       *scope
	macros      map[string]*cc.Macro
	list        []macro           // of macroList
	definitions map[string]string // of macros, once they are asked for
	unread      place             // where cc could not go on
	unchecked   bool              // cc has no opinion on the layouts
	records     []*record         // with a name and a definition, in the order of these
	consts      []constDecl
	typeDecls   []typeDecl   // in the order of the source
	skips       []model.Skip // of what has no value
	probes      []probe
	commented   map[string]*commented // headers, once comments are asked for
	crowd       crowd

	pack      int64 // of #pragma pack, 0 without
	packStack []int64
	errs      []string
	seq       int
}

// translate reads the headers of g, behind those of first, and the
// declarations in them. If it fails, the translation still knows what is
// missing.
func translate(src *sources, a model.Arch, g model.Group, first []string) (*translation, error) {
	tu := &translation{arch: a, src: src, memory: src.memo, scope: newScope(a), definitions: map[string]string{}}
	var includes, defines strings.Builder
	for _, d := range g.Define {
		fmt.Fprintf(&defines, "#define %s\n", d)
	}
	for _, name := range first {
		fmt.Fprintf(&includes, "#include <%s>\n", name)
	}
	for _, h := range g.Headers {
		tu.src.last = h.Path
		if _, err := fs.Stat(src.fsys, h.Path); err != nil {
			return tu, &model.ParseError{Arch: a.GOARCH, Lines: []string{h.Path + ": there is no such header"}}
		}
		fmt.Fprintf(&includes, "#include <%s>\n", h.Path)
	}
	cfg, err := newConfig(a, headerWork*len(g.Headers))
	if err != nil {
		return tu, err
	}
	cfg.FS = tu.src
	cfg.IncludePaths = append(cfg.IncludePaths, lostDir)
	cfg.SysIncludePaths = append(cfg.SysIncludePaths, lostDir)
	cfg.PragmaHandler = tu.pragma
	all := []cc.Source{
		{Name: "<predefined>", Value: predefined(a)},
		{Name: "<defined>", Value: defines.String()},
		{Name: "<headers>", Value: includes.String()},
		{Name: "<end>", Value: endOfHeaders},
	}
	ast, err := cc.Translate(cfg, all)
	if tu.src.computed && !tu.src.vetted {
		// The preprocessor says without the parser whether they are all right.
		tu.src.vetted, tu.errs = true, nil
		tu.src.restart()
		if err := tu.failed(cc.Preprocess(cfg, all, io.Discard)); err != nil {
			return tu, err
		}
		tu.src.restart()
		ast, err = cc.Translate(cfg, all)
	}
	if err != nil && len(tu.errs) == 0 && !strings.Contains(err.Error(), ccLimit) {
		// What cc checks includes layouts that it has wrong. All that matters
		// here is checked again from what it has read.
		tu.src.restart()
		tu.unchecked = true
		ast, err = cc.Parse(cfg, all)
	}
	if err := tu.failed(err); err != nil {
		return tu, err
	}
	tu.macros = ast.Macros
	for l := ast.TranslationUnit; l != nil; l = l.TranslationUnit {
		tu.external(l.ExternalDeclaration)
	}
	return tu, tu.failed(nil)
}

// endOfHeaders cannot continue any declaration. It keeps the parser of cc from
// looping: at the end of its input it waits forever for what may follow enum
// or a star.
const endOfHeaders = "_Static_assert(1, \"\");\n;;;;\n"

// newConfig returns how cc reads C for a, with so much work allowed to the
// preprocessor.
func newConfig(a model.Arch, work int) (*cc.Config, error) {
	name := a.GOARCH
	if s := abis[name].sibling; s != "" {
		name = s
	}
	m, err := cc.NewABI("linux", name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.GOARCH, err)
	}
	m.SignedChar = !abis[a.GOARCH].unsignedChar
	m.ByteOrder = byteOrder(a)
	sizeT, ptrdiffT := cc.ULong, cc.Long
	if a.Bits == 32 {
		sizeT, ptrdiffT = cc.UInt, cc.Int
	}
	return &cc.Config{
		ABI:                m,
		DefaultSizeT:       sizeT,
		DefaultPtrdiffT:    ptrdiffT,
		DefaultWcharT:      cc.Int,
		FSOnly:             true,
		IncludePaths:       []string{"", "."},
		SysIncludePaths:    []string{"."},
		Header:             true,
		ExpansionLimit:     work,
		IgnoreStaticAssert: true,
		HasBuiltin:         func(string) bool { return false },
	}, nil
}

// pragma follows the headers as they are entered and left.
func (tu *translation) pragma(toks []cc.Token) error {
	if len(toks) == 0 {
		return nil
	}
	switch toks[0].SrcStr() {
	case enterHeader:
		err, skip := tu.src.enter(toks[0].Position().Filename)
		if err != nil {
			tu.errs = append(tu.errs, err.Error())
		}
		if err != nil || skip {
			return cc.SkipSource
		}
	case leaveHeader:
		tu.src.leave()
	case lostHeader:
		tu.errs = append(tu.errs, tu.src.lostAt(toks[0].Position().Filename))
	case "once":
		tu.src.once[toks[0].Position().Filename] = true
	case "pack": // the others have become declarations
		tu.errorf(model.Pos{File: tu.src.current()}, "#pragma pack by _Pragma is not supported")
	}
	return nil
}

func (tu *translation) errorf(p model.Pos, format string, args ...any) {
	tu.errs = append(tu.errs, fmt.Sprintf("%s: %s", p, fmt.Sprintf(format, args...)))
}

// failed returns the errors found so far, those of cc included.
func (tu *translation) failed(err error) error {
	if err == nil && len(tu.errs)+len(tu.src.errs) == 0 {
		return nil
	}
	lines := slices.Concat(tu.src.errs, tu.errs)
	if err != nil {
		for l := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasPrefix(l, "TODO") { // cc's notes to itself
				lines = append(lines, tu.explain(l))
			}
		}
	}
	seen := map[string]bool{}
	lines = slices.DeleteFunc(lines, func(l string) bool {
		dup := seen[l]
		seen[l] = true
		return dup
	})
	if end := tu.src.end(); len(lines) > 1 { // most mistakes lead to that one
		lines = slices.DeleteFunc(lines, func(l string) bool { return l == end })
	}
	lacks := 0
	for _, l := range lines {
		if strings.Contains(l, noHeader) {
			lacks++
		}
	}
	if lacks > 0 { // and what follows from it
		clear(tu.scope.missing)
		tu.unread = place{}
		lines = slices.DeleteFunc(lines, func(l string) bool { return !strings.Contains(l, noHeader) })
	}
	return &model.ParseError{Arch: tu.arch.GOARCH, Lines: lines, Lacks: lacks > 0}
}

// noHeader is what is said of an #include that finds nothing.
const noHeader = ": there is no header "

const ccLimit = "macro expansion limit exceeded"

var (
	ccPosition = regexp.MustCompile(`^([^:]*):(\d+):(\d+): (.*)$`)
	ccOrigin   = regexp.MustCompile(` \([a-z0-9]+\.go:.*\)$`)
)

// explain turns an error of cc into one for a person.
func (tu *translation) explain(line string) string {
	line = ccOrigin.ReplaceAllString(line, "")
	m := ccPosition.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	file, what := m[1], m[4]
	n, _ := strconv.Atoi(m[2])
	col, _ := strconv.Atoi(m[3])
	if file == "<end>" {
		return tu.src.end()
	}
	name := tu.src.wordBefore(file, n, col)
	defer func() {
		if tu.unread.file == "" && strings.HasPrefix(m[4], "unexpected ") {
			tu.unread = place{file, n, what}
		}
	}()
	switch {
	case tu.src.isError(file, n):
		what = "#error " + what
	case strings.HasPrefix(what, "include file not found: "):
		what = "there is no header " + strings.TrimPrefix(what, "include file not found: ")
	case strings.HasPrefix(what, ccLimit):
		what = endless
	case what == "invalid argument":
		what = "#include must name a header in <> or quotes"
	case strings.HasPrefix(what, "strconv."):
		what = "no integer: " + what[strings.LastIndex(what, "parsing ")+len("parsing "):]
	case strings.HasPrefix(what, "unexpected ") && name != "" && !typeWords[name] && !keywords[name]:
		tu.scope.missing[name] = true
		what = fmt.Sprintf("unknown type %s, or a mistake behind it; if another header declares it, that one must be read first", name)
	}
	return fmt.Sprintf("%s: %s", model.Pos{File: file, Line: headerLine(n)}, what)
}

// position returns where a token stands.
func position(t cc.Token) model.Pos {
	p := t.Position()
	return model.Pos{File: p.Filename, Line: headerLine(p.Line)}
}
