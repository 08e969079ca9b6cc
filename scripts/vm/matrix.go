package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

// users are those that the whole matrix runs every test as.
var users = []int{0, 1000}

// flagsSince is the release that brought the clone flags that this project is
// about: a matrix without it proves nothing.
const flagsSince = "7.1"

// A Row is a guest of the matrix and what its tests came to.
type Row struct {
	Guest    Guest
	Machine  Machine
	Kernel   debian.Kernel
	Users    []int     // that run the tests
	Outcomes []Outcome // one for each of Users, over all packages
	Err      error     // why not every test ran to its end
	Took     time.Duration
}

// Good reports whether every test ran and none failed.
func (r Row) Good() bool {
	return r.Err == nil && !slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return len(o.Failed) > 0 })
}

// runMatrix runs the tests on the guests of the table, two at a time.
func runMatrix(ctx context.Context, o Options, stdout, stderr io.Writer) (int, error) {
	ks := Kernels{&debian.Archive{Log: stderr}, o.root, stderr}
	rows, err := resolve(ks, o.table, o.matrix == "pr", stderr)
	if err != nil {
		return statusBroken, err
	}
	for i := range rows {
		if rows[i].Machine, err = ks.emulator(ctx, rows[i].Machine); err != nil {
			return statusBroken, err
		}
	}
	b := builder{ctx: ctx, options: o, programs: map[string]func() (Programs, error){}}
	for _, r := range rows {
		b.programs[r.Guest.GOARCH] = sync.OnceValues(func() (Programs, error) {
			return o.programs(ctx, r.Guest.GOARCH)
		})
	}
	var wg sync.WaitGroup
	var printing sync.Mutex
	slots := make(chan struct{}, 2)
	for i := range rows {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			rows[i].run(func(r Row) ([]Outcome, error) { return b.runGuest(ks, r) }, func(text string) {
				printing.Lock()
				defer printing.Unlock()
				if ctx.Err() == nil {
					fmt.Fprint(stdout, text)
				}
			})
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return statusBroken, context.Cause(ctx)
	}
	if o.report != "" {
		if err := writeReport(o.report, rows); err != nil {
			return statusBroken, err
		}
	}
	if err := verdict(rows, o.matrix == "all"); err != nil {
		return 1, err
	}
	return 0, nil
}

// run runs the tests of the row by boot, and says how it went. If the machine
// breaks it is booted once more, since the emulator is at fault at times: what
// the tests do to a kernel they do again.
func (r *Row) run(boot func(Row) ([]Outcome, error), say func(string)) {
	began := time.Now()
	for again := range 2 {
		r.Outcomes, r.Err = boot(*r)
		r.Took = time.Since(began)
		say(r.describe())
		if broken := (*MachineError)(nil); again > 0 || !errors.As(r.Err, &broken) {
			return
		}
		say(fmt.Sprintf("linux %s %s is booted once more\n", r.Kernel.Version, r.Guest.GOARCH))
	}
}

