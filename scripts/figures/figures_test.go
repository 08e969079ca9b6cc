package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const repo = "../.."

// some are figures of everything that a picture shows, none of which is like
// another.
func some() *Figures {
	f := &Figures{Date: "2026-11-28", Machine: "a <machine>", CPUs: 2, GiB: 24, Kernel: "7.3.4", Go: "go1.26.0", Results: map[string]map[string]float64{}}
	n := 0.0
	set := func(benchmark string, units ...string) {
		for _, unit := range units {
			if unit == "" {
				continue
			}
			if f.Results[benchmark] == nil {
				f.Results[benchmark] = map[string]float64{}
			}
			n++
			f.Results[benchmark][unit] = 1000 + n
		}
	}
	for _, r := range ratios {
		set(r.ours, r.unit)
		set(r.peer, r.unit)
	}
	for _, p := range pictures {
		for _, q := range p.panels {
			for _, b := range q.bars {
				set(b.benchmark, b.unit, b.whisker)
			}
			for _, l := range q.lines {
				for _, at := range l.at {
					set(l.at1(at), l.unit)
				}
			}
		}
	}
	return f
}

// A picture that is not drawn of the figures beside it would lie.
func TestPicturesShowTheFiguresThatAreKept(t *testing.T) {
	dir := filepath.Join(repo, "testdata", "figures")
	f, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := f.files()
	if err != nil {
		t.Fatal(err)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(there) != len(files) {
		t.Errorf("there are %d files, want %d", len(there), len(files))
	}
	for _, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, want.name)); err != nil || !bytes.Equal(got, want.data) {
			t.Errorf("%s is not fresh (%v): go run . -draw", want.name, err)
		}
	}
}

func TestPicturesAreWellFormedAndSayWhatTheyShow(t *testing.T) {
	f := some()
	if err := f.compute(); err != nil {
		t.Fatal(err)
	}
	files, err := f.files()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + len(pictures)*len(looks); len(files) != want {
		t.Fatalf("%d files, want %d", len(files), want)
	}
	for _, file := range files[1:] {
		d := xml.NewDecoder(bytes.NewReader(file.data))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file.name, err)
			}
		}
		for _, want := range []string{"<title>", "a &lt;machine&gt;, 2 processors", "28 November 2026", `width="830"`} {
			if !bytes.Contains(file.data, []byte(want)) {
				t.Errorf("%s lacks %s", file.name, want)
			}
		}
	}
}

func TestAPictureOfWhatWasNotMeasuredIsAnError(t *testing.T) {
	for _, lacks := range []string{"FigureSpawn/c-clone3", "FigureSpawn/clone3", "FigureConfined/both"} {
		f := some()
		delete(f.Results, lacks)
		if _, err := f.files(); err == nil || !strings.Contains(err.Error(), lacks) {
			t.Errorf("without %s: got %v", lacks, err)
		}
	}
	f := some()
	for _, n := range []string{"1", "2", "4"} { // a line without three of its four points
		if _, err := f.files(); err != nil {
			t.Error(err)
		}
		delete(f.Results, "FigureHeap/os-exec-user/"+n)
	}
	if _, err := f.files(); err == nil || !strings.Contains(err.Error(), "FigureHeap/os-exec-user") {
		t.Errorf("got %v", err)
	}
	f = some()
	delete(f.Results, "FigureGen/bindgen-amd64") // which may not be installed
	if files, err := f.files(); err != nil {
		t.Error(err)
	} else if bytes.Contains(files[len(files)-1].data, []byte("bindgen")) {
		t.Error("a bar that has no value is there")
	}
	if err := f.compute(); err != nil || f.Ratios["bindings: gen to bindgen"] != 0 {
		t.Errorf("got %v, %v", f.Ratios, err)
	}
}

func TestParse(t *testing.T) {
	out := "goos: linux\nBenchmarkA/x/10-2 \t 1 \t 12.345678 p10-us\t 3 threads\n    a_test.go:1: BenchmarkA is a word\nBenchmarkB-2\t1\t2 ns/op\nPASS\n"
	f := &Figures{Results: map[string]map[string]float64{}}
	if err := f.parse([]byte(out), 2); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]float64{"A/x/10": {"p10-us": 12.35, "threads": 3}, "B": {"ns/op": 2}}
	if !reflect.DeepEqual(f.Results, want) {
		t.Errorf("got %v, want %v", f.Results, want)
	}
	if err := f.parse([]byte(out), 2); err == nil {
		t.Error("two results are none")
	}
	one := &Figures{Results: map[string]map[string]float64{}}
	if err := one.parse([]byte("BenchmarkA/x/10 1 1 p10-us\n"), 1); err != nil || one.Results["A/x/10"] == nil {
		t.Errorf("got %v, %v", one.Results, err)
	}
	if err := one.parse([]byte("BenchmarkC 1 x p10-us\n"), 1); err == nil {
		t.Error("x is a number")
	}
}

func TestWarnings(t *testing.T) {
	figures := func(ratio float64) *Figures {
		return &Figures{Date: "2026-11-28", CPUs: 2, Ratios: map[string]float64{ratios[0].name: ratio}}
	}
	if got := warnings(nil, figures(9)); got != nil {
		t.Errorf("nothing is kept: got %q", got)
	}
	for now, want := range map[float64]int{0.5: 0, 1: 0, 1.14: 0, 1.16: 1} {
		if got := warnings(figures(1), figures(now)); len(got) != want {
			t.Errorf("1 became %v: got %q", now, got)
		}
	}
	other := figures(2)
	other.Kernel, other.Load = "7.3.4", 1.5
	if got := strings.Join(warnings(figures(1), other), "\n"); !strings.Contains(got, "another machine") || !strings.Contains(got, "load 1.5") || !strings.Contains(got, "100 % worse") {
		t.Errorf("got %q", got)
	}
}

func TestReplaceWritesAllOrNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "figures")
	names := func() (all []string) {
		there, _ := os.ReadDir(dir)
		for _, e := range there {
			b, _ := os.ReadFile(filepath.Join(dir, e.Name()))
			all = append(all, e.Name()+" "+string(b))
		}
		return all
	}
	check := func(want ...string) {
		t.Helper()
		if got := names(); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if there, _ := os.ReadDir(filepath.Dir(dir)); len(there) != 1 {
			t.Errorf("something is left beside: %v", there)
		}
	}
	if err := replace(dir, []file{{"a", []byte("1")}}); err != nil {
		t.Fatal(err)
	}
	check("a 1")
	if err := replace(dir, []file{{"a", []byte("2")}, {"b", []byte("2")}}); err != nil {
		t.Fatal(err)
	}
	check("a 2", "b 2")
	if err := replace(dir, []file{{"a", []byte("3")}, {"b", nil}, {"no such directory/c", nil}}); err == nil {
		t.Error("a file was written where it cannot be")
	}
	check("a 2", "b 2")
	if err := replace(dir, []file{{"a", []byte("3")}}); err == nil || !strings.Contains(err.Error(), "in the way") {
		t.Errorf("a file that is not known is lost: %v", err)
	}
	check("a 2", "b 2")
}

func TestFormat(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.1678: "0.168", 80.4: "80.4", 999: "999", 1001: "1,001", 1234567: "1,234,567"} {
		if got := format(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}
