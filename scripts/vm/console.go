package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-clone3/clone3/scripts/internal/guest"
)

// A Watcher follows the runs of a guest. Its functions are called in order.
type Watcher struct {
	Start  func(run int)
	Output func(run int, text string) // as the run wrote it
	Exit   func(run, status int)
	Kernel func(line string) // what the kernel says before the first run; may be nil
}

// A console makes sense of what a machine writes.
type console struct {
	nonce string
	watch Watcher

	at      atomic.Int32 // the run that goes on; beforeInit, betweenRuns
	mark    func()       // called after every mark
	next    int          // the run that starts next
	newline bool         // the output so far ends in a newline that is held back
	done    bool
	panic   string   // the kernel's last words
	last    []string // the last lines, for errors
}

const (
	beforeInit  = -2
	betweenRuns = -1
)

var kernelPanic = regexp.MustCompile(`Kernel panic - not syncing: .*`)

// read reads r to its end.
func (c *console) read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			c.line(strings.TrimSuffix(line, "\n"))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *console) line(line string) {
	if m, ok := guest.ParseMark(strings.TrimSuffix(line, "\r"), c.nonce); ok {
		c.newline = false // it belongs to the mark
		c.marked(m)
		c.mark()
		return
	}
	if p := kernelPanic.FindString(line); p != "" {
		c.panic = strings.TrimSpace(p)
	}
	if text := strings.TrimSpace(line); text != "" {
		c.last = append(c.last[max(0, len(c.last)-19):], text)
	}
	switch at := int(c.at.Load()); {
	case at >= 0:
		if c.newline {
			line = "\n" + line
		}
		c.newline = true
		c.watch.Output(at, line)
	case at == beforeInit && c.watch.Kernel != nil:
		c.watch.Kernel(strings.TrimSuffix(line, "\r"))
	}
}

func (c *console) marked(m guest.Mark) {
	switch m.Kind {
	case guest.Booted:
		c.at.Store(betweenRuns)
	case guest.Start:
		c.at.Store(int32(m.N))
		c.last = nil
		c.watch.Start(m.N)
	case guest.Exit:
		c.watch.Exit(int(c.at.Load()), m.N)
		c.next++
		c.at.Store(betweenRuns)
	case guest.Done:
		c.done = true
	}
}

// where says what the machine did last, in the words of an error.
func (c *console) where(runs []guest.Run) string {
	switch at := int(c.at.Load()); {
	case at >= 0 && at < len(runs):
		return "while " + runs[at].Package + " ran"
	case at == betweenRuns:
		return "between two runs"
	}
	return "before the first program ran"
}

// lastWords returns the last lines, indented, to be appended to an error.
func (c *console) lastWords() string {
	if len(c.last) == 0 {
		return "; it wrote nothing"
	}
	var b strings.Builder
	b.WriteString("; it wrote last:")
	for _, line := range slices.Compact(c.last) {
		fmt.Fprintf(&b, "\n\t%s", line)
	}
	return b.String()
}
