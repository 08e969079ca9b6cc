package golang

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"
)

// renderStruct writes a type, what proves its layout, and its methods.
func renderStruct(f *jen.File, s goStruct) {
	f.Add(comment("%s is %s (%s)%s.", s.Name, s.C, s.Pos, listed(s.Since)))
	if s.Aligned > 0 {
		f.Add(comment("C aligns it to %d bytes, which Go does not.", s.Aligned))
	}
	addMore(f, s.Doc)
	f.Type().Id(s.Name).StructFunc(func(fields *jen.Group) {
		for i, field := range s.Fields {
			if field.Above != "" {
				if i > 0 {
					fields.Line()
				}
				addAll(fields, quote(field.Above))
				fields.Line()
			}
			addAll(fields, quote(field.Doc))
			def := fields.Id(field.Name).Id(field.Type)
			if text := strings.TrimPrefix(listed(field.C)+listed(field.Since), ", "); text != "" {
				def.Add(comment("%s", text))
			}
		}
	})
	f.Line()
	renderAssertions(f, s)
	for _, o := range s.Offsets {
		f.Add(comment("%s is where %s begins%s.", o.Name, o.C, listed(o.Since)))
		addMore(f, o.Doc)
		f.Const().Id(o.Name).Op("=").Lit(int(o.Offset))
		f.Line()
	}
	for _, a := range s.Accessors {
		switch a.Kind {
		case pointerAccessor:
			renderPointer(f, s.Name, a)
		case copyAccessor:
			renderCopy(f, s.Name, a)
		case bitAccessor:
			renderBits(f, s.Name, a)
		}
	}
}

// addMore adds a comment of the header below one of gen's.
func addMore(f *jen.File, doc string) {
	for _, line := range more(doc) {
		f.Add(line)
	}
}

// renderAssertions writes declarations that do not compile if size or offsets
// are not those of C. Comparing array types costs nothing at run time, and the
// compiler's message has both numbers: cannot use [unsafe.Sizeof(T{})]struct{}{}
// (value of type [24]struct{}) as [16]struct{} value.
func renderAssertions(f *jen.File, s goStruct) {
	assert := func(n int64, what *jen.Statement) jen.Code {
		return jen.Id("_").Index(jen.Lit(int(n))).Struct().Op("=").Index(what).Struct().Values()
	}
	value := func() *jen.Statement { return jen.Id(s.Name).Values() }
	f.Var().DefsFunc(func(block *jen.Group) {
		block.Add(assert(s.Size, jen.Qual("unsafe", "Sizeof").Call(value())))
		for _, field := range s.Fields {
			if field.Name != "_" {
				block.Add(assert(field.Offset, jen.Qual("unsafe", "Offsetof").Call(value().Dot(field.Name))))
			}
		}
		for _, own := range s.Own {
			v := func() *jen.Statement { return jen.Op("*").Parens(jen.Op("*").Id(own.Type)).Call(jen.Nil()) }
			block.Add(assert(own.Size, jen.Qual("unsafe", "Sizeof").Call(v())))
			if own.Align > 0 { // or the index is negative
				block.Id("_").Index(jen.Lit(int(own.Align)).Op("-").Qual("unsafe", "Alignof").Call(v())).Struct()
			}
		}
	})
	f.Line()
}

// method begins a method of the type.
func method(f *jen.File, typ, name string) *jen.Statement {
	return f.Func().Params(jen.Id("x").Op("*").Id(typ)).Id(name)
}

// storage is an unsafe.Pointer to the field that holds the member.
func (a goAccessor) storage() *jen.Statement {
	return addressOf(jen.Id("x").Dot(a.Storage))
}

// address is an unsafe.Pointer to the member.
func (a goAccessor) address() *jen.Statement {
	if a.Offset == 0 {
		return a.storage()
	}
	return jen.Qual("unsafe", "Add").Call(a.storage(), jen.Lit(int(a.Offset)))
}

func addressOf(v *jen.Statement) *jen.Statement {
	return jen.Qual("unsafe", "Pointer").Call(jen.Op("&").Add(v))
}

// cast is a conversion to a pointer to that type.
func cast(typ string, p *jen.Statement) *jen.Statement {
	return jen.Parens(jen.Op("*").Id(typ)).Call(p)
}

func renderPointer(f *jen.File, typ string, a goAccessor) {
	f.Add(comment("%s points at %s%s.", a.Name, a.C, listed(a.Since)))
	addMore(f, a.Doc)
	method(f, typ, a.Name).Params().Op("*").Id(a.Type).Block(jen.Return(cast(a.Type, a.address())))
	f.Line()
}

func renderCopy(f *jen.File, typ string, a goAccessor) {
	bytes := fmt.Sprintf("[%d]byte", a.Size)
	stored := func() *jen.Statement {
		if a.Bytes && a.Size == a.Length {
			return jen.Id("x").Dot(a.Storage)
		}
		return jen.Op("*").Add(cast(bytes, a.address()))
	}
	v := func() *jen.Statement { return jen.Op("*").Add(cast(bytes, addressOf(jen.Id("v")))) }
	f.Add(comment("%s returns %s%s.", a.Name, a.C, listed(a.Since)))
	addMore(f, a.Doc)
	method(f, typ, a.Name).Params().Params(jen.Id("v").Id(a.Type)).Block(
		v().Op("=").Add(stored()),
		jen.Return(jen.Id("v")),
	)
	f.Line()
	f.Add(comment("Set%s sets %s.", a.Name, a.Member))
	method(f, typ, "Set"+a.Name).Params(jen.Id("v").Id(a.Type)).Block(
		stored().Op("=").Add(v()),
	)
	f.Line()
}
