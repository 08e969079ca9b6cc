package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

// An includeFS is the function that reads a file, as a file system of files
// that never change.
type includeFS func(name string) ([]byte, error)

func (read includeFS) Open(name string) (fs.File, error) {
	data, err := read(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return newIncludeFile(name, data), nil
}

func newIncludeFile(name string, data []byte) fs.File {
	return &includeFile{bytes.NewReader(data), includeInfo{path.Base(name), int64(len(data))}}
}

type includeFile struct {
	io.Reader
	info includeInfo
}

func (f *includeFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *includeFile) Close() error               { return nil }

type includeInfo struct {
	name string
	size int64
}

func (i includeInfo) Name() string       { return i.name }
func (i includeInfo) Size() int64        { return i.size }
func (i includeInfo) Mode() fs.FileMode  { return 0o444 }
func (i includeInfo) ModTime() time.Time { return time.Time{} }
func (i includeInfo) IsDir() bool        { return false }
func (i includeInfo) Sys() any           { return nil }
