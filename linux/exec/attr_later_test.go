//go:build linux

package exec

import (
	"encoding/json"
	"errors"
	"os"
	std "os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Fields of a SysProcAttr that this release of Go does not have are not dropped:
// they are honoured, or an error that names them.
func TestLaterFields(t *testing.T) {
	type confined struct {
		Chroot        string
		NoNewPrivs    bool
		UseLandlock   bool
		LandlockFD    int
		LandlockFlags uint32
	}
	for name, test := range map[string]struct {
		attr any
		want later
		bad  string
	}{
		"none":                  {attr: confined{Chroot: "/"}},
		"no new privileges":     {attr: confined{NoNewPrivs: true}, want: later{noNewPrivs: true}},
		"landlock":              {attr: confined{UseLandlock: true, LandlockFD: 5, LandlockFlags: 2}, want: later{useLandlock: true, landlockFD: 5, landlockFlags: 2}},
		"a ruleset not used":    {attr: confined{LandlockFD: 5}},
		"flags of another type": {attr: struct{ LandlockFlags, UseLandlock any }{LandlockFlags: "x"}, bad: "LandlockFlags"},
		"flags that are int": {attr: struct {
			UseLandlock   bool
			LandlockFlags int
		}{true, 4}, want: later{useLandlock: true, landlockFlags: 4}},
		"flags out of range": {attr: struct {
			UseLandlock   bool
			LandlockFlags int64
		}{true, -1}, bad: "LandlockFlags"},
		"nobody knows it":        {attr: struct{ Sandbox bool }{true}, bad: "Sandbox"},
		"nobody knows it, unset": {attr: struct{ Sandbox bool }{}},
		"not exported":           {attr: struct{ sandbox bool }{true}, bad: "sandbox"},
	} {
		got, err := laterFields(reflect.ValueOf(test.attr))
		var bad *attrError
		switch {
		case test.bad == "" && (err != nil || got != test.want):
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, test.want)
		case test.bad != "" && (!errors.As(err, &bad) || bad.field != test.bad || !errors.Is(err, errors.ErrUnsupported)):
			t.Errorf("%s: got error %v, want that %s is not known", name, err, test.bad)
		}
	}
}

// All that this SysProcAttr has is known.
func TestAllFieldsAreHandled(t *testing.T) {
	typ := reflect.TypeFor[syscall.SysProcAttr]()
	known := map[string]bool{"NoNewPrivs": true, "UseLandlock": true, "LandlockFD": true, "LandlockFlags": true}
	for _, name := range handled {
		known[name] = true
	}
	for i := range typ.NumField() {
		if name := typ.Field(i).Name; !known[name] {
			t.Errorf("SysProcAttr.%s of %s is not handled", name, runtime.Version())
		}
	}
}

// A program that is built with a package syscall which has such fields gets what
// it asks for.
func TestSyscallOfALaterRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the standard library")
	}
	if _, err := std.LookPath("go"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	goroot, err := std.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src", "syscall", "exec_linux.go")
	source, err := os.ReadFile(root)
	if err != nil {
		t.Skip(err)
	}
	const at = "type SysProcAttr struct {"
	if !strings.Contains(string(source), at) {
		t.Fatalf("%s has no SysProcAttr", root)
	}
	if strings.Contains(string(source), "NoNewPrivs ") {
		t.Skip("this release has the fields")
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	later := write("exec_linux.go", strings.Replace(string(source), at, at+"\n\tNoNewPrivs bool\n\tSandbox string\n", 1))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{root: later}})
	if err != nil {
		t.Fatal(err)
	}
	write("overlay.json", string(overlay))
	program := write("main.go", `package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/go-clone3/clone3/linux/exec"
)

func main() {
	c := exec.Command("/proc/self/exe")
	if len(os.Args) > 1 && os.Args[1] == "child" {
		status, _ := os.ReadFile("/proc/self/status")
		os.Stdout.Write(status)
		return
	}
	c.Args = append(c.Args, "child")
	c.SysProcAttr = &syscall.SysProcAttr{NoNewPrivs: true}
	out, err := c.CombinedOutput()
	fmt.Printf("%s%v\n", out, err)
	c = c.Clone()
	c.SysProcAttr = &syscall.SysProcAttr{Sandbox: "yes"}
	fmt.Println(c.Run())
}
`)
	build := std.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "program"), program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := std.Command(filepath.Join(dir, "program")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "NoNewPrivs:\t1\n") || !strings.Contains(string(out), "SysProcAttr.Sandbox") {
		t.Errorf("%v: got %s, want NoNewPrivs, and Sandbox refused by its name", err, out)
	}
}
