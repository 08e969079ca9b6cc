package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/constant"
	"io"
	"unicode/utf8"
)

// jsonSchema is the version of what -json prints. It changes when a name or a
// meaning does; a field more is no change.
const jsonSchema = 1

// WriteJSON prints units for programs; doc.go describes what they find. Every
// declaration stands on a line of its own, for those who grep.
func WriteJSON(w io.Writer, version string, units []Unit) error {
	out := &jsonPrinter{w: w}
	out.printf(`{"schema":%d,"linux":%s,"units":[`, jsonSchema, out.marshal(version))
	for i, u := range units {
		if i > 0 {
			out.printf(",")
		}
		out.printf("\n"+`{"arch":%s,"group":%s,"headers":%s`, out.marshal(u.Arch), out.marshal(u.Group.Name), out.marshal(u.Group.Paths()))
		if len(u.Before) > 0 {
			out.printf(`,"before":%s`, out.marshal(u.Before))
		}
		if len(u.Group.Define) > 0 {
			out.printf(`,"define":%s`, out.marshal(u.Group.Define))
		}
		printList(out, "consts", u.Consts)
		printList(out, "structs", u.Structs)
		printList(out, "types", u.Types)
		if len(u.Funcs) > 0 {
			printList(out, "funcs", u.Funcs)
		}
		printList(out, "skips", u.Skips)
		out.printf("}")
	}
	out.printf("]}\n")
	return out.err
}

// WriteDiffJSON prints d for programs, a difference on each line.
func WriteDiffJSON(w io.Writer, d ModelDiff) error {
	out := &jsonPrinter{w: w}
	out.printf(`{"schema":%d,"old":%s,"new":%s,"arches":%s`, jsonSchema, out.marshal(d.Old), out.marshal(d.New), out.marshal(d.Arches))
	printList(out, "syscalls", d.Syscalls)
	printList(out, "consts", d.Consts)
	printList(out, "structs", d.Structs)
	out.printf("}\n")
	return out.err
}

// A jsonPrinter prints until its first error, which it keeps.
type jsonPrinter struct {
	w   io.Writer
	err error
}

func (p *jsonPrinter) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *jsonPrinter) marshal(v any) []byte {
	data, err := json.Marshal(v)
	if m := (*json.MarshalerError)(nil); errors.As(err, &m) {
		err = m.Err // without the names of our types
	}
	if p.err == nil {
		p.err = err
	}
	return data
}

func printList[T any](p *jsonPrinter, name string, list []T) {
	p.printf(`,"%s":[`, name)
	for i, v := range list {
		if i > 0 {
			p.printf(",")
		}
		p.printf("\n%s", p.marshal(v))
	}
	p.printf("]")
}

// MarshalJSON writes the value of c as a JSON number with all its digits, as a
// JSON string, or as the list of its bytes if the string is not UTF-8.
func (c Const) MarshalJSON() ([]byte, error) {
	value, err := valueJSON(c.Value)
	if err != nil {
		return nil, fmt.Errorf("%v: %s: %w", c.Pos, c.Name, err)
	}
	return json.Marshal(struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
		Type  string          `json:"type"`
		Base  Base            `json:"base"`
		Enum  string          `json:"enum,omitempty"`
		Gap   bool            `json:"gap,omitempty"`
		Since string          `json:"since,omitempty"`
		Arg   string          `json:"arg,omitempty"`
		Pos   Pos             `json:"pos"`
	}{c.Name, value, c.Type, c.Base, c.Enum, c.Gap, c.Since, c.Arg, c.Pos})
}

// MarshalJSON writes the values of c as Const does.
func (c ConstDiff) MarshalJSON() ([]byte, error) {
	old, err := valueJSON(c.Old)
	if err != nil {
		return nil, fmt.Errorf("%v: %s: %w", c.pos, c.Name, err)
	}
	new, err := valueJSON(c.New)
	if err != nil {
		return nil, fmt.Errorf("%v: %s: %w", c.pos, c.Name, err)
	}
	return json.Marshal(struct {
		Name   string          `json:"name"`
		Change string          `json:"change"`
		Old    json.RawMessage `json:"old,omitempty"`
		New    json.RawMessage `json:"new,omitempty"`
		Arches []string        `json:"arches"`
		Header string          `json:"header"`
	}{c.Name, c.Change, old, new, c.Arches, c.pos.File})
}

// valueJSON is nil for nil.
func valueJSON(v constant.Value) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	switch v.Kind() {
	case constant.Int:
		return json.RawMessage(v.ExactString()), nil
	case constant.String:
		s := constant.StringVal(v)
		if utf8.ValidString(s) {
			return json.Marshal(s)
		}
		list := []int{} // []byte would be base64
		for _, b := range []byte(s) {
			list = append(list, int(b))
		}
		return json.Marshal(list)
	}
	return nil, fmt.Errorf("the value %v is neither an integer nor a string", v)
}

// MarshalJSON writes the fields of an empty struct as [] and not as null.
func (s Struct) MarshalJSON() ([]byte, error) {
	type plain Struct
	if s.Fields == nil {
		s.Fields = []Field{}
	}
	return json.Marshal(plain(s))
}

var jsonBases = [...]string{Decimal: "decimal", Hex: "hex", Octal: "octal"}

// MarshalText names the base: decimal, hex, octal.
func (b Base) MarshalText() ([]byte, error) { return []byte(jsonBases[b]), nil }

var jsonKinds = [...]string{
	Invalid: "invalid", Bool: "bool", Char: "char", Int: "int", Uint: "uint", Float: "float",
	Pointer: "pointer", FuncPointer: "funcpointer", Array: "array", Record: "record",
}

// MarshalText names the kind in lower case: int, uint, array, record, ...
func (k Kind) MarshalText() ([]byte, error) { return []byte(jsonKinds[k]), nil }
