package main

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A look is of a page that is light or dark. Its colours are those of Okabe and
// Ito, which the colour-blind tell apart; lines also differ in their marks.
type look struct {
	name             string
	paper, ink, grey color.Color
	grid             color.Color
	series           [4]color.Color // ours, and the peers
}

var looks = []look{
	{"light", rgb(0xffffff), rgb(0x1f2328), rgb(0x59636e), rgb(0xd8dee4), [4]color.Color{rgb(0x0072b2), rgb(0xd55e00), rgb(0x6e7781), rgb(0x009e73)}},
	{"dark", rgb(0x0d1117), rgb(0xf0f6fc), rgb(0x9198a1), rgb(0x30363d), [4]color.Color{rgb(0x56b4e9), rgb(0xe69f00), rgb(0x9198a1), rgb(0x2fbf93)}},
}

// What a series is, in all pictures.
const (
	ours = iota
	golang
	inC
	between
)

var (
	shapes = [...]draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}}
	dashes = [...][]vg.Length{nil, {7, 3}, {2, 2}, {7, 3, 2, 3}}
)

func rgb(v uint32) color.Color {
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff}
}

// Sizes of text are pixels at the width of a README.
const (
	large  = 17
	medium = 13
	small  = 12
)

func style(size vg.Length, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, XAlign: x, YAlign: y, Handler: handler}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = 2 // of golang.org/x/image/font: bold
	return s
}

var handler = text.Plain{Fonts: font.DefaultCache}
