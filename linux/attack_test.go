//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// The kernel asks the credentials of a child in flight who may look into its
// memory, which is that of its parent. An attacker is a process that may not look
// into the parent: it looks for the parent's children, opens the memory of each,
// and writes to where the parent has its canary. It must not change. That the
// attack is one is shown by the same child where the protection is taken out.
func TestAttackByMemoryOfChild(t *testing.T) {
	nobody := func(*linux.Child) {}
	user := func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000} }
	capable := func(c *linux.Child) {
		user(c)
		c.AmbientCaps = []uintptr{unix.CAP_SETUID, unix.CAP_SETGID}
	}
	if os.Geteuid() != 0 {
		user = nobody
	}
	// What takes the protection out: a raw child, or prctl(2) in the parent
	// while the child is in flight.
	const prctl = ""
	for _, side := range []struct {
		name             string
		root             bool
		setUp            func(*testing.T)
		victim, attacker func(*linux.Child)
		drop             bool
		kinds            map[string]string // and what to attack instead to see that it is possible
	}{
		{"root by root without capabilities", true, nil, nobody, nobody, true, map[string]string{
			"NewUser": prctl, "NewUser without IDs": "raw NewUser", "NewUser mapped by parent": prctl, "NewUser and Created": prctl,
			"NewUser inheriting files": prctl, "Unshare NewUser": "raw Unshare NewUser", "NewUser and AmbientCaps": prctl,
			"Capabilities": prctl, "Capabilities and NoNewPrivs": prctl,
		}},
		{"root by the user its child becomes", true, nil, nobody, user, false, map[string]string{
			"Credential": prctl, "Credential and Securebits": prctl,
		}},
		{"user with capabilities by one without", true, nil, capable, user, false, map[string]string{
			"NewUser": "raw NewUser", "NewUser mapped by parent": "raw NewUser", "NewUser and Created": "raw NewUser",
			"NewUser inheriting files": "raw NewUser", "Unshare NewUser": "raw Unshare NewUser", "NewUser and AmbientCaps": "raw NewUser",
			"Capabilities and NoNewPrivs": prctl,
		}},
		{"user by the same user under Yama", false, restrictPtrace, user, user, false, map[string]string{
			"NewUser": "raw NewUser", "NewUser and Created": "raw NewUser", "NewUser inheriting files": "raw NewUser",
			"Unshare NewUser": "raw Unshare NewUser", "NewUser and AmbientCaps": "raw NewUser",
		}},
	} {
		t.Run(side.name, func(t *testing.T) {
			if side.root {
				needRoot(t)
			}
			if side.setUp != nil {
				side.setUp(t)
			}
			once := func(t *testing.T, kind string, expose bool) (answer string, changed bool, left string) {
				victim := talk(t, side.victim, "pilot", kind, leased(t))
				address := victim.hear()
				attacker := talk(t, side.attacker, "attacker", itoa(victim.Pid()), address, strconv.FormatBool(side.drop))
				attacker.hear()
				if answer := attacker.tell("parent"); strings.HasPrefix(answer, "in") {
					t.Fatal("the parent can be attacked without a child: ", answer)
				}
				victim.tell("go")
				onlyChildOf(t, victim.Pid())
				if expose {
					breaking() // by then the child has changed its credentials, which protects
					victim.tell("expose")
				}
				answer = attacker.tell("children")
				left = victim.tell("land")
				return answer, victim.tell("canary") != "true", left
			}
			attack := func(t *testing.T, kind string, expose bool) (answer string, changed bool) {
				raw := !expose && strings.HasPrefix(kind, "raw")
				for try := 1; ; try++ {
					answer, changed, left := once(t, kind, expose)
					switch {
					case changed, raw && try == 5,
						strings.Contains(left, "leased: the child was killed") && strings.Contains(left, "context canceled"):
						return answer, changed
					case raw:
					case try == 5 || !strings.Contains(left, "the child was killed"):
						t.Fatalf("Clone3: got error %s, want that its context has ended in exec", left)
					}
					// On a slow machine it had not come so far.
				}
			}
			controlled := map[string]bool{}
			for kind, control := range side.kinds {
				t.Run(kind, func(t *testing.T) {
					answer, changed := attack(t, kind, false)
					t.Log("protected: ", answer)
					if changed {
						t.Error("the attacker has written to the memory of the parent")
					}
				})
				if control == prctl {
					control = kind
				}
				if controlled[control] {
					continue
				}
				controlled[control] = true
				t.Run("control/"+control, func(t *testing.T) {
					answer, changed := attack(t, control, control == kind)
					if !changed {
						t.Errorf("the attack does not work where nothing protects from it: %s", answer)
					}
				})
			}
		})
	}
}

// restrictPtrace makes Yama keep processes from looking into others of their
// user.
func restrictPtrace(t *testing.T) {
	const file = "/proc/sys/kernel/yama/ptrace_scope"
	was, err := os.ReadFile(file)
	if err != nil {
		t.Skip("the kernel has no Yama: ", err)
	}
	if strings.TrimSpace(string(was)) == "1" {
		return
	}
	needMachine(t)
	if err := os.WriteFile(file, []byte("1"), 0); err != nil {
		t.Skip("ptrace_scope cannot be set: ", err)
	}
	t.Cleanup(func() { os.WriteFile(file, was, 0) })
}

// attacker tries to change the memory of its victim at an address: directly, or
// by that of the victim's children for as long as they take to come to their
// program.
var _ = helper("attacker", func(args []string) int {
	victim, _ := strconv.Atoi(args[0])
	address, _ := strconv.ParseInt(args[1], 0, 64)
	if args[2] == "true" {
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&hdr, &none[0]); err != nil {
			return fail("capset: %v\n", err)
		}
	}
	attack := func(pid int) (in bool, err error) {
		f, err := os.OpenFile("/proc/"+itoa(pid)+"/mem", os.O_RDWR, 0)
		if err != nil {
			return false, err
		}
		defer f.Close()
		_, err = f.WriteAt([]byte("changed"), address)
		return err == nil, err
	}
	fmt.Println("ready")
	return listen(func(line string) string {
		if line == "parent" {
			in, err := attack(victim)
			if in {
				return "in"
			}
			return fmt.Sprint("out: ", err)
		}
		tries, in := 0, false
		var last error
		for deadline := time.Now().Add(60 * time.Millisecond); !in && time.Now().Before(deadline); {
			for _, pid := range childrenOf(victim) {
				tries++
				in, last = attack(pid)
				if in {
					break
				}
			}
		}
		if in {
			return fmt.Sprintf("in, try %d", tries)
		}
		return fmt.Sprintf("out, %d tries: %v", tries, last)
	})
})
