//go:build linux

// Freshmachine tries what the README promises of a fresh machine: it makes
// minimal systems of Debian with make and the certificates that Go needs, and
// runs the README's two commands in each, as root, as a user with sudo and as
// one without; then the tests alone, in places that are unlike a developer's.
// It prints what came of each, and how long it took.
//
//	go run ./scripts/freshmachine [-run regexp] [-suites list] [-guests regexp]
//
// The systems are directories, entered with namespaces of their own. They are
// Debian's as debootstrap makes them, kept in the cache and copied for use. Go,
// and the files of modules, are the host's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == enterCommand {
		os.Exit(enter(os.Args[2]))
	}
	only := flag.String("run", "", "try only the cases whose line in the table matches this `regexp`")
	suites := flag.String("suites", "bookworm,trixie", "the releases of Debian")
	guests := flag.String("guests", "", "let the kernels of make test run only the tests that match this `regexp`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	pattern, err := regexp.Compile(*only)
	if err == nil {
		err = run(ctx, strings.Split(*suites, ","), pattern, *guests, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "freshmachine:", err)
		stop()
		os.Exit(1)
	}
}

// A result is a line of the table.
type result struct {
	name, outcome string
	took          time.Duration
}

func run(ctx context.Context, suites []string, only *regexp.Regexp, guests string, stdout io.Writer) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can make systems and enter them: run make fresh-machine as root")
	}
	h, err := findHost()
	if err != nil {
		return err
	}
	if guests != "" {
		h.env = append(h.env, "ARGS=-run '"+guests+"'") // a variable of make's
	}
	var results []result
	failed := 0
	for _, suite := range suites {
		for _, m := range machines {
			done, err := m.try(ctx, h, suite, only, stdout)
			for _, r := range done {
				if r.outcome != "ok" {
					failed++
				}
			}
			results = append(results, done...)
			if err != nil {
				return fmt.Errorf("%s %s: %w", suite, m.name, err)
			}
		}
	}
	if len(results) == 0 {
		return fmt.Errorf("no case matches %s", only)
	}
	printTable(stdout, results)
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed; their output is in %s", failed, len(results), h.logs)
	}
	return nil
}

func printTable(w io.Writer, results []result) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\ntime\tcase\toutcome")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.took.Round(time.Second), r.name, r.outcome)
	}
	table.Flush()
}
