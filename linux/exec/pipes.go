//go:build linux && !clone3_osexec

package exec

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pipes are the pipes between this program and the child.
type pipes struct {
	child  []io.Closer // ends for the child, closed when it has them
	parent []io.Closer // ends of this program, closed by Wait
	copies []copier
}

// from returns a file for the child to read what r has to give.
func (p *pipes) from(r io.Reader) (*os.File, error) {
	switch f := r.(type) {
	case nil:
		return nil, nil
	case *os.File:
		return f, nil
	}
	pr, pw, err := p.toChild()
	if err != nil {
		return nil, err
	}
	p.copies = append(p.copies, copier{input: pw, run: func() error {
		_, err := io.Copy(pw, r)
		if notRead(err) {
			err = nil
		}
		if e := pw.Close(); err == nil {
			err = e
		}
		return err
	}})
	return pr, nil
}

// notRead reports whether err says that the child does not want to read any
// more, which is its own business.
func notRead(err error) bool {
	var pe *fs.PathError
	return errors.As(err, &pe) && pe.Op == "write" && pe.Path == "|1" && pe.Err == syscall.EPIPE
}

// to returns a file for the child to write to what w is to get.
func (p *pipes) to(w io.Writer) (*os.File, error) {
	switch f := w.(type) {
	case nil:
		return nil, nil
	case *os.File:
		return f, nil
	}
	r, pw, err := openPipe()
	if err != nil {
		return nil, err
	}
	o := &outlet{w: w, fd: r}
	child := os.NewFile(uintptr(pw), "|1")
	p.child, p.parent = append(p.child, child), append(p.parent, o)
	p.copies = append(p.copies, copier{output: o, run: func() error {
		defer o.Close() // if w takes no more, the child shall not wait for it
		return pump(w, o.file)
	}})
	return child, nil
}

// toChild makes a pipe that the child reads from.
func (p *pipes) toChild() (pr, pw *os.File, err error) {
	r, w, err := openPipe()
	if err != nil {
		return nil, nil, err
	}
	pr, pw = os.NewFile(uintptr(r), "|0"), polled(w, "|1")
	p.child, p.parent = append(p.child, pr), append(p.parent, pw)
	return pr, pw, nil
}

// fromChild makes a pipe that the child writes to.
func (p *pipes) fromChild() (pr, pw *os.File, err error) {
	r, w, err := openPipe()
	if err != nil {
		return nil, nil, err
	}
	pr, pw = polled(r, "|0"), os.NewFile(uintptr(w), "|1")
	p.child, p.parent = append(p.child, pw), append(p.parent, pr)
	return pr, pw, nil
}

// openPipe makes a pipe. Only one end is for this program; os.Pipe lets the poller
// know both, which takes time, and makes the child's end one that never blocks.
func openPipe() (r, w int, err error) {
	var fds [2]int
	err = withDescriptors(func() error { return os.NewSyscallError("pipe2", unix.Pipe2(fds[:], unix.O_CLOEXEC)) })
	return fds[0], fds[1], err
}

// polled returns a file that blocks a goroutine, and no thread. Where the poller
// has no room for it, it blocks a thread.
func polled(fd int, name string) *os.File {
	if unix.SetNonblock(fd, true) != nil {
		return os.NewFile(uintptr(fd), name)
	}
	f := os.NewFile(uintptr(fd), name)
	if f.SetDeadline(time.Time{}) != nil {
		unix.SetNonblock(fd, false)
	}
	return f
}

func (p *pipes) closeChild() {
	closeAll(p.child)
	p.child = nil
}

// closeParent closes the ends of this program, which ends all copying.
func (p *pipes) closeParent() {
	closeAll(p.parent)
	p.parent, p.copies = nil, nil
}

// closeAll closes files. Many are closed already, so errors do not matter.
func closeAll(files []io.Closer) {
	for _, f := range files {
		f.Close()
	}
}

// StdinPipe returns a pipe to the standard input of the command, which is to be
// started after that. The command sees the end of its input when the pipe is
// closed; Wait closes it too.
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	if err := c.pipeable("Stdin", c.Stdin != nil); err != nil {
		return nil, err
	}
	pr, pw, err := c.pipes.toChild()
	if err != nil {
		return nil, err
	}
	c.Stdin, c.made.stdin = pr, pr
	return pw, nil
}

// StdoutPipe returns a pipe from the standard output of the command, which is to
// be started after that. Wait closes the pipe: everything is to be read before
// Wait is called, and so Run is of no use with it.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) {
	return c.outputPipe("Stdout", &c.Stdout, &c.made.stdout)
}

// StderrPipe returns a pipe from the standard error of the command. It is like
// StdoutPipe.
func (c *Cmd) StderrPipe() (io.ReadCloser, error) {
	return c.outputPipe("Stderr", &c.Stderr, &c.made.stderr)
}

func (c *Cmd) outputPipe(name string, w *io.Writer, made *io.Writer) (io.ReadCloser, error) {
	if err := c.pipeable(name, *w != nil); err != nil {
		return nil, err
	}
	pr, pw, err := c.pipes.fromChild()
	if err != nil {
		return nil, err
	}
	*w, *made = pw, pw
	return pr, nil
}

// pipeable returns why there can be no pipe.
func (c *Cmd) pipeable(name string, set bool) error {
	switch {
	case set:
		return errors.New("exec: " + name + " already set")
	case c.Process != nil:
		return errors.New("exec: " + name + "Pipe after process started")
	}
	return nil
}
