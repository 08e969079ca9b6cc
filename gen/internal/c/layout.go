package c

import (
	"fmt"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A record is a struct or union as written, and its layout once it is
// defined.
type record struct {
	union   bool
	tag     string // "struct x", the typedef's name without a tag, or ""
	typ     *ctype
	defined bool
	packed  bool
	aligned int64 // of the attribute, 0 without
	pack    int64 // of #pragma pack, 0 without
	fields  []field
	pos     model.Pos
	seq     int
}

// A field is a member as written, and its place.
type field struct {
	name    string
	typ     *ctype
	packed  bool
	aligned int64 // of the attribute or _Alignas, 0 without
	width   int64 // of a bit-field, -1 for others
	offset  int64 // in bits from the start of the record
	pos     model.Pos
	start   model.Pos // of the declaration
}

// memberAlign returns the alignment in bytes that t has as a member.
func memberAlign(m abi, t *ctype) int64 {
	if m.member8 != 0 && t.align == 8 && !t.userAlign && t.innermost().kind != model.Record {
		return m.member8
	}
	return t.align
}

// layOut places the fields of r by the rules of GCC, which all the targets
// share but for two: on 386 an 8-byte scalar needs 4 bytes of alignment as a
// member, and on arm and arm64 unnamed bit-fields count for the alignment of
// the record. It sets the size and the alignment of r, or the reason why it
// cannot. Positions are in bits here.
func layOut(m abi, r *record) {
	pos, align, size := int64(0), int64(8), int64(0)
	for i := range r.fields {
		f := &r.fields[i]
		t := f.typ.sync()
		if why := unfit(r, i); why != "" {
			r.typ.bad = why
			return
		}
		if f.width >= 0 || r.pack != 0 || r.packed || f.packed || t.special {
			r.typ.special = true
		}
		if r.union {
			pos = 0
		}
		bits := 8 * t.size
		if t.kind == model.Array && t.len < 0 {
			bits = 0
		}
		packed := (f.packed || r.packed) && (t.align > 1 || f.width >= 0)

		// want is the alignment of the field, typed what its type asks for,
		// and user whether anyone insisted on it.
		want, user := max(8*f.aligned, 1), f.aligned != 0
		typed := 8 * memberAlign(m, t)
		raise := func() {
			if 8*t.align > want {
				want, user = 8*t.align, t.userAlign
			}
		}
		unit := false // a bit-field that is a whole, aligned integer
		switch known := pos & -pos; {
		case f.width < 0:
			if !packed || f.aligned == 0 {
				raise()
			}
		case f.width == 0:
			packed = false
			raise()
		case f.width >= 8 && f.width&(f.width-1) == 0 && f.width <= 64:
			if !(f.width > 8 && packed) && (known == 0 || known >= f.width) {
				want, unit = max(want, f.width), true
			}
		}
		if packed && f.aligned == 0 {
			want = min(want, 8)
		}
		if !packed && !user && t.innermost().kind != model.Record && m.member8 != 0 {
			want = min(want, 8*m.member8)
		}
		if r.pack != 0 && f.width != 0 {
			want = min(want, 8*r.pack)
		}

		switch {
		case f.width < 0:
			align = max(align, want)
			r.typ.userAlign = r.typ.userAlign || user
		case f.name != "" || m.anonAlign:
			own := typed
			switch {
			case f.width == 0:
			case r.pack != 0:
				own = min(own, 8*r.pack)
			case packed:
				own = min(own, 8)
			}
			align = max(align, want, own)
			r.typ.userAlign = r.typ.userAlign || user || t.userAlign
		}

		pos = roundUp(pos, want)
		if f.width > 0 {
			bits = f.width
			// A bit-field may not span more units of the alignment of its
			// type than the type itself does.
			if !unit && !packed && r.pack == 0 && (pos%typed+bits+typed-1)/typed > 8*t.size/typed {
				pos = roundUp(pos, typed)
			}
		} else if f.width == 0 {
			bits = 0
		}
		if r.union {
			pos = 0
		}
		f.offset = pos
		pos += bits
		size = max(size, pos)
	}
	r.typ.align = max(align/8, r.aligned)
	r.typ.userAlign = r.typ.userAlign || r.aligned != 0
	r.typ.size = roundUp(roundUp(size, 8), 8*r.typ.align) / 8
}

// unfit says why the i-th field of r cannot be placed, or "".
func unfit(r *record, i int) string {
	f := r.fields[i]
	t, name := f.typ, f.name
	if name == "" {
		name = "without a name"
	}
	flexible := t.kind == model.Array && t.len < 0
	switch {
	case t.bad != "":
		return fmt.Sprintf("member %s: %s", name, t.bad)
	case flexible && !r.union && i < len(r.fields)-1:
		return fmt.Sprintf("member %s is an array without a length, but not the last member", name)
	case flexible && t.elem.size < 0, !flexible && t.size < 0:
		return fmt.Sprintf("member %s has incomplete type %s", name, t.c)
	case f.width > 1 && t.kind == model.Bool, f.width >= 0 && f.width > 8*t.size:
		return fmt.Sprintf("bit-field %s is wider than its type %s", name, t.c)
	case f.width >= 0 && t.rank == 0:
		return fmt.Sprintf("bit-field %s has type %s", name, t.c)
	case f.width == 0 && f.name != "":
		return fmt.Sprintf("bit-field %s has no bits", name)
	}
	return ""
}

// roundUp returns the least multiple of unit that is not less than n.
func roundUp(n, unit int64) int64 {
	return (n + unit - 1) / unit * unit
}

// model returns r as the rest of the program sees it.
func (r *record) model(m abi) model.Struct {
	s := model.Struct{Name: r.tag, Union: r.union, Size: r.typ.size, Align: r.typ.align, Pos: r.pos}
	for i, f := range r.fields {
		if f.width >= 0 && f.name == "" {
			continue // padding
		}
		out := model.Field{Name: f.name, Type: f.typ.model(m), Offset: f.offset / 8, Pos: f.pos}
		if f.width >= 0 {
			out.Bits = &model.Bits{Offset: f.offset, Width: f.width}
		}
		out.Flexible = f.typ.kind == model.Array && f.typ.len <= 0 && (r.union || i == len(r.fields)-1)
		s.Fields = append(s.Fields, out)
	}
	return s
}

// model returns t as the rest of the program sees it.
func (t *ctype) model(m abi) model.Type {
	out := model.Type{Kind: t.kind, C: t.c, Size: t.size, Align: memberAlign(m, t)}
	if t.enum != nil && *t.enum != "enum" {
		out.Enum = *t.enum
	}
	switch t.kind {
	case model.Array:
		elem := t.elem.model(m)
		out.Elem, out.Len, out.Size = &elem, max(t.len, 0), max(t.size, 0)
	case model.Record:
		out.Record = t.rec.tag
		if t.rec.tag == "" {
			s := t.rec.model(m)
			out.Inline = &s
		}
	}
	return out
}
