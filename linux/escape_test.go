//go:build linux

package linux_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/landlock"
	"golang.org/x/sys/unix"
)

// An attempt is one way out of a confinement. Without confinement it has to
// succeed: then it proves something that it fails with it.
type attempt struct {
	name string
	try  func(f *field) error

	// denied are the errors with which Confine lets it fail, and signals.
	denied []string

	// allowed says why it may succeed, where it may.
	allowed string

	// control says what it needs to succeed without confinement, where that is not
	// there always.
	control string

	// lasting is an attempt that would change what comes after it.
	lasting bool
}

// attempts are all of them, by subject.
func attempts() []attempt {
	return slices.Concat(fileAttempts, metadataAttempts, procAttempts, processAttempts, socketAttempts, kernelAttempts, privilegeAttempts)
}

// A field is where attempts are made: by a program that has In, on what is outside.
type field struct {
	In, Out string
	Shared  string // outside too, and may be read
	Victim  victim
	UID     int

	LeakedDir, LeakedFile int // descriptors of this program that nobody gave to the child
}

// What the child is given.
const (
	givenTTY = 3 // its terminal
	givenTCP = 4 // a socket that is not connected
)

// A victim is a process of the same user that is not confined.
type victim struct {
	PID      int
	TCP, UDP int    // ports it listens on
	Stream   string // abstract unix socket
	Datagram string // and for datagrams
	Secret   uint64 // the address of eight bytes
	FD       int    // of a pipe
	Shm      int    // of System V
	Queue    int
	Sem      int
	MQ       string // its message queue of POSIX
}

