//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// limit is how long tests may take. A fault may be that something never ends.
const limit = 90 * time.Second

// copyTree copies the files of the module to a temporary directory.
func copyTree(root string) (string, error) {
	dir, err := os.MkdirTemp("", "clone3-mutants-")
	if err != nil {
		return "", err
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, name)
		switch {
		case d.Name() == ".git" || name == ".cache":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(to, 0o777)
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, info.Mode().Perm())
	})
	if err != nil {
		os.RemoveAll(dir)
		return "", err
	}
	// Tests of what another user may do enter it, and have temporary files there.
	return dir, errors.Join(
		os.Chmod(dir, 0o755),
		os.Mkdir(temporary(dir), 0o755),
		os.Chmod(temporary(dir), 0o777|os.ModeSticky),
	)
}

// temporary is where tests in a copy leave what they do not remove.
func temporary(dir string) string { return filepath.Join(dir, ".tmp") }

// alone is how to run a test binary in a PID namespace of its own, if that is
// possible: a fault may make a test signal processes that are not its own, or
// leave some. The binary is not the child of process 1 there: some tests take
// that for a machine of their own.
func alone() string {
	unshare, err := exec.LookPath("unshare")
	if err != nil || os.Geteuid() != 0 {
		return ""
	}
	return unshare + ` --pid --fork --mount-proc --kill-child sh -c '("$@"; exit $?); exit $?' sh`
}

// try plants the fault in a copy, and reports whether the tests notice.
func (f fault) try(ctx context.Context, dir string) (caught bool, err error) {
	name := filepath.Join(dir, f.file)
	data, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	defer func() {
		err = errors.Join(err, os.WriteFile(name, data, 0o666))
	}()
	if err := os.WriteFile(name, bytes.Replace(data, []byte(f.what), []byte(f.instead), 1), 0o666); err != nil {
		return false, err
	}
	passed, output, err := f.run(ctx, dir)
	if err != nil {
		return false, fmt.Errorf("%s: %s: %w\n%s", f.pos, f.name, err, output)
	}
	return !passed, nil
}

// ran matches what tells that a test has passed, not only been skipped.
var ran = regexp.MustCompile(`(?m)^\s*--- PASS: `)

// broken matches the end of what scripts/vm prints when it has a status of its
// own, and not that of the tests.
var broken = regexp.MustCompile(`\nexit status 12[45]\n$`)

// failed matches what go test prints when tests fail, and not when it cannot do
// its own work.
var failed = regexp.MustCompile(`(?m)^FAIL\b`)

// baseline returns an error unless tests match the pattern and pass.
func (s suite) baseline(ctx context.Context, dir string) error {
	passed, output, err := s.run(ctx, dir)
	switch {
	case err != nil:
		err = fmt.Errorf("%w\n%s", err, output)
	case !passed:
		err = fmt.Errorf("fails without a fault:\n%s", output)
	case !ran.MatchString(output):
		err = errors.New("runs no test, or skips all")
	default:
		return nil
	}
	return fmt.Errorf("go test -run '%s' %s: %w", s.pattern, strings.Join(s.packages, " "), err)
}

// run runs the tests in a copy. That they do not compile is an error.
func (s suite) run(ctx context.Context, dir string) (passed bool, output string, err error) {
	args := []string{"test", "-count=1", "-short", "-vet=off", "-v", "-timeout", limit.String(), "-run", s.pattern}
	if program := alone(); program != "" {
		args = append(args, "-exec", program)
	}
	if s.kernel != "" {
		for _, pkg := range s.packages {
			if output, err := s.command(ctx, dir, "test", "-c", "-o", os.DevNull, pkg); err != nil {
				return false, output, errors.Join(errors.New("does not compile"), ctx.Err())
			}
		}
		args = []string{"run", "./scripts/vm", "-kernel", s.kernel, "-short", "-v", "-timeout", limit.String(), "-run", s.pattern}
	}
	output, err = s.command(ctx, dir, append(args, s.packages...)...)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, "", context.Cause(ctx)
	case err != nil && !errors.As(err, &exit):
		return false, output, err
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"):
		return false, output, errors.New("does not compile")
	case s.kernel != "" && broken.MatchString(output):
		return false, output, errors.New("the machine broke, which is no verdict")
	case err != nil && s.kernel == "" && exit.ExitCode() > 0 && !failed.MatchString(output):
		return false, output, fmt.Errorf("no test has failed, but the go command: %w", err)
	}
	return err == nil, output, nil
}

// command runs the go command in a copy, and ends what it may leave behind.
func (s suite) command(ctx context.Context, dir string, args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+dir, "TMPDIR="+temporary(dir))
	if s.goarch != "" {
		cmd.Env = append(cmd.Env, "GOARCH="+s.goarch)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // helpers of tests that have failed
	}
	if errors.Is(err, exec.ErrWaitDelay) { // they have kept the output open
		err = nil
	}
	return out.String(), err
}
