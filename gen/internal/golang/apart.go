package golang

import (
	"fmt"
	"go/constant"
	"reflect"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// Headers may declare one name differently: each of asm/unistd_32.h and
// asm/unistd_64.h has its __NR_read. The declaration of the first group keeps
// the name; that of another has the name of its group behind it, in the model
// after a mark that no C name has, and in Go after an underscore. It has so on
// all architectures, if it differs on one of them. A group whose declaration
// is the same as an earlier one, of whichever name, does not repeat it.
const groupMark = "@"

// cName is a name as C has it.
func cName(name string) string {
	name, _, _ = strings.Cut(name, groupMark)
	return name
}

// A variant is one of the declarations that a name has.
type variant struct {
	name  string
	group string
	pos   model.Pos
	on    map[int]any // by architecture: a constant.Value or a model.Struct
}

// A teller tells apart what groups declare under one name.
type teller struct {
	groups   [][]model.Unit // by architecture
	variants map[string][]*variant
	structs  []map[string]model.Struct // of the group at hand, by architecture
	renamed  map[string]string         // structs of the group at hand
	emitted  map[int]map[string]bool   // by architecture
	apart    *model.Remarks
}

// tellApart leaves every declaration in the first group that has it, and gives
// those that differ from an earlier one of that name a name of their own.
func tellApart(groups [][]model.Unit, apart *model.Remarks) error {
	t := &teller{groups: groups, variants: map[string][]*variant{}, emitted: map[int]map[string]bool{}, apart: apart}
	var errs errorList
	for _, g := range groups {
		errs.add(t.group(g))
	}
	return errs.join()
}

func (t *teller) group(g []model.Unit) error {
	var errs errorList
	t.structs, t.renamed = make([]map[string]model.Struct, len(g)), map[string]string{}
	for i, u := range g {
		t.structs[i] = map[string]model.Struct{}
		for _, s := range u.Structs {
			if old, ok := t.structs[i][s.Name]; ok && !sameStruct(old, s) {
				errs.add(fmt.Errorf("%s: group %s has another %s (%s)", s.Pos, u.Group.Name, s.Name, old.Pos))
			}
			t.structs[i][s.Name] = s
		}
	}
	values := map[string]map[int]any{}
	for i, u := range g {
		for _, c := range u.Consts {
			if c.Value == nil || c.Value.Kind() != constant.Int && c.Value.Kind() != constant.String {
				errs.add(fmt.Errorf("%s: constant %s is neither a whole number nor a string", c.Pos, c.Name))
				continue
			}
			if values[c.Name] == nil {
				values[c.Name] = map[int]any{}
			}
			if old, ok := values[c.Name][i]; ok && !sameConstant(old, c.Value) {
				errs.add(fmt.Errorf("%s: group %s has another constant %s", c.Pos, u.Group.Name, c.Name))
			}
			values[c.Name][i] = c.Value
		}
	}
	if err := errs.join(); err != nil {
		return err
	}
	names := map[string]string{}
	for i := range g {
		u := &g[i]
		repeated := map[string]bool{}
		var consts []model.Const
		for _, c := range u.Consts {
			name, ok := names[c.Name]
			if !ok {
				name = t.choose(constKey(c.Name), c.Name, u.Group.Name, c.Pos, values[c.Name], sameConstant)
				names[c.Name] = name
			}
			if c.Name = name; t.first(i, constKey(name)) && !repeated[constKey(name)] {
				repeated[constKey(name)] = true
				consts = append(consts, c)
			}
		}
		var structs []model.Struct
		for _, s := range u.Structs {
			name := t.structName(s.Name, u.Group.Name)
			if t.first(i, name) && !repeated[name] {
				repeated[name] = true
				structs = append(structs, t.structs[i][s.Name])
			}
		}
		for i, c := range consts {
			if to, ok := t.renamed[c.Arg]; ok {
				consts[i].Arg = to
			}
		}
		u.Consts, u.Structs = consts, structs
	}
	for i := range t.structs {
		for name := range t.structs[i] {
			t.emit(i, t.renamed[name])
		}
	}
	for i := range g {
		for name := range names {
			if _, ok := values[name][i]; ok {
				t.emit(i, constKey(names[name]))
			}
		}
	}
	return nil
}

// first reports whether no earlier group has declared the name.
func (t *teller) first(arch int, name string) bool { return !t.emitted[arch][name] }

func (t *teller) emit(arch int, name string) {
	if t.emitted[arch] == nil {
		t.emitted[arch] = map[string]bool{}
	}
	t.emitted[arch][name] = true
}

// structName returns the name of a struct of the group at hand, after those of
// the structs in it, which are named in it.
func (t *teller) structName(name, group string) string {
	if to, ok := t.renamed[name]; ok {
		return to
	}
	t.renamed[name] = name // for one that contains itself
	on := map[int]any{}
	var pos model.Pos
	for i := range t.structs {
		s, ok := t.structs[i][name]
		if !ok {
			continue
		}
		s = t.rewrite(s, group)
		t.structs[i][name] = s
		on[i] = s
		if pos == (model.Pos{}) {
			pos = s.Pos
		}
	}
	to := t.choose(name, name, group, pos, on, sameStruct)
	t.renamed[name] = to
	if to != name {
		for i := range t.structs {
			if s, ok := t.structs[i][name]; ok {
				s.Name = to
				t.structs[i][name] = s
			}
		}
	}
	return to
}

// rewrite returns s with the names of the structs in it.
func (t *teller) rewrite(s model.Struct, group string) model.Struct {
	var typ func(t model.Type) model.Type
	typ = func(in model.Type) model.Type {
		if in.Record != "" {
			in.Record = t.structName(in.Record, group)
		}
		if in.Inline != nil {
			inline := t.rewrite(*in.Inline, group)
			in.Inline = &inline
		}
		if in.Elem != nil {
			elem := typ(*in.Elem)
			in.Elem = &elem
		}
		return in
	}
	fields := make([]model.Field, len(s.Fields))
	for i, f := range s.Fields {
		f.Type = typ(f.Type)
		fields[i] = f
	}
	if s.Fields != nil {
		s.Fields = fields
	}
	return s
}

// choose finds the variant that a declaration is, or makes one of it.
func (t *teller) choose(key, name, group string, pos model.Pos, on map[int]any, same func(a, b any) bool) string {
	for _, v := range t.variants[key] {
		fits := true
		for arch, d := range on {
			if old, ok := v.on[arch]; ok && !same(old, d) {
				fits = false
			}
		}
		if fits {
			for arch, d := range on {
				v.on[arch] = d
			}
			return v.name
		}
	}
	v := &variant{name: name, group: group, pos: pos, on: on}
	if all := t.variants[key]; len(all) > 0 {
		v.name += groupMark + group
		t.apart.Add(fmt.Sprintf("%s: %s is not that of %s; in Go it has _%s behind its name", pos, key, all[0].pos, group), "")
	}
	t.variants[key] = append(t.variants[key], v)
	return v.name
}

func sameConstant(a, b any) bool {
	return model.SameValue(a.(constant.Value), b.(constant.Value))
}

func sameStruct(a, b any) bool {
	x, y := a.(model.Struct), b.(model.Struct)
	x.Name, y.Name = "", ""
	return reflect.DeepEqual(x.At(model.Pos{}).Silent(), y.At(model.Pos{}).Silent())
}
