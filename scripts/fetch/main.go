// Fetch prints the directory of a kernel's headers or sources, which it gets
// from Debian when the cache does not have them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

const usage = `usage: fetch [flags] headers [RELEASE]   the header package, all architectures
       fetch [flags] source [RELEASE]    the source tree, what gen reads of it
       fetch [flags] newest              the version of the newest headers

RELEASE is X.Y or X.Y.Z, the newest that Debian serves if left out.
`

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("bad usage")

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("fetch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { io.WriteString(stderr, usage); flags.PrintDefaults() }
	refresh := flags.Bool("refresh", false, "ask the mirror for new package lists even if there are recent ones")
	full := flags.Bool("full", false, "with source: the whole tree, 1.6 GB")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return errUsage
	}
	archive := &debian.Archive{Refresh: *refresh, Log: stderr}
	verb, release := flags.Arg(0), flags.Arg(1)
	var answer string
	var err error
	switch {
	case verb == "headers" && flags.NArg() <= 2:
		answer, err = archive.Headers(release)
	case verb == "source" && flags.NArg() <= 2:
		answer, err = archive.Source(release, *full)
	case verb == "newest" && flags.NArg() == 1:
		answer, err = archive.Newest()
	default:
		flags.Usage()
		return errUsage
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, answer)
	return err
}
