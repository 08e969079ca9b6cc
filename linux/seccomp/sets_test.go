package seccomp

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Every set has names that are system calls, sorted and once, is known to Compile
// by its own name, and is described.
func TestSets(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if os.IsNotExist(err) {
		t.Skip(errNoSource)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, want := range strings.Fields("@filesystem @network @process @mount @keyring @debug @clock @module @raw-io @reboot @swap @default") {
		if !slices.Contains(Sets(), want) {
			t.Errorf("there is no set %s", want)
		}
	}
	for _, name := range Sets() {
		calls := Set(name)
		if len(calls) == 0 || !slices.IsSorted(calls) || len(slices.Compact(Set(name))) != len(calls) {
			t.Errorf("%s is empty, not sorted or has a call twice: %v", name, calls)
		}
		for _, call := range calls {
			if !known(call) {
				t.Errorf("%s: %s is no system call", name, call)
			}
		}
		if !strings.Contains(string(doc), "\n//   - "+name+": ") {
			t.Errorf("%s is not described", name)
		}
	}
	if got := Set("@nosuch"); got != nil {
		t.Errorf("@nosuch is %v", got)
	}
}

// What is changed of a set that was asked for changes no set.
func TestSetIsACopy(t *testing.T) {
	Set("@mount")[0] = "read"
	if got := Set("@mount")[0]; got != "chroot" {
		t.Errorf("got %s, want chroot", got)
	}
	knownNames()[0] = "read"
	if got := knownNames()[0]; got != "_llseek" {
		t.Errorf("got %s, want _llseek", got)
	}
}

// Every system call is either in @default or in what it leaves out.
func TestDefaultSetIsTheComplement(t *testing.T) {
	var left []string
	for _, s := range denied {
		for _, call := range Set(s.name) {
			if slices.Contains(left, call) {
				t.Errorf("%s is left out twice", call)
			}
			left = append(left, call)
		}
	}
	for _, name := range knownNames() {
		if slices.Contains(Set("@default"), name) == slices.Contains(left, name) {
			t.Errorf("%s: in @default %v, left out %v", name, slices.Contains(Set("@default"), name), slices.Contains(left, name))
		}
	}
	// What every program needs, and what no container should.
	for _, call := range strings.Fields("execve execveat exit exit_group read mmap openat futex clone clone3 rt_sigreturn restart_syscall seccomp prctl rseq set_tls get_tls riscv_flush_icache") {
		if !slices.Contains(Set("@default"), call) {
			t.Errorf("%s is not in @default", call)
		}
	}
}

// Default treats new user namespaces, commands that type into terminals, and
// personalities as it says, on every architecture that is the running one's like.
func TestDefaultDecides(t *testing.T) {
	p, err := Default().Compile()
	if err != nil {
		t.Skip(err) // not on this system
	}
	flags := func(bits uint64) [6]uint64 { return [6]uint64{bits, bits} }
	for name, test := range map[string]struct {
		call string
		args [6]uint64
		want Action
	}{
		"execve":                  {"execve", [6]uint64{}, Allow},
		"exit_group":              {"exit_group", [6]uint64{}, Allow},
		"clone of a thread":       {"clone", flags(0x3d0f00), Allow},
		"clone of a user space":   {"clone", flags(0x10000011), Errno(eperm)},
		"clone with garbage":      {"clone", flags(0xdead_beef_1000_0011), Errno(eperm)},
		"clone3":                  {"clone3", [6]uint64{1, 88}, Errno(enosys)},
		"unshare user":            {"unshare", flags(0x10000000), Errno(eperm)},
		"unshare files":           {"unshare", flags(0x400), Errno(eperm)},
		"setns of any":            {"setns", [6]uint64{3, 0}, Errno(eperm)},
		"mount":                   {"mount", [6]uint64{}, Errno(eperm)},
		"bpf":                     {"bpf", [6]uint64{}, Errno(eperm)},
		"io_uring_setup":          {"io_uring_setup", [6]uint64{}, Errno(eperm)},
		"TIOCSTI":                 {"ioctl", [6]uint64{0, terminal()[0]}, Errno(eperm)},
		"TIOCSTI with garbage":    {"ioctl", [6]uint64{0, terminal()[0] | 1<<32}, Errno(eperm)},
		"TCGETS":                  {"ioctl", [6]uint64{0, 0x5401}, Allow},
		"personality, as it is":   {"personality", [6]uint64{0xffffffff}, Allow},
		"personality, no random":  {"personality", [6]uint64{0x0040000}, Errno(eperm)},
		"personality, executable": {"personality", [6]uint64{0x0400000}, Errno(eperm)},
	} {
		nr, ok := p.machine.numbers[test.call]
		if !ok {
			t.Errorf("%s: there is no %s", name, test.call)
		} else if got := p.Decide(uintptr(nr), test.args); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	if got := p.Decide(3999, [6]uint64{}); got != Errno(enosys) {
		t.Errorf("a call that is newer: got %v, want %v", got, Errno(enosys))
	}
}

// NoUserNamespaces leaves other namespaces to other rules.
func TestNoUserNamespaces(t *testing.T) {
	p, err := (&Filter{Default: Allow, Rules: NoUserNamespaces()}).Compile()
	if err != nil {
		t.Skip(err)
	}
	for name, test := range map[string]struct {
		call string
		args [6]uint64
		want Action
	}{
		"unshare files":    {"unshare", [6]uint64{0x400}, Allow},
		"unshare user":     {"unshare", [6]uint64{0x10000400}, Errno(eperm)},
		"setns of network": {"setns", [6]uint64{3, 0x40000000}, Allow},
		"setns of user":    {"setns", [6]uint64{3, 0x10000000}, Errno(eperm)},
		"setns of any":     {"setns", [6]uint64{3, 1 << 32}, Errno(eperm)},
	} {
		if got := p.Decide(uintptr(p.machine.numbers[test.call]), test.args); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
