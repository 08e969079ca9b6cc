package model

import "testing"

func TestReleaseRange(t *testing.T) {
	for _, c := range []struct{ absent, present, want string }{
		{"7.0", "7.1", "7.1"},
		{"6.12", "7.1", "6.13 to 7.1"},
		{"6.19", "7.0", "7.0"},
		{"5.19", "6.1", "6.0 to 6.1"},
		{"4.20", "5.0", "5.0"},
		{"", "6.1", "to 6.1"},
		{"7.9", "8.0", "7.10 to 8.0"}, // when 7 ends is not known yet
	} {
		if got := ReleaseRange(c.absent, c.present); got != c.want {
			t.Errorf("absent in %q, present in %q: %q, want %q", c.absent, c.present, got, c.want)
		}
	}
}

func TestJoinOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		since map[string]string
		want  string
	}{
		"alike":                {map[string]string{"386": "7.1", "arm": "7.1"}, "since Linux 7.1"},
		"always":               {map[string]string{"386": "", "arm": ""}, ""},
		"not known everywhere": {map[string]string{"386": "5.11 to 6.1", "loong64": "to 6.1"}, "since Linux 5.11 to 6.1"},
		"not known":            {map[string]string{"386": "to 6.1"}, ""},
		"always on some":       {map[string]string{"386": "", "arm": "7.1"}, "since Linux 7.1 on arm"},
		"by release":           {map[string]string{"386": "6.13 to 7.1", "arm": "6.2", "s390x": "6.2", "mips": "7.0 to 7.1"}, "since Linux 6.2 on arm, s390x; 6.13 to 7.1 on 386; 7.0 to 7.1 on mips"},
	} {
		if got := JoinOrigins(c.since); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A struct whose member came with it says it once, and the unit that was marked
// stays as it was.
func TestMark(t *testing.T) {
	u := unit("amd64", []Const{intConst("A", 1, Pos{})}, oneStruct(16, uintField("x", 8, 0), inlineField("", 8, true, uintField("y", 8, 0)), inlineField("u", 8, false, uintField("z", 8, 0))))
	o := Origins{}
	o.Set("amd64", "A", "7.2")
	o.Set("arm64", "struct s", "7.2")
	for _, name := range []string{"struct s", "struct s.x"} {
		o.Set("amd64", name, "7.1")
	}
	o.Set("amd64", "struct s.y", "7.3")
	o.Set("amd64", "struct s.u.z", "7.2")
	got := map[string]string{}
	u.Mark(o).EachWords(func(name string, w *Words) { got[name] = w.Since })
	want := map[string]string{"A": "7.2", "struct s": "7.1", "struct s.x": "", "struct s.y": "7.3", "struct s.u": "", "struct s.u.z": "7.2"}
	for name, since := range want {
		if got[name] != since {
			t.Errorf("%s is of %q, want %q", name, got[name], since)
		}
	}
	u.EachWords(func(name string, w *Words) {
		if w.Since != "" {
			t.Errorf("the unit given has %s of %s now", name, w.Since)
		}
	})
}
