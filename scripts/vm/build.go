package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/guest"
)

// Programs are what a machine runs: the files, and the test binaries among
// them.
type Programs struct {
	Files map[string][]byte
	Tests []TestBinary
}

// A TestBinary is the tests of one package.
type TestBinary struct {
	Package string // import path
	File    string // in the machine
	Dir     string // the package's directory in the machine
}

// Build compiles init and the tests of the packages, for goarch. root is the
// module's directory. If they are counted, statements are.
func Build(ctx context.Context, root, goarch string, packages []string, counted bool) (Programs, error) {
	p := Programs{Files: map[string][]byte{}}
	tmp, err := os.MkdirTemp("", "clone3-build-")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(tmp)
	gocmd := func(args ...string) (string, error) { return goCommand(ctx, root, goarch, args...) }

	own := []string{"init"}
	var flags []string
	if counted {
		own, flags = append(own, packFile), coverFlags
	}
	for _, name := range own {
		out := filepath.Join(tmp, name)
		if _, err := gocmd("build", "-ldflags=-s -w", "-o", out, "./scripts/vm/"+name); err != nil {
			return p, err
		}
		if p.Files[name], err = os.ReadFile(out); err != nil {
			return p, err
		}
	}
	const format = "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}\t{{.Dir}}{{end}}"
	list, err := gocmd(append([]string{"list", "-f", format}, packages...)...)
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(list) {
		pkg, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		t := TestBinary{Package: pkg, Dir: path.Join("src", pkg), File: path.Join("test", pkg+".test")}
		out := filepath.Join(tmp, "test")
		if _, err := gocmd(slices.Concat([]string{"test", "-c", "-ldflags=-s -w", "-o", out}, flags, []string{pkg})...); err != nil {
			return p, err
		}
		if p.Files[t.File], err = os.ReadFile(out); err != nil {
			return p, err
		}
		if err := addTree(p.Files, path.Join(t.Dir, "testdata"), filepath.Join(dir, "testdata")); err != nil {
			return p, err
		}
		p.Tests = append(p.Tests, t)
	}
	if p.Tests == nil {
		return p, fmt.Errorf("no package of %s has tests", strings.Join(packages, " "))
	}
	return p, nil
}

// Run returns how a machine runs the tests as uid with flags of go test, like
// -v and -run=X.
func (t TestBinary) Run(uid int, flags []string) guest.Run {
	r := guest.Run{Package: t.Package, Dir: "/" + t.Dir, Args: []string{"/" + t.File}, UID: uid}
	for _, f := range flags {
		r.Args = append(r.Args, "-test."+strings.TrimPrefix(f, "-"))
	}
	return r
}

// addTree adds the files below dir, if there is such a directory, under name.
func addTree(files map[string][]byte, name, dir string) error {
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return fs.WalkDir(os.DirFS(dir), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, file))
		files[path.Join(name, file)] = data
		return err
	})
}

// goCommand runs the go command for linux and goarch, without cgo.
func goCommand(ctx context.Context, root, goarch string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOWORK=off")
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s for %s: %w\n%s", args[0], goarch, err, strings.TrimSpace(diag.String()))
	}
	return out.String(), nil
}
