//go:build linux

package table

import (
	"errors"
	"unsafe"

	"github.com/go-clone3/clone3/linux/internal/program"
	"golang.org/x/sys/unix"
)

// A child that has a copy of its parent's memory, and lives on, is to let go of
// all but the table, which therefore lies in a mapping of its own. Nobody reads in
// the parent what becomes of it.

// Alone makes the table one that lies, with its memory, in n bytes of its own. It
// comes before all else.
func (t *Table) Alone(n int) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.lack(err)
		return
	}
	t.all = append(t.all, b)
	t.alone = b
	t.chunk = unsafe.Slice((*uintptr)(unsafe.Pointer(unsafe.SliceData(b))), n/int(wordSize))
	t.used = 0
}

// Where returns where the table lies that is alone.
func (t *Table) Where() (from, to uintptr) {
	from = Address(unsafe.SliceData(t.alone))
	return from, from + uintptr(len(t.alone))
}

// placeAlone returns where the calls are to lie, for a child alone.
func (t *Table) placeAlone(calls int) []program.Step {
	const words = int(unsafe.Sizeof(program.Step{}) / wordSize)
	steps := t.Words(calls * words)
	if len(t.full) > 0 {
		t.lack(errTooSmall)
	}
	return unsafe.Slice((*program.Step)(unsafe.Pointer(unsafe.SliceData(steps))), calls)
}

var errTooSmall = errors.New("the table takes more than was asked for")
