package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-clone3/clone3/scripts/internal/guest"
)

// coverFlags let go test count the statements of the whole module that tests
// execute.
var coverFlags = []string{"-cover", "-covermode=set", "-coverpkg=./..."}

// packFile is where the program is in the machine that prints the counters.
const packFile = "pack"

// counted lets the tests write their counters, and the last run print them. They
// are where the tests run, as that belongs to whoever runs them.
func (j *Job) counted() {
	pack := guest.Run{Package: "the counters of coverage", Dir: "/", Args: []string{"/" + packFile}}
	for i := range j.Runs {
		r := &j.Runs[i]
		r.Args = append(r.Args, "-test.gocoverdir="+r.Dir)
		pack.Args = append(pack.Args, r.Dir)
	}
	j.Runs = append(j.Runs, pack)
	j.Counters = new(bytes.Buffer)
}

// counts reports whether a run is the one that prints the counters.
func (j Job) counts(run int) bool { return j.Counters != nil && run == len(j.Runs)-1 }

// unpack writes counters, as they came out of a machine, to files in dir.
func unpack(counters []byte, dir string) error {
	var files map[string][]byte
	if err := json.Unmarshal(counters, &files); err != nil {
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
