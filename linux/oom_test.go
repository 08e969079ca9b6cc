//go:build linux

package linux_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// A memoryGroup is a control group whose memory can be limited. It belongs to
// uid 1000.
type memoryGroup struct {
	dir  string
	home *os.File // where who creates children in dir has to be, or nil
	v2   bool
}

func newMemoryGroup(t *testing.T) memoryGroup {
	t.Helper()
	needRoot(t)
	top := cgroup(t)
	g := memoryGroup{filepath.Join(top, "full"), nil, true}
	dirs := []string{top, filepath.Join(top, "home"), g.dir}
	if err := os.WriteFile(filepath.Join(top, "cgroup.subtree_control"), []byte("+memory"), 0); err != nil {
		g = memoryGroup{"/sys/fs/cgroup/memory/clone3-test-" + itoa(os.Getpid()), nil, false}
		dirs = []string{g.dir}
		if _, err := os.Stat(filepath.Dir(g.dir) + "/memory.limit_in_bytes"); err != nil {
			t.Skip("there is no memory controller")
		}
	}
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		os.Chown(dir, 1000, 1000)
		os.Chown(dir+"/cgroup.procs", 1000, 1000)
	}
	t.Cleanup(func() {
		for _, dir := range slices.Backward(dirs) {
			removeGroup(dir)
		}
	})
	if g.v2 {
		home, err := os.Open(dirs[1])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { home.Close() })
		g.home = home
		os.WriteFile(g.dir+"/memory.swap.max", []byte("0"), 0)
	}
	return g
}

// limit sets how many bytes the group may use.
func (g memoryGroup) limit(t *testing.T, bytes int) {
	t.Helper()
	name := "memory.limit_in_bytes"
	if g.v2 {
		name = "memory.max"
	}
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(itoa(bytes)), 0); err != nil {
		t.Fatal(err)
	}
}

// used returns how many bytes it uses.
func (g memoryGroup) used(t *testing.T) int {
	t.Helper()
	name := "memory.usage_in_bytes"
	if g.v2 {
		name = "memory.current"
	}
	text, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A child in flight may come to need more memory than its control group has. The
// kernel then kills somebody, who must not be the program that creates it, and
// would be if it did not know that the child has borrowed the program's memory.
func TestNoMemoryForChild(t *testing.T) {
	spawns := 20
	if testing.Short() {
		spawns = 5
	}
	for name, setUp := range map[string]func(*testing.T, memoryGroup){
		"too little for the arguments": func(t *testing.T, g memoryGroup) { g.limit(t, 300_000) },
		"used up by another process": func(t *testing.T, g memoryGroup) {
			hog := talk(t, g.enter, "hog", itoa(16<<20))
			hog.hear()
			g.limit(t, g.used(t)+512<<10)
		},
	} {
		for user, change := range map[string]func(*linux.Child){
			"root": func(*linux.Child) {},
			"user": func(c *linux.Child) { c.Credential = &syscall.Credential{Uid: 1000, Gid: 1000} },
		} {
			spawn := func(t *testing.T, how string) (string, linux.ExitStatus) {
				g := newMemoryGroup(t)
				setUp(t, g)
				file := g.dir
				if !g.v2 {
					file += "/cgroup.procs"
				}
				group, err := os.OpenFile(file, map[bool]int{true: os.O_RDONLY, false: os.O_WRONLY}[g.v2], 0)
				if err != nil {
					t.Fatal(err)
				}
				defer group.Close()
				c := child("spawner", how, itoa(spawns), strconv.FormatBool(g.v2))
				c.Files = append(c.Files, group)
				c.Cgroup = g.home
				change(c)
				return output(t, c)
			}
			t.Run(name+"/"+user, func(t *testing.T) {
				out, status := spawn(t, "Clone3")
				t.Log(strings.TrimSpace(out))
				if want := itoa(spawns) + " of " + itoa(spawns) + " have returned"; !strings.HasPrefix(out, want) || !status.Success() {
					t.Errorf("got %v, %q, want %s", status, out, want)
				}
			})
			t.Run("control/"+name+"/"+user, func(t *testing.T) {
				if out, status := spawn(t, "raw"); status.Signal() != syscall.SIGKILL {
					t.Errorf("who creates children that the kernel does not know to have borrowed memory ends with %v, %q, want signal: killed", status, out)
				}
			})
		}
	}
}

// enter makes a child one of the group.
func (g memoryGroup) enter(c *linux.Child) {
	if !g.v2 {
		c.Created = func(p *linux.Process) error {
			return os.WriteFile(g.dir+"/cgroup.procs", []byte(itoa(p.Pid())), 0)
		}
		return
	}
	dir, err := os.Open(g.dir) // which the garbage collector closes
	if err != nil {
		panic(err)
	}
	c.Cgroup = dir
}

// hog uses as much memory as it is told, until its standard input ends.
var _ = helper("hog", func(args []string) int {
	n, _ := strconv.Atoi(args[0])
	use(n)
	fmt.Println("ready")
	return listen(func(string) string { return "" })
})

// use makes this process have n more bytes of memory.
func use(n int) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(err)
	}
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
}

