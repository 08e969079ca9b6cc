package exec

import (
	"context"
	"errors"
	"io"
	"os"
	std "os/exec"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// A Cmd is a command to run, or that was run. It cannot be started twice. Up to
// WaitDelay, all fields are those of os/exec and mean the same.
type Cmd struct {
	// Path is the program. If relative it is relative to Dir.
	Path string

	// Args are the arguments, beginning with the name of the program. If
	// there are none, that is Path.
	Args []string

	// Env is the environment, in the form "key=value". If nil it is the
	// environment of this program, with PWD set if Dir is. Of several values
	// for a key the last is used.
	Env []string

	// Dir is the directory in which to run the command. If empty it is that
	// of this program.
	Dir string

	// Stdin is what the command reads. If nil, nothing: /dev/null. An
	// *os.File is given to the command as it is; everything else is copied
	// to it through a pipe. Wait waits until all is copied, or cannot be; see
	// there about a Reader that does not answer.
	Stdin io.Reader

	// Stdout and Stderr are where the command writes to. If nil, the output
	// is dropped: /dev/null. An *os.File is given to the command as it is;
	// everything else gets a copy through a pipe, and Wait waits until the
	// last process has closed that. If both are equal, one goroutine writes.
	Stdout io.Writer
	Stderr io.Writer

	// ExtraFiles[i] becomes descriptor 3+i of the command.
	ExtraFiles []*os.File

	// SysProcAttr are attributes of the process. It is an error if one is
	// also set in Child, to another value.
	SysProcAttr *syscall.SysProcAttr

	// Process is the process, once started.
	Process *os.Process

	// ProcessState is how the process has ended, once Wait has returned.
	ProcessState *os.ProcessState

	// Err is what is wrong with the command already, such as that its program
	// is nowhere in $PATH. Start returns it.
	Err error

	// Cancel is called when the context of CommandContext ends while the
	// command runs. CommandContext sets it to kill the process. Wait returns
	// the context's error if Cancel returns nil and the command is otherwise
	// successful, and the error of Cancel unless that is os.ErrProcessDone.
	Cancel func() error

	// WaitDelay bounds how long two things may take that may never come: the
	// end of the process when its context has ended, be it that Wait was called
	// or not, and the end of its output when Wait has seen the process end.
	// When it is over the process is killed and the pipes are closed, by which
	// copying ends. If 0 there is no bound.
	WaitDelay time.Duration

	// CloseFiles gives the command no descriptors but those of Stdin, Stdout,
	// Stderr and ExtraFiles. Without it, it also has those of this program
	// that lack the close-on-exec flag, as with os/exec, and to start it takes
	// the longer the more descriptors are open.
	CloseFiles bool

	// Child is what os/exec has not. Its Path, Args, Env, Dir, Files and
	// InheritFiles are not used and have to be left out, as the Cmd has its own.
	// If Exec is set it is executed, and Path is a mere name.
	linux.Child

	engine // what starts it, which is another on other systems than Linux
	ctx    context.Context

	// made is what methods of the Cmd have made Stdin, Stdout and Stderr of.
	made struct {
		stdin          io.Reader
		stdout, stderr io.Writer
	}
}

// Command returns a command that runs a program with arguments. If name has no
// slash it is looked up in $PATH.
func Command(name string, arg ...string) *Cmd {
	c := std.Command(name, arg...) // which knows what to do about ErrDot
	cmd := &Cmd{Path: c.Path, Args: c.Args, Err: c.Err}
	cmd.watchLeak()
	return cmd
}

// CommandContext is like Command, and when ctx ends while the command runs, it
// is killed, or what else Cancel and WaitDelay say.
func CommandContext(ctx context.Context, name string, arg ...string) *Cmd {
	if ctx == nil {
		panic("nil Context")
	}
	c := Command(name, arg...)
	c.ctx = ctx
	c.Cancel = c.kill
	return c
}

// kill is what Cancel is at first.
func (c *Cmd) kill() error {
	if c.KillTree {
		return c.Handle().Kill()
	}
	return c.Process.Kill()
}

// String returns the command in a form for people to read, not for a shell.
func (c *Cmd) String() string {
	return (&std.Cmd{Path: c.Path, Args: c.Args, Err: c.Err}).String()
}

// Environ returns the environment that the command is started with.
func (c *Cmd) Environ() []string {
	return (&std.Cmd{Env: c.Env, Dir: c.Dir}).Environ()
}

// equal reports whether two values are equal. Those that cannot be compared are
// not.
func equal(a, b any) (same bool) {
	defer func() { recover() }()
	return a == b
}

// Run starts the command and waits for it. It returns nil if the command has
// exited with code 0 and everything was copied; see Start and Wait.
func (c *Cmd) Run() error {
	return c.run()
}

// ownFields reports fields of Cmd.Child that the Cmd has itself.
func ownFields(child *linux.Child) error {
	if child.Path != "" || child.Args != nil || child.Env != nil || child.Dir != "" || child.Files != nil || child.InheritFiles {
		return errors.New("exec: Cmd.Child has its own Path, Args, Env, Dir, Files or InheritFiles: set those of the Cmd")
	}
	return nil
}
