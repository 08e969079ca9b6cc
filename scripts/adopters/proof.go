//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
)

// A kind of proof runs a program that uses the module, as it is and as it is
// with the patch, and counts.
type kind struct {
	processes int // that the program starts
	count     func(p *prover) (int, error)
	better    func(before, after int) bool
	what      string // is counted
}

// kinds of proof. Each has its control: before, it has to be bad.
var kinds = map[string]kind{
	"crash":   {3, (*prover).crash, none, "processes left when it is killed"},
	"cancel":  {3, (*prover).cancel, none, "processes left when it cancels"},
	"threads": {waiters, (*prover).threads, func(before, after int) bool { return before >= waiters && after < waiters/2 }, "threads that wait for 50 processes"},
}

// waiters are the processes that a program of the kind threads starts.
const waiters = 50

func none(before, after int) bool { return before > 0 && after == 0 }

func kindNames() []string { return slices.Sorted(maps.Keys(kinds)) }

const (
	proofDir = "clone3proof"
	// patience is for processes to come, and for those to go that do.
	patience = 20 * time.Second
	lasting  = 6 * time.Second
)

// build builds the program in a copy of the module.
func build(dir string) (bin string, err error) {
	bin = filepath.Join(dir, proofDir, "proof")
	_, err = gotest.Output(dir, "build", "-mod=mod", "-o", bin, "./"+proofDir)
	return bin, err
}

// A prover is a program that runs, and the processes below it.
type prover struct {
	cmd    *exec.Cmd
	begin  func() error // of what it does on a line of input
	number string       // which its processes have in their command lines
	ended  chan struct{}
	output bytes.Buffer
}

// prove runs the program, and counts. No process of it stays.
func prove(bin, name string) (n int, err error) {
	k := kinds[name]
	p := &prover{
		cmd: exec.Command(bin),
		// It sleeps for a day; nobody else sleeps for exactly as long.
		number: fmt.Sprintf("86400.%d%09d", os.Getpid(), time.Now().Nanosecond()),
		ended:  make(chan struct{}),
	}
	// A process, its child, and one that has left its session.
	script := "sleep " + p.number + " & setsid sleep " + p.number + " & wait"
	if k.processes == waiters {
		script = "exec sleep " + p.number
	}
	home, err := os.MkdirTemp("", "proof")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	p.cmd.Dir = filepath.Join(home, "work")
	if err := os.Mkdir(p.cmd.Dir, 0o777); err != nil {
		return 0, err
	}
	p.cmd.Env = append(os.Environ(), "PROOF_SCRIPT="+script, "HOME="+home)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.WaitDelay = time.Second
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	p.begin = func() error { _, err := in.Write([]byte("\n")); return err }
	if err := p.cmd.Start(); err != nil {
		return 0, err
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	defer func() {
		p.cmd.Process.Kill()
		<-p.ended
		for _, pid := range p.processes() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}()
	for start := time.Now(); len(p.processes()) < k.processes; time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > patience {
			p.cmd.Process.Kill()
			<-p.ended
			return 0, fmt.Errorf("the proof has started %d processes, want %d\n%s", len(p.processes()), k.processes, p.end())
		}
	}
	return k.count(p)
}

// processes are those that the program has started, directly or not, and that
// are more than a zombie.
func (p *prover) processes() (pids []int) {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		line, err := os.ReadFile(name) // it is empty for a zombie
		pid, _ := strconv.Atoi(strings.Split(name, "/")[2])
		if err == nil && pid != p.cmd.Process.Pid && bytes.Contains(line, []byte(p.number)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// end is the end of what the program has printed, when that has ended.
func (p *prover) end() string {
	b := p.output.Bytes()
	return string(b[max(0, len(b)-500):])
}

// left waits for all processes to end, and returns how many do not.
func (p *prover) left() (n int) {
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if n = len(p.processes()); n == 0 || time.Since(start) > lasting {
			return n
		}
	}
}

func (p *prover) crash() (int, error) {
	if err := p.cmd.Process.Kill(); err != nil {
		return 0, err
	}
	<-p.ended
	return p.left(), nil
}

func (p *prover) cancel() (int, error) {
	if err := p.begin(); err != nil {
		return 0, err
	}
	n := p.left()
	select {
	case <-p.ended: // and it must not end, which may take others along
		return 0, errors.New("the proof has ended before it was told to\n" + p.end())
	default:
		return n, nil
	}
}

func (p *prover) threads() (int, error) {
	time.Sleep(200 * time.Millisecond) // until the last of them waits
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	return len(tasks), err
}
