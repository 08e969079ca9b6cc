//go:build linux && !clone3_osexec

package exec

import (
	"bytes"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Most commands whose output is kept in memory say little, and are done soon. To
// wake a goroutine for each pipe, by the poller, takes longer than all the rest of
// it. So Run, which goes on to wait anyway, may read the pipes itself at first, in
// a thread that waits in the kernel: one Run, never more, and for as long as no
// other asks for that. Then goroutines take over, as for all others. It makes no
// difference but in time, as to write to memory never blocks, and to wait for the
// process goes on meanwhile.
//
// With commands that take longer it is a thread for nothing. After some of them in
// succession so many are not tried, twice as many for each.
var soon struct {
	taken  atomic.Bool
	since  atomic.Int64 // when it was taken, in nanoseconds since loaded
	thread atomic.Int32 // which thread waits
	failed atomic.Int32 // how many have taken longer, in succession
	skip   atomic.Int32 // how many are not to be tried
}

const (
	patience = time.Millisecond // what soon means
	little   = 64 << 10         // bytes
)

// loaded is when this program was started, nearly.
var loaded = time.Now()

// An outlet is this program's end of a pipe from the child. Until open is called,
// it is a descriptor that package os does not know.
type outlet struct {
	w    io.Writer
	fd   int // -1 if it is closed, or is that of file
	file *os.File
}

// inMemory reports whether to write to w never blocks.
func inMemory(w io.Writer) bool {
	switch w.(type) {
	case *bytes.Buffer, *excerpt:
		return true
	}
	return false
}

// open makes the outlet a file.
func (o *outlet) open() {
	o.file, o.fd = polled(o.fd, "|0"), -1
}

func (o *outlet) Close() error {
	if o.file != nil {
		return o.file.Close()
	}
	if o.fd >= 0 {
		unix.Close(o.fd)
		o.fd = -1
	}
	return nil
}

// allInMemory reports whether there is something to copy, and all to memory.
func (p *pipes) allInMemory() bool {
	for _, c := range p.copies {
		if c.output == nil || !inMemory(c.output.w) {
			return false
		}
	}
	return len(p.copies) > 0
}

// copySoon copies what the command writes soon. It reports whether that was all.
func (r *running) copySoon(c *Cmd) bool {
	began := time.Since(loaded)
	switch {
	case soon.skip.Load() > 0:
		soon.skip.Add(-1)
		return false
	case !soon.taken.CompareAndSwap(false, true):
		if began-time.Duration(soon.since.Load()) > patience {
			// The signal ends the poll, unless that is just to begin: then the
			// next one does. The runtime makes nothing of this signal.
			unix.Tgkill(os.Getpid(), int(soon.thread.Load()), unix.SIGURG)
		}
		return false
	}
	defer soon.taken.Store(false)
	soon.since.Store(int64(began))
	soon.thread.Store(int32(unix.Gettid()))
	all := false
	r.withPidFD(c.Process, func(fd int) { all = c.pipes.copyUntil(fd, began+patience) })
	if time.Since(loaded)-began < patience {
		soon.failed.Store(0)
	} else {
		soon.skip.Store(1<<min(soon.failed.Add(1), 6) - 1)
	}
	return all
}

// copyUntil copies until a process has ended, or there is more than to be copied
// soon. It reports whether all was copied.
func (p *pipes) copyUntil(pidfd int, deadline time.Duration) bool {
	for total, in := 0, true; in && total <= little; in = time.Since(loaded) < deadline {
		polled := [3]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		fds := polled[:1+len(p.copies)]
		for i, c := range p.copies {
			fds[1+i] = unix.PollFd{Fd: int32(c.output.fd), Events: unix.POLLIN}
		}
		// No limit of time: to set a timer takes longer than all the rest.
		told, err := unix.Ppoll(fds, nil, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return false
		}
		for i := len(p.copies) - 1; i >= 0; i-- {
			n, all := p.copies[i].output.drain(fds[1+i].Revents)
			if total += n; all {
				p.copies = slices.Delete(p.copies, i, i+1)
			}
		}
		if told == 1 && fds[0].Revents != 0 {
			break // somebody else may go on to write
		}
	}
	return len(p.copies) == 0
}

// drain copies what is there already, of which a poll has told. It returns how much
// that was, and whether it was all: then the outlet is closed. An error is left to
// who reads next.
func (o *outlet) drain(events int16) (total int, all bool) {
	var piece [2 << 10]byte
	n := 0
	if events&unix.POLLIN != 0 { // so this does not block
		var err error
		if n, err = unix.Read(o.fd, piece[:]); err != nil {
			return 0, false
		}
		o.w.Write(piece[:n])
	}
	// With nobody left to write more, there is more if it did not fit.
	if all = events&unix.POLLHUP != 0 && n < len(piece); all {
		o.Close()
	}
	return n, all
}
