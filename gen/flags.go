package main

import (
	"errors"
	"flag"
	"fmt"
	"go/token"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/golang"
	"github.com/go-clone3/clone3/gen/internal/model"
)

const usage = `Gen makes Go bindings from the headers of a Linux kernel, for all GOARCHes at
once. It runs no C compiler and no other program.

    gen -kernel DIR                     make package uapi in ./uapi
    gen -kernel DIR -header H ...       bind any header, in the current folder
    gen -kernel DIR -diff OLD           tell what changed since the kernel OLD
    gen -kernel DIR -json               print what the headers declare

DIR is a kernel's source tree, untouched; or what "make headers_install" made of
it; or Debian's package linux-libc-dev, unpacked; or /usr/include. A folder with
the headers of one architecture binds only that one: say so with -arch.

    -kernel DIR   the kernel; without it, the environment variable KERNEL
    -o DIR        the output folder (./uapi, or with -header the current one)
    -check        write nothing: show what would change
    -header H     a header as #include names it, or a pattern: 'linux/*.h'
    -prefix P     keep only the names that begin with P
    -exclude X    leave out names, or headers, that match: 'TCP_*', linux/x.h
    -rename C=GO  give a constant, or a type by its tag, that name in Go
    -strip P      take the prefix P from the names of constants and types
    -enum E       give the constants of the C enum E (a pattern) a type of its
                  own with a String; GO=C_* does so for any constants
    -flags E      likewise for bits, of which String prints all: A|B|0x40
    -typedef T    make a Go type of the C typedef T (a pattern)
    -type C=GO    use that Go type for a member (clone_args.flags), a typedef,
                  or constants
    -unsigned X   make bits like 1<<31, which are negative in C, positive in the
                  constants that match X
    -I DIR        look for headers in DIR too, before those of the kernel
    -D NAME=TEXT  define a macro, as 1 without =TEXT
    -include H    read the header H before each of -header
    -unit NAME    read all of -header as one, in this order, into files of NAME
    -package P    the package name ($GOPACKAGE, or else the folder's name)
    -arch LIST    the GOARCHes: amd64,arm64 (all)
    -diff OLD     compare with another kernel, given like DIR
    -since DIRS   say in comments with which release names came, by these older
                  kernels, given like DIR, or by a table of names
    -funcs P=TYPE make functions of macros that match, of arguments of that Go
                  type (uint32 without =TYPE), where they are exact
    -ioctls P     make functions of the ioctls that match, of their structs
    -comments     carry over the comments of the headers, under their licence
    -json         print the model, or the differences, for programs
    -v            end with a table of what was read and skipped, and why

Where a value is a name or pattern, several go with commas or given again. A
header is left out for architectures that lack it.
Nothing is guessed: a name has the value that C gives it, or it is skipped.

Examples:

    KERNEL=~/linux go generate ./...
    gen -kernel /usr/include -arch amd64 -header linux/landlock.h -o landlock
    gen -kernel ~/linux -header linux/sched.h -flags 'Clone=CLONE_*' \
        -type clone_args.flags=Clone
    gen -kernel ~/linux-7.1 -diff ~/linux-7.0

Exit status: 0 when all is done and nothing differs; 1 when -check or -diff find
a difference; 2 when the command line or a kernel cannot be read.
`

// options is the command line.
type options struct {
	kernel, old          string
	headers, prefixes    []string
	without, exclude     []string // patterns of headers and of names
	names                golang.Options
	dirs, defines, first []string // of -I, -D and -include
	unit                 string
	since                []string // older kernels, and tables
	dir, pkg             string
	arches               []model.Arch
	funcs                []model.FuncWish
	ioctls               []string // patterns
	check, json, verbose bool
	comments             bool
}

// A listFlag collects values that are given with commas, again, or both.
type listFlag []string

func (l *listFlag) String() string { return strings.Join(*l, ",") }

func (l *listFlag) Set(s string) error {
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v == "" {
			return errors.New("an empty value")
		}
		*l = append(*l, v)
	}
	return nil
}

// A wholeFlag collects values that are given again, commas and all.
type wholeFlag []string

func (l *wholeFlag) String() string { return strings.Join(*l, " ") }

