//go:build linux && !clone3_osexec

package exec

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Much output is copied in large pieces, from a large pipe: each piece costs both
// processes a switch. Little output needs neither, and pipes of one user cannot
// all be large: beyond user/pipe-user-pages-soft new ones have a page. So both
// grow when there has been some output.
const (
	firstPiece = 32 << 10
	much       = 256 << 10 // bytes of output after which the pipe grows to as many
)

// pump copies what comes from the command to w.
func pump(w io.Writer, pipe *os.File) error {
	if _, ok := w.(syscall.Conn); ok {
		_, err := io.Copy(w, pipe) // which may be done within the kernel
		return err
	}
	r := &growing{pipe: pipe}
	if to, ok := w.(io.ReaderFrom); ok && w != io.Discard { // which reads in small pieces
		_, err := to.ReadFrom(r)
		return err
	}
	for buffer := make([]byte, firstPiece); ; {
		n, err := r.Read(buffer)
		if n > 0 {
			written, err := w.Write(buffer[:n])
			if err == nil && written < n {
				err = io.ErrShortWrite
			}
			if err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if r.grown && len(buffer) < much {
			buffer = make([]byte, much)
		}
	}
}

// A growing is the end of a pipe to read from. The pipe becomes larger once there
// was much to read.
type growing struct {
	pipe  *os.File
	total int
	grown bool
}

func (g *growing) Read(b []byte) (int, error) {
	n, err := g.pipe.Read(b)
	if g.total += n; g.total >= much && !g.grown {
		g.grown = true
		if conn, err := g.pipe.SyscallConn(); err == nil {
			conn.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, much) }) // it may be refused
		}
	}
	return n, err
}
