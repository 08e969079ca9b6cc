package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

// A Recipe is how the kernel of a machine is built.
type Recipe struct {
	Vars     []string // of the kernel's Makefiles: ARCH=mips
	Config   []string // the fragments in testdata/kconfig, without .config
	Packages []string // of Debian, to build it with
	Image    string   // the file to boot, in the build's directory; "" is vmlinux
}

// image returns the file to boot.
func (r Recipe) image() string { return cmp.Or(r.Image, "vmlinux") }

// buildTools are the packages that every build needs.
var buildTools = []string{"bc", "bison", "flex", "gcc", "libc6-dev", "libelf-dev", "libssl-dev", "make", "xz-utils"}

// key names what a recipe makes of a fragment: another key, another kernel.
func (r Recipe) key(fragment string) string {
	sum := sha256.Sum256([]byte(strings.Join(r.Vars, "\n") + "\n\n" + fragment + r.Image))
	return fmt.Sprintf("%x", sum[:4])
}

// fragment returns the recipe's part of a kernel configuration.
func (r Recipe) fragment(root string) (string, error) {
	var b strings.Builder
	for _, name := range r.Config {
		text, err := os.ReadFile(filepath.Join(root, "testdata", "kconfig", name+".config"))
		if err != nil {
			return "", err
		}
		b.Write(text)
	}
	return b.String(), nil
}

// buildKernel returns the kernel of m that the cache has, or builds it from
// Debian's source package.
func buildKernel(ctx context.Context, archive *debian.Archive, root string, m Machine, k debian.Kernel, log io.Writer) (debian.Kernel, error) {
	fragment, err := m.Build.fragment(root)
	if err != nil {
		return k, err
	}
	cache, err := debian.Cache()
	if err != nil {
		return k, err
	}
	dir := filepath.Join(cache, "kernels", fmt.Sprintf("built-%s-%s-%s", m.Name, k.Version, m.Build.key(fragment)))
	k.Path = filepath.Join(dir, filepath.Base(m.Build.image()))
	return k, debian.Install(dir, func(tmp string) error {
		packages := slices.Concat(buildTools, m.Build.Packages)
		if err := installPackages(ctx, root, packages, log); err != nil {
			return err
		}
		src, err := archive.Source(k.Version, true)
		if err != nil {
			return err
		}
		fmt.Fprintf(log, "building linux %s for %s, which takes minutes\n", k.Version, m.Name)
		began := time.Now()
		if err := m.Build.build(ctx, src, fragment, tmp); err != nil {
			return err
		}
		fmt.Fprintf(log, "built it in %.0fs\n", time.Since(began).Seconds())
		return nil
	})
}

// build builds the kernel of the source tree src and leaves its image in dir.
func (r Recipe) build(ctx context.Context, src, fragment, dir string) error {
	obj := filepath.Join(dir, "obj")
	part := filepath.Join(dir, "fragment")
	if err := os.WriteFile(part, []byte(fragment), 0o644); err != nil {
		return err
	}
	make := func(args ...string) error {
		args = append([]string{"-C", src, "O=" + obj, fmt.Sprintf("-j%d", runtime.NumCPU())}, args...)
		cmd := exec.CommandContext(ctx, "make", append(args, r.Vars...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C", "KCONFIG_ALLCONFIG="+part, "MAKEFLAGS=", "MFLAGS=")
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // make ends its children then
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("make %s: %w:\n%s", args[len(args)-1], err, lastLines(string(out), 15))
		}
		return nil
	}
	if err := os.Mkdir(obj, 0o755); err != nil {
		return err
	}
	if err := make("allnoconfig"); err != nil {
		return err
	}
	config, err := os.ReadFile(filepath.Join(obj, ".config"))
	if err != nil {
		return err
	}
	if ignored := ignoredOptions(fragment, string(config)); ignored != nil {
		return fmt.Errorf("this kernel does not take the options %s: look for what they depend on", strings.Join(ignored, " "))
	}
	image := filepath.Base(r.image())
	if err := make(image); err != nil {
		return err
	}
	return errors.Join(
		os.Rename(filepath.Join(obj, r.image()), filepath.Join(dir, image)),
		os.RemoveAll(obj),
	)
}

// ignoredOptions returns the lines of a fragment that are not in a
// configuration.
func ignoredOptions(fragment, config string) []string {
	have := map[string]bool{}
	for line := range strings.Lines(config) {
		have[strings.TrimSpace(line)] = true
	}
	var ignored []string
	for line := range strings.Lines(fragment) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && !have[line] {
			ignored = append(ignored, line)
		}
	}
	return ignored
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
