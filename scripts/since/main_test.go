package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// model is what gen prints, with two architectures: the constants and the
// struct of each.
func model(amd64, arm64 string) string {
	return `{"units":[{"arch":"amd64",` + amd64 + `},{"arch":"arm64",` + arm64 + `}]}`
}

const (
	toolsSince = `"consts":[{"name":"TOOL_A","value":1},{"name":"TOOL_B","value":2,"since":"6.13 to 7.2"}],
"structs":[{"name":"struct tool","fields":[{"name":"u","type":{"kind":"array","elem":{"kind":"record","inline":{"fields":[{"name":"x","type":{},"since":"7.2"}]}}}}]}]`
	toolsOld = `"consts":[{"name":"TOOL_A","value":1},{"name":"TOOL_B","value":2}],"structs":[]`
)

func TestTheTableLearns(t *testing.T) {
	for name, c := range map[string]struct {
		table, model string
		want         string // the lines, or what the error says
	}{
		"from kernels alone":                    {"", model(toolsSince, toolsSince), "6.13 to 7.2\tall\tTOOL_B\n7.2\tall\tstruct tool.u[].x\n"},
		"of one architecture":                   {"", model(toolsSince, toolsOld), "6.13 to 7.2\tamd64\tTOOL_B\n7.2\tall\tstruct tool.u[].x\n"},
		"of which one is not known":             {"", model(toolsSince, strings.ReplaceAll(toolsSince, "6.13 to", "to")), "6.13 to 7.2\tall\tTOOL_B\n7.2\tall\tstruct tool.u[].x\n"},
		"and keeps what is no longer to be had": {"7.1\tall\tTOOL_B\n", model(toolsOld, toolsOld), "7.1\tall\tTOOL_B\n"},
		"and narrows":                           {"7.1 to 7.4\tall\tTOOL_B\n", model(toolsSince, toolsOld), "7.1 to 7.2\tamd64\tTOOL_B\n7.2\tall\tstruct tool.u[].x\n7.1 to 7.4\tarm64\tTOOL_B\n"},
		"and forgets what is gone":              {"7.1\tall\tTOOL_C\n", model(toolsOld, toolsOld), ""},
		"but not what cannot be":                {"7.3\tall\tTOOL_B\n", model(toolsSince, toolsSince), "TOOL_B on amd64 came with Linux 7.3, says the table, and with 6.13 to 7.2, say the kernels"},
		"nor from a table that is none":         {"7.3 TOOL_B\n", model(toolsSince, toolsSince), "line 1 has no release"},
		"nor from a release that is none":       {"seven\tall\tTOOL_B\n", model(toolsSince, toolsSince), `line 1: "seven" is neither`},
		"nor from nothing":                      {"", `{"units":[]}`, "the model has no names"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "since.txt")
			if err := os.WriteFile(path, []byte(c.table), 0o666); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := run([]string{"-check", path}, strings.NewReader(c.model), &out)
			if err == nil || !strings.Contains(err.Error(), "is stale") && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("-check: error %v, want that the table is stale", err)
			}
			if got, _ := os.ReadFile(path); string(got) != c.table {
				t.Fatalf("-check has written %q", got)
			}
			if err := run([]string{path}, strings.NewReader(c.model), &out); err != nil {
				if !strings.Contains(err.Error(), c.want) || c.want == "" {
					t.Fatalf("error %v, want %q", err, c.want)
				}
				return
			}
			got, _ := os.ReadFile(path)
			if lines := strings.TrimPrefix(string(got), head); lines != c.want {
				t.Errorf("the table is\n%swant\n%s", lines, c.want)
			}
			if err := run([]string{"-check", path}, strings.NewReader(c.model), &out); err != nil {
				t.Errorf("what was written is not fresh: %v", err)
			}
		})
	}
}
