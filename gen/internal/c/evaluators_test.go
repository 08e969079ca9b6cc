package c

import (
	"maps"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// withABI lets gen, and not cc, believe something else of an architecture.
func withABI(t *testing.T, goarch string, change func(*abi)) {
	t.Helper()
	was := maps.Clone(abis)
	t.Cleanup(func() { abis = was })
	a := abis[goarch]
	change(&a)
	abis = maps.Clone(abis)
	abis[goarch] = a
}

// odd is an architecture whose long gen takes for one of 32 bits, and cc does
// not.
var odd = model.Arch{GOARCH: "amd64", Kernel: "x86", Bits: 32}

// A value on which gen and cc differ is the value of nothing.
func TestEvaluatorsThatDifferGiveNoValue(t *testing.T) {
	u, err := Parse(headers("linux/x.h", "#define DIFFERS ((unsigned long)-1)\n#define SAME ((unsigned short)-1)\n"), odd, oneHeader)
	if err != nil {
		t.Fatal(err)
	}
	if len(u.Consts) != 1 || u.Consts[0].Name != "SAME" {
		t.Errorf("got constants %v, want SAME alone", u.Consts)
	}
	const want = "is 4294967295 unsigned long, but 18446744073709551615 unsigned long for cc"
	if len(u.Skips) != 1 || u.Skips[0].Name != "DIFFERS" || u.Skips[0].Reason != want {
		t.Errorf("got skips %+v, want DIFFERS, with both values", u.Skips)
	}
}

// In a declaration it is an error: what is laid out by it would be wrong.
func TestEvaluatorsThatDifferAreAnErrorInADeclaration(t *testing.T) {
	for name, text := range map[string]string{
		"enumerator":                      "enum e { A = (unsigned long)-1 > 0xffffffff };\n",
		"length where cc knows no layout": "struct s { char a[1 + ((unsigned long)-1 > 0xffffffff)]; } __attribute__((packed));\n",
		"length":                          "struct s { char a[1 + ((unsigned long)-1 > 0xffffffff)]; };\n",
	} {
		_, err := Parse(headers("linux/x.h", text), odd, oneHeader)
		if err == nil || !strings.Contains(err.Error(), "linux/x.h:1: ") || !strings.Contains(err.Error(), "for cc") {
			t.Errorf("%s: got error %v, want one with both values", name, err)
		}
	}
}

// A difference is also one of types alone, and an expression of which cc makes
// nothing.
func TestProbesAreHeldAgainstTypesToo(t *testing.T) {
	for name, p := range map[string]struct{ expr, want, why string }{
		"same":       {"1 + 2L", "3 long", ""},
		"value":      {"1 + 2L", "4 long", "is 4 long, but 3 long for cc"},
		"type":       {"1 + 2L", "3 int", "is 3 int, but 3 long for cc"},
		"no value":   {"nowhere + 1", "3 int", "is 3 int, but nothing for cc"},
		"no integer": {"1.5", "3 int", "is 3 int, but nothing for cc"},
	} {
		tu, err := translate(newSources(headers("linux/x.h", "int a;\n"), new(memory)), archOf(t, "amd64"), oneHeader, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := &enumerator{}
		tu.probes = append(tu.probes, probe{expr: p.expr, want: p.want, macro: e})
		tu.evaluate(nil, nil, nil)
		if e.val.why != p.why {
			t.Errorf("%s: got %q, want %q", name, e.val.why, p.why)
		}
	}
}

// So are layouts: sizes, and places of members.
func TestLayoutsThatDifferAreAnError(t *testing.T) {
	withABI(t, "386", func(a *abi) { a.member8 = 0 })
	for text, want := range map[string]string{
		"struct s { long long a; int b; };":               "linux/x.h:1: struct s has 16 bytes, but 12 for cc",
		"struct s { int a; long long b; int c; int d; };": "linux/x.h:1: struct s.b is at byte 8, but at 4 for cc",
	} {
		_, err := Parse(headers("linux/x.h", text+"\n"), archOf(t, "386"), oneHeader)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot error %v, want %q", text, err, want)
		}
	}
}
