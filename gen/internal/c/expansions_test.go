package c

import (
	"slices"
	"strings"
	"testing"
)

// What a macro is on one architecture is not taken for what it is on another:
// not if it differs in something that it uses, nor in the name of something
// that is pasted together.
func TestExpansionsAreRememberedForTheSameDefinitionsOnly(t *testing.T) {
	const text = `
#ifdef __LP64__
#define WIDE 8
#define WIDE_PASTED 80
#define TO_B 1
#else
#define WIDE 4
#define WIDE_PASTED 40
#define TOB 2
#endif
#define GLUE_(a, b) a ## b
#define GLUE(a, b) GLUE_(a, b)
#define USED (WIDE + 1)
#define PASTED GLUE(WID, E_PASTED)
#define TO TO
#define TWICE GLUE(GLUE(WI, DE), _PASTED)
#define SAME GLUE(1, UL)
`
	h := headers("linux/x.h", text)
	var p Parser
	for range 2 {
		for goarch, want := range map[string]string{
			"amd64": "WIDE=8 WIDE_PASTED=80 TO_B=1 USED=9 PASTED=80 SAME=1",
			"386":   "WIDE=4 WIDE_PASTED=40 TOB=2 USED=5 PASTED=40 SAME=1",
		} {
			u, err := p.Parse(h, archOf(t, goarch), oneHeader)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range u.Consts {
				got = append(got, c.Name+"="+c.Value.ExactString())
			}
			if got := strings.Join(got, " "); got != want {
				t.Errorf("%s: got %s, want %s", goarch, got, want)
			}
			alone, err := Parse(h, archOf(t, goarch), oneHeader)
			if err != nil || dumpUnit(alone) != dumpUnit(u) {
				t.Errorf("%s: with memories %s\nwithout, and %v, %s", goarch, dumpUnit(u), err, dumpUnit(alone))
			}
		}
	}
}

func TestNamesThatArePastedTogether(t *testing.T) {
	pieces := map[string]bool{"A": true, "AB": true, "_": true, "1": true, "C_": true}
	for text, want := range map[string]bool{
		"A": true, "A_1": true, "ABC_": true, "AABA": true, "A1_1_AB": true,
		"B": false, "ABB": false, "C": false, "a": false, "A_2": false,
	} {
		if got := consistsOf(text, pieces); got != want {
			t.Errorf("%s of %v: got %t, want %t", text, pieces, got, want)
		}
	}
}

// Of the other macros only those are defined that can be made.
func TestClosureHasWhatCanBePasted(t *testing.T) {
	text := "#define G_(a, b) a ## b\n#define G(a, b) G_(a, b)\n#define X G(A, _B)\n#define A_B A_B_\n#define A_B_ G(C, 1)\n#define C1 2\n#define A_C 3\n#define AZ 4\n"
	tu, err := translate(newSources(headers("linux/x.h", text), new(memory)), archOf(t, "amd64"), oneHeader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tu.closure([]string{"X"}), []string{"A_B", "A_B_", "C1", "G", "G_", "X"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
