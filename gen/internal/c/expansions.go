package c

import (
	"crypto/sha256"
	"io"
	"maps"
	"slices"
	"strings"

	"modernc.org/cc/v4"
)

// A digest stands for a text.
type digest = [sha256.Size]byte

// expansions is expand with a memory: what is defined alike for another
// architecture, with all that it uses, is not expanded again.
func (tu *translation) expansions(names []string) map[string]expansion {
	all := make(map[string]expansion, len(names))
	digests := make(map[string]digest, len(names))
	var left []string
	for _, name := range names {
		digests[name] = tu.digest(name)
		if x, ok := tu.memory.expansions.Load(digests[name]); ok {
			all[name] = x.(expansion)
			continue
		}
		left = append(left, name)
	}
	for name, x := range tu.expand(left) {
		all[name] = x
		if x.why == "" {
			tu.memory.expansions.Store(digests[name], x)
		}
	}
	return all
}

// digest returns that of the definitions of all macros that may take part in the
// expansion of name. What has the same expands to the same, on whichever
// architecture.
func (tu *translation) digest(name string) (sum digest) {
	h := sha256.New()
	io.WriteString(h, name+"\n")
	used := []string{name}
	if !tu.isAlone(name) {
		used = tu.closure(used)
	}
	for _, name := range used {
		io.WriteString(h, tu.definition(name))
	}
	h.Sum(sum[:0])
	return sum
}

// isAlone reports whether a macro names no others, and pastes none together, which
// most do not.
func (tu *translation) isAlone(name string) bool {
	return !slices.ContainsFunc(tu.macros[name].ReplacementList(), func(t cc.Token) bool {
		word := t.SrcStr()
		return word == "##" || tu.macros[word] != nil
	})
}

// closure returns the macros that may take part in the expansion of names:
// those that they name, those that these name, and those whose names can be
// pasted together from what is there.
func (tu *translation) closure(names []string) []string {
	seen := map[string]bool{}
	pieces := map[string]bool{}
	pastes := false
	var visit func(name string)
	visit = func(name string) {
		m := tu.macros[name]
		if m == nil || seen[name] {
			return
		}
		seen[name] = true
		for _, t := range m.ReplacementList() {
			word := t.SrcStr()
			if word == "##" {
				pastes = true
				continue
			}
			if slices.ContainsFunc(m.Params, func(p cc.Token) bool { return p.SrcStr() == word }) {
				continue // never stays
			}
			pieces[word] = true
			visit(word)
		}
	}
	for _, name := range names {
		visit(name)
	}
	for n := -1; pastes && n < len(seen); {
		n = len(seen)
		for _, name := range tu.pasted(pieces) {
			visit(name)
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// pasted returns the macros whose names can be put together from two pieces or
// more.
func (tu *translation) pasted(pieces map[string]bool) (found []string) {
	list := tu.macroList()
	for first := range pieces {
		i, _ := slices.BinarySearchFunc(list, first, func(m macro, name string) int { return strings.Compare(m.name, name) })
		for ; i < len(list) && strings.HasPrefix(list[i].name, first); i++ {
			if rest := list[i].name[len(first):]; rest != "" && consistsOf(rest, pieces) {
				found = append(found, list[i].name)
			}
		}
	}
	return found
}

// consistsOf reports whether text is a row of pieces.
func consistsOf(text string, pieces map[string]bool) bool {
	ends := make([]bool, len(text)+1) // of rows of pieces from the beginning
	ends[0] = true
	for end := range ends {
		for begin := range end {
			ends[end] = ends[end] || ends[begin] && pieces[text[begin:end]]
		}
	}
	return ends[len(text)]
}
