package golang

import (
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// overrides are the types of -type.
type overrides struct {
	list []Override
	used map[string]bool // as in typist
	errs errorList
}

// of finds the type that members, or what has the type of a typedef, are to
// have.
func (o *overrides) of(name string, member bool) (Override, bool) {
	for _, t := range o.list {
		if strings.Contains(t.C, ".") == member && (member && t.C == name || !member && model.Matches(t.C, name)) {
			o.used[t.String()] = true
			return t, true
		}
	}
	return Override{}, false
}

// memberType is the type of a member. Bit-fields have that of their integer, for
// they are laid out in no other.
func (r *recordLayout) memberType(m member) (goType, error) {
	if m.Bits != nil {
		return r.plainType(m.Type, m.Field)
	}
	g, err := r.typeOf(m.Type, m.Field)
	if o, ok := r.asked.of(r.path+"."+m.Name, true); ok && err == nil && m.Type.Size > 0 {
		r.checkSize(o, m.Type)
		g.text, g.own = o.Go, true
	}
	return g, err
}

// checkSize refuses a type of Go's own that has another size. For those of the
// package the compiler does that.
func (r *recordLayout) checkSize(o Override, t model.Type) {
	if size, ok := goSize(o.Go, r.arch); ok && size != t.Size {
		r.asked.errs.add(fmt.Errorf("%s: on %s, %s has %d bytes, and %s %d", o, r.arch.GOARCH, o.Go, size, t.C, t.Size))
	}
}

// ofTypedef is the type that the user gives what has the type of a typedef.
func (r *recordLayout) ofTypedef(t model.Type) (string, bool) {
	if t.Size <= 0 || len(r.asked.list) == 0 {
		return "", false
	}
	for c := range r.typedefNames(t) {
		if o, ok := r.asked.of(c, false); ok {
			r.checkSize(o, t)
			return o.Go, true
		}
	}
	return "", false
}

// typedefNames are the typedefs that t goes by: that of its name, and those that
// this stands for, as long as they have the layout of t; and its enum.
func (l goLayout) typedefNames(t model.Type) iter.Seq[string] {
	return func(yield func(string) bool) {
		c := unqualified(t.C)
		seen := map[string]bool{} // headers may differ, so that there are loops
		for n, ok := l.types.typedefs[c]; ok && !seen[c] && n.Type.Kind == t.Kind && n.Type.Size == t.Size; n, ok = l.types.typedefs[c] {
			if !yield(c) {
				return
			}
			seen[c] = true
			c = unqualified(n.Type.C)
		}
		if t.Enum != "" && !seen[t.Enum] {
			yield(t.Enum)
		}
	}
}

// unqualified is a type without const and volatile.
func unqualified(c string) string {
	for {
		short := strings.TrimPrefix(strings.TrimPrefix(c, "const "), "volatile ")
		if short == c {
			return c
		}
		c = short
	}
}

// named is the name of t in Go, if C has one for it that is made: its typedef, the
// typedef or the enum that this stands for. Its layout must be the same.
func (l goLayout) named(t model.Type) string {
	if len(l.types.made) == 0 || t.Kind == model.Record {
		return ""
	}
	for c := range l.typedefNames(t) {
		if name := l.nameOf(c, t); name != "" {
			return name
		}
	}
	return ""
}

func (l goLayout) nameOf(c string, t model.Type) string {
	made, ok := l.types.made[c]
	if !ok || made.set != noSet && integerSize(made.under) != t.Size {
		return ""
	}
	return l.typeName(c)
}

func integerSize(typ string) int64 {
	size, _ := goSize(typ, model.Arch{})
	return size
}

// goNamedTypes are the types that are made, with the names of the constants in Go.
func (l goLayout) goNamedTypes(consts map[string]string) (map[string]goNamed, map[string]error) {
	all, errs := map[string]goNamed{}, map[string]error{}
	for key, made := range l.types.made {
		n := goNamed{Name: l.typeName(key), Pos: made.Pos, Set: made.set, Type: made.under, C: cName(key)}
		switch {
		case made.user != "":
			n.C = "the constants " + strings.ReplaceAll(strings.Join(made.match, ", "), "-", " but not ")
		case made.IsEnum() && !strings.HasPrefix(n.C, "enum "):
			n.C = "the enum " + n.C
		}
		if made.set == noSet {
			if !made.IsEnum() {
				n.C = fmt.Sprintf("the typedef %s of %s", n.C, withoutGroup(made.Type.C))
			}
			if n.Type, n.Alias, errs[key] = l.standsFor(made.NamedType); errs[key] != nil {
				continue
			}
		}
		seen := map[string]bool{}
		for _, c := range made.values {
			v, _ := new(big.Int).SetString(c.Value.ExactString(), 10)
			if !seen[c.Name] { // by each of the headers
				seen[c.Name] = true
				n.Values = append(n.Values, namedValue{consts[c.Name], cName(c.Name), v})
			}
		}
		all[key] = n
	}
	return all, errs
}

// standsFor is the type of Go for what a typedef stands for, and whether that has
// a name.
func (l goLayout) standsFor(n model.NamedType) (text string, alias bool, err error) {
	t := n.Type
	if !n.IsEnum() {
		if name := l.named(t); name != "" {
			return name, true, nil
		}
	}
	r := recordLayout{goLayout: l, out: goStruct{key: n.Name, C: n.Name}, siblings: map[string]bool{}}
	g, err := r.plainType(t, model.Field{Name: "of the typedef", Pos: n.Pos})
	return g.text, t.Kind == model.Record, err
}

// first returns the values that are the first with theirs: String knows no other
// names.
func (n goNamed) first() (values []namedValue) {
	seen := map[string]bool{}
	for _, v := range n.Values {
		if !seen[v.Value.String()] {
			seen[v.Value.String()] = true
			values = append(values, v)
		}
	}
	return values
}

// widest returns the values of flags, those first that have more bits, so that
// what stands for several is found before each of them.
func (n goNamed) widest() []namedValue {
	values := n.first()
	values = slices.DeleteFunc(values, func(v namedValue) bool { return v.Value.Sign() == 0 })
	slices.SortStableFunc(values, func(a, b namedValue) int {
		if d := bitCount(b.Value) - bitCount(a.Value); d != 0 {
			return d
		}
		return a.Value.Cmp(b.Value)
	})
	return values
}

func bitCount(n *big.Int) (count int) {
	for i := range n.BitLen() {
		count += int(n.Bit(i))
	}
	return count
}

// unplaced is n without a place in a header.
func (n goNamed) unplaced() goNamed {
	n.Pos = model.Pos{}
	return n
}

// typesOfConsts are the Go types of the constants that have one, by architecture
// and C name.
func (n *namer) typesOfConsts() map[string]map[string]string {
	all := map[string]map[string]string{}
	for i, arch := range n.arches {
		all[arch] = map[string]string{}
		for c, typ := range n.tables[i].consts {
			if named, ok := n.named[arch][typ]; ok {
				typ = named.Name
			}
			all[arch][c] = typ
		}
	}
	return all
}
