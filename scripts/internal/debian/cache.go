package debian

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Cache returns the directory that holds everything this project downloads:
// $CLONE3_CACHE, or clone3 in the user's cache directory. It may be deleted
// at any time when nothing runs.
func Cache() (string, error) {
	if dir := os.Getenv("CLONE3_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; set CLONE3_CACHE", err)
	}
	return filepath.Join(dir, "clone3"), nil
}

// Install makes dir once, whoever else tries at the same time: fill writes
// into a temporary directory beside it, which is renamed when fill succeeds.
// If dir exists, fill is not called.
func Install(dir string, fill func(tmp string) error) error {
	if exists(dir) {
		return nil
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if exists(dir) {
		return nil
	}
	tmp := hidden(dir, ".tmp")
	if err := os.RemoveAll(tmp); err != nil { // left by an interrupted run
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return err
	}
	if err := fill(tmp); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w: make room, or set CLONE3_CACHE to a directory that has some", err)
		}
		return fmt.Errorf("%s: %w", filepath.Base(dir), err)
	}
	return os.Rename(tmp, dir)
}

// hidden returns the path of a helper file of dir, which no pattern for
// directories of the cache matches.
func hidden(dir, ext string) string {
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+ext)
}

// lock takes the lock of dir and waits while another process has it.
func lock(dir string) (unlock func(), err error) {
	path := hidden(dir, ".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
