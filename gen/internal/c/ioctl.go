package c

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"modernc.org/cc/v4"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// An ioctl tells the type of its argument in its definition: _IOR(type, nr, T),
// _IOW or _IOWR, be it behind macros of others. Only a struct or union is
// certain to be passed by its address: what says int is at times passed as the
// number that it is.

// Marks that the macros of ioctls have around the type of the argument.
const (
	ioctlMark    = "__gen_ioctl"
	ioctlEndMark = "__gen_ioctl_end"
)

// errNoIoctl says that a macro is none with an argument.
var errNoIoctl = errors.New("no ioctl with an argument")

// ioctlArg returns the struct or union that is the argument of an ioctl.
func (tu *translation) ioctlArg(name string) (*record, error) {
	macros := map[string]bool{}
	if tu.reach(name, macros); !macros["_IOR"] && !macros["_IOW"] && !macros["_IOWR"] {
		return nil, errNoIoctl
	}
	cfg, err := newConfig(tu.arch, headerWork)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, m := range slices.Sorted(maps.Keys(macros)) {
		switch m {
		case "_IOR", "_IOW", "_IOWR":
			fmt.Fprintf(&text, "#define %s(type, nr, T) %s T %s\n", m, ioctlMark, ioctlEndMark)
		default:
			text.WriteString(tu.definition(m))
		}
	}
	fmt.Fprintf(&text, "%s %s\n", probeMark, name)
	w := &tokenLines{}
	if err := cc.Preprocess(cfg, []cc.Source{{Name: macroFile, Value: text.String()}}, w); err != nil || len(w.lines) != 1 {
		return nil, errNoIoctl
	}
	toks := w.lines[0]
	for len(toks) > 2 && toks[0] == "(" && toks[len(toks)-1] == ")" {
		toks = toks[1 : len(toks)-1]
	}
	if len(toks) < 3 || toks[0] != ioctlMark || toks[len(toks)-1] != ioctlEndMark {
		return nil, errNoIoctl
	}
	t, err := tu.typeOfTokens(toks[1 : len(toks)-1])
	switch {
	case err != nil:
		return nil, err
	case t.sync().bad != "":
		return nil, errors.New(t.bad)
	case t.kind != model.Record || t.rec.tag == "":
		return nil, fmt.Errorf("its argument is no struct or union, but %s", t.c)
	case t.size < 0:
		return nil, fmt.Errorf("its argument has the incomplete type %s", t.c)
	}
	return t.rec, nil
}

// reach adds the macros that name leads to. Those that are pasted together are
// none of an ioctl.
func (tu *translation) reach(name string, macros map[string]bool) {
	m := tu.macros[name]
	if m == nil || macros[name] {
		return
	}
	macros[name] = true
	for _, t := range m.ReplacementList() {
		tu.reach(t.SrcStr(), macros)
	}
}

// typeOfTokens returns the type that an argument is, as its name or as an object.
func (tu *translation) typeOfTokens(toks []string) (t *ctype, err error) {
	e := &evaluation{s: tu.scope, toks: toks}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case syntaxError:
			err = errors.New(string(r))
		default:
			panic(r)
		}
	}()
	if !e.startsType(e.peek()) {
		e.fail("its argument is no type")
	}
	if t = e.typeName(); len(e.toks) > 0 {
		e.fail("its argument is no type")
	}
	return t, nil
}
