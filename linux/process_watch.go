//go:build linux

package linux

import (
	"maps"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// watched are the processes that are waited for, those that were closed, and
// those with AutoKill.
//
// All their pidfds are in one epoll instance. This is itself a descriptor that
// becomes readable when one of them has something to tell, and so the poller of
// the Go runtime can wait for it: one goroutine for all processes, and no
// thread. A pidfd tells twice: when its process has ended, and when it was
// reaped.
//
// What the kernel does not take into the epoll instance, for want of memory,
// descriptors or watches (fs.epoll.max_user_watches), is asked again and again
// instead, until it does.
var watched watcher

type watcher struct {
	mu     sync.Mutex
	epoll  *os.File // or nil
	epfd   int
	last   uint64 // the last ticket given
	owners map[uint64]watch
	asked  map[uint64]watch // of them, those who are asked again and again
	asking bool             // a goroutine does
	lost   []*os.File       // whose descriptors are not theirs any more, and not to be closed when they are garbage
}

// A watch is a pidfd, and who owns it.
type watch struct {
	fd    int
	owner notified
}

// A notified owns a pidfd, and is called when that has something to tell. It
// returns true to be called again soon.
type notified interface{ notify() (again bool) }

// askEvery is how often pidfds are asked that cannot be watched.
const askEvery = 10 * time.Millisecond

// start creates the epoll instance and the goroutine, if they are not there. mu
// is held.
func (w *watcher) start() error {
	if w.epoll != nil {
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return err
	}
	w.epfd, w.epoll = fd, os.NewFile(uintptr(fd), "epoll") // non-blocking: it joins the poller
	go w.run(w.epoll, fd)
	return nil
}

// add begins to watch the pidfd of an owner, and returns the ticket by which to
// remove it. One owner can watch a descriptor at a time.
func (w *watcher) add(fd int, owner notified) (ticket uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.owners == nil {
		w.owners, w.asked = make(map[uint64]watch), make(map[uint64]watch)
	}
	w.last++
	w.owners[w.last] = watch{fd, owner}
	if !w.enter(w.last, fd) {
		w.ask(w.last)
	}
	return w.last
}

// enter puts a pidfd into the epoll instance, and reports whether it is there.
// mu is held.
func (w *watcher) enter(ticket uint64, fd int) bool {
	if w.start() != nil {
		return false
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(ticket), Pad: int32(ticket >> 32)}
	switch err := unix.EpollCtl(w.epfd, unix.EPOLL_CTL_ADD, fd, &event); err {
	case nil, unix.EEXIST:
		return true
	case unix.EBADF, unix.EINVAL:
		w.lose(w.epoll)
	}
	return false
}

// lose gives up an epoll instance which is none any more: part of this program
// has closed a descriptor that it does not know. Its owners are asked until they
// are in another one. mu is held.
func (w *watcher) lose(epoll *os.File) {
	var stat unix.Stat_t
	if w.epoll != epoll || unix.Fstat(w.epfd, &stat) == nil && stat.Mode&unix.S_IFMT == 0 {
		return // it is one, and the pidfd is none
	}
	w.lost = append(w.lost, w.epoll)
	w.epoll = nil
	for ticket := range w.owners {
		w.ask(ticket)
	}
}

// ask lets the owner be asked soon, and until its pidfd can be watched. mu is
// held.
func (w *watcher) ask(ticket uint64) {
	w.asked[ticket] = w.owners[ticket]
	if !w.asking {
		w.asking = true
		go w.keepAsking()
	}
}

// keepAsking asks, as long as there is somebody to ask.
func (w *watcher) keepAsking() {
	for {
		time.Sleep(askEvery)
		w.mu.Lock()
		asked := maps.Clone(w.asked)
		w.mu.Unlock()
		for ticket, a := range asked {
			again := a.owner.notify()
			w.mu.Lock()
			if _, there := w.asked[ticket]; there && !again && w.enter(ticket, a.fd) {
				delete(w.asked, ticket)
			}
			w.mu.Unlock()
		}
		w.mu.Lock()
		w.asking = len(w.asked) > 0
		done := !w.asking
		w.mu.Unlock()
		if done {
			return
		}
	}
}

// remove forgets who owns a pidfd. It is about to be closed.
func (w *watcher) remove(ticket uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// To close the pidfd ends the watch, except while a process being created
	// has a copy of it. What is told then bears a ticket that nobody has.
	delete(w.owners, ticket)
	delete(w.asked, ticket)
}

// leave forgets who owns a pidfd, which stays open and may be watched again.
func (w *watcher) leave(ticket uint64, fd int) {
	w.remove(ticket)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.epoll != nil {
		unix.EpollCtl(w.epfd, unix.EPOLL_CTL_DEL, fd, nil)
	}
}

// run notifies the owners of pidfds that have something to tell.
func (w *watcher) run(f *os.File, epfd int) {
	var events [64]unix.EpollEvent
	var n int
	var err error
	ready := func(fd uintptr) bool {
		n, err = unix.EpollWait(int(fd), events[:], 0)
		return n > 0 || err != nil // what was told is not told again
	}
	wait := func() { // in a thread, where the poller of the runtime cannot
		if n, err = unix.EpollWait(epfd, events[:], -1); err == unix.EINTR {
			n, err = 0, nil
		}
	}
	if conn, e := f.SyscallConn(); e == nil {
		inThread := wait
		wait = func() {
			if n, err = 0, nil; conn.Read(ready) != nil {
				wait = inThread
			}
		}
	}
	for {
		if wait(); err != nil {
			w.mu.Lock()
			w.lose(f)
			gone := w.epoll != f
			if !gone { // but it does not say whose pidfd has something to tell
				for ticket := range w.owners {
					w.ask(ticket)
				}
			}
			w.mu.Unlock()
			if gone {
				return
			}
			time.Sleep(askEvery)
			continue
		}
		for _, e := range events[:max(n, 0)] {
			ticket := uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
			w.mu.Lock()
			owner := w.owners[ticket].owner
			w.mu.Unlock()
			if owner != nil && owner.notify() {
				w.mu.Lock()
				if _, there := w.owners[ticket]; there {
					w.ask(ticket)
				}
				w.mu.Unlock()
			}
		}
	}
}
