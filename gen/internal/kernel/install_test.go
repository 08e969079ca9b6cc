package kernel

import (
	"slices"
	"testing"
)

func TestSedRule(t *testing.T) {
	for name, tt := range map[string]struct{ rule, in, want string }{
		"groups":            {`s/(a|b)(c)/<\2\1>/g`, "ac-bc-cc\n", "<ca>-<cb>-cc\n"},
		"once per line":     {`s/a/b/`, "aa\naa\n", "ba\nba\n"},
		"start of the line": {`s@^x@y@g`, "xx\nxx\n", "yx\nyx\n"},
		"end of the line":   {`s/x($| )/<\1>/g`, "x x\nx", "< ><>\n<>"},
		"class":             {`s/([[:space:](])__near[[:space:]]/\1/g`, "f(__near x)\t__near y\n", "f(x)\ty\n"},
		"longest wins":      {`s/a|ab/./g`, "ab\n", ".\n"},
		"dollar":            {`s/a/$1/g`, "a\n", "$1\n"},
		"no literal needed": {`s/[0-9]*x?y/n/g`, "12xy3y\n", "nn\n"},
	} {
		rule, err := parseSedRule(tt.rule)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(rule.apply([]byte(tt.in))); got != tt.want {
			t.Errorf("%s: %s makes %q of %q, want %q", name, tt.rule, got, tt.in, tt.want)
		}
	}
}

func TestSedRuleUnknown(t *testing.T) {
	for _, rule := range []string{"", "s", "d", "s/a/b", "s/a/b/w", "s/a/b/2", `s/[\.]/b/`, `s/a\/b/c/`, "s/a/&/", `s/a/\n/`, "s/(a/b/"} {
		_, err := parseSedRule(rule)
		if want := "unknown sed command"; err == nil || err.Error()[:len(want)] != want {
			t.Errorf("%q: got error %v, want %q", rule, err, want)
		}
	}
}

func TestSedRuleKnowsWhatItNeeds(t *testing.T) {
	for rule, want := range map[string][]string{
		`s/(near|far)[[:space:]]/x/`: {"near", "far"},
		`s/ab[xy]cde/x/`:             {"cde"},
		`s/(ab|[xy])/x/`:             nil,
		`s/(abc)*/x/`:                nil,
		`s/(abc)+d/x/`:               {"abc"},
	} {
		r, err := parseSedRule(rule)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.words, want) {
			t.Errorf("%s needs %q, want %q", rule, r.words, want)
		}
	}
}
