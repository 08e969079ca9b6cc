//go:build linux

package table

import (
	"bytes"
	"os"
	"testing"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// dirty returns a table whose memory was used before.
func dirty() *Table {
	t := new(Table)
	for _, n := range []int{100, 3 * minChunk, 200} {
		b := t.Raw(n)
		for i := range b {
			b[i] = 0xa5
		}
	}
	t.Reset()
	return t
}

// What is handed out is as if the memory was new.
func TestMemoryThatIsUsedAgain(t *testing.T) {
	table := dirty()
	for range 10 {
		address := table.CString("abc")
		chunk := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(table.chunk))), len(table.chunk)*int(wordSize))
		got := chunk[address-Address(unsafe.SliceData(table.chunk)):][:4]
		if !bytes.Equal(got, []byte("abc\x00")) {
			t.Fatalf("CString: got %q, want an end", got)
		}
	}
	table = dirty()
	table.Raw(3)
	for _, w := range table.Words(100) {
		if w != 0 {
			t.Fatalf("Words: got %#x, want 0", w)
		}
	}
	if v := In[[3]uint64](table); *v != [3]uint64{} {
		t.Errorf("In: got %#x, want zeroes", *v)
	}
}

// Words lie where words may lie, whatever comes before.
func TestWordsAreAligned(t *testing.T) {
	var table Table
	for n := range 20 {
		table.Raw(n)
		if a := Address(unsafe.SliceData(table.Words(2))); a%wordSize != 0 {
			t.Errorf("behind %d bytes: words at %#x", n, a)
		}
	}
}

// Memory is nobody else's: it lies within a chunk, and keeps what is written to
// it when there are more chunks.
func TestMemoryIsNotHandedOutTwice(t *testing.T) {
	var table Table
	var all [][]byte
	for i := range 3000 {
		b := table.Raw(1 + i%97)
		if size := len(table.chunk) * int(wordSize); table.used > size {
			t.Fatalf("%d bytes of a chunk of %d are in use", table.used, size)
		}
		for j := range b {
			b[j] = byte(i)
		}
		all = append(all, b)
	}
	for i, b := range all {
		if want := bytes.Repeat([]byte{byte(i)}, 1+i%97); !bytes.Equal(b, want) {
			t.Fatalf("piece %d has been written to", i)
		}
	}
}

// A table that has once been large does not stay so.
func TestLargeMemoryIsGivenBack(t *testing.T) {
	var table Table
	table.Raw(16 * keepChunk)
	table.Reset()
	if size := len(table.chunk) * int(wordSize); size > keepChunk {
		t.Errorf("%d bytes are kept, want %d at most", size, keepChunk)
	}
}

// A demand is for one result, and no other near it.
func TestDemand(t *testing.T) {
	for off, met := range map[int]bool{-1: false, 0: true, 1: false} {
		var table Table
		begin(&table, true)
		table.Demand(uintptr(os.Getpid()+off), Label{Verb: "ask"}, uapi.SYS_GETPPID)
		table.Call(Label{Verb: "end"}, uapi.SYS_CLOSE, ^uintptr(0))
		if f := run(t, &table); (f.Label.Verb == "end") != met {
			t.Errorf("demanding %+d: the child has come to %v (%v)", off, f.Label, f.Err())
		}
		table.Reset()
	}
}
