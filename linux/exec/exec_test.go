//go:build linux && !clone3_osexec

package exec_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	std "os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux/exec"
)

// Everything that os/exec exports is here: as the same type or function, or with
// the same fields and methods.
func TestHasAllOfStandardPackage(t *testing.T) {
	var (
		_ func(string, ...string) *exec.Cmd                  = exec.Command
		_ func(context.Context, string, ...string) *exec.Cmd = exec.CommandContext
		_ func(string) (string, error)                       = exec.LookPath
		_ *std.Error                                         = (*exec.Error)(nil)
		_ *std.ExitError                                     = (*exec.ExitError)(nil)
	)
	for name, same := range map[string]bool{
		"ErrDot":       exec.ErrDot == std.ErrDot,
		"ErrNotFound":  exec.ErrNotFound == std.ErrNotFound,
		"ErrWaitDelay": exec.ErrWaitDelay == std.ErrWaitDelay,
	} {
		if !same {
			t.Errorf("%s is another value", name)
		}
	}
	theirs, ours := reflect.TypeFor[*std.Cmd](), reflect.TypeFor[*exec.Cmd]()
	for i := range theirs.Elem().NumField() {
		want := theirs.Elem().Field(i)
		if !want.IsExported() {
			continue
		}
		if got, ok := ours.Elem().FieldByName(want.Name); !ok || got.Type != want.Type || len(got.Index) != 1 {
			t.Errorf("field %s: got %v, want %v", want.Name, got.Type, want.Type)
		}
	}
	for i := range theirs.NumMethod() {
		want := theirs.Method(i)
		got, ok := ours.MethodByName(want.Name)
		if !ok {
			t.Errorf("no method %s", want.Name)
			continue
		}
		for j := 1; j < want.Type.NumIn(); j++ {
			if got.Type.In(j) != want.Type.In(j) {
				t.Errorf("method %s is %v, want %v", want.Name, got.Type, want.Type)
			}
		}
		for j := range want.Type.NumOut() {
			if got.Type.Out(j) != want.Type.Out(j) {
				t.Errorf("method %s is %v, want %v", want.Name, got.Type, want.Type)
			}
		}
	}
}

// Failures look the same as those of os/exec.
func TestFailsLikeStandardPackage(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/nowhere/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*std.Cmd{
		"not there":                {Path: "/nowhere"},
		"not in PATH":              std.Command("no-such-program-exists"),
		"a directory":              {Path: dir},
		"not executable":           {Path: plain},
		"no interpreter":           {Path: script},
		"no command":               {},
		"NUL in an argument":       {Path: "/proc/self/exe", Args: []string{"true", "a\x00b"}},
		"NUL in the environment":   {Path: "/proc/self/exe", Env: []string{"a\x00b=c"}},
		"no directory":             {Path: "/proc/self/exe", Dir: "/nowhere"},
		"Credential without right": {Path: "/proc/self/exe", SysProcAttr: &syscall.SysProcAttr{Pgid: -1, Setpgid: true}},
		"exit code":                {Path: "/proc/self/exe", Env: []string{helperVar + "=exit"}, Args: []string{"exit", "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			ours, err := exec.FromCmd(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			got, want := ours.Run(), c.Run()
			if want == nil || got == nil {
				t.Fatalf("got %v, os/exec %v, want failures", got, want)
			}
			if reflect.TypeOf(got) != reflect.TypeOf(want) {
				t.Errorf("got %T (%[1]v), os/exec %T (%[2]v)", got, want)
			}
			for _, target := range []error{syscall.ENOENT, syscall.EACCES, syscall.EINVAL, exec.ErrNotFound, fs.ErrNotExist, fs.ErrPermission} {
				if errors.Is(got, target) != errors.Is(want, target) {
					t.Errorf("errors.Is %v: got %v for %v, os/exec %v for %v", target, errors.Is(got, target), got, !errors.Is(got, target), want)
				}
			}
			var g, w *fs.PathError
			if errors.As(got, &g) && errors.As(want, &w) && (g.Path != w.Path || g.Op != w.Op && !strings.HasPrefix(g.Op, w.Op+" (")) {
				t.Errorf("got %v, os/exec %v", g, w)
			}
			if name != "NUL in an argument" && !strings.HasPrefix(name, "Cred") && got.Error() != want.Error() {
				t.Errorf("got %q, os/exec %q", got, want)
			}
		})
	}
}

func TestExitErrorIsThatOfStandardPackage(t *testing.T) {
	_, err := command("both", "3").Output()
	var ee *std.ExitError
	if !errors.As(err, &ee) {
		t.Fatalf("got %T: %[1]v, want *os/exec.ExitError", err)
	}
	usage, ok := ee.SysUsage().(*syscall.Rusage)
	if ee.ExitCode() != 3 || string(ee.Stderr) != "err" || ee.Error() != "exit status 3" || !ok || usage.Maxrss == 0 || ee.UserTime()+ee.SystemTime() == 0 {
		t.Errorf("got code %d, stderr %q, %q, usage %+v", ee.ExitCode(), ee.Stderr, ee, usage)
	}
}

func TestInputAndOutput(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 1<<16)
	c := command("cat")
	c.Stdin = strings.NewReader(big)
	if out, err := c.Output(); err != nil || string(out) != big {
		t.Errorf("cat of 1 MB: got %d bytes, %v", len(out), err)
	}
	c = command("exit", "0")
	c.Stdin = strings.NewReader(big) // which is not read
	if err := c.Run(); err != nil {
		t.Error("input that is not read:", err)
	}
	if out, err := command("both", "0").CombinedOutput(); err != nil || string(out) != "outerr" {
		t.Errorf("CombinedOutput: got %q, %v", out, err)
	}
	c = command("echo", "a", "b")
	c.Stdout = failing{}
	if err := c.Run(); err == nil || err.Error() != "no more" {
		t.Errorf("output to a failing writer: got %v", err)
	}
	c = command("cat")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "through pipes")
	in.Close()
	if b, err := io.ReadAll(out); err != nil || string(b) != "through pipes" {
		t.Errorf("got %q, %v", b, err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no more") }

func TestImplicitPWD(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(helperVar, "pwd")
	c := exec.Command("/proc/self/exe")
	c.Dir = dir
	if out, err := c.Output(); err != nil || string(out) != dir+" "+dir {
		t.Errorf("got %q, %v, want %q twice", out, err, dir)
	}
}

func TestFromCmd(t *testing.T) {
	c := std.Command("/proc/self/exe", "taken", "over")
	c.Env = append(os.Environ(), helperVar+"=echo")
	ours, err := exec.FromCmd(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := ours.Output(); err != nil || string(out) != "taken over\n" {
		t.Errorf("got %q, %v", out, err)
	}

	started := std.Command("/proc/self/exe", "0")
	started.Env = append(os.Environ(), helperVar+"=exit")
	if err := started.Run(); err != nil {
		t.Fatal(err)
	}
	piped := std.Command("/proc/self/exe")
	r, err := piped.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { r.Close(); piped.Stdout.(*os.File).Close() }()
	for want, c := range map[string]*std.Cmd{
		"no command":      nil,
		"already started": started,
		"has pipes":       piped,
	} {
		if _, err := exec.FromCmd(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want that it says %q", err, want)
		}
	}
}
