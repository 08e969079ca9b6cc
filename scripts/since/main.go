// Since keeps the table of the releases with which the names of package uapi
// came. It reads what gen -json -since prints of the kernels that are served now,
// and adds it to what the table knows: a kernel that is served no longer was
// read once, and what it told stays true.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "since:", err)
		os.Exit(1)
	}
}

const head = `# The releases with which names of package uapi came, as older kernels tell that
# Debian serves, or did when this table was refreshed: make since. A release, or
# a range of which it is one; the architectures; and the name in C. gen -since
# reads this table.
`

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("since", flag.ContinueOnError)
	check := flags.Bool("check", false, "write nothing: fail if the table would change")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return errors.New("usage: gen -json -since ... | since [-check] TABLE")
	}
	path := flags.Arg(0)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	known, err := parse(old)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	found, declared, err := read(stdin)
	if err != nil {
		return err
	}
	merged, err := merge(known, found, declared)
	if err != nil {
		return err
	}
	text := format(merged, declared)
	switch {
	case bytes.Equal(old, text):
		fmt.Fprintf(stdout, "%s: fresh, %d lines\n", path, bytes.Count(text, []byte("\n")))
		return nil
	case *check:
		return fmt.Errorf("%s is stale; run make since", path)
	}
	fmt.Fprintf(stdout, "%s: written\n", path)
	return os.WriteFile(path, text, 0o666)
}

// A key is a name on an architecture.
type key struct{ name, arch string }

// A release is X.Y.
type release struct{ major, minor int }

func (r release) String() string { return fmt.Sprintf("%d.%d", r.major, r.minor) }

func (r release) compare(o release) int {
	return cmp.Or(cmp.Compare(r.major, o.major), cmp.Compare(r.minor, o.minor))
}

// A span is the releases of which a name came with one.
type span struct{ first, last release }

func (s span) String() string {
	if s.first == s.last {
		return s.first.String()
	}
	return s.first.String() + " to " + s.last.String()
}

var spanText = regexp.MustCompile(`^(\d+)\.(\d+)(?: to (\d+)\.(\d+))?$`)

func parseSpan(text string) (span, error) {
	m := spanText.FindStringSubmatch(text)
	if m == nil {
		return span{}, fmt.Errorf("%q is neither a release nor a range of them", text)
	}
	n := func(s string) int { i, _ := strconv.Atoi(s); return i }
	s := span{first: release{n(m[1]), n(m[2])}}
	if s.last = s.first; m[3] != "" {
		s.last = release{n(m[3]), n(m[4])}
	}
	return s, nil
}

// parse reads a table. An architecture of "all" stays so.
func parse(table []byte) (map[key]span, error) {
	known := map[key]span{}
	n := 0
	for line := range strings.Lines(string(table)) {
		n++
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		parts := strings.Split(line, "\t")
		if len(parts) != 3 {
			return nil, fmt.Errorf("line %d has no release, architectures and name with tabs between", n)
		}
		s, err := parseSpan(parts[0])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		for arch := range strings.SplitSeq(parts[1], ",") {
			known[key{parts[2], arch}] = s
		}
	}
	return known, nil
}

// A field is a member of what gen -json prints, or any of it that has members.
type field struct {
	Name   string  `json:"name"`
	Since  string  `json:"since"`
	Fields []field `json:"fields"`
	Type   kind    `json:"type"`
}

type kind struct {
	Elem   *kind  `json:"elem"`
	Inline *field `json:"inline"`
}

// read takes from the model what names there are, by the architectures of which
// older kernels are known, and what they tell.
func read(r io.Reader) (found map[key]span, declared map[string][]string, err error) {
	var model struct {
		Units []struct {
			Arch    string `json:"arch"`
			Consts  []struct{ Name, Since string }
			Structs []field
		}
	}
	if err := json.NewDecoder(r).Decode(&model); err != nil {
		return nil, nil, fmt.Errorf("the model: %w", err)
	}
	found, declared = map[key]span{}, map[string][]string{}
	for _, u := range model.Units {
		add := func(name, since string) {
			if strings.HasPrefix(since, "to ") { // it may be older: who knows?
				return
			}
			if !slices.Contains(declared[name], u.Arch) {
				declared[name] = append(declared[name], u.Arch)
			}
			if since == "" {
				return
			}
			s, bad := parseSpan(since)
			err = errors.Join(err, bad)
			found[key{name, u.Arch}] = s
		}
		for _, c := range u.Consts {
			add(c.Name, c.Since)
		}
		for _, s := range u.Structs {
			add(s.Name, s.Since)
			members(s.Fields, s.Name+".", add)
		}
	}
	if len(declared) == 0 {
		return nil, nil, errors.New("the model has no names")
	}
	return found, declared, err
}

// members names the members of a struct as gen -since does.
func members(fields []field, prefix string, add func(name, since string)) {
	for _, f := range fields {
		inner, t := prefix, &f.Type
		if f.Name != "" {
			add(prefix+f.Name, f.Since)
			inner += f.Name
			for ; t.Elem != nil; t = t.Elem {
				inner += "[]"
			}
			inner += "."
		}
		if t.Inline != nil {
			members(t.Inline.Fields, inner, add)
		}
	}
}

// merge narrows what is known by what is found. That both cannot be true is an
// error.
func merge(known, found map[key]span, declared map[string][]string) (map[key]span, error) {
	merged := maps.Clone(found)
	for k, old := range known {
		arches := []string{k.arch}
		if k.arch == "all" {
			arches = declared[k.name]
		}
		for _, arch := range arches {
			at := key{k.name, arch}
			now, ok := merged[at]
			switch {
			case !slices.Contains(declared[k.name], arch):
				continue
			case !ok:
				now = old
			default:
				if old.first.compare(now.first) > 0 {
					now.first = old.first
				}
				if old.last.compare(now.last) < 0 {
					now.last = old.last
				}
			}
			if now.first.compare(now.last) > 0 {
				return nil, fmt.Errorf("%s on %s came with Linux %s, says the table, and with %s, say the kernels", k.name, arch, old, found[at])
			}
			merged[at] = now
		}
	}
	return merged, nil
}

// format writes a table, the oldest releases first.
func format(merged map[key]span, declared map[string][]string) []byte {
	type line struct {
		span
		name string
	}
	arches := map[line][]string{}
	for k, s := range merged {
		l := line{s, k.name}
		arches[l] = append(arches[l], k.arch)
	}
	var b bytes.Buffer
	b.WriteString(head)
	lines := slices.SortedFunc(maps.Keys(arches), func(x, y line) int {
		return cmp.Or(x.last.compare(y.last), x.first.compare(y.first), cmp.Compare(x.name, y.name))
	})
	for _, l := range lines {
		on := "all"
		if len(arches[l]) < len(declared[l.name]) {
			slices.Sort(arches[l])
			on = strings.Join(arches[l], ",")
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\n", l.span, on, l.name)
	}
	return b.Bytes()
}