func (l *wholeFlag) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// parseFlags reads the command line. It returns flag.ErrHelp for -h.
func parseFlags(args []string) (options, error) {
	var o options
	var archNames, excludes, renames, funcs listFlag
	f := flag.NewFlagSet("gen", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.kernel, "kernel", os.Getenv("KERNEL"), "")
	f.StringVar(&o.old, "diff", "", "")
	f.StringVar(&o.dir, "o", "", "")
	f.StringVar(&o.pkg, "package", "", "")
	f.Var((*listFlag)(&o.headers), "header", "")
	f.Var((*listFlag)(&o.prefixes), "prefix", "")
	f.Var((*listFlag)(&o.dirs), "I", "")
	f.Var((*wholeFlag)(&o.defines), "D", "")
	f.Var((*listFlag)(&o.first), "include", "")
	f.StringVar(&o.unit, "unit", "", "")
	f.Var(&excludes, "exclude", "")
	f.Var(&renames, "rename", "")
	f.Var(&funcs, "funcs", "")
	f.Var((*listFlag)(&o.ioctls), "ioctls", "")
	f.Var(&archNames, "arch", "")
	var types typeFlags
	types.register(f)
	f.Var((*listFlag)(&o.since), "since", "")
	f.BoolVar(&o.check, "check", false, "")
	f.BoolVar(&o.comments, "comments", false, "")
	f.BoolVar(&o.json, "json", false, "")
	f.BoolVar(&o.verbose, "v", false, "")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q; folders go with -kernel and -o, headers with -header", f.Arg(0))
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, c := range conflicts {
		if given[c.a] && given[c.b] {
			return o, fmt.Errorf("-%s with -%s: %s", c.a, c.b, c.why)
		}
	}
	if given["prefix"] && !given["header"] && !given["diff"] {
		return o, errors.New("-prefix narrows what -header or -diff read; give one of them too")
	}
	for _, name := range slices.Concat([]string{"exclude", "rename", "I", "D", "include", "unit", "comments", "funcs", "ioctls"}, typeFlagNames) {
		if given[name] && !given["header"] {
			return o, fmt.Errorf("-%s changes what -header reads; give that too", name)
		}
	}
	for _, name := range typeFlagNames {
		for _, other := range []string{"json", "diff"} {
			if given[name] && given[other] {
				return o, fmt.Errorf("-%s with -%s: they have the names, types and values of C", name, other)
			}
		}
	}
	renamed, err := o.choose(excludes, renames)
	if err != nil {
		return o, err
	}
	if o.names, err = types.options(renamed); err != nil {
		return o, err
	}
	if err := o.chooseFuncs(funcs); err != nil {
		return o, err
	}
	for i, d := range o.defines {
		name, text, ok := strings.Cut(d, "=")
		if !ok {
			text = "1"
		}
		if !cName.MatchString(name) || strings.ContainsAny(text, "\r\n") {
			return o, fmt.Errorf("-D %s: want the name of a macro, or NAME=TEXT", d)
		}
		o.defines[i] = name + " " + text
	}
	if given["unit"] && !unitName.MatchString(o.unit) {
		return o, fmt.Errorf("-unit %s: files cannot be called so; take letters, digits and underscores", o.unit)
	}
	if o.kernel == "" {
		return o, errors.New("which kernel? Set -kernel, or the environment variable KERNEL, to a source tree, to installed headers or to /usr/include")
	}
	if given["diff"] && o.old == "" {
		return o, errors.New("-diff needs the folder of the old kernel")
	}
	if o.arches, err = chooseArches(archNames); err != nil {
		return o, err
	}
	if o.old != "" || o.json {
		return o, nil
	}
	return o, o.chooseOutput()
}

var (
	cName    = regexp.MustCompile(`^[A-Za-z_]\w*$`)
	unitName = regexp.MustCompile(`^[A-Za-z0-9]\w*$`)
)

