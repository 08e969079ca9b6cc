package model

import (
	"bytes"
	"encoding/json"
	"go/constant"
	"go/token"
	"io"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"
)

// testUnit is a unit with every kind of thing that JSON shows.
func testUnit() Unit {
	pos := func(line int) Pos { return Pos{"linux/tool.h", line} }
	return Unit{
		Arch:   "arm",
		Group:  Group{Name: "tool", Headers: []Header{{Path: "linux/tool.h"}}},
		Before: []string{"linux/types.h"},
		Consts: []Const{
			{Name: "TOOL_ALL", Value: constant.MakeUint64(1<<64 - 1), Type: "unsigned long long", Base: Hex, Pos: pos(3)},
			{Name: "TOOL_NONE", Value: constant.MakeInt64(-1), Type: "int", Enum: "enum tool", Gap: true, Pos: pos(5)},
			{Name: "TOOL_PATH", Value: constant.MakeString("a<b>\"c"), Type: "char[]", Pos: pos(6)},
		},
		Structs: []Struct{{
			Name: "struct tool", Size: 16, Align: 8, Pos: pos(9),
			Fields: []Field{
				{Name: "low", Type: Type{Kind: Uint, C: "__u32", Size: 4, Align: 4}, Bits: &Bits{0, 3}, Pos: pos(10)},
				{Type: Type{Kind: Record, C: "union", Size: 8, Align: 8, Inline: &Struct{
					Union: true, Size: 8, Align: 8, Pos: pos(11),
					Fields: []Field{{Name: "id", Type: Type{Kind: Uint, C: "__u64", Size: 8, Align: 8}, Pos: pos(12)}},
				}}, Offset: 8, Pos: pos(11)},
				{Name: "rest", Type: Type{Kind: Array, C: "__u8[]", Align: 1, Elem: &Type{Kind: Uint, C: "__u8", Size: 1, Align: 1}}, Offset: 16, Flexible: true, Pos: pos(14)},
			},
		}, {Name: "struct tool_empty", Align: 1, Pos: pos(17)}},
		Types: []NamedType{
			{Name: "enum tool", Type: Type{Kind: Uint, C: "enum tool", Size: 4, Align: 4, Enum: "enum tool"}, Pos: pos(5)},
			{Name: "tool_id", Type: Type{Kind: Int, C: "int", Size: 4, Align: 4}, Pos: pos(18)},
		},
		Skips: []Skip{{"TOOL_INIT", "a brace initialiser", pos(20)}},
	}
}

func TestModelAsJSON(t *testing.T) {
	var got bytes.Buffer
	if err := WriteJSON(&got, "7.3.4", []Unit{testUnit()}); err != nil {
		t.Fatal(err)
	}
	gentest.Golden(t, "json.txtar", "model.json", got.Bytes())
}

// TestJSONKeepsEveryDigit reads the numbers back as a program would.
func TestJSONKeepsEveryDigit(t *testing.T) {
	big := constant.BinaryOp(constant.MakeInt64(-1<<62), token.MUL, constant.MakeInt64(2))
	for _, want := range []constant.Value{
		constant.MakeUint64(1<<64 - 1), constant.MakeInt64(1<<53 + 1), big, constant.MakeInt64(0), constant.MakeString("<\x00\n>"),
	} {
		data, err := json.Marshal(Const{Name: "C", Value: want})
		if err != nil {
			t.Fatal(err)
		}
		var c struct{ Value json.RawMessage }
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatal(err)
		}
		var got constant.Value
		if want.Kind() == constant.String {
			var s string
			if err := json.Unmarshal(c.Value, &s); err != nil {
				t.Fatal(err)
			}
			got = constant.MakeString(s)
		} else {
			got = constant.MakeFromLiteral(strings.TrimPrefix(string(c.Value), "-"), token.INT, 0)
			if c.Value[0] == '-' {
				got = constant.UnaryOp(token.SUB, got, 0)
			}
		}
		if !constant.Compare(got, token.EQL, want) {
			t.Errorf("got %v after a round trip, want %v", got, want)
		}
	}
}

func TestJSONKeepsBytesThatAreNoText(t *testing.T) {
	data, err := json.Marshal(Const{Name: "RAW", Value: constant.MakeString("a\xff")})
	if err != nil {
		t.Fatal(err)
	}
	if want := `"value":[97,255]`; !strings.Contains(string(data), want) {
		t.Errorf("got %s, want %s in it", data, want)
	}
}

func TestJSONRefusesOtherValues(t *testing.T) {
	u := Unit{Consts: []Const{{Name: "HALF", Value: constant.MakeFloat64(0.5), Pos: Pos{"linux/x.h", 7}}}}
	err := WriteJSON(io.Discard, "7.3.4", []Unit{u})
	const want = `linux/x.h:7: HALF: the value 0.5 is neither an integer nor a string`
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
