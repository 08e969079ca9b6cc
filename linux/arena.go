//go:build linux

package linux

import "unsafe"

// An arena is memory for what the system calls of a child read and write. It
// hands out addresses, which the garbage collector does not follow: memory is
// valid until reset, as long as the arena is reachable.
type arena struct {
	chunk []uintptr   // the current chunk
	used  int         // bytes of it in use
	full  [][]uintptr // chunks before it
}

const (
	wordSize = unsafe.Sizeof(uintptr(0))

	minChunk  = 8 << 10   // bytes; a plain child with an ordinary environment fits
	keepChunk = 256 << 10 // no larger chunk is kept for the next child
)

// reset takes back all memory.
func (a *arena) reset() {
	clear(a.full)
	a.full, a.used = a.full[:0], 0
	if len(a.chunk)*int(wordSize) > keepChunk {
		a.chunk = nil
	}
}

// raw returns n bytes that may hold anything.
func (a *arena) raw(n int) []byte {
	if a.used+n > len(a.chunk)*int(wordSize) {
		if a.chunk != nil {
			a.full = append(a.full, a.chunk)
		}
		size := max(n, min(2*len(a.chunk)*int(wordSize), keepChunk), minChunk)
		a.chunk, a.used = make([]uintptr, (size+int(wordSize)-1)/int(wordSize)), 0
	}
	p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(a.chunk)), a.used)
	a.used += n
	return unsafe.Slice((*byte)(p), n)
}

// words returns n zeroed words.
func (a *arena) words(n int) []uintptr {
	a.used = (a.used + int(wordSize) - 1) &^ (int(wordSize) - 1)
	b := a.raw(n * int(wordSize))
	w := unsafe.Slice((*uintptr)(unsafe.Pointer(unsafe.SliceData(b))), n)
	clear(w)
	return w
}

// in returns the address of a new zeroed T in the arena. T must not hold
// pointers.
func in[T any](a *arena) *T {
	var t T
	return (*T)(unsafe.Pointer(unsafe.SliceData(a.words(int((unsafe.Sizeof(t) + wordSize - 1) / wordSize)))))
}

// cstring returns the address of a copy of s, with a NUL byte at the end.
func (a *arena) cstring(s string) uintptr {
	b := a.raw(len(s) + 1)
	copy(b, s)
	b[len(s)] = 0
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// cstrings returns the address of a list of copies of ss that ends with NULL.
func (a *arena) cstrings(ss []string) uintptr {
	w := a.words(len(ss) + 1)
	for i, s := range ss {
		w[i] = a.cstring(s)
	}
	return address(unsafe.SliceData(w))
}

// numbers returns the address of a list of ns as numbers of 32 bits.
func numbers[T int | uint32](a *arena, ns []T) uintptr {
	w := unsafe.SliceData(a.words((4*len(ns) + int(wordSize) - 1) / int(wordSize)))
	list := unsafe.Slice((*uint32)(unsafe.Pointer(w)), len(ns))
	for i, n := range ns {
		list[i] = uint32(n)
	}
	return address(w)
}

// address returns the address of something in an arena.
func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
