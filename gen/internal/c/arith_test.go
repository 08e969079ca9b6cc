package c

import (
	"slices"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// valuesOf parses a header and returns its constants, "VALUE TYPE", and its
// skips, "skip: REASON", by name.
func valuesOf(t *testing.T, goarch, header string) map[string]string {
	t.Helper()
	u, err := Parse(headers("linux/x.h", header), archOf(t, goarch), oneHeader)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, c := range u.Consts {
		values[c.Name] = c.Value.ExactString() + " " + c.Type
	}
	for _, s := range u.Skips {
		values[s.Name] = "skip: " + s.Reason
	}
	return values
}

// The type of an expression decides about its value, and on 32 bits it may be
// another.
func TestTypesOfExpressions(t *testing.T) {
	tests := map[string]struct{ expr, want64, want32 string }{
		"larger signed type":               {"1U - 2LL", "-1 long long", "-1 long long"},
		"signed type that may be larger":   {"1U - 2L", "-1 long", "4294967295 unsigned long"},
		"unsigned type that may be larger": {"1UL - 2LL", "18446744073709551615 unsigned long long", "-1 long long"},
		"comparison in the larger type":    {"-1LL < 1U", "1 int", "1 int"},
		"comparison in one that may be":    {"-1L < 1U", "1 int", "0 int"},
		"choice of the larger type":        {"1 ? -1 : 0LL", "-1 long long", "-1 long long"},
		"shift of a negative number":       {"-8LL >> 1", "-4 long long", "-4 long long"},
		"two short types become int":       {"(unsigned short)1 - (unsigned short)2", "-1 int", "-1 int"},
		"short types become int":           {"(unsigned char)1 - (unsigned short)2", "-1 int", "-1 int"},

		"octal that int holds":             {"017777777777", "2147483647 int", "2147483647 int"},
		"octal that unsigned int holds":    {"037777777777", "4294967295 unsigned int", "4294967295 unsigned int"},
		"octal that long may hold":         {"040000000000", "4294967296 long", "4294967296 long long"},
		"octal of 64 bits":                 {"01777777777777777777777", "18446744073709551615 unsigned long", "18446744073709551615 unsigned long long"},
		"octal turned round":               {"-037777777777", "1 unsigned int", "1 unsigned int"},
		"binary that unsigned int holds":   {"0b11111111111111111111111111111111", "4294967295 unsigned int", "4294967295 unsigned int"},
		"decimal is never unsigned":        {"4294967295", "4294967295 long", "4294967295 long long"},
		"decimal turned round":             {"-4294967295", "-4294967295 long", "-4294967295 long long"},
		"decimal that asks to be":          {"4294967296U", "4294967296 unsigned long", "4294967296 unsigned long long"},
		"decimal too large for any":        {"9223372036854775808", "skip: no integer type holds 9223372036854775808", "skip: no integer type holds 9223372036854775808"},
		"complement in the smaller type":   {"~0U + 0ULL", "4294967295 unsigned long long", "4294967295 unsigned long long"},
		"complement in the larger type":    {"~0 + 0ULL", "18446744073709551615 unsigned long long", "18446744073709551615 unsigned long long"},
		"comment with newlines":            {"1 /* one\nand\n*/ + /* two\n*/ 2", "3 int", "3 int"},
		"division of the least":            {"(-2147483647 - 1) / -1", "skip: integer overflow", "skip: integer overflow"},
		"sum beyond 64 bits":               {"9223372036854775807LL + 1", "skip: integer overflow", "skip: integer overflow"},
		"product beyond 64 bits":           {"4611686018427387904LL * 4", "skip: integer overflow", "skip: integer overflow"},
		"unsigned numbers do not overflow": {"4294967295U + 1U", "0 unsigned int", "0 unsigned int"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for goarch, want := range map[string]string{"amd64": tt.want64, "s390x": tt.want64, "386": tt.want32, "mips": tt.want32} {
				got := valuesOf(t, goarch, "#define BEFORE 1\n#define X ("+tt.expr+")\n#define AFTER 2\n")
				if got["X"] != want {
					t.Errorf("%s: %s is %s, want %s", goarch, tt.expr, got["X"], want)
				}
				if got["BEFORE"] != "1 int" || got["AFTER"] != "2 int" {
					t.Errorf("%s: beside it there are %q and %q", goarch, got["BEFORE"], got["AFTER"])
				}
			}
		})
	}
}

// unsignedChar has the ports of Linux on which char has no sign. It is from
// their ABIs, and not from gen.
var unsignedChar = []string{"arm", "arm64", "ppc64", "ppc64le", "riscv64", "s390x"}

func TestSignOfChar(t *testing.T) {
	const header = `
#define LITERAL '\xff'
#define CAST (int)(char)-1
#define BELOW_ZERO ((char)-1 < 0)
#ifdef __CHAR_UNSIGNED__
#define SAID 255
#else
#define SAID -1
#endif
`
	for _, a := range model.Arches {
		want, below := "-1 int", "1 int"
		if slices.Contains(unsignedChar, a.GOARCH) {
			want, below = "255 int", "0 int"
		}
		got := valuesOf(t, a.GOARCH, header)
		for _, name := range []string{"LITERAL", "CAST", "SAID"} {
			if got[name] != want {
				t.Errorf("%s: %s is %s, want %s", a.GOARCH, name, got[name], want)
			}
		}
		if got["BELOW_ZERO"] != below {
			t.Errorf("%s: a char of all ones is below zero: %s, want %s", a.GOARCH, got["BELOW_ZERO"], below)
		}
	}
}

// An enumerator that its predecessor leaves no number for is an error in C,
// and has no value.
func TestEnumeratorsThatOverflow(t *testing.T) {
	const overflow = "skip: integer overflow"
	for last, want := range map[string]string{
		"0x7fffffff": overflow, "0xffffffff": overflow, "0x7fffffffffffffffLL": overflow, "0xffffffffffffffffULL": overflow,
		"0x7ffffffe": "2147483647 int", "-1": "0 int", "-2147483647 - 1": "-2147483647 int",
	} {
		for _, goarch := range []string{"amd64", "386"} {
			got := valuesOf(t, goarch, "enum { LAST = "+last+", NEXT };\n#define AFTER NEXT\n")
			if got["NEXT"] != want || got["AFTER"] != want {
				t.Errorf("%s: after %s comes %s, for a macro %s, want %s", goarch, last, got["NEXT"], got["AFTER"], want)
			}
		}
	}
}
