//go:build linux

package table

import "unsafe"

// A memory is what the system calls of a child read and write. It hands out
// addresses, which the garbage collector does not follow: memory is valid until
// reset, as long as the memory is reachable.
type memory struct {
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
func (m *memory) reset() {
	clear(m.full)
	m.full, m.used = m.full[:0], 0
	if len(m.chunk)*int(wordSize) > keepChunk {
		m.chunk = nil
	}
}

// more makes a chunk of at least n bytes the current one.
func (m *memory) more(n int) {
	if m.chunk != nil {
		m.full = append(m.full, m.chunk)
	}
	size := max(n, min(2*len(m.chunk)*int(wordSize), keepChunk), minChunk)
	words := (size + int(wordSize) - 1) / int(wordSize)
	m.used = 0
	m.chunk = make([]uintptr, words)
}

// Raw returns n bytes that may hold anything.
func (m *memory) Raw(n int) []byte {
	if m.used+n > len(m.chunk)*int(wordSize) {
		m.more(n)
	}
	p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(m.chunk)), m.used)
	m.used += n
	return unsafe.Slice((*byte)(p), n)
}

// Words returns n zeroed words.
func (m *memory) Words(n int) []uintptr {
	m.align()
	b := m.Raw(n * int(wordSize))
	w := unsafe.Slice((*uintptr)(unsafe.Pointer(unsafe.SliceData(b))), n)
	clear(w)
	return w
}

func (m *memory) align() { m.used = (m.used + int(wordSize) - 1) &^ (int(wordSize) - 1) }

// In returns the address of a new zeroed T. T must not hold pointers.
func In[T any](t *Table) *T {
	var v T
	return (*T)(unsafe.Pointer(unsafe.SliceData(t.Words(int((unsafe.Sizeof(v) + wordSize - 1) / wordSize)))))
}

// CString returns the address of a copy of s, with a NUL byte at the end.
func (m *memory) CString(s string) uintptr {
	b := m.Raw(len(s) + 1)
	copy(b, s)
	b[len(s)] = 0
	return Address(unsafe.SliceData(b))
}

// CStrings returns the address of a list of copies of ss that ends with NULL.
func (m *memory) CStrings(ss []string) uintptr {
	w := m.Words(len(ss) + 1)
	for i, s := range ss {
		w[i] = m.CString(s)
	}
	return Address(unsafe.SliceData(w))
}

// Numbers returns the address of a list of ns as numbers of 32 bits.
func Numbers[T int | uint32](t *Table, ns []T) uintptr {
	w := unsafe.SliceData(t.Words((4*len(ns) + int(wordSize) - 1) / int(wordSize)))
	list := unsafe.Slice((*uint32)(unsafe.Pointer(w)), len(ns))
	for i, n := range ns {
		list[i] = uint32(n)
	}
	return Address(w)
}

// Address returns the address of something that a Table has handed out.
func Address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// Low32 returns the half of a word that holds a number of 32 bits.
func Low32(w *uintptr) *int32 {
	halves := (*[wordSize / 4]int32)(unsafe.Pointer(w))
	if one := uintptr(1); *(*byte)(unsafe.Pointer(&one)) == 1 { // little endian
		return &halves[0]
	}
	return &halves[len(halves)-1]
}
