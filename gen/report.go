package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/golang"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// report tells a person what was left out: always the headers that a pattern
// found in vain, and with -v everything, after a table of what was read.
// p is the package that was made, or nil.
func (c command) report(readings []reading, p *golang.Package) {
	for i, r := range readings {
		if c.verbose && i > 0 {
			fmt.Fprintln(c.stderr)
		}
		if c.verbose {
			printReport(c.stderr, r, p, c.exclude)
			printLines(c.stderr, "Functions", slices.Concat(idle(r, c.funcs).Lines(r.arches), mute(r, c.ioctls).Lines(r.arches)))
			printLines(c.stderr, "Prefixes", elsewhere(r, c.prefixes).Lines(r.arches))
			continue
		}
		if n := r.unreadable(); n > 0 {
			fmt.Fprintf(c.stderr, "Linux %s: left out %s that cannot be read; -v tells why\n", r.version, model.Plural(n, "header", "headers"))
		}
		for _, line := range r.lacking.Lines(r.arches) {
			fmt.Fprintf(c.stderr, "Linux %s: left out %s; -v tells why\n", r.version, line)
		}
		for _, list := range []model.Remarks{unmatched(r, c.exclude), idle(r, c.funcs), mute(r, c.ioctls), elsewhere(r, c.prefixes)} {
			for _, line := range list.Lines(r.arches) {
				fmt.Fprintln(c.stderr, line)
			}
		}
	}
	if p != nil && !c.verbose {
		for _, line := range p.Unused.Texts() {
			fmt.Fprintln(c.stderr, line)
		}
	}
}

// printReport prints what -v promises about one kernel.
func printReport(w io.Writer, r reading, p *golang.Package, exclude []string) {
	fmt.Fprintf(w, "Linux %s on %s\n\n", r.version, model.Plural(len(r.arches), "architecture", "architectures"))
	for _, line := range model.Columns(tallies(r.units)) {
		fmt.Fprintln(w, line)
	}
	skipped := skipRemarks(r.units).Lines(r.arches)
	if p != nil {
		skipped = append(skipped, p.LeftOut.Lines(r.arches)...)
	}
	printLines(w, "Skipped", skipped)
	if p != nil {
		printLines(w, "Told apart", p.Apart.Texts())
		printLines(w, "Plain numbers, but for -enum, -flags and -typedef", p.Plain.Lines(r.arches))
	}
	printLines(w, "Not found", slices.Concat(r.lacks.Lines(r.arches), unfound(r).Lines(r.arches), unmatched(r, exclude).Lines(r.arches)))
	if p != nil {
		printLines(w, "Asked for in vain", p.Unused.Texts())
	}
	printLines(w, "Headers left out", r.fails.Lines(r.arches))
}

func printLines(w io.Writer, title string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(w, "\n%s:\n  %s\n", title, strings.Join(lines, "\n  "))
	}
}

// A tally is the names of a header that any architecture has.
type tally struct{ consts, structs, skipped, empty, functions map[string]bool }

