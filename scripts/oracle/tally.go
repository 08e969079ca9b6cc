package main

import "fmt"

// A tally counts assertions.
type tally struct {
	units                                                int
	consts, strings, types, sizes, aligns, offsets, bits int
	unread                                               []string // groups that the compiler cannot read, and why
	mismatches                                           []string
}

func (t *tally) add(u tally) {
	t.units += u.units
	t.consts += u.consts
	t.strings += u.strings
	t.types += u.types
	t.sizes += u.sizes
	t.aligns += u.aligns
	t.offsets += u.offsets
	t.bits += u.bits
	t.unread = append(t.unread, u.unread...)
	t.mismatches = append(t.mismatches, u.mismatches...)
}

func (t tally) assertions() int {
	return t.consts + t.strings + t.types + t.sizes + t.aligns + t.offsets + t.bits
}

const tallyHeading = "arch      groups  values strings   types   sizes  aligns offsets    bits checked wrong  compiler"

func (t tally) row(arch, compiler string) string {
	return fmt.Sprintf("%-8s %7d %7d %7d %7d %7d %7d %7d %7d %7d %5d  %s",
		arch, t.units, t.consts, t.strings, t.types, t.sizes, t.aligns, t.offsets, t.bits, t.assertions(), len(t.mismatches), compiler)
}
