//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"golang.org/x/sys/unix"
)

// An agent's tool works on a repository. It cannot write elsewhere, read what is
// not the system's, nor reach the network; and it cannot change .git, where hooks
// lie that its user would execute later.
func ExampleConfine() {
	repo, err := os.MkdirTemp("", "repo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(repo)
	for _, dir := range []string{".git", "src", "tmp"} {
		os.Mkdir(filepath.Join(repo, dir), 0o755)
	}

	c, err := linux.Confine(repo, ".git")
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Landlock.BestEffort = true // for kernels before 6.12: Process.Unenforced tells what is missing
	c.Path = "/bin/sh"
	c.Args = []string{"sh", "-c", "echo fixed > src/main.go; echo evil > .git/hook; echo evil > ../outside"}
	c.Dir, c.Env = repo, linux.CleanEnv(filepath.Join(repo, "tmp"))
	p, err := linux.Clone3(context.Background(), c)
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Wait(context.Background())
	for _, name := range []string{"src/main.go", ".git/hook", "../outside"} {
		_, err := os.Stat(filepath.Join(repo, name))
		fmt.Println(name, err == nil)
	}
	// Output:
	// src/main.go true
	// .git/hook false
	// ../outside false
}

// The network of Confine, edited: HTTPS, and names looked up by TCP. UDP is
// restricted to no port before Linux 7.2, nor is TCP before 6.7.
func ExampleConfineFilter() {
	workdir, err := os.MkdirTemp("", "work")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(workdir)
	c, err := linux.Confine(workdir)
	if err != nil {
		fmt.Println(err)
		return
	}
	filter, err := linux.ConfineFilter(unix.AF_INET, unix.AF_INET6)
	if err != nil {
		fmt.Println(err)
		return
	}
	if c.Seccomp, err = filter.Compile(); err != nil {
		fmt.Println(err)
		return
	}
	c.Landlock.Ports = landlock.Ports(landlock.ConnectTCP, 443, 53)
	c.Landlock.Paths = append(c.Landlock.Paths, landlock.Optional(landlock.ReadOnly("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs"))...)
	fmt.Println(len(c.Landlock.Ports))
	// Output: 2
}

func ExampleCleanEnv() {
	os.Setenv("API_TOKEN", "secret")
	defer os.Unsetenv("API_TOKEN")
	env := linux.CleanEnv("/tmp/tool")
	fmt.Println(slices.Contains(env, "HOME=/tmp/tool"), slices.Contains(env, "API_TOKEN=secret"))
	// Output: true false
}

// Where many children are created with the same rules, they share a ruleset.
func ExampleNewLandlockRuleset() {
	rules := &landlock.Rules{ABI: 1, Paths: landlock.ReadExecute("/")}
	ruleset, _, err := linux.NewLandlockRuleset(rules)
	if errors.Is(err, errors.ErrUnsupported) { // before Linux 5.13
		fmt.Println("made: true")
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ruleset.Close()
	c := linux.Child{Path: "/bin/true", Flags: linux.NoNewPrivs, LandlockRuleset: ruleset}
	fmt.Println("made:", c.LandlockRuleset != nil)
	// Output: made: true
}