// setUp makes the outside, and the inside, anew.
func (f *field) setUp(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	f.In, f.Out, f.Shared = filepath.Join(dir, "in"), filepath.Join(dir, "out"), filepath.Join(dir, "shared")
	var errs []error
	for _, d := range []string{f.In, f.In + "/sub", f.Out, f.Out + "/sub", f.Out + "/empty", f.Out + "/olddir", f.Shared} {
		errs = append(errs, os.MkdirAll(d, 0o755))
	}
	for _, name := range []string{"secret", "write", "truncate", "shorten", "remove", "rename", "steal", "link", "swap", "mode", "program", "mapped", "leaked"} {
		errs = append(errs, os.WriteFile(filepath.Join(f.Out, name), []byte("not yours"), 0o755))
	}
	for _, name := range []string{"write", "truncate", "shorten", "mode3", "program", "link"} {
		errs = append(errs, os.WriteFile(filepath.Join(f.Shared, name), []byte("not yours"), 0o755))
	}
	for _, name := range []string{"file", "file2", "file3", "swap", "mode"} {
		errs = append(errs, os.WriteFile(filepath.Join(f.In, name), []byte("yours"), 0o755))
	}
	errs = append(errs, os.Symlink(f.Out+"/secret", f.In+"/link"))
	for name, kind := range map[string]int{"stream": unix.SOCK_STREAM, "datagram": unix.SOCK_DGRAM} {
		fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		here, err := os.Getwd() // as the path may be longer than an address
		errs = append(errs, err, os.Chdir(f.Out), unix.Bind(fd, &unix.SockaddrUnix{Name: name}), os.Chdir(here))
		if kind == unix.SOCK_STREAM {
			errs = append(errs, unix.Listen(fd, 100))
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	var err error
	f.LeakedDir, err = unix.Open(f.Out, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err == nil {
		f.LeakedFile, err = unix.Open(f.Out+"/leaked", unix.O_RDWR, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(f.LeakedDir); unix.Close(f.LeakedFile) })
}

// victim says what it has, and lives until its standard input ends.
var secret = [8]byte{'s', 'e', 'c', 'r', 'e', 't', '0', '0'}

var _ = helper("victim", func([]string) int {
	v := victim{PID: os.Getpid(), Secret: uint64(uintptr(unsafe.Pointer(&secret))), Shm: -1, Queue: -1, Sem: -1}
	v.Stream, v.Datagram = fmt.Sprint("@clone3-stream-", v.PID), fmt.Sprint("@clone3-datagram-", v.PID)
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fail("%v", err)
	}
	v.TCP = tcp.Addr().(*net.TCPAddr).Port
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return fail("%v", err)
	}
	v.UDP = udp.LocalAddr().(*net.UDPAddr).Port
	for name, network := range map[string]string{v.Stream: "unix", v.Datagram: "unixgram"} {
		if network == "unix" {
			_, err = net.Listen(network, name)
		} else {
			_, err = net.ListenPacket(network, name)
		}
		if err != nil {
			return fail("%v", err)
		}
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fail("%v", err)
	}
	v.FD = pipe[0]
	v.Shm, _ = made("shmget", unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600)
	v.Queue, _ = made("msgget", unix.IPC_PRIVATE, unix.IPC_CREAT|0o600)
	v.Sem, _ = made("semget", unix.IPC_PRIVATE, 1, unix.IPC_CREAT|0o600)
	v.MQ = fmt.Sprint("clone3-", v.PID)
	made("mq_open", text(v.MQ), unix.O_CREAT|unix.O_RDWR, 0o600, 0)
	json.NewEncoder(os.Stdout).Encode(v)
	os.Stdin.Read(make([]byte, 1))
	call("shmctl", uintptr(v.Shm), unix.IPC_RMID, 0)
	call("msgctl", uintptr(v.Queue), unix.IPC_RMID, 0)
	call("semctl", uintptr(v.Sem), 0, unix.IPC_RMID, 0)
	call("mq_unlink", text(v.MQ))
	runtime.KeepAlive(secret)
	return 0
})

// made makes a system call by its name, which not every architecture has.
func made(name string, args ...uintptr) (int, error) {
	nr, ok := callNumber(name)
	if !ok {
		return -1, unix.ENOSYS
	}
	var six [6]uintptr
	copy(six[:], args)
	r, _, errno := unix.Syscall6(nr, six[0], six[1], six[2], six[3], six[4], six[5])
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

func call(name string, args ...uintptr) error {
	_, err := made(name, args...)
	return err
}

// opened makes a call that returns a descriptor, and closes it.
func opened(name string, args ...uintptr) error {
	fd, err := made(name, args...)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// memory is what calls read and write. It stays where it is.
var memory [64]any

var memoryUsed int

func kept[T any](v T) uintptr {
	p := new(T)
	*p = v
	memory[memoryUsed%len(memory)] = p
	memoryUsed++
	return uintptr(unsafe.Pointer(p))
}

// text is the address of a string of C.
func text(s string) uintptr {
	b := append([]byte(s), 0)
	memory[memoryUsed%len(memory)] = b
	memoryUsed++
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// beyond takes errors for success with which the kernel answers who may make the call,
// if what it is asked for makes no sense.
func beyond(err error, errnos ...unix.Errno) error {
	var errno unix.Errno
	if errors.As(err, &errno) && slices.Contains(errnos, errno) {
		return nil
	}
	return err
}

// verdict is what came of an attempt: "ok", the name of an error, or of a signal.
func verdict(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno):
		if name := unix.ErrnoName(errno); name != "" {
			return name
		}
		return fmt.Sprint("errno ", int(errno))
	}
	return err.Error()
}

// escape makes the attempts that it is told by name, one after another.
var _ = helper("escape", func(args []string) int {
	var f field
	if err := json.Unmarshal([]byte(args[0]), &f); err != nil {
		return fail("%v", err)
	}
	all := attempts()
	for _, name := range args[1:] {
		i := slices.IndexFunc(all, func(a attempt) bool { return a.name == name })
		fmt.Printf("%s\t%s\n", name, verdict(all[i].try(&f)))
	}
	return 0
})

// A confinement is what attempts are made in: none, Confine, and its parts.
type confinement struct {
	name  string
	apply func(c, by *linux.Child)
}

var confinements = []confinement{
	{"control", func(c, by *linux.Child) {}},
	{"Confine", func(c, by *linux.Child) {
		c.Flags, c.Capabilities, c.Landlock, c.Seccomp = by.Flags, by.Capabilities, by.Landlock, by.Seccomp
	}},
	{"Landlock", func(c, by *linux.Child) { c.Flags, c.Landlock = by.Flags, by.Landlock }},
	{"seccomp", func(c, by *linux.Child) { c.Flags, c.Seccomp = by.Flags, by.Seccomp }},
	{"capabilities", func(c, by *linux.Child) { c.Flags, c.Capabilities = by.Flags, by.Capabilities }},
}

// tryAll makes attempts in a confinement, and returns what came of each.
func tryAll(t *testing.T, how confinement, all []attempt, v victim) map[string]string {
	t.Helper()
	results := map[string]string{}
	run := func(names []string) {
		f := field{Victim: v, UID: os.Geteuid()}
		f.setUp(t)
		for len(names) > 0 {
			where, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			c := child("escape", append([]string{string(where)}, names...)...)
			by := confined(t, f.In)
			allowSelf(t, by)
			by.Landlock.Paths = append(by.Landlock.Paths, landlock.ReadOnly(f.Shared)...)
			how.apply(c, by)
			c.Files = append(c.Files, pseudoterminal(t), tcpSocket(t))
			c.Setsid, c.Setctty, c.Ctty = true, true, givenTTY
			c.InheritFiles = how.name == "control" // which leaks descriptors
			out, status := output(t, c)
			lines := bufio.NewScanner(strings.NewReader(out))
			for lines.Scan() && len(names) > 0 {
				name, result, ok := strings.Cut(lines.Text(), "\t")
				if !ok || name != names[0] {
					t.Fatalf("%s: %q, want %q", how.name, lines.Text(), names[0])
				}
				results[name], names = result, names[1:]
			}
			if len(names) == 0 {
				break
			}
			// It did not come back from the next one.
			results[names[0]] = "exit " + fmt.Sprint(status.Code())
			if s := status.Signal(); s != 0 {
				results[names[0]] = unix.SignalName(s)
			}
			names = names[1:]
		}
	}
	var batch []string
	for _, a := range all {
		if a.lasting {
			run([]string{a.name})
		} else {
			batch = append(batch, a.name)
		}
	}
	run(batch)
	return results
}

// pseudoterminal returns a terminal, and keeps it until the test ends.
func pseudoterminal(t *testing.T) *os.File {
	_, tty := terminal(t)
	return tty
}

func tcpSocket(t *testing.T) *os.File {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "socket")
	t.Cleanup(func() { f.Close() })
	return f
}

// startVictim starts one, which the end of the test ends.
func startVictim(t *testing.T) (v victim) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := child("victim")
	c.Files[1] = w
	p, release := held(t, c)
	w.Close()
	if err := json.NewDecoder(r).Decode(&v); err != nil {
		t.Fatal("the victim: ", err)
	}
	t.Cleanup(func() { unix.Kill(v.PID, unix.SIGCONT); release(); wait(t, p) })
	return v
}

