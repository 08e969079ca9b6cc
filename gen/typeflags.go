package main

import (
	"flag"
	"fmt"
	"path"
	"slices"

	"github.com/go-clone3/clone3/gen/internal/golang"
)

// typeFlags are the flags that choose the names and the types of Go.
type typeFlags struct {
	enums, flags, typedefs, types, strip, unsigned listFlag
}

// typeFlagNames are their names.
var typeFlagNames = []string{"enum", "flags", "typedef", "type", "strip", "unsigned"}

func (t *typeFlags) register(f *flag.FlagSet) {
	for i, l := range []*listFlag{&t.enums, &t.flags, &t.typedefs, &t.types, &t.strip, &t.unsigned} {
		f.Var(l, typeFlagNames[i], "")
	}
}

// options are what the flags ask of package golang.
func (t typeFlags) options(renames map[string]string) (golang.Options, error) {
	o := golang.Options{Rename: renames, Strip: t.strip, Typedefs: t.typedefs, Unsigned: t.unsigned}
	for i, list := range [][]string{t.enums, t.flags} {
		for _, text := range list {
			s, err := golang.ParseSet(text, i == 1)
			if err != nil {
				return o, err
			}
			for _, old := range o.Sets {
				if s.Name == old.Name && s != old && (s.Flags != old.Flags || s.Match == "" != (old.Match == "") || s.Type != "" && old.Type != "" && s.Type != old.Type) {
					return o, fmt.Errorf("%s: it is %s already", s, old)
				}
			}
			o.Sets = append(o.Sets, s)
		}
	}
	for _, text := range t.types {
		override, err := golang.ParseOverride(text)
		if err != nil {
			return o, err
		}
		if i := slices.IndexFunc(o.Types, func(old golang.Override) bool { return old.C == override.C && old.Go != override.Go }); i >= 0 {
			return o, fmt.Errorf("%s: it is to be %s already", override, o.Types[i].Go)
		}
		o.Types = append(o.Types, override)
	}
	for flag, list := range map[string][]string{"typedef": t.typedefs, "unsigned": t.unsigned} {
		for _, pattern := range list {
			if _, err := path.Match(pattern, ""); err != nil {
				return o, fmt.Errorf("-%s %s: %w", flag, pattern, err)
			}
		}
	}
	for _, prefix := range t.strip {
		if !cName.MatchString(prefix) {
			return o, fmt.Errorf("-strip %s: no name of C begins so", prefix)
		}
	}
	return o, nil
}
