package c

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"golang.org/x/tools/txtar"

	"github.com/go-clone3/clone3/gen/internal/textfs"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// archOf returns the Arch of a GOARCH.
func archOf(t testing.TB, goarch string) model.Arch {
	t.Helper()
	i := slices.IndexFunc(model.Arches, func(a model.Arch) bool { return a.GOARCH == goarch })
	if i < 0 {
		t.Fatalf("no architecture %q", goarch)
	}
	return model.Arches[i]
}

// headersIn returns the headers of an archive as a file system.
func headersIn(a *txtar.Archive) fs.FS {
	m := fstest.MapFS{}
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ".h") {
			m[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return m
}

// dumpUnit spells a Unit, a line for each thing in it.
func dumpUnit(u model.Unit) string {
	var b strings.Builder
	for _, c := range u.Consts {
		gap := ""
		if c.Gap {
			gap = " gap"
		}
		enum := ""
		if c.Enum != "" {
			enum = " of " + c.Enum
		}
		fmt.Fprintf(&b, "%s = %s %s %s%s%s (%s)\n", c.Name, c.Value.ExactString(), c.Type, [...]string{"dec", "hex", "oct"}[c.Base], enum, gap, c.Pos)
	}
	var dump func(s model.Struct, indent string)
	dump = func(s model.Struct, indent string) {
		for _, f := range s.Fields {
			fmt.Fprintf(&b, "%s%d", indent, f.Offset)
			if f.Bits != nil {
				fmt.Fprintf(&b, " bits %d+%d", f.Bits.Offset, f.Bits.Width)
			}
			name := f.Name
			if name == "" {
				name = "(anonymous)"
			}
			fmt.Fprintf(&b, " %s %s size %d align %d", name, f.Type.C, f.Type.Size, f.Type.Align)
			if f.Flexible {
				b.WriteString(" flexible")
			}
			b.WriteByte('\n')
			t := &f.Type
			for t.Kind == model.Array {
				t = t.Elem
			}
			if t.Inline != nil {
				dump(*t.Inline, indent+"\t")
			}
		}
	}
	for _, s := range u.Structs {
		fmt.Fprintf(&b, "%s size %d align %d (%s)\n", s.Name, s.Size, s.Align, s.Pos)
		dump(s, "\t")
	}
	for _, t := range u.Types {
		fmt.Fprintf(&b, "type %s %s size %d align %d", t.Name, t.Type.C, t.Type.Size, t.Type.Align)
		if t.Type.Enum != "" {
			fmt.Fprintf(&b, " of %s", t.Type.Enum)
		}
		fmt.Fprintf(&b, " (%s)\n", t.Pos)
	}
	for _, s := range u.Skips {
		fmt.Fprintf(&b, "skip %s: %s (%s)\n", s.Name, s.Reason, s.Pos)
	}
	return b.String()
}

// TestParse reads the headers of each archive testdata/parse-*.txtar. The
// first header is the one to bind. Its first line may name the architectures,
// each of which has its golden file.
func TestParse(t *testing.T) {
	archives, err := filepath.Glob(gentest.Testdata(t, "parse-*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives: ", err)
	}
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, list, ok := strings.Cut(strings.SplitN(string(a.Comment), "\n", 2)[0], "arches:")
		if !ok {
			t.Fatalf("%s: the first line does not say arches:", path)
		}
		for goarch := range strings.FieldsSeq(list) {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar")+"/"+goarch, func(t *testing.T) {
				u, err := Parse(headersIn(a), archOf(t, goarch), model.Group{Name: "test", Headers: []model.Header{{Path: a.Files[0].Name}}})
				if err != nil {
					t.Fatal(err)
				}
				gentest.Golden(t, filepath.Base(path), "want-"+goarch, []byte(dumpUnit(u)))
			})
		}
	}
}

// Headers of which others use names without including them must have these.
func TestHomesHaveTheirNames(t *testing.T) {
	trees := gentest.CachedTrees(t, "headers-7*")
	if len(trees) == 0 {
		t.Skip("no kernel headers in the cache: run `make test`, which fetches them")
	}
	dir := trees[len(trees)-1]
	arch := archOf(t, "amd64")
	inc := textfs.FS(func(name string) ([]byte, error) {
		if below, ok := strings.CutPrefix(name, "asm/"); ok {
			return os.ReadFile(filepath.Join(dir, "usr/lib/linux/uapi/x86/asm", below))
		}
		return os.ReadFile(filepath.Join(dir, "usr/include", name))
	})
	for _, h := range homes {
		if _, err := fs.Stat(inc, h.header); err != nil {
			continue // it is one of gen's own
		}
		g := model.Group{Headers: []model.Header{{Path: h.header}}}
		found, err := readTogether(new(Parser), inc, arch, []model.Group{g}, func(tu *translation, _ []string) map[string]bool {
			has := map[string]bool{}
			for _, name := range h.names {
				_, typedef := tu.scope.typedefs[name]
				_, tag := tu.scope.tags[name]
				_, enum := tu.scope.enums[name]
				has[name] = typedef || tag || enum || tu.macros[name] != nil
			}
			return has
		})
		if err != nil {
			t.Errorf("%s: %v", h.header, err)
		}
		for name, has := range found {
			if !has {
				t.Errorf("%s has no %s", h.header, name)
			}
		}
	}
}
