package golang

import (
	"os"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/c"
	"github.com/go-clone3/clone3/gen/internal/kernel"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// TestRenderRealHeaders writes every header in linux/ of a tree as a package of
// its own, for two architectures that differ in word size, alignment and
// byte order. Each has to compile with the layouts of its model.
func TestRenderRealHeaders(t *testing.T) {
	dir := os.Getenv("KERNEL")
	if dir == "" {
		t.Skip("KERNEL names no kernel tree or header directory with all architectures")
	}
	tree, err := kernel.OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	var on []model.Arch
	for _, a := range model.Arches {
		if a.GOARCH == "386" || a.GOARCH == "s390x" {
			on = append(on, a)
		}
	}
	headers, err := tree.Headers("linux/*.h", on...)
	if err != nil {
		t.Fatal(err)
	}
	rendered, empty := 0, 0
	for _, h := range headers {
		units, err := parseOn(tree, on, model.Group{Name: "header", Headers: []model.Header{{Path: h}}})
		if err != nil {
			continue // that is for the tests of Parse
		}
		files, err := generate("header", units)
		switch {
		case err == nil:
			rendered++
			checkAll(t, files, units)
			p, err := Merge(units, Options{Sets: []Set{{Name: "*"}}, Typedefs: []string{"*"}, Unsigned: []string{"*"}})
			if err != nil {
				t.Errorf("%s: with all its types: %v", h, err)
				continue
			}
			if files, err = Render(p, "header", "7.3.4"); err != nil {
				t.Errorf("%s: with all its types: %v", h, err)
				continue
			}
			checkAll(t, files, units)
		case strings.Contains(err.Error(), "no constant and no struct"):
			empty++
		default:
			t.Errorf("%s: %v", h, err)
		}
	}
	t.Logf("of %d headers %d became a package, %d declare nothing", len(headers), rendered, empty)
	if rendered < len(headers)/2 {
		t.Errorf("only %d of %d headers became a package", rendered, len(headers))
	}
}

func parseOn(tree kernel.Tree, on []model.Arch, g model.Group) ([]model.Unit, error) {
	var units []model.Unit
	for _, a := range on {
		inc, err := tree.Includes(a)
		if err != nil {
			return nil, err
		}
		u, err := c.Parse(inc, a, g)
		if err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	return units, nil
}
