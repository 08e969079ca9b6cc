//go:build linux

// Clients runs the tests of Go modules that start programs, with linux/exec in
// place of os/exec.
//
// The modules are fetched from the module proxy and copied. Their tests are run
// twice: as they are, then with the import swapped in all their files. It is a
// failure if a test passes before, and not after.
//
//	go run ./scripts/clients [-v] [module...]
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
)

var verbose = flag.Bool("v", false, "list the tests that pass, too")

const (
	clone3 = "github.com/go-clone3/clone3"
	ours   = clone3 + "/linux/exec"
)

// clients are the modules, and the packages of them to test.
var clients = []struct {
	module, version string
	packages        []string
	keep            []string // files that go on to use os/exec, as they have to do with packages that take its Cmd
}{
	// Starts plugins, talks to them, and kills them.
	{"github.com/hashicorp/go-plugin", "v1.8.0", []string{".", "./internal/cmdrunner"}, nil},
	// Runs commands asynchronously, in process groups, and stops them.
	{"github.com/go-cmd/cmd", "v1.4.4", []string{"."}, nil},
	// Interprets shell scripts, as the shell does: files, pipes, exit codes.
	{"mvdan.cc/sh/v3", "v3.14.1", []string{"./interp"}, []string{"interp/unix_test.go"}},
}

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(1)
	}
}

func run(only []string) error {
	repo, err := gotest.Repo()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var report gotest.Report
	for i, c := range clients {
		if len(only) > 0 && !slices.Contains(only, c.module) {
			continue
		}
		copied := filepath.Join(dir, fmt.Sprint(i))
		if err := fetch(c.module+"@"+c.version, copied); err != nil {
			return err
		}
		if _, err := gotest.Output(copied, "mod", "edit", "-go=1.26.0", "-require="+clone3+"@v0.0.0", "-replace="+clone3+"="+repo); err != nil {
			return err
		}
		before, err := test(copied, c.packages)
		if err != nil {
			return err
		}
		if err := swap(copied, c.keep); err != nil {
			return err
		}
		after, err := test(copied, c.packages)
		if err != nil {
			return err
		}
		for _, pkg := range c.packages {
			report.Add(filepath.Join(c.module, pkg), before[pkg], after[pkg])
		}
	}
	return report.Print(os.Stdout, "os/exec", "linux/exec", *verbose)
}

// fetch gets a module from the proxy and copies it.
func fetch(module, dir string) error {
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

func test(dir string, packages []string) (map[string]map[string]gotest.Result, error) {
	results := map[string]map[string]gotest.Result{}
	for _, pkg := range packages {
		r, err := gotest.Run(dir, pkg, "-mod=mod")
		if err != nil {
			return nil, err
		}
		results[pkg] = r
	}
	return results, nil
}

// swap replaces the import of os/exec in all files but those to keep.
func swap(dir string, keep []string) error {
	swapped := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, name)
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" || slices.Contains(keep, rel) {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		out := strings.Replace(string(src), "\"os/exec\"\n", "\""+ours+"\"\n", 1)
		if out == string(src) {
			return nil
		}
		swapped++
		return os.WriteFile(name, []byte(out), 0o666)
	})
	if err == nil && swapped == 0 {
		err = fmt.Errorf("%s: no file imports os/exec", dir)
	}
	return err
}
