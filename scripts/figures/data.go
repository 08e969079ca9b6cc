package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Figures are what a run has measured. All are of one run on one machine, in
// which ours and the peers took turns.
type Figures struct {
	Date    string  // year, month and day
	Machine string  // the processor
	CPUs    int     // of which so many
	GiB     int     // of memory
	Kernel  string  // its release
	Go      string  // its version
	Load    float64 // of the machine when it began, as uptime tells it

	// Ratios are how many times as long ours take as their peers, or as much as
	// they have, by the names of the table of ratios. Less is better.
	Ratios map[string]float64

	// Results are the metrics of the benchmarks, by their names without
	// Benchmark, and by their units.
	Results map[string]map[string]float64
}

// dataFile is where they are kept.
const dataFile = "figures.json"

func read(dir string) (*Figures, error) {
	b, err := os.ReadFile(filepath.Join(dir, dataFile))
	if err != nil {
		return nil, err
	}
	var f Figures
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, dataFile), err)
	}
	return &f, nil
}

// get returns a metric, or an error that says what has not been measured.
func (f *Figures) get(benchmark, unit string) (float64, error) {
	v, ok := f.Results[benchmark][unit]
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
		return 0, fmt.Errorf("no %s of Benchmark%s was reported; its output says why", unit, benchmark)
	}
	return v, nil
}

// A ratio is of ours to a peer of the same run.
type ratio struct {
	name       string
	ours, peer string // benchmarks
	unit       string // of both
	optional   bool   // the peer may not be installed
}

// ratios are those that are kept and compared. The tenth percentile is less
// disturbed by what else the machine does than the median.
var ratios = []ratio{
	{"spawn: Clone3 to clone3 in C", "FigureSpawn/clone3", "FigureSpawn/c-clone3", "p10-us", false},
	{"spawn: Clone3 to os.StartProcess", "FigureSpawn/clone3", "FigureSpawn/StartProcess", "p10-us", false},
	{"spawn: linux/exec to os/exec", "FigureSpawn/linux-exec", "FigureSpawn/os-exec", "p10-us", false},
	{"10,000 descriptors: Clone3 to os/exec", "FigureDescriptors/clone3/10000", "FigureDescriptors/os-exec/10000", "p10-us", false},
	{"1 GiB, user namespace: Clone3 to os/exec", "FigureHeap/clone3-user/1", "FigureHeap/os-exec-user/1", "p10-us", false},
	{"garbage collection: Clone3 to os.StartProcess", "GCPauseUnderSpawn/clone3", "GCPauseUnderSpawn/StartProcess", "p50-us", false},
	{"threads of 5,000 waiters: Clone3 to os/exec", "Wait/clone3/5000", "Wait/os-exec/5000", "threads", false},
	{"memory of 5,000 waiters: Clone3 to os/exec", "Wait/clone3/5000", "Wait/os-exec/5000", "MB", false},
	{"confined: Clone3 to a helper", "FigureConfined/both", "FigureConfined/os-exec-helper", "p10-us", false},
	{"confined: Clone3 to not confined", "FigureConfined/both", "FigureConfined/plain", "p10-us", false},
	{"bindings: gen to cgo -godefs", "FigureGen/gen-amd64", "FigureGen/godefs-amd64", "p50-ms", true},
	{"bindings: gen to bindgen", "FigureGen/gen-amd64", "FigureGen/bindgen-amd64", "p50-ms", true},
}

// compute fills in the ratios of what has been measured. It is an error if
// any of what they need was not.
func (f *Figures) compute() error {
	f.Ratios = map[string]float64{}
	for _, r := range ratios {
		ours, err := f.get(r.ours, r.unit)
		if err != nil {
			return err
		}
		peer, err := f.get(r.peer, r.unit)
		if err != nil && r.optional {
			fmt.Fprintln(os.Stderr, "figures: without", r.peer)
			continue
		}
		if err != nil {
			return err
		}
		f.Ratios[r.name] = round(ours / peer)
	}
	return nil
}

// tolerated is by how much a ratio may grow before that is worth a warning. So
// much it differs between runs on a machine that others use, too.
const tolerated = 1.15

// warnings tells which ratios are worse than those that are kept, if there are
// any, and whether the machine was busy.
func warnings(kept, now *Figures) (all []string) {
	if now.Load > busy*float64(now.CPUs) {
		all = append(all, fmt.Sprintf("the machine was busy when this began (load %.1f): the figures mean less, and pictures are better made on a quiet one", now.Load))
	}
	if kept == nil {
		return all
	}
	worse := len(all)
	for _, r := range ratios {
		was, is := kept.Ratios[r.name], now.Ratios[r.name]
		if was > 0 && is > was*tolerated {
			all = append(all, fmt.Sprintf("%s: %.3g, was %.3g on %s, which is %.0f %% worse", r.name, is, was, kept.Date, (is/was-1)*100))
		}
	}
	if len(all) > worse && kept.machine() != now.machine() {
		all = append(all, fmt.Sprintf("the kept figures are of another machine: %s; this is %s", kept.machine(), now.machine()))
	}
	return all
}

// busy is the load for each processor above which a machine is not quiet.
const busy = 0.5

func (f *Figures) machine() string {
	return fmt.Sprintf("%s, %d processors, %d GiB, Linux %s, %s", f.Machine, f.CPUs, f.GiB, f.Kernel, f.Go)
}

// text is a table of the ratios.
func (f *Figures) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s\nTimes as long as the peer takes, or as much as it has:\n", f.machine(), f.Date)
	for _, r := range ratios {
		if v := f.Ratios[r.name]; v > 0 {
			fmt.Fprintf(&b, "  %-48s %.3g\n", r.name, v)
		}
	}
	return b.String()
}

// round keeps four digits: more are noise, and make differences long.
func round(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// A file is what is kept in one.
type file struct {
	name string
	data []byte
}

// files are all that is kept: the figures, and their pictures.
func (f *Figures) files() ([]file, error) {
	b, err := json.MarshalIndent(f, "", "\t")
	if err != nil {
		return nil, err
	}
	all := []file{{dataFile, append(b, '\n')}}
	for _, p := range pictures {
		for _, look := range looks {
			svg, err := p.svg(f, look)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			all = append(all, file{p.name + "-" + look.name + ".svg", svg})
		}
	}
	return all, nil
}

// replace makes files all that is in a directory, or leaves it as it is: they are
// written to a directory beside, and the two are exchanged.
func replace(dir string, files []file) error {
	dir = filepath.Clean(dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	beside, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".")
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := os.Chmod(beside, info.Mode().Perm()); err != nil {
		return err
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
		if err := os.WriteFile(filepath.Join(beside, f.name), f.data, 0o666); err != nil {
			return err
		}
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range there {
		if !slices.Contains(names, e.Name()) {
			return fmt.Errorf("%s: not a file that this program writes; it is in the way", filepath.Join(dir, e.Name()))
		}
	}
	if err := unix.Renameat2(unix.AT_FDCWD, beside, unix.AT_FDCWD, dir, unix.RENAME_EXCHANGE); err != nil {
		return &os.LinkError{Op: "exchange", Old: beside, New: dir, Err: err}
	}
	return nil
}
