//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/debian"
	"github.com/go-clone3/clone3/scripts/internal/gotest"
)

// patience is how long a case may take.
const patience = 2 * time.Hour

// A host is what the machines have of the one they are on.
type host struct {
	repo    string
	goroot  string
	modules string // downloaded, as a module proxy has them
	env     []string
	mirror  string
	cache   string
	logs    string
}

func findHost() (h host, err error) {
	if h.repo, err = gotest.Repo(); err != nil {
		return h, err
	}
	if h.mirror, err = debian.Mirror(); err != nil {
		return h, err
	}
	if h.cache, err = debian.Cache(); err != nil {
		return h, err
	}
	h.logs = filepath.Join(h.cache, "fresh-machine")
	goenv := func(name string) string {
		value, e := gotest.Output(h.repo, "env", name)
		err = errors.Join(err, e)
		return value
	}
	h.goroot, h.modules = goenv("GOROOT"), filepath.Join(goenv("GOMODCACHE"), "cache", "download")
	h.env = []string{"GOPROXY=file://" + modulesDir + "," + goenv("GOPROXY")}
	for _, name := range []string{"GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE"} {
		h.env = append(h.env, name+"="+goenv(name))
	}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, ok := os.LookupEnv(name); ok {
			h.env = append(h.env, name+"="+value)
		}
	}
	return h, errors.Join(err, os.MkdirAll(h.logs, 0o755), os.MkdirAll(h.modules, 0o755))
}

// base returns the directory of a suite's minimal system, which is made if the
// cache has none.
func (h host) base(ctx context.Context, suite string) (string, error) {
	dir := filepath.Join(h.cache, "roots", suite+"-"+runtime.GOARCH)
	return dir, debian.Install(dir, func(tmp string) error {
		return command(ctx, "debootstrap", "--variant=minbase", "--include=make,ca-certificates", suite, tmp, h.mirror)
	})
}

