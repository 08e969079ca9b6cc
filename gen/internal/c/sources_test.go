package c

import (
	"strings"
	"testing"
)

// What cc does not understand is rewritten, and nothing else.
func TestRewrittenHeadersMeanTheSame(t *testing.T) {
	for name, text := range map[string]string{
		"for without a condition": "static inline int forever(void) { for (;;) return 1; }\n",
		"two semicolons":          "struct s { int a;; };\n",
		"with a comment between":  "struct s { int a; /* and */ ; };\n",
		"in a string":             "static inline const char *text(void) { return \";;\"; }\n",
	} {
		if _, err := Parse(headers("linux/x.h", text), archOf(t, "amd64"), oneHeader); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A header that says #pragma once is read once.
func TestPragmaOnce(t *testing.T) {
	u, err := Parse(headers(
		"linux/x.h", "#include <linux/y.h>\n#include <linux/y.h>\nstruct x { struct y y; };\n",
		"linux/y.h", "#pragma once\nstruct y { int a; };\n",
	), archOf(t, "amd64"), oneHeader)
	if err != nil || len(u.Structs) != 2 {
		t.Errorf("got %d structs, %v, want 2", len(u.Structs), err)
	}
}

// Of two semicolons one goes, where it is one too many.
func TestRewriteDropsSemicolons(t *testing.T) {
	for before, after := range map[string]string{
		"struct s { int a;; };":                           "struct s { int a;  };",
		"struct s { int a; /* none */ ; };":               "struct s { int a; /* none */   };",
		"static int f(void) { for (;;) return 1; }":       "",
		"static int f(int i) { for (; ; i++) return i; }": "",
		`static const char *s = ";;";`:                    "",
		"#define C ';';":                                  "",
	} {
		if after == "" {
			after = before
		}
		if got := string(rewrite([]byte(before + "\n"))); !strings.Contains(got, after+"\n") {
			t.Errorf("%s became\n%s, want %s", before, got, after)
		}
	}
}

// A macro may name a header, too, and one that is not reached need not be there.
func TestIncludeByMacro(t *testing.T) {
	h := headers("linux/x.h", "#define HERE \"y.h\"\n#define THERE <linux/z.h>\n#undef linux\n#include HERE\n#include THERE\n#ifdef NO\n#include NOWHERE\n#endif\nenum e { A = sizeof(y_t) + sizeof(z_t) };\n",
		"linux/y.h", "typedef char y_t[3];\n", "linux/z.h", "typedef char z_t[4];\n")
	u, err := Parse(h, archOf(t, "amd64"), oneHeader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range u.Consts {
		if c.Name == "A" && c.Value.ExactString() == "7" {
			return
		}
	}
	t.Errorf("got constants %v, want A, 7", u.Consts)
}
