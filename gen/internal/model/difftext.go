package model

import (
	"cmp"
	"fmt"
	"go/constant"
	"go/token"
	"io"
	"math/big"
	"slices"
	"strings"
)

// PrintDiff prints d for a person, what breaks programs first.
func PrintDiff(w io.Writer, d ModelDiff) {
	if d.Empty() {
		fmt.Fprintf(w, "Linux %s and %s declare the same on %s.\n", d.Old, d.New, Plural(len(d.Arches), "architecture", "architectures"))
		return
	}
	fmt.Fprintf(w, "Linux %s -> %s on %s\n", d.Old, d.New, Plural(len(d.Arches), "architecture", "architectures"))
	for _, change := range []string{removed, changed, added} {
		printChange(w, d, change)
	}
}

// A diffRow is a line of the report below the name of a header.
type diffRow struct {
	header string
	cells  []string
}

// printChange prints what was removed, changed or added, by header.
func printChange(w io.Writer, d ModelDiff, change string) {
	var rows []diffRow
	names := map[string]bool{}
	for _, s := range d.Structs {
		if s.Change == change {
			names[s.Name] = true
			rows = append(rows, structRows(s, d.Arches)...)
		}
	}
	addConst := func(header string, c ConstDiff) {
		if c.Change == change {
			names[c.Name] = true
			rows = append(rows, diffRow{header, []string{"    " + c.Name, formatChange(c), archNote(c.Arches, d.Arches)}})
		}
	}
	for _, c := range d.Consts {
		addConst(c.pos.File, c)
	}
	for _, c := range d.callsFromZero() {
		addConst("system calls"+d.basesNote(), c)
	}
	if len(rows) == 0 {
		return
	}
	slices.SortStableFunc(rows, func(a, b diffRow) int { return cmp.Compare(a.header, b.header) })
	fmt.Fprintf(w, "\n%s%s: %d\n", strings.ToUpper(change[:1]), change[1:], len(names))
	for len(rows) > 0 {
		header := rows[0].header
		var cells [][]string
		for len(rows) > 0 && rows[0].header == header {
			cells, rows = append(cells, rows[0].cells), rows[1:]
		}
		fmt.Fprintf(w, "  %s\n", header)
		for _, line := range Columns(cells) {
			fmt.Fprintln(w, line)
		}
	}
}

// callsFromZero returns the system calls as the kernel's tables number them,
// alike on most architectures.
func (d ModelDiff) callsFromZero() []ConstDiff {
	var calls []ConstDiff
	for _, c := range d.Syscalls {
		for _, arch := range c.Arches {
			one := c
			one.Arches = []string{arch}
			for _, v := range []*constant.Value{&one.Old, &one.New} {
				if base := d.bases[arch]; base != nil && *v != nil {
					*v = constant.BinaryOp(*v, token.SUB, base)
				}
			}
			calls = append(calls, one)
		}
	}
	return shareArches(calls, ConstDiff.place, (*ConstDiff).share)
}

// basesNote tells what callsFromZero left out.
func (d ModelDiff) basesNote() string {
	var r Remarks
	for _, arch := range d.Arches {
		if base := d.bases[arch]; base != nil {
			r.Add("+"+base.ExactString(), arch)
		}
	}
	for i, text := range r.texts {
		r.texts[i] += " on " + strings.Join(r.arches[text], ", ")
	}
	if len(r.texts) == 0 {
		return ""
	}
	return " (" + strings.Join(r.texts, "; ") + ")"
}

// structRows is a line for s and one for each field that differs.
func structRows(s StructDiff, arches []string) []diffRow {
	old, new := cmp.Or(s.Old, s.New), cmp.Or(s.New, s.Old)
	size := arrow(old.Size, new.Size) + " bytes"
	if old.Align != new.Align {
		size += ", aligned to " + arrow(old.Align, new.Align)
	}
	rows := []diffRow{{s.Header, []string{"    " + s.Name, size, archNote(s.Arches, arches)}}}
	for _, f := range s.Fields {
		old, new := cmp.Or(f.Old, f.New), cmp.Or(f.New, f.Old)
		what := []string{f.Change}
		if f.Change == changed {
			what = nil
			if old.firstBit() != new.firstBit() {
				what = append(what, "moved")
			}
			if old.spelling() != new.spelling() {
				what = append(what, "retyped")
			}
			if old.Size != new.Size {
				what = append(what, arrow(old.Size, new.Size)+" bytes")
			}
		}
		rows = append(rows, diffRow{s.Header, []string{
			"      " + f.Name,
			"offset " + arrow(old.offset(), new.offset()),
			arrow(old.spelling(), new.spelling()),
			strings.Join(what, ", "),
		}})
	}
	return rows
}

// offset is the byte at which a field starts, or the bit for a bit-field.
func (p Place) offset() string {
	if p.Bits != nil {
		return fmt.Sprintf("bit %d", p.Bits.Offset)
	}
	return fmt.Sprint(p.Offset)
}

// spelling is the type of a field as C writes it.
func (p Place) spelling() string {
	if p.Bits != nil {
		return fmt.Sprintf("%s:%d", p.Type, p.Bits.Width)
	}
	return p.Type
}

func arrow[T comparable](old, new T) string {
	if old == new {
		return fmt.Sprint(new)
	}
	return fmt.Sprintf("%v -> %v", old, new)
}

func formatChange(c ConstDiff) string {
	switch c.Change {
	case removed:
		return formatValue(c.Old, c.base)
	case added:
		return formatValue(c.New, c.base)
	}
	return arrow(formatValue(c.Old, c.base), formatValue(c.New, c.base))
}

// formatValue writes v in the base of its header.
func formatValue(v constant.Value, base Base) string {
	if v.Kind() != constant.Int || base == Decimal {
		return v.ExactString()
	}
	n, _ := new(big.Int).SetString(v.ExactString(), 10)
	if base == Octal {
		return fmt.Sprintf("%#o", n)
	}
	return fmt.Sprintf("%#x", n)
}
