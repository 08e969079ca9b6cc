//go:build linux && !clone3_osexec

package exec_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// Output comes to its Writer whole, whatever kind that is of, and however much
// it is.
func TestOutputToWriters(t *testing.T) {
	for _, size := range []int{0, 1, 32 << 10, 256<<10 + 1, 3 << 20} {
		text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		var buffer, plain bytes.Buffer
		file, err := os.Create(t.TempDir() + "/file")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for name, w := range map[string]io.Writer{
			"ReaderFrom": &buffer,
			"Writer":     struct{ io.Writer }{&plain},
			"a file":     struct{ *os.File }{file},
			"Discard":    io.Discard,
		} {
			c := command("cat")
			c.Stdin, c.Stdout = strings.NewReader(text), w
			if err := c.Run(); err != nil {
				t.Errorf("%s, %d bytes: %v", name, size, err)
			}
		}
		written, err := os.ReadFile(file.Name())
		if err != nil || buffer.String() != text || plain.String() != text || string(written) != text {
			t.Errorf("of %d bytes got %d, %d and %d, %v", size, buffer.Len(), plain.Len(), len(written), err)
		}
	}
	c := command("echo", "a")
	c.Stdout = short{}
	if err := c.Run(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v, want %v", err, io.ErrShortWrite)
	}
}

type short struct{}

func (short) Write(b []byte) (int, error) { return len(b) - 1, nil }
