package golang

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// A recordLayout is a record on its way from C to Go.
type recordLayout struct {
	goLayout
	model.Struct
	path     string // how the user names it: clone_args, bpf_attr.query
	out      goStruct
	inner    []goStruct      // the types of members without a name in C
	align    int64           // of the Go type
	scalar   int64           // the size of the largest number in it
	found    []member        // everything with a name
	siblings map[string]bool // the names
	members  []member        // what has a size
	storages []*storage
	taken    map[string]bool // Go names of members
}

// A member is a member of a record, or of the structs and unions without a
// name in it.
type member struct {
	model.Field
	offset int64      // from the start of the record
	bits   model.Bits // likewise, of a bit-field
	goType
	in *storage // of a union or bit-field, else nil
}

// A storage is a field that holds a union or a run of bit-fields.
type storage struct {
	name   string
	offset int64
	size   int64
	scalar int64 // the size of its elements, if alignment allows
	align  int64
}

// maxSize is less than the largest type of a 32-bit machine.
const maxSize = 1 << 30

// layout makes the Go type of s, which is called c in the model.
func (l goLayout) layout(s model.Struct, name, c, path string) goRecord {
	r := recordLayout{
		goLayout: l, Struct: s, path: path, align: 1, scalar: 1, siblings: map[string]bool{}, taken: map[string]bool{},
		out: goStruct{key: c, Name: name, C: withoutGroup(c), Pos: s.Pos, Words: s.Words, Size: s.Size},
	}
	if s.Align > 8 {
		r.out.Aligned = s.Align
	}
	if err := r.build(); err != nil {
		return goRecord{err: err}
	}
	return goRecord{types: append([]goStruct{r.out}, r.inner...), align: r.align, scalar: r.scalar}
}

func (r *recordLayout) build() error {
	if err := r.flatten(r.Struct, 0, nil); err != nil {
		return err
	}
	if err := r.findTypes(); err != nil {
		return err
	}
	r.storeBits()
	r.placeStorages()
	if err := r.placeMembers(); err != nil {
		return err
	}
	return r.pad()
}

func (r *recordLayout) errorf(pos model.Pos, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %s", pos, r.out.C, fmt.Sprintf(format, args...))
}

