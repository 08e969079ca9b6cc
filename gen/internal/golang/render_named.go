package golang

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"
)

// renderNamed writes a type that is no struct, and the method String of a set of
// constants.
func renderNamed(f *jen.File, n goNamed) {
	is := "is"
	if strings.HasPrefix(n.C, "the constants ") {
		is = "has"
	}
	f.Add(comment("%s %s %s (%s)%s.", n.Name, is, n.C, n.Pos, listed(n.Since)))
	addMore(f, n.Doc)
	def := f.Type().Id(n.Name)
	if n.Alias {
		def.Op("=")
	}
	def.Id(n.Type)
	f.Line()
	switch n.Set {
	case enumSet:
		renderEnum(f, n)
	case flagSet:
		renderFlags(f, n)
	}
}

// renderEnum writes a String that allocates nothing for what has a name.
func renderEnum(f *jen.File, n goNamed) {
	format, wide := "FormatInt", "int64"
	if n.Type[0] == 'u' {
		format, wide = "FormatUint", "uint64"
	}
	f.Add(comment("String returns the name that x has in C, or %s(N) if that has none.", n.Name))
	f.Func().Params(jen.Id("x").Id(n.Name)).Id("String").Params().String().Block(
		jen.Switch(jen.Id("x")).BlockFunc(func(cases *jen.Group) {
			for _, v := range n.first() {
				cases.Case(jen.Id(v.Name)).Block(jen.Return(jen.Lit(v.C)))
			}
		}),
		jen.Return(jen.Lit(n.Name+"(").Op("+").Qual("strconv", format).Call(jen.Id(wide).Call(jen.Id("x")), jen.Lit(10)).Op("+").Lit(")")),
	)
	f.Line()
}

// renderFlags writes a String that allocates nothing for a single name.
func renderFlags(f *jen.File, n goNamed) {
	table, none := "namesOf"+n.Name, "0"
	for _, v := range n.first() {
		if v.Value.Sign() == 0 {
			none = v.C
		}
	}
	f.Add(comment("String returns the names that the bits of x have in C, joined by |, and those that"))
	f.Add(comment("have none in hexadecimal. Zero is %s.", none))
	f.Func().Params(jen.Id("x").Id(n.Name)).Id("String").Params().String().Block(
		jen.If(jen.Id("x").Op("==").Lit(0)).Block(jen.Return(jen.Lit(none))),
		jen.Id("rest").Op(":=").Id("x"),
		jen.Var().Id("text").Index().Byte(),
		jen.For(jen.List(jen.Id("_"), jen.Id("f")).Op(":=").Range().Id(table)).Block(
			jen.If(jen.Id("x").Op("&").Id("f").Dot("bits").Op("!=").Id("f").Dot("bits").Op("||").Id("rest").Op("&").Id("f").Dot("bits").Op("==").Lit(0)).Block(jen.Continue()),
			jen.If(jen.Id("x").Op("==").Id("f").Dot("bits")).Block(jen.Return(jen.Id("f").Dot("name"))),
			jen.If(jen.Len(jen.Id("text")).Op(">").Lit(0)).Block(jen.Id("text").Op("=").Append(jen.Id("text"), jen.LitRune('|'))),
			jen.Id("text").Op("=").Append(jen.Id("text"), jen.Id("f").Dot("name").Op("...")),
			jen.Id("rest").Op("&^=").Id("f").Dot("bits"),
		),
		jen.If(jen.Id("rest").Op("!=").Lit(0)).Block(
			jen.If(jen.Len(jen.Id("text")).Op(">").Lit(0)).Block(jen.Id("text").Op("=").Append(jen.Id("text"), jen.LitRune('|'))),
			jen.Id("text").Op("=").Qual("strconv", "AppendUint").Call(jen.Append(jen.Id("text"), jen.Lit("0x").Op("...")), jen.Uint64().Call(jen.Id("rest")), jen.Lit(16)),
		),
		jen.Return(jen.String().Call(jen.Id("text"))),
	)
	f.Line()
	f.Add(comment("%s has what has more bits first.", table))
	f.Var().Id(table).Op("=").Index(jen.Op("...")).Struct(jen.Id("bits").Id(n.Name), jen.Id("name").String()).ValuesFunc(func(rows *jen.Group) {
		for _, v := range n.widest() {
			rows.Line().Values(jen.Op(fmt.Sprintf("%#x", v.Value)), jen.Lit(v.C))
		}
		rows.Line()
	})
	f.Line()
}
