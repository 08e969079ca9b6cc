package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/kernel"
	"github.com/go-clone3/clone3/gen/internal/model"
	"github.com/go-clone3/clone3/gen/internal/parallel"
)

// origins finds when the kernel that r was read of got its names: from older
// kernels, or from a table of what older kernels once told.
func (c command) origins(r reading) (model.Origins, error) {
	all := model.Origins{}
	var trees []tree
	for _, name := range c.since {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			table, err := readOrigins(name)
			if err != nil {
				return nil, err
			}
			for arch, names := range table {
				for name, since := range names {
					all.Set(arch, name, since)
				}
			}
			continue
		}
		k, err := c.openOlder(name, r.version)
		if err != nil {
			return nil, err
		}
		for _, other := range trees {
			if release(other.Version) == release(k.Version) {
				return nil, fmt.Errorf("-since %s: another of these kernels is Linux %s too", name, release(k.Version))
			}
		}
		trees = append(trees, k)
	}
	slices.SortFunc(trees, func(a, b tree) int { return version.Compare("go"+a.Version, "go"+b.Version) })
	for arch, names := range findOrigins(r, len(c.headers) == 0, trees) {
		for name, since := range names {
			all.Set(arch, name, since)
		}
	}
	return all, nil
}

// release is X.Y of the version of a kernel.
func release(v string) string {
	if parts := strings.SplitN(v, ".", 3); len(parts) == 3 {
		return parts[0] + "." + parts[1]
	}
	return v
}

// openOlder opens a kernel of -since, for those of the architectures that it
// has, of which it must have one.
func (c command) openOlder(dir, than string) (tree, error) {
	t, err := kernel.OpenTree(dir)
	if err != nil {
		return tree{}, fmt.Errorf("-since %w", err)
	}
	var have []model.Arch
	var why error
	for _, a := range c.arches {
		if _, err := t.Includes(a); err == nil {
			have = append(have, a)
		} else {
			why = err
		}
	}
	if len(have) == 0 {
		return tree{}, fmt.Errorf("-since %w", why)
	}
	if version.Compare("go"+release(t.Version), "go"+release(than)) >= 0 {
		return tree{}, fmt.Errorf("-since %s: Linux %s is not older than %s", dir, t.Version, than)
	}
	return openTree(dir, have, c.dirs, c.headers)
}

// What a kernel knows of a name.
type knowledge uint8

const (
	absent knowledge = iota
	present
	unknown // a header that has the word cannot be read
)

// A past is what an older kernel has of the names on one architecture.
type past struct {
	tree
	arch   int // of the tree
	groups []model.Group
	known  map[string]knowledge // of names
	read   map[string]bool      // headers
	lost   map[string][]string  // names that are not known yet, by a word that headers with them must have
}

// findOrigins compares what r has with what older kernels have, the oldest
// first. An architecture counts from the first of them that has it. The
// headers of package uapi were read together.
func findOrigins(r reading, together bool, trees []tree) model.Origins {
	found := model.Origins{}
	if len(trees) == 0 {
		return found
	}
	wanted := map[string][]string{} // by architecture
	for _, u := range r.units {
		u.Names(func(name string) { wanted[u.Arch] = append(wanted[u.Arch], name) })
	}
	var pasts []*past
	byArch := map[string][]*past{}
	byTree := make([][]*past, len(trees))
	for t, k := range trees {
		for i, a := range k.arches {
			p := &past{tree: k, arch: i, known: map[string]knowledge{}, read: map[string]bool{}, lost: map[string][]string{}}
			pasts = append(pasts, p)
			byTree[t], byArch[a.GOARCH] = append(byTree[t], p), append(byArch[a.GOARCH], p)
		}
	}
	parallel.Each(len(pasts), func(i int) { pasts[i].ask(r.wants, together, wanted[pasts[i].goarch()]) })
	parallel.Each(len(trees), func(i int) { search(byTree[i]) })
	for arch, names := range wanted {
		for _, name := range names {
			if since := originOf(name, release(r.version), byArch[arch], release(trees[0].Version)); since != "" {
				found.Set(arch, name, since)
			}
		}
	}
	return found
}

// originOf is with which release a name came that the newest kernel has on an
// architecture, or "" if the oldest has it too.
func originOf(name, newest string, pasts []*past, oldest string) string {
	lacks, has := "", newest
	for _, p := range pasts {
		if p.known[name] == absent {
			lacks = release(p.Version)
		} else if p.known[name] == present {
			has = release(p.Version)
			break
		}
	}
	switch {
	case lacks != "":
		return model.ReleaseRange(lacks, has)
	case has == oldest:
		return ""
	}
	return model.ReleaseRange("", has)
}

