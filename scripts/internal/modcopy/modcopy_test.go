package modcopy

import "testing"

func TestSwapImport(t *testing.T) {
	for src, want := range map[string]string{
		"package p\nimport \"os/exec\"\n":                              "package p\nimport \"" + Exec + "\"\n",
		"package p\nimport x \"os/exec\" // why\n":                     "package p\nimport x \"" + Exec + "\" // why\n",
		"package p\nimport \"os\"\nvar s = `\nimport \"os/exec\"\n`\n": "",
		"package p\n// import \"os/exec\"\n":                           "",
	} {
		if got := string(SwapImport([]byte(src))); got != want {
			t.Errorf("%q: got %q, want %q", src, got, want)
		}
	}
}
