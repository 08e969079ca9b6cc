package model

import "slices"

// Decls is a list of declarations for the same set of architectures.
type Decls struct {
	Consts  []Const
	Structs []Struct
	Types   []NamedType
	Funcs   []Func
}

// Empty reports whether there are no declarations.
func (d Decls) Empty() bool { return len(d.Consts)+len(d.Structs)+len(d.Types)+len(d.Funcs) == 0 }

// An ArchSet is the declarations shared by a set of architectures that agree
// on every declaration of a group.
type ArchSet struct {
	Arches []string // sorted
	Decls
}

// A MergedGroup is a Group over all its architectures: what is common, and
// one ArchSet for every class of architectures that differ. The sets are
// disjoint and sorted by their first architecture.
type MergedGroup struct {
	Group  Group
	Common Decls
	Sets   []ArchSet
}

// Merged is the input of Render.
type Merged struct {
	Arches []string // all of them, sorted
	Groups []MergedGroup
}

// On returns what is declared on an architecture.
func (m Merged) On(arch string) Decls {
	var d Decls
	for _, g := range m.Groups {
		parts := []Decls{g.Common}
		for _, set := range g.Sets {
			if slices.Contains(set.Arches, arch) {
				parts = append(parts, set.Decls)
			}
		}
		for _, part := range parts {
			d.Consts = append(d.Consts, part.Consts...)
			d.Structs = append(d.Structs, part.Structs...)
			d.Types = append(d.Types, part.Types...)
			d.Funcs = append(d.Funcs, part.Funcs...)
		}
	}
	return d
}
