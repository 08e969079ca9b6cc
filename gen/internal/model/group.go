package model

import (
	"path"
	"slices"
	"strings"
)

// Paths returns the names of the headers.
func (g Group) Paths() []string {
	paths := []string{}
	for _, h := range g.Headers {
		paths = append(paths, h.Path)
	}
	return paths
}

// Index returns the index of the header of g that stands for file, or -1. A
// header of asm stands for those that it includes from asm and asm-generic,
// because each architecture splits them in its own way.
func (g Group) Index(file string) int {
	for i, h := range g.Headers {
		if h.Path == file {
			return i
		}
	}
	for i, h := range g.Headers {
		if strings.HasPrefix(h.Path, "asm/") && (strings.HasPrefix(file, "asm/") || strings.HasPrefix(file, "asm-generic/")) {
			return i
		}
	}
	return -1
}

// Excludes reports whether the name of a constant, or of a struct or its tag,
// is to be left out.
func (g Group) Excludes(name string) bool {
	tag := name[strings.LastIndexByte(name, ' ')+1:]
	return slices.ContainsFunc(g.Exclude, func(pattern string) bool { return Matches(pattern, name) || Matches(pattern, tag) })
}

// Matches reports whether a name matches a pattern of path.Match.
func Matches(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok
}

// IsPattern reports whether path.Match takes the pattern.
func IsPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil
}

// WantsConst reports whether h asks for the constant name.
func (h Header) WantsConst(name string) bool {
	if len(h.Names) == 0 && len(h.Prefixes) == 0 || slices.Contains(h.Names, name) {
		return true
	}
	return slices.ContainsFunc(h.Prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// WantsStruct reports whether h asks for the struct or typedef name.
func (h Header) WantsStruct(name string) bool {
	if len(h.Names) == 0 && len(h.Prefixes) == 0 {
		return true
	}
	name = strings.ToLower(name[strings.IndexByte(name, ' ')+1:])
	return slices.ContainsFunc(h.Prefixes, func(p string) bool { return strings.HasPrefix(name, strings.ToLower(p)) })
}