// resolve finds the kernels of the guests. It says which releases are not
// served and leaves them out.
func resolve(ks Kernels, table Table, pr bool, log io.Writer) ([]Row, error) {
	var rows []Row
	var failures []error
	for _, g := range table.Guests {
		as := users
		if pr {
			as = g.PR
		}
		if as == nil {
			continue
		}
		m, _ := table.Machine(g.Machine)
		k, err := ks.find(m, strings.TrimPrefix(g.Release, "newest"))
		if unknown := (*debian.UnknownReleaseError)(nil); errors.As(err, &unknown) {
			fmt.Fprintf(log, "linux %s for %s is not served, newest is %s: left out\n", g.Release, m.Name, unknown.Newest)
			continue
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		i := slices.IndexFunc(rows, func(r Row) bool {
			return r.Guest.GOARCH == g.GOARCH && r.Kernel.Version == k.Version && (r.Machine.Name == m.Name || m.Built())
		})
		if i < 0 {
			rows = append(rows, Row{Guest: g, Machine: m, Kernel: k, Users: as})
			continue
		}
		rows[i].Users = union(rows[i].Users, as)
		if other := rows[i].Machine.Name; other != m.Name {
			fmt.Fprintf(log, "linux %s for %s is not built: %s has it\n", k.Version, m.Name, other)
		}
	}
	return rows, errors.Join(failures...)
}

// union returns the users of a and of b.
func union(a, b []int) []int {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// A builder runs guests with programs that are built once for each GOARCH.
type builder struct {
	ctx      context.Context
	options  Options
	programs map[string]func() (Programs, error)
}

// runGuest runs the tests of a row as each of its users, in one boot.
func (b *builder) runGuest(ks Kernels, r Row) ([]Outcome, error) {
	outcomes := make([]Outcome, len(r.Users))
	kernel, err := ks.fetch(b.ctx, r.Machine, r.Kernel)
	if err != nil {
		return outcomes, err
	}
	programs, err := b.programs[r.Guest.GOARCH]()
	if err != nil {
		return outcomes, err
	}
	job := Job{Machine: r.Machine, Kernel: kernel, Files: programs.Files, Limit: b.options.timeout}
	flags := append(slices.Clone(b.options.flags), "-v=test2json")
	for _, uid := range r.Users {
		for _, t := range programs.Tests {
			job.Runs = append(job.Runs, t.Run(uid, flags))
		}
	}
	outputs := make([]strings.Builder, len(job.Runs))
	var failed error
	err = job.Boot(b.ctx, Watcher{
		Start:  func(int) {},
		Output: func(run int, text string) { outputs[run].WriteString(text) },
		Exit: func(run, status int) {
			if status != 0 {
				failed = errors.Join(failed, fmt.Errorf("%s as uid %d: exit status %d", job.Runs[run].Package, job.Runs[run].UID, status))
			}
		},
	})
	for run := range outputs {
		o := ReadOutcome(outputs[run].String())
		for _, names := range []*[]string{&o.Passed, &o.Failed, &o.Skipped} {
			for i := range *names {
				(*names)[i] = job.Runs[run].Package + "." + (*names)[i]
			}
		}
		outcomes[slices.Index(r.Users, job.Runs[run].UID)].add(o)
	}
	return outcomes, errors.Join(failed, err)
}

func (o *Outcome) add(p Outcome) {
	o.Passed = append(o.Passed, p.Passed...)
	o.Failed = append(o.Failed, p.Failed...)
	o.Skipped = append(o.Skipped, p.Skipped...)
	o.Failure += p.Failure
}

// describe says how the row went, in a line if all is well.
func (r Row) describe() string {
	var b strings.Builder
	state := "ok  "
	if !r.Good() {
		state = "FAIL"
	}
	fmt.Fprintf(&b, "%s linux %-9s %-8s", state, r.Kernel.Version, r.Guest.GOARCH)
	for i, o := range r.Outcomes {
		fmt.Fprintf(&b, "  uid %d: %d passed, %d failed, %d skipped;", r.Users[i], len(o.Passed), len(o.Failed), len(o.Skipped))
	}
	fmt.Fprintf(&b, " %.0fs, %s\n", r.Took.Seconds(), r.Kernel.From)
	if r.Good() {
		return b.String()
	}
	for i, o := range r.Outcomes {
		if o.Failure != "" {
			fmt.Fprintf(&b, "uid %d:\n%s", r.Users[i], o.Failure)
		}
	}
	if r.Err != nil {
		fmt.Fprintln(&b, r.Err)
	}
	return b.String()
}

// verdict returns what is wrong with the matrix. In the whole matrix every
// test must have run somewhere.
func verdict(rows []Row, all bool) error {
	var bad []string
	current := false
	ran, skipped := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		if !r.Good() {
			bad = append(bad, fmt.Sprintf("linux %s %s", r.Kernel.Version, r.Guest.GOARCH))
		}
		current = current || debian.Compare(r.Kernel.Version, flagsSince) >= 0
		for _, o := range r.Outcomes {
			for _, name := range slices.Concat(o.Passed, o.Failed) {
				ran[name] = true
			}
			for _, name := range o.Skipped {
				skipped[name] = true
			}
		}
	}
	var errs []error
	if bad != nil {
		errs = append(errs, fmt.Errorf("tests failed on %s", strings.Join(bad, ", ")))
	}
	if !current {
		errs = append(errs, fmt.Errorf("no kernel of %s or later was run", flagsSince))
	}
	if all {
		var never []string
		for name := range skipped {
			if !ran[name] {
				never = append(never, name)
			}
		}
		slices.Sort(never)
		for _, name := range never {
			errs = append(errs, fmt.Errorf("no guest runs %s: all skip it", name))
		}
	}
	return errors.Join(errs...)
}

// writeReport writes the rows as a table into a file, between two marks.
func writeReport(path string, rows []Row) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	updated, err := replaceReport(string(text), report(rows))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(updated), 0o644)
}
