package c

import (
	"strings"
	"testing"
)

// A declaration that cannot be read is skipped with what needs it, and the
// others are as they would be without it.
func TestDeclarationsThatCannotBeReadSkipThemselves(t *testing.T) {
	const before, after = "#define A 1\nstruct a { int a; };\n", "#define Z 9\nstruct z { int z; };\n"
	for name, c := range map[string]struct {
		text string
		want []string // the skips
	}{
		"unknown type": {"struct s {\n\tnumber n;\n};\n",
			[]string{"struct s: unknown type number, or a mistake behind it; if another header declares it, that one must be read first (linux/x.h:3)"}},
		"missing semicolon": {"struct s {\n\tint a\n\tint b;\n};\n", []string{"struct s: unexpected 'int', expected ';' (linux/x.h:3)"}},
		"no type":           {"int 3;\n", []string{"int 3;: unexpected integer constant, expected direct declarator (linux/x.h:3)"}},
		"unknown typedef": {"typedef number n_t, *n_p;\n",
			[]string{"n_p: unknown type number, or a mistake behind it; if another header declares it, that one must be read first (linux/x.h:3)"}},
		"what needs it": {"typedef number n_t;\nstruct s { n_t n; };\n#define S sizeof(struct s)\n", []string{
			"n_t: unknown type number, or a mistake behind it; if another header declares it, that one must be read first (linux/x.h:3)",
			"struct s: unknown type n_t, or a mistake behind it; if another header declares it, that one must be read first (linux/x.h:4)",
			"S: incomplete type struct s (linux/x.h:5)",
		}},
		"enum and its values": {"enum e { B = , C };\n#define D C\n", []string{"enum e: unexpected ',', expected unary expression (linux/x.h:3)", "D: C is not declared (linux/x.h:4)"}},
		"directives in it stay": {"struct s {\n#ifndef NEVER\n#define IN 5\n\tnumber n; /* ; } */\n#endif\n};\n",
			[]string{"struct s: unknown type number, or a mistake behind it; if another header declares it, that one must be read first (linux/x.h:3)"}},
		"two heads for one brace": {"#ifdef __mips__\nstruct s {\n#else\nstruct t {\n#endif\n\tnumber n;\n};\n",
			[]string{"struct s: unknown type number, or a mistake behind it; if another header declares it, that one must be read first (linux/x.h:4)"}},
		"a function": {"static inline int f(number n)\n{\n\treturn n;\n}\n",
			[]string{"static inline int f(number n): unknown type number, or a mistake behind it; if another header declares it, that one must be read first (linux/x.h:3)"}},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := Parse(headers("linux/x.h", before+c.text+after), archOf(t, "amd64"), oneHeader)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range u.Skips {
				got = append(got, s.Name+": "+s.Reason+" ("+s.Pos.String()+")")
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("skips\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			names := " "
			for _, c := range u.Consts {
				names += c.Name + "=" + c.Value.ExactString() + " "
			}
			for _, s := range u.Structs {
				names += s.Name + " "
			}
			want := " A=1 Z=9 struct a struct z "
			if strings.Contains(c.text, "IN 5") {
				want = " A=1 IN=5 Z=9 struct a struct z "
			}
			if names != want {
				t.Errorf("got%swant%s", names, want)
			}
		})
	}
}

// One that has no end is an error, and so are too many.
func TestHeadersOfWhichTooMuchCannotBeRead(t *testing.T) {
	for name, text := range map[string]string{
		"no end":   "struct s { number n;\n",
		"too many": strings.Repeat("int 3;\n", maxCuts+1),
	} {
		if _, err := Parse(headers("linux/x.h", text), archOf(t, "amd64"), oneHeader); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Bit-fields that nest, so that a lone semicolon ends them, have no member more.
func TestLoneSemicolonsAsArguments(t *testing.T) {
	u, err := Parse(headers("linux/x.h", "#define F(field, more) field; more\nstruct s {\n\tF(int a : 3,\n\tF(int b : 5,\n\t;))\n};\n"), archOf(t, "mips"), oneHeader)
	if err != nil || len(u.Structs) != 1 || len(u.Structs[0].Fields) != 2 || u.Structs[0].Size != 4 {
		t.Errorf("got %+v, %v, want a struct of two bit-fields", u.Structs, err)
	}
}
