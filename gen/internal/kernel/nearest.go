package kernel

import (
	"path"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// nearest returns the name that was meant by one that is not there: that differs
// by two letters at most, or is the same behind a directory. It returns "" if
// there is none, and for patterns.
func nearest(name string, names []string) string {
	if strings.ContainsAny(name, "*?[") || strings.HasSuffix(name, "...") {
		return ""
	}
	if !strings.HasSuffix(name, ".h") {
		name += ".h"
	}
	best, least := "", 3
	slices.Sort(names)
	for _, n := range names {
		d := min(model.Distance(name, n), model.Distance(name, path.Base(n))+1)
		if strings.HasSuffix(n, "/"+name) {
			d = 0
		}
		if d < least && 3*d < len(path.Base(n))-len(".h") {
			best, least = n, d
		}
	}
	return best
}
