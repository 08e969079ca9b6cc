//go:build linux

// Package table builds the tables of system calls that package program runs: it
// owns the memory that the calls read and write, tells what came of them, and
// knows nothing of what they are for.
//
// A table is built in the parent, call by call, then linked, then run once. The
// first three calls are the parent's, see program.Block; the rest are the
// child's. Arguments that are addresses are of memory that the Table hands out.
package table

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
)

// A Table is a list of system calls and their memory. The zero value is empty
// and ready to be built. It can be used again after Reset.
type Table struct {
	memory
	mappings
	steps    []program.Step
	labels   []Label // labels[i] says what steps[i] does
	forwards []forward
	linked   []program.Step
}

// A Label says in words what a call does.
type Label struct {
	Kind int    // of step: the caller's own numbering
	Verb string // such as "chdir", or "setgid %d"
	Path string // what it is done to, if that is a path
	N    int    // the number for Verb

	// A call that older kernels refuse with ENOSYS or EINVAL, and for no other
	// reason, names what it is for and the first release that has it.
	Feature, Since string
}

// String returns "setgid 1000", for example.
func (l Label) String() string {
	if l.Path != "" {
		return l.verb() + " " + l.Path
	}
	return l.verb()
}

func (l Label) verb() string {
	if strings.Contains(l.Verb, "%") {
		return fmt.Sprintf(l.Verb, l.N)
	}
	return l.Verb
}

// A forward passes the result of a call on to an argument of a later one.
type forward struct{ from, to, arg int }

// Reset empties the table. Its memory must not be used any more.
func (t *Table) Reset() {
	clear(t.labels) // they hold strings of the caller
	if t.alone != nil {
		t.chunk, t.full = nil, nil // is unmapped
	}
	t.reset()
	t.unmap()
	t.steps, t.labels, t.forwards, t.linked = t.steps[:0], t.labels[:0], t.forwards[:0], nil
}

// Call adds a system call that must not fail, and returns its place.
func (t *Table) Call(l Label, nr uintptr, args ...uintptr) int {
	s := program.Step{Nr: nr, Result: program.Pending, Span: program.AnyValue}
	copy(s.Args[:], args)
	t.steps = append(t.steps, s)
	t.labels = append(t.labels, l)
	return len(t.steps) - 1
}

// Try adds a system call that may fail, and returns its place.
func (t *Table) Try(l Label, nr uintptr, args ...uintptr) int {
	i := t.Call(l, nr, args...)
	t.steps[i].Span = program.Anything
	return i
}

// Demand adds a system call that must return want, and returns its place.
func (t *Table) Demand(want uintptr, l Label, nr uintptr, args ...uintptr) int {
	i := t.Call(l, nr, args...)
	t.steps[i].Low, t.steps[i].Span = want, 0
	return i
}

// Unless adds a system call that may fail with an error number, and returns its
// place. The numbers below that are taken for it.
func (t *Table) Unless(errno syscall.Errno, l Label, nr uintptr, args ...uintptr) int {
	i := t.Call(l, nr, args...)
	t.steps[i].Low, t.steps[i].Span = -uintptr(errno), ^uintptr(0)>>1
	return i
}

// UntilDone adds a system call after which the child ends unless it fails.
func (t *Table) UntilDone(l Label, nr uintptr, args ...uintptr) {
	i := t.Call(l, nr, args...)
	t.steps[i].Low, t.steps[i].Span = program.Pending, ^program.Pending
}

// Pass makes the result of call from argument arg of call to. A result goes to
// one place besides its own.
func (t *Table) Pass(from, to, arg int) {
	t.forwards = append(t.forwards, forward{from, to, arg})
}

// Store lets the result of call from go to a word of the Table too.
func (t *Table) Store(from int, to *uintptr) { t.steps[from].Dst = Address(to) }

// Link sets the addresses within the table, which from now on does not grow.
// The error is that there was no memory.
func (t *Table) Link() error {
	switch t.linked = t.steps; {
	case t.apart:
		t.linked = t.place(len(t.steps))
	case t.alone != nil:
		t.linked = t.placeAlone(len(t.steps))
	}
	copy(t.linked, t.steps)
	for i := range t.linked {
		if s := &t.linked[i]; s.Dst == 0 {
			s.Dst = Address(&s.Result)
		}
	}
	for _, f := range t.forwards {
		t.linked[f.from].Dst = Address(&t.linked[f.to].Args[f.arg])
	}
	return t.err
}

// Argument returns where argument arg of a call lies, if it is a number of 32
// bits: for the kernel or this program to write to. The table is linked.
func (t *Table) Argument(call, arg int) *int32 { return Low32(&t.linked[call].Args[arg]) }

// SetArgs gives a call other arguments. The
// table is linked, and the child has not come to the call.
func (t *Table) SetArgs(call int, args ...uintptr) { copy(t.linked[call].Args[:], args) }

// Last returns the last call.
func (t *Table) Last() (nr uintptr, args [6]uintptr) {
	s := &t.steps[len(t.steps)-1]
	return s.Nr, s.Args
}

// Run runs the table, and returns what the call answered that was to create the
// child. See program.Run for handOff.
func (t *Table) Run(handOff bool) (pid int, errno syscall.Errno) {
	program.Run(unsafe.SliceData(t.linked), handOff)
	r := t.linked[program.Clone].Result
	if r > program.AnyValue {
		return 0, syscall.Errno(-r)
	}
	return int(r), 0
}

// A Failure is a call that a child has not come beyond.
type Failure struct {
	Label   Label
	Pending bool    // it has not returned
	First   bool    // it is the first call of the child
	Last    bool    // it is the last call, with which the child executes its program
	Result  uintptr // else what it has returned
}

// Outcome returns at which call the child has ended, or is. If that is the last
// one, and it is pending, the child executes its program, or was killed doing
// so.
func (t *Table) Outcome() Failure {
	last := len(t.steps) - 1
	for i := program.First; ; i++ {
		// Only the result is read from where others may write it.
		s, result := &t.steps[i], t.linked[i].Result
		if result == program.Pending || result-s.Low > s.Span || i == last {
			return Failure{t.labels[i], result == program.Pending, i == program.First, i == last, result}
		}
	}
}

// Executed reports whether, of a child that does not use this table any more,
// no call has failed.
func (f Failure) Executed() bool { return f.Last && f.Pending }

// Errno returns the error number of a call that has failed, or 0 if it has
// returned another value than was demanded.
func (f Failure) Errno() syscall.Errno {
	if f.Pending || f.Result <= program.AnyValue {
		return 0
	}
	return syscall.Errno(-f.Result)
}

// Err returns the error of a call that has failed: the number, in a
// *fs.PathError if the call has to do with a path.
func (f Failure) Err() error {
	errno := f.Errno()
	switch {
	case errno == 0:
		return fmt.Errorf("unexpected result %d", int(f.Result))
	case f.Label.Path != "":
		return &fs.PathError{Op: f.Label.verb(), Path: f.Label.Path, Err: errno}
	}
	return errno
}

// Unsupported reports whether the kernel is too old for the call.
func (f Failure) Unsupported() bool {
	errno := f.Errno()
	return f.Label.Since != "" && (errno == syscall.ENOSYS || errno == syscall.EINVAL)
}
