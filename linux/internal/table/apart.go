//go:build linux

package table

import (
	"os"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"golang.org/x/sys/unix"
)

// A child without the memory of its parent has a copy of it, with the whole
// table. What it is to tell its parent has to lie in memory that both have.
//
// That is no more than the calls of the child, with their results, and the words
// of Common: processes that may look into the child, and not into its parent,
// can write there. So the calls of the parent, one of which comes after the
// child, lie right before, in a page that is the parent's own, and of the calls
// of the child nothing but results is read again.

// mappings are the memory that a child apart has in common with its parent.
type mappings struct {
	apart bool
	alone []byte // or nil; one of all
	all   [][]byte
	err   error // why one could not be made
}

// Apart makes the table one for a child that has memory of its own. It comes
// before all else.
func (t *Table) Apart() { t.apart = true }

// Common returns the address of a new zero that is written by the child, and
// read by its parent.
func (t *Table) Common() *int32 {
	if t.apart {
		if b := t.share(1); b != nil {
			return (*int32)(unsafe.Pointer(unsafe.SliceData(b)))
		}
	}
	return In[int32](t)
}

// place returns where the calls are to lie, for a child apart.
func (t *Table) place(calls int) []program.Step {
	const size = int(unsafe.Sizeof(program.Step{}))
	page := os.Getpagesize()
	own := program.First * size
	before := (own + page - 1) / page * page
	b := t.share(before + (calls-program.First)*size)
	if b != nil {
		start := unsafe.Pointer(unsafe.SliceData(b))
		_, err := unix.MmapPtr(-1, 0, start, uintptr(before), unix.PROT_READ|unix.PROT_WRITE,
			unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED)
		if err == nil {
			return unsafe.Slice((*program.Step)(unsafe.Add(start, before-own)), calls)
		}
		t.lack(err)
	}
	return make([]program.Step, calls)
}

// share returns n zeroed bytes or more that the child has in common with its
// parent. It returns nil if there are none: then the table is built to its end,
// and not run.
func (t *Table) share(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		t.lack(err)
		return nil
	}
	t.all = append(t.all, b)
	return b
}

func (m *mappings) lack(err error) { m.err = &mapError{err} }

func (m *mappings) unmap() {
	for _, b := range m.all {
		unix.Munmap(b)
	}
	*m = mappings{}
}

// A mapError says that there is no memory for the table of a child.
type mapError struct{ err error }

func (e *mapError) Error() string {
	return "mmap: no memory for what a child is to do: " + e.err.Error()
}

func (e *mapError) Unwrap() error { return e.err }
