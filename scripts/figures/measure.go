package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A run is of benchmarks of a package. Those that a picture needs make as many
// children as it takes; with -benchtime=1x they do so once.
type benchmarks struct{ pkg, pattern string }

var runs = []benchmarks{
	{"./linux", "^Benchmark(Figure.*|GCPauseUnderSpawn|Wait)$"},
	{"./gen", "^BenchmarkFigureGen$"},
}

// limit is how long a run may take. It takes a minute on a quiet machine.
const limit = 5 * time.Minute

// measure runs the benchmarks, and returns what all of them have reported, or
// an error.
func measure(repo string) (*Figures, error) {
	f, err := machine(repo)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		out, err := r.run(repo)
		if err != nil {
			return nil, err
		}
		if err := f.parse(out, runtime.GOMAXPROCS(0)); err != nil {
			return nil, fmt.Errorf("%s: %w", r.pkg, err)
		}
	}
	return f, f.compute()
}

func (r benchmarks) run(repo string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-bench="+r.pattern, "-benchtime=1x", "-timeout="+limit.String(), r.pkg)
	cmd.Dir = repo
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, os.Stderr), os.Stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return out.Bytes(), nil
}

// parse adds the lines of go test that report metrics. Their names end in the
// number of processors, unless that is 1.
func (f *Figures) parse(out []byte, processors int) error {
	suffix := ""
	if processors > 1 {
		suffix = "-" + strconv.Itoa(processors)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || len(fields)%2 != 0 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(fields[0], "Benchmark"), suffix)
		if f.Results[name] != nil {
			return fmt.Errorf("two results of Benchmark%s", name)
		}
		metrics := map[string]float64{}
		for i := 2; i < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
			metrics[fields[i+1]] = round(v)
		}
		f.Results[name] = metrics
	}
	return nil
}

// machine returns figures that say where they are from, and nothing else.
func machine(repo string) (*Figures, error) {
	f := &Figures{Date: time.Now().Format(time.DateOnly), CPUs: runtime.NumCPU(), Machine: runtime.GOARCH, Results: map[string]map[string]float64{}}
	cpus, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(cpus)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			f.Machine = strings.TrimSpace(value) + ", " + runtime.GOARCH
			break
		}
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, err
	}
	f.Kernel, _, _ = strings.Cut(unix.ByteSliceToString(name.Release[:]), "-") // what follows names a build
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return nil, err
	}
	f.GiB = int((uint64(info.Totalram)*uint64(info.Unit) + 1<<29) >> 30)
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Sscan(string(load), &f.Load); err != nil {
		return nil, fmt.Errorf("/proc/loadavg: %w", err)
	}
	cmd := exec.Command("go", "env", "GOVERSION") // of the module that is measured
	cmd.Dir = filepath.Clean(repo)
	version, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOVERSION: %w", err)
	}
	f.Go = strings.TrimSpace(string(version))
	return f, nil
}
