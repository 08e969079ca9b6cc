// Command oracle proves gen against C compilers: every constant, type, size,
// offset, alignment and bit-field that gen reports for a header becomes an
// assertion in a C file, which the real compiler of each architecture judges
// with the same headers.
//
//	go run ./scripts/oracle -kernel DIR [-arch LIST] [-header PATTERN]...
//	go run ./scripts/oracle -kernel DIR [-arch LIST] -all [-part K/N]
//
// DIR is Debian's header package, unpacked: it holds the headers of all
// architectures. Without -header it checks the default groups of package uapi
// and the headers of testdata/oracle-headers.txt; with -all every header that there
// is, or one of N parts of them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
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
	all := flags.Bool("all", false, "check every header")
	part := flags.String("part", "1/1", "with -all, this one of as many `parts` of the headers: 3/40")
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
	var k, n int
	if _, err := fmt.Sscanf(*part, "%d/%d", &k, &n); err != nil || k < 1 || k > n {
		return fmt.Errorf("-part %s: want K/N", *part)
	}
	if *all {
		var err error
		if headers, err = everyHeader(*kernel, k, n); err != nil {
			return err
		}
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
		if *all {
			runs = nil
			have, err := c.available(*kernel, headers)
			if err != nil {
				return err
			}
			for chunk := range slices.Chunk(have, 200) {
				runs = append(runs, headerArgs(asPatterns(chunk)))
			}
		}
		if len(headers) == 0 {
			runs = [][]string{nil, headerArgs(listed(string(list), c.GOARCH))}
		}
		var sum tally
		for _, more := range runs {
			units, err := model(gen, *kernel, c.GOARCH, more)
			if err != nil && *all { // none of them can be read
				sum.unread = append(sum.unread, c.GOARCH+" "+strings.ReplaceAll(err.Error(), "\n", " "))
				continue
			}
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
		if len(sum.unread) > 0 && c.Libc != "" && len(headers) == 0 && !*all {
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

// everyHeader lists the k-th of n parts of the headers of a package, by their
// names alone, so that a new header moves no other.
func everyHeader(kernel string, k, n int) ([]string, error) {
	var names []string
	for _, dir := range []string{"usr/include", "usr/lib/linux/uapi/*"} {
		roots, err := filepath.Glob(filepath.Join(kernel, dir))
		if err != nil {
			return nil, err
		}
		for _, root := range roots {
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				name, _ := filepath.Rel(root, path)
				if d != nil && d.IsDir() && strings.Contains(name, "-linux-") {
					return fs.SkipDir
				}
				h := fnv.New32()
				io.WriteString(h, name)
				if err == nil && filepath.Ext(path) == ".h" && int(h.Sum32()%uint32(n)) == k-1 {
					names = append(names, filepath.ToSlash(name))
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// available returns the headers that the architecture has.
func (c compiler) available(kernel string, headers []string) (have []string, err error) {
	for _, h := range headers {
		root := filepath.Join(kernel, "usr/include")
		if strings.HasPrefix(h, "asm/") {
			root = filepath.Join(kernel, "usr/lib/linux/uapi", c.Kernel)
		}
		if _, err := os.Stat(filepath.Join(root, h)); err == nil {
			have = append(have, h)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return have, nil
}

// asPatterns returns patterns that find these headers, so that one that cannot be
// read is left out and no error.
func asPatterns(headers []string) []string {
	var patterns []string
	for _, h := range headers {
		patterns = append(patterns, strings.TrimSuffix(h, ".h")+".[h]")
	}
	return patterns
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
