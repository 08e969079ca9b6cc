package kernel

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// An installer does to a header of the kernel source what `make
// headers_install` does. The kernel has a shell script for it: substitutions
// by sed, then unifdef. What they are to do differs between releases, so it is
// read from the script, which is never run.
type installer struct {
	rules   []sedRule
	symbols map[string]bool // for cutConditionals
}

// installYourself is what to do about a kernel that builds in an unknown way.
const installYourself = "run `make headers_install` and give its output instead"

var (
	sedProgram  = regexp.MustCompile(`(?s)\nsed -E -e '\n(.*?)\n'`)
	unifdefArgs = regexp.MustCompile(`unifdef((?: -[UD]\w+)+) `)
	// Within brackets, a backslash escapes to Go but is itself to sed.
	sedBackslash = regexp.MustCompile(`\[[^]]*\\`)
	sedGroup     = regexp.MustCompile(`\\([0-9])`)
)

// parseInstaller reads the kernel's script. The name is for errors.
func parseInstaller(name string, script []byte) (installer, error) {
	sed, args := sedProgram.FindSubmatchIndex(script), unifdefArgs.FindSubmatch(script)
	if sed == nil || args == nil {
		return installer{}, fmt.Errorf("%s: this kernel installs its headers in an unknown way; %s", name, installYourself)
	}
	in := installer{symbols: map[string]bool{}}
	line := 1 + bytes.Count(script[:sed[2]], []byte("\n"))
	for i, text := range strings.Split(string(script[sed[2]:sed[3]]), "\n") {
		rule, err := parseSedRule(strings.TrimSpace(text))
		if err != nil {
			return installer{}, fmt.Errorf("%s:%d: %w; %s", name, line+i, err, installYourself)
		}
		in.rules = append(in.rules, rule)
	}
	for _, arg := range strings.Fields(string(args[1])) {
		in.symbols[arg[2:]] = arg[1] == 'D'
	}
	return in, nil
}

// install returns what the header becomes. The name is for errors.
func (in installer) install(name string, data []byte) ([]byte, error) {
	for _, r := range in.rules {
		data = r.apply(data)
	}
	return cutConditionals(name, data, in.symbols)
}

// A sedRule is a command s/re/with/g of sed -E.
type sedRule struct {
	re   *regexp.Regexp
	with []byte
	all  bool // the g
	// words has strings one of which must be in a line for the rule to match,
	// which is quick to tell; nil if there are none.
	words []string
}

func parseSedRule(text string) (sedRule, error) {
	bad := fmt.Errorf("unknown sed command %q", text)
	if len(text) < 2 || text[0] != 's' {
		return sedRule{}, bad
	}
	part := strings.Split(text[2:], text[1:2])
	if len(part) != 3 || part[2] != "" && part[2] != "g" {
		return sedRule{}, bad
	}
	re, err1 := regexp.CompilePOSIX(part[0])
	parsed, err2 := syntax.Parse(part[0], syntax.POSIX)
	if err1 != nil || err2 != nil || sedBackslash.MatchString(part[0]) {
		return sedRule{}, bad
	}
	with := strings.ReplaceAll(part[1], "$", "$$")
	with = sedGroup.ReplaceAllString(with, "$${$1}")
	if strings.ContainsAny(with, `\&`) {
		return sedRule{}, bad
	}
	return sedRule{re, []byte(with), part[2] == "g", needed(parsed)}, nil
}

// needed returns words one of which is in every match, or nil.
func needed(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if words := needed(sub); shortest(words) > shortest(best) {
				best = words
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			words := needed(sub)
			if words == nil {
				return nil
			}
			all = append(all, words...)
		}
		return all
	}
	return nil
}

func shortest(words []string) int {
	n := 0
	for i, w := range words {
		if i == 0 || len(w) < n {
			n = len(w)
		}
	}
	return n
}

func (r sedRule) mayMatch(text []byte) bool {
	for _, w := range r.words {
		if bytes.Contains(text, []byte(w)) {
			return true
		}
	}
	return r.words == nil
}

// apply edits every line of data.
func (r sedRule) apply(data []byte) []byte {
	if !r.mayMatch(data) {
		return data
	}
	var out bytes.Buffer
	out.Grow(len(data))
	for line := range bytes.Lines(data) {
		text, newline := bytes.CutSuffix(line, []byte("\n"))
		if r.mayMatch(text) {
			text = r.edit(text)
		}
		out.Write(text)
		if newline {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

func (r sedRule) edit(text []byte) []byte {
	if r.all {
		return r.re.ReplaceAll(text, r.with)
	}
	m := r.re.FindSubmatchIndex(text)
	if m == nil {
		return text
	}
	out := append([]byte(nil), text[:m[0]]...)
	out = r.re.Expand(out, r.with, text, m)
	return append(out, text[m[1]:]...)
}
