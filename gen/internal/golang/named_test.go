package golang

import (
	"fmt"
	"go/constant"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// macros are units with constants of that name and a number each, alike on all
// architectures.
func macros(values map[string][]int64) []model.Unit {
	return unitsOf(model.Arches, "tool", func(model.Arch) []model.Const {
		var consts []model.Const
		for _, family := range slices.Sorted(mapKeys(values)) {
			for i, v := range values[family] {
				consts = append(consts, model.Const{
					Name: fmt.Sprint(family, i), Value: constant.MakeInt64(v), Type: "long long", Base: model.Hex,
					Pos: model.Pos{File: "linux/tool.h", Line: len(consts) + 1},
				})
			}
		}
		return consts
	})
}

func mapKeys[T any](m map[string]T) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestStrings runs the methods String of random flags and numbers and reads back
// what they say: the names and the rest must be all the bits and no others, none
// of them in vain, and the rest must have no name.
func TestStrings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := map[string][]int64{
		"EMPTY_": {0}, "TOP_": {1, -1 << 63, 1 << 62}, "MASK_": {0x7, 0x1, 0x2, 0x4, 0xe, 0x0, 0x3, 0x3}, "ALL_": {-1, 1, 2},
	}
	for i := range 6 {
		for range 8 {
			v := int64(1) << r.IntN(20)
			if r.IntN(3) == 0 {
				v |= r.Int64N(1 << 20)
			}
			values[fmt.Sprintf("RANDOM%d_", i)] = append(values[fmt.Sprintf("RANDOM%d_", i)], v)
		}
	}
	o := Options{}
	var calls strings.Builder
	type call struct {
		family string
		enum   bool
		x      uint64
	}
	var made []call
	for _, family := range slices.Sorted(mapKeys(values)) {
		flags, enum := "F"+strings.Trim(family, "_"), "E"+strings.Trim(family, "_")
		name := flags
		o.Sets = append(o.Sets, Set{Name: flags, Match: family + "*", Flags: true})
		tries := []uint64{0, 1, 2, 3, 0xf, 1 << 63, 1<<64 - 1, 1 << 40}
		for range 200 {
			x := uint64(0)
			for _, v := range values[family] {
				if r.IntN(2) == 0 {
					x |= uint64(v)
				}
			}
			tries = append(tries, x, x|1<<r.IntN(64), x&^(1<<r.IntN(20)))
		}
		for _, x := range tries {
			made = append(made, call{family, false, x})
			fmt.Fprintf(&calls, "\tfmt.Println(%s(%d))\n", name, x)
		}
		// The same as numbers.
		other := "N" + family
		values[other] = values[family]
		o.Sets = append(o.Sets, Set{Name: enum, Match: other + "*", Type: "int64"})
		for _, v := range append(slices.Clone(values[family]), 77777, -77777) {
			made = append(made, call{other, true, uint64(v)})
			fmt.Fprintf(&calls, "\tfmt.Println(%s(%d))\n", enum, v)
		}
	}
	p, err := Merge(macros(values), o)
	if err != nil {
		t.Fatal(err)
	}
	files, err := Render(p, "main", "7.3.4")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeText(t, dir, "go.mod", "module example\n\ngo 1.26\n")
	for _, f := range files {
		writeText(t, dir, f.Name, string(f.Data))
	}
	writeText(t, dir, "main.go", "package main\n\nimport (\n\t\"fmt\"\n\t\"testing\"\n)\n\nvar sink string\n\nfunc main() {\n"+calls.String()+allocations+"}\n")
	runGo(t, dir, "vet", ".")
	lines := strings.Split(strings.TrimSpace(runGo(t, dir, "run", ".")), "\n")
	if last := lines[len(lines)-1]; last != "0 0 true" {
		t.Errorf("a single name allocates %s times, want 0 0, and others do", last)
	}
	if len(lines) != len(made)+1 {
		t.Fatalf("got %d lines, want %d", len(lines), len(made)+1)
	}
	for i, c := range made {
		if why := misread(values[c.family], c.family, c.enum, c.x, lines[i]); why != "" {
			t.Errorf("%s of %#x is %s: %s", c.family, c.x, lines[i], why)
		}
	}
}

// allocations prints how often a name allocates, and whether two do.
const allocations = `
	per := func(s fmt.Stringer) float64 { return testing.AllocsPerRun(10, func() { sink = s.String() }) }
	fmt.Println(per(FMASK(2)), per(EMASK(7)), per(FTOP(3 << 62)) > 0)
`

// misread says what is wrong with a string.
func misread(values []int64, family string, enum bool, x uint64, text string) string {
	valueOf := func(name string) (uint64, bool) {
		i, err := strconv.Atoi(strings.TrimPrefix(name, family))
		if err != nil || !strings.HasPrefix(name, family) || i >= len(values) {
			return 0, false
		}
		return uint64(values[i]), true
	}
	if enum {
		i := slices.Index(values, int64(x))
		if want := fmt.Sprint(family, i); i >= 0 && text != want {
			return "want " + want
		}
		if want := fmt.Sprintf("E%s(%d)", strings.Trim(family[1:], "_"), int64(x)); i < 0 && text != want {
			return "want " + want
		}
		return ""
	}
	if x == 0 {
		want := "0"
		if i := slices.Index(values, 0); i >= 0 {
			want = fmt.Sprint(family, i)
		}
		if text != want {
			return "want " + want
		}
		return ""
	}
	var all uint64
	parts := strings.Split(text, "|")
	for i, part := range parts {
		v, ok := valueOf(part)
		if !ok && i == len(parts)-1 {
			rest, err := strconv.ParseUint(strings.TrimPrefix(part, "0x"), 16, 64)
			if err != nil || !strings.HasPrefix(part, "0x") {
				return "no name and no number: " + part
			}
			for _, v := range values {
				if uint64(v)&rest != 0 && x&uint64(v) == uint64(v) {
					return fmt.Sprintf("%#x has a name", uint64(v)&rest)
				}
			}
			v, ok = rest, true
		}
		if !ok || v&^x != 0 || v&^all == 0 {
			return "wrong, or in vain: " + part
		}
		all |= v
	}
	if all != x {
		return fmt.Sprintf("that is %#x", all)
	}
	if i := slices.Index(values, int64(x)); i >= 0 && text != fmt.Sprint(family, i) {
		return fmt.Sprintf("it is %s%d alone", family, i)
	}
	if bits.OnesCount64(x) == 1 && len(parts) != 1 {
		return "one bit has two names"
	}
	return ""
}
