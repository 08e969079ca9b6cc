//go:build linux

package landlock_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/scripts/kerneltest"
	"golang.org/x/sys/unix"
)

// warm makes package net take what it keeps for good.
func warm() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
}

// populate makes what attempts need in a directory, and listens for them.
func populate(t *testing.T, dir string) (at place) {
	t.Helper()
	for _, d := range []string{"empty", "olddir", "a", "b"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"file", "victim", "old", "a/file", "program"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("text"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	listen := func(network, address string) net.Addr {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l.Addr()
	}
	at = place{Dir: dir, PID: os.Getpid(), Abstract: "@clone3-" + strings.ReplaceAll(dir, "/", "-")}
	if len(at.Abstract) > 100 {
		at.Abstract = at.Abstract[:1] + at.Abstract[len(at.Abstract)-99:]
	}
	listen("unix", at.Abstract)
	listen("unix", dir+"/socket")
	at.TCP = listen("tcp", "127.0.0.1:0").(*net.TCPAddr).Port
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	at.UDP = udp.LocalAddr().(*net.UDPAddr).Port
	at.Bind = freePort(t)
	return at
}

// freePort returns a port that is free for TCP and for UDP, and stays so: it is none
// of those that the kernel gives to who asks for any.
func freePort(t *testing.T) int {
	for range 100 {
		port := 10000 + rand.IntN(20000)
		address := "127.0.0.1:" + strconv.Itoa(port)
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		l.Close()
		if c, err := net.ListenPacket("udp", address); err == nil {
			c.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// try runs a helper with fresh places, and returns what came of its attempts.
func try(t *testing.T, rules func(in, out place) *landlock.Rules, abi int) []outcome {
	t.Helper()
	dir, err := os.MkdirTemp("", "l") // short, for names of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	j := job{ABI: abi, At: [2]place{populate(t, dir+"/in"), populate(t, dir+"/out")}}
	j.At[0].Device, j.At[1].Device = "/dev/null", "/dev/zero"
	j.Rules = rules(j.At[0], j.At[1])
	mode, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperVar+"="+string(mode), "GORACE=atexit_sleep_ms=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var all []outcome
	if err := json.Unmarshal(out, &all); err != nil || len(all) != len(attempts) {
		t.Fatalf("%v: %d attempts: %s", err, len(all), out)
	}
	return all
}

// controls makes all attempts without rules, and reports which this user can make
// at all, which are all but to make devices.
func controls(t *testing.T, abi int) []bool {
	t.Helper()
	may := make([]bool, len(attempts))
	for i, o := range try(t, func(place, place) *landlock.Rules { return nil }, abi) {
		may[i] = o.Errno == [2]unix.Errno{}
		if !may[i] && !(o.Errno[0] == unix.EPERM && attempts[i].needs&landlock.CreateDevice != 0) {
			t.Errorf("%s without rules: got %v, want that it works", o.Attempt, o.Errno)
		}
	}
	return may
}

// Whatever the rules restrict is denied where nothing is allowed, and works where
// it is; and all of it works without rules, and what came with a later ABI
// than that of the rules.
func TestDeniedAndAllowed(t *testing.T) {
	abi := running(t)
	may := controls(t, abi)
	for upTo := 1; upTo <= min(abi, landlock.MaxABI); upTo++ {
		t.Run("ABI "+strconv.Itoa(upTo), func(t *testing.T) {
			all := try(t, func(in, out place) *landlock.Rules {
				all := landlock.AllAccess
				if abi < 2 {
					all &^= landlock.Refer
				}
				r := &landlock.Rules{ABI: upTo, Paths: []landlock.Path{
					{Path: in.Dir, Access: all},
					{Path: in.Device, Access: landlock.AllAccess &^ landlock.Refer}, // of which a file gets its part
					{Path: out.Device, Access: landlock.ReadFile | landlock.WriteFile},
					{Path: in.Dir + "/missing", Access: landlock.Read, Optional: true},
				}}
				if upTo >= 4 {
					r.Ports = append(landlock.Ports(landlock.BindTCP, in.Bind), landlock.Ports(landlock.ConnectTCP, in.TCP)...)
				}
				if upTo >= 7 {
					r.Log = landlock.NoLogBefore
				}
				if upTo >= 10 {
					r.Ports = append(r.Ports, landlock.Port{Port: in.Bind, Access: landlock.BindUDP}, landlock.Port{Port: in.UDP, Access: landlock.ConnectUDP, Quiet: true}, landlock.Port{Port: 0, Access: landlock.BindUDP})
				}
				return r
			}, abi)
			for i, o := range all {
				a := attempts[i]
				if !may[i] || a.name == fastOpened && kerneltest.Before("7.3") { // a hole of kernels before
					continue
				}
				if o.Errno[0] != 0 && !(a.name == "move" && abi < 2) {
					t.Errorf("%s where it is allowed: got %v", a.name, o.Errno[0])
				}
				got := o.Errno[1]
				if a.abi > upTo {
					if got != 0 {
						t.Errorf("%s, which came with ABI %d: got %v, want that it works", a.name, a.abi, got)
					}
				} else if got == 0 || !slices.Contains(a.denied, got) {
					t.Errorf("%s where nothing is allowed: got %v, want one of %v", a.name, got, a.denied)
				}
			}
		})
	}
}

// Each right alone denies what needs it, and nothing else.
func TestEachRightAlone(t *testing.T) {
	abi := running(t)
	if abi < 2 {
		t.Skip("nothing can be moved before Linux 5.19, which has ABI 2")
	}
	may := controls(t, abi)
	for right := landlock.Access(1); right <= landlock.AllAccess; right <<= 1 {
		t.Run(right.String(), func(t *testing.T) {
			since := slices.IndexFunc(kernels, func(k kernel) bool { return k.fs&uint64(right) != 0 })
			if since > abi {
				t.Skipf("%v: since Linux %s, which has Landlock ABI %d; here it is %d", right, kernels[since].release, since, abi)
			}
			all := try(t, func(in, out place) *landlock.Rules {
				return &landlock.Rules{ABI: min(abi, landlock.MaxABI), FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes, Paths: append(
					landlock.Paths(landlock.AllAccess, in.Dir, in.Device),
					landlock.Paths(landlock.AllAccess&^right, out.Dir, out.Device)...)}
			}, abi)
			judged := 0
			for i, o := range all {
				a, got := attempts[i], o.Errno[1]
				switch denied := a.needs&right != 0; {
				case !may[i]:
					continue
				case denied && !slices.Contains(a.denied, got), !denied && got != 0, o.Errno[0] != 0:
					t.Errorf("%s: got %v where it is not allowed, %v where it is", a.name, got, o.Errno[0])
				case denied:
					judged++
				}
			}
			switch {
			case judged == 0 && right&landlock.CreateDevice != 0:
				t.Skip("this user cannot make devices")
			case judged == 0:
				t.Error("no attempt needs the right")
			}
		})
	}
}

// The kernel takes whatever rules come to, and is no rubber stamp.
func TestKernelTakesWhatRulesComeTo(t *testing.T) {
	abi := running(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for seed := range uint64(2000) {
		rules := random(seed)
		for i := range rules.Paths {
			rules.Paths[i].Path = [...]string{"/", "/proc", t.TempDir(), "/dev"}[i]
		}
		resolved, err := rules.Resolve(abi)
		if err != nil || resolved.Empty() {
			continue
		}
		fd, err := ruleset(&resolved)
		if err != nil {
			t.Errorf("seed %d: %+v: %v", seed, rules, err)
			continue
		}
		unix.Close(fd)
		taken++
	}
	if taken < 10 { // the older the kernel, the fewer it can enforce
		t.Errorf("only %d rulesets", taken)
	}
	// What it refuses, and Resolve so tells apart.
	rules := landlock.Rules{Paths: landlock.Paths(landlock.Read, file), BestEffort: true}
	resolved, err := rules.Resolve(abi)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := ruleset(&resolved)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := addPath(fd, int(f.Fd()), resolved.Paths[0].Allowed, 0); err != unix.EINVAL {
		t.Errorf("the rights of a directory for a file: got %v, want EINVAL", err)
	}
	resolved.Attr.HandledAccessFs |= 1 << 40
	if _, err := ruleset(&resolved); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a right that there is not: got %v, want EINVAL", err)
	}
}
