package main

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestBadUsage(t *testing.T) {
	t.Setenv("KERNEL", "")
	t.Setenv("GOPACKAGE", "")
	for name, c := range map[string]struct {
		args string
		want string
	}{
		"no kernel":            {"", "which kernel? Set -kernel, or the environment variable KERNEL, to a source tree, to installed headers or to /usr/include"},
		"an argument":          {"-kernel k uapi", `unexpected argument "uapi"; folders go with -kernel and -o, headers with -header`},
		"unknown flag":         {"-kernel k -quiet", "flag provided but not defined: -quiet"},
		"unknown arch":         {"-kernel k -arch amd64,sparc64", "-arch sparc64: not a GOARCH of Linux; choose from 386, amd64, arm, arm64, loong64, mips, mips64, mips64le, mipsle, ppc64, ppc64le, riscv64, s390x"},
		"empty list element":   {"-kernel k -arch amd64,", `invalid value "amd64," for flag -arch: an empty value`},
		"check and json":       {"-kernel k -check -json", "-check with -json: the one compares Go files, the other makes none"},
		"check and diff":       {"-kernel k -check -diff old", "-check with -diff: the one compares Go files, the other kernels"},
		"output of a model":    {"-kernel k -json -o dir", "-o with -json: the model goes to the standard output"},
		"package of a diff":    {"-kernel k -diff old -package p", "-package with -diff: the differences have no package"},
		"prefix of uapi":       {"-kernel k -prefix CLONE_", "-prefix narrows what -header or -diff read; give one of them too"},
		"empty diff":           {"-kernel k -diff=", "-diff needs the folder of the old kernel"},
		"package is a keyword": {"-kernel k -package func", "-package func: not a Go package name"},
		"folder is no package": {"-kernel k -o my-dir", `the name of the output folder, "my-dir", is not a Go package name; choose one with -package`},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(strings.Fields(c.args), &stdout, &stderr)
			want := "gen: " + c.want + "\nRun gen -h for help.\n"
			if status != exitBad || stdout.Len() > 0 || stderr.String() != want {
				t.Errorf("got status %d, stdout %q, stderr\n%swant status %d, no stdout, stderr\n%s", status, stdout.String(), stderr.String(), exitBad, want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, arg := range []string{"-h", "-help", "--help"} {
		var stdout, stderr bytes.Buffer
		if status := run([]string{arg}, &stdout, &stderr); status != exitDone || stderr.Len() > 0 || stdout.String() != usage {
			t.Errorf("%s: got status %d, stdout %q, stderr %q", arg, status, stdout.String(), stderr.String())
		}
	}
	for line := range strings.Lines(usage) {
		if len(line) > 81 {
			t.Errorf("the help has a line of %d characters, which a terminal breaks: %s", len(line)-1, line)
		}
	}
}

// TestOutputDefaults are those that go generate relies on.
func TestOutputDefaults(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "here")
	for name, c := range map[string]struct {
		args, gopackage string
		dir, pkg        string
	}{
		"uapi":                 {"", "", "uapi", "uapi"},
		"uapi by go generate":  {"-o .", "uapi", ".", "uapi"},
		"a header":             {"-header linux/wait.h -o " + dir, "", dir, "here"},
		"by go generate":       {"-header linux/wait.h", "mine", ".", "mine"},
		"a package of its own": {"-header linux/wait.h -o wait -package w", "mine", "wait", "w"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KERNEL", "/linux")
			t.Setenv("GOPACKAGE", c.gopackage)
			o, err := parseFlags(strings.Fields(c.args))
			if err != nil {
				t.Fatal(err)
			}
			if o.dir != c.dir || o.pkg != c.pkg || o.kernel != "/linux" {
				t.Errorf("got -o %s -package %s -kernel %s, want -o %s -package %s -kernel /linux", o.dir, o.pkg, o.kernel, c.dir, c.pkg)
			}
		})
	}
}

func TestListsGrowWithCommasAndAgain(t *testing.T) {
	o, err := parseFlags([]string{"-kernel", "k", "-json", "-header", "linux/a.h,linux/b.h", "-header", "linux/c.h", "-arch", "arm64, 386", "-arch=arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"linux/a.h", "linux/b.h", "linux/c.h"}; !reflect.DeepEqual(o.headers, want) {
		t.Errorf("got headers %q, want %q", o.headers, want)
	}
	if got, want := archNames(o.arches), []string{"386", "arm64"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got architectures %q, want %q", got, want)
	}
}
