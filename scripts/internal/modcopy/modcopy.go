// Package modcopy makes copies of public modules, to change and to test them.
package modcopy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
)

// What the copies come to require, and to import.
const (
	Clone3 = "github.com/go-clone3/clone3"
	Exec   = Clone3 + "/linux/exec"
)

const goVersion = "1.26.0" // what this module asks of those that require it

// Fetch gets a module, such as "example.org/m@v1.0.0", from the proxy and copies it
// to a directory that is not there.
func Fetch(module, dir string) error {
	out, err := gotest.Output(os.TempDir(), "mod", "download", "-json", module)
	if err != nil {
		return err
	}
	var m struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		return fmt.Errorf("go mod download %s: %w", module, err)
	}
	if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
		return err
	}
	// Files in the cache of modules are neither writable nor executable.
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() || executable(name) {
			mode = 0o755
		}
		return os.Chmod(name, mode)
	})
}

// executable reports whether a file is a script.
func executable(name string) bool {
	b, err := os.ReadFile(name)
	return err == nil && bytes.HasPrefix(b, []byte("#!"))
}

// Require makes the module in dir require this one, be it that it does not import
// it: for both copies to have the same requirements.
func Require(dir, repo string) error {
	out, err := gotest.Output(dir, "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var mod struct{ Go string }
	if err := json.Unmarshal([]byte(out), &mod); err != nil {
		return err
	}
	args := []string{"mod", "edit", "-require=" + Clone3 + "@v0.0.0", "-replace=" + Clone3 + "=" + repo}
	if version.Compare("go"+mod.Go, "go"+goVersion) < 0 {
		args = append(args, "-go="+goVersion)
	}
	_, err = gotest.Output(dir, args...)
	return err
}

// Swap replaces the import of os/exec in all files but those to keep. Files in
// testdata are what programs are given, and no part of them.
func Swap(dir string, keep []string) error {
	swapped := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		rel, _ := filepath.Rel(dir, name)
		if d.IsDir() || filepath.Ext(name) != ".go" || slices.Contains(keep, rel) {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		out := SwapImport(src)
		if out == nil {
			return nil
		}
		swapped++
		return os.WriteFile(name, out, 0o666)
	})
	if err == nil && swapped == 0 {
		err = fmt.Errorf("%s: no file imports os/exec", dir)
	}
	return err
}

// SwapImport returns a file that imports linux/exec in place of os/exec, or nil
// if it does not import that. It finds the import as the compiler does, for a
// string may hold the text of another program.
func SwapImport(src []byte) []byte {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ImportsOnly)
	if err != nil {
		return nil // the compiler says so, if it is to read it
	}
	for _, spec := range file.Imports {
		if spec.Path.Value == `"os/exec"` {
			start, end := fset.Position(spec.Path.Pos()).Offset, fset.Position(spec.Path.End()).Offset
			return slices.Concat(src[:start], []byte(`"`+Exec+`"`), src[end:])
		}
	}
	return nil
}
