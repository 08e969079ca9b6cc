package main

import (
	"context"
	"io"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

// Kernels gets the kernels and emulators of machines.
type Kernels struct {
	archive *debian.Archive
	root    string
	log     io.Writer
}

// find returns the newest kernel of release, X.Y or "" for any, that m can
// have.
func (ks Kernels) find(m Machine, release string) (debian.Kernel, error) {
	if m.Built() {
		return ks.archive.FindSource(release)
	}
	return ks.archive.FindKernel(m.Debian, m.Flavour, release)
}

// fetch brings a kernel that find returned into the cache.
func (ks Kernels) fetch(ctx context.Context, m Machine, k debian.Kernel) (debian.Kernel, error) {
	if m.Built() {
		return buildKernel(ctx, ks.archive, ks.root, m, k, ks.log)
	}
	return ks.archive.FetchKernel(k)
}

// choose returns the machine that has the newest X.Y of release, and of those
// that have it the first.
func (ks Kernels) choose(machines []Machine, release string) (Machine, debian.Kernel, error) {
	var machine Machine
	var kernel debian.Kernel
	var first error
	minor := func(k debian.Kernel) string { return strings.Join(strings.SplitN(k.Version, ".", 3)[:2], ".") }
	for _, m := range machines {
		k, err := ks.find(m, release)
		switch {
		case err == nil && (kernel.Version == "" || debian.Compare(minor(k), minor(kernel)) > 0):
			machine, kernel = m, k
		case first == nil:
			first = err
		}
	}
	if kernel.Version == "" {
		return machine, kernel, first
	}
	return machine, kernel, nil
}