// spawner creates children in a control group, with 1.4 MB of arguments. It has
// much memory itself: a child taken for its owner is whom the kernel kills.
var _ = helper("spawner", func(args []string) int {
	n, _ := strconv.Atoi(args[1])
	v2 := args[2] == "true"
	group := os.NewFile(3, "group")
	syscall.CloseOnExec(3)
	use(64 << 20)
	argv := []string{"x", "0"}
	for range 140 {
		argv = append(argv, strings.Repeat("x", 10_000))
	}
	started := 0
	var last error
	for range n {
		if args[0] == "raw" {
			env := helperEnv("exit")
			flags, cgroup, before := uint64(uapi.CLONE_VM), 3, []rawCall(nil)
			if !v2 {
				cgroup, before = -1, []rawCall{{uapi.SYS_WRITE, 3, uintptr(unsafe.Pointer(&zero)), 1}}
			}
			if _, err := newRaw(flags, cgroup, "/proc/self/exe", argv, env, before...).run(); err != nil {
				return fail("%v", err)
			}
			continue
		}
		c := child("exit")
		c.Args = argv
		if v2 {
			c.Cgroup = group
		} else {
			c.Created = func(p *linux.Process) error {
				_, err := group.WriteString(itoa(p.Pid()))
				return err
			}
		}
		p, err := linux.Clone3(background, c)
		if last = err; err == nil {
			started++
			_, last = p.Wait(background)
		}
	}
	fmt.Printf("%d of %d have returned, %d with a process; the last error is %v\n", n, n, started, last)
	return 0
})

// zero, written to cgroup.procs, is who writes it.
var zero = byte('0')

// What is written to the oom_score_adj of a child in flight is the child's.
func TestOOMScoreOfChild(t *testing.T) {
	score := func(pid int) string {
		text, err := os.ReadFile("/proc/" + itoa(pid) + "/oom_score_adj")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	for kind, spreads := range map[string]bool{"plain": false, "NewUser": false, "raw without VFORK": true} {
		t.Run(kind, func(t *testing.T) {
			parent := talk(t, nil, "pilot", kind, leased(t))
			parent.hear()
			before := score(parent.Pid())
			parent.tell("go")
			pid := onlyChildOf(t, parent.Pid())
			time.Sleep(10 * time.Millisecond) // a raw one is not even waited for to be at exec
			if err := os.WriteFile("/proc/"+itoa(pid)+"/oom_score_adj", []byte("777"), 0); err != nil {
				if os.IsPermission(err) {
					t.Skip("the score of such a child is root's to set: ", err)
				}
				t.Fatal(err)
			}
			if got := score(pid); got != "777" {
				t.Errorf("the score of the child is %s, want 777", got)
			}
			meanwhile := score(parent.Pid())
			parent.tell("land")
			want := before
			if spreads {
				want = "777"
			}
			if after := score(parent.Pid()); meanwhile != want || after != want {
				t.Errorf("the score of the parent is %s and then %s, was %s, want %s", meanwhile, after, before, want)
			}
		})
	}
}
