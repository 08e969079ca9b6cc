package golang

import (
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// typeName makes CloneArgs of "struct clone_args". A record without a tag has
// the name of its typedef.
func typeName(c string) string {
	return camelCase(identifier(c)) + groupSuffix(c)
}

// identifier is the tag of a record, or the name of its typedef.
func identifier(c string) string {
	c = cName(c)
	return c[strings.LastIndexByte(c, ' ')+1:]
}

// groupSuffix is what follows the name of a declaration that is not the first
// of its name.
func groupSuffix(c string) string {
	if _, group, ok := strings.Cut(c, groupMark); ok {
		return "_" + group
	}
	return ""
}

// withoutGroup strips the group from a name in the middle of a text.
func withoutGroup(text string) string {
	before, after, ok := strings.Cut(text, groupMark)
	if !ok {
		return text
	}
	if _, rest, ok := strings.Cut(after, " "); ok {
		return before + " " + rest
	}
	return before
}

// constName is the C name of a constant without the underscores in front, which
// Go would not export.
func constName(c string) string {
	name := cName(c)
	if call, ok := strings.CutPrefix(name, "__NR_"); ok {
		return "SYS_" + strings.ToUpper(call) + groupSuffix(c)
	}
	trimmed := strings.TrimLeft(name, "_")
	if trimmed == "" || isDigit(trimmed[0]) {
		return "X" + name + groupSuffix(c)
	}
	return upperFirst(trimmed) + groupSuffix(c)
}

// memberName makes ExitSignal of exit_signal. Like a constant, a member keeps
// its underscores if another member has the name without.
func memberName(c string, taken map[string]bool) string {
	if trimmed := strings.TrimLeft(c, "_"); trimmed != c && taken[trimmed] {
		return "X" + c
	}
	return camelCase(c)
}

// camelCase joins the words of a C name, each with its first letter in upper
// case. Two numbers stay apart: v1_2 is V1_2, for v12 would be V12 too.
func camelCase(c string) string {
	var name string
	for word := range strings.SplitSeq(c, "_") {
		switch {
		case word == "":
			continue
		case name == "" && isDigit(word[0]):
			name = "X"
		case name != "" && isDigit(word[0]) && isDigit(name[len(name)-1]):
			name += "_"
		}
		name += upperFirst(word)
	}
	if name == "" {
		return "X" + c
	}
	return name
}

func upperFirst(s string) string {
	return strings.ToUpper(s[:1]) + s[1:]
}

func isDigit(c byte) bool {
	return '0' <= c && c <= '9'
}

// A setKind is a property that architectures share, and its name.
type setKind struct {
	name string
	has  func(model.Arch) bool
}

// setNames are what files of several architectures are called: by the first
// name of which has holds for these architectures of the run and no others.
var setNames = []setKind{
	{"x86", func(a model.Arch) bool { return a.Kernel == "x86" }},
	{"mipsx", func(a model.Arch) bool { return a.Kernel == "mips" }},
	{"mips32x", func(a model.Arch) bool { return a.Kernel == "mips" && a.Bits == 32 }},
	{"mips64x", func(a model.Arch) bool { return a.Kernel == "mips" && a.Bits == 64 }},
	{"ppc64x", func(a model.Arch) bool { return a.Kernel == "powerpc" }},
	{"32bit", func(a model.Arch) bool { return a.Bits == 32 }},
	{"64bit", func(a model.Arch) bool { return a.Bits == 64 }},
	{"be", func(a model.Arch) bool { return a.BigEndian }},
	{"le", func(a model.Arch) bool { return !a.BigEndian }},
}

// fileName names the file of a group for some architectures of the run.
//
// The go command takes the end of a name for a constraint: _arm, _linux_arm,
// _test. So a group with an underscore gets _linux behind it, which is true,
// and no set has the name of an architecture.
func fileName(group string, set, run []string) string {
	switch {
	case len(set) < len(run):
		return "z" + group + "_linux_" + setName(set, run) + ".go"
	case strings.Contains(group, "_"):
		return "z" + group + "_linux.go"
	}
	return "z" + group + ".go"
}

func setName(set, run []string) string {
	if len(set) == 1 {
		return set[0]
	}
	for _, s := range setNames {
		var match []string
		for _, a := range model.Arches {
			if slices.Contains(run, a.GOARCH) && s.has(a) {
				match = append(match, a.GOARCH)
			}
		}
		if slices.Equal(match, set) {
			return s.name
		}
	}
	if slices.Contains(set, "riscv64") { // which has nothing of its own
		return "generic"
	}
	return set[0] + "_etc"
}

// isSetName reports whether setName makes this name.
func isSetName(name string) bool {
	if name == "generic" || slices.ContainsFunc(setNames, func(s setKind) bool { return s.name == name }) {
		return true
	}
	_, ok := model.ArchByName(strings.TrimSuffix(name, "_etc"))
	return ok
}
