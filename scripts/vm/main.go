// Vm runs the tests of packages on a real kernel in an emulated machine.
//
// It gets the kernel from Debian, or builds it from Debian's source, cross-
// compiles the tests, boots the kernel with them as its first file system, prints
// what they print and exits with their status. testdata/kernels.txt lists the kernels and machines.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

const usage = `usage: vm [flags] [packages]   (default: those that ask the kernel something)

`

// Exit statuses besides those of the tests.
const (
	statusUsage  = 124
	statusBroken = 125 // the tests did not run to their end
)

// kernelDirs are the directories of the packages whose tests ask the kernel
// something.
var kernelDirs = []string{"linux", "scripts/kerneltest", "uapi"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// Options are the command line.
type Options struct {
	root     string // the module's directory
	table    Table
	release  string
	goarch   string
	uid      int
	timeout  time.Duration
	build    bool // only build the kernel
	console  bool // print what the kernel says
	matrix   string
	report   string
	cover    string // the directory for the counters of coverage, or ""
	flags    []string
	packages []string
	// programs makes what a machine runs; tests have none that are built.
	programs func(ctx context.Context, goarch string) (Programs, error)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "vm:", err)
		return statusUsage
	}
	if o.root, err = moduleRoot(); err == nil {
		o.table, err = readTable(o.root)
	}
	if len(o.packages) == 0 {
		for _, dir := range kernelDirs {
			if _, err := os.Stat(filepath.Join(o.root, dir)); err == nil {
				o.packages = append(o.packages, "./"+dir+"/...")
			}
		}
	}
	o.programs = func(ctx context.Context, goarch string) (Programs, error) {
		return Build(ctx, o.root, goarch, o.packages, o.cover != "")
	}
	status := statusBroken
	switch {
	case err != nil:
	case o.matrix != "":
		status, err = runMatrix(ctx, o, stdout, stderr)
	default:
		status, err = runOne(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "vm:", err)
	}
	return status
}

func parse(args []string, stderr io.Writer) (Options, error) {
	var o Options
	f := flag.NewFlagSet("vm", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() { f.SetOutput(stderr); io.WriteString(stderr, usage); f.PrintDefaults() }
	f.StringVar(&o.release, "kernel", "", "the kernel's release, X.Y or X.Y.Z (default the newest)")
	f.StringVar(&o.goarch, "arch", "amd64", "GOARCH of the tests")
	f.IntVar(&o.uid, "uid", 0, "user that runs the tests")
	f.BoolVar(&o.console, "console", false, "print what the kernel says while it starts")
	f.BoolVar(&o.build, "build", false, "build the machine's kernel, print its path, and run nothing")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "limit for each package's tests")
	f.StringVar(&o.matrix, "matrix", "", "pr or all: run on these guests of the table, as root and as a user")
	f.StringVar(&o.report, "report", "", "with -matrix: write the results into this file")
	f.StringVar(&o.cover, "cover", "", "count the statements that are executed, and leave the counters in this `directory`")
	verbose := f.Bool("v", false, "as in go test")
	short := f.Bool("short", false, "as in go test")
	tests := f.String("run", "", "as in go test")
	count := f.Int("count", 1, "as in go test")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.matrix != "" && o.matrix != "pr" && o.matrix != "all" {
		return o, fmt.Errorf("-matrix=%s: want pr or all", o.matrix)
	}
	o.packages = f.Args()
	o.flags = []string{"-timeout=" + o.timeout.String(), "-count=" + strconv.Itoa(*count)}
	if *verbose {
		o.flags = append(o.flags, "-v")
	}
	if *short {
		o.flags = append(o.flags, "-short")
	}
	if *tests != "" {
		o.flags = append(o.flags, "-run="+*tests)
	}
	return o, nil
}

// runOne runs the tests on one kernel and returns the status to exit with.
func runOne(ctx context.Context, o Options, stdout, stderr io.Writer) (int, error) {
	machines, err := o.table.For(o.goarch)
	if err != nil {
		return statusUsage, err
	}
	ks := Kernels{&debian.Archive{Log: stderr}, o.root, stderr}
	if o.build {
		machines = slices.DeleteFunc(machines, func(m Machine) bool { return !m.Built() })
		if len(machines) == 0 {
			return statusUsage, fmt.Errorf("no machine for %s builds its kernel: make vm ARCH=%[1]s fetches one", o.goarch)
		}
	}
	machine, kernel, err := ks.choose(machines, o.release)
	if err != nil {
		return statusBroken, err
	}
	if o.build {
		if kernel, err = ks.fetch(ctx, machine, kernel); err != nil {
			return statusBroken, err
		}
		fmt.Fprintln(stdout, kernel.Path)
		return 0, nil
	}
	if machine, err = ks.emulator(ctx, machine); err != nil {
		return statusBroken, err
	}
	if kernel, err = ks.fetch(ctx, machine, kernel); err != nil {
		return statusBroken, err
	}
	programs, err := o.programs(ctx, o.goarch)
	if err != nil {
		return statusBroken, err
	}
	fmt.Fprintf(stderr, "linux %s, GOARCH %s, uid %d (%s)\n", kernel.Version, o.goarch, o.uid, kernel.From)
	job := Job{Machine: machine, Kernel: kernel, Files: programs.Files, Limit: o.timeout}
	for _, t := range programs.Tests {
		job.Runs = append(job.Runs, t.Run(o.uid, o.flags))
	}
	if o.cover != "" {
		job.counted()
	}
	status, err := stream(ctx, job, o.console, stdout, stderr)
	if err == nil && o.cover != "" {
		err = unpack(job.Counters.Bytes(), o.cover)
	}
	if err != nil {
		return statusBroken, err
	}
	return status, nil
}

// stream boots the job and prints what go test would. The status is that of
// the first tests that failed.
func stream(ctx context.Context, job Job, console bool, stdout, stderr io.Writer) (status int, err error) {
	var began time.Time
	var open bool // the output does not end in a newline
	endLine := func() {
		if open {
			fmt.Fprintln(stdout)
		}
		open = false
	}
	watch := Watcher{
		Start: func(int) { began = time.Now() },
		Output: func(run int, text string) {
			if job.counts(run) {
				job.Counters.WriteString(text)
				return
			}
			io.WriteString(stdout, text)
			if text != "" {
				open = !strings.HasSuffix(text, "\n")
			}
		},
		Exit: func(run, code int) {
			endLine()
			if code == 0 && job.counts(run) {
				return
			}
			pkg, took := job.Runs[run].Package, time.Since(began).Seconds()
			if code == 0 {
				fmt.Fprintf(stdout, "ok  \t%s\t%.3fs\n", pkg, took)
			} else {
				fmt.Fprintf(stdout, "exit status %d\nFAIL\t%s\t%.3fs\n", code, pkg, took)
			}
			if status == 0 {
				status = code
			}
		},
	}
	if console {
		watch.Kernel = func(line string) { fmt.Fprintln(stderr, line) }
	}
	err = job.Boot(ctx, watch)
	endLine()
	return status, err
}

func readTable(root string) (Table, error) {
	name := filepath.Join(root, "testdata", "kernels.txt")
	f, err := os.Open(name)
	if err != nil {
		return Table{}, err
	}
	defer f.Close()
	return ReadTable("kernels.txt", f)
}

// moduleRoot returns the directory of the module that the working directory
// is in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not inside the module: no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
}
