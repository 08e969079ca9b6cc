//go:build linux

// Mutants plants faults in a copy of the module, one at a time, and tells which
// of them the tests notice.
//
//	go run ./scripts/mutants [-area list] [-run list] [-j n] [-list]
//
// The faults are those of testdata/mutants, a file for each area; see readList
// for what is in them. A fault is caught if the tests that concern it fail. It
// exits with 1 if less than 95 % are caught, or if one survives and the list does
// not say why.
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
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

// enough is how many of a hundred faults have to be caught.
const enough = 95

func main() {
	areas := flag.String("area", "", "only the faults of these `areas`, a comma between two")
	only := flag.String("run", "", "only the faults of these `names`")
	workers := flag.Int("j", runtime.NumCPU(), "how many to try at a time, each in a copy of its own")
	list := flag.Bool("list", false, "print the faults, and try none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, ".", *areas, *only, *workers, *list, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, areas, only string, workers int, list bool, stdout io.Writer) error {
	faults, err := readLists(filepath.Join(root, "testdata", "mutants"))
	if err != nil {
		return err
	}
	if err := checkTexts(root, faults); err != nil {
		return err
	}
	faults = slices.DeleteFunc(faults, func(f fault) bool {
		return areas != "" && !slices.Contains(strings.Split(areas, ","), f.area) || only != "" && !slices.Contains(strings.Split(only, ","), f.name)
	})
	if len(faults) == 0 {
		return errors.New("no such fault: -list prints all")
	}
	if list {
		for _, f := range faults {
			fmt.Fprintf(stdout, "%s: %s: %s in %s\n", f.pos, f.area, f.name, f.file)
		}
		return nil
	}
	began := time.Now()
	results, err := tryAll(ctx, root, faults, workers, stdout)
	if results == nil {
		return err
	}
	return errors.Join(report(stdout, results, time.Since(began)), err)
}

// A result is what came of a fault.
type result struct {
	fault
	caught bool
	took   time.Duration
}

// tryAll tries the faults, in as many copies as there are workers. Before, it
// makes sure that the tests pass without any.
func tryAll(ctx context.Context, root string, faults []fault, workers int, stdout io.Writer) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var copies []string
	defer func() {
		for _, dir := range copies {
			os.RemoveAll(dir)
		}
	}()
	for range max(1, min(workers, len(faults))) {
		dir, err := copyTree(root)
		if err != nil {
			return nil, err
		}
		copies = append(copies, dir)
	}

	var suites []suite
	for _, f := range faults {
		if !slices.ContainsFunc(suites, f.suite.equal) {
			suites = append(suites, f.suite)
		}
	}
	inParallel(copies, suites, func(dir string, s suite) {
		if ctx.Err() == nil {
			if err := s.baseline(ctx, dir); err != nil {
				cancel(err)
			}
		}
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	fmt.Fprintf(stdout, "%d sets of tests pass without a fault\n", len(suites))

	var mu sync.Mutex
	var results []result
	var errs []error
	inParallel(copies, faults, func(dir string, f fault) {
		if ctx.Err() != nil {
			return
		}
		began := time.Now()
		caught, err := f.try(ctx, dir)
		r := result{f, caught, time.Since(began)}
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			errs = append(errs, err)
			return
		}
		results = append(results, r)
		fmt.Fprintln(stdout, r)
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return results, errors.Join(errs...)
}

// inParallel calls do for all jobs, once at a time for each copy.
func inParallel[T any](copies []string, jobs []T, do func(dir string, job T)) {
	todo := make(chan T)
	var wg sync.WaitGroup
	for _, dir := range copies {
		wg.Go(func() {
			for job := range todo {
				do(dir, job)
			}
		})
	}
	for _, job := range jobs {
		todo <- job
	}
	close(todo)
	wg.Wait()
}

// String returns the line that is printed when the fault has been tried.
func (r result) String() string {
	how := "caught  "
	if !r.caught {
		how = "SURVIVED"
		if r.why != "" {
			how = "survived"
		}
	}
	s := fmt.Sprintf("%s %5.1fs  %s: %s (%s)", how, r.took.Seconds(), r.area, r.name, r.pos)
	switch {
	case !r.caught && r.why != "":
		s += ": " + r.why
	case r.caught && r.why != "":
		s += ": the list says why it survives, which it does not any more"
	}
	return s
}

// report prints the results by area. It returns an error if they are not good
// enough.
func report(w io.Writer, results []result, took time.Duration) error {
	var areas []string
	caught, all := map[string]int{}, map[string]int{}
	times := map[string]time.Duration{}
	unexplained := 0
	for _, r := range results {
		if !slices.Contains(areas, r.area) {
			areas = append(areas, r.area)
		}
		all[r.area]++
		times[r.area] += r.took
		if r.caught {
			caught[r.area]++
		} else if r.why == "" {
			unexplained++
		}
	}
	slices.Sort(areas)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\narea\tcaught\tsurvived\ttime\t")
	total := 0
	for _, a := range areas {
		total += caught[a]
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t\n", a, caught[a], all[a]-caught[a], times[a].Round(time.Second))
	}
	table.Flush()
	fmt.Fprintf(w, "%d of %d faults were caught, in %s\n", total, len(results), took.Round(time.Second))
	switch {
	case unexplained > 0:
		return fmt.Errorf("%d survived, and the list does not say why", unexplained)
	case total*100 < enough*len(results):
		return fmt.Errorf("less than %d %% were caught", enough)
	}
	return nil
}
