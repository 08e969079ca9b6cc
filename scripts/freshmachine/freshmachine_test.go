//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	for output, want := range map[string]string{
		"":                               "exit status 2: no output",
		"all is lost\nmake: *** Error 1": "exit status 2: all is lost",
		"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\n--- FAIL: TestB (1.00s)\nFAIL\n":                  "TestA TestB",
		"--- FAIL: T1 (0s)\n--- FAIL: T2 (0s)\n--- FAIL: T3 (0s)\n--- FAIL: T4 (0s)\n--- FAIL: T5 (0s)\nFAIL\tp\n": "T1 T2 T3 and 2 more",
	} {
		if got := summary(output, 2); got != want {
			t.Errorf("%q: got %q, want %q", output, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Chdir("../..")
	const list = "They are missing:\n\n    apt-get install gcc libc6-dev xz-utils qemu-system-arm qemu-system-misc qemu-system-x86\n"
	for name, tt := range map[string]struct {
		output string
		status int
		want   string // the beginning of the error
	}{
		"one list":       {list, 2, ""},
		"it passes":      {list, 0, "it passed"},
		"one is missing": {strings.Replace(list, " gcc", "", 1), 2, "gcc is not on the list"},
		"two lists":      {list + list, 2, "it has not one list"},
		"it goes on":     {list + strings.Repeat("more\n", 10), 2, "it says more"},
		"nothing":        {"", 2, "gcc is not on the list"},
	} {
		err := refused(tt.output, tt.status)
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}
