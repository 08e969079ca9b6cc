// Package textfs makes file systems of texts that are in memory, or made when
// they are asked for.
package textfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

// An FS is the function that reads a file, as a file system of files
// that never change.
type FS func(name string) ([]byte, error)

// Open makes FS a file system. A file that is not there is fs.ErrNotExist alone.
func (read FS) Open(name string) (fs.File, error) {
	data, err := read(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return File(name, data), nil
}

// File returns data as an open file of that name.
func File(name string, data []byte) fs.File {
	return &file{bytes.NewReader(data), info{path.Base(name), int64(len(data))}}
}

type file struct {
	io.Reader
	info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

type info struct {
	name string
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return 0o444 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }
