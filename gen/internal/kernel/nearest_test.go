package kernel

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"asm/types.h", "linux/landlock.h", "linux/input.h", "linux/if.h", "linux/in.h", "linux/sched/types.h"}
	for name, want := range map[string]string{
		"linux/landlok.h":  "linux/landlock.h",
		"landlock.h":       "linux/landlock.h",
		"linux/landlock":   "linux/landlock.h",
		"landlok.h":        "linux/landlock.h",
		"linux/inputs.h":   "linux/input.h",
		"linux/xyz.h":      "",
		"linux/io.h":       "",
		"linux/landlok.*":  "",
		"linux/nothing.h":  "",
		"sched/types.h":    "linux/sched/types.h",
		"Linux/landlock.h": "linux/landlock.h",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
