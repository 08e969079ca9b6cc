package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A progress is one line on a terminal that says how far a run is. Anywhere
// else, it prints nothing. It may be used concurrently.
type progress struct {
	w     io.Writer // nil if there is no terminal
	total int

	mu    sync.Mutex
	done  int
	drawn time.Time
	width int // of what is on the terminal
}

func newProgress(w io.Writer, total int) *progress {
	p := &progress{total: total, drawn: time.Now()} // a short run draws nothing
	if isTerminal(w) {
		p.w = w
	}
	return p
}

// isTerminal takes every character device for one; nobody minds a line that
// goes to /dev/null.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// redraw is how often the line changes at most.
const redraw = 100 * time.Millisecond

// step counts one more piece of work as done.
func (p *progress) step(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.w == nil || time.Since(p.drawn) < redraw {
		return
	}
	p.drawn = time.Now()
	line := fmt.Sprintf("%d of %d: %.50s", p.done, p.total, what)
	fmt.Fprintf(p.w, "\r%-*s", p.width, line) // covers the rest of a longer line
	p.width = len(line)
}

// clear empties the line for what comes next.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r%-*s\r", p.width, "")
		p.width = 0
	}
}
