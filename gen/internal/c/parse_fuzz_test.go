package c

import (
	"errors"
	"go/constant"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"golang.org/x/tools/txtar"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// FuzzParse reads foreign bytes as a header. Whatever they are, Parse ends,
// and either says what is wrong or returns what makes sense.
func FuzzParse(f *testing.F) {
	archives, _ := filepath.Glob(gentest.Testdata(f, "parse-*.txtar"))
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if strings.HasSuffix(file.Name, ".h") {
				f.Add(file.Data)
			}
		}
	}
	for _, s := range []string{
		"enum", // cc never came back from this, nor from the next
		"*\x89",
		"#include <>\nenum w { A };\n",
		"#define A A B\n#define B B A\n",
		"#define F(x, y...) g(x, ##y)\n#define V F(1)\n",
		"#include <linux/fuzz.h>\n",
		"#define A sizeof(struct { char c[1 << 30]; })\n",
		"enum { X = 1 / 0, Y };\nstruct s { int a : X; char b[Y]; };\n",
		"#pragma pack(push, 1)\nstruct s { char a; long long b : 33; };\n#pragma pack(pop)\n",
		"typedef struct s s; struct s { s *p; s a[]; };\n",
		"#define A (1 ? 2 : (3 + \"x\"))\n#define B '\\xff'\n#define C \"\\777\"\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		for _, goarch := range []string{"386", "mips64"} {
			fsys := fstest.MapFS{"linux/fuzz.h": {Data: header}}
			start := time.Now()
			u, err := Parse(fsys, archOf(t, goarch), model.Group{Name: "fuzz", Headers: []model.Header{{Path: "linux/fuzz.h"}}})
			if d := time.Since(start); d > 2*time.Second {
				t.Fatalf("took %v", d)
			}
			if err != nil {
				if pe := new(model.ParseError); !errors.As(err, &pe) || len(pe.Lines) == 0 {
					t.Fatalf("error of type %T: %v", err, err)
				}
				continue
			}
			for _, c := range u.Consts {
				if k := c.Value.Kind(); k != constant.Int && k != constant.String || c.Type == "" || c.Pos.Line < 0 {
					t.Errorf("constant %+v", c)
				}
			}
			for _, s := range u.Structs {
				checkInside(t, s)
			}
			for _, n := range u.Types {
				if n.Name == "" || n.Type.Kind == model.Invalid || n.Type.Size < 0 || n.Type.Enum == "" && strings.HasPrefix(n.Name, "enum ") {
					t.Errorf("type %+v", n)
				}
			}
			for _, s := range u.Skips {
				if s.Name == "" || s.Reason == "" {
					t.Errorf("skip %+v", s)
				}
			}
		}
	})
}

// checkInside fails unless the members of s lie inside of it.
func checkInside(t *testing.T, s model.Struct) {
	if s.Size < 0 || s.Align <= 0 || s.Size%s.Align != 0 {
		t.Errorf("%s: size %d, alignment %d", s.Name, s.Size, s.Align)
	}
	for _, f := range s.Fields {
		end := f.Offset + f.Type.Size
		if f.Bits != nil {
			end = (f.Bits.Offset + f.Bits.Width + 7) / 8
		}
		if f.Offset < 0 || f.Type.Size < 0 || end > s.Size {
			t.Errorf("%s.%s: bytes %d to %d of %d", s.Name, f.Name, f.Offset, end, s.Size)
		}
		if f.Type.Inline != nil {
			checkInside(t, *f.Type.Inline)
		}
	}
}
