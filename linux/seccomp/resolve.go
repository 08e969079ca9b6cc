package seccomp

import (
	"cmp"
	"slices"
	"strings"
)

// A rule is a Rule whose names have become numbers of one architecture.
type rule struct {
	numbers []uint32 // sorted
	nested  []nested // sorted
	args    []Arg
	action  Action
}

// A nested call is one that another one makes.
type nested struct {
	nr         uint32 // the number of the other
	mask, call uint64 // its first argument, for this call
}

// holds tells whether the arguments are as the rule has them.
func (r *rule) holds(args *[6]uint64) bool {
	for _, a := range r.args {
		if !a.holds(args) {
			return false
		}
	}
	return true
}

// inside tells whether the call nr with this first argument makes one that the
// rule is about.
func (r *rule) inside(nr uint32, arg uint64) bool {
	return slices.ContainsFunc(r.nested, func(n nested) bool { return n.nr == nr && arg&n.mask == n.call })
}

// resolve checks a rule and finds its calls.
func (m *machine) resolve(from Rule) (r rule, err error) {
	if len(from.Calls) == 0 {
		return r, invalid("it names no system call")
	}
	for _, call := range from.Calls {
		names := []string{call}
		if strings.HasPrefix(call, "@") {
			names = Set(call)
		}
		if len(names) == 0 || !strings.HasPrefix(call, "@") && !known(call) {
			return r, unknown(call)
		}
		for _, name := range names {
			m.add(&r, name)
		}
	}
	slices.Sort(r.numbers)
	r.numbers = slices.Compact(r.numbers)
	slices.SortFunc(r.nested, func(a, b nested) int { return cmp.Or(cmp.Compare(a.nr, b.nr), cmp.Compare(a.call, b.call)) })
	r.nested = slices.Compact(r.nested)
	for _, a := range from.Args {
		if a, err = a.checked(); err != nil {
			return r, err
		}
		r.args = append(r.args, a)
	}
	r.action = from.Action
	return r, r.action.check()
}

// add adds what a name means here. There may be a call of its own and one that
// makes it.
func (m *machine) add(r *rule, name string) {
	if nr, ok := m.numbers[name]; ok {
		r.numbers = append(r.numbers, nr)
	}
	for _, x := range multiplexers {
		if nr, ok := m.numbers[x.name]; ok {
			if call, ok := x.calls[name]; ok {
				r.nested = append(r.nested, nested{nr, x.mask, call})
			}
		}
	}
}

// checked returns the condition with its mask.
func (a Arg) checked() (Arg, error) {
	switch {
	case a.Index < 0 || a.Index > 5:
		return a, invalid("argument %d: system calls have arguments 0 to 5", a.Index)
	case int(a.Op) >= len(opNames):
		return a, invalid("argument %d: %v %d", a.Index, a.Op, a.Op)
	case a.Op == MaskedEqual && a.Mask == 0:
		return a, invalid("argument %d: %v has no mask", a.Index, a.Op)
	case a.Mask == 0:
		a.Mask = ^uint64(0)
	}
	if a.Value&^a.Mask != 0 && (a.Op == Equal || a.Op == NotEqual || a.Op == MaskedEqual) {
		return a, invalid("argument %d: value %#x has bits that mask %#x has not: they are never equal", a.Index, a.Value, a.Mask)
	}
	return a, nil
}

// unknown says that there is no such call, and what may have been meant.
func unknown(call string) error {
	e := &Error{Rule: -1, Call: call, Reason: `no system call is named "` + call + `"`}
	near := knownNames()
	if strings.HasPrefix(call, "@") {
		e.Reason = `no set of system calls is named "` + call + `"`
		near = Sets()
	}
	best, distance := "", len(call)/3+2 // more is another word
	for _, name := range near {
		if d := edits(call, name); d < distance {
			best, distance = name, d
		}
	}
	if best != "" {
		e.Reason += `: did you mean "` + best + `"?`
	}
	return e
}

// edits counts the letters to put in, to leave out and to change on the way from
// a to b, of which case is none.
func edits(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
