package golang

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// agreeOnWords makes what comments say of a name the same on all the
// architectures, so that it does not keep them from sharing declarations. Since
// becomes what a comment says of all of them; a comment of the header that is not
// the same everywhere goes.
func agreeOnWords(group []model.Unit) []model.Unit {
	since := map[string]map[string]string{} // by name and architecture
	words := map[string]model.Words{}
	said := false
	for _, u := range group {
		u.EachWords(func(name string, w *model.Words) {
			said = said || *w != model.Words{}
			if since[name] == nil {
				since[name], words[name] = map[string]string{}, *w
			}
			since[name][u.Arch] = w.Since
			all := words[name]
			if all.Doc != w.Doc {
				all.Doc = ""
			}
			if all.Above != w.Above {
				all.Above = ""
			}
			words[name] = all
		})
	}
	if !said {
		return group
	}
	out := make([]model.Unit, len(group))
	for i, u := range group {
		out[i] = u.Clone()
		out[i].EachWords(func(name string, w *model.Words) {
			*w = words[name]
			w.Since = model.JoinOrigins(since[name])
		})
	}
	return out
}

// listed is a text as another part of a comment.
func listed(text string) string {
	if text == "" {
		return ""
	}
	return ", " + text
}

// quote is a comment of the header as lines of comments in Go, none without one.
func quote(text string) (lines []jen.Code) {
	if text == "" {
		return nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, jen.Comment(strings.TrimRight("// "+harmless(line), " ")))
	}
	return lines
}

// more is a comment of the header as further paragraphs of one in Go.
func more(text string) []jen.Code {
	if text == "" {
		return nil
	}
	return append([]jen.Code{jen.Comment("//")}, quote(text)...)
}

// directive is what tools take for more than a comment.
var directive = regexp.MustCompile(`(?i)^\s*(?:\+build|code generated|line |export |extern |go:|#cgo|nolint|lint:|#include)`)

// harmless is a line of a comment without what Go does not allow in its source, or
// shows as something else than it is, and without what is a directive.
func harmless(line string) string {
	line = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		}
		return r
	}, line) // which replaces what is no UTF-8
	if directive.MatchString(line) {
		return "- " + line
	}
	return line
}

// licences says whose words the comments of the headers in a part are, and is
// empty without any.
func licences(of map[string]string) string {
	var text strings.Builder
	for i, file := range slices.Sorted(maps.Keys(of)) {
		if i == 0 {
			text.WriteString("//\n// It has comments of these headers, which are under the licence of each:\n//\n")
		}
		licence := of[file]
		if licence == "" {
			licence = "it says none; that of the kernel is GPL-2.0 WITH Linux-syscall-note"
		}
		fmt.Fprintf(&text, "//   - %s: %s\n", oneLine(file), oneLine(licence))
	}
	return strings.TrimSuffix(text.String(), "\n")
}
