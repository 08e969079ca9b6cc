//go:build !linux || clone3_osexec

package exec

import (
	"io"
	"io/fs"
	std "os/exec"
	"reflect"
	"runtime"
	"slices"
	"syscall"

	"github.com/go-clone3/clone3/linux"
)

// An engine is what a Cmd has on other systems than Linux: a command of os/exec,
// which does everything. It is made by the first method that needs one.
type engine struct{ std *std.Cmd }

// give returns the command of os/exec, with the fields as they are now.
func (c *Cmd) give() *std.Cmd {
	s := c.std
	switch {
	case s != nil:
	case c.ctx != nil:
		s = std.CommandContext(c.ctx, c.Path)
	default:
		s = std.Command(c.Path)
	}
	c.std = s
	s.Path, s.Args, s.Env, s.Dir, s.Err = c.Path, c.Args, c.Env, c.Dir, c.Err
	s.Stdin, s.Stdout, s.Stderr, s.ExtraFiles = c.Stdin, c.Stdout, c.Stderr, c.ExtraFiles
	s.WaitDelay, s.SysProcAttr = c.WaitDelay, c.SysProcAttr
	if s.Process == nil {
		s.Process, s.ProcessState = c.Process, c.ProcessState // set by hand
	}
	return s
}

// take takes over what os/exec has made of its command.
func (c *Cmd) take(s *std.Cmd) {
	c.Stdin, c.Stdout, c.Stderr, c.Err = s.Stdin, s.Stdout, s.Stderr, s.Err
	c.Process, c.ProcessState = s.Process, s.ProcessState
}

// Start starts the command, and does not wait for it. If it returns nil,
// Process is set, and Wait is to be called.
func (c *Cmd) Start() error {
	s := c.give()
	if s.Process == nil && s.Err == nil {
		if err := ownFields(&c.Child); err != nil {
			return err
		}
		attr, err := c.attributes()
		if err != nil {
			return &fs.PathError{Op: "fork/exec", Path: c.Path, Err: err}
		}
		s.SysProcAttr = attr
	}
	// The context may end before Start has returned, and so before Cancel finds
	// the Process here.
	started := make(chan struct{})
	defer close(started)
	s.Cancel = nil
	if c.Cancel != nil {
		s.Cancel = func() error {
			<-started
			return c.Cancel()
		}
	}
	err := s.Start()
	c.take(s)
	return err
}

func (c *Cmd) run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Wait waits for a command that Start has started, and until its input and
// output are copied. If the command has not exited with code 0 the error is an
// *ExitError. Otherwise it may be the error of the context, of copying, or
// ErrWaitDelay. Wait can be called once. It sets ProcessState.
func (c *Cmd) Wait() error {
	s := c.std
	if s == nil {
		s = c.give()
	}
	err := s.Wait()
	c.ProcessState = s.ProcessState
	return err
}

// StdinPipe returns a pipe to the standard input of the command, which is to be
// started after that. The command sees the end of its input when the pipe is
// closed; Wait closes it too.
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	s := c.give()
	w, err := s.StdinPipe()
	if err == nil {
		c.Stdin, c.made.stdin = s.Stdin, s.Stdin
	}
	return w, err
}

// StdoutPipe returns a pipe from the standard output of the command, which is to
// be started after that. Wait closes the pipe: everything is to be read before
// Wait is called, and so Run is of no use with it.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) {
	s := c.give()
	r, err := s.StdoutPipe()
	if err == nil {
		c.Stdout, c.made.stdout = s.Stdout, s.Stdout
	}
	return r, err
}

// StderrPipe returns a pipe from the standard error of the command. It is like
// StdoutPipe.
func (c *Cmd) StderrPipe() (io.ReadCloser, error) {
	s := c.give()
	r, err := s.StderrPipe()
	if err == nil {
		c.Stderr, c.made.stderr = s.Stderr, s.Stderr
	}
	return r, err
}

// Handle returns the process as package linux holds it, which on other systems
// it does not: every method of it returns an error. It is nil before Start.
func (c *Cmd) Handle() *linux.Process {
	if c.Process == nil {
		return nil
	}
	return new(linux.Process)
}

// FailedStep returns which step of the command has failed. Other systems do not
// tell.
func (c *Cmd) FailedStep() *linux.StepError { return nil }

// everywhere are the fields of a Child that mean the same in the SysProcAttr of
// any system that has them.
var everywhere = []string{"Chroot", "Credential", "Ptrace", "Setsid", "Setpgid", "Setctty", "Noctty", "Ctty",
	"Foreground", "Pgid", "Pdeathsig"}

// attributes returns SysProcAttr together with what Child asks for. It is an
// UnsupportedError if this system does not have that.
func (c *Cmd) attributes() (*syscall.SysProcAttr, error) {
	if c.CloseFiles {
		return nil, onlyLinux("Cmd.CloseFiles")
	}
	if c.Flags != 0 {
		return nil, onlyLinux(c.Flags.String())
	}
	attr := c.SysProcAttr
	child := reflect.ValueOf(&c.Child).Elem()
	for i := range child.NumField() {
		name, value := child.Type().Field(i).Name, child.Field(i)
		if value.IsZero() {
			continue
		}
		if attr == c.SysProcAttr {
			attr = new(syscall.SysProcAttr)
			if c.SysProcAttr != nil {
				*attr = *c.SysProcAttr
			}
		}
		field := reflect.ValueOf(attr).Elem().FieldByName(name)
		switch {
		case !slices.Contains(everywhere, name) || !field.IsValid() || field.Type() != value.Type():
			return nil, onlyLinux("Child." + name)
		case !field.IsZero() && !reflect.DeepEqual(field.Interface(), value.Interface()):
			return nil, &attrError{name, errAnotherValue}
		}
		field.Set(value)
	}
	return attr, nil
}

func onlyLinux(feature string) error {
	why := "only Linux has it, and this is " + runtime.GOOS
	if runtime.GOOS == "linux" {
		why = "this program was built with the tag clone3_osexec"
	}
	return &linux.UnsupportedError{Feature: feature, Reason: why}
}

// watchLeak has nothing to do: os/exec watches its own command.
func (c *Cmd) watchLeak() {}