// flatten collects the members of s, which begins at offset base. If it is a
// union, they share one storage with the unions around it.
func (r *recordLayout) flatten(s model.Struct, base int64, in *storage) error {
	if s.Size < 0 || s.Size > maxSize || s.Align < 1 || s.Align&(s.Align-1) != 0 || s.Size%s.Align != 0 {
		return r.errorf(s.Pos, "a size of %d with an alignment of %d is too much, or impossible", s.Size, s.Align)
	}
	if s.Union && in == nil {
		in = &storage{name: numbered("union", len(r.storages)), offset: base, size: s.Size, scalar: min(s.Align, 8)}
		r.storages = append(r.storages, in)
	}
	for _, f := range s.Fields {
		var err error
		switch {
		case f.Bits != nil:
			err = r.findBits(f, s, base, in)
		case f.Offset < 0 || f.Type.Size < 0 || f.Offset > s.Size || f.Type.Size > s.Size-f.Offset:
			err = r.errorf(f.Pos, "member %s of %d bytes at %d lies outside", f.Name, f.Type.Size, f.Offset)
		case f.Name == "":
			var inner model.Struct
			if inner, err = r.anonymous(f); err == nil {
				err = r.flatten(inner, base+f.Offset, in)
			}
		default:
			err = r.find(member{Field: f, offset: base + f.Offset, in: in})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find notes a member. C has no two of a name.
func (r *recordLayout) find(m member) error {
	if r.siblings[m.Name] {
		return r.errorf(m.Pos, "two members are called %s", m.Name)
	}
	r.found = append(r.found, m)
	r.siblings[m.Name] = true
	return nil
}

func (r *recordLayout) findBits(f model.Field, s model.Struct, base int64, in *storage) error {
	if f.Name == "" || f.Bits.Width == 0 {
		return nil // padding
	}
	most := 8 * f.Type.Size
	if f.Type.Kind == model.Bool {
		most = 1
	}
	switch {
	case f.Bits.Offset < 0 || f.Bits.Width < 0 || f.Bits.Offset > 8*s.Size || f.Bits.Width > 8*s.Size-f.Bits.Offset:
		return r.errorf(f.Pos, "bit-field %s lies outside", f.Name)
	case f.Type.Kind < model.Bool || f.Type.Kind > model.Uint || f.Type.Size > 8 || f.Bits.Width > most:
		return r.errorf(f.Pos, "bit-field %s has %d bits of type %s", f.Name, f.Bits.Width, f.Type.C)
	}
	bits := model.Bits{Offset: 8*base + f.Bits.Offset, Width: f.Bits.Width}
	return r.find(member{Field: f, offset: bits.Offset / 8, bits: bits, in: in})
}

// anonymous returns the record that a member without a name stands for.
func (r *recordLayout) anonymous(f model.Field) (model.Struct, error) {
	s, ok := r.structs[f.Type.Record]
	if f.Type.Inline != nil {
		s, ok = *f.Type.Inline, true
	} else if ok {
		if err := r.record(s.Name).err; err != nil { // it may contain itself
			return s, err
		}
	}
	if f.Type.Kind != model.Record || !ok || s.Size != f.Type.Size {
		return s, r.errorf(f.Pos, "a member without a name is no struct or union, but %s of %d bytes", f.Type.C, f.Type.Size)
	}
	return s, nil
}

// findTypes finds the Go types of the members, and sorts out those that have no
// size: of an array without a length the offset remains, and of a struct
// without members nothing.
func (r *recordLayout) findTypes() error {
	for _, m := range r.found {
		var err error
		if m.Bits == nil && (m.Flexible || m.Type.Kind == model.Array && m.Type.Size == 0) {
			err = r.addOffset(m)
		} else if m.goType, err = r.memberType(m); m.Type.Size > 0 {
			r.members = append(r.members, m)
			r.scalar = max(r.scalar, m.scalar)
			if m.in != nil {
				m.in.scalar = max(m.in.scalar, m.scalar)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addOffset keeps the offset of an array, and the type of its elements if C has
// no name for that.
func (r *recordLayout) addOffset(m member) error {
	key := fmt.Sprintf("the offset of %s in %s", m.Name, r.out.key)
	name := r.memberTypeName(key, "Offsetof"+r.out.Name, memberName(m.Name, r.siblings))
	r.out.Offsets = append(r.out.Offsets, goOffset{key, name, withType(m.Field), m.Words, m.offset})
	if elem := m.Type.Innermost(); elem.Inline != nil {
		if _, err := r.typeOf(elem, m.Field); err != nil {
			return err
		}
	}
	return nil
}

// storeBits finds the bytes of the bit-fields that are in no union.
func (r *recordLayout) storeBits() {
	var bits []*member
	for i := range r.members {
		if m := &r.members[i]; m.Bits != nil && m.in == nil {
			bits = append(bits, m)
		}
	}
	slices.SortStableFunc(bits, func(a, b *member) int { return cmp.Compare(a.bits.Offset, b.bits.Offset) })
	var last *storage
	runs := 0
	for _, m := range bits {
		end := (m.bits.Offset + m.bits.Width + 7) / 8
		if last == nil || m.offset > last.offset+last.size {
			last = &storage{name: numbered("bits", runs), offset: m.offset, scalar: 1}
			r.storages = append(r.storages, last)
			runs++
		}
		last.size = max(last.size, end-last.offset)
		m.in = last
	}
}

// numbered names the fields that have no name in C: union, union2, union3.
func numbered(name string, n int) string {
	if n == 0 {
		return name
	}
	return fmt.Sprint(name, n+1)
}

// placeStorages makes the fields of unions and bit-fields: arrays of the
// largest numbers that fit.
func (r *recordLayout) placeStorages() {
	for _, s := range r.storages {
		s.align = min(s.scalar, r.wordAlign())
		for s.size%s.scalar != 0 || !r.fits(s.offset, s.align) {
			s.scalar /= 2
			s.align = min(s.scalar, r.wordAlign())
		}
		elem := "byte"
		if s.scalar > 1 {
			elem = fmt.Sprintf("uint%d", 8*s.scalar)
		}
		if s.size > 0 {
			r.addField(goField{Name: s.name, Type: fmt.Sprintf("[%d]%s", s.size/s.scalar, elem), Offset: s.offset, size: s.size}, s.align)
		}
	}
}

// fits reports whether Go can have a field of that alignment there.
func (r *recordLayout) fits(offset, align int64) bool {
	return offset%align == 0 && r.Align%align == 0
}

func (r *recordLayout) addField(f goField, align int64) {
	r.out.Fields = append(r.out.Fields, f)
	r.align = max(r.align, align)
}

// placeMembers makes the fields, and the accessors of what is no field.
func (r *recordLayout) placeMembers() error {
	for _, m := range r.members {
		a := goAccessor{Kind: copyAccessor, Member: m.Name, C: withType(m.Field), Words: m.Words, Type: m.text, Size: m.Type.Size}
		switch {
		case m.Bits != nil:
			a.in(m.in, m.offset)
			a.Kind, a.Width = bitAccessor, m.bits.Width
			a.Bits = bitPieces(model.Bits{Offset: m.bits.Offset - 8*m.in.offset, Width: m.bits.Width}, r.arch.BigEndian)
		case m.in != nil:
			a.in(m.in, m.offset)
			if m.in.align%m.align == 0 && a.Offset%m.align == 0 {
				a.Kind = pointerAccessor
			}
		case r.fits(m.offset, m.align):
			r.addField(goField{Name: r.free(m), Type: m.text, C: r.telling(m), Words: m.Words, Offset: m.offset, size: m.Type.Size}, m.align)
			if m.own {
				r.out.Own = append(r.out.Own, goOwn{Type: m.text, Size: m.Type.Size})
			}
			continue
		}
		if m.own {
			own := goOwn{Type: m.text, Size: m.Type.Size}
			if a.Kind == pointerAccessor {
				own.Align = min(m.in.align, cmp.Or(a.Offset&-a.Offset, m.in.align))
			}
			r.out.Own = append(r.out.Own, own)
		}
		if a.Kind == pointerAccessor {
			a.Name = r.free(m, "")
		} else {
			a.Name = r.free(m, "Set")
		}
		if a.Storage == "" {
			raw := &storage{"raw" + a.Name, m.offset, m.Type.Size, 1, 1}
			a.in(raw, m.offset)
			r.addField(goField{Name: raw.name, Type: fmt.Sprintf("[%d]byte", raw.size), Offset: raw.offset, size: raw.size}, 1)
		}
		r.out.Accessors = append(r.out.Accessors, a)
	}
	return nil
}

// free returns the name that a member has, and takes it, with its methods if
// it has any. If another member has one of these, it is called as in C behind
// an X; the first member keeps the name, because new ones come last.
func (r *recordLayout) free(m member, methods ...string) string {
	name := memberName(m.Name, r.siblings)
	for tries := 0; ; tries++ {
		names := []string{name}
		for _, prefix := range methods {
			names = append(names, prefix+name)
		}
		isTaken := func(n string) bool { return r.taken[n] || len(methods) > 0 && vetted[n] }
		if !slices.ContainsFunc(names, isTaken) {
			for _, n := range names {
				r.taken[n] = true
			}
			return name
		}
		name = "X" + m.Name + strings.Repeat("_", tries)
	}
}

// vetted are the names that methods may have with certain types only, or go
// vet complains.
var vetted = map[string]bool{
	"Format": true, "GobDecode": true, "GobEncode": true, "MarshalJSON": true, "MarshalXML": true, "ReadByte": true, "ReadFrom": true,
	"ReadRune": true, "Scan": true, "Seek": true, "UnmarshalJSON": true, "UnmarshalXML": true, "UnreadByte": true, "UnreadRune": true,
	"WriteByte": true, "WriteTo": true,
}

// in says that the member at that offset of the record is in s.
func (a *goAccessor) in(s *storage, offset int64) {
	a.Storage, a.Offset, a.Length, a.Bytes = s.name, offset-s.offset, s.size, s.scalar == 1
}

// pad puts the fields in order, with explicit padding between and behind them.
func (r *recordLayout) pad() error {
	fields := r.out.Fields
	slices.SortStableFunc(fields, func(a, b goField) int { return cmp.Compare(a.Offset, b.Offset) })
	r.out.Fields = nil
	var end int64
	for _, f := range append(fields, goField{Offset: r.Size}) {
		switch {
		case f.Offset < end:
			return r.errorf(r.Pos, "two members lie at %d", f.Offset)
		case f.Offset > end:
			r.out.Fields = append(r.out.Fields, goField{Name: "_", Type: fmt.Sprintf("[%d]byte", f.Offset-end), Offset: end, size: f.Offset - end})
		}
		if f.Name != "" {
			r.out.Fields = append(r.out.Fields, f)
		}
		end = f.Offset + f.size
	}
	return nil
}
