package c

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// headers makes a file system of one header after another: its name, its
// text.
func headers(nameText ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(nameText); i += 2 {
		m[nameText[i]] = &fstest.MapFile{Data: []byte(nameText[i+1])}
	}
	return m
}

var oneHeader = model.Group{Name: "x", Headers: []model.Header{{Path: "linux/x.h"}}}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		headers fstest.MapFS
		want    []string
	}{
		"truncated struct":       {headers("linux/x.h", "struct s {\n\tint a;\n"), []string{"linux/x.h:2: it ends in the middle of a declaration"}},
		"truncated enum":         {headers("linux/x.h", "enum e {\n\tA,"), []string{"linux/x.h:2: it ends in the middle of a declaration"}},
		"truncated to a keyword": {headers("linux/x.h", "enum"), []string{"linux/x.h:1: unexpected 'enum', expected enum specifier"}},
		"truncated typedef":      {headers("linux/x.h", "typedef int a"), []string{"linux/x.h:1: it ends in the middle of a declaration"}},
		"truncated condition":    {headers("linux/x.h", "#ifndef X\nint a;\n"), []string{"linux/x.h:3: expected #endif"}},
		"truncated comment":      {headers("linux/x.h", "int a;\n/* and"), []string{"linux/x.h:2: comment not terminated"}},
		"include loop": {
			headers("linux/x.h", "\n#include <linux/y.h>\n", "linux/y.h", "int a;\n\n#include \"x.h\"\n"),
			[]string{"linux/y.h:3: include loop: linux/x.h -> linux/y.h -> linux/x.h"},
		},
		"include of itself":                  {headers("linux/x.h", "#include <linux/x.h>\n#include <linux/x.h>\n"), []string{"linux/x.h:1: include loop: linux/x.h -> linux/x.h"}},
		"missing include before an enum":     {headers("linux/x.h", "#include \"nowhere.h\"\n#if __has_include(<nowhere.h>) || __has_include(\"../x.h\")\n#error found\n#endif\n# include <../../gone.h>\nenum a { B };\nunknown c;\n"), []string{"linux/x.h:1: there is no header \"nowhere.h\"", "linux/x.h:5: there is no header <../../gone.h>"}},
		"missing include":                    {headers("linux/x.h", "int a;\n#include <linux/nowhere.h>\n"), []string{"linux/x.h:2: there is no header <linux/nowhere.h>"}},
		"missing header":                     {headers(), []string{"linux/x.h: there is no such header"}},
		"include of a number":                {headers("linux/x.h", "#include 3\n"), []string{"linux/x.h:1: #include must name a header in <> or quotes"}},
		"include of nothing, and an enum":    {headers("linux/x.h", "#include\nenum a { B };\n"), []string{"linux/x.h:1: #include must name a header in <> or quotes"}},
		"include of no macro, and an enum":   {headers("linux/x.h", "enum a { B };\n#  include NONE /* */\nenum c { D };\n"), []string{"linux/x.h:2: #include must name a header in <> or quotes"}},
		"too deep beside a macro's #include": {headers("linux/x.h", "#define Y \"y.h\"\n#include Y\nint a["+strings.Repeat("(", 1001)+"1];\n", "linux/y.h", ""), []string{"linux/x.h:3: brackets nest deeper than 1000"}},
		"#error":                             {headers("linux/x.h", "\n#error use linux/y.h\n"), []string{"linux/x.h:2: #error use linux/y.h"}},
		"struct defined twice":               {headers("linux/x.h", "struct s { int a; };\nstruct s { int a; };\n"), []string{"linux/x.h:2: struct s is defined twice"}},
		"typedef of two types":               {headers("linux/x.h", "typedef int t;\ntypedef long t;\n"), []string{"linux/x.h:2: typedef t is declared twice, differently"}},
		"enumerator twice":                   {headers("linux/x.h", "enum { A };\nenum { A };\n"), []string{"linux/x.h:2: enumerator A is declared twice"}},
		"static assertion":                   {headers("linux/x.h", "\n_Static_assert(sizeof(int) == 3, \"int\");\n"), []string{"linux/x.h:2: static assertion fails: \"int\""}},
		"assertion by array":                 {headers("linux/x.h", "typedef char check[1 - 2 * (sizeof(int) != 3)];\n"), []string{"linux/x.h:1: array of negative length"}},
		"pack without push":                  {headers("linux/x.h", "#pragma pack(pop)\n"), []string{"linux/x.h:1: #pragma pack(pop) is not supported"}},
		"pack of 3":                          {headers("linux/x.h", "#pragma pack(push, 3)\n"), []string{"linux/x.h:1: #pragma pack(push, 3) is not supported"}},
		"pack by _Pragma":                    {headers("linux/x.h", "_Pragma(\"pack(1)\")\nint a;\n"), []string{"linux/x.h: #pragma pack by _Pragma is not supported"}},
		"division by zero in #if":            {headers("linux/x.h", "#if 1 / 0\n#endif\n"), []string{"linux/x.h:1: division by zero"}},
		"no number in #if":                   {headers("linux/x.h", "#if 08\n#endif\n"), []string{"linux/x.h:1: no integer: \"08\": invalid syntax"}},
		"macro call without end":             {headers("linux/x.h", "#define F(x) x\nint a = F(;\n"), []string{"linux/x.h:2: unterminated argument list invoking macro \"F\""}},
		"expansion without bounds":           {headers("linux/x.h", explosion+"#if Y\n#endif\n"), []string{"linux/x.h:26: a macro expands beyond all measure"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(c.headers, archOf(t, "amd64"), oneHeader)
			pe, ok := errors.AsType[*model.ParseError](err)
			if !ok {
				t.Fatalf("got error %v, want a *ParseError", err)
			}
			if !slices.Equal(pe.Lines, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(pe.Lines, "\n"), strings.Join(c.want, "\n"))
			}
			if want := strings.Join(c.want, "\n") + "\n(reading the headers for amd64)"; err.Error() != want {
				t.Errorf("got error %q, want %q", err, want)
			}
		})
	}
}