// TestEscape tries to get out of Confine, and of each of its parts. What it writes
// is compared with testdata/escape.txt by make escape, kernel by kernel. Here
// only that matters that is the same for all: what Confine denies is denied.
func TestEscape(t *testing.T) {
	if testing.Short() && !guest() {
		t.Skip("makes 700 attempts")
	}
	confined(t, t.TempDir()) // or skips
	all := attempts()
	results := map[string]map[string]string{}
	began := time.Now()
	for _, how := range confinements {
		t.Run(how.name, func(t *testing.T) { results[how.name] = tryAll(t, how, all, startVictim(t)) })
	}
	if t.Failed() {
		return
	}
	count := 0
	for _, a := range all {
		row := []string{a.name}
		for _, how := range confinements {
			row = append(row, results[how.name][a.name])
		}
		count++
		fmt.Printf("ESCAPE\t%s\t%s\n", strings.Join(row, "\t"), a.allowed)
		control, got := row[1], row[2]
		switch {
		case control != "ok" && a.control == "":
			t.Errorf("%s: %s without confinement, so it proves nothing", a.name, control)
		case got == "ok" && a.allowed == "":
			t.Errorf("%s: succeeds in Confine", a.name)
		case got != "ok" && control == "ok" && !slices.Contains(a.denied, got):
			t.Errorf("%s: %s in Confine, want one of %q", a.name, got, a.denied)
		}
	}
	t.Logf("%d attempts in %d confinements, in %v", count, len(confinements), time.Since(began).Round(time.Millisecond))
}

// guest reports whether the machine is one that runs tests alone.
func guest() bool { return os.Getppid() == 1 }
