//go:build linux

package linux

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Files of /proc and of control groups are read without package os. Some of them
// can be polled, and it would wait for what is there at once.

// readFile returns what is in a file of the kernel.
func readFile(name string) ([]byte, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	text := make([]byte, 0, 512)
	for interrupted := 0; ; {
		n, err := unix.Read(fd, text[len(text):cap(text)])
		switch {
		case err == unix.EINTR && interrupted < interruptions:
			interrupted++
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: name, Err: err}
		case n == 0:
			return text, nil
		default:
			text = append(text[:len(text)+n], 0)[:len(text)+n] // with room for more
		}
	}
}

// readFirst returns the first byte of a file of the kernel, which has one, and
// whose it is.
func readFirst(dir int, name string) (first byte, stat unix.Stat_t, err error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, stat, err
	}
	defer unix.Close(fd)
	if err := unix.Fstat(fd, &stat); err != nil {
		return 0, stat, err
	}
	var value [1]byte
	_, err = unix.Read(fd, value[:])
	return value[0], stat, err
}
