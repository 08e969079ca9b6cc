// Package debian gets Linux headers, sources and kernels out of Debian's
// archive. It drives the apt of a Debian or Ubuntu system with a private
// configuration for each suite and architecture, so that apt verifies the
// archive's signatures and the system's own lists stay as they are.
package debian

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The suites that kernels come from. The first ones have the newest kernel;
// one that does not exist yet, or no longer, is passed over.
var (
	newSuites = []string{"forky-backports", "trixie-backports", "sid"}
	oldSuites = []string{"forky", "trixie", "bookworm-backports", "bookworm", "bullseye"}
)

// An Archive is Debian's archive as the machine's mirror serves it. It may be
// used by many goroutines.
type Archive struct {
	Refresh bool      // ask the mirror even when the package lists are recent
	Log     io.Writer // where to say what is fetched, and what could not be

	mu      sync.Mutex       // for all that follows
	sources string           // a line of sources.list, %s for the suite
	updates map[string]error // what came of the updates, by the suite's directory
	offline *mirrorError     // that the mirror does not answer
	told    bool             // that it is so
}

// unreachable is how apt says that it has no way to a mirror.
var unreachable = regexp.MustCompile(`(Could not (resolve|connect)|Unable to connect|Connection (failed|timed out)|Temporary failure)[^;]*`)

// An UnknownReleaseError says that no suite serves a release.
type UnknownReleaseError struct {
	Release string
	Newest  string
}

func (e *UnknownReleaseError) Error() string {
	return fmt.Sprintf("%s: newest served is %s", e.Release, e.Newest)
}

// Find returns the newest package of release, which is X.Y, X.Y.Z or "" for
// any, that has a matching name and is for arch, as Debian calls it. Names of
// equal versions are told apart by prefer, earlier is better.
func (a *Archive) Find(arch string, name *regexp.Regexp, release string, prefer ...string) (Package, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var newest, best Package
	var failure error
	if err := a.findMirror(); err != nil {
		return best, err
	}
	suites := slices.Concat(newSuites, oldSuites)
	for i, suiteName := range suites {
		if i >= len(newSuites) && best.Name != "" {
			break // an older suite has nothing newer of the same release
		}
		list, err := a.packages(suiteName, arch, name)
		if err != nil && !errors.Is(err, errAbsent) && failure == nil {
			failure = fmt.Errorf("%s for %s: %w", suiteName, arch, err)
		}
		for _, p := range list {
			if p.Kernel() == "" {
				continue // no release
			}
			newest = better(newest, p, prefer)
			if Matches(p.Kernel(), release) {
				best = better(best, p, prefer)
			}
		}
	}
	if newest.Name != "" && a.offline != nil && !a.told {
		a.told = true
		a.logf("%s: the package lists of the cache are used", a.offline.why)
	}
	switch {
	case best.Name != "":
		return best, nil
	case newest.Name != "":
		return best, &UnknownReleaseError{Release: release, Newest: newest.Kernel()}
	case a.offline != nil:
		return best, a.offline
	case failure != nil:
		return best, fmt.Errorf("no package lists of %w", failure)
	}
	return best, fmt.Errorf("no suite of the mirror has a package %s for %s", name, arch)
}

// findMirror finds the machine's mirror, unless that is done.
func (a *Archive) findMirror() (err error) {
	if a.sources == "" {
		a.sources, err = sources()
	}
	return err
}

// better returns the newer of two packages.
func better(a, b Package, prefer []string) Package {
	if a.Name == "" {
		return b
	}
	c := Compare(a.Kernel(), b.Kernel())
	if c == 0 {
		rank := func(p Package) int {
			return slices.IndexFunc(prefer, func(prefix string) bool { return strings.HasPrefix(p.Name, prefix) })
		}
		c = rank(b) - rank(a)
	}
	if c < 0 {
		return b
	}
	return a
}

// packages lists the packages of one suite. Lists of an earlier time do when
// new ones cannot be had.
func (a *Archive) packages(suiteName, arch string, name *regexp.Regexp) ([]Package, error) {
	cache, err := Cache()
	if err != nil {
		return nil, err
	}
	s := suite{
		name: suiteName, arch: arch,
		sources: fmt.Sprintf(a.sources, suiteName),
		dir:     filepath.Join(cache, "apt", suiteName+"-"+arch),
	}
	failure := a.update(s)
	list, err := s.packages(name)
	if failure != nil && list == nil {
		return nil, failure
	}
	return list, err
}

// update updates s unless that was tried before, or is known to fail.
func (a *Archive) update(s suite) error {
	if err, done := a.updates[s.dir]; done {
		return err
	}
	if a.offline != nil {
		return a.offline
	}
	err := s.update(a.Refresh)
	switch {
	case err == nil || err == errAbsent:
	case unreachable.MatchString(err.Error()):
		uri := strings.Fields(a.sources)[2] // deb [signed-by=KEYS] URI SUITE main
		a.offline = &mirrorError{
			fmt.Sprintf("the Debian mirror %s does not answer (%s)", uri, unreachable.FindString(err.Error())),
			"set DEBIAN_MIRROR to the address of another",
		}
		err = a.offline
	default:
		a.logf("%s for %s is passed over or as old as in the cache: %s", s.name, s.arch, err)
	}
	if a.updates == nil {
		a.updates = map[string]error{}
	}
	a.updates[s.dir] = err
	return err
}

func (a *Archive) logf(format string, args ...any) {
	if a.Log != nil {
		fmt.Fprintf(a.Log, format+"\n", args...)
	}
}
