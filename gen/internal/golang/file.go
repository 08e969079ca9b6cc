package golang

import (
	"go/token"
	"strings"
)

// A File is one output file.
type File struct {
	Name string // without a directory
	Data []byte
}

// IsPackageName reports whether a Go package may have the name.
func IsPackageName(s string) bool { return token.IsIdentifier(s) && s != "_" }

// IsFileOf reports whether Render may give a file of the group that name.
func IsFileOf(group, name string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(name, ".go"), "z"+group)
	set, some := strings.CutPrefix(rest, "_linux_")
	return ok && (rest == "" || rest == "_linux" || some && (set == callsFile || isSetName(set)))
}
