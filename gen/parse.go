package main

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"modernc.org/cc/v4"
)

// A ParseError is what is wrong with the headers of a Group.
type ParseError struct {
	Arch  string   // GOARCH
	Lines []string // "header.h:LINE: what is wrong", in the order found
}

func (e *ParseError) Error() string {
	return strings.Join(e.Lines, "\n") + "\n(reading the headers for " + e.Arch + ")"
}

// expansionLimit bounds the work of the preprocessor. The largest header of
// Linux takes a few millions.
const expansionLimit = 30_000_000

// Parse reads the headers of g as one translation unit for a, finding them in
// inc, and returns what they declare. What the headers declare that has no
// value or no layout of its own is in Unit.Skips. The error is a *ParseError
// if the headers are no valid C. Parse runs no compiler and is safe for
// concurrent use.
func Parse(inc fs.FS, a Arch, g Group) (u Unit, err error) {
	defer func() {
		if r := recover(); r != nil {
			u, err = Unit{}, &ParseError{a.GOARCH, []string{fmt.Sprintf("%s: this is no C that can be read (%v)", g.Headers[0].Path, r)}}
		}
	}()
	tu, err := translate(inc, a, g)
	if err != nil {
		return Unit{}, err
	}
	return tu.unit(g), nil
}

// A unit is a translation unit that has been read.
type translation struct {
	arch    Arch
	src     *sources
	scope   *scope
	macros  map[string]*cc.Macro
	records []*record // with a name and a definition, in the order of these
	consts  []constDecl
	probes  []probe

	pack      int64 // of #pragma pack, 0 without
	packStack []int64
	errs      []string
	seq       int
}

// translate reads the headers of g and the declarations in them.
func translate(inc fs.FS, a Arch, g Group) (*translation, error) {
	src := newSources(inc)
	tu := &translation{arch: a, src: src, scope: newScope(a)}
	cfg, err := newConfig(a)
	if err != nil {
		return nil, err
	}
	cfg.FS = src
	cfg.PragmaHandler = tu.pragma
	var includes strings.Builder
	for _, h := range g.Headers {
		if _, err := fs.Stat(inc, h.Path); err != nil {
			return nil, &ParseError{a.GOARCH, []string{fmt.Sprintf("%s: there is no such header: %v", h.Path, err)}}
		}
		fmt.Fprintf(&includes, "#include <%s>\n", h.Path)
	}
	ast, err := cc.Translate(cfg, []cc.Source{
		{Name: "<predefined>", Value: predefined(a)},
		{Name: "<headers>", Value: includes.String()},
	})
	if err := tu.failed(err); err != nil {
		return nil, err
	}
	tu.macros = ast.Macros
	for l := ast.TranslationUnit; l != nil; l = l.TranslationUnit {
		tu.external(l.ExternalDeclaration)
	}
	return tu, tu.failed(nil)
}

// newConfig returns how cc reads C for a.
func newConfig(a Arch) (*cc.Config, error) {
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
		ABI:             m,
		DefaultSizeT:    sizeT,
		DefaultPtrdiffT: ptrdiffT,
		DefaultWcharT:   cc.Int,
		FSOnly:          true,
		IncludePaths:    []string{"", "."},
		SysIncludePaths: []string{"."},
		Header:          true,
		ExpansionLimit:  expansionLimit,
		HasBuiltin:      func(string) bool { return false },
	}, nil
}

// pragma follows the headers as they are entered and left.
func (tu *translation) pragma(toks []cc.Token) error {
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
	case "once":
		tu.src.once[toks[0].Position().Filename] = true
	case "pack": // the others have become declarations
		tu.errorf(position(toks[0]), "#pragma pack by _Pragma is not supported")
	}
	return nil
}

func (tu *translation) errorf(p Pos, format string, args ...any) {
	tu.errs = append(tu.errs, fmt.Sprintf("%s: %s", p, fmt.Sprintf(format, args...)))
}

// failed returns the errors found so far, those of cc included.
func (tu *translation) failed(err error) error {
	if err == nil && len(tu.errs) == 0 {
		return nil
	}
	lines := tu.errs
	if err != nil {
		for l := range strings.SplitSeq(err.Error(), "\n") {
			lines = append(lines, explain(l))
		}
	}
	seen := map[string]bool{}
	lines = slices.DeleteFunc(lines, func(l string) bool {
		dup := seen[l]
		seen[l] = true
		return dup
	})
	if len(lines) > maxErrors {
		lines = append(lines[:maxErrors:maxErrors], fmt.Sprintf("and %d more errors", len(lines)-maxErrors))
	}
	return &ParseError{tu.arch.GOARCH, lines}
}

const maxErrors = 20

var (
	ccPosition = regexp.MustCompile(`^([^:]*):(\d+):\d+: (.*)$`)
	ccOrigin   = regexp.MustCompile(` \([a-z0-9]+\.go:.*\)$`)
	ccMissing  = regexp.MustCompile(`^include file not found: (.*)$`)
)

// explain turns an error of cc into one for a person.
func explain(line string) string {
	line = ccOrigin.ReplaceAllString(line, "")
	m := ccPosition.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	n, _ := strconv.Atoi(m[2])
	what := ccMissing.ReplaceAllString(m[3], "there is no header $1")
	return fmt.Sprintf("%s: %s", Pos{m[1], headerLine(n)}, what)
}

// position returns where a token stands.
func position(t cc.Token) Pos {
	p := t.Position()
	return Pos{p.Filename, headerLine(p.Line)}
}