// conflicts are the flags that make no sense together.
var conflicts = []struct{ a, b, why string }{
	{"check", "json", "the one compares Go files, the other makes none"},
	{"check", "diff", "the one compares Go files, the other kernels"},
	{"o", "json", "the model goes to the standard output"},
	{"o", "diff", "the differences go to the standard output"},
	{"rename", "json", "the model has the names of C"},
	{"rename", "diff", "the differences have the names of C"},
	{"since", "diff", "-diff tells itself what is new"},
	{"ioctls", "diff", "the differences have no functions"},
	{"funcs", "diff", "the differences have no functions"},
	{"comments", "json", "the model has no comments"},
	{"comments", "diff", "the differences have no comments"},
	{"package", "json", "the model has no package"},
	{"package", "diff", "the differences have no package"},
}

// choose completes what is left out, and returns what is renamed.
func (o *options) choose(excludes, renames []string) (map[string]string, error) {
	renamed := map[string]string{}
	for _, x := range excludes {
		if _, err := path.Match(x, ""); err != nil {
			return nil, fmt.Errorf("-exclude %s: %w", x, err)
		}
		if strings.Contains(x, "/") || strings.HasSuffix(x, ".h") {
			o.without = append(o.without, x)
		} else {
			o.exclude = append(o.exclude, x)
		}
	}
	for _, r := range renames {
		from, to, ok := strings.Cut(r, "=")
		switch old := renamed[from]; {
		case !ok || from == "":
			return nil, fmt.Errorf("-rename %s: want the name in C, = and the name in Go", r)
		case !token.IsIdentifier(to) || !token.IsExported(to):
			return nil, fmt.Errorf("-rename %s: %s is no name that Go exports", r, to)
		case old != "" && old != to:
			return nil, fmt.Errorf("-rename %s: it is to be %s already", r, old)
		}
		renamed[from] = to
	}
	return renamed, nil
}

// argTypes are the types that arguments of functions may have, and those of C.
var argTypes = map[string]string{
	"int32": "int", "uint32": "unsigned int", "int64": "long long", "uint64": "unsigned long long", "int": "long", "uintptr": "unsigned long",
}

// chooseFuncs completes which macros become functions.
func (o *options) chooseFuncs(funcs []string) error {
	for _, p := range o.ioctls {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("-ioctls %s: %w", p, err)
		}
	}
	for _, f := range funcs {
		pattern, arg, ok := strings.Cut(f, "=")
		if !ok {
			arg = "uint32"
		}
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf("-funcs %s: want the name of a macro or a pattern, or that and =TYPE", f)
		}
		if argTypes[arg] == "" {
			return fmt.Errorf("-funcs %s: arguments can be %s", f, strings.Join(slices.Sorted(maps.Keys(argTypes)), ", "))
		}
		o.funcs = append(o.funcs, model.FuncWish{Pattern: pattern, Arg: argTypes[arg]})
	}
	return nil
}

// chooseArches returns the architectures of these names, or all.
func chooseArches(names []string) ([]model.Arch, error) {
	if len(names) == 0 {
		return model.Arches, nil
	}
	chosen := map[string]bool{}
	for _, name := range names {
		if _, ok := model.ArchByName(name); !ok {
			return nil, fmt.Errorf("-arch %s: not a GOARCH of Linux; choose from %s", name, strings.Join(archNames(model.Arches), ", "))
		}
		chosen[name] = true
	}
	var list []model.Arch // in the order of the table
	for _, a := range model.Arches {
		if chosen[a.GOARCH] {
			list = append(list, a)
		}
	}
	return list, nil
}

func archNames(list []model.Arch) []string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.GOARCH
	}
	return names
}

// chooseOutput completes the folder and the package name.
func (o *options) chooseOutput() error {
	if o.dir == "" && len(o.headers) == 0 {
		o.dir = "uapi"
	}
	o.dir = filepath.Clean(o.dir) // "" becomes "."
	if o.pkg == "" {
		o.pkg = os.Getenv("GOPACKAGE") // which go generate sets
	}
	if o.pkg != "" {
		if !golang.IsPackageName(o.pkg) {
			return fmt.Errorf("-package %s: not a Go package name", o.pkg)
		}
		return nil
	}
	abs, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	if o.pkg = filepath.Base(abs); !golang.IsPackageName(o.pkg) {
		return fmt.Errorf("the name of the output folder, %q, is not a Go package name; choose one with -package", o.pkg)
	}
	return nil
}
