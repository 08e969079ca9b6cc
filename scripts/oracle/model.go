package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// What `gen -json` prints, as far as it is checked here; gen's package
// comment has the whole.
type (
	unit struct {
		Arch    string
		Group   string
		Headers []string
		Before  []string
		Consts  []constant
		Structs []structure
		Types   []namedType
	}
	constant struct {
		Name  string
		Value value
		Type  string
		Enum  string
	}
	structure struct {
		Name        string
		Size, Align int64
		Fields      []field
		Pos         struct{ File string }
	}
	field struct {
		Name     string
		Type     ctype
		Offset   int64
		Flexible bool
		Bits     *struct{ Offset, Width int64 }
	}
	ctype struct {
		Kind   string
		Size   int64
		Inline *structure
	}
	namedType struct {
		Name string
		Type ctype
	}
)

// withoutOthers is u without the structs of headers that are not its own.
func (u unit) withoutOthers() unit {
	u.Structs = slices.DeleteFunc(slices.Clone(u.Structs), func(s structure) bool { return !slices.Contains(u.Headers, s.Pos.File) })
	return u
}

// A value is a number or a string.
type value struct {
	int    *big.Int
	string *string
}

func (v *value) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		v.string = new(string)
		return json.Unmarshal(data, v.string)
	case '[': // not UTF-8
		var list []byte
		for part := range strings.SplitSeq(strings.Trim(string(data), "[]"), ",") {
			b, err := strconv.ParseUint(part, 10, 8)
			if err != nil {
				return fmt.Errorf("%s is not a list of bytes", data)
			}
			list = append(list, byte(b))
		}
		text := string(list)
		v.string = &text
		return nil
	}
	var ok bool
	if v.int, ok = new(big.Int).SetString(string(data), 10); !ok {
		return fmt.Errorf("%s is not a whole number", data)
	}
	return nil
}

func (v value) text() string {
	if v.string != nil {
		return strconv.Quote(*v.string)
	}
	return v.int.String()
}

// model asks gen for the units of one architecture.
func model(gen, kernel, arch string, more []string) ([]unit, error) {
	var out bytes.Buffer
	args := append([]string{"-json", "-kernel", kernel, "-arch", arch}, more...)
	if err := command(&out, gen, args...); err != nil {
		return nil, err
	}
	var m struct{ Units []unit }
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		return nil, fmt.Errorf("gen -json: %w", err)
	}
	if len(m.Units) == 0 {
		return nil, fmt.Errorf("gen -json has no units for %s", arch)
	}
	return m.Units, nil
}
