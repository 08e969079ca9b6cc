// Command oracle proves gen against C compilers: every constant, type, size,
// offset, alignment and bit-field that gen reports for a header becomes an
// assertion in a C file, which the real compiler of each architecture judges
// with the same headers.
//
//	go run ./scripts/oracle -kernel DIR [-arch LIST] [-header PATTERN]...
//
// DIR is Debian's header package, unpacked: it holds the headers of all
// architectures. Without -header it checks the default groups of package uapi
// and the headers of testdata/oracle-headers.txt.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

// patterns is a flag that may be repeated.
type patterns []string

func (p *patterns) String() string     { return strings.Join(*p, " ") }
func (p *patterns) Set(s string) error { *p = append(*p, s); return nil }

func run(args []string, stdout io.Writer) error {
	var headers patterns
	flags := flag.NewFlagSet("oracle", flag.ContinueOnError)
	kernel := flags.String("kernel", os.Getenv("KERNEL"), "Debian's header package, unpacked in this `directory`")
	archList := flags.String("arch", "", "only these GOARCHes, separated by commas")
	packages := flags.Bool("packages", false, "print the packages that hold the compilers, and end")
	flags.Var(&headers, "header", "check the headers that match this `pattern`; may be repeated")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if *packages {
		for _, c := range compilers {
			fmt.Fprintln(stdout, c.Package, c.Libc)
		}
		return nil
	}
	if *kernel == "" {
		return fmt.Errorf("no headers: name the unpacked header package with -kernel")
	}
	chosen := compilers
	if *archList != "" {
		want := strings.Split(*archList, ",")
		chosen = slices.DeleteFunc(slices.Clone(compilers), func(c compiler) bool { return !slices.Contains(want, c.GOARCH) })
		if len(chosen) != len(want) {
			return fmt.Errorf("-arch %s: not all of these are linux GOARCHes", *archList)
		}
	}

	scratch, err := os.MkdirTemp("", "oracle")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	gen := filepath.Join(scratch, "gen")
	if err := command(io.Discard, "go", "build", "-o", gen, "./gen"); err != nil {
		return err
	}

	list, err := os.ReadFile("testdata/oracle-headers.txt")
	if err != nil {
		return err
	}
	var total tally
	fmt.Fprintln(stdout, tallyHeading)
	for _, c := range chosen {
		runs := [][]string{headerArgs(headers)}
		if len(headers) == 0 {
			runs = [][]string{nil, headerArgs(listed(string(list), c.GOARCH))}
		}
		var sum tally
		for _, more := range runs {
			units, err := model(gen, *kernel, c.GOARCH, more)
			if err != nil {
				return err
			}
			t, err := c.check(units, *kernel, scratch)
			if err != nil {
				return err
			}
			sum.add(t)
		}
		fmt.Fprintln(stdout, sum.row(c.GOARCH, c.Command[0]))
		for _, m := range sum.mismatches {
			fmt.Fprintln(stdout, "    wrong:", m)
		}
		for _, u := range sum.unread {
			fmt.Fprintln(stdout, "    not checked:", u)
		}
		if len(sum.unread) > 0 && c.Libc != "" && len(headers) == 0 {
			return fmt.Errorf("%s: headers of the list are not checked", c.GOARCH)
		}
		total.add(sum)
	}
	fmt.Fprintln(stdout, total.row("all", ""))
	if n := len(total.mismatches); n > 0 {
		return fmt.Errorf("%d of %d assertions do not hold", n, total.assertions())
	}
	if total.assertions() == 0 {
		return fmt.Errorf("nothing was checked")
	}
	return nil
}

func headerArgs(headers []string) []string {
	var args []string
	for _, h := range headers {
		args = append(args, "-header", h)
	}
	return args
}

// listed picks the headers for an architecture from a list with one a line,
// and behind it the architectures without it: linux/kvm.h !arm. A # begins a
// comment.
func listed(list, goarch string) (headers []string) {
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 && !slices.Contains(words[1:], "!"+goarch) {
			headers = append(headers, words[0])
		}
	}
	return headers
}