// tallies is a table of the headers in the order of the units.
func tallies(units []model.Unit) [][]string {
	var order []string
	byHeader := map[string]*tally{}
	of := func(header string) *tally {
		if byHeader[header] == nil {
			order = append(order, header)
			byHeader[header] = &tally{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
		}
		return byHeader[header]
	}
	for _, u := range units {
		for _, h := range u.Group.Headers {
			of(h.Path)
		}
		for _, c := range u.Consts {
			of(countedAs(u.Group, c.Pos)).consts[c.Name] = true
		}
		for _, s := range u.Structs {
			of(countedAs(u.Group, s.Pos)).structs[s.Name] = true
		}
		for _, s := range u.Skips {
			switch t := of(countedAs(u.Group, s.Pos)); s.Reason {
			case model.SkipEmpty:
				t.empty[s.Name] = true
			case model.SkipFunctionLike:
				t.functions[s.Name] = true
			default:
				t.skipped[s.Name] = true
			}
		}
	}
	rows := [][]string{{"header", "constants", "structs", "skipped", "empty macros", "function-like macros"}}
	var sum [5]int
	for _, header := range order {
		t, row := byHeader[header], []string{header}
		for i, names := range []map[string]bool{t.consts, t.structs, t.skipped, t.empty, t.functions} {
			sum[i] += len(names)
			row = append(row, fmt.Sprintf("%*d", len(rows[0][i+1]), len(names)))
		}
		rows = append(rows, row)
	}
	row := []string{"total"}
	for i, n := range sum {
		row = append(row, fmt.Sprintf("%*d", len(rows[0][i+1]), n))
	}
	return append(rows, row)
}

// countedAs is the header under which a declaration counts. The numbers that
// asm/unistd.h leads to are in another file on each architecture.
func countedAs(g model.Group, p model.Pos) string {
	if i := g.Index(p.File); i >= 0 {
		return g.Headers[i].Path
	}
	return p.File
}

// skipRemarks lists what was skipped, but for macros that have no value.
func skipRemarks(units []model.Unit) model.Remarks {
	var r model.Remarks
	for _, u := range units {
		for _, s := range u.Skips {
			if s.Reason != model.SkipEmpty && s.Reason != model.SkipFunctionLike {
				r.Add(fmt.Sprintf("%v: %s: %s", s.Pos, s.Name, s.Reason), u.Arch)
			}
		}
	}
	return r
}

// unmatched lists the patterns of -exclude that leave nothing out.
func unmatched(r reading, exclude []string) model.Remarks {
	var idle model.Remarks
	for _, pattern := range exclude {
		g := model.Group{Exclude: []string{pattern}}
		if !slices.ContainsFunc(r.units, func(u model.Unit) bool {
			return slices.ContainsFunc(u.Skips, func(s model.Skip) bool { return s.Reason == model.SkipExcluded && g.Excludes(s.Name) })
		}) {
			for _, arch := range r.arches {
				idle.Add(fmt.Sprintf("-exclude %s: no name matches", pattern), arch)
			}
		}
	}
	return idle
}

// noFunction begins why a macro that is asked for is no function.
const noFunction = "no function: "

// idle lists the patterns of -funcs that no macro matches.
func idle(r reading, funcs []model.FuncWish) model.Remarks {
	var idle model.Remarks
	for _, f := range funcs {
		if !slices.ContainsFunc(r.units, func(u model.Unit) bool {
			return slices.ContainsFunc(u.Funcs, func(m model.Func) bool { return model.Matches(f.Pattern, m.Name) }) ||
				slices.ContainsFunc(u.Skips, func(s model.Skip) bool {
					return strings.HasPrefix(s.Reason, noFunction) && model.Matches(f.Pattern, s.Name)
				})
		}) {
			for _, arch := range r.arches {
				idle.Add(fmt.Sprintf("-funcs %s: no macro that takes arguments matches", f.Pattern), arch)
			}
		}
	}
	return idle
}

// noCall begins why an ioctl that is asked for has no function.
const noCall = "no call: "

// mute lists the patterns of -ioctls that no ioctl with an argument matches.
func mute(r reading, ioctls []string) model.Remarks {
	var mute model.Remarks
	for _, p := range ioctls {
		if !slices.ContainsFunc(r.units, func(u model.Unit) bool {
			return slices.ContainsFunc(u.Consts, func(c model.Const) bool { return c.Arg != "" && model.Matches(p, c.Name) }) ||
				slices.ContainsFunc(u.Skips, func(s model.Skip) bool { return strings.HasPrefix(s.Reason, noCall) && model.Matches(p, s.Name) })
		}) {
			for _, arch := range r.arches {
				mute.Add(fmt.Sprintf("-ioctls %s: no ioctl with an argument matches", p), arch)
			}
		}
	}
	return mute
}

// elsewhere tells of the prefixes of the command line what no header has, and
// what is rather in one that a header includes and that is not read itself.
func elsewhere(r reading, prefixes []string) model.Remarks {
	var told model.Remarks
	for _, prefix := range prefixes {
		one := model.Header{Prefixes: []string{prefix}}
		total := 0
		for _, u := range r.units {
			own := 0
			for _, c := range u.Consts {
				if one.WantsConst(c.Name) {
					own++
				}
			}
			for _, s := range u.Structs {
				if one.WantsStruct(s.Name) {
					own++
				}
			}
			total += own
			for _, b := range u.Behind {
				read := slices.ContainsFunc(r.wants, func(w want) bool { return w.Index(b.File) >= 0 })
				if b.Prefix == prefix && b.Names > own && !read {
					told.Add(fmt.Sprintf("-prefix %s: %d of %s begin so, which %s includes; ask for it with -header too", prefix, b.Names, b.File, u.Group.Headers[0].Path), u.Arch)
				}
			}
		}
		if total == 0 {
			for _, arch := range r.arches {
				told.Add(fmt.Sprintf("-prefix %s: no name begins so", prefix), arch)
			}
		}
	}
	return told
}

// unfound lists what the tables of gen ask for and the kernel does not have:
// it is either not there yet or gone. A prefix may be of some architectures only.
func unfound(r reading) model.Remarks {
	var lost model.Remarks
	found := map[[2]string]bool{} // header and prefix, on any architecture
	for _, u := range r.units {
		if _, out := r.failed[onArch{u.Group.Name, u.Arch}]; out {
			continue // which is told
		}
		names, tags := map[string][]string{}, map[string][]string{} // by header
		for _, c := range u.Consts {
			header := countedAs(u.Group, c.Pos)
			names[header] = append(names[header], c.Name)
		}
		for _, s := range u.Skips { // which are reported as skipped
			header := countedAs(u.Group, s.Pos)
			names[header] = append(names[header], s.Name)
		}
		for _, s := range u.Structs {
			header := countedAs(u.Group, s.Pos)
			tags[header] = append(tags[header], s.Name)
		}
		for _, h := range u.Group.Headers {
			for _, name := range h.Names {
				if !slices.Contains(names[h.Path], name) {
					lost.Add(fmt.Sprintf("%s: %s", h.Path, name), u.Arch)
				}
			}
			for _, prefix := range h.Prefixes {
				one := model.Header{Prefixes: []string{prefix}}
				if slices.ContainsFunc(names[h.Path], one.WantsConst) || slices.ContainsFunc(tags[h.Path], one.WantsStruct) {
					found[[2]string{h.Path, prefix}] = true
				}
			}
		}
	}
	for _, u := range r.units {
		for _, h := range u.Group.Headers {
			for _, prefix := range h.Prefixes {
				if _, out := r.failed[onArch{u.Group.Name, u.Arch}]; !out && !found[[2]string{h.Path, prefix}] {
					lost.Add(fmt.Sprintf("%s: no name that begins with %s", h.Path, prefix), u.Arch)
				}
			}
		}
	}
	return lost
}
