package golang

import (
	"github.com/go-clone3/clone3/gen/internal/model"
)

// agreeOnWords makes what comments say of a name the same on all the
// architectures, so that it does not keep them from sharing declarations: Since
// becomes what a comment says of all of them.
func agreeOnWords(group []model.Unit) []model.Unit {
	since := map[string]map[string]string{} // by name and architecture
	note := func(arch, name, text string) {
		if since[name] == nil {
			since[name] = map[string]string{}
		}
		since[name][arch] = text
	}
	said := false
	for _, u := range group {
		u.EachSince(func(name string, s *string) {
			said = said || *s != ""
			note(u.Arch, name, *s)
		})
	}
	if !said {
		return group
	}
	out := make([]model.Unit, len(group))
	for i, u := range group {
		out[i] = u.Clone()
		out[i].EachSince(func(name string, s *string) { *s = model.JoinOrigins(since[name]) })
	}
	return out
}

// listed is a text as another part of a comment.
func listed(text string) string {
	if text == "" {
		return ""
	}
	return ", " + text
}
