package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-clone3/clone3/scripts/internal/guest"
)

// coverFlags let go test count the statements of the libraries that tests
// execute.
var coverFlags = []string{"-cover", "-covermode=set", "-coverpkg=./linux/...,./uapi"}

const (
	packFile   = "pack" // scripts/vm/pack in the machine
	counterDir = "/tmp/counters"
)

// counted lets the tests, and test binaries that they execute once more, write
// their counters, and the last run print them.
func (j *Job) counted() {
	for i := range j.Runs {
		r := &j.Runs[i]
		r.Args = append([]string{"/" + packFile, "run", counterDir}, append(r.Args, "-test.gocoverdir="+counterDir)...)
	}
	j.Runs = append(j.Runs, guest.Run{Package: "the counters of coverage", Dir: "/", Args: []string{"/" + packFile, "print", counterDir}})
	j.Counters = new(bytes.Buffer)
}

// counts reports whether a run is the one that prints the counters.
func (j Job) counts(run int) bool { return j.Counters != nil && run == len(j.Runs)-1 }

// unpack writes counters, as they came out of a machine, to files in dir.
func unpack(counters []byte, dir string) error {
	var files map[string][]byte
	packed, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(counters)))
	if err == nil {
		err = json.NewDecoder(packed).Decode(&files)
	}
	if err != nil {
		return fmt.Errorf("the counters of coverage are not whole: %w", err)
	}
	if len(files) == 0 {
		return errors.New("the tests have written no counters of coverage")
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
