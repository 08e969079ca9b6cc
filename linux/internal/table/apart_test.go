//go:build linux

package table

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"github.com/go-clone3/clone3/uapi"
)

// overwrite lets a child write b to an address in its memory, as a process could
// that may look into the child.
func overwrite(t *testing.T, table *Table, b []byte) (to func(address uintptr)) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { r.Close() })
	call := table.Demand(uintptr(len(b)), Label{Verb: "overwrite"}, uapi.SYS_READ)
	return func(address uintptr) { table.SetArgs(call, r.Fd(), address, uintptr(len(b))) }
}

func bytesOf[T any](p *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)) }

// After the child the parent makes one more call of the table. A child apart
// cannot make it another call.
func TestCallsOfParentAreItsOwn(t *testing.T) {
	for name, shared := range map[string]bool{"shared memory": true, "own memory": false} {
		t.Run(name, func(t *testing.T) {
			var table Table
			defer table.Reset()
			if !shared {
				table.Apart()
			}
			begin(&table, shared)
			other := program.Step{Nr: uapi.SYS_UMASK, Args: [6]uintptr{0o123}}
			to := overwrite(t, &table, bytesOf(&other))
			table.Call(Label{Verb: "end"}, uapi.SYS_CLOSE, ^uintptr(0))
			if err := table.Link(); err != nil {
				t.Fatal(err)
			}
			to(Address(&table.linked[program.Unblock]))
			was := syscall.Umask(0o22)
			defer syscall.Umask(was)
			if f := fly(t, &table); f.Label.Verb != "end" {
				t.Fatalf("the child has come to %v (%v), want its end", f.Label, f.Err())
			}
			now := syscall.Umask(0o22)
			if want := map[bool]int{true: 0o123, false: 0o22}[shared]; now != want {
				t.Errorf("the umask of the parent is %#o, want %#o", now, want)
			}
		})
	}
}

// Nothing that a child apart can write makes the parent panic, or take the child
// for one that executes its program when its last call has returned.
func TestResultsThatCannotBe(t *testing.T) {
	var table Table
	defer table.Reset()
	table.Apart()
	begin(&table, false)
	result := uintptr(5)
	to := overwrite(t, &table, bytesOf(&result))
	last := table.Call(Label{Verb: "exec"}, uapi.SYS_EXIT_GROUP, 0)
	if err := table.Link(); err != nil {
		t.Fatal(err)
	}
	to(Address(&table.linked[last].Result))
	if f := fly(t, &table); f.Executed() || f.Err() == nil || f.Label.Verb != "exec" {
		t.Errorf("got %+v, want that exec has failed", f)
	}
}

// A word of Common is what the child has written to it, in both kinds of memory.
func TestCommon(t *testing.T) {
	for name, shared := range map[string]bool{"shared memory": true, "own memory": false} {
		t.Run(name, func(t *testing.T) {
			var table Table
			defer table.Reset()
			if !shared {
				table.Apart()
			}
			begin(&table, shared)
			word, number := table.Common(), int32(7)
			to := overwrite(t, &table, bytesOf(&number))
			table.Call(Label{Verb: "end"}, uapi.SYS_CLOSE, ^uintptr(0))
			if err := table.Link(); err != nil {
				t.Fatal(err)
			}
			to(Address(word))
			fly(t, &table)
			if *word != number {
				t.Errorf("got %d, want %d", *word, number)
			}
		})
	}
}
