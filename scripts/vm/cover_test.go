package main

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// packed is what pack prints of files.
func packed(t *testing.T, files map[string][]byte) string {
	t.Helper()
	var b strings.Builder
	text := base64.NewEncoder(base64.StdEncoding, &b)
	zip := gzip.NewWriter(text)
	if err := errors.Join(json.NewEncoder(zip).Encode(files), zip.Close(), text.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The counters of coverage are not part of the output, and come out of the
// machine whatever the status of its tests is.
func TestCountersOfCoverage(t *testing.T) {
	counters := packed(t, map[string][]byte{"covmeta.1": []byte("meta"), "covcounters.1": {0, 1, 2}})
	for name, tt := range map[string]struct {
		text        string
		status      int
		output, err string
		files       map[string]string
	}{
		"the tests pass":   {booted("PASS\n:0", counters+":0"), 0, "PASS\nok  \tp\t", "", map[string]string{"covmeta.1": "meta", "covcounters.1": "\x00\x01\x02"}},
		"they fail":        {booted("FAIL\n:1", counters+":0"), 1, "FAIL\nexit status 1\nFAIL\tp\t", "", map[string]string{"covmeta.1": "meta", "covcounters.1": "\x00\x01\x02"}},
		"there are none":   {booted("PASS\n:0", packed(t, nil)+":0"), statusBroken, "PASS\nok  \tp\t", "the tests have written no counters of coverage", nil},
		"they are cut off": {booted("PASS\n:0", counters[:20]+":0"), statusBroken, "PASS\nok  \tp\t", "the counters of coverage are not whole", nil},
		"they break":       {strings.SplitAfter(booted("PASS\n:0", counters+":0"), counters)[0], statusBroken, "PASS\nok  \tp\t", "the machine ended while the counters", nil},
	} {
		t.Run(name, func(t *testing.T) {
			serve(t, map[string][]string{"amd64": {kernel + " 7.3.4-1"}})
			dir := t.TempDir()
			o := Options{
				goarch: "amd64", timeout: time.Minute, cover: dir,
				table: Table{Machines: []Machine{fakeMachine(t, tt.text)}},
				programs: func(context.Context, string) (Programs, error) {
					return Programs{Tests: []TestBinary{{Package: "p"}}}, nil
				},
			}
			var stdout, stderr strings.Builder
			status, err := runOne(t.Context(), o, &stdout, &stderr)
			if status != tt.status || !strings.HasPrefix(stdout.String(), tt.output) || strings.Count(stdout.String(), "\n") != strings.Count(tt.output, "\n")+1 {
				t.Errorf("got status %d and %q, want %d and %q", status, &stdout, tt.status, tt.output)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			names, _ := filepath.Glob(filepath.Join(dir, "*"))
			if len(names) != len(tt.files) {
				t.Errorf("got files %q", names)
			}
			for name, want := range tt.files {
				if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
					t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
				}
			}
		})
	}
}
