package debian

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	headerPackage = regexp.MustCompile(`^linux-libc-dev$`)
	sourcePackage = regexp.MustCompile(`^linux-source-[0-9.]+$`)
)

// Newest returns the version of the newest kernel whose headers are served.
func (a *Archive) Newest() (string, error) {
	p, err := a.Find("amd64", headerPackage, "")
	return p.Kernel(), err
}

// Headers returns the directory of the unpacked header package of release.
// Up to 6.11 it holds the headers of amd64 alone, later those of every
// architecture.
func (a *Archive) Headers(release string) (string, error) {
	return a.tree("headers-", headerPackage, release, func(deb, dir string) error {
		_, err := run("", "dpkg-deb", "-x", deb, dir)
		return err
	})
}

// uapiFiles are the parts of a source tree that define the kernel's
// interface to programs, as patterns of tar. Every release since 5.10 has
// all of them.
var uapiFiles = []string{
	"*/Makefile",
	"*/include",
	"*/scripts",
	"*/arch/*/include",
	"*/arch/*/entry/syscalls",
	"*/arch/*/kernel/Makefile*",
	"*/arch/*/kernel/syscalls",
	"*/arch/*/tools",
}

// Source returns the directory of the source tree of release. Unless full is
// set it may hold only what defines the kernel's interface to programs.
func (a *Archive) Source(release string, full bool) (string, error) {
	prefix, files := "linux-", uapiFiles
	if full {
		prefix, files = "linux-full-", nil
	}
	return a.tree(prefix, sourcePackage, release, func(deb, dir string) error {
		return unpackSource(deb, dir, files)
	})
}

// tree returns the directory of the cache that holds the package's files as
// unpack lays them out.
func (a *Archive) tree(prefix string, name *regexp.Regexp, release string, unpack func(deb, dir string) error) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	if strings.Count(release, ".") == 2 { // a version, which never changes
		if dir := filepath.Join(cache, prefix+release); exists(dir) {
			return dir, nil
		}
	}
	p, err := a.Find("amd64", name, release)
	if err != nil {
		noMirror, ok := errors.AsType[*mirrorError](err)
		if dir := newestTree(cache, prefix, release); dir != "" {
			why := err.Error()
			if ok {
				why = noMirror.why
			}
			a.logf("%s: %s of the cache is used", why, filepath.Base(dir))
			return dir, nil
		}
		if ok {
			err = fmt.Errorf("%w, or set KERNEL to a directory with kernel headers or sources", err)
		}
		return "", err
	}
	dir := filepath.Join(cache, prefix+p.Kernel())
	err = Install(dir, func(tmp string) error {
		return a.withPackage(p, tmp, func(deb string) error { return unpack(deb, tmp) })
	})
	return dir, err
}

// newestTree returns the newest directory of the cache that belongs to
// release, or "".
func newestTree(cache, prefix, release string) string {
	dirs, _ := filepath.Glob(filepath.Join(cache, prefix+"[0-9]*"))
	version := func(dir string) string { return strings.TrimPrefix(filepath.Base(dir), prefix) }
	dirs = slices.DeleteFunc(dirs, func(dir string) bool {
		return !treeVersion.MatchString(version(dir)) || !Matches(version(dir), release)
	})
	if len(dirs) == 0 {
		return ""
	}
	return slices.MaxFunc(dirs, func(a, b string) int { return Compare(version(a), version(b)) })
}

var treeVersion = regexp.MustCompile(`^[0-9]+(\.[0-9]+)+$`)

// Unpack returns a directory with the files of packages that a suite serves
// for arch. They have the version of the first one.
func (a *Archive) Unpack(suiteName, arch string, names ...string) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	list, err := a.latest(suiteName, arch, names)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, list[0].Name+"-"+arch+"-"+notPath.ReplaceAllString(list[0].Version, "_"))
	return dir, Install(dir, func(tmp string) error {
		for _, p := range list {
			err := a.withPackage(p, tmp, func(deb string) error {
				_, err := run("", "dpkg-deb", "-x", deb, tmp)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

var notPath = regexp.MustCompile(`[^a-z0-9.]+`)

// latest returns the packages of those names, in their order.
func (a *Archive) latest(suiteName, arch string, names []string) ([]Package, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.findMirror(); err != nil {
		return nil, err
	}
	var list []Package
	for _, name := range names {
		found, err := a.packages(suiteName, arch, regexp.MustCompile("^"+regexp.QuoteMeta(name)+"$"))
		if err == nil && len(found) == 0 {
			err = errors.New("it is not there")
		}
		if err != nil {
			return nil, fmt.Errorf("package %s for %s in %s: %w", name, arch, suiteName, err)
		}
		list = append(list, found[0])
	}
	return list, nil
}

// withPackage fetches the package into a directory in tmp, which is gone when
// use returns.
func (a *Archive) withPackage(p Package, tmp string, use func(deb string) error) error {
	a.logf("fetching %s %s", p.Name, p.Version)
	dir := filepath.Join(tmp, ".download")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	deb, err := p.download(dir)
	if err == nil {
		err = use(deb)
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// unpackSource unpacks the archive inside a source package into dir: the
// files that match, or all.
func unpackSource(deb, dir string, files []string) error {
	if _, err := exec.LookPath("xz"); err != nil {
		return errors.New("xz is not installed: install the package xz-utils")
	}
	tarball := "./usr/src/" + strings.SplitN(filepath.Base(deb), "_", 2)[0] + ".tar.xz"
	args := []string{"-x", "-J", "-C", dir, "--strip-components=1"}
	if files != nil {
		args = append(append(args, "--wildcards", "--no-wildcards-match-slash"), files...)
	}
	return pipeline(
		exec.Command("dpkg-deb", "--fsys-tarfile", deb),
		exec.Command("tar", "-x", "-O", "-f", "-", tarball),
		exec.Command("tar", args...),
	)
}

// pipeline runs the commands, each reading what the one before it writes.
func pipeline(cmds ...*exec.Cmd) error {
	diags := make([]strings.Builder, len(cmds))
	for i, cmd := range cmds {
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		cmd.Stderr = &diags[i]
		if i == 0 {
			continue
		}
		out, err := cmds[i-1].StdoutPipe()
		if err != nil {
			return err
		}
		cmd.Stdin = out
	}
	for _, cmd := range cmds {
		if err := cmd.Start(); err != nil {
			return err
		}
	}
	var first error
	for i, cmd := range slices.Backward(cmds) { // the last one knows best why
		if err := cmd.Wait(); err != nil && first == nil {
			first = commandError(cmd.Path, err, diags[i].String())
		}
		if in, ok := cmd.Stdin.(io.Closer); ok {
			in.Close()
		}
	}
	if first != nil {
		return fmt.Errorf("unpacking: %w", first)
	}
	return nil
}
