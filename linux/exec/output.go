package exec

import (
	"bytes"
	"errors"
	"fmt"
)

// Output runs the command and returns what it writes to standard output. If it
// fails, and Stderr is nil, the ExitError has what it writes to standard error,
// from which the middle is left out if there is much.
func (c *Cmd) Output() ([]byte, error) {
	if c.Stdout != nil {
		return nil, errors.New("exec: Stdout already set")
	}
	var out bytes.Buffer
	c.Stdout, c.made.stdout = &out, &out
	if c.Stderr != nil {
		err := c.Run()
		return out.Bytes(), err
	}
	said := excerpt{limit: 32 << 10}
	c.Stderr, c.made.stderr = &said, &said
	err := c.Run()
	if e, ok := err.(*ExitError); ok {
		e.Stderr = said.bytes()
	}
	return out.Bytes(), err
}

// CombinedOutput runs the command and returns what it writes to standard output
// and standard error.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	switch {
	case c.Stdout != nil:
		return nil, errors.New("exec: Stdout already set")
	case c.Stderr != nil:
		return nil, errors.New("exec: Stderr already set")
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	c.made.stdout, c.made.stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// An excerpt keeps the beginning and the end of what is written to it, limit
// bytes of each.
type excerpt struct {
	limit int
	head  []byte
	tail  []byte // the end, and as much again before that is dropped
	total int
}

func (x *excerpt) Write(b []byte) (int, error) {
	n := len(b)
	x.total += n
	room := min(x.limit-len(x.head), n)
	x.head, b = append(x.head, b[:room]...), b[room:]
	b = b[max(0, len(b)-x.limit):]
	x.tail = append(x.tail, b...)
	if len(x.tail) > 2*x.limit {
		x.tail = append(x.tail[:0], x.end()...)
	}
	return n, nil
}

// end returns the last bytes after the beginning.
func (x *excerpt) end() []byte { return x.tail[max(0, len(x.tail)-x.limit):] }

func (x *excerpt) bytes() []byte {
	all := x.head
	if missing := x.total - len(x.head) - len(x.end()); missing > 0 {
		all = fmt.Appendf(all, "\n... omitting %d bytes ...\n", missing)
	}
	return append(all, x.end()...)
}
