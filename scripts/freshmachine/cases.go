//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// A machine is a fresh system of a user's.
type machine struct {
	name  string
	uid   int
	setup string // a command of root's
	cases []place
}

// A place is a case: a command, and what is unusual where it runs.
type place struct {
	Name    string
	Command string                                // for sh; "" is all tests
	Setup   string                                // a command of root's, before
	Check   func(output string, status int) error `json:"-"`

	Umask   int
	Dir     string // of the module's copy; "" is clone3 in the home directory
	Tmp     string // the size of /tmp, if it has one of its own
	Locale  string
	Offline bool
	PID1    bool // the command is process 1, and so has the user of the rest
}

// uid and name of the users that are not root.
const (
	someone     = 1000
	someoneName = "dev"
)

// tests does not take yesterday's results, nor those of the case before.
const tests = "go test -count=1 -timeout 10m ./..."

var machines = []machine{
	{
		name: "root",
		cases: []place{
			{Name: "make generate", Command: "make generate"},
			{Name: "make test", Command: "make test"},
			{Name: "umask 077", Umask: 0o077},
		},
	},
	{
		name: "user with sudo",
		uid:  someone,
		setup: "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends sudo && echo '" +
			someoneName + " ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/" + someoneName,
		cases: []place{
			{Name: "make generate", Command: "make generate"},
			{Name: "make test", Command: "make test"},
			{Name: "no git", Setup: "! command -v git"},
			{Name: "umask 077", Umask: 0o077},
			{Name: "a path with spaces", Dir: "a path with spaces/clone3"},
			{Name: "64 MB of temporary space", Tmp: "64m"},
			{
				Name: "another locale", Locale: "de_DE.UTF-8",
				Setup: "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends locales && localedef -i de_DE -f UTF-8 de_DE.UTF-8",
			},
			{Name: "no network, warm caches", Offline: true},
			{Name: "process 1 is the user's", PID1: true},
		},
	},
	{
		name: "user without sudo",
		uid:  someone,
		cases: []place{
			{Name: "make test is refused", Command: "make test", Check: refused},
			{Name: "make generate", Command: "make generate"},
			{Name: "make check", Command: "make check"},
			{Name: "make std", Command: "make std"},
			{Name: "go test, no C compiler", Setup: "! command -v gcc"},
		},
	},
}

// refused checks that make test has named all packages that are missing, and
// done nothing else.
func refused(output string, status int) error {
	packages, err := exec.Command("scripts/packages.sh", "test", "trees", "vm-pr").Output()
	if err != nil {
		return fmt.Errorf("packages.sh: %w", err)
	}
	_, list, ok := strings.Cut(output, "apt-get install ")
	list, _, _ = strings.Cut(list, "\n")
	for p := range strings.FieldsSeq(string(packages)) {
		present := p == "debian-archive-keyring" // apt itself takes it
		if !present && !slices.Contains(strings.Fields(list), p) {
			return fmt.Errorf("%s is not on the list", p)
		}
	}
	switch {
	case status == 0:
		return fmt.Errorf("it passed")
	case !ok || strings.Count(output, "apt-get install ") != 1:
		return fmt.Errorf("it has not one list of packages")
	case strings.Count(output, "\n") > 10:
		return fmt.Errorf("it says more than the list")
	}
	return nil
}
