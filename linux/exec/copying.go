//go:build linux && !clone3_osexec

package exec

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A copier is what a goroutine does that copies from or to the child.
type copier struct {
	input  *os.File // this program's end of the pipe to Stdin, or nil: it copies output
	output *outlet
	run    func() error
}

// copying are goroutines that copy from and to the child.
//
// What copies input may never return: it waits for a Reader that does not
// answer, such as a terminal at which nobody types, or a connection whose other
// end waits, too. Nothing can interrupt it. So it is not waited for when there
// is nobody left who could read what it would bring.
type copying struct {
	done   chan struct{} // closed when all is copied
	output chan struct{} // closed when all output is copied
	input  *os.File      // of the copy of input, or nil if there is none

	mu      sync.Mutex
	left    int   // how many goroutines are not done
	outputs int   // how many of them copy output
	err     error // the first error
}

// readerGrace is how long a Reader that nobody needs any more may take to
// answer, so that its error is not lost.
const readerGrace = 100 * time.Millisecond

// copy starts to copy. It returns nil if there is nothing to.
func (p *pipes) copy() *copying {
	if len(p.copies) == 0 {
		return nil
	}
	k := &copying{done: make(chan struct{}), output: make(chan struct{}), left: len(p.copies)}
	for _, c := range p.copies {
		if c.input != nil {
			k.input = c.input
		} else {
			c.output.open()
			k.outputs++
		}
	}
	if k.outputs == 0 {
		close(k.output)
	}
	for _, c := range p.copies {
		go func() { k.finish(c.run(), c.input == nil) }()
	}
	p.copies = nil
	return k
}

func (k *copying) finish(err error, output bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err == nil {
		k.err = err
	}
	if output {
		if k.outputs--; k.outputs == 0 {
			close(k.output)
		}
	}
	if k.left--; k.left == 0 {
		close(k.done)
	}
}

// result returns the first error so far.
func (k *copying) result() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// finished reports whether all is copied.
func (k *copying) finished() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// wait waits until all is copied, or all output is and nobody reads the input
// any more. It reports false if the deadline was before.
func (k *copying) wait(deadline <-chan time.Time) bool {
	var output <-chan struct{}
	var grace <-chan time.Time
	unread := k.unread()
	for {
		select {
		case <-k.done:
			return true
		case <-unread:
			unread, grace = nil, time.After(readerGrace)
		case <-grace:
			grace, output = nil, k.output
		case <-output:
			return true
		case <-deadline:
			return k.finished() // at the same time
		}
	}
}

// abandon waits for what copies, when the pipes are closed.
func (k *copying) abandon() {
	<-k.output
	select {
	case <-k.done:
	case <-time.After(readerGrace):
	}
}

// unread returns a channel that is closed when no process can read the input any
// more. That is asked as if there was something to read, which does not keep
// the input from being written.
func (k *copying) unread() <-chan struct{} {
	if k.input == nil {
		return nil
	}
	conn, err := k.input.SyscallConn()
	if err != nil {
		return nil // it is closed: all is copied
	}
	unread := make(chan struct{})
	go func() {
		if conn.Read(hasNoReader) == nil { // else it was closed
			close(unread)
		}
	}()
	return unread
}

// hasNoReader reports whether no process has the other end of a pipe.
func hasNoReader(pipe uintptr) bool {
	p := []unix.PollFd{{Fd: int32(pipe)}}
	for {
		if _, err := unix.Poll(p, 0); err != unix.EINTR {
			return p[0].Revents&unix.POLLERR != 0
		}
	}
}
