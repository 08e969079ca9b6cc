package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/guest"
)

const nonce = "NONCE"

func mark(kind string, n int) string { return guest.Mark{Kind: kind, N: n}.Line(nonce) }

// booted is what a machine writes whose runs end with these texts and statuses,
// "TEXT:STATUS".
func booted(runs ...string) string {
	var b strings.Builder
	b.WriteString("[ 0.1] Linux\r\n" + mark(guest.Booted, 0))
	for n, run := range runs {
		i := strings.LastIndex(run, ":")
		text, status := run[:i], run[i+1:]
		b.WriteString(mark(guest.Start, n) + text + strings.Replace(mark(guest.Exit, 0), ":0\n", ":"+status+"\n", 1))
	}
	return b.String() + mark(guest.Done, 0)
}

// TestMain is the emulator when asked to: it prints what it is told and ends,
// or hangs. If it is given a file system, it prints the nonce of the plan in it
// for NONCE, and its users for UIDS.
func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv("FAKE_EMULATOR"); ok {
		if i := slices.Index(os.Args, "-initrd"); i >= 0 {
			fs, err := os.ReadFile(os.Args[i+1])
			if err != nil {
				panic(err)
			}
			plan := regexp.MustCompile(`"Nonce":"(\w+)"`).FindSubmatch(fs)
			uids := bytes.Join(regexp.MustCompile(`"UID":\d+`).FindAll(fs, -1), []byte(" "))
			text = strings.NewReplacer(nonce, string(plan[1]), "UIDS", string(uids)).Replace(text)
		}
		fmt.Print(text)
		fmt.Fprint(os.Stderr, os.Getenv("FAKE_EMULATOR_STDERR"))
		if os.Getenv("FAKE_EMULATOR_HANGS") != "" {
			time.Sleep(time.Hour)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fakeMachine returns a machine whose emulator writes text.
func fakeMachine(t *testing.T, text string) Machine {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKE_EMULATOR", text)
	return Machine{Name: "box", Runs: []string{"amd64"}, Flavour: "cloud-amd64", Debian: "amd64", QEMU: []string{exe}}
}

// serve makes a cache, as if the mirror had served these packages, each "name
// version", for Debian's architectures, and did not answer any more. Their
// kernels are there, too.
func serve(t *testing.T, packages map[string][]string) {
	t.Helper()
	cache := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(cache, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for arch, list := range packages {
		write("apt/sid-"+arch+"/packages", strings.Join(list, "\n")+"\n")
		for _, p := range list {
			write("kernels/"+strings.Fields(p)[0]+"/vmlinuz", "")
		}
	}
	noMirror(t, cache)
}
