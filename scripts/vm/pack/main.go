//go:build linux

// Pack brings the counters of coverage out of a test machine, by its console.
//
//	pack run DIR PROGRAM ARG...   executes a program that leaves them in DIR, as
//	                              do those that it executes
//	pack print DIR                prints them, for scripts/vm
package main

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func main() {
	err := errors.New("usage: pack run DIR PROGRAM ARG... | pack print DIR")
	switch {
	case len(os.Args) > 3 && os.Args[1] == "run":
		os.Mkdir(os.Args[2], 0o777)
		os.Chmod(os.Args[2], 0o777) // they replace files of each other, as any user
		os.Setenv("GOCOVERDIR", os.Args[2])
		err = syscall.Exec(os.Args[3], os.Args[3:], os.Environ())
	case len(os.Args) == 3 && os.Args[1] == "print":
		err = print(os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// print prints the files of counters, by name.
func print(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "cov*"))
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return err
		}
	}
	text := base64.NewEncoder(base64.StdEncoding, os.Stdout)
	packed := gzip.NewWriter(text)
	return errors.Join(json.NewEncoder(packed).Encode(files), packed.Close(), text.Close())
}
