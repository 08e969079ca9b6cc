package debian

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// listsAge is how long the package lists of a suite are used before apt is
// asked again.
const listsAge = 6 * time.Hour

// A Package is a binary package that a suite serves.
type Package struct {
	Name    string
	Version string // of Debian: 7.3.4-1~bpo13+1
	suite   suite
}

// Kernel returns the version of the kernel that the package was made from.
func (p Package) Kernel() string { return upstream(p.Version) }

// A suite is one suite of the archive for one Debian architecture. dir holds
// its private apt: lists, caches and an empty dpkg status. The system's own
// apt lends its settings for proxies and the like, and is never changed.
type suite struct {
	name, arch string
	sources    string // its line of sources.list
	dir        string
}

// config makes apt work in the private directory. It is read after the
// system's configuration, whose hooks would touch the system's files.
const config = `#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "%[2]s";
APT::Architectures { "%[2]s"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::GzipIndexes "true";
Acquire::Check-Valid-Until "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Dir::State "%[1]s";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
`

// errAbsent is that the mirror does not have a suite.
var errAbsent = errors.New("the mirror does not have it")

// update brings the package lists of s to this machine, unless they are
// recent and refresh is false. The lists of an earlier time stay when it
// fails.
func (s suite) update(refresh bool) error {
	unlock, err := lock(s.dir)
	if err != nil {
		return err
	}
	defer unlock()
	stamp, absent, index := filepath.Join(s.dir, "stamp"), filepath.Join(s.dir, "absent"), s.index()
	if old, err := os.ReadFile(filepath.Join(s.dir, "sources.list")); err == nil && string(old) != s.sources {
		os.Remove(stamp) // another mirror now
		os.Remove(index)
	}
	if info, err := os.Stat(stamp); err == nil && !refresh && time.Since(info.ModTime()) < listsAge {
		switch {
		case exists(absent):
			return errAbsent
		case exists(index):
			return nil
		}
	}
	os.Remove(absent)
	if err := s.configure(); err != nil {
		return err
	}
	_, err = s.run("apt-get", "-q", "update")
	switch {
	case err == nil:
		err = s.writeIndex(index)
	case strings.Contains(err.Error(), "does not have a Release file"):
		os.Remove(index)
		err = errors.Join(os.WriteFile(absent, nil, 0o644), os.WriteFile(stamp, nil, 0o644))
		if err == nil {
			err = errAbsent
		}
		return err
	}
	if err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o644)
}

// index is the file with the names and versions of packages.
func (s suite) index() string { return filepath.Join(s.dir, "packages") }

func (s suite) configure() error {
	for _, dir := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"status":       "",
		"sources.list": s.sources,
		"apt.conf":     fmt.Sprintf(config, s.dir, s.arch),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var indexed = regexp.MustCompile(`^(linux-(libc-dev$|source-|image-|binary-)|qemu-system-)`)

// writeIndex notes the packages of the lists that can be of use in a file of
// its own, a name and a version per line: apt's own cache of all packages is a
// hundred times as large and slow to make.
func (s suite) writeIndex(path string) error {
	defer os.Remove(filepath.Join(s.dir, "cache", "pkgcache.bin"))
	out, err := s.run("apt-cache", "pkgnames")
	if err != nil {
		return err
	}
	var index strings.Builder
	if names := slices.DeleteFunc(strings.Fields(out), func(n string) bool { return !indexed.MatchString(n) }); len(names) > 0 {
		if out, err = s.run("apt-cache", append([]string{"madison"}, names...)...); err != nil {
			return err
		}
		for line := range strings.Lines(out) { // name | version | uri suite/main arch Packages
			f := strings.Split(line, "|")
			if len(f) != 3 {
				return fmt.Errorf("apt-cache madison says %q, not name | version | source", line)
			}
			fmt.Fprintln(&index, strings.TrimSpace(f[0]), strings.TrimSpace(f[1]))
		}
	}
	return os.WriteFile(path, []byte(index.String()), 0o644)
}

// packages lists what s serves under the names that match.
func (s suite) packages(name *regexp.Regexp) ([]Package, error) {
	index, err := os.ReadFile(s.index())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no lists were ever fetched
	}
	var list []Package
	for line := range strings.Lines(string(index)) {
		n, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name.MatchString(n) {
			list = append(list, Package{n, version, s})
		}
	}
	return list, err
}

// download fetches the package into dir and returns the file. apt verifies it
// by the hashes in the signed lists.
func (p Package) download(dir string) (string, error) {
	get := func() error {
		_, err := p.suite.runIn(dir, "apt-get", "-q", "download", p.Name+"="+p.Version)
		return err
	}
	if err := get(); err != nil {
		// The archive may have moved on since the lists were fetched.
		if p.suite.update(true) != nil || get() != nil {
			return "", err
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, p.Name+"_*.deb"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("apt-get download left %d files of %s", len(files), p.Name)
	}
	return files[0], nil
}

func (s suite) run(name string, args ...string) (string, error) {
	return s.runIn(s.dir, name, args...)
}

func (s suite) runIn(dir, name string, args ...string) (string, error) {
	return run(dir, name, append([]string{"-c", filepath.Join(s.dir, "apt.conf")}, args...)...)
}

// run returns the standard output of a command. Its error holds what the
// command wrote about the failure.
func run(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	if err := cmd.Run(); err != nil {
		return "", commandError(name, err, diag.String())
	}
	return out.String(), nil
}