// explosion is a header whose last macro expands to 2^24 tokens.
var explosion = func() string {
	s := "#define A 1\n"
	for c := 'A'; c < 'Y'; c++ {
		s += "#define " + string(c+1) + " " + string(c) + " " + string(c) + "\n"
	}
	return s
}()

// A macro that cannot be expanded takes no other with it.
func TestParseSkipsMacrosThatExpandWithoutEnd(t *testing.T) {
	u, err := Parse(headers("linux/x.h", explosion+"#define AFTER (7)\n#define ONE (1)\n"), archOf(t, "amd64"), model.Group{Name: "x", Headers: []model.Header{{Path: "linux/x.h", Names: []string{"A", "Y", "AFTER", "ONE"}}}})
	if err != nil {
		t.Fatal(err)
	}
	want := "A = 1 int dec (linux/x.h:1)\nAFTER = 7 int dec (linux/x.h:26)\nONE = 1 int dec (linux/x.h:27)\nskip Y: a macro expands beyond all measure (linux/x.h:25)\n"
	if got := dumpUnit(u); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestParseKeepsWhatIsAskedFor(t *testing.T) {
	fsys := headers(
		"linux/x.h", `
#include <linux/y.h>
#define X_ONE 1
#define X_TWO 2
#define Z_ONE 3
#define OTHER 4
enum { X_THREE = 3, Z_THREE = 3 };
struct x_one { struct y y; };
struct z_one { int a; };
typedef struct { struct z_one z; } x_two;
`,
		"linux/y.h", `
#ifndef X_FOUR
#define X_FOUR 4
struct needed { int a; };
struct unneeded { int a; };
struct y { struct x_needed *p; struct needed n[2]; };
#endif
`,
	)
	for name, c := range map[string]struct {
		headers []model.Header
		want    string
	}{
		"all of one header":    {[]model.Header{{Path: "linux/x.h"}}, "X_ONE X_TWO Z_ONE OTHER X_THREE Z_THREE; struct needed, struct y, struct x_one, struct z_one, x_two"},
		"prefix":               {[]model.Header{{Path: "linux/x.h", Prefixes: []string{"X_"}}}, "X_ONE X_TWO X_THREE; struct z_one, struct needed, struct y, struct x_one, x_two"},
		"names":                {[]model.Header{{Path: "linux/x.h", Names: []string{"OTHER", "Z_THREE"}}}, "OTHER Z_THREE; "},
		"names and prefix":     {[]model.Header{{Path: "linux/x.h", Names: []string{"OTHER"}, Prefixes: []string{"Z_"}}}, "Z_ONE OTHER Z_THREE; struct z_one"},
		"headers in order":     {[]model.Header{{Path: "linux/y.h"}, {Path: "linux/x.h", Names: []string{"X_ONE"}}}, "X_FOUR X_ONE; struct needed, struct unneeded, struct y"},
		"headers out of order": {[]model.Header{{Path: "linux/x.h", Names: []string{"X_ONE"}}, {Path: "linux/y.h", Names: []string{"X_FOUR"}}}, "X_ONE X_FOUR; "},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := Parse(fsys, archOf(t, "amd64"), model.Group{Name: "x", Headers: c.headers})
			if err != nil {
				t.Fatal(err)
			}
			var consts, structs []string
			for _, c := range u.Consts {
				consts = append(consts, c.Name)
			}
			for _, s := range u.Structs {
				structs = append(structs, s.Name)
			}
			if got := strings.Join(consts, " ") + "; " + strings.Join(structs, ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A port splits the headers of asm/ as it likes.
func TestParseTakesAsmHeadersTogether(t *testing.T) {
	fsys := headers(
		"asm/calls.h", "#include <asm/calls_64.h>\n#include <linux/other.h>\n#include <asm-generic/calls.h>\n",
		"asm/calls_64.h", "#define CALL_A 1\n",
		"asm-generic/calls.h", "#define CALL_B 2\n",
		"linux/other.h", "#define CALL_C 3\n",
	)
	u, err := Parse(fsys, archOf(t, "amd64"), model.Group{Name: "x", Headers: []model.Header{{Path: "asm/calls.h", Prefixes: []string{"CALL_"}}}})
	if err != nil {
		t.Fatal(err)
	}
	want := "CALL_B = 2 int dec (asm-generic/calls.h:1)\nCALL_A = 1 int dec gap (asm/calls_64.h:1)\n"
	if got := dumpUnit(u); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// What a programmer would include first, Parse includes first.
func TestParseReadsFirstWhatIsMissing(t *testing.T) {
	fsys := headers(
		"linux/x.h", "struct s { size_t n; uint32_t m; };\n#define X_GET _IOR('x', 1, struct s)\n",
		"linux/ioctl.h", "#define _IOR(t, n, s) ((2U << 30) | ((t) << 8) | (n) | (sizeof(s) << 16))\n",
	)
	u, err := Parse(fsys, archOf(t, "amd64"), oneHeader)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"stddef.h", "stdint.h", "linux/ioctl.h"}; !slices.Equal(u.Before, want) {
		t.Errorf("read first %q, want %q", u.Before, want)
	}
	want := "X_GET = 2148562945 unsigned long hex (linux/x.h:2)\nstruct s size 16 align 8 (linux/x.h:1)\n\t0 n size_t size 8 align 8\n\t8 m uint32_t size 4 align 4\n"
	if got := dumpUnit(u); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestParseOfHeadersWithoutEndEnds(t *testing.T) {
	for _, text := range []string{"enum", "*", "enum e", "struct s {", "int a[", "typeof(", "_Alignas(", "int (*", "struct s { int a : ", "int f(", "int a = {", "__attribute__((", "#define F(a,", "F(", "'", "\"", "/*"} {
		if _, err := Parse(headers("linux/x.h", text), archOf(t, "amd64"), oneHeader); err == nil && !strings.HasPrefix(text, "#") {
			t.Errorf("%q: no error", text)
		}
	}
}
