//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
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
	"unsafe"

	"github.com/go-clone3/clone3/linux/exec"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// laterFields are what Go 1.28 adds to SysProcAttr, and one that nobody knows.
const laterFields = `
	NoNewPrivs    bool
	UseLandlock   bool
	LandlockFD    int
	LandlockFlags uint32
	FromTheFuture []string
`

// The tests below are run as by a release of Go whose SysProcAttr has more
// fields: with an overlay of package syscall.
func TestLaterRelease(t *testing.T) {
	if _, ok := reflect.TypeFor[syscall.SysProcAttr]().FieldByName("FromTheFuture"); ok {
		t.Skip("this is it")
	}
	if testing.Short() {
		t.Skip("compiles much of the standard library")
	}
	goCommand, err := std.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	env, err := std.Command(goCommand, "env", "GOROOT", "GOMODCACHE", "GOMOD").Output()
	dirs := strings.Split(string(env), "\n")
	if err != nil || len(dirs) < 3 || !strings.HasSuffix(dirs[2], "go.mod") {
		t.Skip("not in a module: ", err)
	}
	goroot, modules := dirs[0], dirs[1]
	name := filepath.Join(goroot, "src/syscall/exec_linux.go")
	source, err := os.ReadFile(name)
	if err != nil {
		t.Skip(err)
	}
	const begin = "type SysProcAttr struct {\n"
	if !bytes.Contains(source, []byte(begin)) {
		t.Fatal("SysProcAttr is elsewhere")
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "exec_linux.go")
	if err := os.WriteFile(changed, bytes.Replace(source, []byte(begin), []byte(begin+laterFields), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{name: changed}})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	c := std.Command(goCommand, "test", "-count=1", "-vet=off", "-run", "^TestLaterField", "-v", "-overlay", overlayFile, ".")
	if strings.HasPrefix(goroot, modules+"/") {
		// A toolchain that the go command has fetched is itself in the cache of
		// modules, of which an overlay must replace nothing: take another.
		c.Env = append(os.Environ(), "GOMODCACHE="+filepath.Join(dir, "modules"), "GOFLAGS=-modcacherw",
			"GOPROXY=file://"+filepath.Join(modules, "cache", "download"), "GOSUMDB=off")
	}
	out, err := c.CombinedOutput()
	if err != nil || bytes.Count(out, []byte("--- PASS: TestLaterField")) < 2 || bytes.Contains(out, []byte(" has no SysProcAttr.")) {
		t.Errorf("%s%v", out, err)
	}
}

// set sets a field that may not be there yet.
func set(t *testing.T, a *syscall.SysProcAttr, name string, value any) {
	t.Helper()
	field := reflect.ValueOf(a).Elem().FieldByName(name)
	if !field.IsValid() {
		t.Skip(runtime.Version() + " has no SysProcAttr." + name)
	}
	field.Set(reflect.ValueOf(value).Convert(field.Type()))
}

// A field that this package does not know is not dropped in silence.
func TestLaterFieldUnknown(t *testing.T) {
	c := command("exit", "0")
	c.SysProcAttr = new(syscall.SysProcAttr)
	set(t, c.SysProcAttr, "FromTheFuture", []string{"a"})
	err := c.Run()
	if err == nil || !strings.Contains(err.Error(), "SysProcAttr.FromTheFuture") || !errors.Is(err, errors.ErrUnsupported) || c.Process != nil {
		t.Errorf("got %v, want that it names the field", err)
	}
}

func TestLaterFieldNoNewPrivs(t *testing.T) {
	c := command("status", "NoNewPrivs")
	c.SysProcAttr = new(syscall.SysProcAttr)
	set(t, c.SysProcAttr, "NoNewPrivs", true)
	if out, err := c.Output(); err != nil || string(out) != "NoNewPrivs:\t1\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestLaterFieldLandlock(t *testing.T) {
	handled := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_REG)
	fd, _, errno := unix.Syscall(uapi.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handled)), unsafe.Sizeof(handled), 0)
	if errno != 0 {
		t.Skip("no Landlock: ", errno)
	}
	defer unix.Close(int(fd))
	c := command("write", filepath.Join(t.TempDir(), "file"))
	c.SysProcAttr = new(syscall.SysProcAttr)
	set(t, c.SysProcAttr, "UseLandlock", true)
	set(t, c.SysProcAttr, "LandlockFD", int(fd))
	set(t, c.SysProcAttr, "NoNewPrivs", true)
	if out, err := c.CombinedOutput(); err == nil || !strings.HasSuffix(string(out), "permission denied") {
		t.Errorf("got %q, %v, want that no file can be made", out, err)
	}
	if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err != nil {
		t.Error("LandlockFD is closed:", err)
	}
	c = c.Clone()
	set(t, c.SysProcAttr, "LandlockFlags", uint32(1<<31))
	if err := c.Run(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("flags that nobody knows: got %v", err)
	}
}

// All fields of today are handled.
func TestAllFieldsAreKnown(t *testing.T) {
	attr := reflect.TypeFor[syscall.SysProcAttr]()
	for i := range attr.NumField() {
		field := attr.Field(i)
		a := new(syscall.SysProcAttr)
		switch v := reflect.ValueOf(a).Elem().Field(i); v.Kind() {
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int:
			v.SetInt(1)
		default:
			continue // those that are strings, slices and pointers have tests of their own
		}
		c := command("exit", "0")
		c.SysProcAttr = a
		if err := c.Start(); err == nil {
			c.Process.Kill()
			c.Wait()
		} else if strings.Contains(err.Error(), "does not know") && field.Name != "FromTheFuture" {
			t.Errorf("%s: %v", field.Name, err)
		}
	}
}

// FromCmd does not take over half of a command.
func TestFromCmdFailsClosed(t *testing.T) {
	cmd := reflect.TypeFor[std.Cmd]()
	for i := range cmd.NumField() {
		field := cmd.Field(i)
		if field.IsExported() && !strings.HasPrefix(field.Name, "Process") {
			continue // they are taken over
		}
		c := &std.Cmd{Path: "/proc/self/exe"}
		v := reflect.ValueOf(c).Elem().Field(i)
		v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
		switch field.Name {
		case "ctx", "createdByStack", "cachedLookExtensions":
			continue
		}
		switch v.Kind() {
		case reflect.Int32:
			v.SetInt(1)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		case reflect.Chan:
			v.Set(reflect.MakeChan(reflect.ChanOf(reflect.BothDir, v.Type().Elem()), 0).Convert(v.Type()))
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
		case reflect.Interface:
			v.Set(reflect.ValueOf(errors.New("some error")))
		default:
			t.Errorf("os/exec.Cmd.%s is of kind %v", field.Name, v.Kind())
			continue
		}
		if _, err := exec.FromCmd(t.Context(), c); err == nil {
			t.Errorf("a command whose field %s is set is taken over", field.Name)
		}
	}
}