func (p *past) goarch() string { return p.arches[p.arch].GOARCH }

// note reads groups of headers and learns of their names. It returns false if
// they cannot be read.
func (p *past) note(groups ...model.Group) bool {
	has, err := p.parser.Names(p.includes[p.arch], p.arches[p.arch], groups)
	if err != nil {
		return false
	}
	for name := range has {
		p.known[name] = present
	}
	for _, g := range groups {
		for _, h := range g.Headers {
			p.read[h.Path] = true
		}
	}
	return true
}

// ask looks for the names in the headers that are wanted.
func (p *past) ask(wants []want, together bool, names []string) {
	for _, w := range wants {
		g, _ := withoutMissing(p.includes[p.arch], w.Group)
		p.groups = append(p.groups, g)
	}
	if !together || !p.note(p.groups...) {
		for _, g := range p.groups {
			p.note(g)
		}
	}
	for _, name := range names {
		record, _, isField := strings.Cut(name, ".")
		if p.known[name] == absent && !(isField && p.known[record] == present) {
			word := strings.TrimSuffix(record[strings.LastIndexByte(record, ' ')+1:], "()")
			p.lost[word] = append(p.lost[word], name)
		}
	}
}

// search looks for lost names in all the headers of a kernel, for they may have
// moved since. What no header has as a word is absent, unless one pastes it
// together that is not read now; headers that have the word are read. One of asm-generic/ counts as that of asm/, which alone
// may include it.
func search(pasts []*past) {
	words := map[string]bool{}
	for _, p := range pasts {
		for word := range p.lost {
			words[word] = true
		}
	}
	hits := map[string]map[string]bool{} // by header, those of asm/ with their port
	all := make([][]string, len(pasts))
	for i, p := range pasts {
		if len(p.lost) == 0 {
			continue
		}
		all[i], _ = p.Headers("...", p.arches[p.arch])
		for _, header := range all[i] {
			if key := p.key(header); hits[key] == nil {
				text, _ := fs.ReadFile(p.includes[p.arch], header)
				hits[key] = wordsIn(text, words)
			}
		}
	}
	for i, p := range pasts {
		p.find(all[i], hits)
	}
}

// key tells the headers of a kernel apart.
func (p *past) key(header string) string {
	if strings.HasPrefix(header, "asm/") {
		return p.arches[p.arch].Kernel + " " + header
	}
	return header
}

// find reads those of all headers that have the words of lost names.
func (p *past) find(all []string, hits map[string]map[string]bool) {
	has := map[string]map[string]bool{} // lost words by header
	for _, header := range all {
		for word := range hits[p.key(header)] {
			if p.lost[word] == nil {
				continue
			}
			to := header
			if below, ok := strings.CutPrefix(header, "asm-generic/"); ok {
				to = path.Join("asm", below)
			}
			if has[to] == nil {
				has[to] = map[string]bool{}
			}
			has[to][word] = true
		}
	}
	for _, header := range all {
		if has[header] == nil || p.read[header] {
			continue
		}
		g := model.Group{Headers: []model.Header{{Path: header}}}
		if len(p.groups) > 0 {
			g.Define, g.Include = p.groups[0].Define, p.groups[0].Include
		}
		if p.note(g) {
			continue
		}
		for word := range has[header] {
			for _, name := range p.lost[word] {
				if p.known[name] == absent {
					p.known[name] = unknown
				}
			}
		}
	}
}

// wordsIn returns those of the words that a text has.
func wordsIn(text []byte, words map[string]bool) map[string]bool {
	has := map[string]bool{}
	isWord := func(c byte) bool {
		return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && isWord(text[i]) {
			i++
		}
		if i > from && words[string(text[from:i])] {
			has[string(text[from:i])] = true
		}
	}
	return has
}

var originLine = regexp.MustCompile(`^(\d+\.\d+(?: to \d+\.\d+)?)\t([^\t]+)\t([^\t]+)$`)

// readOrigins reads a table of origins: lines with a release or a range of them,
// architectures, and a name, apart by tabs. Lines that begin with # are comments.
func readOrigins(name string) (model.Origins, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	o := model.Origins{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		m := originLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("-since %s:%d: want a release like 7.1, or 6.13 to 7.1, then architectures, then a name, with tabs between", name, n)
		}
		arches := strings.Split(m[2], ",")
		if m[2] == "all" {
			arches = archNames(model.Arches)
		}
		for _, arch := range arches {
			if _, ok := model.ArchByName(arch); !ok {
				return nil, fmt.Errorf("-since %s:%d: %s is no GOARCH of Linux", name, n, arch)
			}
			o.Set(arch, m[3], m[1])
		}
	}
	return o, errors.Join(lines.Err())
}