// make makes a machine in dir.
func (h host) make(ctx context.Context, m machine, suite, dir string) error {
	base, err := h.base(ctx, suite)
	if err != nil {
		return err
	}
	if err := command(ctx, "cp", "-a", base+"/.", dir); err != nil {
		return err
	}
	// The network is the host's, and so is whom it trusts there.
	for _, name := range []string{"etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"} {
		text, err := os.ReadFile("/" + name)
		if err == nil {
			os.Remove(filepath.Join(dir, name)) // it may be a link
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	// How this machine's apt gets at the mirror.
	acquire, err := exec.CommandContext(ctx, "apt-config", "dump", "Acquire").Output()
	if err != nil {
		return fmt.Errorf("apt-config: %w", err)
	}
	proxies := bytes.Join(regexp.MustCompile(`(?m)^Acquire::\w+::Proxy.*\n`).FindAll(acquire, -1), nil)
	if err := os.WriteFile(filepath.Join(dir, "etc/apt/apt.conf.d/90proxy"), proxies, 0o644); err != nil {
		return err
	}
	for _, where := range []string{goDir, modulesDir} {
		if err := os.MkdirAll(filepath.Join(dir, where), 0o755); err != nil {
			return err
		}
	}
	setup := fmt.Sprintf("useradd --create-home --shell /bin/sh --uid %d %s", someone, someoneName)
	if m.setup != "" {
		setup += " && " + m.setup
	}
	return h.setUp(ctx, dir, setup)
}

// setUp runs a command of root's in the machine in dir.
func (h host) setUp(ctx context.Context, dir, sh string) error {
	var out bytes.Buffer
	status, err := h.enter(ctx, dir, 0, place{Command: sh}, "/", &out)
	if err == nil && status != 0 {
		err = fmt.Errorf("%s: exit status %d\n%s", sh, status, &out)
	}
	return err
}

// try tries the cases of a machine that match.
func (m machine) try(ctx context.Context, h host, suite string, only *regexp.Regexp, stdout io.Writer) ([]result, error) {
	var chosen []place
	title := func(c place) string { return suite + ", " + m.name + ": " + c.Name }
	for _, c := range m.cases {
		if only.MatchString(title(c)) {
			chosen = append(chosen, c)
		}
	}
	if chosen == nil {
		return nil, nil
	}
	dir, err := os.MkdirTemp(h.cache, ".machine-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	if err := h.make(ctx, m, suite, dir); err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "%s, %s: the machine is there after %.0fs\n", suite, m.name, time.Since(began).Seconds())
	var results []result
	for _, c := range chosen {
		r, err := m.tryCase(ctx, h, dir, c, title(c))
		if err != nil {
			return results, err
		}
		fmt.Fprintf(stdout, "%s: %s, %.0fs\n", r.name, r.outcome, r.took.Seconds())
		results = append(results, r)
	}
	out, err := exec.CommandContext(ctx, "du", "-sm", "--one-file-system", dir+m.home()).Output()
	if err == nil {
		size, _, _ := strings.Cut(string(out), "\t")
		fmt.Fprintf(stdout, "%s, %s: %s MB in the home directory\n", suite, m.name, size)
	}
	return results, err
}

func (m machine) home() string {
	if m.uid == 0 {
		return "/root"
	}
	return "/home/" + someoneName
}

// tryCase tries one case, with a copy of the module. An error means that it
// could not be tried.
func (m machine) tryCase(ctx context.Context, h host, dir string, c place, title string) (result, error) {
	r := result{name: title}
	if c.Setup != "" {
		if err := h.setUp(ctx, dir, c.Setup); err != nil {
			return r, err
		}
	}
	src := filepath.Join(m.home(), "clone3")
	if c.Dir != "" {
		src = filepath.Join(m.home(), c.Dir)
	}
	if err := h.copyModule(ctx, dir+src, m.uid); err != nil {
		return r, err
	}
	log, err := os.Create(filepath.Join(h.logs, regexp.MustCompile(`\W+`).ReplaceAllString(title, "-")+".log"))
	if err != nil {
		return r, err
	}
	defer log.Close()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	status, err := h.enter(limited, dir, m.uid, c, src, log)
	r.took = time.Since(began)
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	output, readErr := os.ReadFile(log.Name())
	if err != nil || readErr != nil {
		return r, errors.Join(err, readErr)
	}
	r.outcome = "ok"
	switch {
	case c.Check != nil:
		if err := c.Check(string(output), status); err != nil {
			r.outcome = "FAILED: " + err.Error()
		}
	case limited.Err() != nil:
		r.outcome = fmt.Sprintf("FAILED: no end after %s", patience)
	case status != 0:
		r.outcome = "FAILED: " + summary(string(output), status)
	}
	return r, nil
}

// copyModule copies the module without its history to where the user has it.
func (h host) copyModule(ctx context.Context, dir string, uid int) error {
	if _, err := os.Stat(dir); err == nil {
		return nil // since the case before
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := command(ctx, "cp", "-a", h.repo+"/.", dir); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
		return err
	}
	return command(ctx, "chown", "-R", fmt.Sprintf("%d:%[1]d", uid), dir, filepath.Dir(dir))
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// summary says in a few words why a command failed.
func summary(output string, status int) string {
	var names []string
	for _, m := range failedTest.FindAllStringSubmatch(output, -1) {
		names = append(names, m[1])
	}
	if n := len(names) - 3; n > 0 {
		names = append(names[:3], fmt.Sprintf("and %d more", n))
	}
	if names != nil {
		return strings.Join(names, " ")
	}
	last := "no output"
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "make: ") && !strings.HasPrefix(line, "make[") {
			last = line
		}
	}
	return fmt.Sprintf("exit status %d: %.200s", status, last)
}

// command runs a program, whose output is in the error if it fails.
func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out[max(0, len(out)-2000):])
	}
	return nil
}
