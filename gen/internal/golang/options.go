package golang

import (
	"fmt"
	"go/constant"
	"go/token"
	"math/big"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// Options are what the user asks of the names and the types of Go. The zero
// value asks for nothing.
type Options struct {
	Rename   map[string]string // Go names of constants and types, by their C names or tags
	Strip    []string          // prefixes that names lose
	Sets     []Set             // constants with a type of their own
	Typedefs []string          // patterns of the typedefs that Go has
	Types    []Override
	Unsigned []string // patterns of the constants that are never negative
}

// A Set is constants that get a type of their own, with a method String.
type Set struct {
	Name  string // of the type in Go; without Match, a pattern of the enums of C
	Match string // a pattern of the constants, and of others behind a minus each, or "" for those of the enums
	Type  string // the integer that the type is, "" for one that fits
	Flags bool   // bits that are joined by |, and not numbers of which each is one
}

// String returns s as the command line has it.
func (s Set) String() string {
	text := "-enum "
	if s.Flags {
		text = "-flags "
	}
	text += s.Name
	if s.Type != "" {
		text += ":" + s.Type
	}
	if s.Match != "" {
		text += "=" + s.Match
	}
	return text
}

// ParseSet reads NAME[:TYPE][=PATTERN], the value of -enum and -flags.
func ParseSet(text string, flags bool) (Set, error) {
	s := Set{Flags: flags}
	name, match, ok := strings.Cut(text, "=")
	s.Match = match
	name, typ, typed := strings.Cut(name, ":")
	s.Name, s.Type = name, typ
	switch {
	case name == "" || ok && match == "":
		return s, fmt.Errorf("%s: want an enum of C, or a name for Go, = and the constants: Clone=CLONE_*", s.flag(text))
	case ok && !(token.IsIdentifier(name) && token.IsExported(name)):
		return s, fmt.Errorf("%s: %s is no name that Go exports", s.flag(text), name)
	case typed && !slices.Contains(integers, typ):
		return s, fmt.Errorf("%s: %s is no integer of Go with a size of its own; choose from %s", s.flag(text), typ, strings.Join(integers, ", "))
	case typed && flags && typ[0] != 'u':
		return s, fmt.Errorf("%s: bits have no sign; take u%s", s.flag(text), typ)
	}
	patterns := s.patterns()
	if !ok {
		patterns = []string{name}
	}
	for _, p := range patterns {
		if p == "" {
			return s, fmt.Errorf("%s: want constants before and behind the minus", s.flag(text))
		}
		if err := checkPattern(p); err != nil {
			return s, fmt.Errorf("%s: %w", s.flag(text), err)
		}
	}
	return s, nil
}

// has reports whether the constant c is in a set that has a pattern, and how much
// of the name that says.
func (s Set) has(c string) (letters int, ok bool) {
	patterns := s.patterns()
	for i, p := range patterns {
		if model.Matches(p, c) != (i == 0) {
			return 0, false
		}
	}
	return len(patterns[0]) - strings.Count(patterns[0], "*") - strings.Count(patterns[0], "?"), true
}

// patterns are what a set has, and what it has not, behind a minus that is not in
// brackets.
func (s Set) patterns() (list []string) {
	depth, begin := 0, 0
	for i, r := range s.Match {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == '-' && depth == 0:
			list, begin = append(list, s.Match[begin:i]), i+1
		}
	}
	return append(list, s.Match[begin:])
}

func (s Set) flag(text string) string { return Set{Name: text, Flags: s.Flags}.String() }

func checkPattern(pattern string) error {
	if !model.IsPattern(pattern) {
		return path.ErrBadPattern
	}
	return nil
}

// integers are the types that a set can have.
var integers = []string{"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}

// An Override is the Go type of a member of a struct (clone_args.flags), of what
// has the type of a typedef (uid_t), or of constants (a pattern).
type Override struct{ C, Go string }

func (o Override) String() string { return "-type " + o.C + "=" + o.Go }

// ParseOverride reads NAME=GOTYPE, the value of -type.
func ParseOverride(text string) (Override, error) {
	c, typ, ok := strings.Cut(text, "=")
	m := goTypeText.FindStringSubmatch(typ)
	switch {
	case !ok || c == "" || typ == "":
		return Override{}, fmt.Errorf("-type %s: want a member, a typedef or constants of C, = and a type of Go: clone_args.flags=CloneFlags", text)
	case strings.ContainsAny(typ, "./"):
		return Override{}, fmt.Errorf("-type %s: a type of another package needs a name in this one: type T = %s, and then -type %s=T", text, typ, c)
	case strings.HasPrefix(typ, "*"):
		return Override{}, fmt.Errorf("-type %s: what the kernel fills in can be no pointer for the garbage collector; take uintptr", text)
	case m == nil || !token.IsIdentifier(m[1]):
		return Override{}, fmt.Errorf("-type %s: %s is no type of Go, like uint32, [4]byte or one of the package", text, typ)
	case strings.Contains(c, ".") && strings.ContainsAny(c, "*?["):
		return Override{}, fmt.Errorf("-type %s: a member has no pattern; name it", text)
	}
	if err := checkPattern(c); err != nil {
		return Override{}, fmt.Errorf("-type %s: %w", text, err)
	}
	return Override{c, typ}, nil
}

var goTypeText = regexp.MustCompile(`^(?:\[[1-9]\d{0,8}\])*(\w+)$`)

// goSize is the size of a type that Go has itself, or false for others.
func goSize(text string, arch model.Arch) (int64, bool) {
	if rest, ok := strings.CutPrefix(text, "["); ok {
		n, elem, _ := strings.Cut(rest, "]")
		count, _ := strconv.ParseInt(n, 10, 64)
		size, ok := goSize(elem, arch)
		return count * size, ok
	}
	switch text {
	case "bool", "byte":
		return 1, true
	case "int", "uint", "uintptr":
		return int64(arch.Bits / 8), true
	case "rune":
		return 4, true
	case "string":
		return int64(arch.Bits / 4), true
	}
	_, bits, ok := strings.Cut(text, strings.TrimRight(text, "0123456789"))
	n, err := strconv.ParseInt(bits, 10, 64)
	if known := slices.Contains(integers, text) || text == "float32" || text == "float64"; !ok || err != nil || !known {
		return 0, false
	}
	return n / 8, true
}

// convert gives v the integer type of Go as C would, which takes negative
// numbers for those with the same bits in an unsigned type. It reports whether v
// fits.
func convert(v constant.Value, typ string) (constant.Value, bool) {
	bits, _ := strconv.Atoi(strings.TrimLeft(typ, "uint"))
	n, ok := new(big.Int).SetString(v.ExactString(), 10)
	if !ok {
		return v, false
	}
	one := big.NewInt(1)
	most, least := new(big.Int).Lsh(one, uint(bits-1)), new(big.Int).Neg(new(big.Int).Lsh(one, uint(bits-1)))
	if typ[0] == 'u' {
		most.Lsh(one, uint(bits))
	}
	if n.Cmp(least) < 0 || n.Cmp(most) >= 0 {
		return v, false
	}
	if typ[0] == 'u' && n.Sign() < 0 {
		n.Add(n, most)
	}
	return constant.Make(n), true
}
